"""ScanNet++: a scene whose numbers are worked out on paper, the studio's against its truth, and what is said."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spatial_assets.readers import scannetpp
from spatial_assets.scene.model import Fact, InputError, Scene
from spatial_assets.scene.refs import SceneRef
from spatial_assets.studio.write import write_scenes

NAME = "0123456789"
REF = SceneRef(NAME, f"data/{NAME}")
SIDES = [(0, 0, 0), (2, 0, 0), (0, 3, 0), (0, 0, 1), (2, 3, 0), (2, 0, 1), (0, 3, 1), (2, 3, 1)]
"""Corners of a table from the origin; the last four belong to a cup as well."""
LEVEL = [[1, 0, 0, 4], [0, 0, 1, -5], [0, -1, 0, 1.5], [0, 0, 0, 1]]
"""A camera at (4, -5, 1.5) that looks along +y, held level: its x is the world's x, its y points down."""


def ply(points: list[tuple[float, ...]]) -> bytes:
    faces = [(0, 1, 2), (4, 5, 6), (5, 6, 7), (0, 1, 4)]
    lines = ["ply", "format ascii 1.0", f"element vertex {len(points)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    lines += [" ".join(map(str, point)) for point in points]
    lines += [f"3 {a} {b} {c}" for a, b, c in faces]
    return ("\n".join(lines) + "\n").encode()


def nerfstudio(pose: list[list[float]]) -> list[list[float]]:
    """LEVEL by hand: y and z of the camera negated, the first two rows swapped, the third negated."""
    assert pose is LEVEL
    return [[0, 0, -1, -5], [1, 0, 0, 4], [0, -1, 0, -1.5], [0, 0, 0, 1]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A table and a cup that share vertices; two frames of a phone, one photograph, lost and missing ones."""
    folder = tmp_path / REF.path
    for part in ("scans", "iphone/rgb", "dslr/nerfstudio", "dslr/resized_undistorted_images"):
        (folder / part).mkdir(parents=True)
    (folder / "scans/mesh_aligned_0.05.ply").write_bytes(ply(SIDES))
    write(folder / "scans/segments.json", {"segIndices": [0, 1, 2, 3, 4, 5, 6, 7]})
    groups = [
        {"id": 0, "objectId": 1, "label": "table", "segments": list(range(8))},
        {"id": 1, "objectId": 2, "label": "cup", "segments": [4, 5, 6, 7]},
        {"id": 2, "objectId": 3, "label": None, "segments": [99]},
    ]
    write(folder / "scans/segments_anno.json", {"segGroups": groups})
    intrinsic = [[1500, 0, 959.5], [0, 1500, 719.5], [0, 0, 1]]
    # A step of 1 m along +x between the two.
    moved = [row[:] for row in LEVEL]
    moved[0][3] = 5
    lost = [[math.nan] * 4] * 4
    poses = {"frame_000000": LEVEL, "frame_000010": moved, "frame_000020": lost, "frame_000030": LEVEL}
    write(
        folder / "iphone/pose_intrinsic_imu.json",
        {name: {"pose": LEVEL, "intrinsic": intrinsic, "aligned_pose": pose} for name, pose in poses.items()},
    )
    for number in (0, 10, 20):
        Image.new("RGB", (64, 48)).save(folder / f"iphone/rgb/frame_{number:06d}.jpg")
    write(
        folder / "dslr/nerfstudio/transforms_undistorted.json",
        {
            "fl_x": 60, "fl_y": 61, "cx": 32, "cy": 24, "w": 64, "h": 48, "camera_model": "PINHOLE",
            "frames": [{"file_path": "DSC00001.JPG", "transform_matrix": nerfstudio(LEVEL)}],
        },
    )  # fmt: skip
    Image.new("RGB", (64, 48)).save(folder / "dslr/resized_undistorted_images/DSC00001.JPG")
    return tmp_path


def write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data))


def read(root: Path, ref: SceneRef = REF, **parameters: Any) -> Scene:
    assert ref in scannetpp.find_scenes(root)
    assert all((root / file.path).is_file() for file in scannetpp.source_files(root, ref))
    return scannetpp.read_scene(root, ref, "v2", "terms", scannetpp.Parameters(**parameters))


def test_the_phone_s_numbers(root: Path) -> None:
    scene = read(root)
    assert [frame.name for frame in scene.frames] == ["frame_000000", "frame_000010"]
    assert scene.dropped_frames == {"lost_pose": 1, "no_image": 1}
    assert scene.frames[0].camera_to_world.tolist() == LEVEL
    # 1920 x 1440 down to 64 x 48 is a thirtieth; the middle of the image is its middle.
    np.testing.assert_allclose(scene.frames[0].camera.intrinsics, [[50, 0, 32], [0, 50, 24], [0, 0, 1]])
    assert Fact.SEQUENCE in scene.facts


def test_the_photographs_numbers(root: Path) -> None:
    scene = read(root, device="dslr")
    (frame,) = scene.frames
    assert frame.name == "DSC00001" and frame.camera_to_world.tolist() == LEVEL
    assert frame.camera.intrinsics.tolist() == [[60, 0, 32], [0, 61, 24], [0, 0, 1]]
    assert Fact.SEQUENCE not in scene.facts


def test_objects_that_share_vertices(root: Path) -> None:
    """The table is whole, though a face of shared vertices is the cup's; what has no vertex is counted."""
    scene = read(root)
    table, cup = scene.instances
    assert sorted(table.box.size.round(6).tolist()) == [1, 2, 3] and cup.label == "cup"
    assert scene.face_instance is not None and scene.face_instance.tolist() == [1, 2, 2, 1]
    assert scene.conventions["objects_without_vertices"] == "1"


def test_without_the_phone_s_frames_the_photographs_are_taken(root: Path) -> None:
    for path in (root / REF.path / "iphone/rgb").iterdir():
        path.unlink()
    assert [frame.name for frame in read(root).frames] == ["DSC00001"]
    with pytest.raises(InputError, match="no frames: no data/0123456789/iphone"):
        read(root, device="iphone")


def test_a_video_that_is_not_extracted_is_named(root: Path) -> None:
    (root / REF.path / "iphone/rgb.mkv").touch()
    for path in (*(root / REF.path).glob("iphone/rgb/*"), *(root / REF.path).glob("dslr/resized*/*")):
        path.unlink()
    with pytest.raises(InputError, match="extract its frames"):
        read(root)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"camera_model": "OPENCV_FISHEYE", "k1": 0.1}, "'OPENCV_FISHEYE' with distortion"),
        ({"camera_model": "OPENCV", "k1": 0.01}, "'OPENCV' with distortion"),
        ({"fl_x": "sixty"}, "fl_x is 'sixty'"),
        ({"w": 0}, "images of 0 x 48"),
        ({"frames": {}}, "frames is {}, not a list"),
        ({"frames": [{"transform_matrix": LEVEL}]}, r"frames\[0\] lacks its file_path"),
        (
            {"frames": [{"file_path": "a.JPG", "transform_matrix": [[1, 2]]}]},
            r"transform_matrix of frames\[0\]",
        ),
        ({"frames": [{"file_path": "b/a.JPG"}, {"file_path": "c/a.JPG"}]}, "two frames are named 'a'"),
        ({"h": 30}, "another shape"),
    ],
)
def test_photographs_that_cannot_be(root: Path, change: dict[str, Any], said: str) -> None:
    path = root / REF.path / "dslr/nerfstudio/transforms_undistorted.json"
    write(path, {**json.loads(path.read_text()), **change})
    with pytest.raises(InputError, match=said):
        read(root, device="dslr")


def test_the_studio_s_against_its_truth(tmp_path: Path) -> None:
    (name,) = write_scenes(tmp_path, "scannetpp", 1, 9, 6000, 12, (64, 48))
    truth = json.loads((tmp_path / "_truth" / f"{name}.json").read_text())
    (ref,) = scannetpp.find_scenes(tmp_path)
    video, photographs = (read(tmp_path, ref, device=device) for device in ("iphone", "dslr"))
    assert [frame.name for frame in video.frames] == [item["frame"] for item in truth["frames"]]
    for frame, item in zip(video.frames, truth["frames"], strict=True):
        np.testing.assert_allclose(frame.camera_to_world, item["camera_to_world"], atol=1e-9)
        np.testing.assert_allclose(frame.camera.intrinsics, item["intrinsics"], atol=1e-9)
    assert [frame.name for frame in photographs.frames] == ["DSC00000", "DSC00003", "DSC00006", "DSC00009"]
    for frame in photographs.frames:
        item = truth["frames"][int(frame.name[3:])]
        np.testing.assert_allclose(frame.camera_to_world, item["camera_to_world"], atol=1e-9)
        np.testing.assert_allclose(frame.camera.intrinsics, item["intrinsics"], atol=1e-9)
    sizes = {item["instance"]: item["size"] for item in truth["objects"]}
    assert {item.id for item in video.instances} == set(sizes)
    for item in video.instances:
        np.testing.assert_allclose(item.box.size, sizes[item.id], atol=1e-5)


def test_a_camera_that_leaps_away_costs_its_frame(tmp_path: Path) -> None:
    (name,) = write_scenes(tmp_path, "scannetpp", 1, 9, 6000, 12, (64, 48))
    path = tmp_path / "data" / name / "iphone/pose_intrinsic_imu.json"
    held = json.loads(path.read_text())
    held["frame_000005"]["aligned_pose"][0][3] += 500
    write(path, held)
    (ref,) = scannetpp.find_scenes(tmp_path)
    scene = read(tmp_path, ref)
    assert [frame.name for frame in scene.frames] == [f"frame_{k:06d}" for k in range(12) if k != 5]
    assert scene.dropped_frames["outside_the_scene"] == 1
