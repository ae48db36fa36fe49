"""Which of three objects lies on a side of another, or no view shows them: from the truth's boxes and a ray caster."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mosaic_checks import axis_of, check_clear, difference, said_side
from mosaic_scene import made_sets, shown
from question_truth import Truth
from video_scenes import Studio, box, chosen_text, rejected, things
from withheld_checks import UNKNOWN, bare, check_hidden, check_left, unseen

TASKS = tuple(f"undetermined_attribute_{axis}" for axis in ("lr", "ab", "fb"))
OFFERED = ["answer", "other-1", "other-2"]


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    roles = things(row)
    (one,) = right(scene, row)
    return [difference(scene, row, one, roles["reference"], axis_of(row))]


def right(scene: Truth, row: dict[str, Any]) -> list[int]:
    """Which of those offered lie on the side asked for."""
    roles, axis = things(row), axis_of(row)
    side = said_side(bare(row), axis)
    return [
        roles[role]
        for role in OFFERED
        if side * difference(scene, row, roles[role], roles["reference"], axis) > 0
    ]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    roles = things(row)
    if unseen(scene, row, [roles[role] for role in OFFERED]):
        return UNKNOWN
    (one,) = right(scene, row)
    return scene.objects[one].category


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
def test_answers_equal_the_truth(studio: Studio, task: str) -> None:
    """Also of what names suggest, which is mostly left out by lot: too few rows would be left of these scenes."""
    for parameters in ({}, {"even": False}):
        for row in studio.rows(task, **parameters):
            scene = studio.truths[row["scene"]]
            assert chosen_text(row) == printed(scene, row)
            assert row["value"] == pytest.approx(truth(scene, row), abs=1e-3)
    assert len(studio.rows(task, even=False)) >= 100


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
def test_what_is_left_shows_all_three_clearly_or_none(studio: Studio, task: str) -> None:
    check_left(studio, task, OFFERED, even=False)
    check_hidden(studio, task, OFFERED, even=False)
    for row in studio.rows(task, even=False):
        scene, roles = studio.truths[row["scene"]], things(row)
        words = [scene.objects[roles[role]].category for role in OFFERED]
        assert sorted(row["options"]) == sorted([*words, UNKNOWN])
        signs = []
        for role in OFFERED:
            check_clear(scene, row, roles[role], roles["reference"], axis_of(row))
            signs.append(np.sign(difference(scene, row, roles[role], roles["reference"], axis_of(row))))
        # Also where it cannot be told, one of them alone lies there.
        assert signs[0] == -signs[1] == -signs[2] == said_side(bare(row), axis_of(row))


def test_all_three_must_be_in_views_that_can_be_withheld_together() -> None:
    objects = [
        ("sofa", box(0.0, 0.0, z=3.0)),
        ("lamp", box(-1.0, 0.0, z=3.0)),
        ("vase", box(1.0, 0.0, z=3.0)),
        ("clock", box(1.5, 0.0, z=3.0)),
    ]
    sofa, others = {0: shown()}, {1: shown(), 2: shown(), 3: shown()}
    found = rejected(TASKS[0], made_sets(objects, [sofa, others, {}]), even=False)
    # The lamp is alone on the left of the sofa, which itself, asked about from the others' frame, has none beside it.
    assert found == {"ok": 1, "few_others": 5, "shown": 6}
    apart = made_sets(objects, [sofa, {1: shown(), 2: shown()}, {3: shown()}])
    assert "ok" not in rejected(TASKS[0], apart, even=False)
    # Of five views two can be withheld, that show the three between them.
    five = made_sets(objects, [sofa, {1: shown(), 2: shown()}, {3: shown()}, {}, {}])
    assert rejected(TASKS[0], five, even=False)["ok"] == 1
