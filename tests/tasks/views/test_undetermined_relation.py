"""Where an object lies relative to another, or no view shows it: from the truth's boxes and a ray caster."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from mosaic_checks import axis_of, check_clear, difference
from question_truth import Truth
from video_scenes import Studio, check_answers, things
from withheld_checks import UNKNOWN, check_hidden, check_left, holds, said_sides, unseen

TASKS = tuple(f"undetermined_relation_{axis}" for axis in ("lr", "ab", "fb"))


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    roles, own = things(row), axis_of(row)
    (option, *_) = (text for text in row["options"] if text != UNKNOWN)
    (other,) = said_sides(option).keys() - {own}
    return [difference(scene, row, roles["target"], roles["reference"], axis) for axis in (own, other)]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    if unseen(scene, row, [things(row)["target"]]):
        return UNKNOWN
    (right,) = (text for text in row["options"] if text != UNKNOWN and holds(scene, row, text))
    return str(right)


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
def test_answers_equal_the_truth(studio: Studio, task: str) -> None:
    check_answers(studio, task, "select", sys.modules[__name__], 100)


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
def test_what_is_left_shows_it_clearly_or_not_at_all(studio: Studio, task: str) -> None:
    check_left(studio, task, ["target"])
    check_hidden(studio, task, ["target"])


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
def test_three_descriptions_of_two_axes_are_offered_and_one_of_them_is_true(
    studio: Studio, task: str
) -> None:
    """Also where none can be told, so that options say nothing of that."""
    corners = 0
    for row in studio.rows(task):
        scene, roles = studio.truths[row["scene"]], things(row)
        described = [said_sides(text) for text in row["options"] if text != UNKNOWN]
        assert len(described) == 3 and len({tuple(sorted(it.items())) for it in described}) == 3
        assert len({tuple(sorted(it)) for it in described}) == 1 and axis_of(row) in described[0]
        for axis in described[0]:
            check_clear(scene, row, roles["target"], roles["reference"], axis)
        (right,) = (
            said_sides(text) for text in row["options"] if text != UNKNOWN and holds(scene, row, text)
        )
        # Of three of two sides by two, one shares a side with either of the others: as often the right one as not.
        corners += all(set(right.items()) & set(other.items()) for other in described)
    assert 0.2 <= corners / len(studio.rows(task)) <= 0.47
