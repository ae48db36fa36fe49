"""Truncation: the area of the part of a surface that lies outside the view."""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.kernels.bits import trailing_zeros
from spatial_assets.geometry.kernels.cache import numpy_kernel

# Corners of a triangle clipped by the five planes of a view, with room to spare.
MAX_CLIPPED = 12


@numpy_kernel
def inside_area(polygon, scratch, planes):
    """Area of the part of a triangle, the first 3 rows of polygon (MAX_CLIPPED, 3), on the inner side of all planes
    (K, 4). scratch is as large as polygon; both are written to.

    Sutherland and Hodgman's clipping (1974), in space.
    """
    count = 3
    for k in range(planes.shape[0]):
        n = planes[k]
        kept = 0
        for i in range(count):
            j = i + 1 if i + 1 < count else 0
            di = (n[0] * polygon[i, 0] + n[1] * polygon[i, 1]) + (n[2] * polygon[i, 2] + n[3])
            dj = (n[0] * polygon[j, 0] + n[1] * polygon[j, 1]) + (n[2] * polygon[j, 2] + n[3])
            if di >= 0.0:
                # Axis by axis: assigning a row compiles a message for shapes that differ, in every process.
                for m in range(3):
                    scratch[kept, m] = polygon[i, m]
                kept += 1
            if (di >= 0.0) != (dj >= 0.0):
                t = di / (di - dj)
                for m in range(3):
                    scratch[kept, m] = polygon[i, m] + t * (polygon[j, m] - polygon[i, m])
                kept += 1
        count = kept
        if count < 3:
            return 0.0
        for i in range(count):
            for m in range(3):
                polygon[i, m] = scratch[i, m]
    sx = sy = sz = 0.0
    for i in range(1, count - 1):
        ax, ay, az = (
            polygon[i, 0] - polygon[0, 0],
            polygon[i, 1] - polygon[0, 1],
            polygon[i, 2] - polygon[0, 2],
        )
        j = i + 1
        bx, by, bz = (
            polygon[j, 0] - polygon[0, 0],
            polygon[j, 1] - polygon[0, 1],
            polygon[j, 2] - polygon[0, 2],
        )
        sx += ay * bz - az * by
        sy += az * bx - ax * bz
        sz += ax * by - ay * bx
    return 0.5 * np.sqrt((sx * sx + sy * sy) + sz * sz)


@numpy_kernel
def plane_distance(n, vertices, v):
    """Signed distance of vertex v of (V, 3) to a plane n (4,), times the length of its normal."""
    return (n[0] * vertices[v, 0] + n[1] * vertices[v, 1]) + (n[2] * vertices[v, 2] + n[3])


@numpy_kernel
def cut_corner(area, alone, other, another):
    """Area of the corner that a plane cuts off a triangle, from the corners' distances to it."""
    return area * ((alone / (alone - other)) * (alone / (alone - another)))


@numpy_kernel
def outside_share(area, n, vertices, a, b, c):
    """Area of the part of a triangle beyond one plane, which it crosses."""
    da, db, dc = (
        plane_distance(n, vertices, a),
        plane_distance(n, vertices, b),
        plane_distance(n, vertices, c),
    )
    if (da < 0.0) == (db < 0.0):
        corner, out = cut_corner(area, dc, da, db), dc < 0.0
    elif (da < 0.0) == (dc < 0.0):
        corner, out = cut_corner(area, db, da, dc), db < 0.0
    else:
        corner, out = cut_corner(area, da, db, dc), da < 0.0
    return corner if out else area - corner


@numpy_kernel
def outside_area(
    first, last, corners, areas, vertices, offset, count, planes, crossed, sides, polygon, scratch
):
    """Area of the part of a cluster's faces first:last, of corners (D, 3) and areas (D,), that lies beyond at least
    one of the planes (K, 4).

    Its vertices are vertices[offset : offset + count]; crossed: bits of the planes that it may cross, the
    others have it inside. sides (count,) or longer, and polygon and scratch as of `inside_area`, may hold anything.
    """
    sides[:count] = 0
    here = vertices[offset : offset + count]
    for k in range(planes.shape[0]):
        if crossed >> k & 1:
            n0, n1, n2, n3 = planes[k, 0], planes[k, 1], planes[k, 2], planes[k, 3]
            for v in range(count):
                distance = (n0 * here[v, 0] + n1 * here[v, 1]) + (n2 * here[v, 2] + n3)
                sides[v] |= np.uint8(distance < 0.0) << np.uint8(k)
    total = 0.0
    for f in range(np.uint64(first), np.uint64(last)):
        a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
        some = sides[a] | sides[b] | sides[c]
        if some == 0:
            continue
        if sides[a] & sides[b] & sides[c] != 0:
            total += areas[f]
        elif some & (some - 1) == 0:
            n = planes[trailing_zeros(some)]
            total += outside_share(areas[f], n, vertices, offset + a, offset + b, offset + c)
        else:
            for m in range(3):
                for axis in range(3):
                    polygon[m, axis] = vertices[offset + corners[f, m], axis]
            total += max(areas[f] - inside_area(polygon, scratch, planes), 0.0)
    return total
