"""The check on load for depth images: whether what one camera measured is where another one saw it.

As in `consistency`, other meanings of poses and units are tried only where the format's own is bad.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from spatial_assets.readers.cameras import AS_DOCUMENTED, PoseReading
from spatial_assets.readers.consistency import NEAR, SCALES, places_on
from spatial_assets.scene.model import Float, Frame, InputError, Mesh, rigid_inverse

DEPTH_ALIKE = 0.05
"""Share of its depth within which a point of one depth image is found again in another."""
DEPTH_FLOATING = 0.15
"""Share of its depth by which a point must stand before what another image saw there, to contradict it."""
DEPTH_LOOKS = 16
DEPTH_GRID = 24
"""Columns of pixels of a depth image whose points are looked for in others."""
DEPTH_FEWEST = 200
"""Points that must be found or contradicted for the share to mean anything."""
DEPTH_AGREE = 0.7
"""Share of points found again, of those found or contradicted: good sensors and poses have more, so nothing else
is tried."""
DEPTH_CLEARLY = 0.2
DEPTH_CONTRADICT = 0.5
"""Below it, no meaning that was tried is right: images or poses are of something else. Shuffled ones have 0.1 to 0.45,
a real sensor's sequence 1.0; where it closes its loop decimeters off, points are neither found nor contradicted."""
MESH_PLACES, MOST_MESH_PLACES = 50_000, 1_000_000
"""Places spread over a mesh: one for every few centimeters of a room, and of a large hall so many that for each"""
PLACE_AREA = 0.01
"""square meters there is one."""
ON_MESH = 0.1
"""Meters from one of the places spread over a mesh within which a point of a depth image lies on it."""
ON_MESH_LEAST = 0.5
"""Share of points on the mesh, below which images and mesh are not of one scene. True ones have 0.99 and more; with the
mesh of another room, or with poses shuffled or the other way round, it is 0.36 at most."""


def check_depths(
    path: str,
    frames: Sequence[Frame],
    raw: Float,
    read: Callable[[Frame], NDArray[np.float32]],
    reading: PoseReading,
    depth_unit: float,
) -> str:
    """What was found, in words. Raises InputError where depth images contradict each other through their poses.

    Parameters
    ----------
    path : of the poses. raw : each frame's pose as on disk, (N, 4, 4). read : a frame's depth (H, W), meters.
    """
    chosen = np.unique(np.linspace(0, len(frames) - 1, DEPTH_LOOKS).astype(int)).tolist()
    views = _Depths([frames[i] for i in chosen], [read(frames[i]) for i in chosen])
    matrices = raw[chosen]
    own, _ = views.agreement(reading.apply(matrices))
    # Cameras in another unit stand so far apart that their images share nothing.
    if np.isnan(own) or own < DEPTH_AGREE:
        now = float(np.nan_to_num(own, nan=0.0))
        others = {}
        for told, other in _depth_readings(reading, depth_unit).items():
            share, alike = views.agreement(other.apply(matrices))
            if share >= max(DEPTH_AGREE, now + DEPTH_CLEARLY):
                others[told] = alike, share
        if others:
            # Several ratios may contradict nothing; the right one finds most points again.
            best = max(others, key=lambda told: others[told])
            raise InputError(
                path,
                f"{now:.0%} of the depth images' points are found again in others as they stand, "
                f"and {others[best][1]:.0%} with {best}",
                "contradiction",
            )
    if np.isnan(own):
        return "depth images share too little to be compared"
    if own < DEPTH_CONTRADICT:
        raise InputError(
            path,
            f"only {own:.0%} of the depth images' points are found again in others: poses and images do not belong "
            "together, or are in another order",
            "contradiction",
        )
    return f"{own:.0%} of the depth images' points are found again in others"


def check_on_mesh(
    path: str,
    frames: Sequence[Frame],
    poses: Float,
    read: Callable[[Frame], NDArray[np.float32]],
    mesh: Mesh,
) -> str:
    """What was found, in words. Raises InputError where depth images show what the mesh does not have.

    Parameters
    ----------
    path : of the poses. poses : each frame's, camera-to-world in the mesh's world, (N, 4, 4). read : a frame's depth
    (H, W), meters.
    """
    corners = [mesh.vertices[mesh.faces[:, i]] for i in range(3)]
    area = np.linalg.norm(np.cross(corners[1] - corners[0], corners[2] - corners[0]), axis=1).sum() / 2
    tree = cKDTree(places_on(mesh, int(np.clip(area / PLACE_AREA, MESH_PLACES, MOST_MESH_PLACES))))
    hits = count = 0
    for i in np.unique(np.linspace(0, len(frames) - 1, DEPTH_LOOKS).astype(int)).tolist():
        points = _unproject(frames[i], read(frames[i])) @ poses[i, :3, :3].T + poses[i, :3, 3]
        hits += int((tree.query(points)[0] <= ON_MESH).sum()) if len(points) else 0
        count += len(points)
    if count < DEPTH_FEWEST:
        return "depth images hold too little to be compared with the mesh"
    share = hits / count
    if share < ON_MESH_LEAST:
        raise InputError(
            path, f"only {share:.0%} of the depth images' points lie on the mesh: they are of other scenes or worlds",
            "contradiction",
        )  # fmt: skip
    return f"{share:.0%} of the depth images' points lie on the mesh"


def _depth_readings(reading: PoseReading, depth_unit: float) -> dict[str, PoseReading]:
    """Other meanings of poses and depth, by how a user would ask for them, as poses in the depth's unit."""
    found = {}
    if reading.convention == AS_DOCUMENTED:
        found = reading.others()
    for scale in (*SCALES, *(1 / scale for scale in SCALES)):
        told = f"depth_unit {depth_unit * scale:.4g} or pose_unit {reading.unit / scale:.4g}"
        found[told] = replace(reading, unit=reading.unit / scale)
    return found


class _Depths:
    """Depth images of some frames, each seen from the others."""

    def __init__(self, frames: Sequence[Frame], depths: Sequence[NDArray[np.float32]]) -> None:
        self.frames, self.depths = frames, depths
        self.points = [_unproject(frame, depth) for frame, depth in zip(frames, depths, strict=True)]

    def agreement(self, poses: Float) -> tuple[float, int]:
        """Share of points found again, of those found or contradicted (NaN where there are too few), and how many.

        A point behind what another frame saw says nothing: it is hidden. One in the air before it contradicts.
        """
        alike = floating = 0
        inverses = rigid_inverse(poses)
        for one, other in permutations(range(len(poses)), 2):
            motion = inverses[other] @ poses[one]
            camera, depth = self.frames[other].camera, self.depths[other]
            with np.errstate(all="ignore"):
                local = self.points[one] @ motion[:3, :3].T + motion[:3, 3]
                pixels = local @ camera.intrinsics.T
                x, y = (np.floor(pixels[:, i] / pixels[:, 2]) for i in range(2))
                used = (local[:, 2] > NEAR) & (x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)
            z = local[used, 2]
            there = depth[y[used].astype(int), x[used].astype(int)]
            z, there = z[there > 0], there[there > 0]
            alike += int((np.abs(z - there) <= DEPTH_ALIKE * there).sum())
            floating += int((z < (1 - DEPTH_FLOATING) * there).sum())
        judged = alike + floating
        return (alike / judged if judged >= DEPTH_FEWEST else float("nan")), alike


def _unproject(frame: Frame, depth: NDArray[np.float32]) -> Float:
    """Points (N, 3) of a coarse grid of pixels, in the camera."""
    step = max(1, frame.camera.width // DEPTH_GRID)
    rows, columns = np.meshgrid(
        np.arange(step // 2, depth.shape[0], step), np.arange(step // 2, depth.shape[1], step), indexing="ij"
    )
    z = depth[rows, columns].astype(np.float64).ravel()
    pixels = np.column_stack([columns.ravel() + 0.5, rows.ravel() + 0.5, np.ones(z.size)])
    rays = pixels @ np.linalg.inv(frame.camera.intrinsics).T
    points: Float = (rays * z[:, None])[z > 0]
    return points
