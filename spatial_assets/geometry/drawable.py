"""Which faces of a mesh can be drawn, and how large they are: what holds for a mesh whoever looks at it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.geometry.kernels.keys import ID_MASK

COORDINATE_LIMIT = 1e30
"""Meters. Beyond it products of three coordinates could overflow; float32 input ends at 3e38."""
MAX_FACES = ID_MASK
"""The most faces a mesh may have: face numbers share 64 bits with the inverse depth."""


def checked_mesh(vertices: ArrayLike, faces: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """A mesh's arrays, checked and converted. An empty mesh may have any shape.

    Parameters
    ----------
    vertices : (V, 3), meters; may be NaN or infinite. faces : (F, 3) integers, vertex numbers.

    Returns
    -------
    (V, 3) float64, (F, 3) int32 : both contiguous.

    Raises
    ------
    ValueError : a shape is wrong, faces are no integers or more than MAX_FACES, or an index is out of range.
    """
    points = np.ascontiguousarray(vertices, dtype=np.float64)
    if points.size == 0:
        points = points.reshape(0, 3)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"vertices must have shape (V, 3), not {points.shape}")
    corners = np.asarray(faces)
    if corners.size == 0:
        corners = np.zeros((0, 3), np.int32)
    if corners.ndim != 2 or corners.shape[1] != 3:
        raise ValueError(f"faces must have shape (F, 3), not {corners.shape}")
    if corners.dtype.kind not in "iu":
        raise ValueError(f"faces must be integers, not {corners.dtype}")
    if len(corners) > MAX_FACES:
        raise ValueError(f"{len(corners)} faces; at most {MAX_FACES} are possible")
    if len(corners) and (corners.min() < 0 or corners.max() >= len(points)):
        raise ValueError(
            f"face indices must lie in 0..{len(points) - 1}; found {corners.min()} to {corners.max()}"
        )
    return points, np.ascontiguousarray(corners, dtype=np.int32)


def drawable(points: NDArray[np.float64], corners: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which faces can be drawn: their three vertices are finite and within COORDINATE_LIMIT.

    Parameters
    ----------
    points : (V, 3), meters. corners : (F, 3), vertex numbers.

    Returns
    -------
    (F,)
    """
    return np.asarray(_drawable(points, corners, COORDINATE_LIMIT), np.bool_)


def face_areas(vertices: ArrayLike, faces: ArrayLike) -> NDArray[np.float64]:
    """Areas of a mesh's faces: half the length of two edges' cross product.

    Parameters
    ----------
    vertices : (V, 3), meters. faces : (F, 3) integers, vertex numbers.

    Returns
    -------
    (F,) : square meters; 0 for faces that are never drawn for their coordinates.

    Raises
    ------
    ValueError : as `checked_mesh`.
    """
    points, corners = checked_mesh(vertices, faces)
    return np.asarray(_areas(points, corners, COORDINATE_LIMIT))


@kernel
def _drawable(points, corners, limit):
    good = np.empty(len(points), np.bool_)
    for point in range(len(points)):
        x, y, z = points[point, 0], points[point, 1], points[point, 2]
        # NaN fails the comparison, as it should.
        good[point] = abs(x) <= limit and abs(y) <= limit and abs(z) <= limit
    out = np.empty(len(corners), np.bool_)
    for face in range(len(corners)):
        out[face] = good[corners[face, 0]] and good[corners[face, 1]] and good[corners[face, 2]]
    return out


@kernel
def _areas(points, corners, limit):
    good = _drawable(points, corners, limit)
    areas = np.zeros(len(corners))
    for face in range(len(corners)):
        if good[face]:
            a, b, c = corners[face, 0], corners[face, 1], corners[face, 2]
            ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
            vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
            x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
            areas[face] = 0.5 * np.sqrt(x * x + y * y + z * z)
    return areas
