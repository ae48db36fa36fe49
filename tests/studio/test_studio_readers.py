"""The package's readers find in the studio's files what the studio's truth says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from spatial_assets.geometry.boxes import yaw_of
from spatial_assets.readers import posed_rgbd, scannet, vsibench
from spatial_assets.readers.source_images import program_of
from spatial_assets.scene.refs import SceneRef
from spatial_assets.studio.files import PROGRAM
from spatial_assets.studio.write import write_scenes

FRAMES, SIZE = 12, (64, 48)


def write(out, layout):
    (name,) = write_scenes(out, layout, 1, 9, 6000, FRAMES, SIZE)
    return name, json.loads((out / "_truth" / f"{name}.json").read_text())


def check_frames(frames, truth):
    assert [frame.name for frame in frames] == [item["frame"] for item in truth["frames"]]
    for frame, item in zip(frames, truth["frames"], strict=True):
        np.testing.assert_allclose(frame.camera_to_world, item["camera_to_world"], atol=1e-8)
        np.testing.assert_allclose(frame.camera.intrinsics, item["intrinsics"], atol=1e-8)
        assert (frame.camera.width, frame.camera.height) == (item["width"], item["height"]) == SIZE


def check_instances(instances, truth, tolerance):
    found = {item.id: item for item in instances}
    assert set(found) == {item["instance"] for item in truth["objects"]}
    for item in truth["objects"]:
        instance = found[item["instance"]]
        assert instance.label == item["category"]
        np.testing.assert_allclose(instance.box.center, item["center"], atol=tolerance)
        np.testing.assert_allclose(instance.box.size, item["size"], atol=tolerance)
        assert yaw_of(instance.box) == pytest.approx(item["yaw"], abs=1e-4)


def test_scannet(tmp_path):
    name, truth = write(tmp_path, "scannet")
    assert [ref.name for ref in scannet.find_scenes(tmp_path)] == [name]
    scene = scannet.read_scene(tmp_path, SceneRef(name, name), "v2", "terms", scannet.Parameters())
    check_frames(scene.frames, truth)
    check_instances(scene.instances, truth, 6e-6)


def test_posed_rgbd(tmp_path):
    name, truth = write(tmp_path, "posed_rgbd")
    assert [ref.name for ref in posed_rgbd.find_scenes(tmp_path)] == [name]
    found = posed_rgbd.read_frames(tmp_path, SceneRef(name, name), posed_rgbd.Parameters())
    assert found.dropped == {"lost_pose": 0} and found.up.startswith("+y")
    check_frames(found.frames, truth)


def test_vsibench(tmp_path):
    name, truth = write(tmp_path, "vsibench")
    (ref,) = vsibench.find_scenes(tmp_path)
    assert ref.name == name
    scene = vsibench.read_scene(tmp_path, ref, "v1", "terms", vsibench.Parameters())
    check_instances(scene.instances, truth, 1e-12)
    assert scene.object_counts == truth["counts"]
    assert scene.room_size == pytest.approx(truth["room_area"])


@pytest.mark.parametrize(
    ("layout", "images"),
    [
        ("scannet", "*/color/*.jpg"),
        ("posed_rgbd", "*/images/*.png"),
        ("structured3d", "**/rgb_rawlight.png"),
        ("matterport3d", "scans/*/undistorted_color_images/*.jpg"),
        ("hypersim", "**/*.tonemap.jpg"),
    ],
)
def test_images_say_that_the_studio_made_them(tmp_path, layout, images):
    write(tmp_path, layout)
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob(images))
    assert found and {program_of(tmp_path, path) for path in found} == {PROGRAM}


def test_of_images_that_say_nothing_nobody_knows_the_program(tmp_path):
    Image.new("RGB", (4, 3)).save(tmp_path / "plain.jpg")
    Image.new("RGB", (4, 3)).save(tmp_path / "plain.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno image")
    for name in ("plain.jpg", "plain.png", "broken.png", "absent.png"):
        assert program_of(tmp_path, name) is None
