"""The visibility table of one frame: all passes over a frame in one call, from clusters to the table's columns."""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.kernels.bits import all_set, count_bits
from spatial_assets.geometry.kernels.cache import numpy_kernel
from spatial_assets.geometry.kernels.coverage import cover_cluster, place_bits
from spatial_assets.geometry.kernels.culling import front_to_back, place, view_planes
from spatial_assets.geometry.kernels.drawing import draw
from spatial_assets.geometry.kernels.faces import project
from spatial_assets.geometry.kernels.keys import depth_of
from spatial_assets.geometry.kernels.lanes import LANES
from spatial_assets.geometry.kernels.truncation import MAX_CLIPPED, outside_area
from spatial_assets.geometry.kernels.visible import count_vertices, take_seen, visible_side


@numpy_kernel
def amodal_side(
    words, origins, strides, bounds, culled, cluster_starts, vertex_starts, vertices, face_starts, corners,
    face_areas, cluster_areas, instance_areas, p, near, width, height, planes, view_sides, rectangles,
    pixels, box, truncation,
):  # fmt: skip
    """Per instance: the pixels it would cover alone, their bounds, and the share of its area outside the view, into
    pixels (I,), box (I, 4) and truncation (I,).

    Clusters hold one instance each; those of instance i are cluster_starts[i]:cluster_starts[i + 1].
    words, origins, strides, bounds: bit images from `place_bits`, with all but the culled clusters drawn
    into them by `draw`, which also gives culled. planes, view_sides, rectangles: from the same clusters.
    """
    largest = 256
    uvw, regular = np.empty((largest, 3)), np.empty(largest, np.bool_)
    xs, ys, iz = np.empty(largest), np.empty(largest), np.empty(largest)
    sides = np.empty(largest, np.uint8)
    edges, plane = np.empty((3, 5)), np.empty(6)
    polygon, scratch = np.empty((MAX_CLIPPED, 3)), np.empty((MAX_CLIPPED, 3))
    columns = np.empty(width // 64 + 1, np.int64)
    for i in range(bounds.shape[0]):
        out = 0.0
        at, stride = 0, 0
        for c in range(cluster_starts[i], cluster_starts[i + 1]):
            crossed = view_sides[c]
            if crossed < 0:
                out += cluster_areas[c]
                continue
            first, last = vertex_starts[c], vertex_starts[c + 1]
            if crossed > 0:
                out += outside_area(
                    face_starts[c], face_starts[c + 1], corners, face_areas, vertices, first, last - first,
                    planes, crossed, sides, polygon, scratch,
                )  # fmt: skip
            at, stride = origins[c], strides[c]
            r = rectangles[c]
            if not culled[c] or all_set(words, at, stride, r[0], r[1], r[2], r[3]):
                continue
            project(vertices, first, last, p, near, uvw, xs, ys, iz, regular)
            cover_cluster(
                words, at, stride, face_starts[c], face_starts[c + 1], corners, uvw, xs, ys, regular,
                near, width, height, edges, plane,
            )  # fmt: skip
        if stride > 0:
            x0, x1, y0, y1 = bounds[i, 0], bounds[i, 1], bounds[i, 2], bounds[i, 3]
            pixels[i] = count_bits(words, at, stride, x0, x1, y0, y1, columns, box[i])
        truncation[i] = min(out / instance_areas[i], 1.0) if instance_areas[i] > 0.0 else 0.0


@numpy_kernel
def frame_table(
    keys, seen, touched, image,
    vertex_starts, vertices, face_starts, corners, names, centers, extents,
    face_label, face_slot, face_corners, pair_starts, cluster_starts, face_areas, cluster_areas, areas,
    p, near, width, height, amodal,
):  # fmt: skip
    """All passes over one frame, in one call, so that threads need not wait for each other in between.

    The first four may hold anything: keys as in `draw`, seen (F + 1,), touched (one per pair of instance
    and vertex and one more), image (H W and LANES more). Returns rows of the instances that are visible
    or, with amodal, would be alone: their places, the columns of `visibility.FrameVisibility`, and the visible faces.
    """
    total, count = centers.shape[0], areas.shape[0]
    planes, sides, culled = np.empty((5, 4)), np.empty(total, np.int8), np.zeros(total, np.bool_)
    rectangles, nearest = np.empty((total, 4), np.int32), np.empty(total)
    view_planes(p, near, width, height, planes)
    order = front_to_back(centers, extents, planes, sides)
    place(order, centers, extents, p, near, width, height, rectangles, nearest)
    origins, strides = np.zeros(total, np.int64), np.zeros(total, np.int64)
    bounds = np.empty((count, 4), np.int64)
    used = width * height + LANES
    if amodal:
        used = place_bits(used, cluster_starts, sides, rectangles, bounds, origins, strides)
    if keys.shape[0] < used:
        keys = np.empty(used, np.int64)
    keys[:used] = 0
    draw(
        keys, order, vertex_starts, vertices, face_starts, corners, names, rectangles, nearest,
        p, near, width, height, origins, strides, culled,
    )  # fmt: skip
    pixels, side = np.zeros(count, np.int32), np.zeros(count, np.int32)
    box, marker = np.zeros((count, 4), np.int32), np.full((count, 2), -1, np.int32)
    key_range = np.zeros((count, 2), np.int64)
    key_range[:, 1] = 0x7FFFFFFFFFFFFFFF
    seen[:] = 0
    visible_side(
        keys, face_label, face_slot, image, width, height, seen, pixels, box, key_range, marker, side
    )
    visible_faces = take_seen(seen[: seen.shape[0] - 1])
    vertices_seen = count_vertices(visible_faces, face_corners, pair_starts, touched)
    alone, alone_box, outside = np.zeros(count, np.int32), np.zeros((count, 4), np.int32), np.zeros(count)
    if amodal:
        amodal_side(
            keys, origins, strides, bounds, culled, cluster_starts, vertex_starts, vertices, face_starts,
            corners, face_areas, cluster_areas, areas, p, near, width, height, planes, sides, rectangles,
            alone, alone_box, outside,
        )  # fmt: skip
    kept = 0
    for i in range(count):
        kept += pixels[i] > 0 or alone[i] > 0
    rows, counts = np.empty(kept, np.int64), np.empty((2, kept), np.int32)
    shares = np.empty((2, kept))
    boxes, depths = np.full((2, kept, 4), np.nan), np.full((2, kept), np.nan)
    markers, radii = np.empty((kept, 2), np.int32), np.full(kept, np.nan)
    n = 0
    for i in range(count):
        if pixels[i] == 0 and alone[i] == 0:
            continue
        rows[n] = i
        counts[0, n], counts[1, n] = pixels[i], (alone[i] if amodal else -1)
        shares[0, n] = outside[i] if amodal else np.nan
        shares[1, n] = vertices_seen[i] / (pair_starts[i + 1] - pair_starts[i])
        markers[n, 0], markers[n, 1] = marker[i, 0], marker[i, 1]
        if alone[i] > 0:
            for k in range(4):
                boxes[1, n, k] = alone_box[i, k]
        if pixels[i] > 0:
            for k in range(4):
                boxes[0, n, k] = box[i, k]
            for k in range(2):
                depths[k, n] = depth_of(key_range[i, k])
            radii[n] = 0.5 * side[i]
        n += 1
    return rows, counts, shares, boxes, depths, markers, radii, visible_faces
