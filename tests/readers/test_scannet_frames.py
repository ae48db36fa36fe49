"""A ScanNet scene is the same scene however its frames lie on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from spatial_assets.imaging.images import open_image
from spatial_assets.readers import scannet
from spatial_assets.scene.model import InputError, Scene
from spatial_assets.scene.refs import SceneRef
from spatial_assets.studio.write import write_scenes

NAME, FRAMES, SIZE = "scene0000_00", 6, (64, 48)
REF = SceneRef(NAME, NAME)
SINGLE = 1e-6
"""Matrices in a recording are of single precision."""


def read(root: Path) -> Scene:
    assert [ref.name for ref in scannet.find_scenes(root)] == [NAME]
    for file in scannet.source_files(root, REF):
        assert (root / file.path).is_file()
    return scannet.read_scene(root, REF, "v2", "terms", scannet.Parameters())


def roles(root: Path) -> set[str]:
    return {file.role for file in scannet.source_files(root, REF)}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("exported")
    write_scenes(root, "scannet", 1, 9, 4000, FRAMES, SIZE)
    return root


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    write_scenes(tmp_path, "scannet_sens", 1, 9, 4000, FRAMES, SIZE)
    return tmp_path


def by_cpp(root: Path, out: Path, folder: str) -> None:
    """The same scene as the toolkit's C++ program would have exported it."""
    shutil.copytree(root / NAME, out / NAME)
    own = out / NAME / folder
    own.mkdir(exist_ok=True)
    for k in range(FRAMES):
        (out / NAME / "color" / f"{k}.jpg").rename(own / f"frame-{k:06d}.color.jpg")
        (out / NAME / "depth" / f"{k}.png").rename(own / f"frame-{k:06d}.depth.png")
        (out / NAME / "pose" / f"{k}.txt").rename(own / f"frame-{k:06d}.pose.txt")
    matrix = (out / NAME / "intrinsic" / "intrinsic_color.txt").read_text().split()
    (own / "_info.txt").write_text(
        f"m_versionNumber = 4\nm_sensorName = StructureSensor\nm_colorWidth = {SIZE[0]}\n"
        f"m_colorHeight = {SIZE[1]}\nm_depthWidth = 640\nm_depthHeight = 480\nm_depthShift = 1000\n"
        f"m_calibrationColorIntrinsic = {' '.join(matrix)} \nm_frames.size = {FRAMES}\n"
    )
    for part in ("color", "depth", "pose", "intrinsic"):
        shutil.rmtree(out / NAME / part)


def assert_same(one: Scene, other: Scene, tolerance: float) -> None:
    assert [frame.name for frame in one.frames] == [frame.name for frame in other.frames]
    for a, b in zip(one.frames, other.frames, strict=True):
        np.testing.assert_allclose(a.camera_to_world, b.camera_to_world, atol=tolerance)
        np.testing.assert_allclose(a.camera.intrinsics, b.camera.intrinsics, rtol=tolerance)
        assert (a.camera.width, a.camera.height) == (b.camera.width, b.camera.height)
    assert [(i.id, i.label) for i in one.instances] == [(i.id, i.label) for i in other.instances]
    assert one.conventions == other.conventions


def test_recorded_as_exported(exported: Path, recorded: Path) -> None:
    one, other = read(exported), read(recorded)
    assert_same(one, other, 10 * SINGLE)
    assert roles(recorded) == (roles(exported) | {"recording"}) - {"image", "pose", "intrinsics"}
    for a, b in zip(one.frames, other.frames, strict=True):
        pixels = [np.asarray(open_image(root, f.image)) for root, f in ((exported, a), (recorded, b))]
        np.testing.assert_array_equal(*pixels)


@pytest.mark.parametrize("folder", [".", "sensor_data"])
def test_exported_by_either_program(exported: Path, tmp_path: Path, folder: str) -> None:
    by_cpp(exported, tmp_path, folder)
    assert_same(read(exported), read(tmp_path), 0)


def test_what_is_exported_comes_before_the_recording(exported: Path, recorded: Path) -> None:
    for part in ("color", "pose", "intrinsic"):
        shutil.copytree(exported / NAME / part, recorded / NAME / part)
    assert "recording" not in roles(recorded)


def test_lost_poses_cost_their_frames(recorded: Path) -> None:
    path = recorded / NAME / f"{NAME}.sens"
    data = bytearray(path.read_bytes())
    _, *middle, _ = (image for image in recording_images(recorded))
    at = middle[0].begin - 96
    data[at : at + 64] = np.full(16, -np.inf, "<f4").tobytes()
    path.write_bytes(data)
    scene = read(recorded)
    assert [frame.name for frame in scene.frames] == ["0", *map(str, range(2, FRAMES))]
    assert scene.dropped_frames == {"lost_pose": 1}


def recording_images(root: Path):
    from spatial_assets.readers.sens import read_recording

    return read_recording(root, f"{NAME}/{NAME}.sens").images


def test_a_header_that_the_images_contradict(recorded: Path) -> None:
    path = recorded / NAME / f"{NAME}.sens"
    data = bytearray(path.read_bytes())
    at = 4 + 8 + 15 + 4 * 64 + 8
    data[at : at + 4] = (2 * SIZE[0]).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"frame 0 is 64 x 48 pixels, where the header says 128 x 48"):
        read(recorded)


def test_no_frames_in_any_way_is_said(recorded: Path) -> None:
    (recorded / NAME / f"{NAME}.sens").unlink()
    with pytest.raises(InputError, match=r"no frames: neither color, pose and intrinsic, nor _info\.txt"):
        read(recorded)


def test_an_info_without_its_calibration(exported: Path, tmp_path: Path) -> None:
    by_cpp(exported, tmp_path, ".")
    info = tmp_path / NAME / "_info.txt"
    info.write_text(info.read_text().replace("m_calibrationColorIntrinsic", "m_calibration"))
    with pytest.raises(InputError, match=r"_info\.txt: no m_calibrationColorIntrinsic"):
        read(tmp_path)
