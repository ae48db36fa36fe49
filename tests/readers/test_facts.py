"""The facts that a scene says it has are those that its content can bear out, and an object keeps its own name."""

from __future__ import annotations

import pytest
from small_scenes import write_small

from spatial_assets.readers.registry import READERS, reader
from spatial_assets.scene.model import NO_INSTANCE, Fact
from spatial_assets.stages.scenes import scene_rows
from spatial_assets.studio.layouts.registry import LAYOUTS
from spatial_assets.studio.write import write_scenes

FRAMES, SIZE = 6, (64, 48)
VIDEOS = {"arkitscenes", "scannetpp", "scannet", "posed_rgbd", "three_rscan"}
VIEWS = {"matterport3d", "structured3d", "hypersim", "vsibench"}
"""Whose frames are a camera's way, and whose are not; nothing in a scene's content says so, and of others their
reader's word is taken."""
NUMBERED = "{instance}"
NAMES = {
    **dict.fromkeys(
        ("matterport3d", "scannetpp", "scannet", "structured3d", "hypersim", "three_rscan"), NUMBERED
    ),
    "arkitscenes": "{scene}-{instance:04d}",
    **dict.fromkeys(("posed_rgbd", "vsibench"), None),
}
"""What the studio calls objects in a dataset's files; None where these have no names for them."""


@pytest.fixture(scope="module", params=READERS)
def read(request, tmp_path_factory):
    root = tmp_path_factory.mktemp(request.param)
    if request.param in LAYOUTS:
        write_scenes(root, request.param, 1, 9, 6000, FRAMES, SIZE)
    else:
        write_small(root, request.param)
    found = reader(request.param)
    (ref,) = found.find_scenes(root)
    found.source_files(root, ref)
    return found, found.read_scene(root, ref, found.RELEASE, found.LICENSE, found.Parameters())


def borne_out(scene):
    """Facts, from what a scene holds."""
    labeled = scene.face_instance is not None and bool((scene.face_instance != NO_INSTANCE).any())
    facts = {
        Fact.IMAGES: any(frame.image for frame in scene.frames),
        Fact.POSES: len(scene.frames) > 0,
        Fact.MESH: scene.mesh is not None,
        Fact.OBJECTS: len(scene.instances) > 0,
        Fact.SURFACES: labeled,
        Fact.VISIBILITY: labeled or len(scene.instance_images) > 0,
        Fact.AMODAL: labeled,
        Fact.OVERLAP: scene.mesh is not None,
        Fact.SEQUENCE: scene.dataset in VIDEOS
        or (scene.dataset not in VIEWS and Fact.SEQUENCE in scene.facts),
        Fact.ROOM_SIZE: scene.room_size is not None,
        Fact.OBJECT_COUNTS: len(scene.object_counts) > 0,
        Fact.REGIONS: len(scene.regions) > 0,
        Fact.VIEWPOINTS: any(viewpoint.reachable for viewpoint in scene.viewpoints),
        Fact.ROUTES: len(scene.routes) > 0,
        Fact.PANORAMAS: any(viewpoint.panorama for viewpoint in scene.viewpoints),
        Fact.QUESTIONS: len(scene.questions) > 0,
    }
    assert set(facts) == set(Fact)
    return {fact for fact, holds in facts.items() if holds}


@pytest.mark.every(3)
def test_a_scene_has_the_facts_that_its_content_bears_out(read):
    found, scene = read
    assert scene.facts == borne_out(scene)
    assert scene.facts <= found.FACTS


def test_the_table_has_sorted_facts_and_the_sources_own_names(read):
    _, scene = read
    tables = scene_rows({"dataset": scene.dataset, "release": "v1", "scene": scene.name}, scene).tables
    (row,) = tables["scenes"]
    assert row["facts"] == sorted(str(fact) for fact in scene.facts)
    assert [item["name"] for item in tables["objects"]] == [instance.name for instance in scene.instances]
    if scene.dataset in NAMES:
        form = NAMES[scene.dataset]
        for item in tables["objects"]:
            called = form and form.format(scene=scene.name, instance=item["instance"])
            assert item["name"] == called
