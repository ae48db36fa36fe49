"""Whole clusters of faces: which reach into the view, in which order, and where on the image they may lie."""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.kernels.cache import numpy_kernel
from spatial_assets.geometry.kernels.faces import GUARD_PIXELS, first_center, last_center

# Relative slack of the tests that leave out whole clusters; far above float64 rounding.
CULL_SLACK = 1e-10
DEPTH_BUCKETS = 1024


@numpy_kernel
def view_planes(p, near, width, height, planes):
    """Near plane and the planes through the eye and the image's sides, as rows n of n . (X, 1) >= 0,
    into planes (5, 4).
    """
    for k in range(4):
        u, v, w = p[0, k], p[1, k], p[2, k]
        planes[0, k] = w
        planes[1, k] = u + 0.5 * w
        planes[2, k] = (width - 0.5) * w - u
        planes[3, k] = v + 0.5 * w
        planes[4, k] = (height - 0.5) * w - v
    planes[0, 3] -= near


@numpy_kernel
def box_side(plane, center, extent, slack):
    """-1 where a box (center (3,), half extent (3,)) lies wholly outside a plane (4,), 1 wholly inside, 0 across or
    too close to say.
    """
    x, y, z = plane[0] * center[0], plane[1] * center[1], plane[2] * center[2]
    reach = (abs(plane[0]) * extent[0] + abs(plane[1]) * extent[1]) + abs(plane[2]) * extent[2]
    value = (x + y) + (z + plane[3])
    room = slack * (((abs(x) + abs(y)) + (abs(z) + abs(plane[3]))) + reach)
    if value + reach < -room:
        return -1
    if value - reach > room:
        return 1
    return 0


@numpy_kernel
def view_side(planes, center, extent):
    """-1 where a box, as of `box_side`, lies wholly outside one of the planes (5, 4), else the bits of those that it
    may cross.
    """
    crossed = 0
    for k in range(planes.shape[0]):
        side = box_side(planes[k], center, extent, CULL_SLACK)
        if side < 0:
            return -1
        if side == 0:
            crossed |= 1 << k
    return crossed


@numpy_kernel
def box_on_screen(p, center, extent, near, width, height, rectangle):
    """Pixel bounds (x0, x1, y0, y1, inclusive, clipped) of a box, as of `box_side`, into rectangle (4,); returns its
    least w.

    Where the box reaches nearer than the near plane or far off the image the rectangle is the whole image. p (3, 4):
    as of `checked_view`.
    """
    u = (p[0, 0] * center[0] + p[0, 1] * center[1]) + (p[0, 2] * center[2] + p[0, 3])
    v = (p[1, 0] * center[0] + p[1, 1] * center[1]) + (p[1, 2] * center[2] + p[1, 3])
    w = (p[2, 0] * center[0] + p[2, 1] * center[1]) + (p[2, 2] * center[2] + p[2, 3])
    reach = (abs(p[2, 0]) * extent[0] + abs(p[2, 1]) * extent[1]) + abs(p[2, 2]) * extent[2]
    size = (abs(p[2, 0] * center[0]) + abs(p[2, 1] * center[1])) + (abs(p[2, 2] * center[2]) + abs(p[2, 3]))
    least = (w - reach) - CULL_SLACK * (size + reach)
    rectangle[0], rectangle[1], rectangle[2], rectangle[3] = 0, width - 1, 0, height - 1
    if least < near:
        return least
    x0, x1, y0, y1 = np.inf, -np.inf, np.inf, -np.inf
    for k in range(8):
        sx = extent[0] if k & 1 else -extent[0]
        sy = extent[1] if k & 2 else -extent[1]
        sz = extent[2] if k & 4 else -extent[2]
        inverse = 1.0 / (w + ((p[2, 0] * sx + p[2, 1] * sy) + p[2, 2] * sz))
        x = (u + ((p[0, 0] * sx + p[0, 1] * sy) + p[0, 2] * sz)) * inverse
        y = (v + ((p[1, 0] * sx + p[1, 1] * sy) + p[1, 2] * sz)) * inverse
        x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
    if max(abs(x0), abs(x1), abs(y0), abs(y1)) > GUARD_PIXELS:
        return least
    # Half a pixel of room: far above rounding within the guard band.
    rectangle[0] = first_center(min(x0 - 0.5, float(width)))
    rectangle[1] = last_center(x1 + 0.5, width)
    rectangle[2] = first_center(min(y0 - 0.5, float(height)))
    rectangle[3] = last_center(y1 + 0.5, height)
    return least


@numpy_kernel
def front_to_back(centers, extents, planes, sides):
    """The clusters that reach into the view, nearest first (in buckets; the picture does not depend on it).

    sides (C,) receives for each cluster -1 where it lies wholly outside one of the planes, else the bits of
    those that it may cross.
    """
    total = centers.shape[0]
    order, nearest = np.empty(total, np.int64), np.empty(total)
    count = 0
    low, high = np.inf, -np.inf
    plane = planes[0]
    for c in range(total):
        sides[c] = view_side(planes, centers[c], extents[c])
        if sides[c] < 0:
            continue
        depth = 0.0
        for k in range(3):
            depth += plane[k] * centers[c, k] - abs(plane[k]) * extents[c, k]
        order[count] = c
        nearest[count] = depth
        low, high = min(low, depth), max(high, depth)
        count += 1
    scale = (DEPTH_BUCKETS - 1) / (high - low) if high > low else 0.0
    starts = np.zeros(DEPTH_BUCKETS + 1, np.int64)
    for i in range(count):
        starts[int((nearest[i] - low) * scale) + 1] += 1
    for k in range(DEPTH_BUCKETS):
        starts[k + 1] += starts[k]
    result = np.empty(count, np.int64)
    for i in range(count):
        bucket = int((nearest[i] - low) * scale)
        result[starts[bucket]] = order[i]
        starts[bucket] += 1
    return result


@numpy_kernel
def place(order, centers, extents, p, near, width, height, rectangles, nearest):
    """`box_on_screen` of the clusters that order names: rectangles (C, 4) and least w (C,)."""
    for c in order:
        nearest[c] = box_on_screen(p, centers[c], extents[c], near, width, height, rectangles[c])
