"""Uses what a scene with a mesh needs of the numba kernels once, so that they are compiled; later processes find
them in numba's cache.

Compiling takes as long as making several scenes, and can be done beside that by another process.
"""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.box_fit import gravity_aligned_box
from spatial_assets.geometry.boxes import box_distance, box_distance_matrix, boxes_overlap
from spatial_assets.geometry.instances import prepare_instances
from spatial_assets.geometry.keyframes import keyframe_indices
from spatial_assets.geometry.overlap import overlap_matrices
from spatial_assets.geometry.rasterize import prepare_mesh
from spatial_assets.geometry.view_sets import count_sets, draw_sets, shown_areas
from spatial_assets.geometry.visibility import frame_visibility
from spatial_assets.scene.model import Box


def use_geometry() -> None:
    """Call them on a mesh of two faces and on two boxes, with the types that the stages call them with."""
    # First what photographing a scene does not need: whoever does that meanwhile compiles the rest.
    corners = np.array([[-1.0, -1, 2], [1, -1, 2], [0, 1, 2], [0, 0, 3]])
    near, far = (Box(np.full(3, at), np.ones(3), np.eye(3)) for at in (0.0, 4.0))
    boxes_overlap(near, far)
    box_distance(near, far)
    box_distance_matrix([near, far])
    gravity_aligned_box(corners)
    keyframe_indices(np.tile(np.eye(4), (2, 1, 1)), 0.2, 12.0)
    mesh = prepare_mesh(corners, [[0, 1, 2], [1, 2, 3]])
    instances = prepare_instances(mesh, np.array([0, 1], np.int32))
    camera = np.array([[30.0, 0, 16], [0, 30, 12], [0, 0, 1]])
    seen = frame_visibility(mesh, instances, camera, np.eye(4), 32, 24)
    overlap_matrices([seen.visible_faces] * 2, np.ones(2), np.array([0, 1], np.int32))
    fits, two = ~np.eye(2, dtype=np.bool_), np.full(1, 2, np.int64)
    count_sets(fits, None, 2)
    ranks = np.zeros((1, 2), np.uint64)
    sets = draw_sets(np.eye(2), fits, None, [(-1.0, 1.0)], np.zeros(1, np.int64), two, ranks)
    shown_areas([seen.visible_faces] * 2, np.zeros(2, np.int32), np.ones(2), 1, sets)
