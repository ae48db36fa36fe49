"""A small robot on a room's free floor: where it can stand by an object, and how far it gets in a straight line.

Places are x, y in meters. Kernels take a `Floor` and footprints, and call each other; all of them can be called from
Python, too.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float

STEPS_PER_CELL = 2
"""A walk looks at the floor twice in the length of a cell: it cannot pass through what is a cell wide."""


class Floor(NamedTuple):
    """The cells on which a robot can have its middle."""

    standable: NDArray[np.bool_]
    """(rows along y, columns along x)."""
    origin: Float
    """(2,), corner of the first cell, meters."""
    cell: float
    """Edge of a cell, meters."""


def floor_for(free: NDArray[np.bool_], origin: ArrayLike, cell: float, radius: float) -> Floor:
    """The floor of a robot that keeps its radius from all that is not free.

    Parameters
    ----------
    free : (rows along y, columns along x). origin : (2,), corner of the first cell. cell, radius : meters.
    """
    from scipy.ndimage import distance_transform_edt  # half a second, which few wait for

    # What lies outside the grid is not free; a border of such cells says so to the distance transform.
    padded = np.pad(free, 1)
    clear = distance_transform_edt(padded, sampling=cell) if padded.any() else np.zeros(padded.shape)
    standable = np.ascontiguousarray(clear[1:-1, 1:-1] >= radius)
    return Floor(standable, np.asarray(origin, np.float64), float(cell))


@kernel
def _left_of(from_x: float, from_y: float, to_x: float, to_y: float, x: float, y: float) -> float:
    """Twice the area of a triangle, positive where its third corner lies left of the way from first to second."""
    return (to_x - from_x) * (y - from_y) - (to_y - from_y) * (x - from_x)


@kernel
def convex_hulls(points: Float) -> Float:
    """Convex hulls of sets of points in the plane (Andrew's monotone chain, 1979).

    Parameters
    ----------
    points : (N, k, 2), k >= 1.

    Returns
    -------
    (N, k, 2) : corners, counter-clockwise, the last one repeated where there are fewer than k. A set on one line has
    the line's ends.
    """
    # Scalars rather than rows: what slices arrays takes numba seconds to compile.
    count, size = points.shape[0], points.shape[1]
    out = np.empty((count, size, 2), np.float64)
    xs, ys = np.empty(size, np.float64), np.empty(size, np.float64)
    hull_x, hull_y = np.empty(2 * size + 1, np.float64), np.empty(2 * size + 1, np.float64)
    for item in range(count):
        for i in range(size):
            x, y = points[item, i, 0], points[item, i, 1]
            j = i
            while j > 0 and (xs[j - 1] > x or (xs[j - 1] == x and ys[j - 1] > y)):
                xs[j], ys[j] = xs[j - 1], ys[j - 1]
                j -= 1
            xs[j], ys[j] = x, y
        length, least = 0, 2
        for step in range(2 * size - 1):
            # From left to right below, then back above.
            if step == size:
                least = length + 1
            at = step if step < size else 2 * size - 2 - step
            while length >= least:
                a, b = length - 2, length - 1
                if _left_of(hull_x[a], hull_y[a], hull_x[b], hull_y[b], xs[at], ys[at]) > 0.0:
                    break
                length -= 1
            hull_x[length], hull_y[length] = xs[at], ys[at]
            length += 1
        # The chain ends where it began.
        length = max(1, length - 1)
        for corner in range(size):
            kept = min(corner, length - 1)
            out[item, corner, 0], out[item, corner, 1] = hull_x[kept], hull_y[kept]
    return out


@kernel
def distance_to_hull(x: float, y: float, hull: Float) -> float:
    """How far a point is from a convex polygon; exact to rounding.

    Parameters
    ----------
    x, y : meters. hull : (k, 2), meters, counter-clockwise, as `convex_hulls` gives it.

    Returns
    -------
    Meters; 0 inside.
    """
    best = np.inf
    inside, any_left = True, False
    last = len(hull) - 1
    from_x, from_y = hull[last, 0], hull[last, 1]
    for corner in range(len(hull)):
        to_x, to_y = hull[corner, 0], hull[corner, 1]
        along_x, along_y = to_x - from_x, to_y - from_y
        side = _left_of(from_x, from_y, to_x, to_y, x, y)
        inside = inside and side >= 0.0
        # Of a line's ends alone no point lies left: a hull without area has no inside.
        any_left = any_left or side > 0.0
        length = along_x * along_x + along_y * along_y
        share = 0.0
        if length > 0.0:
            share = min(1.0, max(0.0, ((x - from_x) * along_x + (y - from_y) * along_y) / length))
        best = min(best, math.hypot(from_x + share * along_x - x, from_y + share * along_y - y))
        from_x, from_y = to_x, to_y
    return 0.0 if inside and any_left else best


@kernel
def can_stand(floor: Floor, x: float, y: float) -> bool:
    """Whether the robot can have its middle at a place."""
    row = math.floor((y - floor.origin[1]) / floor.cell)
    column = math.floor((x - floor.origin[0]) / floor.cell)
    rows, columns = floor.standable.shape
    return 0 <= row < rows and 0 <= column < columns and floor.standable[row, column]


@kernel
def stand_by(floor: Floor, target: Float, hull: Float, reach: float) -> tuple[float, float]:
    """The middle of the standable cell nearest to a target.

    Parameters
    ----------
    target : (2,), meters. hull : (k, 2), meters, as `convex_hulls` gives it.
    reach : meters from the hull, at most.

    Returns
    -------
    x and y, meters; NaN where none is within reach.
    """
    best, best_x, best_y = np.inf, np.nan, np.nan
    rows, columns = floor.standable.shape
    for row in range(rows):
        y = floor.origin[1] + (row + 0.5) * floor.cell
        down = (y - target[1]) * (y - target[1])
        if down >= best:
            continue
        for column in range(columns):
            if floor.standable[row, column]:
                x = floor.origin[0] + (column + 0.5) * floor.cell
                square = (x - target[0]) * (x - target[0]) + down
                if square < best:
                    best, best_x, best_y = square, x, y
    if best == np.inf or distance_to_hull(best_x, best_y, hull) > reach:
        return np.nan, np.nan
    return best_x, best_y


@kernel
def walk_to(
    floor: Floor, x: float, y: float, target: Float, hull: Float, reach: float
) -> tuple[float, float]:
    """Where a walk in a straight line toward a target ends, if what ends it is the hull around it.

    That is, if the way is free until at most `reach` meters from the hull, and not free as far as its center: on a
    carpet one would walk on.

    Parameters
    ----------
    x, y : meters, where it begins. target : (2,), meters. hull : (k, 2), meters, as `convex_hulls` gives it.

    Returns
    -------
    x and y, meters; NaN otherwise.
    """
    across, up = target[0] - x, target[1] - y
    last = 1 + int(STEPS_PER_CELL * math.hypot(across, up) / floor.cell)
    end_x, end_y = np.nan, np.nan
    for step in range(last + 1):
        share = step / last
        place_x, place_y = x + share * across, y + share * up
        if not can_stand(floor, place_x, place_y):
            # NaN still if the first place is none.
            if distance_to_hull(end_x, end_y, hull) <= reach:
                return end_x, end_y
            return np.nan, np.nan
        end_x, end_y = place_x, place_y
    return np.nan, np.nan
