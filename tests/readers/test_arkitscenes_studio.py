"""ARKitScenes as the studio writes it, and what is written otherwise than documented, which is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from spatial_assets.geometry.boxes import yaw_of
from spatial_assets.geometry.cameras import project
from spatial_assets.imaging.images import open_image, shown
from spatial_assets.readers import arkitscenes, consistency
from spatial_assets.scene.model import InputError, Scene
from spatial_assets.scene.refs import SceneRef
from spatial_assets.studio.write import write_scenes

LAYOUTS = ("arkitscenes", "arkitscenes_raw")


@pytest.fixture(scope="module", params=[LAYOUTS[0], pytest.param(LAYOUTS[1], marks=pytest.mark.prove)])
def videos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of the studio's videos for each side that a tablet can lie on."""
    root = tmp_path_factory.mktemp(request.param)
    write_scenes(root, request.param, 4, 9, 6000, 12, (64, 48))
    return root


def studio_scene(root: Path, ref: SceneRef, **parameters: Any) -> Scene:
    return arkitscenes.read_scene(root, ref, "v1", "terms", arkitscenes.Parameters(**parameters))


def test_the_studio_s_against_its_truth(videos: Path) -> None:
    refs = arkitscenes.find_scenes(videos)
    skies = set()
    for ref in refs:
        truth = json.loads((videos / "_truth" / f"{ref.name}.json").read_text())
        scene = studio_scene(videos, ref)
        assert [frame.name for frame in scene.frames] == [item["frame"] for item in truth["frames"]]
        for frame, item in zip(scene.frames, truth["frames"], strict=True):
            np.testing.assert_allclose(frame.camera_to_world, item["camera_to_world"], atol=1e-8)
            np.testing.assert_allclose(frame.camera.intrinsics, item["intrinsics"], atol=1e-8)
            assert (frame.camera.width, frame.camera.height) == (64, 48)
            assert open_image(videos, frame.image).size == (64, 48)
        assert len(scene.instances) == len(truth["objects"]) > 0
        for instance, item in zip(scene.instances, truth["objects"], strict=True):
            assert (instance.id, instance.label) == (item["instance"], item["category"])
            np.testing.assert_allclose(instance.box.center, item["center"], atol=1e-9)
            np.testing.assert_allclose(instance.box.size, item["size"], atol=1e-9)
            assert yaw_of(instance.box) == pytest.approx(item["yaw"], abs=1e-9)
        skies.add(scene.conventions["images"].split("the sky is ")[1].split()[0])
    assert skies == {"up", "left", "down", "right"} and len(refs) == 4


def test_what_is_shown_is_what_the_turned_cameras_see(videos: Path) -> None:
    """Images against the mesh's colors once more, upright ones by upright cameras; and not by those of the sensor."""
    for ref in arkitscenes.find_scenes(videos):
        scene = studio_scene(videos, ref)
        assert scene.mesh is not None
        poses = np.stack([frame.camera_to_world for frame in scene.frames])
        looks = consistency._Shown(videos, scene.frames, scene.mesh)
        alike, _ = looks.likeness(poses)
        half_turn = np.diag([-1.0, -1.0, 1.0, 1.0])
        assert alike > 0.35 > 0.2 > looks.likeness(poses @ half_turn)[0], (ref.name, alike)


@pytest.mark.prove
def test_marks_on_what_is_shown_lie_on_their_objects(videos: Path) -> None:
    """A pixel of a face, marked in the image as it is shown, is the pixel of the sensor that shows the face."""
    for ref in arkitscenes.find_scenes(videos):
        upright, stored = (studio_scene(videos, ref, sky=sky).frames[0] for sky in ("auto", "up"))
        assert upright.image is not None and stored.image is not None
        point = upright.camera_to_world @ [0.3, 0.2, 2.0, 1.0]
        marked, _ = (
            project(point[None, :3], frame.camera.intrinsics, np.linalg.inv(frame.camera_to_world))
            for frame in (upright, stored)
        )
        at = marked[0][0]
        mark = {"shape": "point", "color": "red", "xy": [1000 * at[0] / 64, 1000 * at[1] / 48]}
        image = np.asarray(shown(videos, upright.image, [mark], 64, 8.0)).astype(int)
        red = np.argwhere((image[..., 0] > 250) & (image[..., 1:] < 5).all(axis=2)) + 0.5
        assert len(red) and np.abs(red.mean(axis=0)[::-1] - at).max() < 1.5
        there = np.asarray(open_image(videos, stored.image))
        of_sensor = project(point[None, :3], stored.camera.intrinsics, np.linalg.inv(stored.camera_to_world))[
            0
        ][0]
        same = np.asarray(open_image(videos, upright.image))[tuple(np.floor(at[::-1]).astype(int))]
        assert (there[tuple(np.floor(of_sensor[::-1]).astype(int))] == same).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_written_otherwise_is_said(tmp_path: Path, layout: str) -> None:
    """Boxes with their axes in columns, or half as long, and cameras the other way round: what settles it is named."""
    write_scenes(tmp_path, layout, 1, 4, 6000, 12, (64, 48))
    (ref,) = arkitscenes.find_scenes(tmp_path)
    fixed, trajectory = arkitscenes._fixed_files(ref), arkitscenes.Video(tmp_path, ref).trajectory
    scene = studio_scene(tmp_path, ref)

    def rewritten_boxes(**changes: Callable[[Any], Any]) -> None:
        content = json.loads((tmp_path / fixed["annotation"]).read_text())
        for item in content["data"]:
            held = item["segments"]["obbAligned"]
            held.update({key: change(np.array(held[key])).tolist() for key, change in changes.items()})
        (tmp_path / fixed["annotation"]).write_text(json.dumps(content))

    def same(**parameters: Any) -> None:
        again = studio_scene(tmp_path, ref, **parameters)
        for one, other in zip(again.instances, scene.instances, strict=True):
            np.testing.assert_allclose(one.box.size, other.box.size, atol=1e-9)
            np.testing.assert_allclose(one.box.rotation, other.box.rotation, atol=1e-9)

    kept = (tmp_path / fixed["annotation"]).read_text()
    rewritten_boxes(normalizedAxes=lambda axes: axes.reshape(3, 3).T.ravel())
    with pytest.raises(
        InputError, match=r"boxes fit the mesh by 0\.\d\d as they stand, and by .* with box_axes columns$"
    ):
        studio_scene(tmp_path, ref)
    same(box_axes="columns")
    (tmp_path / fixed["annotation"]).write_text(kept)
    rewritten_boxes(axesLengths=lambda lengths: lengths / 2)
    with pytest.raises(InputError, match=r"with box_lengths half$"):
        studio_scene(tmp_path, ref)
    same(box_lengths="half")
    (tmp_path / fixed["annotation"]).write_text(kept)

    lines = []
    for line in (tmp_path / trajectory).read_text().splitlines():
        time, *numbers = line.split()
        turn, place = np.array(numbers[:3], float), np.array(numbers[3:], float)
        pose = np.eye(4)
        pose[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
        pose[:3, 3] = place
        back = np.linalg.inv(pose)
        lines.append(" ".join([time, *map(str, -turn), *map(str, back[:3, 3])]) + "\n")
    (tmp_path / trajectory).write_text("".join(lines))
    with pytest.raises(InputError, match="with pose_convention camera_to_world"):
        studio_scene(tmp_path, ref)
    again = studio_scene(tmp_path, ref, pose_convention="camera_to_world")
    for one, other in zip(again.frames, scene.frames, strict=True):
        np.testing.assert_allclose(one.camera_to_world, other.camera_to_world, atol=1e-6)


@pytest.mark.prove
def test_depth_that_the_mesh_does_not_have_is_said(tmp_path: Path) -> None:
    """With the mesh of another room in the same place."""
    write_scenes(tmp_path, "arkitscenes", 2, 4, 6000, 12, (64, 48))
    one, other = (studio_scene(tmp_path, ref) for ref in arkitscenes.find_scenes(tmp_path))
    ref, parameters = arkitscenes.find_scenes(tmp_path)[0], arkitscenes.Parameters()
    video = arkitscenes.Video(tmp_path, ref)
    found = arkitscenes.read_frames(video, "auto", 0.005, 0.0015, 1.0)
    raw = np.stack([frame.camera_to_world for frame in found.frames])
    assert one.mesh is not None and other.mesh is not None
    middles = [mesh.vertices.mean(axis=0) for mesh in (one.mesh, other.mesh)]
    moved = replace(other.mesh, vertices=other.mesh.vertices + middles[0] - middles[1])
    told = arkitscenes._check_depths(tmp_path, video, found.frames, raw, found.depths, parameters, one.mesh)
    assert told[1] == "100% of the depth images' points lie on the mesh"
    with pytest.raises(InputError, match=r"only \d+% of the depth images' points lie on the mesh"):
        arkitscenes._check_depths(tmp_path, video, found.frames, raw, found.depths, parameters, moved)
