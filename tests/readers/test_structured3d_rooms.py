"""Structured3D's rooms: areas worked out on paper, who stands where, what is in doubt, what cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spatial_assets.readers import structured3d, structured3d_rooms
from spatial_assets.readers.structured3d_rooms import Rooms, read_rooms
from spatial_assets.scene.model import Box, Camera, Fact, Frame, InputError, Instance, Region
from spatial_assets.scene.refs import SceneRef
from spatial_assets.studio.write import write_scenes

FILE = "annotation_3d.json"
LIVING = [(0, 0), (4000, 0), (4000, 2000), (2000, 2000), (2000, 3000), (0, 3000)]
"""Millimeters: 4 x 2 m and 2 x 1 m, which is 10 square meters."""
BALCONY = [(4100, 0), (6100, 0), (6100, 2000), (4100, 2000)]
"""Behind a wall of 10 cm."""
SHIFTED = [(x + 900, y) for x, y in BALCONY]
HEIGHT = 2500
FIELD_OF_VIEW = Camera(np.array([[50.0, 0, 50], [0, 50, 50], [0, 0, 1]]), 100, 100)


def annotation(*rooms: tuple[int, str, list[tuple[int, int]]]) -> dict[str, Any]:
    """A floor and a ceiling to each room, and a door between no two of them; lines are listed last to first."""
    junctions: list[list[float]] = []
    lines: list[tuple[int, int]] = []
    planes: list[tuple[str, list[int]]] = []
    semantics = []
    for room, word, ring in rooms:
        own = []
        for kind, z in (("floor", 0), ("ceiling", HEIGHT)):
            first = len(junctions)
            junctions += [[x, y, z] for x, y in ring]
            corners = [*range(first, len(junctions)), first]
            edges = [*pairwise(corners)][::-1]
            own.append(len(planes))
            planes.append((kind, [*range(len(lines), len(lines) + len(edges))]))
            lines += edges
        semantics.append({"ID": room, "type": word, "planeID": own})
    semantics += [{"ID": 90, "type": "door", "planeID": []}, {"ID": 91, "type": "outwall", "planeID": [0]}]
    return {
        "junctions": [{"ID": k, "coordinate": place} for k, place in enumerate(junctions)],
        "lines": [{"ID": k, "point": junctions[a], "direction": [1, 0, 0]} for k, (a, _) in enumerate(lines)],
        "planes": [
            {"ID": k, "type": kind, "normal": [0, 0, 1], "offset": 0 if kind == "floor" else -HEIGHT}
            for k, (kind, _) in enumerate(planes)
        ],
        "planeLineMatrix": [[int(line in own) for line in range(len(lines))] for _, own in planes],
        "lineJunctionMatrix": [[int(k in ends) for k in range(len(junctions))] for ends in lines],
        "semantics": semantics,
    }


HOME = annotation((7, "living room", LIVING), (3, "balcony", BALCONY))


def rooms(tmp_path: Path, data: Any, invalid: dict[str, str] | None = None) -> Rooms:
    (tmp_path / FILE).write_text(json.dumps(data))
    return read_rooms(tmp_path, FILE, invalid or {})


def test_floors_on_paper(tmp_path: Path) -> None:
    found = rooms(tmp_path, HOME)
    living, balcony = found.regions
    assert (living.id, living.label, living.kind) == (7, "living room", "living room")
    assert living.level is None and living.doubt is None
    np.testing.assert_allclose(living.outline, np.array(LIVING) / 1000, atol=1e-12)
    np.testing.assert_allclose((living.low, living.high), [[0, 0, 0], [4, 3, 2.5]])
    assert balcony.kind == "balcony" and balcony.doubt is None
    # The balcony's 4 square meters are outdoors.
    assert found.size == pytest.approx(10.0)


def test_outlines_run_counterclockwise_whichever_way_they_are_listed(tmp_path: Path) -> None:
    (region,) = rooms(tmp_path, annotation((1, "kitchen", BALCONY[::-1]))).regions
    x, y = region.outline.T
    assert len(x) == 4 and np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2 == pytest.approx(4.0)


def thing(number: int, *center: float) -> Instance:
    return Instance(number, "chair", "chair", Box(np.array(center), np.ones(3), np.eye(3)))


def frame(name: str, *eye: float) -> Frame:
    pose = np.eye(4)
    pose[:3, 3] = eye
    return Frame(name, FIELD_OF_VIEW, pose)


def test_who_stands_where(tmp_path: Path) -> None:
    """In the corner that an L lacks nobody does, nor in a wall, nor a floor higher up."""
    found = rooms(tmp_path, HOME)
    things = [
        thing(1, 1, 1, 0.5),
        thing(2, 5, 1, 0.5),
        thing(3, 3, 2.5, 0.5),
        thing(4, 4.05, 1, 1),
        thing(5, 1, 1, 3.5),
    ]
    assert [region.instances for region in found.holding(things)] == [(1,), (2,)]
    # Through the door: the second view is filed under the balcony, and stands in the living room.
    frames = [frame("a", 1, 1, 1.5), frame("b", 3, 1, 1.5), frame("c", 5, 1, 1.5), frame("d", 9, 9, 1)]
    seen = {"a": [-1, 1], "b": [1, 2], "c": [2, 3], "d": [1, 2]}
    assert found.note(frames, ["7", "3", "3", "3"], seen, things) == (
        "2, 0 of them in doubt; 1 of 4 views stand in another room than their folder's, 1 show objects of a room that "
        "they do not stand in"
    )


def doubts(regions: tuple[Region, ...]) -> list[str | None]:
    return [region.doubt for region in regions]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([(1, "study", [(0, 0), (2000, 2000), (2000, 0), (0, 2000)])], ["its outline crosses itself"]),
        ([(1, "study", BALCONY), (2, "office", SHIFTED)], ["lies on room 2", "lies on room 1"]),
        (
            [(1, "study", BALCONY), (1, "office", BALCONY)],
            ["it is called office and study; its floor has 2 outlines"],
        ),
    ],
)
def test_rooms_in_doubt(tmp_path: Path, parts: list[Any], said: list[str]) -> None:
    found = rooms(tmp_path, annotation(*parts))
    assert doubts(found.regions) == said and found.size is None


def test_rooms_that_touch_are_not_in_doubt(tmp_path: Path) -> None:
    """2000 x 2000 mm each; 19 mm of overlap are less than 2 %, 41 mm are more."""
    for shift, expected in ((-1981, 8.0), (-1959, None)):
        found = rooms(
            tmp_path, annotation((1, "study", BALCONY), (2, "office", [(x + shift, y) for x, y in BALCONY]))
        )
        assert found.size == (None if expected is None else pytest.approx(expected))


def test_floors_that_do_not_close_and_rooms_without_one(tmp_path: Path) -> None:
    data = annotation((1, "study", BALCONY), (2, "cellar", LIVING))
    data["planeLineMatrix"][0][0] = 0
    data["planes"][2]["type"] = "wall"
    found = rooms(tmp_path, data)
    assert doubts(found.regions) == ["the lines of its floor do not close", "it has no floor"]
    assert [len(region.outline) for region in found.regions] == [0, 0] and found.size is None
    assert found.regions[1].kind == "unlabeled" and found.regions[1].label == "cellar"


def test_corners_off_their_planes(tmp_path: Path) -> None:
    """A corner of the floor 3 cm too high; one of a centimeter is let pass."""
    for height, said in ((30, "a corner lies 0.03 m off one of its planes"), (10, None)):
        data = annotation((1, "study", BALCONY))
        data["junctions"][2]["coordinate"][2] = height
        # A normal of any length says the same.
        data["planes"][0].update(normal=[0, 0, 5])
        found = rooms(tmp_path, data)
        assert doubts(found.regions) == [said] and (found.size is None) == (said is not None)


def test_what_errata_name_is_in_doubt(tmp_path: Path) -> None:
    found = rooms(tmp_path, HOME, {"7": "its outline crosses itself"})
    assert doubts(found.regions) == ["its outline crosses itself", None] and found.size is None


def test_a_room_without_lines_keeps_the_size_unsaid(tmp_path: Path) -> None:
    data = annotation((1, "study", BALCONY))
    data["semantics"].append({"ID": 2, "type": "kitchen", "planeID": []})
    found = rooms(tmp_path, data)
    assert [region.id for region in found.regions] == [1] and found.size is None


def changed(**parts: Any) -> dict[str, Any]:
    return {**json.loads(json.dumps(HOME)), **parts}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (list, r"the file is \[\], not an object"),
        (lambda: changed(planes=None), "planes is None, not a list"),
        (lambda: changed(lines=[1]), r"lines\[0\] is 1, not an object"),
        (lambda: changed(junctions=[{"coordinate": [0, 0]}]), r"junction 0 is \[0, 0\], not a list of 3"),
        (lambda: changed(junctions=[{"coordinate": [0, 1e30, 0]}]), r"junction 0\[1\] is 1e\+30"),
        (lambda: changed(planeLineMatrix=[[1, 2], [3]]), "planeLineMatrix is .* not 4 x 20 whole numbers"),
        (
            lambda: changed(planeLineMatrix=[[1.5] * 20] * 4),
            "planeLineMatrix is 4 x 20 values, not 4 x 20 whole",
        ),
        (lambda: changed(lineJunctionMatrix="no"), "lineJunctionMatrix is 'no', not 20 x 20"),
        (
            lambda: changed(semantics=[{"ID": 1, "type": "study", "planeID": [9]}]),
            "has a plane 9 that is not there",
        ),
        (lambda: changed(semantics=[{"ID": -1, "type": "study", "planeID": []}]), "the ID of .* is -1"),
        (lambda: changed(semantics=[{"ID": 1, "type": "study"}]), "planeID of .* is None"),
        (lambda: changed(planes=[HOME["planes"][0]] * 4), "two planes have the ID 0"),
        (
            lambda: changed(planes=[{"ID": 0, "normal": [0, 0, 0], "offset": 1}]),
            "normal of plane 0 has no direction",
        ),
        (lambda: changed(planes=[{"ID": 0, "normal": [0, 0, 1]}]), "offset of plane 0 is None"),
    ],
)
def test_annotations_that_cannot_be(tmp_path: Path, change: Callable[[], Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        rooms(tmp_path, change())
    assert error.value.file == FILE


def test_rooms_without_end_are_rejected(tmp_path: Path) -> None:
    data = annotation((1, "kitchen", BALCONY))
    shared = {"type": "kitchen", "planeID": [0, 1]}
    data["semantics"] = [{"ID": k} | shared for k in range(structured3d_rooms.MOST_ROOMS)]
    assert all(region.doubt for region in rooms(tmp_path, data).regions)
    data["semantics"].append({"ID": 4000} | shared)
    with pytest.raises(InputError, match=f"{FILE}: 201 rooms, more than the 200 of a home"):
        rooms(tmp_path, data)


@pytest.mark.prove
def test_the_studio_s_rooms_are_its_plan(tmp_path: Path) -> None:
    for seed in (5, 6, 8):
        (name,) = write_scenes(tmp_path / str(seed), "structured3d", 1, seed, 4000, 4, (48, 36))
        truth = json.loads((tmp_path / str(seed) / "_truth" / f"{name}.json").read_text())
        ref = SceneRef(name, name)
        parameters = structured3d.Parameters(depth_step=1)
        scene = structured3d.read_scene(tmp_path / str(seed), ref, "v1", "terms", parameters)
        assert [region.label for region in scene.regions] == truth["rooms"]
        assert {Fact.REGIONS, Fact.ROOM_SIZE} <= scene.facts and scene.split == "train"
        assert scene.room_size == pytest.approx(truth["room_area"], rel=0.05)
        held = [item for region in scene.regions for item in region.instances]
        assert sorted(held) == sorted(item.id for item in scene.instances)


@pytest.mark.parametrize(
    ("scene", "split"),
    [
        ("scene_00000", "train"), ("scene_02999", "train"), ("scene_03000", "val"), ("scene_03249", "val"),
        ("scene_03250", "test"), ("scene_03499", "test"), ("scene_03500", None),
    ],
)  # fmt: skip
def test_splits_by_number(scene: str, split: str | None) -> None:
    assert structured3d_rooms.split_of(scene) == split


def test_what_the_toolkit_calls_invalid_is_left_out_without_its_file(tmp_path: Path) -> None:
    write_scenes(tmp_path, "structured3d", 1, 5, 4000, 4, (48, 36))
    (tmp_path / "scene_00000").rename(tmp_path / "scene_01155")
    with pytest.raises(InputError, match="scene_01155: the toolkit's errata name the scene as invalid"):
        structured3d.source_files(tmp_path, SceneRef("scene_01155", "scene_01155"))
    (tmp_path / "scene_01155").rename(tmp_path / "scene_00010")
    ref = SceneRef("scene_00010", "scene_00010")
    parameters = structured3d.Parameters(depth_step=1)
    scene = structured3d.read_scene(tmp_path, ref, "v1", "terms", parameters)
    path = tmp_path / "scene_00010" / FILE
    data = json.loads(path.read_text())
    assert scene.dropped_frames["errata"] == 0
    data["semantics"][0]["ID"] = 846619
    path.write_text(json.dumps(data))
    (tmp_path / "scene_00010/2D_rendering/0").rename(tmp_path / "scene_00010/2D_rendering/846619")
    if len(data["semantics"]) == 1:
        with pytest.raises(InputError, match="the errata name every room"):
            structured3d.read_scene(tmp_path, ref, "v1", "terms", parameters)
    else:
        less = structured3d.read_scene(tmp_path, ref, "v1", "terms", parameters)
        assert less.dropped_frames["errata"] == len(scene.frames) - len(less.frames) > 0
        assert less.room_size is None and less.regions[0].doubt == "its outline crosses itself"
