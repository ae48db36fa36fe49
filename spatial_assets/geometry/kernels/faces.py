"""The geometry of one face: projected corners, edge functions, depth plane, and the pixels that it may reach.

Coverage is decided by edge functions E(x, y) = A (x - X) + B (y - Y) + C in float64, computed so that nothing but
the sign changes when the two ends change places. Two faces that share an edge therefore see the same number with
opposite signs, whatever rounding did to it, and the top-left rule settles E = 0. Spans and bounds only leave out
pixels that the edge functions would reject.
"""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.kernels.cache import numpy_kernel

# An exclusive edge's threshold in the test E >= threshold, so that one comparison serves both kinds.
SMALLEST = 2.2250738585072014e-308
# Vertices that project further out take the homogeneous path: beyond it, products of projected
# coordinates would lose the digits that tell pixels apart.
GUARD_PIXELS = float(1 << 20)
# How far outside its vertices' bounds a face may claim a pixel center. Far above the rounding error of
# an edge function, so that bounds never decide what the edge functions must.
BOUND_SLACK = 1.0 / (1 << 16)


@numpy_kernel
def project(vertices, first, last, p, near, uvw, xs, ys, iz, regular):
    """Projects vertices[first:last], (N, 3): (u, v, w) = p [X 1] into uvw (N, 3), and x, y, 1/z, (N,) each, where
    these are safe to use directly. p (3, 4): as of `checked_view`.

    Such vertices are marked regular.
    """
    for i in range(last - first):
        x, y, z = vertices[first + i, 0], vertices[first + i, 1], vertices[first + i, 2]
        u = (p[0, 0] * x + p[0, 1] * y) + (p[0, 2] * z + p[0, 3])
        v = (p[1, 0] * x + p[1, 1] * y) + (p[1, 2] * z + p[1, 3])
        w = (p[2, 0] * x + p[2, 1] * y) + (p[2, 2] * z + p[2, 3])
        uvw[i, 0], uvw[i, 1], uvw[i, 2] = u, v, w
        before = w >= near
        inverse = 1.0 / w if before else 0.0
        px, py = u * inverse, v * inverse
        xs[i], ys[i], iz[i] = px, py, inverse
        regular[i] = before & (abs(px) <= GUARD_PIXELS) & (abs(py) <= GUARD_PIXELS)


@numpy_kernel
def first_center(low):
    """The first pixel column or row, not below 0, whose center is not before low."""
    return int(np.ceil(max(low - BOUND_SLACK, 0.0)))


@numpy_kernel
def last_center(high, size):
    """The last pixel column or row, below size, whose center is not after high; may be negative."""
    return int(np.floor(max(min(high + BOUND_SLACK, size - 1.0), -1.0)))


@numpy_kernel
def near_bounds(uvw, a, b, c, near):
    """Bounds x0, x1, y0, y1 of the part of a triangle, of rows a, b, c of uvw (N, 3), beyond the near plane; empty as
    0, -1, 0, -1.
    """
    x0, x1, y0, y1 = np.inf, -np.inf, np.inf, -np.inf
    for k in range(3):
        i = a if k == 0 else (b if k == 1 else c)
        j = b if k == 0 else (c if k == 1 else a)
        wi, wj = uvw[i, 2], uvw[j, 2]
        if wi >= near:
            x, y = uvw[i, 0] / wi, uvw[i, 1] / wi
            x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
        if (wi >= near) != (wj >= near):
            t = (near - wi) / (wj - wi)
            x = (uvw[i, 0] + t * (uvw[j, 0] - uvw[i, 0])) / near
            y = (uvw[i, 1] + t * (uvw[j, 1] - uvw[i, 1])) / near
            x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
    if x0 > x1:
        return 0.0, -1.0, 0.0, -1.0
    return x0, x1, y0, y1


@numpy_kernel
def flat_edge(ax, ay, bx, by, sign):
    """Edge function A, B, X, Y (and C = 0) between two pixel positions.

    It is taken relative to the left end, whichever face asks: so it is exactly 0 at both ends, and along
    vertical and horizontal edges.
    """
    a, b = (ay - by) * sign, (bx - ax) * sign
    if bx < ax:
        return a, b, bx, by
    return a, b, ax, ay


@numpy_kernel
def threshold(a, b):
    """0 for a left or a top edge, which keeps its pixels, else just above 0: the neighbor has them."""
    return 0.0 if a > 0.0 or (a == 0.0 and b > 0.0) else SMALLEST


@numpy_kernel
def flat_depth(ax, ay, az, bx, by, bz, cx, cy, cz, area):
    """Inverse depth as a plane over the image: its slopes and its value at (0, 0)."""
    inverse = 1.0 / area
    db, dc = bz - az, cz - az
    gx = (db * (cy - ay) - dc * (by - ay)) * inverse
    gy = (dc * (bx - ax) - db * (cx - ax)) * inverse
    return gx, gy, (az - gx * ax) - gy * ay


@numpy_kernel
def homogeneous_bounds(uvw, a, b, c, near, width, height):
    """Bounds x0, x1, y0, y1, inclusive, of the pixels that a face may cover, of rows a, b, c of uvw (N, 3); x0 > x1
    where there are none.
    """
    if max(uvw[a, 2], uvw[b, 2], uvw[c, 2]) < near:
        return 1, 0, 1, 0
    low_x, high_x, low_y, high_y = near_bounds(uvw, a, b, c, near)
    # The clipped corners are rounded and the edge functions are not: a pixel of room keeps these in charge.
    x0, x1 = first_center(min(low_x - 1.0, width)), last_center(high_x + 1.0, width)
    y0, y1 = first_center(min(low_y - 1.0, height)), last_center(high_y + 1.0, height)
    if y0 > y1:
        return 1, 0, 1, 0
    return x0, x1, y0, y1


@numpy_kernel
def homogeneous_set_up(uvw, xs, ys, regular, a, b, c, near, edges, plane):
    """Edge functions (3, 5), rows of A, B, C, X, Y, and depth plane (6,), gx, gy, g0, low, high, limit, of any face.
    uvw, xs, ys and regular are as of `project`.

    An edge whose ends both have pixel positions gets the same function as from `flat_edge`: the choice
    depends on the two ends alone, so both faces at the edge make the same one. Returns False if the face has
    no area.
    """
    px, py, pz = uvw[b, 0] - uvw[a, 0], uvw[b, 1] - uvw[a, 1], uvw[b, 2] - uvw[a, 2]
    qx, qy, qz = uvw[c, 0] - uvw[a, 0], uvw[c, 1] - uvw[a, 1], uvw[c, 2] - uvw[a, 2]
    nx, ny, nz = py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx
    volume = (nx * uvw[a, 0] + ny * uvw[a, 1]) + nz * uvw[a, 2]
    if volume == 0.0:
        return False
    nearest = min(uvw[a, 2], uvw[b, 2], uvw[c, 2])
    plane[0], plane[1], plane[2] = nx / volume, ny / volume, nz / volume
    plane[3] = 1.0 / max(uvw[a, 2], uvw[b, 2], uvw[c, 2])
    plane[4] = 1.0 / nearest if nearest >= near else np.inf
    plane[5] = 1.0 / near
    sign = 1.0 if volume > 0.0 else -1.0
    for row in range(3):
        i = a if row == 0 else (b if row == 1 else c)
        j = b if row == 0 else (c if row == 1 else a)
        if regular[i] and regular[j]:
            ea, eb, x, y = flat_edge(xs[i], ys[i], xs[j], ys[j], sign)
            ec = 0.0
        else:
            ea = (uvw[i, 1] * uvw[j, 2] - uvw[i, 2] * uvw[j, 1]) * sign
            eb = (uvw[i, 2] * uvw[j, 0] - uvw[i, 0] * uvw[j, 2]) * sign
            ec = (uvw[i, 0] * uvw[j, 1] - uvw[i, 1] * uvw[j, 0]) * sign
            x = y = 0.0
        edges[row, 0], edges[row, 1], edges[row, 2], edges[row, 3], edges[row, 4] = ea, eb, ec, x, y
    return True


@numpy_kernel
def narrow(left, right, a, x, r):
    """The row's span from left to right, narrowed by one edge of slope a and value r at x."""
    if a > 0.0:
        left = max(left, x - r / a)
    elif a < 0.0:
        right = min(right, x - r / a)
    return left, right


@numpy_kernel
def span(x0, x1, a0, ox0, r0, a1, ox1, r1, a2, ox2, r2):
    """First and last pixel of a row that three edges may leave, with a pixel to spare on either side."""
    left, right = float(x0), float(x1)
    left, right = narrow(left, right, a0, ox0, r0)
    left, right = narrow(left, right, a1, ox1, r1)
    left, right = narrow(left, right, a2, ox2, r2)
    if not left <= right + 2.0:
        return 1, 0
    return max(int(left) - 1, x0), min(int(max(right, 0.0)) + 1, x1)


@numpy_kernel
def column_span(
    y0, y1, first, last, a0, b0, ox0, oy0, a1, b1, ox1, oy1, a2, b2, ox2, oy2,
):  # fmt: skip
    """As `span`, of the rows of the columns first to last: an edge is as large as in that which lies furthest in."""
    r0 = a0 * ((last if a0 > 0.0 else first) - ox0)
    r1 = a1 * ((last if a1 > 0.0 else first) - ox1)
    r2 = a2 * ((last if a2 > 0.0 else first) - ox2)
    return span(y0, y1, b0, oy0, r0, b1, oy1, r1, b2, oy2, r2)
