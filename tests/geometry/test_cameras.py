from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from spatial_assets.geometry.cameras import find_up, project, relative_motion, turn_to_z, unproject, yaw_pitch
from spatial_assets.geometry.keyframes import dense_indices, keyframe_indices, uniform_indices
from spatial_assets.scene.model import rigid_inverse

SEEDS = st.integers(0, 2**32 - 1)


def random_poses(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = Rotation.random(count, rng).as_matrix()
    poses[:, :3, 3] = rng.normal(size=(count, 3))
    return poses


@given(SEEDS)
def test_rigid_inverse_is_the_inverse(seed):
    poses = random_poses(seed, 4)
    np.testing.assert_allclose(rigid_inverse(poses), np.linalg.inv(poses), atol=1e-12)


@given(SEEDS)
def test_projection_inverts(seed):
    rng = np.random.default_rng(seed)
    pose = random_poses(seed, 1)[0]
    k = np.array([[300.0, 0, 160], [0, 280, 120], [0, 0, 1]])
    pixels, depths = rng.uniform(0, 200, (5, 2)), rng.uniform(0.2, 9, 5)
    rays = np.column_stack([pixels, np.ones(5)]) @ np.linalg.inv(k).T * depths[:, None]
    world = rays @ pose[:3, :3].T + pose[:3, 3]
    found, z = project(world, k, rigid_inverse(pose))
    np.testing.assert_allclose(found, pixels, atol=1e-8)
    np.testing.assert_allclose(z, depths, atol=1e-10)
    behind, z = project(pose[:3, 3][None] - pose[:3, 2], k, rigid_inverse(pose))
    assert np.isnan(behind).all()
    assert z[0] < 0


@given(SEEDS, st.floats(-179, 179), st.floats(-80, 80), st.floats(-90, 90))
def test_yaw_and_pitch_are_those_of_scipy(seed, yaw, pitch, roll):
    """Turning right about the camera's y axis, then up about its x axis, then rolling about the view."""
    first = random_poses(seed, 1)[0]
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("YXZ", [yaw, pitch, roll], degrees=True).as_matrix()
    found = yaw_pitch(relative_motion(first, first @ turn))
    np.testing.assert_allclose(found, (yaw, pitch), atol=1e-7)


@given(SEEDS)
def test_translation_is_in_the_first_cameras_frame(seed):
    first, second = random_poses(seed, 2)
    motion = relative_motion(first, second)
    np.testing.assert_allclose(first[:3, :3] @ motion[:3, 3] + first[:3, 3], second[:3, 3], atol=1e-12)


@given(SEEDS, st.sampled_from(range(6)))
def test_an_axis_that_is_up_turns_to_z_exactly(seed, which):
    up = np.zeros(3)
    up[which % 3] = 1 if which < 3 else -1
    turn = turn_to_z(up)
    assert np.linalg.det(turn[:3, :3]) == pytest.approx(1)
    assert (turn[:3, :3] @ up).tolist() == [0, 0, 1]
    assert set(np.unique(np.abs(turn[:3, :3]))) == {0.0, 1.0}


@given(SEEDS)
def test_any_direction_that_is_up_turns_to_z(seed):
    up = Rotation.random(None, np.random.default_rng(seed)).as_matrix()[0]
    turn = turn_to_z(up)
    np.testing.assert_allclose(turn[:3, :3] @ up, [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(turn[:3, :3] @ turn[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)


def walking_poses(rng, count, looks=360.0):
    """Cameras without roll, pitched down, in a world whose z is up."""
    yaws, pitches = rng.uniform(0, looks, count), rng.uniform(-50, 20, count)
    poses = np.tile(np.eye(4), (count, 1, 1))
    level = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    for i in range(count):
        turn = Rotation.from_euler("z", yaws[i], degrees=True).as_matrix()
        tilt = Rotation.from_euler("x", pitches[i], degrees=True).as_matrix()
        poses[i, :3, :3] = turn @ level @ tilt
    return poses


@given(SEEDS, st.sampled_from(["x", "y", "z", "-x", "-y", "-z"]))
def test_up_is_found_from_cameras_that_look_around(seed, name):
    poses = walking_poses(np.random.default_rng(seed), 40)
    up = np.zeros(3)
    up["xyz".index(name[-1])] = -1 if name[0] == "-" else 1
    world = rigid_inverse(turn_to_z(up)) @ poses
    found, note = find_up(world)
    assert found.tolist() == up.tolist()
    assert note.startswith(("-" if name[0] == "-" else "+") + name[-1])


@given(SEEDS)
def test_up_that_is_no_axis_is_kept_as_it_is(seed):
    rng = np.random.default_rng(seed)
    up = Rotation.random(None, rng).as_matrix()[0]
    assume(np.degrees(np.arccos(np.abs(up).max())) > 12)
    world = rigid_inverse(turn_to_z(up)) @ walking_poses(rng, 40)
    found, _ = find_up(world)
    np.testing.assert_allclose(found, up, atol=1e-6)


def test_up_of_cameras_that_all_face_one_way_is_their_own():
    poses = walking_poses(np.random.default_rng(0), 20, looks=1.0)
    found, note = find_up(poses)
    assert "face one way" in note
    assert found @ [0, 0, 1] > 0.8


def slow_keyframes(poses, translation, rotation):
    kept: list[int] = []
    for i, pose in enumerate(poses):
        for j in kept:
            if np.linalg.norm(pose[:3, 3] - poses[j, :3, 3]) >= translation:
                continue
            angle = Rotation.from_matrix(poses[j, :3, :3].T @ pose[:3, :3]).magnitude()
            if np.degrees(angle) < rotation:
                break
        else:
            kept.append(i)
    return kept


@pytest.mark.prove
@settings(max_examples=40)
@given(SEEDS, st.floats(0.05, 2), st.floats(1, 120))
def test_keyframes_equal_the_slow_filter(seed, translation, rotation):
    rng = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (60, 1, 1))
    steps = Rotation.from_rotvec(np.cumsum(rng.normal(0, 0.1, (60, 3)), axis=0))
    poses[:, :3, :3] = steps.as_matrix()
    poses[:, :3, 3] = np.cumsum(rng.normal(0, 0.1, (60, 3)), axis=0)
    expected = slow_keyframes(poses, translation, rotation)
    assert keyframe_indices(poses, translation, rotation).tolist() == expected
    assert expected[0] == 0


@given(st.integers(1, 2000), st.integers(2, 64))
def test_uniform_frames_are_spread_and_distinct(count, samples):
    found = uniform_indices(count, samples)
    assert len(set(found.tolist())) == len(found) == min(count, samples)
    assert found[0] == 0
    assert found[-1] == count - 1
    if len(found) > 2:
        assert np.ptp(np.diff(found)) <= 1


def test_dense_frames_by_time_and_by_stride():
    stamps = np.arange(90) / 30.0
    assert dense_indices(stamps, 90, 3.0, 10).tolist() == list(range(0, 90, 10))
    assert dense_indices(stamps + 1e9, 90, 3.0, 10).size == 9
    assert dense_indices(None, 25, 3.0, 10).tolist() == [0, 10, 20]


@given(st.integers(0, 2**32 - 1))
def test_pixels_go_out_and_come_back(seed: int) -> None:
    random = np.random.default_rng(seed)
    pose = np.eye(4)
    pose[:3, :3] = Rotation.random(random_state=seed % 1000).as_matrix()
    pose[:3, 3] = random.uniform(-5, 5, 3)
    intrinsics = np.array([[random.uniform(20, 60), 0, 9.0], [0, random.uniform(20, 60), 7.0], [0, 0, 1]])
    depth = random.uniform(0.5, 4.0, (13, 19)).astype(np.float32)
    depth[random.random(depth.shape) < 0.2] = random.choice([0.0, np.nan, np.inf, -1.0])
    known = np.isfinite(depth) & (depth > 0)
    pixels, z = project(unproject(depth, intrinsics, pose), intrinsics, rigid_inverse(pose))
    rows, columns = np.nonzero(known)
    assert np.allclose(pixels, np.stack([columns, rows], axis=1) + 0.5, atol=1e-6)
    assert np.allclose(z, depth[known], rtol=1e-9)
