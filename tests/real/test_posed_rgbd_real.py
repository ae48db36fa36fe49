"""The real sequence: what is fused from half of it must agree with the sensor in the other half."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spatial_assets.geometry import prepare_mesh, rasterize
from spatial_assets.readers import depth_consistency, posed_rgbd
from spatial_assets.scene.model import rigid_inverse

MEDIAN, NINETIETH, HIT = 0.01, 0.05, 0.85


@pytest.fixture(scope="module")
def sequence(fixtures):
    root = fixtures / "scenes/posed_rgbd"
    (ref,) = posed_rgbd.find_scenes(root)
    found = posed_rgbd.read_frames(root, ref, posed_rgbd.Parameters())
    assert (len(found.frames), found.dropped) == (120, {"lost_pose": 0})
    return root, found


def test_up_is_the_worlds_y(sequence):
    _, found = sequence
    assert found.up.startswith("+y")
    ups = np.array([-frame.camera_to_world[:3, 1] for frame in found.frames])
    assert ups[:, 2].min() > 0.7


def test_depth_images_and_poses_agree(sequence):
    root, found = sequence
    parameters = posed_rgbd.Parameters()
    told = depth_consistency.check_depths(
        "poses.txt",
        found.frames,
        found.raw,
        lambda frame: posed_rgbd.read_depth(root, found.depths[frame.name], frame, found.depth_unit),
        parameters.reading,
        parameters.depth_unit,
    )
    assert int(told.split("%")[0]) >= 95


@pytest.mark.prove
def test_held_out_frames_agree_with_the_sensor(sequence):
    root, found = sequence
    mesh = posed_rgbd.fuse_frames(root, replace(found, frames=found.frames[::2]), posed_rgbd.Parameters())
    prepared = prepare_mesh(mesh.vertices, mesh.faces)
    errors, hits, valid = [], 0, 0
    for frame in found.frames[1::2]:
        sensor = posed_rgbd.read_depth(root, found.depths[frame.name], frame, found.depth_unit)
        camera = frame.camera
        _, rendered = rasterize(
            prepared, camera.intrinsics, rigid_inverse(frame.camera_to_world), camera.width, camera.height
        )
        read, hit = sensor > 0, np.isfinite(rendered)
        valid += int(read.sum())
        hits += int((read & hit).sum())
        errors.append(np.abs(sensor - rendered)[read & hit])
    difference = np.concatenate(errors)
    print(
        f"median {np.median(difference) * 100:.2f} cm, 90th percentile {np.percentile(difference, 90) * 100:.2f} cm, "
        f"hit {hits / valid:.1%}"
    )
    assert np.median(difference) <= MEDIAN
    assert np.percentile(difference, 90) <= NINETIETH
    assert hits / valid >= HIT


@pytest.mark.prove
def test_fusing_the_real_sequence_twice_gives_the_same_bytes(sequence):
    root, found = sequence
    some = replace(found, frames=found.frames[::4])
    one, two = (posed_rgbd.fuse_frames(root, some, posed_rgbd.Parameters()) for _ in range(2))
    for a, b in ((one.vertices, two.vertices), (one.faces, two.faces), (one.colors, two.colors)):
        assert a is not None
        assert b is not None
        assert a.tobytes() == b.tobytes()
