"""What holds for all tasks about view sets: their wording, what they are made from, and the order of the views."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from mosaic_scene import made_sets, shown
from video_scenes import Studio, ask, box

from spatial_assets.scene.tables import VIEW_SETS
from spatial_assets.stages.pipeline import STAGES
from spatial_assets.stages.questions import SUITES
from spatial_assets.stages.stage import upstream_of
from spatial_assets.tasks import spatialmosaic
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.wording import stem_ids
from spatial_assets.tasks.registry import tasks

MOSAIC = sorted(SUITES["spatialmosaic"])
FOLDER = Path(spatialmosaic.__file__).parent
OFFICIAL = json.loads((FOLDER / "official.json").read_text())
LEAST_STEMS = 8


def all_of(task: str) -> dict[str, bool]:
    """Parameters by which nothing is left out for what names suggest: of some types they leave little."""
    return {"even": False} if "even" in tasks()[task].parameters.model_fields else {}


@pytest.mark.parametrize("task", MOSAIC)
def test_every_type_has_several_stems_and_the_published_one_where_there_is_any(task: str) -> None:
    assert len(stem_ids("spatialmosaic", task, published=False)) >= LEAST_STEMS
    published = stem_ids("spatialmosaic", task, published=True)
    assert list(published) == sorted(OFFICIAL["stems"].get(task, {}))


@pytest.mark.every(4)
@pytest.mark.parametrize("task", MOSAIC)
def test_how_to_read_a_pixel_is_said_only_where_a_name_has_one(studio: Studio, task: str) -> None:
    """Nobody is told of two numbers in brackets that are nowhere to be seen, nor left alone with some that are."""
    for row in studio.rows(task):
        named = re.findall(r"[a-z]\(\d+,\d+\)", row["stem"])
        assert bool(named) == bool(row["given"])
        assert row["stem"].count("two numbers in brackets".capitalize()) == bool(named), row["stem"]


def test_some_questions_name_an_object_by_its_pixel(studio: Studio) -> None:
    """Of every type that may do so, or nothing is shown above; of the rarest three scenes may have none."""
    having = {task for task in MOSAIC if any(row["given"] for row in studio.rows(task))}
    noted = {path.stem for path in FOLDER.glob("obj_*.json") if "notes_where" in path.read_text()}
    assert having | {"obj_attribute_occ_ab"} == noted


def test_published_words_say_where_they_come_from() -> None:
    assert "c7be44d" in OFFICIAL["source"]
    assert set(OFFICIAL["stems"]) <= set(MOSAIC)


@pytest.mark.every(5)
@pytest.mark.parametrize("task", MOSAIC)
def test_half_of_the_questions_may_be_worded_officially(studio: Studio, task: str) -> None:
    """Where nothing was published, ours are used throughout."""
    if not stem_ids("spatialmosaic", task, published=True):
        return
    rows = studio.rows(task, wording="both", **all_of(task))
    official = sum(row["template"].startswith("official") for row in rows)
    assert 0.4 * len(rows) <= official <= 0.6 * len(rows)
    assert all(row["template"].startswith("official") for row in studio.rows(task, wording="official"))


@pytest.mark.parametrize("task", MOSAIC)
def test_what_a_type_is_made_from(task: str) -> None:
    """Sets and what they show: another set is another question."""
    assert "view_sets" in upstream_of(STAGES[task], STAGES)


@pytest.mark.every(3)
@pytest.mark.parametrize("task", MOSAIC)
def test_a_scene_without_sets_has_no_questions(studio: Studio, task: str) -> None:
    facts = studio.facts()[0]
    read = facts.read
    empty = SceneFacts(
        facts.which, "", lambda table: read(table).clear() if table is VIEW_SETS else read(table)
    )
    assert ask(task, empty) == []


@pytest.mark.every(3)
@pytest.mark.parametrize("task", MOSAIC)
def test_views_of_nothing_have_no_questions(task: str) -> None:
    """Neither where there is no object at all, nor where all are parts of the building, or the images show none."""
    assert ask(task, made_sets([], [{}, {}])) == []
    floor = [("floor", box(0.0, 0.0, (9.0, 9.0, 0.1)))]
    assert ask(task, made_sets(floor, [{0: shown(0.5)}, {0: shown(0.5)}])) == []
    assert ask(task, made_sets(THINGS, [{}, {}])) == []


@pytest.mark.parametrize("task", MOSAIC)
def test_nothing_is_asked_of_what_the_views_do_not_show(studio: Studio, task: str) -> None:
    """Every object that a question is about is clearly visible in one of its views at least."""
    for row in studio.rows(task):
        scene = studio.truths[row["scene"]]
        for item in row["objects"]:
            pixels = [scene.pixels(view["frame"]).get(item["instance"], 0) for view in row["frames"]]
            assert max(pixels) >= 0.0005 * 320 * 240


THINGS = [
    ("lamp", box(-1.0, 0.5, z=4.0)),
    ("sofa", box(0.0, 0.0, z=3.0)),
    ("vase", box(1.0, -0.6, z=2.0)),
    ("clock", box(1.3, -1.0, z=1.5)),
    ("plant", box(1.6, -1.4, z=1.0)),
    ("chair", box(2.0, 1.0, z=5.0)),
    ("chair", box(3.0, 1.0, z=6.0)),
]
FRAMES = [
    {1: shown(), 5: shown(at=(100, 100))},
    {0: shown(), 2: shown(), 3: shown(), 4: shown()},
    {5: shown(0.02), 6: shown(0.04, at=(500, 300)), 1: shown()},
]


@pytest.mark.parametrize("task", MOSAIC)
def test_in_another_order_only_the_frames_numbers_change(task: str) -> None:
    """The views of a set have the same names, the same draws and the same answers wherever they stand."""
    order = [2, 0, 1]
    sets = [[0, 1, 2], [0, 1]]
    number = {str(old + 1): str(order.index(old) + 1) for old in range(3)}

    def text(row: dict[str, Any], turned: bool) -> Any:
        three = len(row["frames"]) == 3
        parts = [row["stem"], *(row["options"] or ()), "" if row["options"] else row["answer"]]
        if turned and three:
            parts = [re.sub(r"Frame (\d)", lambda found: f"Frame {number[found[1]]}", part) for part in parts]
        return parts

    plain = ask(task, made_sets(THINGS, FRAMES, sets), quota=1000, **all_of(task))
    other = ask(task, made_sets(THINGS, FRAMES, [order, [0, 1]]), quota=1000, **all_of(task))
    if task not in ("bestview_count_occ", "obj_count_occ", "obj_localization_occ"):
        assert plain and len(plain) == len(other)
    key = json.dumps
    assert sorted(key(text(row, True)) for row in plain) == sorted(key(text(row, False)) for row in other)


@pytest.mark.every(4)
@pytest.mark.parametrize("task", MOSAIC)
def test_ids_are_of_what_is_asked_and_do_not_hang_on_the_quota(studio: Studio, task: str) -> None:
    few = {row["qa_id"]: row for row in studio.rows(task, quota=20)}
    many = {row["qa_id"]: row for row in studio.rows(task)}
    assert few.keys() <= many.keys()
    assert all(few[name]["question"] == many[name]["question"] for name in few)
