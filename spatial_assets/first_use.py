"""Compiles the numba kernels ahead of their first use, side by side; later processes find them in the cache."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from spatial_assets.processes import in_processes


def compile_kernels(workers: int) -> None:
    """Does once, in that many processes, what the first scene of a fresh installation would wait for."""
    for future in in_processes(workers, _use, [(name,) for name in USES]):
        future.result()


def _use(name: str) -> None:
    USES[name]()


def _studio() -> None:
    from spatial_assets.datasets.studio import write_scenes

    with tempfile.TemporaryDirectory() as folder:
        write_scenes(Path(folder), "scannet", 1, faces=1000, frames=2, size=(32, 24))


def _geometry() -> None:
    from spatial_assets.geometry import frame_visibility, overlap_matrices, prepare_instances, prepare_mesh
    from spatial_assets.geometry.box_fit import gravity_aligned_box
    from spatial_assets.geometry.boxes import box_distance, box_distance_matrix, boxes_overlap
    from spatial_assets.geometry.keyframes import keyframe_indices
    from spatial_assets.scene import Box

    corners = np.array([[-1.0, -1, 2], [1, -1, 2], [0, 1, 2], [0, 0, 3]])
    mesh = prepare_mesh(corners, [[0, 1, 2], [1, 2, 3]])
    instances = prepare_instances(mesh, np.array([0, 1], np.int32))
    camera = np.array([[30.0, 0, 16], [0, 30, 12], [0, 0, 1]])
    seen = frame_visibility(mesh, instances, camera, np.eye(4), 32, 24)
    overlap_matrices([seen.visible_faces] * 2, np.ones(2), np.array([0, 1], np.int32))
    keyframe_indices(np.tile(np.eye(4), (2, 1, 1)), 0.2, 12.0)
    gravity_aligned_box(corners)
    near, far = (Box(np.full(3, at), np.ones(3), np.eye(3)) for at in (0.0, 4.0))
    boxes_overlap(near, far)
    box_distance(near, far)
    box_distance_matrix([near, far])


USES = {"studio": _studio, "geometry": _geometry}
"""Parts of about equal length."""
