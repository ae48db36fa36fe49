"""The footprint of a room, from points of its surfaces: alpha shapes, and the area that VSI-Bench takes of them.

An alpha shape keeps those Delaunay triangles whose circumscribed circle has a radius below 1 / alpha, and so
follows the outline of a point set into its bays where the convex hull would cut them off. Published areas
count enclosed holes in (a room is not smaller for a wardrobe nobody looked behind), and so does this module
unless told not to. The order of the points, and repeated points, change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from spatial_assets.scene.model import Float

VSIBENCH_ALPHA = 5.0
"""1 / meters, as published: gaps of up to some 0.4 m are bridged."""

VSIBENCH_SAMPLES = 10_000
"""Points drawn from a scene's vertices, as published."""

MOST_POINTS = 20_000_000
"""Points that faces are cut into, at most: floors, walls and ceilings of 5,000 square meters have half of them at 5 cm,
and all together take half a gigabyte, twice while they are joined."""


class TooLarge(ValueError):
    """What is sized by a scene's extent would not fit into memory."""


_MIX_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_MIX_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def _checked(points: ArrayLike, columns: int) -> Float:
    """The first columns of a finite point set (N, >= columns)."""
    array: Float = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] < columns:
        raise ValueError(f"points must have shape (N, {columns}) or more columns, not {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("points must be finite")
    # A negative zero equals zero but sorts and hashes by other bytes.
    return array[:, :columns] + 0.0


def _distinct(points: Float) -> Float:
    """The distinct rows of a point set, in ascending order."""
    ordered = points[np.lexsort(points.T[::-1])]
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    rows: Float = ordered[first]
    return rows


def _circumradii(corners: Float) -> Float:
    """Radii (T,) of the circles through the corners (T, 3, 2) of triangles; infinite where a triangle is
    flat."""
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    twice_area = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    return np.divide(
        sides.prod(axis=1), 2 * twice_area, out=np.full(len(corners), np.inf), where=twice_area > 0
    )


def _outline_edges(triangles: NDArray[np.integer]) -> NDArray[np.integer]:
    """Edges (E, 2) that belong to one of the triangles (T, 3) only, in ascending order."""
    first = triangles.astype(np.int64)
    second = np.roll(first, -1, axis=1)
    count = int(first.max()) + 1
    # One number per edge sorts in a fraction of the time that pairs do.
    edges = np.sort((np.minimum(first, second) * count + np.maximum(first, second)).ravel())
    changes = np.concatenate([[True], edges[1:] != edges[:-1], [True]])
    outline = edges[changes[1:] & changes[:-1]]
    return np.column_stack([outline // count, outline % count])


@dataclass(frozen=True)
class Triangulation:
    """Delaunay's triangles of points in the plane, of which alpha shapes keep some."""

    origin: Float
    """(2,): the least coordinates. Areas of polygons far from the origin lose digits."""
    local: Float
    """(N, 2), the distinct points from that origin, ascending."""
    triangles: NDArray[np.integer]
    """(T, 3)."""
    radii: Float
    """(T,), of the circumscribed circles."""


def triangulate(points: ArrayLike) -> Triangulation:
    """The Delaunay triangulation of points in the plane; no triangles where all lie on one line.

    Parameters
    ----------
    points : (N, 2) or more columns, of which x and y count; meters.

    Raises
    ------
    ValueError : a coordinate is not finite, or the points have another shape.
    """
    flat = _checked(points, 2)
    origin = flat.min(axis=0) if len(flat) else np.zeros(2)
    local = _distinct(flat - origin)
    triangles: NDArray[np.integer] = np.empty((0, 3), np.int32)
    if len(local) >= 3:
        from scipy.spatial import Delaunay, QhullError  # half a second, which few wait for

        # Qhull raises where all points lie on one line.
        with suppress(QhullError):
            triangles = Delaunay(local).simplices
    return Triangulation(origin, local, triangles, _circumradii(local[triangles]))


def _local_shape(of: Triangulation, alpha: float, fill_holes: bool) -> shapely.Geometry:
    """The alpha shape as `alpha_shape` gives it, from the triangulation's own origin."""
    if not alpha >= 0:
        raise ValueError(f"alpha must not be negative: {alpha}")
    triangles = of.triangles[of.radii < (np.inf if alpha == 0 else 1 / alpha)]
    if len(triangles) == 0:
        return shapely.MultiPolygon()
    if fill_holes:
        # All faces that the outline's edges bound: holes too, even one that is closed by corners that only
        # touch.
        outline = shapely.linestrings(of.local[_outline_edges(triangles)])
        pieces = shapely.get_parts(shapely.polygonize(outline))
    else:
        pieces = shapely.polygons(of.local[triangles])
    return shapely.coverage_union_all(pieces)


def alpha_shape(points: ArrayLike | Triangulation, alpha: float, fill_holes: bool = True) -> shapely.Geometry:
    """The alpha shape of points in the plane, as a polygon or several (empty where no triangle is kept).

    Edelsbrunner, Kirkpatrick and Seidel, "On the shape of a set of points in the plane", 1983; with the
    meaning that the `alphashape` package gives to alpha: the greatest circumradius, not reached, is 1 /
    alpha. Alpha 0 gives the convex hull.

    Parameters
    ----------
    points : (N, 2) or (N, 3), of which x and y count, in meters; or their triangulation, where several
        shapes are taken of the same points.
    alpha : 1 / meters, not negative.
    fill_holes : whether what the shape's outline encloses belongs to it.

    Raises
    ------
    ValueError : alpha is negative, a coordinate is not finite, or the points have another shape.
    """
    of = points if isinstance(points, Triangulation) else triangulate(points)
    shape = _local_shape(of, alpha, fill_holes)
    return shapely.transform(shape, lambda coordinates: coordinates + of.origin)


def alpha_shape_area(points: ArrayLike | Triangulation, alpha: float, fill_holes: bool = True) -> float:
    """Area of `alpha_shape`; 0 where no triangle is kept.

    Parameters
    ----------
    points, alpha, fill_holes : as of `alpha_shape`.

    Returns
    -------
    Square meters.

    Raises
    ------
    ValueError : as `alpha_shape`.
    """
    of = points if isinstance(points, Triangulation) else triangulate(points)
    return float(shapely.area(_local_shape(of, alpha, fill_holes)))


def _shuffle_keys(points: Float, seed: int) -> NDArray[np.uint64]:
    """A pseudo-random key (N,) for every point, from its coordinates and the seed alone (splitmix64)."""
    keys = np.full(len(points), seed, dtype=np.uint64)
    shifted = np.empty_like(keys)
    for column in np.ascontiguousarray(points.T).view(np.uint64):
        keys ^= column
        keys += _MIX_STEP
        for shift, factor in zip(_MIX_SHIFTS, _MIX_FACTORS, strict=False):
            keys ^= np.right_shift(keys, shift, out=shifted)
            keys *= factor
        keys ^= np.right_shift(keys, _MIX_SHIFTS[-1], out=shifted)
    return keys


def draw_points(points: ArrayLike, samples: int, seed: int = 0) -> Float:
    """As many distinct points as `samples` draws with replacement would give on average, in ascending order.

    Which ones depends on the points' coordinates and the seed only: a point's place in the file does not
    matter, and taking one away changes the choice by at most one other.

    Parameters
    ----------
    points : (N, 3). samples : number of draws. seed : not negative.

    Returns
    -------
    (M, 3), M <= min(N, samples).

    Raises
    ------
    ValueError : the points have another shape or are not finite, or samples or seed is negative.
    """
    (drawn,) = draws_of_points(points, samples, (seed,))
    return drawn


def draws_of_points(points: ArrayLike, samples: int, seeds: Sequence[int]) -> list[Float]:
    """`draw_points` for each of several seeds.

    Parameters
    ----------
    points, samples : as of `draw_points`.
    seeds : none of them negative.

    Returns
    -------
    (M, 3) for each seed, all of one length; ascending.

    Raises
    ------
    ValueError : as `draw_points`.
    """
    if samples < 0 or min(seeds, default=0) < 0:
        raise ValueError(f"samples and seeds must not be negative: {samples}, {seeds}")
    array = _checked(points, 3)
    if len(array) == 0 or samples == 0:
        return [array[:0] for _ in seeds]
    # Equal points have equal keys. Sorting one number a point takes a fraction of what sorting points does.
    keys = _shuffle_keys(array, 0)
    order = np.argsort(keys)
    ascending = keys[order]
    later = np.flatnonzero(ascending[1:] == ascending[:-1]) + 1
    again, before = order[later], order[later - 1]
    if any((column[again] != column[before]).any() for column in array.T):
        # Two points share a key by chance.
        distinct = _distinct(array)
    else:
        first = np.ones(len(array), np.bool_)
        first[again] = False
        distinct = array.T.compress(first, axis=1).T
    n = len(distinct)
    expected = round(n * -np.expm1(samples * np.log1p(-1 / n))) if n > 1 else 1
    return [_distinct(_least(distinct, _shuffle_keys(distinct, seed), expected)) for seed in seeds]


def _least(points: Float, keys: NDArray[np.uint64], count: int) -> Float:
    """Those points (N, 3) that have the least keys (N,); among equal keys, the first in ascending order."""
    if count >= len(points):
        return points
    order = np.argpartition(keys, [count - 1, count])
    if keys[order[count - 1]] == keys[order[count]]:
        ascending = np.lexsort(points.T[::-1])
        order = ascending[np.argsort(keys[ascending], kind="stable")]
    least: Float = points[order[:count]]
    return least


def vsibench_room_area(
    points: ArrayLike, alpha: float = VSIBENCH_ALPHA, samples: int = VSIBENCH_SAMPLES, seed: int = 0
) -> float:
    """Room area as VSI-Bench takes it, square meters: the alpha shape of 10,000 of a scene's vertices, in xy.

    The published draw is unseeded, so that no published area can be had twice; ours is seeded.

    Parameters
    ----------
    points : (N, 3), the scene's vertices, meters, z up. Of a mesh with large faces, see `face_points`.

    Raises
    ------
    ValueError : as `alpha_shape` and `draw_points`.
    """
    return alpha_shape_area(draw_points(points, samples, seed), alpha)


@dataclass(frozen=True)
class Faces:
    """Faces of a mesh, gathered once for points of several spacings and on several parts of it.

    One column lies in memory after the other: what is computed by column takes a fraction of the time then.
    """

    vertices: Float
    """(3, V), meters."""
    corners: NDArray[np.intp]
    """(3, F), vertex numbers."""
    longest: Float
    """(F,), lengths of the faces' longest edges."""

    def part(self, which: NDArray[np.bool_]) -> Faces:
        """Those of the faces that are marked.

        Parameters
        ----------
        which : (F,)
        """
        return Faces(self.vertices, self.corners.compress(which, axis=1), self.longest[which])


def gather_faces(vertices: ArrayLike, faces: ArrayLike) -> Faces:
    """A mesh's faces as columns, and their longest edges.

    Parameters
    ----------
    vertices : (V, 3), meters; those that no face names may be anything. faces : (F, 3), vertex numbers.

    Raises
    ------
    ValueError : a shape is wrong, or a coordinate of a face not finite.
    """
    array = np.asarray(vertices, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 3:
        raise ValueError("vertices must have shape (V, 3)")
    columns = np.ascontiguousarray(array.T)
    corners = np.asarray(faces).reshape(-1, 3).T.astype(np.intp, order="C")
    longest, length = np.zeros((2, corners.shape[1]))
    with np.errstate(invalid="ignore"):
        for one, other in ((0, 1), (1, 2), (2, 0)):
            length[:] = 0
            for column in columns:
                edge = column[corners[one]]
                edge -= column[corners[other]]
                edge *= edge
                length += edge
            np.maximum(longest, length, out=longest)
    if not np.isfinite(longest).all():
        raise ValueError("points must be finite")
    return Faces(columns, corners, np.sqrt(longest, out=longest))


def face_points(faces: Faces, spacing: float) -> Float:
    """Points on the faces of a mesh, no further apart than `spacing` meters along a face, corners included.

    A scan has vertices everywhere; a modeled floor may have four, and no alpha shape but a convex one. A
    face is cut into n x n equal triangles, n its longest edge over the spacing, rounded up.

    Returns
    -------
    (M, 3), in no order that means anything. Points on an edge of two faces are there twice. One column lies
    in memory after the other.

    Raises
    ------
    ValueError : the spacing is not positive. TooLarge : there would be more than `MOST_POINTS`.
    """
    if not spacing > 0:
        raise ValueError(f"the spacing must be positive, not {spacing}")
    cuts = np.ceil(faces.longest / spacing)
    wanted = float((cuts * (cuts + 3) / 2).sum())
    if wanted > MOST_POINTS:
        raise TooLarge(
            f"faces of up to {spacing * cuts.max():.4g} m give {wanted:.2g} points {spacing:g} m apart, more than "
            f"{MOST_POINTS:.2g}"
        )
    used = np.zeros(faces.vertices.shape[1], np.bool_)
    used[faces.corners] = True
    # Not by brackets: what those take of a second axis lies in memory row by row.
    parts = [faces.vertices.compress(used, axis=1)]
    for n in np.unique(cuts[cuts > 1]).astype(np.int64).tolist():
        first, second = np.triu_indices(n + 1)
        # Rows (n - second, second - first, first) run over all corners of the n x n triangles.
        weights = np.column_stack([n - second, second - first, first]) / n
        # The face's own corners are there already.
        weights = weights[(weights < 1).all(axis=1)]
        a, b, c = (faces.vertices.take(of, axis=1) for of in faces.corners.compress(cuts == n, axis=1))
        parts += [a * u + b * v + c * w for u, v, w in weights.tolist()]
    return np.concatenate(parts, axis=1).T
