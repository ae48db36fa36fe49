"""Frames spread evenly over a video among those that are known well, and what of a mesh each of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.geometry.keyframes import uniform_indices
from spatial_assets.scene.model import Float

Indices = NDArray[np.int64]
FAR = np.iinfo(np.int64).max // 4


class Faces(NamedTuple):
    """What is known of a mesh's faces, each."""

    centers: Float
    """(F, 3), meters."""
    areas: Float
    """(F,), square meters."""
    longest: Float
    """(F,), meters, of its longest edge."""


def evenly_among(positions: Indices, count: int, samples: int) -> Indices:
    """Of frames of a video those nearest to `samples` spread evenly over it.

    Each stands for one position, in the same order; of all ways to do so the one whose distances add up to least, and
    of several such the earliest frames. All of them where there are no more than asked for.

    Parameters
    ----------
    positions : (P,), ascending, of frames in a video of `count`.

    Returns
    -------
    (min(P, samples, count),) : their places among the positions, ascending.
    """
    wanted = uniform_indices(count, samples)
    if len(wanted) >= len(positions):
        return np.arange(len(positions))
    return _nearest(positions.astype(np.int64), wanted.astype(np.int64))


@kernel
def _nearest(positions: Indices, wanted: Indices) -> Indices:
    """The least sum by dynamic programming: `costs[w]` of the first w wanted among the positions so far."""
    many, few = len(positions), len(wanted)
    costs = np.full(few + 1, FAR)
    costs[0] = 0
    taken = np.zeros((many, few), np.bool_)
    for at in range(many):
        for place in range(min(at + 1, few), 0, -1):
            own = costs[place - 1] + abs(positions[at] - wanted[place - 1])
            if own < costs[place]:
                costs[place] = own
                taken[at, place - 1] = True
    out = np.empty(few, np.int64)
    place = few
    for at in range(many - 1, -1, -1):
        if place > 0 and taken[at, place - 1]:
            place -= 1
            out[place] = at
    return out


def faces_of(vertices: NDArray[np.floating], faces: NDArray[np.integer]) -> Faces:
    """Centers, areas and longest edges of a mesh's faces, in float64.

    Parameters
    ----------
    vertices : (V, 3), meters. faces : (F, 3), vertex numbers.
    """
    return Faces(*_measured(np.ascontiguousarray(vertices), np.ascontiguousarray(faces)))


@kernel
def _measured(vertices: Float, faces: Indices) -> tuple[Float, Float, Float]:
    count = len(faces)
    centers, areas, longest = np.empty((count, 3)), np.empty(count), np.empty(count)
    for face in range(count):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        ab = ac = bc = dot = 0.0
        for axis in range(3):
            x, y, z = (
                np.float64(vertices[a, axis]),
                np.float64(vertices[b, axis]),
                np.float64(vertices[c, axis]),
            )
            centers[face, axis] = (x + y + z) / 3
            ab += (y - x) * (y - x)
            ac += (z - x) * (z - x)
            bc += (z - y) * (z - y)
            dot += (y - x) * (z - x)
        areas[face] = np.sqrt(max(ab * ac - dot * dot, 0.0)) / 2
        longest[face] = np.sqrt(max(ab, ac, bc))
    return centers, areas, longest


def coarse_share(faces: Faces, looks: Sequence[NDArray[np.integer]], size: float) -> float:
    """Of the area of the faces that frames see, the share of those that are longer than a voxel: their centers do not
    say which voxels they fill, nor how much of them a frame sees.

    Parameters
    ----------
    looks : face numbers (L,) of each frame. size : of a voxel, meters.

    Returns
    -------
    From 0 to 1; 0 where nothing is seen.
    """
    seen = seen_faces(looks, len(faces.areas))
    area = float(faces.areas[seen].sum())
    return float(faces.areas[seen & (faces.longest > size)].sum()) / area if area > 0 else 0.0


def seen_faces(looks: Sequence[NDArray[np.integer]], count: int) -> NDArray[np.bool_]:
    """Which of a mesh's faces some of the frames see.

    Parameters
    ----------
    looks : face numbers (L,) of each frame. count : the mesh's faces, F.

    Returns
    -------
    (F,)
    """
    seen = np.zeros(count, np.bool_)
    for own in looks:
        seen[own] = True
    return seen


class Plan:
    """A grid over a place seen from above: in how many of its cells frames show a surface."""

    def __init__(self, centers: Float, cell: float) -> None:
        flat = np.floor(centers[:, :2] / cell)
        known = np.isfinite(flat).all(axis=1)
        flat[~known] = 0
        low, high = flat.min(axis=0, initial=0), flat.max(axis=0, initial=0)
        codes = ((flat[:, 0] - low[0]) * (high[1] - low[1] + 1) + flat[:, 1] - low[1]).astype(np.int64)
        # Numbers as few as there are cells, where stray faces make the plan a large one.
        self._count = int((high - low + 1).prod())
        if self._count > len(codes) + 1:
            cells, codes = np.unique(codes, return_inverse=True)
            self._count = len(cells)
        self._codes: Indices = np.where(known, codes, self._count)

    def cells(self, seen: NDArray[np.bool_]) -> int:
        """How many cells the faces that are seen have their centers in.

        Parameters
        ----------
        seen : (F,), of the faces whose centers the plan was made from.
        """
        held = np.zeros(self._count + 1, np.bool_)
        held[self._codes[seen]] = True
        return int(held[: self._count].sum())
