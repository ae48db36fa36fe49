"""The rasterizer against Open3D's ray caster (Embree), on generated rooms."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.ray_reference import compare, ray_caster
from benchmarks.rooms import free_poses, intrinsics_for, make_room
from spatial_assets.geometry import prepare_mesh, rasterize

SAME_FACE = 0.9999
"""The least share of pixels that must show the same face; float32 rays cannot settle centers on an edge."""


@pytest.mark.parametrize(("faces", "seed", "size"), [(3000, 1, (320, 240)), (40000, 2, (640, 480))])
def test_rooms(faces, seed, size):
    room = make_room(faces, seed=seed, size=(5.0, 4.0, 2.6), boxes=15, spheres=8)
    agreement = room_agreement(room, 6, size)
    assert agreement.same >= SAME_FACE
    assert agreement.unexplained == 0


@pytest.mark.prove
@pytest.mark.slow
def test_the_benchmark_room():
    agreement = room_agreement(make_room(600_000), 8, (1296, 968))
    assert agreement.same >= SAME_FACE
    assert agreement.unexplained == 0


def room_agreement(room, poses, size):
    mesh, caster = prepare_mesh(room.vertices, room.faces), ray_caster(room.vertices, room.faces)
    k = intrinsics_for(*size)
    frames = [(pose, rasterize(mesh, k, pose, *size)) for pose in free_poses(room, poses)]
    return compare(caster, room.vertices, room.faces, k, frames)


def test_the_comparison_notices_a_wrong_picture():
    room = make_room(3000, seed=1, size=(5.0, 4.0, 2.6), boxes=15, spheres=8)
    caster, k = ray_caster(room.vertices, room.faces), intrinsics_for(160, 120)
    pose = free_poses(room, 1)[0]
    face_id, depth = rasterize(prepare_mesh(room.vertices, room.faces), k, pose, 160, 120)
    shifted = np.roll(face_id, 1, axis=1), np.roll(depth, 1, axis=1)
    found = compare(caster, room.vertices, room.faces, k, [(pose, shifted)])
    assert found.same < SAME_FACE
    assert found.unexplained > 0
