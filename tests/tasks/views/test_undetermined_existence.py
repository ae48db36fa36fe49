"""Whether an object lies on a side of another, or no view shows it: from the truth's boxes and a ray caster."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from mosaic_checks import axis_of, check_clear, difference, said_side
from mosaic_scene import made_sets, shown
from question_truth import Truth
from video_scenes import Studio, ask, box, check_answers, rejected, things
from withheld_checks import UNKNOWN, bare, check_hidden, check_left, unseen

TASKS = tuple(f"undetermined_existence_{axis}" for axis in ("lr", "ab", "fb"))
LR = TASKS[0]


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    roles = things(row)
    return [difference(scene, row, roles["target"], roles["reference"], axis_of(row))]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    if unseen(scene, row, [things(row)["target"]]):
        return UNKNOWN
    value = truth(scene, row)[0]
    return "Yes" if said_side(bare(row), axis_of(row)) * value > 0 else "No"


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
def test_answers_equal_the_truth(studio: Studio, task: str) -> None:
    check_answers(studio, task, "select", sys.modules[__name__], 100)


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
def test_what_is_left_shows_it_clearly_or_not_at_all(studio: Studio, task: str) -> None:
    check_left(studio, task, ["target"], of_twelve=4)
    check_hidden(studio, task, ["target"])
    for row in studio.rows(task):
        scene, roles = studio.truths[row["scene"]], things(row)
        check_clear(scene, row, roles["target"], roles["reference"], axis_of(row))
        assert sorted(row["options"]) == sorted(["Yes", "No", UNKNOWN])


LAMP_AND_SOFA = [("lamp", box(-1.0, 0.0, z=3.0)), ("sofa", box(0.0, 0.0, z=3.0))]
SOFA, LAMP, NEITHER = {1: shown()}, {0: shown()}, {}


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        # With the one view that shows the lamp, or the other that does not, two are left; asked about the sofa's.
        ([SOFA, LAMP, NEITHER], {"ok": 2}),
        ([SOFA, LAMP], {"few_views": 2}),
        # As many others as show it must be there to be withheld, the asked one aside.
        ([SOFA, LAMP, LAMP, NEITHER], {"few_views": 1, "ok": 2}),
        ([SOFA, LAMP, LAMP, NEITHER, NEITHER], {"ok": 3}),
        ([{**SOFA, **LAMP}, LAMP, NEITHER], {"shown": 2, "ok": 1}),
        # A sliver of the lamp in another frame would be withheld as well, and too little be left; the sofa has none.
        ([SOFA, LAMP, {0: shown(0.0004)}], {"few_views": 1, "unclear_reference": 1, "ok": 1}),
    ],
)
def test_views_are_withheld_where_enough_are_left(frames: list[Any], expected: dict[str, int]) -> None:
    assert rejected(LR, made_sets(LAMP_AND_SOFA, frames), even=False) == expected


def test_the_parameter_says_how_many_cannot_be_answered() -> None:
    made = made_sets(LAMP_AND_SOFA, [SOFA, LAMP, NEITHER])
    for of_twelve, kind, left in ((12, "undetermined", 2), (0, "hidden", 2)):
        rows = ask(LR, made, even=False, undetermined_of_twelve=of_twelve)
        assert {row["diagnostics"]["answer_is"] for row in rows} == {kind}
        for row in rows:
            names = {item["frame"] for item in row["frames"]}
            assert len(names) == left and row["diagnostics"]["visibility"] == "partial"
            # What is asked for is in frame 1, asked about frame 0, or the other way round.
            about = "0" if row["objects"][0]["instance"] == 0 else "1"
            assert about in names and ({"0", "1"} <= names) == (kind == "hidden")
