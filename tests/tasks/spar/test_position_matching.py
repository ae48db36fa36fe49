"""The box of an object in another image, recomputed from the truth."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from asked_homes import Asked
from made_scene import FACTS, Tables, pose, rejected
from question_truth import Truth
from spar_checks import (
    check_answers,
    check_margins,
    whole,
)

TASK = "position_matching"
FORMATS = ("fill", "select", "sentence")


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Bounds of the object's visible pixels in the second image, on the grid."""
    return list(scene.box(row["frames"][1]["frame"], row["objects"][0]["instance"]))


def printed(value: list[float]) -> list[int]:
    return [whole(number) for number in value]


def parsed(row: dict[str, Any]) -> list[int]:
    text = row["answer"]
    if row["format"] == "select":
        text = row["options"]["ABCD".index(text)]
    pattern = r"\[(\d+), (\d+), (\d+), (\d+)\]"
    found = re.search(pattern, text) if row["format"] == "sentence" else re.fullmatch(pattern, text)
    assert found, text
    return [int(number) for number in found.groups()]


@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(asked: Asked, form: str) -> None:
    check_answers(asked, TASK, form, sys.modules[__name__], asked.name == "studio")


@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, form: str) -> None:
    check_margins(asked, TASK, form, sys.modules[__name__])


def test_boxes_to_match_are_marked_in_the_first_image_only(asked: Asked) -> None:
    exact = 0
    rows = asked.rows(TASK)
    for row in rows:
        truth = asked.truths[row["scene"]]
        (mark,) = row["marks"]
        (thing,) = row["objects"]
        first, second = (item["frame"] for item in row["frames"])
        assert (mark["role"], mark["shape"], mark["color"], mark["frame"]) == ("red", "box", "red", first)
        assert first != second
        exact += mark["xy"] == [whole(number) for number in truth.box(first, thing["instance"])]
        assert truth.objects[thing["instance"]].category in row["question"]
    assert exact >= 0.97 * len(rows)


def matching(first: list[dict[str, Any]], objects: dict[int, str], **parameters: Any) -> dict[str, int]:
    """What becomes of objects that both frames show alike."""
    observations = [{**row, "frame": name} for name in ("0", "1") for row in first]
    made = Tables(pose(10.0), facts=FACTS, objects=objects, observations=observations)
    return rejected("position_matching", made, **parameters)


def test_matching_rejects_what_the_red_box_does_not_single_out() -> None:
    chair = {"instance": 1}
    aside = {"instance": 2, "box": [500.0, 100.0, 700.0, 300.0], "amodal_box": [500.0, 100.0, 700.0, 300.0]}
    over = {"instance": 2, "box": [110.0, 100.0, 310.0, 300.0], "amodal_box": [110.0, 100.0, 310.0, 300.0]}
    assert matching([chair, aside], {1: "chair", 2: "office chair"}) == {"ok": 4}
    # The office chair's name does not mean the plain one.
    assert matching([chair, over], {1: "chair", 2: "office chair"}) == {"ambiguous_box": 2, "ok": 2}
    assert matching([chair, over], {1: "chair", 2: "table"}) == {"ok": 4}


def test_matching_rejects_objects_whose_box_depends_on_what_hides_them() -> None:
    half = {"instance": 1, "amodal_box": [100.0, 100.0, 500.0, 300.0]}
    assert matching([half], {1: "chair"}) == {"partly_hidden": 2}
    assert matching([half], {1: "chair"}, min_box_agreement=0.4) == {"ok": 2}
    odd = {"instance": 1, "box": [100.5, 100.0, 300.0, 300.0]}
    assert matching([odd], {1: "chair"}) == {"ok": 2}
