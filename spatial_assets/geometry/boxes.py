"""Oriented boxes: corners, yaw, overlap and the exact distance between two of them.

A box is closed and solid: its surface belongs to it, and two boxes that touch overlap, at distance 0. Boxes
may be flat in any axis, and oriented freely; rotations must be orthonormal. The box of a point set is fitted
in `box_fit`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Box, Float

CORNER_SIGNS = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
"""(8, 3): on which side of the box's center each corner lies, per box axis; z changes fastest."""

PARALLEL_SINE = 1e-12
"""Two edges whose directions differ by less than this sine count as parallel. Their cross product is then
mostly rounding, and what is lost by leaving it out is below this share of an edge's length."""

CONTACT_ULPS = 16.0
"""Boxes apart by less than so many roundings of their coordinates touch: boxes that stand face to face on
paper differ by a few roundings once center and half size are added."""


@kernel
def _overlap(offset: Float, half_a: Float, half_b: Float, rot_a: Float, rot_b: Float, slack: float) -> bool:
    """Separating axis test of two closed boxes (Gottschalk et al., OBBTree, 1996).

    offset (3,) is center b minus center a. A gap of at most `slack` meters along an axis does not separate.
    """
    # relative[i, j]: cosine between axis i of a and axis j of b.
    relative = np.empty((3, 3), np.float64)
    to_a = np.empty(3, np.float64)
    for i in range(3):
        to_a[i] = offset[0] * rot_a[0, i] + offset[1] * rot_a[1, i] + offset[2] * rot_a[2, i]
        for j in range(3):
            relative[i, j] = rot_a[0, i] * rot_b[0, j] + rot_a[1, i] * rot_b[1, j] + rot_a[2, i] * rot_b[2, j]
    for i in range(3):
        reach = half_a[i]
        for j in range(3):
            reach += half_b[j] * abs(relative[i, j])
        if abs(to_a[i]) - reach > slack:
            return False
    for j in range(3):
        reach = half_b[j]
        gap = 0.0
        for i in range(3):
            reach += half_a[i] * abs(relative[i, j])
            gap += to_a[i] * relative[i, j]
        if abs(gap) - reach > slack:
            return False
    for i in range(3):
        i1, i2 = (i + 1) % 3, (i + 2) % 3
        for j in range(3):
            j1, j2 = (j + 1) % 3, (j + 2) % 3
            # |axis i of a x axis j of b|, from the components across axis i: accurate for small angles.
            sine = math.sqrt(relative[i1, j] * relative[i1, j] + relative[i2, j] * relative[i2, j])
            if sine < PARALLEL_SINE:
                continue
            reach = (
                half_a[i1] * abs(relative[i2, j])
                + half_a[i2] * abs(relative[i1, j])
                + half_b[j1] * abs(relative[i, j2])
                + half_b[j2] * abs(relative[i, j1])
            )
            gap = abs(to_a[i2] * relative[i1, j] - to_a[i1] * relative[i2, j])
            if gap - reach > slack * sine:
                return False
    return True


@kernel
def _contact_slack(center_a: Float, center_b: Float, half_a: Float, half_b: Float) -> float:
    """Meters by which rounding alone may part two touching boxes."""
    scale = 0.0
    for k in range(3):
        scale = max(scale, abs(center_a[k]), abs(center_b[k]))
    for k in range(3):
        scale = max(scale, half_a[k], half_b[k])
    return CONTACT_ULPS * np.finfo(np.float64).eps * scale


@kernel
def _boxes_overlap(
    center_a: Float, half_a: Float, rot_a: Float, center_b: Float, half_b: Float, rot_b: Float
) -> bool:
    """Whether two closed boxes share a point; centers and half sizes (3,), rotations (3, 3)."""
    slack = _contact_slack(center_a, center_b, half_a, half_b)
    return _overlap(center_b - center_a, half_a, half_b, rot_a, rot_b, slack)


@kernel
def _overlap_matrix(centers: Float, halves: Float, rots: Float) -> NDArray[np.bool_]:
    """Which of N boxes share a point, (N, N)."""
    n = centers.shape[0]
    out = np.ones((n, n), np.bool_)
    for i in range(n):
        for j in range(i + 1, n):
            out[i, j] = _boxes_overlap(centers[i], halves[i], rots[i], centers[j], halves[j], rots[j])
            out[j, i] = out[i, j]
    return out


@kernel
def _corner_to_box_squared(offset: Float, half_a: Float, half_b: Float, rot_a: Float, rot_b: Float) -> float:
    """Least squared distance from a corner of box a to the solid box b; offset is center b minus center a."""
    origin = np.empty(3, np.float64)
    steps = np.empty((3, 3), np.float64)
    for j in range(3):
        origin[j] = -(offset[0] * rot_b[0, j] + offset[1] * rot_b[1, j] + offset[2] * rot_b[2, j])
        for i in range(3):
            cosine = rot_a[0, i] * rot_b[0, j] + rot_a[1, i] * rot_b[1, j] + rot_a[2, i] * rot_b[2, j]
            steps[i, j] = half_a[i] * cosine
    best = np.inf
    for corner in range(8):
        squared = 0.0
        for j in range(3):
            local = origin[j]
            for i in range(3):
                local += steps[i, j] if (corner >> i) & 1 else -steps[i, j]
            beyond = abs(local) - half_b[j]
            if beyond > 0.0:
                squared += beyond * beyond
        best = min(best, squared)
    return best


@kernel
def _edge_to_edge_squared(offset: Float, half_a: Float, half_b: Float, rot_a: Float, rot_b: Float) -> float:
    """Least squared distance between the edges of two boxes, over pairs of edges that are not parallel.

    The point on edge a is the clamped foot of the common perpendicular, the point on edge b the clamped foot
    of that point: no pair is closer than its edges are, and a pair whose common perpendicular meets both
    edges is exact. All other closest pairs hold a corner, and are found from it. Nothing is lost where a foot
    is ill defined (nearly parallel edges): projecting the first point makes up for it.
    """
    best = np.inf
    for i in range(3):
        i1, i2 = (i + 1) % 3, (i + 2) % 3
        ax, ay, az = rot_a[0, i], rot_a[1, i], rot_a[2, i]
        for j in range(3):
            j1, j2 = (j + 1) % 3, (j + 2) % 3
            bx, by, bz = rot_b[0, j], rot_b[1, j], rot_b[2, j]
            nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
            sine_squared = nx * nx + ny * ny + nz * nz
            if sine_squared < PARALLEL_SINE * PARALLEL_SINE:
                continue
            # b x n, by which the offset of the two edges gives the foot on edge a.
            fx, fy, fz = by * nz - bz * ny, bz * nx - bx * nz, bx * ny - by * nx
            for corner in range(16):
                a1 = half_a[i1] if corner & 1 else -half_a[i1]
                a2 = half_a[i2] if corner & 2 else -half_a[i2]
                b1 = half_b[j1] if corner & 4 else -half_b[j1]
                b2 = half_b[j2] if corner & 8 else -half_b[j2]
                # From the middle of edge a to the middle of edge b.
                rx = offset[0] + b1 * rot_b[0, j1] + b2 * rot_b[0, j2] - a1 * rot_a[0, i1] - a2 * rot_a[0, i2]
                ry = offset[1] + b1 * rot_b[1, j1] + b2 * rot_b[1, j2] - a1 * rot_a[1, i1] - a2 * rot_a[1, i2]
                rz = offset[2] + b1 * rot_b[2, j1] + b2 * rot_b[2, j2] - a1 * rot_a[2, i1] - a2 * rot_a[2, i2]
                s = (rx * fx + ry * fy + rz * fz) / sine_squared
                s = min(max(s, -half_a[i]), half_a[i])
                rx -= s * ax
                ry -= s * ay
                rz -= s * az
                t = -(rx * bx + ry * by + rz * bz)
                t = min(max(t, -half_b[j]), half_b[j])
                rx += t * bx
                ry += t * by
                rz += t * bz
                best = min(best, rx * rx + ry * ry + rz * rz)
    return best


@kernel
def _ordered_distance(
    center_a: Float, half_a: Float, rot_a: Float, center_b: Float, half_b: Float, rot_b: Float
) -> float:
    """Distance between two solid boxes, by enumerating the features that may be closest.

    Two disjoint convex polyhedra are closest either at a vertex of one and any point of the other, or at an
    inner point of an edge of each (Ericson, Real-Time Collision Detection, 2005, 9.1): 16 corners against a
    solid box and 144 pairs of edges, each in closed form. Overlap is decided beforehand, by separating axes.
    """
    offset = center_b - center_a
    if _overlap(offset, half_a, half_b, rot_a, rot_b, _contact_slack(center_a, center_b, half_a, half_b)):
        return 0.0
    squared = _corner_to_box_squared(offset, half_a, half_b, rot_a, rot_b)
    squared = min(squared, _corner_to_box_squared(-offset, half_b, half_a, rot_b, rot_a))
    squared = min(squared, _edge_to_edge_squared(offset, half_a, half_b, rot_a, rot_b))
    return math.sqrt(squared)


@kernel
def _box_distance(
    center_a: Float, half_a: Float, rot_a: Float, center_b: Float, half_b: Float, rot_b: Float
) -> float:
    """`_ordered_distance` with the boxes in the order of their centers: the same bytes either way round."""
    for k in range(3):
        if center_a[k] < center_b[k]:
            break
        if center_a[k] > center_b[k]:
            return _ordered_distance(center_b, half_b, rot_b, center_a, half_a, rot_a)
    return _ordered_distance(center_a, half_a, rot_a, center_b, half_b, rot_b)


@kernel
def _paired_distances(
    centers_a: Float, halves_a: Float, rots_a: Float, centers_b: Float, halves_b: Float, rots_b: Float
) -> Float:
    """Distances (N,) between N boxes and N others."""
    out = np.empty(centers_a.shape[0], np.float64)
    for k in range(centers_a.shape[0]):
        out[k] = _box_distance(centers_a[k], halves_a[k], rots_a[k], centers_b[k], halves_b[k], rots_b[k])
    return out


@kernel
def _distance_matrix(centers: Float, halves: Float, rots: Float) -> Float:
    """Distances (N, N) of all pairs of N boxes."""
    n = centers.shape[0]
    out = np.zeros((n, n), np.float64)
    for i in range(n):
        for j in range(i + 1, n):
            out[i, j] = _box_distance(centers[i], halves[i], rots[i], centers[j], halves[j], rots[j])
            out[j, i] = out[i, j]
    return out


def box_corners(box: Box) -> Float:
    """Corners of a box.

    Returns
    -------
    (8, 3) : meters, world, in the order of `CORNER_SIGNS`.
    """
    corners: Float = box.center + (CORNER_SIGNS * (box.size / 2)) @ box.rotation.T
    return corners


def yaw_of(box: Box) -> float:
    """Angle from the world's x axis to the box's, counter-clockwise seen from above, radians in (-pi, pi].

    A canonical gravity-aligned box has it in [-pi/4, 3 pi/4). A tilted box's x axis counts by its horizontal
    part.

    Raises
    ------
    ValueError : the box's x axis is vertical, so it has no yaw.
    """
    x, y = float(box.rotation[0, 0]), float(box.rotation[1, 0])
    if x == 0.0 and y == 0.0:
        raise ValueError("the box's x axis is vertical: it has no yaw")
    # A negative zero would turn 180 degrees into -180.
    return math.atan2(y + 0.0, x)


def _parts(box: Box) -> tuple[Float, Float, Float]:
    """Center (3,), half size (3,) and rotation (3, 3) of a box, as contiguous float64 for the kernels."""
    return (
        np.ascontiguousarray(box.center, dtype=np.float64),
        np.ascontiguousarray(box.size, dtype=np.float64) / 2,
        np.ascontiguousarray(box.rotation, dtype=np.float64),
    )


def boxes_overlap(a: Box, b: Box) -> bool:
    """Whether two solid boxes share a point; touching counts. Separating axis test over all 15 axes."""
    return bool(_boxes_overlap(*_parts(a), *_parts(b)))


def box_distance(a: Box, b: Box) -> float:
    """Exact least distance between two solid boxes, meters; 0 where they touch or intersect.

    Exact to rounding, some 1e-15 of the coordinates; for edges within some 1e-8 radians of parallel, 1e-8 of
    their length.
    """
    return float(_box_distance(*_parts(a), *_parts(b)))


def stack_boxes(boxes: Sequence[Box]) -> tuple[Float, Float, Float]:
    """The parts of N boxes, each as one contiguous float64 array.

    Returns
    -------
    (N, 3), (N, 3), (N, 3, 3) : centers and full sizes, meters, and rotations, whose columns are the boxes' axes.
    """
    n = len(boxes)
    centers, sizes, rotations = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 3, 3))
    for k, box in enumerate(boxes):
        centers[k], sizes[k], rotations[k] = box.center, box.size, box.rotation
    return centers, sizes, rotations


def box_distances(a: Sequence[Box], b: Sequence[Box]) -> Float:
    """Exact distances between the boxes of two equally long sequences, pair by pair, as `box_distance`.

    Returns
    -------
    (N,) : meters.

    Raises
    ------
    ValueError : the sequences differ in length.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} boxes cannot be paired with {len(b)}")
    centers_a, sizes_a, rotations_a = stack_boxes(a)
    centers_b, sizes_b, rotations_b = stack_boxes(b)
    distances: Float = _paired_distances(
        centers_a, sizes_a / 2, rotations_a, centers_b, sizes_b / 2, rotations_b
    )
    return distances


def box_distance_matrix(boxes: Sequence[Box]) -> Float:
    """Exact distances between all pairs of boxes, as `box_distance`.

    Returns
    -------
    (N, N) : meters; symmetric, 0 on the diagonal.
    """
    centers, sizes, rotations = stack_boxes(boxes)
    matrix: Float = _distance_matrix(centers, sizes / 2, rotations)
    return matrix


def box_overlap_matrix(boxes: Sequence[Box]) -> NDArray[np.bool_]:
    """Which pairs of boxes share a point, as `boxes_overlap`.

    Returns
    -------
    (N, N) : symmetric, true on the diagonal.
    """
    centers, sizes, rotations = stack_boxes(boxes)
    matrix: NDArray[np.bool_] = _overlap_matrix(centers, sizes / 2, rotations)
    return matrix
