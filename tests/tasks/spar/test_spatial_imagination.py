"""Where marked objects are after a move in the mind, recomputed from the truth."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from asked_homes import Asked
from made_scene import FACTS, Tables, pose, rejected, rows_of
from question_truth import Truth
from relation_checks import (
    after_move,
    before_move,
    check_boxes,
    check_evenly_offered,
    check_moves,
    chosen,
    twice_spoken,
    words_of,
)
from spar_checks import check_answers, check_margins, roles_of

TASKS = ("spatial_imagination_oc", "spatial_imagination_oo")
FORMATS = ("select", "sentence")
CASES = [(task, form) for task in TASKS for form in FORMATS]
KINDS = {"spatial_imagination_oc": ("lr", "ab", "fb"), "spatial_imagination_oo": ("lr", "ab", "fc")}


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """How red lies to the viewer, or to yellow, after the move; a sentence says first how it did before."""
    after = after_move(scene, roles_of(row))
    if row["format"] == "select":
        return after
    return [*before_move(scene, roles_of(row), scene.frames[row["frames"][0]["frame"]]), *after]


def printed(value: list[float]) -> list[str]:
    """The third word of one of each pair is not known here, so both tasks' words are told by their sign."""
    kinds = ("lr", "ab", "fb") * (len(value) // 3)
    return words_of(value, kinds)


def parsed(row: dict[str, Any]) -> list[str]:
    kinds = KINDS[row["task"]]
    found = chosen(row) if row["format"] == "select" else twice_spoken(row["answer"], kinds)
    return [{"farther": "front", "closer": "behind"}.get(word, word) for word in found]


@pytest.mark.parametrize(("task", "form"), CASES)
def test_answers_equal_the_truth(asked: Asked, task: str, form: str) -> None:
    check_answers(asked, task, form, sys.modules[__name__])


@pytest.mark.parametrize(("task", "form"), CASES)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, task: str, form: str) -> None:
    check_margins(asked, task, form, sys.modules[__name__])


@pytest.mark.parametrize("task", TASKS)
def test_boxes_are_around_their_objects(asked: Asked, task: str) -> None:
    check_boxes(asked, task, ["green", "blue", "red", "yellow"][: 3 if task.endswith("oc") else 4])


def test_options_tell_nothing(asked: Asked) -> None:
    check_evenly_offered(asked, "spatial_imagination_oc", ["green", "red"])
    check_evenly_offered(asked, "spatial_imagination_oo", ["red", "yellow"])


@pytest.mark.parametrize("task", TASKS)
def test_moves_can_be_made(asked: Asked, task: str) -> None:
    check_moves(asked, task)


UPRIGHT = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 1], [0, 0, 0, 1]])
"""A camera 1 m above the origin that looks along the world's y."""


def made(**centers: tuple[float, float, float]) -> Tables:
    """Objects in the order of their instances, seen by a level camera."""
    places = dict(enumerate(centers.values(), 1))
    made = Tables(
        pose(),
        facts=FACTS,
        objects=dict(enumerate(centers, 1)),
        observations=[{"frame": "0", "instance": i} for i in places],
        centers=places,
    )
    made.rows["frames"][0]["camera_to_world"] = UPRIGHT.ravel().tolist()
    return made


def only(tables: Tables, task: str) -> dict[str, list[float]]:
    """The sentence's values by the names of what is moved to, faced and asked about."""
    words = {item["instance"]: item["category"] for item in tables.rows["objects"]}
    return {
        " ".join(words[item["instance"]] for item in row["objects"]): row["value"]
        for row in rows_of(task, tables)
        if row["format"] == "sentence"
    }


def test_a_move_by_hand() -> None:
    """From the table one looks at the chair, to the east of it: the plant in the north is to the left."""
    scene = made(table=(0.0, 3.0, 0.5), chair=(2.0, 3.0, 0.5), plant=(0.5, 5.0, 1.0))
    found = only(scene, TASKS[0])
    assert np.allclose(found["table chair plant"], [0.5, 0.0, 5.0, -2.0, 0.5, 0.5])
    assert len(found) == 6


def test_turned_rooms_are_the_same_after_the_move_and_mirrors_are_not() -> None:
    places = {"table": (0.0, 3.0, 0.5), "chair": (1.5, 4.0, 0.5), "plant": (-1.0, 5.0, 1.2)}
    straight = only(made(**places), TASKS[0])
    mirrored = only(made(**{name: (-x, y, z) for name, (x, y, z) in places.items()}), TASKS[0])
    assert straight.keys() == mirrored.keys() and straight
    for name, value in straight.items():
        assert np.allclose(mirrored[name], np.array(value) * [-1, 1, 1, -1, 1, 1])


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        # Above the table: from there nobody knows which way to face, and nothing is left or right.
        ((0.1, 3.0, 2.5), "near"),
        ((1.2, 3.0, 2.5), "steep"),
        ((0.6, 3.0, 0.5), "boxes_overlap"),
        # On the line of sight but for a hand's breadth.
        ((4.0, 3.1, 0.5), "in_doubt"),
    ],
)
def test_moves_at_their_limits(plant: tuple[float, float, float], reason: str) -> None:
    centers = {"table": (0.0, 3.0, 0.5), "chair": (2.0, 3.0, 0.5), "plant": plant}
    assert reason in rejected(TASKS[0], made(**centers), "sentence")
