"""Drawing: the nearest face of every pixel, from clusters of faces to an image of keys."""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.kernels.bits import set_bits
from spatial_assets.geometry.kernels.cache import inlined, numpy_kernel
from spatial_assets.geometry.kernels.culling import front_to_back, place, view_planes
from spatial_assets.geometry.kernels.faces import (
    column_span,
    first_center,
    flat_depth,
    flat_edge,
    homogeneous_bounds,
    homogeneous_set_up,
    last_center,
    project,
    span,
    threshold,
)
from spatial_assets.geometry.kernels.keys import HALF_STEP, ID_MASK, decode
from spatial_assets.geometry.kernels.lanes import LANES, draw_lanes, least_key

# Side of the square tiles that remember the farthest depth drawn in them.
TILE = 8
# From this width a face's rows are narrowed to spans; below, testing all lanes is cheaper.
SPAN_WIDTH = 3 * LANES


@numpy_kernel
def fill(
    keys, width, origin, stride, x0, x1, y0, y1,
    a0, b0, c0, ox0, oy0, a1, b1, c1, ox1, oy1, a2, b2, c2, ox2, oy2,
    gx, gy, g0, low, high, limit, name,
):  # fmt: skip
    """Draws one face, row by row, LANES pixels at a time.

    Unless stride is 0, also sets the bits of the pixels that it covers: row y starts at keys[origin + y * stride].
    """
    t0, t1, t2 = threshold(a0, b0), threshold(a1, b1), threshold(a2, b2)
    last = float(x1)
    wide = x1 - x0 >= SPAN_WIDTH
    start, stop = x0, x1
    for y in range(y0, y1 + 1):
        fy = float(y)
        r0, r1, r2 = b0 * (fy - oy0) + c0, b1 * (fy - oy1) + c1, b2 * (fy - oy2) + c2
        rz = gy * fy + g0
        if wide:
            start, stop = span(x0, x1, a0, ox0, r0, a1, ox1, r1, a2, ox2, r2)
        row = y * width
        for x in range(start, stop + 1, LANES):
            covered = draw_lanes(
                keys, row + x, float(x), last, a0, ox0, r0, t0, a1, ox1, r1, t1, a2, ox2, r2, t2,
                gx, rz, low, high, limit, name,
            )  # fmt: skip
            if stride != 0:
                set_bits(keys, origin + y * stride, x, covered)


@inlined
def fill_column(
    keys, width, origin, stride, x, x1, y0, y1,
    a0, b0, ox0, oy0, a1, b1, ox1, oy1, a2, b2, ox2, oy2, gx, gy, g0, low, high, name,
):  # fmt: skip
    """As `fill`, the pixels from column x on, LANES of them and none after x1, of a face with pixel positions.

    Only the row values change from row to row: the compiler takes the slopes' share out of the loop.
    """
    t0, t1, t2 = threshold(a0, b0), threshold(a1, b1), threshold(a2, b2)
    first, last = float(x), float(x1)
    for y in range(y0, y1 + 1):
        fy = float(y)
        covered = draw_lanes(
            keys, y * width + x, first, last, a0, ox0, b0 * (fy - oy0), t0,
            a1, ox1, b1 * (fy - oy1), t1, a2, ox2, b2 * (fy - oy2), t2,
            gx, gy * fy + g0, low, high, np.inf, name,
        )  # fmt: skip
        if stride != 0:
            set_bits(keys, origin + y * stride, x, covered)


@numpy_kernel
def hidden(keys, width, height, tiles, stale, tile_columns, rectangle, bound):
    """Whether every pixel of the rectangle (4,), as of `box_on_screen`, already shows something nearer than any key
    up to bound.

    tiles (T,) holds for each tile a key that none of its pixels is below; those of stale (T,) tiles may have risen
    since.
    """
    for ty in range(rectangle[2] // TILE, rectangle[3] // TILE + 1):
        for tx in range(rectangle[0] // TILE, rectangle[1] // TILE + 1):
            t = ty * tile_columns + tx
            if tiles[t] > bound:
                continue
            if not stale[t]:
                return False
            least = np.int64(0x7FFFFFFFFFFFFFFF)
            for y in range(ty * TILE, min(ty * TILE + TILE, height)):
                least = least_key(keys, y * width + tx * TILE, least)
            tiles[t] = least
            stale[t] = False
            if least <= bound:
                return False
    return True


@numpy_kernel
def draw(
    keys, order, vertex_starts, vertices, face_starts, corners, names, rectangles, nearest,
    p, near, width, height, origins, strides, culled,
):  # fmt: skip
    """Draws the clusters that order names into keys, flat rows of width and LANES more, zero = empty.

    rectangles, nearest: from `place`. culled (C,) becomes True for clusters that were left out because all
    is hidden. The pixels that the faces of the others cover are set as bits further on in keys, each
    cluster's at its own origin and stride, as in `fill`.
    """
    largest = 256
    uvw, regular = np.empty((largest, 3)), np.empty(largest, np.bool_)
    xs, ys, iz = np.empty(largest), np.empty(largest), np.empty(largest)
    edges, plane = np.empty((3, 5)), np.empty(6)
    tile_columns = (width + TILE - 1) // TILE
    tiles = np.zeros(tile_columns * ((height + TILE - 1) // TILE), np.int64)
    stale = np.zeros(tiles.shape[0], np.bool_)
    for c in order:
        rectangle = rectangles[c]
        if rectangle[0] > rectangle[1] or rectangle[2] > rectangle[3]:
            continue
        if nearest[c] >= near:
            bound = (np.float64(1.0 / nearest[c]).view(np.int64) + HALF_STEP) | ID_MASK
            culled[c] = hidden(keys, width, height, tiles, stale, tile_columns, rectangle, bound)
            if culled[c]:
                continue
        origin, stride = origins[c], strides[c]
        project(vertices, vertex_starts[c], vertex_starts[c + 1], p, near, uvw, xs, ys, iz, regular)
        drawn_x0, drawn_x1, drawn_y0, drawn_y1 = width, -1, height, -1
        for f in range(np.uint64(face_starts[c]), np.uint64(face_starts[c + 1])):
            i, j, k = corners[f, 0], corners[f, 1], corners[f, 2]
            if regular[i] and regular[j] and regular[k]:
                ax, bx, cx = xs[i], xs[j], xs[k]
                x0, x1 = first_center(min(ax, bx, cx)), last_center(max(ax, bx, cx), width)
                if x0 > x1:
                    continue
                ay, by, cy = ys[i], ys[j], ys[k]
                y0, y1 = first_center(min(ay, by, cy)), last_center(max(ay, by, cy), height)
                if y0 > y1:
                    continue
                area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
                if area == 0.0:
                    continue
                sign = 1.0 if area > 0.0 else -1.0
                az, bz, cz = iz[i], iz[j], iz[k]
                gx, gy, g0 = flat_depth(ax, ay, az, bx, by, bz, cx, cy, cz, area)
                a0, b0, ox0, oy0 = flat_edge(ax, ay, bx, by, sign)
                a1, b1, ox1, oy1 = flat_edge(bx, by, cx, cy, sign)
                a2, b2, ox2, oy2 = flat_edge(cx, cy, ax, ay, sign)
                low, high, name = min(az, bz, cz), max(az, bz, cz), np.int64(ID_MASK - names[f])
                top, bottom = y0, y1
                for x in range(x0, x1 + 1, LANES):
                    if x1 - x0 >= LANES:
                        top, bottom = column_span(
                            y0, y1, x, min(x + LANES - 1, x1),
                            a0, b0, ox0, oy0, a1, b1, ox1, oy1, a2, b2, ox2, oy2,
                        )  # fmt: skip
                    fill_column(
                        keys, width, origin, stride, x, x1, top, bottom,
                        a0, b0, ox0, oy0, a1, b1, ox1, oy1, a2, b2, ox2, oy2, gx, gy, g0, low, high, name,
                    )  # fmt: skip
            else:
                x0, x1, y0, y1 = homogeneous_bounds(uvw, i, j, k, near, width, height)
                if x0 > x1 or not homogeneous_set_up(uvw, xs, ys, regular, i, j, k, near, edges, plane):
                    continue
                fill(
                    keys, width, origin, stride, x0, x1, y0, y1,
                    edges[0, 0], edges[0, 1], edges[0, 2], edges[0, 3], edges[0, 4],
                    edges[1, 0], edges[1, 1], edges[1, 2], edges[1, 3], edges[1, 4],
                    edges[2, 0], edges[2, 1], edges[2, 2], edges[2, 3], edges[2, 4],
                    plane[0], plane[1], plane[2], plane[3], plane[4], plane[5], np.int64(ID_MASK - names[f]),
                )  # fmt: skip
            drawn_x0, drawn_x1 = min(drawn_x0, x0), max(drawn_x1, x1)
            drawn_y0, drawn_y1 = min(drawn_y0, y0), max(drawn_y1, y1)
        for ty in range(drawn_y0 // TILE, drawn_y1 // TILE + 1):
            for tx in range(drawn_x0 // TILE, drawn_x1 // TILE + 1):
                stale[ty * tile_columns + tx] = True


@numpy_kernel
def picture(
    keys, vertex_starts, vertices, face_starts, corners, names, centers, extents, p, near, width, height,
    face_id, depth,
):  # fmt: skip
    """Everything that `rasterize` does, in one call: fills face_id (H, W) and depth (H, W), meters. The mesh is as of
    `Clusters`; p (3, 4): as of `checked_view`; keys: scratch, H * W and LANES more.
    """
    total = centers.shape[0]
    planes, sides, culled = np.empty((5, 4)), np.empty(total, np.int8), np.empty(total, np.bool_)
    rectangles, nearest = np.empty((total, 4), np.int32), np.empty(total)
    keys[:] = 0
    view_planes(p, near, width, height, planes)
    order = front_to_back(centers, extents, planes, sides)
    place(order, centers, extents, p, near, width, height, rectangles, nearest)
    nowhere = np.zeros(total, np.int64)
    draw(
        keys, order, vertex_starts, vertices, face_starts, corners, names, rectangles, nearest,
        p, near, width, height, nowhere, nowhere, culled,
    )  # fmt: skip
    decode(keys, face_id, depth)
