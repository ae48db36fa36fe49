"""The room of a scene as a whole: its footprint, how much of it a video shows, and the floor one can walk on.

Plain functions over arrays. Areas are VSI-Bench's: the alpha shape
of 10,000 of the scene's points, in xy (`geometry.footprint`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from spatial_assets.geometry.boxes import box_corners
from spatial_assets.geometry.footprint import (
    VSIBENCH_ALPHA,
    VSIBENCH_SAMPLES,
    TooLarge,
    alpha_shape,
    alpha_shape_area,
    draws_of_points,
    triangulate,
)
from spatial_assets.scene.model import Box, Float

MOST_CELLS = 16_000_000
"""Cells of a free floor, at most: 200 m by 200 m at 5 cm, more than any building that was scanned."""

OTHER_SEED = 1
"""A draw of points beside the one that gives the area: it says what the draw alone is worth."""
SMOOTHER = 0.5
"""Share of the published alpha for a second outline, which bridges gaps twice as wide."""
LEVEL_STEP = 0.05
"""Meters; thickness of the layers among which the floor is looked for."""
LEVEL_COSINE = 0.95
"""Faces within some 18 degrees of horizontal may be floor."""
LOWER_HALF = 0.5
"""The floor lies in the lower half of what was scanned, where no floor is labeled: table tops are not it."""
UPPER_SIDE = 0.75
"""Share of the floor's area that lies below what one walks on: a modeled slab has an underside as large as its
top, and a scanned floor is level to a centimeter."""
OUTLINE_STEP = 0.1
"""Meters between the places of an outline at which one looks for a wall."""


def floor_level(
    vertices: NDArray[np.floating], faces: NDArray[np.integer], labeled: NDArray[np.bool_]
) -> float:
    """Height of the floor: the upper quartile, by area, of the level faces that are labeled floor.

    Where none is, of the fullest thin layer of level faces in the scene's lower half.

    Parameters
    ----------
    vertices : (V, 3), meters, z up. faces : (F, 3), vertex numbers. labeled : (F,), which are labeled floor.

    Returns
    -------
    Meters.

    Raises
    ------
    ValueError : there is no face.
    """
    if len(faces) == 0:
        raise ValueError("a floor needs a face")
    heights, areas = _level_faces(vertices, faces[labeled])
    if not areas.any():
        heights, areas = _level_faces(vertices, faces)
        z = np.asarray(vertices, np.float64)[:, 2][faces].mean(axis=1)
        low, high = float(z.min()), float(z.max())
        lower = heights <= low + LOWER_HALF * (high - low)
        heights, areas = heights[lower], areas[lower]
        if not areas.any():
            return low
        layers = np.floor((heights - low) / LEVEL_STEP).astype(np.int64)
        fullest = layers == int(np.bincount(layers, weights=areas).argmax())
        heights, areas = heights[fullest], areas[fullest]
    order = np.argsort(heights, kind="stable")
    below = np.cumsum(areas[order])
    return float(heights[order][np.searchsorted(below, UPPER_SIDE * below[-1])])


def _level_faces(vertices: NDArray[np.floating], faces: NDArray[np.integer]) -> tuple[Float, Float]:
    """Heights and areas (M,) of those faces (F, 3) that lie level, in their order."""
    corners = np.asarray(vertices, np.float64)[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(normals, axis=1) / 2
    level = np.abs(normals[:, 2]) >= LEVEL_COSINE * 2 * areas
    return corners[level][:, :, 2].mean(axis=1), areas[level]


def measure_footprint(points: Float) -> tuple[shapely.Geometry, float, float, float]:
    """Outline and area of the footprint of points, as VSI-Bench takes it, and how firm the area is.

    The last two are the least and the greatest area by this draw and another, and with a smoother outline: how far
    they lie apart says how much of the number is the method's.

    Parameters
    ----------
    points : (N, 3), meters, z up.

    Returns
    -------
    The outline, and three areas in square meters.
    """
    drawn, other = map(triangulate, draws_of_points(points, VSIBENCH_SAMPLES, (0, OTHER_SEED)))
    outline = alpha_shape(drawn, VSIBENCH_ALPHA)
    area = float(shapely.area(outline))
    others = (
        alpha_shape_area(other, VSIBENCH_ALPHA),
        alpha_shape_area(drawn, SMOOTHER * VSIBENCH_ALPHA),
    )
    return outline, area, min(area, *others), max(area, *others)


def walled_share(outline: shapely.Geometry, points: Float, above: float, reach: float) -> float:
    """Share of an outline within `reach` of which a point stands higher than `above`.

    A room is closed all round by walls, windows, doors or cupboards; a scan that stops in the middle of the
    floor is not. 0 for an empty outline.

    Parameters
    ----------
    points : (N, 3), meters, z up. above, reach : meters.
    """
    from scipy.spatial import cKDTree  # half a second, which few wait for

    length = float(shapely.length(outline))
    high = points[points[:, 2] > above, :2]
    if length == 0 or len(high) == 0:
        return 0.0
    places = shapely.get_coordinates(shapely.segmentize(shapely.boundary(outline), OUTLINE_STEP))
    walled = np.zeros(len(places), np.bool_)
    # A few of the points settle most places, and a tree of few is soon made.
    for some in (high[::16], high):
        rest = np.flatnonzero(~walled)
        if len(rest):
            # A tree that is asked a few hundred times is not worth balancing.
            tree = cKDTree(some, balanced_tree=False, compact_nodes=False)
            walled[rest] = tree.query(places[rest])[0] <= reach
    return float(walled.mean())


def free_floor(
    outline: shapely.Geometry, points: Float, boxes: Sequence[Box], low: float, high: float, cell: float
) -> tuple[Float, NDArray[np.bool_]]:
    """Which cells of the floor nothing stands on or hangs over, between two heights.

    A cell is free if its center lies inside the outline, no point between the heights `low` and `high`
    lies over it, and no box that reaches between them covers its center: scans have holes, boxes have none.

    Parameters
    ----------
    points : (N, 3), meters, z up, no further apart than `cell`. low, high, cell : meters.

    Returns
    -------
    (2,) : corner of the first cell, meters.
    (rows along y, columns along x) : which are free.

    Raises
    ------
    TooLarge : there would be more than `MOST_CELLS`.
    """
    if shapely.is_empty(outline):
        return np.zeros(2), np.zeros((0, 0), np.bool_)
    bounds = np.array(shapely.bounds(outline))
    across, up = (bounds[2:] - bounds[:2]).tolist()
    if across / cell * (up / cell) > MOST_CELLS:
        raise TooLarge(
            f"a floor of {across:.4g} m by {up:.4g} m has more than {MOST_CELLS} cells of {cell:g} m"
        )
    first = np.floor(bounds[:2] / cell).astype(np.int64)
    columns, rows = (np.floor(bounds[2:] / cell).astype(np.int64) - first + 1).tolist()
    origin: Float = first.astype(np.float64) * cell
    x = origin[0] + (np.arange(columns) + 0.5) * cell
    y = origin[1] + (np.arange(rows) + 0.5) * cell
    free: NDArray[np.bool_] = shapely.contains_xy(outline, *np.meshgrid(x, y))
    between = np.flatnonzero((points[:, 2] > low) & (points[:, 2] < high))
    column, row = (np.floor(points[between, axis] / cell).astype(np.int64) - first[axis] for axis in range(2))
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    free[row[inside], column[inside]] = False
    for box in boxes:
        corners = box_corners(box)
        if corners[:, 2].min() < high and corners[:, 2].max() > low:
            covered = footprint_of(box)
            left, bottom, right, top = shapely.bounds(covered)
            under = (
                slice(*np.searchsorted(y, [bottom, top]).tolist()),
                slice(*np.searchsorted(x, [left, right]).tolist()),
            )
            free[under] &= ~shapely.contains_xy(covered, *np.meshgrid(x[under[1]], y[under[0]]))
    return origin, free


def footprint_of(box: Box) -> shapely.Geometry:
    """The outline of a box seen from above."""
    return shapely.convex_hull(shapely.multipoints(box_corners(box)[:, :2]))
