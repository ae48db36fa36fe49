"""Where marked objects are after a move in the mind, told from three images, recomputed from the truth."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from asked_homes import Asked
from question_truth import Truth
from relation_checks import (
    WORDS,
    after_move,
    before_move,
    check_boxes,
    check_evenly_offered,
    check_moves,
    chosen,
    twice_spoken,
)
from spar_checks import check_answers, check_margins, check_views, roles_of

OC, OO = "spatial_imagination_oc_mv", "spatial_imagination_oo_mv"
CASES = [(task, form) for task in (OC, OO) for form in ("select", "sentence")]
KINDS = {OC: ("lr", "ab", "fb"), OO: ("lr", "ab", "fc", "fb", "fb")}


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """What is so after the move; a sentence says first what was so for the first image's camera."""
    slots = len(KINDS[row["task"]])
    after = after_move(scene, roles_of(row), slots)
    if row["format"] == "select":
        return after
    frame = scene.frames[row["frames"][0]["frame"]]
    return [*before_move(scene, roles_of(row), frame, slots), *after]


def printed(value: list[float]) -> list[str]:
    """What is more or less: the words are told by their sign, since the third differs between the tasks."""
    return ["more" if number > 0.1 else "less" if number < -0.1 else "" for number in value]


def parsed(row: dict[str, Any]) -> list[str]:
    kinds = KINDS[row["task"]]
    found = chosen(row) if row["format"] == "select" else twice_spoken(row["answer"], kinds)
    assert all(not word or word in WORDS[kind] for word, kind in zip(found, kinds * 2, strict=False))
    more = {pair[1] for pair in WORDS.values()}
    return [word and ("more" if word in more else "less") for word in found]


@pytest.mark.parametrize(("task", "form"), CASES)
def test_answers_equal_the_truth(asked: Asked, task: str, form: str) -> None:
    check_answers(asked, task, form, sys.modules[__name__])


@pytest.mark.parametrize(("task", "form"), CASES)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, task: str, form: str) -> None:
    check_margins(asked, task, form, sys.modules[__name__])


@pytest.mark.parametrize("task", [OC, OO])
def test_boxes_are_around_their_objects(asked: Asked, task: str) -> None:
    check_boxes(asked, task, ["green", "blue", "red", "yellow"][: 3 if task == OC else 4])
    check_views(asked, task)


def test_options_tell_nothing(asked: Asked) -> None:
    check_evenly_offered(asked, OC, ["green", "red"])
    check_evenly_offered(asked, OO, ["red", "yellow"])


@pytest.mark.parametrize("task", [OC, OO])
def test_moves_can_be_made(asked: Asked, task: str) -> None:
    check_moves(asked, task)
