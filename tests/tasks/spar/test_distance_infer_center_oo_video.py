"""Which of four objects in a video is closest to a fifth, or farthest from it, recomputed from the truth."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from typing import Any

import pytest
from asked_homes import Asked
from question_truth import Truth
from spar_checks import check_answers, check_cast, check_margins, check_video, roles_of

TASK = "distance_infer_center_oo_video"
FORMATS = ("fill", "select", "sentence")
FOUR = [f"object{place}" for place in range(4)]
COLORS = {"red": "red", "object0": "green", "object1": "blue", "object2": "yellow", "object3": "magenta"}


def relation_of(row: dict[str, Any]) -> str:
    (relation,) = re.findall("closest to|farthest from", row["stem"])
    return str(relation)


def answer_of(row: dict[str, Any]) -> str:
    """The role of the object that answers."""
    text = row["options"]["ABCD".index(row["answer"])] if row["format"] == "select" else row["answer"]
    (number,) = re.findall(r"Object(\d)", text)
    return f"object{number}"


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters from the red object to the one that answers, and to the next one in its stead."""
    things = roles_of(row)
    red = scene.objects[things.pop("red")].center
    distances = {role: math.dist(red, scene.objects[thing].center) for role, thing in things.items()}
    own = distances.pop(answer_of(row))
    return [own, (min if relation_of(row) == "closest to" else max)(distances.values())]


def printed(value: list[float]) -> list[str]:
    return ["closest to" if value[0] < value[1] else "farthest from"]


def parsed(row: dict[str, Any]) -> list[str]:
    return [relation_of(row)]


@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(studio_asked: Asked, form: str) -> None:
    check_answers(studio_asked, TASK, form, sys.modules[__name__])


@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, form: str) -> None:
    check_margins(asked, TASK, form, sys.modules[__name__])


def test_points_are_on_their_objects_each_in_a_frame_of_its_own(asked: Asked) -> None:
    check_video(asked, TASK)
    rows = asked.rows(TASK)
    off = 0
    for row in rows:
        scene = asked.truths[row["scene"]]
        assert [item["role"] for item in row["objects"]] == ["red", *FOUR]
        assert [(mark["role"], mark["color"]) for mark in row["marks"]] == list(COLORS.items())
        assert len({mark["frame"] for mark in row["marks"]}) == 5
        for mark, item in zip(row["marks"], row["objects"], strict=True):
            off += scene.pixel_of(mark["frame"], mark["xy"]) != item["instance"]
            name = scene.objects[item["instance"]].category
            assert f"the {name} ({mark['color']} point in Frame-" in row["stem"]
        for place, role in enumerate(FOUR):
            assert f"Object{place}, the " in row["stem"] and role in roles_of(row)
    assert off <= 0.005 * len(rows) * 5


def test_sentences_are_cast_in_their_wording(asked: Asked) -> None:
    for row in asked.rows(TASK, "sentence"):
        objects, things = asked.truths[row["scene"]].objects, roles_of(row)
        role = answer_of(row)
        check_cast(
            row,
            {
                "answer": role.capitalize(),
                "right": objects[things[role]].category,
                "red": objects[things["red"]].category,
                "relation": relation_of(row),
            },
        )


def test_distances_differ_clearly(asked: Asked) -> None:
    for row in asked.rows(TASK):
        near, far = sorted(row["value"])
        assert far - near >= 0.3 and far >= 1.15 * near


def test_every_number_is_right_about_as_often(studio_asked: Asked) -> None:
    rows = studio_asked.rows(TASK)
    found = Counter(answer_of(row) for row in rows)
    asked_for = Counter(relation_of(row) for row in rows)
    assert all(0.15 < found[role] / len(rows) < 0.35 for role in FOUR), found
    assert min(asked_for.values()) > 0.25 * len(rows), asked_for
