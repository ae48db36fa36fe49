"""How large the floor is, by the studio's floor plans."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import video_truth
from question_truth import Truth
from video_scenes import FACTS, ROOM, Studio, ask, box, chosen_text, found_by, made, rejected

from spatial_assets.scene import tables
from spatial_assets.scene.tables import ROOMS
from spatial_assets.storage import meshes
from spatial_assets.studio.files import PROGRAM
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.laws import laws
from spatial_assets.tasks.core.video.rooms import BANDS, LAWS

TASK = "room_size_estimation"
ROOM_AREA = 0.005
"""Share by which a room's area may be off: it is that of an outline around points drawn on its surfaces."""
WALLS_BETWEEN = 0.02
"""The same for several rooms, whose outline also holds the walls between them."""


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Square meters of all floors together."""
    return [scene.room_area]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    """Of the measured area: the true one is known but for the share that outlines are off."""
    allowed = WALLS_BETWEEN if scene.rooms > 1 else ROOM_AREA
    assert row["value"] == pytest.approx(truth(scene, row), rel=allowed)
    return video_truth.one_decimal(row["value"][0])


def test_answers_equal_the_truth(studio: Studio) -> None:
    rows = studio.rows(TASK)
    assert {row["format"] for row in rows} == {"fill", "select"} and len({row["scene"] for row in rows}) >= 2
    for row in rows:
        assert chosen_text(row) == sys.modules[__name__].printed(studio.truths[row["scene"]], row)
        (area,) = row["value"]
        assert row["margin"] == pytest.approx(0.05 - abs(area - float(chosen_text(row))))
        assert row["objects"] == [] and len(row["frames"]) == 32


def test_areas_are_those_of_the_floors_triangles(studio: Studio) -> None:
    """Of the mesh itself; floors go on under the furniture."""
    areas = {row["scene"]: row["value"][0] for row in studio.rows(TASK, "fill")}
    for inputs in studio.inputs():
        mesh, owners = meshes.from_ply(inputs.file(meshes.KIND))
        objects = inputs.table(tables.OBJECTS)
        floors = objects.filter(objects["category"] == "floor")["instance"].to_list()
        a, b, c = np.moveaxis(mesh.vertices[mesh.faces[np.isin(owners, floors)], :2].astype(float), 1, 0)
        first, second = b - a, c - a
        area = float(np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).sum() / 2)
        if inputs.ref.name in areas:
            assert areas[inputs.ref.name] == pytest.approx(area, rel=WALLS_BETWEEN)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "ok"), ({"area": 1.98}, "unlikely_area"), ({"area": 2.03, "area_low": 2.0, "area_high": 2.05}, "ok"),
        ({"area": 301.0}, "unlikely_area"), ({"walled": 0.79}, "open"), ({"walled": 0.81}, "ok"),
        ({"area_high": 21.1}, "doubtful"), ({"area_high": 20.9}, "ok"), ({"seen_area": 17.9}, "room_unseen"),
        ({"seen_area": 18.1}, "ok"), ({"area": 20.0495}, "rounding"), ({"area": 20.0505}, "rounding"),
        ({"area": 20.052}, "ok"),
    ],
)  # fmt: skip
def test_rooms_are_closed_seen_and_firmly_measured(change: dict[str, float], reason: str) -> None:
    facts = made([], room={**ROOM, **change})
    assert rejected(TASK, facts) == {reason: 1}
    if reason == "ok":
        assert found_by(TASK, facts).values["area"].tolist() == [change.get("area", ROOM["area"])]


@pytest.mark.parametrize(
    ("stated", "change", "reason"),
    [
        # What the source states needs no walls and no firm outline, but the video must show the room.
        (25.03, {"walled": 0.1, "area_high": 30.0}, "ok"), (25.0495, {}, "rounding"), (1.0, {}, "unlikely_area"),
        (25.03, {"seen_area": 17.9}, "room_unseen"), (25.03, {"seen_area": 18.1}, "ok"),
    ],
)  # fmt: skip
def test_what_the_source_states_is_the_answer(stated: float, change: dict[str, float], reason: str) -> None:
    facts = made([], room={**ROOM, **change}, room_size=stated)
    assert rejected(TASK, facts) == {reason: 1}
    for row in ask(TASK, facts):
        assert row["value"] == [stated] and chosen_text(row) == "25.0"


def test_without_a_measured_room_nothing_is_asked_about_it() -> None:
    assert rejected(TASK, made([("sofa", box(0, 0))])) == {"no_footprint": 1}
    assert ask(TASK, made([])) == []


def test_scenes_with_equal_rooms_do_not_share_their_letters() -> None:
    letters, wordings = set(), set()
    for name in range(100):
        base = made([], room=ROOM)
        facts = SceneFacts({**base.which, "scene": f"scene {name}"}, "license", base.read)
        (row,) = (row for row in ask(TASK, facts) if row["options"])
        letters.add(row["answer"])
        wordings.add(row["template"].split("/")[0])
    assert letters == set("ABCD") and len(wordings) == 5


def test_the_tables_of_this_file_are_the_lake_s() -> None:
    facts = made([("sofa", box(0, 0))], room=ROOM)
    for table in (tables.SCENES, tables.FRAMES, tables.KEYFRAMES, tables.OBJECTS, tables.VISIBILITY, ROOMS):
        assert facts.read(table).columns == table.schema.names and len(facts.read(table)) > 0
    assert facts.facts == set(FACTS)


@pytest.mark.parametrize(("made_by", "kind"), [(PROGRAM, "studio"), (None, "scans"), ("a camera", "scans")])
def test_options_of_a_scanned_room_are_those_of_scanned_rooms(made_by: str | None, kind: str) -> None:
    """By the law that the images ask for, unless a parameter names another."""
    facts = made([("chair", box(0, 0))], room=ROOM, made_by=made_by)
    (row,) = (row for row in ask(TASK, facts) if row["format"] == "select")
    for law in ("studio", "scans"):
        (named,) = (row for row in ask(TASK, facts, law=law) if row["format"] == "select")
        assert (named["options"] == row["options"]) == (law == kind)
        wrong = laws(LAWS, law)[""].wrong(np.array(row["value"]), BANDS)[0]
        expected = {chosen_text(named), *(f"{area:.1f}" for area in wrong)}
        assert set(named["options"]) == expected


def test_scenes_of_the_studio_say_so(studio: Studio) -> None:
    assert {SceneFacts(it.which, "license", it.table).made_by for it in studio.inputs()} == {PROGRAM}
