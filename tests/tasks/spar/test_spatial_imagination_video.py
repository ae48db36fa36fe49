"""Where objects are after a move in the mind, told from a video, recomputed from the truth."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from asked_homes import Asked
from made_scene import FACTS
from question_truth import Truth
from relation_checks import WORDS, after_move, before_move, check_boxes, check_moves, twice_spoken
from spar_checks import check_answers, check_margins, check_video, roles_of

from spatial_assets.scene.categories import may_mean
from spatial_assets.tasks.registry import task as task_named

MARKED = ("spatial_imagination_oc_video", "spatial_imagination_oo_video")
HARD = tuple(f"{task}_hard" for task in MARKED)
TASKS = (*MARKED, *HARD)
ROLES = ["green", "blue", "red", "yellow"]
KINDS = {"oc": ("lr", "ab", "fb"), "oo": ("lr", "ab", "fc", "fb", "fb")}


def kinds_of(row: dict[str, Any]) -> tuple[str, ...]:
    return KINDS[row["task"].split("_")[2]]


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """What was so for the camera of the first frame, then what is so after the move."""
    slots, things = len(kinds_of(row)), roles_of(row)
    frame = scene.frames[row["frames"][0]["frame"]]
    return [*before_move(scene, things, frame, slots), *after_move(scene, things, slots)]


def printed(value: list[float]) -> list[str]:
    """What is more or less: the words are told by their sign, since the third differs between the tasks."""
    return ["more" if number > 0.1 else "less" if number < -0.1 else "" for number in value]


def parsed(row: dict[str, Any]) -> list[str]:
    more = {pair[1] for pair in WORDS.values()}
    return [
        word and ("more" if word in more else "less") for word in twice_spoken(row["answer"], kinds_of(row))
    ]


@pytest.mark.parametrize("task", TASKS)
def test_answers_equal_the_truth(studio_asked: Asked, task: str) -> None:
    check_answers(studio_asked, task, "sentence", sys.modules[__name__])


@pytest.mark.parametrize("task", TASKS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, task: str) -> None:
    check_margins(asked, task, "sentence", sys.modules[__name__])


@pytest.mark.parametrize("task", TASKS)
def test_moves_can_be_made(asked: Asked, task: str) -> None:
    check_moves(asked, task)


@pytest.mark.parametrize("task", MARKED)
def test_boxes_are_in_frames_that_the_question_names(asked: Asked, task: str) -> None:
    check_boxes(asked, task, ROLES[: 3 if "_oc_" in task else 4])
    check_video(asked, task)


@pytest.mark.parametrize("task", HARD)
def test_names_stand_for_one_object_of_the_whole_scene(asked: Asked, task: str) -> None:
    for row in asked.rows(task):
        assert row["marks"] == [] and "box)" not in row["question"] + row["answer"]
        objects = asked.truths[row["scene"]].objects
        for thing in row["objects"]:
            word = objects[thing["instance"]].category
            assert re.search(rf"\bthe {re.escape(word)}\b", row["question"], re.IGNORECASE)
            meant = [other for other in objects.values() if may_mean(word, other.category)]
            assert len(meant) == 1


def test_a_scene_without_a_sequence_has_no_video() -> None:
    for task in TASKS:
        assert task_named(task).needs["sentence"] - set(FACTS)
