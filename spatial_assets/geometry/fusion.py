"""Fusing posed depth images into a mesh: a truncated signed distance field in blocks, and its surface.

Views are taken in their order and blocks in that of their places, so that equal views give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.distance_field import (
    BLOCK,
    KEY_BITS,
    KEY_MASK,
    KEY_MIDDLE,
    VOXELS,
    add_depth,
    paint,
    sides,
    surface_faces,
    surface_points,
    touched_blocks,
)
from spatial_assets.scene.model import Float, Mesh, rigid_inverse

RAYS_A_BLOCK = 2
"""How many of the pixels that are asked which blocks they touch lie across one at the greatest depth: more would find
the same blocks, one might step over some."""
KEPT_WIDTH = 160
"""Columns of a depth image that are kept to see which points its color image shows."""
NEW_COLORS = 0.25
"""Share of the blocks a view touches that no earlier one has given colors, from which its color image is read: most
views of a video show what others have shown."""
FIRST_ROOM = 2_000
"""Blocks that there is room for at first: a room's. It grows by itself."""
POINTS_A_BLOCK, FACES_A_POINT = 80, 3
"""What there is room for at first; a plane through a block has 64 points, and two faces a point."""
GRAY = 160
"""Color where no color image shows anything."""

Depth = NDArray[np.float32]
Colors = NDArray[np.uint8]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class View:
    """One posed depth image."""

    depth: Depth
    """(H, W), meters, 0 = none."""
    color: Callable[[], Colors]
    """(H, W, 3), for those views whose colors are wanted."""
    intrinsics: Float
    """(3, 3), pixel centers at integer + 0.5."""
    camera_to_world: Float
    """(4, 4)"""

    @property
    def projection(self) -> Float:
        """From the world to pixels times depth.

        Returns
        -------
        (3, 4) : of world points in meters (x, y, z, 1): x times z, y times z and z, pixels and meters; contiguous.
        """
        projection: Float = np.ascontiguousarray(self.intrinsics @ rigid_inverse(self.camera_to_world)[:3])
        return projection


@dataclass(frozen=True)
class _Shown:
    """What is kept of a view whose colors are wanted."""

    color: Callable[[], Colors]
    depth: Depth
    """Of every `scale`-th row and column."""
    scale: int
    projection: Float


def fuse(
    views: Iterable[View], voxel: float, depth_max: float, truncation_voxels: float, min_weight: float
) -> Mesh:
    """A mesh from views; without faces where they show none.

    `voxel`, `depth_max` in meters; `truncation_voxels` is the width of half the band around a surface; a voxel needs
    more than `min_weight` observations. A point has the mean color of the images that show it, or else that of the
    nearest that any shows.
    """
    field = _Field(voxel, depth_max, min(truncation_voxels, BLOCK) * voxel)
    shown = []
    for view in views:
        if field.add(view):
            scale = max(1, view.depth.shape[1] // KEPT_WIDTH)
            shown.append(_Shown(view.color, view.depth[::scale, ::scale].copy(), scale, view.projection))
    points, faces = field.surface(min_weight)
    return Mesh(points.astype(np.float32), faces, _colors(points, shown, field.band) if len(points) else None)


class _Field:
    """Blocks of voxels, and how far their places are from the surface."""

    def __init__(self, voxel: float, depth_max: float, band: float) -> None:
        self.voxel, self.depth_max, self.band = voxel, depth_max, band
        self.keys: Indices = np.zeros(0, np.int64)
        """Of all blocks, ascending."""
        self.slots: Indices = np.zeros(0, np.int64)
        """Their rows in the arrays."""
        self.values = np.zeros((FIRST_ROOM, VOXELS), np.float32)
        self.weights = np.zeros((FIRST_ROOM, VOXELS), np.float32)
        self.colored = np.zeros(FIRST_ROOM, np.bool_)
        """Rows of blocks that a view with colors has touched."""

    def add(self, view: View) -> bool:
        """Whether the view's colors are wanted."""
        depth = np.ascontiguousarray(view.depth, np.float32)
        side = BLOCK * self.voxel
        across = side * float(np.abs(np.diag(view.intrinsics)[:2]).min()) / self.depth_max
        step = max(1, int(across / RAYS_A_BLOCK))
        room = np.empty(3 * (depth.size // step + max(depth.shape) + 1), np.int64)
        count = touched_blocks(
            depth, step, np.linalg.inv(view.intrinsics), np.ascontiguousarray(view.camera_to_world, np.float64),
            side, self.depth_max, self.band, room,
        )  # fmt: skip
        keys = np.unique(room[:count])
        if not len(keys):
            return False
        slots = self._slots_of(keys)
        places = places_of(keys)
        add_depth(
            places, slots, depth, view.projection, self.voxel, self.depth_max, self.band, self.values, self.weights
        )  # fmt: skip
        wanted = float((~self.colored[slots]).mean()) >= NEW_COLORS
        if wanted:
            self.colored[slots] = True
        return wanted

    def _slots_of(self, keys: Indices) -> Indices:
        """Rows of blocks, which new ones are given in the order of their keys."""
        new = np.setdiff1d(keys, self.keys, assume_unique=True)
        if len(new):
            count = len(self.keys) + len(new)
            if count > len(self.values):
                room = max(count, 2 * len(self.values)) - len(self.values)
                self.values = np.concatenate([self.values, np.zeros((room, VOXELS), np.float32)])
                self.weights = np.concatenate([self.weights, np.zeros((room, VOXELS), np.float32)])
                self.colored = np.concatenate([self.colored, np.zeros(room, np.bool_)])
            given = np.concatenate([self.slots, np.arange(len(self.keys), count)])
            held = np.concatenate([self.keys, new])
            order = np.argsort(held)
            self.keys, self.slots = held[order], given[order]
        found: Indices = self.slots[np.searchsorted(self.keys, keys)]
        return found

    def surface(self, min_weight: float) -> tuple[Float, NDArray[np.int32]]:
        """Points (P, 3) and faces (F, 3)."""
        values = self.values[self.slots]
        side = sides(values, self.weights[self.slots], np.float32(min_weight))
        behind, before = self._neighbors(1), self._neighbors(-1)
        numbers = np.empty((len(self.keys), VOXELS), np.int32)
        blocks = places_of(self.keys)
        points = np.empty((POINTS_A_BLOCK * len(blocks), 3))
        while (count := surface_points(blocks, behind, side, values, self.voxel, numbers, points)) > len(
            points
        ):
            points = np.empty((count, 3))
        points = points[:count]
        faces = np.empty((FACES_A_POINT * count, 3), np.int32)
        while (count := surface_faces(behind, before, side, numbers, points, faces)) > len(faces):
            faces = np.empty((count, 3), np.int32)
        return points, faces[:count].copy()

    def _neighbors(self, way: int) -> Indices:
        """(B, 8): places in `keys` of the blocks one step that way along x, y, z and both or all; -1 for none."""
        found = np.full((len(self.keys), 8), -1, np.int64)
        for beyond in range(8):
            steps = [way * (beyond >> axis & 1) for axis in range(3)]
            wanted = self.keys + (steps[0] << 2 * KEY_BITS) + (steps[1] << KEY_BITS) + steps[2]
            at = np.minimum(np.searchsorted(self.keys, wanted), max(len(self.keys) - 1, 0))
            found[:, beyond] = np.where(self.keys[at] == wanted, at, -1)
        return found


def places_of(keys: Indices) -> Indices:
    """Where blocks lie.

    Parameters
    ----------
    keys : (B,), x, y and z in KEY_BITS each, x the highest.

    Returns
    -------
    (B, 3) : in blocks from the world's origin.
    """
    parts = [keys >> 2 * KEY_BITS, keys >> KEY_BITS & KEY_MASK, keys & KEY_MASK]
    places: Indices = np.stack(parts, axis=1) - KEY_MIDDLE
    return places


def _colors(points: Float, shown: list[_Shown], tolerance: float) -> Colors:
    sums, counts = np.zeros((len(points), 3), np.float32), np.zeros(len(points), np.int32)
    for view in shown:
        paint(points, view.color(), view.depth, view.projection, view.scale, tolerance, sums, counts)
    colors = np.full((len(points), 3), GRAY, np.uint8)
    seen = counts > 0
    colors[seen] = (sums[seen] / counts[seen, None] + 0.5).astype(np.uint8)
    if seen.any() and not seen.all():
        from scipy.spatial import cKDTree  # half a second, which few wait for

        colors[~seen] = colors[seen][cKDTree(points[seen]).query(points[~seen])[1]]
    return colors
