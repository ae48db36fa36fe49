"""Coverage: the pixels that an instance would cover alone, as one bit image per instance."""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.kernels.bits import all_set, set_bits
from spatial_assets.geometry.kernels.cache import inlined, numpy_kernel
from spatial_assets.geometry.kernels.faces import (
    first_center,
    flat_edge,
    homogeneous_bounds,
    homogeneous_set_up,
    last_center,
    span,
    threshold,
)
from spatial_assets.geometry.kernels.lanes import LANES, WIDE_LANES, covered_bits, edge_bits

# From this width a face's rows are narrowed to spans, as in drawing.
BIT_SPAN_WIDTH = 3 * WIDE_LANES


@numpy_kernel
def cover(
    words, origin, stride, x0, x1, y0, y1,
    a0, b0, c0, ox0, oy0, a1, b1, c1, ox1, oy1, a2, b2, c2, ox2, oy2,
    gx, gy, g0, limit,
):  # fmt: skip
    """Sets the bits of the pixels that one face covers; row y starts at words[origin + y * stride]."""
    t0, t1, t2 = threshold(a0, b0), threshold(a1, b1), threshold(a2, b2)
    last = float(x1)
    wide = x1 - x0 >= BIT_SPAN_WIDTH
    start, stop = x0, x1
    for y in range(y0, y1 + 1):
        fy = float(y)
        r0, r1, r2 = b0 * (fy - oy0) + c0, b1 * (fy - oy1) + c1, b2 * (fy - oy2) + c2
        rz = gy * fy + g0
        if wide:
            start, stop = span(x0, x1, a0, ox0, r0, a1, ox1, r1, a2, ox2, r2)
        row = origin + y * stride
        for x in range(start, stop + 1, WIDE_LANES):
            covered = covered_bits(
                float(x), last, a0, ox0, r0, t0, a1, ox1, r1, t1, a2, ox2, r2, t2, gx, rz, limit
            )
            set_bits(words, row, x, covered)


@inlined
def cover_narrow(
    words, origin, stride, x0, x1, y0, y1, a0, b0, ox0, oy0, a1, b1, ox1, oy1, a2, b2, ox2, oy2,
):  # fmt: skip
    """As `cover`, for a face with pixel positions that is at most LANES wide; see `drawing.fill_column`."""
    t0, t1, t2 = threshold(a0, b0), threshold(a1, b1), threshold(a2, b2)
    first, last = float(x0), float(x1)
    for y in range(y0, y1 + 1):
        fy = float(y)
        covered = edge_bits(
            first, last, a0, ox0, b0 * (fy - oy0), t0, a1, ox1, b1 * (fy - oy1), t1,
            a2, ox2, b2 * (fy - oy2), t2,
        )  # fmt: skip
        set_bits(words, origin + y * stride, x0, covered)


@numpy_kernel
def cover_cluster(
    words, origin, stride, first, last, corners, uvw, xs, ys, regular, near, width, height, edges, plane
):
    """Sets the bits, as of `all_set`, of the pixels that faces first:last of a projected cluster cover.

    corners (D, 3): the faces', counted from the cluster's first vertex; uvw, xs, ys, regular: of its vertices, as of
    `project`. edges (3, 5), plane (6,): scratch.
    """
    for f in range(np.uint64(first), np.uint64(last)):
        i, j, k = corners[f, 0], corners[f, 1], corners[f, 2]
        if regular[i] and regular[j] and regular[k]:
            ax, bx, cx = xs[i], xs[j], xs[k]
            x0, x1 = first_center(min(ax, bx, cx)), last_center(max(ax, bx, cx), width)
            if x0 > x1:
                continue
            ay, by, cy = ys[i], ys[j], ys[k]
            y0, y1 = first_center(min(ay, by, cy)), last_center(max(ay, by, cy), height)
            # A narrow face is covered as fast as it is looked up.
            is_narrow = x1 - x0 < LANES
            if y0 > y1 or (not is_narrow and all_set(words, origin, stride, x0, x1, y0, y1)):
                continue
            area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
            if area == 0.0:
                continue
            sign = 1.0 if area > 0.0 else -1.0
            a0, b0, ox0, oy0 = flat_edge(ax, ay, bx, by, sign)
            a1, b1, ox1, oy1 = flat_edge(bx, by, cx, cy, sign)
            a2, b2, ox2, oy2 = flat_edge(cx, cy, ax, ay, sign)
            if is_narrow:
                cover_narrow(
                    words, origin, stride, x0, x1, y0, y1,
                    a0, b0, ox0, oy0, a1, b1, ox1, oy1, a2, b2, ox2, oy2,
                )  # fmt: skip
            else:
                cover(
                    words, origin, stride, x0, x1, y0, y1,
                    a0, b0, 0.0, ox0, oy0, a1, b1, 0.0, ox1, oy1, a2, b2, 0.0, ox2, oy2,
                    0.0, 0.0, 0.0, np.inf,
                )  # fmt: skip
        else:
            x0, x1, y0, y1 = homogeneous_bounds(uvw, i, j, k, near, width, height)
            if x0 > x1 or not homogeneous_set_up(uvw, xs, ys, regular, i, j, k, near, edges, plane):
                continue
            cover(
                words, origin, stride, x0, x1, y0, y1,
                edges[0, 0], edges[0, 1], edges[0, 2], edges[0, 3], edges[0, 4],
                edges[1, 0], edges[1, 1], edges[1, 2], edges[1, 3], edges[1, 4],
                edges[2, 0], edges[2, 1], edges[2, 2], edges[2, 3], edges[2, 4],
                plane[0], plane[1], plane[2], plane[5],
            )  # fmt: skip


@numpy_kernel
def place_bits(used, cluster_starts, sides, rectangles, bounds, origins, strides):
    """Lays out one bit image per instance, as large as the instance may reach, behind the first `used` words of
    a buffer; returns how many are used then.

    bounds (I, 4) receives x0, x1, y0, y1 of each, inclusive, in pixels; origins and strides (C,) those of
    each cluster's instance, as in `fill`; 0 where there is nothing to cover.
    """
    for i in range(bounds.shape[0]):
        x0, x1, y0, y1 = 1 << 30, -1, 1 << 30, -1
        for c in range(cluster_starts[i], cluster_starts[i + 1]):
            r = rectangles[c]
            if sides[c] >= 0 and r[0] <= r[1] and r[2] <= r[3]:
                x0, x1, y0, y1 = min(x0, r[0]), max(x1, r[1]), min(y0, r[2]), max(y1, r[3])
        bounds[i, 0], bounds[i, 1], bounds[i, 2], bounds[i, 3] = x0, x1, y0, y1
        if x0 > x1:
            continue
        # One word more, because lanes may reach past a row's end.
        stride = (x1 >> 6) - (x0 >> 6) + 2
        for c in range(cluster_starts[i], cluster_starts[i + 1]):
            if sides[c] >= 0:
                origins[c], strides[c] = used - y0 * stride - (x0 >> 6), stride
        used += (y1 - y0 + 1) * stride
    return used
