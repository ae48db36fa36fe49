"""Matterport3D's panoramas: views of them against the same cameras rendered, and faces that are turned or gone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spatial_assets.geometry import viewpoints
from spatial_assets.imaging.images import open_image
from spatial_assets.media.image_files import view_of
from spatial_assets.readers import matterport3d
from spatial_assets.scene.model import Scene
from spatial_assets.stages.scenes import scene_rows
from spatial_assets.studio.files import Scanner, renderer
from spatial_assets.studio.layouts import matterport3d as layout
from spatial_assets.studio.scene import make_scene, stream

SEED, FACES, FRAMES, SIZE = 9, 6000, 40, (320, 240)
VIEW = (160, 120)
FOCAL = float(viewpoints.view_intrinsics()[0, 0]) / 4
"""Of the simulator's views at a quarter of their size."""
ALIKE, OTHER = 6.0, 20.0
"""Mean differences of colors, of 255: what sampling and compression make is below the first, other views differ by more
than the second."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("matterport")
    scanner = Scanner(0.0, 0.0, partial(stream, SEED, 0))
    scene = make_scene(SEED, 0, FACES, FRAMES, SIZE, images=True)
    (root / "_truth").mkdir()
    layout.write_scene(root, 0, scene, scanner, lambda line: None)
    return root


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "root")
    return tmp_path / "root"


def read(root: Path) -> Scene:
    (ref,) = matterport3d.find_scenes(root)
    assert all((root / file.path).is_file() for file in matterport3d.source_files(root, ref))
    return matterport3d.read_scene(root, ref, "v1", "terms", matterport3d.Parameters())


def folder_of(root: Path) -> Path:
    (found,) = root.glob("scans/*/matterport_skybox_images")
    return found


def shown(root: Path, viewpoint, pose: np.ndarray) -> np.ndarray:
    text = view_of(viewpoint.panorama, viewpoint.panorama_axes, pose, VIEW, FOCAL)
    return np.asarray(open_image(root, text)).astype(int)


@pytest.mark.prove
def test_the_simulator_s_views_are_what_their_cameras_see(written: Path) -> None:
    """All 36 of a viewpoint, and that of another that faces it, against the studio's own renderer."""
    scene = read(written)
    intrinsics = np.array([[FOCAL, 0, VIEW[0] / 2], [0, FOCAL, VIEW[1] / 2], [0, 0, 1]])
    made = make_scene(SEED, 0, FACES, FRAMES, SIZE, images=True)
    camera = replace(made, intrinsics=intrinsics, width=VIEW[0], height=VIEW[1])
    picture = renderer(camera, Scanner(0.0, 0.0, partial(stream, SEED, 0)))
    one, other = scene.viewpoints[:2]
    poses = viewpoints.view_poses(one.position)
    rendered = [picture(pose)[0].astype(int) for pose in poses]
    away = np.array(
        [[np.abs(shown(written, one, pose) - image).mean() for image in rendered] for pose in poses]
    )
    assert away.diagonal().max() < ALIKE
    assert (away.argmin(axis=1) == np.arange(36)).all()
    assert np.median(away[~np.eye(36, dtype=bool)]) > OTHER
    facing = viewpoints.facing(other.position, one.position)
    assert np.abs(shown(written, other, facing) - picture(facing)[0]).mean() < ALIKE


def test_which_viewpoints_have_one(written: Path) -> None:
    scene = read(written)
    count = len(scene.viewpoints)
    assert scene.conventions["panoramas"].startswith(
        f"{count} of {count} viewpoints have one; they correlate 0.9"
    )
    rows = scene_rows({"dataset": "d", "release": "v1", "scene": "s"}, scene).tables["viewpoints"]
    for row, viewpoint in zip(rows, scene.viewpoints, strict=True):
        assert row["panorama"].endswith(f"/matterport_skybox_images/{viewpoint.name}_skybox0_sami.jpg")
        axes = np.array(row["panorama_axes"]).reshape(3, 3)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
        # The tripod stands upright.
        np.testing.assert_allclose(axes[:, 1], [0, 0, -1], atol=1e-9)
    (ref,) = matterport3d.find_scenes(written)
    listed = [file.path for file in matterport3d.source_files(written, ref) if file.role == "panorama"]
    assert len(listed) == len(set(listed)) == 6 * count


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_faces_that_begin_elsewhere_are_taken_as_images_show_them(
    root: Path, written: Path, quarter: int
) -> None:
    for first in sorted(folder_of(root).glob("*_skybox1_sami.jpg")):
        name = first.name.removesuffix("_skybox1_sami.jpg")
        faces = [Image.open(first.with_name(f"{name}_skybox{k}_sami.jpg")).convert("RGB") for k in range(6)]
        # Who stands at the new first face has the old ones to the right, above and below him turned.
        turned = [
            faces[0].rotate(-90 * quarter),
            *(faces[1 + (k + quarter) % 4] for k in range(4)),
            faces[5].rotate(90 * quarter),
        ]
        for k, face in enumerate(turned):
            face.save(first.with_name(f"{name}_skybox{k}_sami.jpg"), quality=95)
    before, after = read(written), read(root)
    assert f"turned {90 * quarter} degrees" in after.conventions["panoramas"]
    for view in (3, 14, 31):
        pose = viewpoints.view_poses(before.viewpoints[0].position)[view]
        pair = [shown(path, scene.viewpoints[0], pose) for path, scene in ((written, before), (root, after))]
        assert np.abs(pair[0] - pair[1]).mean() < ALIKE


def test_panoramas_of_something_else_are_left_out(root: Path) -> None:
    rng = np.random.default_rng(0)
    for path in folder_of(root).iterdir():
        Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8)).resize(
            (64, 64), Image.Resampling.BICUBIC
        ).save(path)
    scene = read(root)
    assert "left out: they correlate" in scene.conventions["panoramas"]
    assert all(viewpoint.panorama is None for viewpoint in scene.viewpoints)


def test_a_panorama_that_is_not_whole_costs_itself(root: Path) -> None:
    names = [viewpoint.name for viewpoint in read(root).viewpoints]
    folder = folder_of(root)
    damages = {
        names[0]: lambda: (folder / f"{names[0]}_skybox3_sami.jpg").unlink(),
        names[1]: lambda: (folder / f"{names[1]}_skybox2_sami.jpg").write_bytes(b"no image"),
        names[2]: lambda: Image.new("RGB", (64, 48)).save(folder / f"{names[2]}_skybox5_sami.jpg"),
    }
    (folder / "._x_skybox0_sami.jpg").write_bytes(b"")
    told = {names[0]: "missing", names[1]: "not a readable image", names[2]: "no cube"}
    broken: list[str] = []
    for name, damage in damages.items():
        damage()
        broken.append(name)
        scene = read(root)
        assert {item.name for item in scene.viewpoints if item.panorama is None} == set(broken)
        assert f"{len(broken)} are broken" in scene.conventions["panoramas"]
    for name, words in told.items():
        found = matterport3d.matterport_panoramas.find(
            root,
            folder.relative_to(root).as_posix(),
            [item for item in scene.viewpoints if item.name == name],
        )
        assert words in found.broken[name]


def test_a_face_that_cannot_be_decoded_costs_its_panorama(root: Path) -> None:
    """Its beginning and its end are an image's, so that only who looks at it finds out."""
    name = read(root).viewpoints[0].name
    for face in range(1, 5):
        path = folder_of(root) / f"{name}_skybox{face}_sami.jpg"
        Image.open(path).save(path.with_suffix(".png"))
        data = path.with_suffix(".png").read_bytes()
        path.with_suffix(".png").unlink()
        path.write_bytes(data[:300] + bytes(500) + data[800:])
    scene = read(root)
    assert {item.name for item in scene.viewpoints if item.panorama is None} == {name}
    assert (
        "1 are broken" in scene.conventions["panoramas"]
        and "they correlate 0.9" in scene.conventions["panoramas"]
    )


def test_the_simulator_s_own_files_are_enough(root: Path) -> None:
    """Its graphs and panoramas, without the scans' meshes and images."""
    (scan,) = (root / "scans").iterdir()
    for part in scan.iterdir():
        if part.name != "matterport_skybox_images":
            shutil.rmtree(part)
    scene = read(root)
    assert not scene.frames and all(viewpoint.panorama for viewpoint in scene.viewpoints)
    assert "no image of the same place" in scene.conventions["panoramas"]
