"""ScanNet++: a scene whose numbers are worked out on paper, the studio's against its truth, and what is said."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

from spatial_assets.imaging.images import open_image
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
    said = " and no ".join(
        rf"iphone/pose_intrinsic_imu\.json with iphone/{name}" for name in ("rgb", r"rgb\.mkv", r"rgb\.mp4")
    )
    with pytest.raises(InputError, match=f"0123456789: no frames: no {said}$"):
        read(root, device="iphone")


def test_a_video_is_taken_where_nothing_is_extracted(root: Path) -> None:
    video = root / REF.path / "iphone/rgb.mkv"
    video.touch()
    assert read(root).conventions["frames"] == "rgb of the iphone"
    for path in (root / REF.path).glob("iphone/rgb/*"):
        path.unlink()
    with pytest.raises(InputError, match=r"iphone/rgb\.mkv: cannot be read: not a readable video$"):
        read(root)
    assert [frame.name for frame in read(root, device="dslr").frames] == ["DSC00001"]


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


def fisheye(root: Path, **changes: Any) -> Path:
    """The photograph as a lens took it that has 45 degrees to the middles of its upper and lower sides."""
    dslr = root / REF.path / "dslr"
    (dslr / "nerfstudio/transforms_undistorted.json").unlink()
    (dslr / "resized_undistorted_images").rename(dslr / "resized_images")
    focal = 24 / (math.pi / 4)
    path = dslr / "nerfstudio/transforms.json"
    entry = {"file_path": "DSC00001.JPG", "transform_matrix": nerfstudio(LEVEL), "is_bad": False}
    write(
        path,
        {
            "fl_x": focal, "fl_y": focal, "cx": 32, "cy": 24, "w": 64, "h": 48, "k1": 0, "k2": 0, "k3": 0, "k4": 0,
            "camera_model": "OPENCV_FISHEYE", "frames": [entry], **changes,
        },
    )  # fmt: skip
    return path


def test_a_fisheye_s_numbers(root: Path) -> None:
    """45 degrees up, but 60 to either side: 32 / tan 60 = 18.475 is less than the 24 that the height needs."""
    fisheye(root)
    scene = read(root, device="dslr")
    (frame,) = scene.frames
    assert frame.camera.intrinsics.tolist() == [[24, 0, 32], [0, 24, 24], [0, 0, 1]]
    assert frame.camera_to_world.tolist() == LEVEL
    focal = 24 / (math.pi / 4)
    folder = f"{REF.path}/dslr/resized_images"
    numbers = f"{focal!r},{focal!r},32.0,24.0,0.0,0.0,0.0,0.0,24.0"
    assert frame.image == f"{folder}/DSC00001.JPG::fisheye64x48:{numbers}"
    assert scene.conventions["frames"] == "fisheye images of the dslr, shown rectified to a pinhole camera's"


def test_images_of_another_size_than_the_fisheye_s(root: Path) -> None:
    path = fisheye(root)
    held = json.loads(path.read_text())
    write(path, {**held, **{key: 4 * held[key] for key in ("fl_x", "fl_y", "cx", "cy", "w", "h")}})
    (frame,) = read(root, device="dslr").frames
    assert frame.camera.intrinsics.tolist() == [[24, 0, 32], [0, 24, 24], [0, 0, 1]]


def test_photographs_that_are_marked_as_bad(root: Path) -> None:
    path = fisheye(root)
    held = json.loads(path.read_text())
    held["frames"].append({"file_path": "DSC00002.JPG", "transform_matrix": None, "is_bad": True})
    held["test_frames"] = [
        {"file_path": "DSC00003.JPG", "transform_matrix": nerfstudio(LEVEL), "is_bad": True}
    ]
    write(path, held)
    Image.new("RGB", (64, 48)).save(path.parents[1] / "resized_images/DSC00003.JPG")
    scene = read(root, device="dslr")
    assert [frame.name for frame in scene.frames] == ["DSC00001"]
    assert scene.dropped_frames == {"lost_pose": 0, "no_image": 0, "marked_bad": 2}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"k3": None}, "k3 is None"),
        ({"k1": 1e9}, "k1 is 1000000000.0"),
        ({"k1": -99.0, "k2": -99.0}, "rays of different directions"),
        ({"camera_model": "OPENCV", "k1": 0.1}, "not an undistorted or a fisheye camera"),
        ({"frames": [{"file_path": "DSC00001.JPG", "is_bad": "no"}]}, r"is_bad of frames\[0\] is 'no'"),
        ({"fl_x": 1}, "focal lengths"),
        ({"cx": 3}, "principal point"),
    ],
)
def test_lenses_that_cannot_be(root: Path, change: dict[str, Any], said: str) -> None:
    path = fisheye(root, **change)
    with pytest.raises(InputError, match=said) as error:
        read(root, device="dslr")
    assert error.value.file == path.relative_to(root).as_posix()


COLMAP_POSE = f"{math.sqrt(0.5)!r} {math.sqrt(0.5)!r} 0 0 -4 1.5 5"
"""LEVEL by hand, from the world to the camera: a quarter turn about x, so that the world's y is the camera's z; the
camera's place is then at 4, -1.5, -5 in its own axes, and the translation leads there and back."""


def colmap(root: Path) -> Path:
    nerfstudio_file = fisheye(root)
    folder = nerfstudio_file.parents[1] / "colmap"
    folder.mkdir()
    focal = 24 / (math.pi / 4)
    (folder / "cameras.txt").write_text(
        f"# cameras\n1 OPENCV_FISHEYE 64 48 {focal!r} {focal!r} 32 24 0 0 0 0\n"
    )
    (folder / "images.txt").write_text(
        f"# images\n7 {COLMAP_POSE} 1 DSC00001.JPG\n\n8 {COLMAP_POSE} 1 gone.JPG\n1 2 -1\n"
    )
    nerfstudio_file.unlink()
    return folder


def test_colmap_s_numbers(root: Path) -> None:
    colmap(root)
    scene = read(root, device="dslr")
    (frame,) = scene.frames
    np.testing.assert_allclose(frame.camera_to_world, LEVEL, atol=1e-12)
    assert frame.camera.intrinsics.tolist() == [[24, 0, 32], [0, 24, 24], [0, 0, 1]]
    assert scene.dropped_frames["no_image"] == 1 and "COLMAP" in scene.conventions["frames"]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("cameras.txt", "1 OPENCV 64 48 30 30 32 24 0 0 0 0\n", "'OPENCV', not OPENCV_FISHEYE or PINHOLE"),
        ("cameras.txt", "1 OPENCV_FISHEYE 64 48 30 30 32\n", "line 1 holds 5 numbers, not 10"),
        ("cameras.txt", "1 OPENCV_FISHEYE 64 48 nan 30 32 24 0 0 0 0\n", "line 1 has a number beyond"),
        ("cameras.txt", "1 OPENCV_FISHEYE 64 48 30 30 32 24 0 0 0 inf\n", "line 1 is of no camera"),
        ("cameras.txt", "1 PINHOLE 64 48 30 30 32 24\n" * 2, "two cameras are number '1'"),
        ("cameras.txt", "1\n", "line 1 has no id"),
        ("cameras.txt", "", "image 1 is of a camera that"),
        ("images.txt", f"7 {COLMAP_POSE} 1\n", "image 1 is not a line of 10 fields"),
        (
            "images.txt",
            f"7 {COLMAP_POSE} 1 a.JPG\n7 {COLMAP_POSE} 1 b.JPG\n",
            "image 1 is not a line of 10 fields",
        ),
        ("images.txt", "7 2 0 0 0 0 0 0 1 DSC00001.JPG\n", "the pose of image 1 is not a rigid motion"),
        ("images.txt", "7 1 0 0 z 0 0 0 1 DSC00001.JPG\n", "the pose of image 1 has 'z'"),
        ("images.txt", "7 nan 0 0 0 0 0 0 1 DSC00001.JPG\n", "no frame has a pose"),
        ("images.txt", "", "no frame has a pose"),
    ],
)
def test_colmap_files_that_cannot_be(root: Path, file: str, text: str, said: str) -> None:
    (colmap(root) / file).write_text(text)
    with pytest.raises(InputError, match=said):
        read(root, device="dslr")


def test_the_studio_s_fisheye_against_its_pinhole(tmp_path: Path) -> None:
    """The same pictures, written as they are and bent: rectified, they are the first but for two resamplings."""
    size = (192, 144)
    (name,) = write_scenes(tmp_path / "a", "scannetpp", 1, 9, 6000, 7, size)
    assert write_scenes(tmp_path / "b", "scannetpp_fisheye", 1, 9, 6000, 7, size) == [name]
    ref = SceneRef(name, f"data/{name}")
    straight, bent = read(tmp_path / "a", ref), read(tmp_path / "b", ref)
    assert [frame.name for frame in bent.frames] == [f"DSC{k:05d}" for k in (0, 1, 2, 3, 5, 6)]
    assert bent.dropped_frames["marked_bad"] == 1
    for frame in bent.frames:
        other = straight.frames[int(frame.name[3:])]
        np.testing.assert_allclose(frame.camera_to_world, other.camera_to_world, atol=1e-9)
        k, of = frame.camera.intrinsics, other.camera.intrinsics
        assert 1 < k[0, 0] / of[0, 0] < 1.5
        shown = np.asarray(open_image(tmp_path / "b", frame.image), float)
        picture = np.asarray(open_image(tmp_path / "a", other.image), float)
        v, u = np.mgrid[: size[1], : size[0]] + 0.5
        x = (u - k[0, 2]) / k[0, 0] * of[0, 0] + of[0, 2] - 0.5
        y = (v - k[1, 2]) / k[1, 1] * of[1, 1] + of[1, 2] - 0.5
        expected = np.stack([map_coordinates(picture[..., c], [y, x], order=1) for c in range(3)], axis=-1)
        assert np.abs(shown - expected).mean() < 0.4 * np.abs(picture - expected).mean()
        assert np.abs(shown - expected).mean() < 6


def test_photographs_that_hang_upside_down_are_of_another_world(tmp_path: Path) -> None:
    write_scenes(tmp_path, "scannetpp_fisheye", 1, 9, 3000, 12, (96, 72))
    (ref,) = scannetpp.find_scenes(tmp_path)
    path = tmp_path / ref.path / "dslr/nerfstudio/transforms.json"
    content = json.loads(path.read_text())
    turn = np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1]])
    for entry in [*content["frames"], *content["test_frames"]]:
        entry["transform_matrix"] = (turn @ entry["transform_matrix"]).tolist()
    write(path, content)
    with pytest.raises(
        InputError, match=r"transforms.json: cameras stand -0\.\d+ upright .*of another world"
    ):
        read(tmp_path, ref)


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
