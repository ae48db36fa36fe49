"""A scene that ships instance images, from its files to the table: what its own mesh, rendered, says too."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from lakes import build, digest, done, register, rows
from PIL import Image

from spatial_assets.geometry import prepare_mesh
from spatial_assets.geometry.instances import prepare_instances
from spatial_assets.geometry.visibility import frame_visibility
from spatial_assets.scene.model import Fact, rigid_inverse
from spatial_assets.stages import questions
from spatial_assets.studio.scene import STRUCTURE, make_scene
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.registry import tasks

SEED, FACES, FRAMES, SIZE = 5, 20_000, 6, (96, 72)


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """A root with two scenes and a home in which they are built."""
    root, home = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("home")
    write_scenes(root, "structured3d", 2, SEED, FACES, FRAMES, SIZE)
    register(home, "structured3d", root, "studio")
    build(home)
    return root, home


@pytest.mark.prove
def test_every_row_is_what_the_mesh_says(homes):
    _, home = homes
    table = rows(home, "visibility")
    frames = rows(home, "frames")
    objects = set(rows(home, "objects").select("scene", "instance").rows())
    compared = 0
    for index in range(2):
        name = f"scene_{index:05d}"
        scene = make_scene(SEED, index, FACES, FRAMES, SIZE)
        kept = {thing.body: thing.instance for thing in scene.objects if thing.category not in STRUCTURE}
        owners = np.array(
            [kept.get(int(body), -1) for body in scene.mesh.owner[scene.mesh.faces[:, 0]]], np.int32
        )
        prepared = prepare_mesh(scene.mesh.vertices, scene.mesh.faces)
        instances = prepare_instances(prepared, owners)
        for row in frames.filter(scene=name).iter_rows(named=True):
            pose = scene.poses[int(row["frame"].split("_")[1])]
            k = scene.intrinsics.copy()
            k[:2, 2] = SIZE[0] / 2, SIZE[1] / 2
            seen = frame_visibility(prepared, instances, k, rigid_inverse(pose), *SIZE)
            expected = {
                int(instance): at for at, instance in enumerate(seen.instance) if seen.visible_px[at] > 0
            }
            found = {
                item["instance"]: item
                for item in table.filter(scene=name, frame=row["frame"]).iter_rows(named=True)
            }
            assert found.keys() == expected.keys()
            for instance, item in found.items():
                at = expected[instance]
                assert (name, instance) in objects
                assert item["visible_px"] == seen.visible_px[at]
                assert item["box"] == seen.box[at].tolist()
                assert item["marker"] == seen.marker[at].tolist()
                assert item["marker_radius"] == seen.marker_radius[at]
                assert item["depth_min"] == pytest.approx(seen.depth_min[at], abs=0.0006)
                assert item["depth_max"] == pytest.approx(seen.depth_max[at], abs=0.0006)
                assert item["amodal_px"] is None and item["occlusion"] is None and item["truncation"] is None
                compared += 1
    assert compared > 100


@pytest.mark.prove
def test_tasks_ask_what_such_a_scene_knows_and_say_what_it_lacks(homes):
    _, home = homes
    rejects = rows(home, "rejects/*")
    lacking = {Fact.MESH, Fact.AMODAL, Fact.OVERLAP, Fact.SEQUENCE, Fact.ROUTES}
    askable = {
        name for name, task in tasks().items() if not any(lacking & needs for needs in task.needs.values())
    }
    assert {"depth_prediction_oc", "distance_prediction_oo"} <= askable
    assert set(rows(home, "questions/*")["task"]) == askable
    for task in questions.STAGES.keys() - askable:
        told = rejects.filter(asset=task)
        assert set(told["reason"]) == {"missing_fact"}


@pytest.mark.prove
def test_two_builds_are_equal_and_an_edited_image_makes_its_scene_anew(homes, tmp_path):
    source, home = homes
    root, again = tmp_path / "root", tmp_path / "home"
    shutil.copytree(source, root)
    register(again, "structured3d", root, "studio")
    build(again, workers=2)
    assert digest(again) == digest(home)
    view = sorted((root / "scene_00001" / "2D_rendering").glob("*/perspective/full/*/instance.png"))[0]
    image = np.array(Image.open(view))
    image[:10, :10] = image[image != 65535][0]
    Image.fromarray(image).save(view)
    made = done(build(again))
    assert {"sources", "scenes", "visibility"} <= made.keys()
    assert all(scenes == ["scene_00001"] for scenes in made.values())
