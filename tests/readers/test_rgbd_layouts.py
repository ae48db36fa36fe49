"""One sequence in every shape that posed RGB-D has on disks: the same cameras, the same surface."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from spatial_assets.readers import posed_rgbd
from spatial_assets.scene.model import InputError
from spatial_assets.studio.write import write_scenes

FRAMES, SIZE = 8, (64, 48)
COARSE = 0.1
FIRST = 1341846313.592
"""A moment as TUM's clocks show it, in seconds."""


class Given:
    """The studio's sequence, taken apart."""

    def __init__(self, root: Path) -> None:
        (name,) = write_scenes(root, "posed_rgbd", 1, 9, 4000, FRAMES, SIZE)
        self.folder = root / name
        self.root = root
        self.poses = np.loadtxt(self.folder / "poses.txt").reshape(-1, 4, 4)
        self.k = np.loadtxt(self.folder / "K.txt")
        self.images = sorted((self.folder / "images").iterdir())
        self.depths = sorted((self.folder / "depth").iterdir())

    @property
    def intrinsics(self) -> str:
        return f"{self.k[0, 0]} {self.k[1, 1]} {self.k[0, 2]} {self.k[1, 2]}"

    def fine_depth(self, number: int, target: Path) -> None:
        """In steps of 1/5000 m."""
        depth = np.asarray(Image.open(self.depths[number])).astype(np.uint32) * 5
        Image.fromarray(np.minimum(depth, 65534).astype(np.uint16)).save(target)


def quaternions(poses: np.ndarray) -> np.ndarray:
    return np.concatenate([poses[:, :3, 3], Rotation.from_matrix(poses[:, :3, :3]).as_quat()], axis=1)


def numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.12f}" for value in values.ravel())


def seven_scenes(given: Given, out: Path) -> str:
    folder = out / "chess" / "seq-01"
    folder.mkdir(parents=True)
    np.savetxt(out / "chess" / "camera-intrinsics.txt", given.k)
    for k in range(FRAMES):
        shutil.copyfile(given.images[k], folder / f"frame-{k:06d}.color.png")
        shutil.copyfile(given.depths[k], folder / f"frame-{k:06d}.depth.png")
        np.savetxt(folder / f"frame-{k:06d}.pose.txt", given.poses[k])
    return "chess-seq-01"


def tum(given: Given, out: Path) -> str:
    """Depth a hundredth of a second after color; poses ten times as often, in no order; one image without either."""
    folder = out / "rgbd_dataset_desk"
    for part in ("rgb", "depth"):
        (folder / part).mkdir(parents=True)
    rgb, depth, truth = (["# a comment"] for _ in range(3))
    for k in range(FRAMES):
        moment = FIRST + k / 30
        rgb.append(f"{moment:.6f} rgb/{moment:.6f}.png")
        depth.append(f"{moment + 0.01:.6f} depth/{moment + 0.01:.6f}.png")
        shutil.copyfile(given.images[k], folder / "rgb" / f"{moment:.6f}.png")
        given.fine_depth(k, folder / "depth" / f"{moment + 0.01:.6f}.png")
        truth.append(f"{moment + 0.001:.4f} {numbers(quaternions(given.poses)[k])}")
    rgb.append(f"{FIRST + 9:.6f} rgb/late.png")
    (folder / "rgb.txt").write_text("\n".join(rgb) + "\n")
    (folder / "depth.txt").write_text("\n".join(depth) + "\n")
    (folder / "groundtruth.txt").write_text("\n".join([truth[0], *reversed(truth[1:])]) + "\n")
    return folder.name


def icl(given: Given, out: Path) -> str:
    """As a renderer whose y points up writes it: the camera's and the world's."""
    folder = out / "living_room_traj1"
    for part in ("rgb", "depth"):
        (folder / part).mkdir(parents=True)
    up = np.diag([1.0, -1, 1, 1])
    poses = quaternions(up @ given.poses @ up)
    for k in range(FRAMES):
        shutil.copyfile(given.images[k], folder / "rgb" / f"{k}.png")
        given.fine_depth(k, folder / "depth" / f"{k}.png")
    (folder / "associations.txt").write_text(
        "".join(f"{k} depth/{k}.png {k} rgb/{k}.png\n" for k in range(FRAMES))
    )
    (folder / "livingRoom1.gt.freiburg").write_text(
        "".join(f"{k} {numbers(pose)}\n" for k, pose in enumerate(poses))
    )
    return folder.name


def log(given: Given, out: Path) -> str:
    folder = out / "lounge"
    for part, paths in (("color", given.images), ("depth", given.depths)):
        (folder / part).mkdir(parents=True)
        for k, path in enumerate(paths):
            shutil.copyfile(path, folder / part / f"{k + 1:06d}.png")
    lines = [
        f"{k} {k} {k + 1}\n" + "".join(numbers(row) + "\n" for row in pose)
        for k, pose in enumerate(given.poses)
    ]
    (folder / "lounge_trajectory.log").write_text("".join(lines))
    held = {"width": SIZE[0], "height": SIZE[1], "intrinsic_matrix": given.k.T.ravel().tolist()}
    (folder / "camera_intrinsic.json").write_text(json.dumps(held))
    return folder.name


Writer = Callable[[Given, Path], str]
WRITERS: list[tuple[Writer, bool]] = [(seven_scenes, False), (tum, True), (icl, True), (log, False)]
"""And whether the camera must be told."""


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    return Given(tmp_path_factory.mktemp("given"))


def frames(root: Path, **parameters: str) -> posed_rgbd.Sequence:
    (ref,) = posed_rgbd.find_scenes(root)
    assert all((root / file.path).is_file() for file in posed_rgbd.source_files(root, ref))
    return posed_rgbd.read_frames(root, ref, posed_rgbd.Parameters(voxel=COARSE, **parameters))


def motions(found: posed_rgbd.Sequence) -> np.ndarray:
    """Of each camera against the first, which does not depend on how the world was turned."""
    poses = np.stack([frame.camera_to_world for frame in found.frames])
    return np.linalg.inv(poses[0]) @ poses


@pytest.mark.parametrize(("write", "told"), WRITERS)
def test_the_same_sequence(given: Given, tmp_path: Path, write: Writer, told: bool) -> None:
    name = write(given, tmp_path)
    assert [ref.name for ref in posed_rgbd.find_scenes(tmp_path)] == [name]
    same = frames(given.root)
    found = frames(tmp_path, **({"intrinsics": given.intrinsics} if told else {}))
    np.testing.assert_allclose(motions(found), motions(same), atol=1e-6)
    for one, other in zip(found.frames, same.frames, strict=True):
        np.testing.assert_allclose(one.camera.intrinsics, other.camera.intrinsics)
        assert one.image is not None and other.image is not None
        assert (tmp_path / one.image).read_bytes() == (given.root / other.image).read_bytes()
        depths = [
            posed_rgbd.read_depth(root, held.depths[frame.name], frame, held.depth_unit)
            for root, held, frame in ((tmp_path, found, one), (given.root, same, other))
        ]
        np.testing.assert_allclose(*depths, atol=1e-6)
    assert found.dropped.get("unmatched", 0) == (1 if write is tum else 0)
    assert found.up == same.up


@pytest.mark.parametrize(("write", "told"), WRITERS)
def test_the_check_of_depths_bears_it_out(given: Given, tmp_path: Path, write: Writer, told: bool) -> None:
    write(given, tmp_path)
    (ref,) = posed_rgbd.find_scenes(tmp_path)
    parameters = posed_rgbd.Parameters(voxel=COARSE, intrinsics=given.intrinsics if told else "")
    scene = posed_rgbd.read_scene(tmp_path, ref, "v1", "terms", parameters)
    assert scene.mesh is not None and "found again in others" in scene.conventions["consistency"]


def test_a_camera_that_no_file_tells_is_asked_for(given: Given, tmp_path: Path) -> None:
    tum(given, tmp_path)
    with pytest.raises(InputError, match="intrinsics is not set to the fx fy cx cy"):
        frames(tmp_path)


@pytest.mark.parametrize("name", ["freiburg1", "freiburg2", "freiburg3"])
def test_published_cameras_are_known_by_the_folder(given: Given, tmp_path: Path, name: str) -> None:
    folder = tmp_path / tum(given, tmp_path)
    folder.rename(tmp_path / f"rgbd_dataset_{name}_desk")
    # The images here are a tenth of TUM's, which the published numbers are for: that is said.
    with pytest.raises(InputError, match=r"are those of no camera of 64 x 48|not near the middle"):
        frames(tmp_path)


@pytest.mark.parametrize(
    ("write", "path", "change", "said"),
    [
        (
            tum,
            "groundtruth.txt",
            lambda text: text.replace(" ", " x", 9),
            "where a number was expected|words",
        ),
        (tum, "groundtruth.txt", lambda text: "# nothing\n", "nothing but comments"),
        (tum, "rgb.txt", lambda text: text.replace("rgb/", "../rgb/"), "leads out of its folder"),
        (tum, "rgb.txt", lambda text: "1 rgb/a.png\n", "no image has a depth image and a pose of its moment"),
        (icl, "associations.txt", lambda text: "1 depth/1.png\n", "line 1 has 2 words, not 4"),
        (log, "lounge_trajectory.log", lambda text: text + "8 8 9\n", "not blocks of five"),
        (log, "lounge_trajectory.log", lambda text: text + text, "16 poses for 8 images"),
        (
            log,
            "lounge_trajectory.log",
            lambda text: text.replace("3 3 4\n", "4 4 5\n"),
            "begins with '4', not 3",
        ),
        (log, "camera_intrinsic.json", lambda text: "{}", "intrinsic_matrix is None"),
        (log, "other.log", lambda text: "", "which holds the poses"),
    ],
)
def test_what_cannot_be_is_said(
    given: Given, tmp_path: Path, write: Writer, path: str, change: Callable[[str], str], said: str
) -> None:
    file = tmp_path / write(given, tmp_path) / path
    file.write_text(change(file.read_text() if file.exists() else ""))
    with pytest.raises(InputError, match=said):
        frames(tmp_path, **({} if write is log else {"intrinsics": given.intrinsics}))


def test_a_quaternion_of_another_length(given: Given, tmp_path: Path) -> None:
    file = tmp_path / icl(given, tmp_path) / "livingRoom1.gt.freiburg"
    file.write_text("".join(f"{k} 0 0 0 0 0 0 2\n" for k in range(FRAMES)))
    with pytest.raises(InputError, match="quaternion of length 2, not 1"):
        frames(tmp_path, intrinsics=given.intrinsics)


def test_given_intrinsics_must_be_four_numbers() -> None:
    with pytest.raises(ValueError, match="pattern"):
        posed_rgbd.Parameters(intrinsics="525 525 319.5")


def test_an_image_that_is_listed_and_not_there_is_named(given: Given, tmp_path: Path) -> None:
    folder = tmp_path / icl(given, tmp_path)
    (folder / "depth" / "3.png").unlink()
    with pytest.raises(InputError, match=r"living_room_traj1/depth/3\.png: missing"):
        frames(tmp_path, intrinsics=given.intrinsics)


def test_a_sequence_that_cannot_be_listed_is_left_out_alone(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = seven_scenes(given, tmp_path)
    (tmp_path / "chess" / "seq-02").mkdir()
    real = os.scandir

    def scandir(path: str | Path) -> object:
        if str(path).endswith("seq-02"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert [ref.name for ref in posed_rgbd.find_scenes(tmp_path)] == [name]
    (line,) = posed_rgbd.left_out(tmp_path)
    assert str(line) == "chess/seq-02: cannot be read: Permission denied"
