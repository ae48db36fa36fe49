"""How marked objects lie to the first of three views, or to each other in it, recomputed from the truth."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest
from asked_homes import Asked
from question_truth import Truth
from relation_checks import (
    OPPOSITE,
    SAID,
    WORDS,
    between,
    check_boxes,
    check_evenly_offered,
    chosen,
    in_view,
    once_spoken,
    words_of,
)
from spar_checks import check_answers, check_margins, check_views, roles_of

OC, OO = "obj_spatial_relation_oc_mv", "obj_spatial_relation_oo_mv"
CASES = [(OC, "select"), (OC, "sentence"), (OO, "judge"), (OO, "select"), (OO, "sentence")]
KINDS = {OC: ("lr", "ab", "fb"), OO: ("lr", "ab", "fc", "fb", "fb")}


def stated(row: dict[str, Any]) -> str:
    """The word that a judge row's question states."""
    (word,) = [word for word in SAID if re.search(SAID[word], row["stem"].split(" The first image is ")[0])]
    return word


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters to the right, up and to the front of the first image's camera, or between two things there."""
    frame, things = scene.frames[row["frames"][0]["frame"]], roles_of(row)
    red = in_view(frame, scene.objects[things["red"]].center)
    if row["task"] == OC:
        return [float(number) for number in red]
    blue = in_view(frame, scene.objects[things["blue"]].center)
    values = [*between(red, blue), float(red[2]), float(blue[2])]
    if row["format"] != "judge":
        return values
    return [values[kind] for kind in range(3) if stated(row) in WORDS[KINDS[OO][kind]]]


def printed(value: list[float]) -> list[str]:
    """What is more or less: the words are told by their sign, since the third differs between the tasks."""
    return ["more" if number > 0.1 else "less" if number < -0.1 else "" for number in value]


def parsed(row: dict[str, Any]) -> list[str]:
    if row["format"] == "judge":
        found = [stated(row) if row["answer"] == "Yes" else OPPOSITE[stated(row)]]
    elif row["format"] == "select":
        found = chosen(row)
        assert all(
            not word or word in WORDS[kind] for word, kind in zip(found, KINDS[row["task"]], strict=True)
        )
    else:
        found = once_spoken(row["answer"], KINDS[row["task"]])
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
    check_boxes(asked, task, ["red", "blue"][: 1 if task == OC else 2])
    check_views(asked, task)


def test_one_object_is_marked_outside_of_the_main_view(asked: Asked) -> None:
    for row in asked.rows(OC):
        assert row["marks"][0]["frame"] != row["frames"][0]["frame"]


def test_options_tell_nothing(asked: Asked) -> None:
    check_evenly_offered(asked, OC, ["red"])
    check_evenly_offered(asked, OO, ["red", "blue"])


def test_statements_are_true_and_false_alike(tiny_asked: Asked, studio_asked: Asked) -> None:
    rows = [row for asked in (tiny_asked, studio_asked) for row in asked.rows(OO, "judge")]
    assert 0.4 < np.mean([row["answer"] == "Yes" for row in rows]) < 0.6
    assert all(abs(row["value"][0]) >= 0.13 - 1e-9 for row in rows)


def test_words_of_each_slot_all_come_up(studio_asked: Asked) -> None:
    values = np.array([row["value"] for row in studio_asked.rows(OO, "sentence")])
    assert all(set(printed(column)) >= {"more", "less"} for column in values[:, :3].T.tolist())
    assert words_of([0.2, 0.0], ("lr", "fb")) == ["right", ""]
