"""Matterport3D as the studio writes it, and what is written otherwise than documented, which is said."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matterport_house import read
from PIL import Image

from spatial_assets.readers import matterport3d
from spatial_assets.scene.model import InputError
from spatial_assets.studio.write import write_scenes


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("studio")
    write_scenes(root, "matterport3d", 1, 9, 8000, 20, (64, 48))
    return root


@pytest.fixture
def copied(studio: Path, tmp_path: Path) -> Path:
    shutil.copytree(studio, tmp_path / "root")
    return tmp_path / "root"


def test_the_studio_s_against_its_truth(studio: Path) -> None:
    scene = read(studio)
    truth = json.loads((studio / "_truth" / f"{scene.name}.json").read_text())
    frames = {frame.name: frame for frame in scene.frames}
    assert set(frames) == {item["frame"] for item in truth["frames"]} and len(frames) == 20
    for item in truth["frames"]:
        frame = frames[item["frame"]]
        np.testing.assert_allclose(frame.camera_to_world, item["camera_to_world"], atol=1e-9)
        np.testing.assert_allclose(frame.camera.intrinsics, item["intrinsics"], atol=1e-9)
    objects = {item.id: item for item in scene.instances}
    assert set(objects) == {item["instance"] for item in truth["objects"]}
    for item in truth["objects"]:
        box = objects[item["instance"]].box
        assert objects[item["instance"]].label == item["category"]
        np.testing.assert_allclose(box.center, item["center"], atol=1e-3)
        np.testing.assert_allclose(box.size, item["size"], atol=1e-3)
        assert abs(box.rotation[:, 0] @ [np.cos(item["yaw"]), np.sin(item["yaw"]), 0]) > 1 - 1e-9
    assert [region.kind for region in scene.regions] == truth["rooms"]
    assert scene.routes and not scene.dropped_routes and scene.facts == matterport3d.FACTS
    assert all(region.doubt is None for region in scene.regions)


def rewrite(root: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """The camera file with every matrix changed."""
    (path,) = root.glob("scans/*/undistorted_camera_parameters/*.conf")
    lines = []
    for line in path.read_text().splitlines():
        words = line.split()
        if words[:1] == ["scan"]:
            matrix = change(np.array(words[3:], np.float64).reshape(4, 4))
            line = " ".join([*words[:3], *(f"{value:.10f}" for value in matrix.ravel())])
        lines.append(line)
    path.write_text("\n".join(lines) + "\n")


FLIP = np.diag([1.0, -1, -1, 1])


@pytest.mark.parametrize(
    ("convention", "change"),
    [("camera_to_world", lambda pose: pose @ FLIP), ("opengl_world_to_camera", np.linalg.inv)],
)
def test_cameras_of_another_meaning_are_noticed_and_can_be_asked_for(
    copied: Path, convention: str, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    true = read(copied)
    rewrite(copied, change)
    with pytest.raises(InputError) as caught:
        read(copied)
    assert re.search("pose_convention", str(caught.value)), caught.value
    asked = read(copied, pose_convention=convention)
    for frame, other in zip(asked.frames, true.frames, strict=True):
        np.testing.assert_allclose(frame.camera_to_world, other.camera_to_world, atol=1e-8)


def test_a_camera_that_does_not_stand_where_its_name_says_costs_its_image(copied: Path) -> None:
    (path,) = copied.glob("scans/*/undistorted_camera_parameters/*.conf")
    true = read(copied)
    lines = path.read_text().splitlines()
    moved = lines[8].split()
    moved[6] = str(float(moved[6]) + 1.2)
    path.write_text("\n".join([*lines[:8], " ".join(moved), *lines[9:]]) + "\n")
    scene = read(copied)
    assert scene.dropped_frames["away_from_its_viewpoint"] == 1
    assert {frame.name for frame in true.frames} - {frame.name for frame in scene.frames} == {moved[2][:-4]}


def test_an_image_of_another_size_is_left_out(copied: Path) -> None:
    path = sorted(copied.glob("scans/*/undistorted_color_images/*.jpg"))[3]
    Image.new("RGB", (60, 48)).save(path)
    scene = read(copied)
    assert scene.dropped_frames["other_size"] == 1 and path.stem not in {frame.name for frame in scene.frames}


def test_boxes_with_whole_lengths_are_noticed_and_can_be_asked_for(copied: Path) -> None:
    (path,) = copied.glob("scans/*/house_segmentations/*.house")
    true, lines = read(copied), []
    for line in path.read_text().splitlines():
        words = line.split()
        if words[0] == "O":
            words[13:16] = [repr(2 * float(word)) for word in words[13:16]]
        lines.append(" ".join(words))
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match="whole lengths, not half ones as documented; say so"):
        read(copied)
    for item, other in zip(read(copied, box_radii="full").instances, true.instances, strict=True):
        np.testing.assert_allclose(item.box.size, other.box.size)


def test_boxes_of_another_house_are_noticed(copied: Path) -> None:
    (path,) = copied.glob("scans/*/house_segmentations/*.house")
    lines = []
    for line in path.read_text().splitlines():
        words = line.split()
        if words[0] == "O":
            words[4] = repr(float(words[4]) + 20)
        lines.append(" ".join(words))
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match="boxes and mesh are of different houses"):
        read(copied)
