"""Difference in depth of two objects marked in one of three views, recomputed from the truth."""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import Any

import pytest
from asked_homes import Asked
from question_truth import Truth
from spar_checks import (
    check_answers,
    check_apart,
    check_margins,
    check_points_in_views,
    check_views,
    one_decimal,
    parsed_number,
    printed_number,
    roles_of,
)

TASK = "depth_prediction_oo_mv"
FORMATS = ("fill", "select", "sentence")


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Difference of the z of two centers in the camera of the image with the marks, meters."""
    frame, things = scene.frames[row["marks"][0]["frame"]], roles_of(row)
    green, blue = (frame.in_camera(scene.objects[things[role]].center)[2] for role in ("green", "blue"))
    return [float(abs(green - blue))]


def printed(value: list[float]) -> list[str]:
    return printed_number(value)


def parsed(row: dict[str, Any]) -> list[str]:
    return parsed_number(row)


@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(asked: Asked, form: str) -> None:
    check_answers(asked, TASK, form, sys.modules[__name__])


@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, form: str) -> None:
    check_margins(asked, TASK, form, sys.modules[__name__])


def test_three_views_are_shown(asked: Asked) -> None:
    check_views(asked, TASK)


def test_points_are_on_their_objects_in_one_image(asked: Asked) -> None:
    assert check_points_in_views(asked, TASK, ["red", "blue", "green"]) == 0.0


def test_each_of_the_three_images_has_the_marks_about_as_often(asked: Asked) -> None:
    found: Counter[int] = Counter()
    rows = asked.rows(TASK)
    for row in rows:
        names = [item["frame"] for item in row["frames"]]
        found[names.index(row["marks"][0]["frame"])] += 1
    assert all(found[place] > len(rows) / 6 for place in range(3))


def test_pairs_are_apart(asked: Asked) -> None:
    check_apart(asked, TASK, ("green", "blue"), 0.3)


def test_the_reference_is_given_as_it_is(asked: Asked) -> None:
    for row in asked.rows(TASK):
        scene = asked.truths[row["scene"]]
        frame = scene.frames[row["marks"][0]["frame"]]
        depth = frame.in_camera(scene.objects[roles_of(row)["red"]].center)[2]
        assert abs(row["given"][0] - depth) < 1e-3
        assert re.findall(r"(\d+\.\d) meters", row["stem"]) == [one_decimal(depth)]
