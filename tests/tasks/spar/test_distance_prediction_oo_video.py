"""Distance between two objects marked in a video, recomputed from the truth."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest
from asked_homes import Asked
from question_truth import Truth
from spar_checks import (
    check_answers,
    check_apart,
    check_margins,
    check_points_in_views,
    check_video,
    parsed_number,
    printed_number,
    roles_of,
)

TASK = "distance_prediction_oo_video"
FORMATS = ("fill", "select", "sentence")


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters between the two objects' centers."""
    things = roles_of(row)
    return [math.dist(scene.objects[things["red"]].center, scene.objects[things["blue"]].center)]


def printed(value: list[float]) -> list[str]:
    return printed_number(value)


def parsed(row: dict[str, Any]) -> list[str]:
    return parsed_number(row)


@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(studio_asked: Asked, form: str) -> None:
    # Six objects make fifteen pairs, whatever the frames.
    check_answers(studio_asked, TASK, form, sys.modules[__name__])


@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, form: str) -> None:
    check_margins(asked, TASK, form, sys.modules[__name__])


def test_points_are_on_their_objects_in_two_frames(asked: Asked) -> None:
    assert check_points_in_views(asked, TASK, ["red", "blue"]) == 1.0


def test_the_question_says_in_which_frames(asked: Asked) -> None:
    check_video(asked, TASK)


def test_pairs_are_apart(asked: Asked) -> None:
    check_apart(asked, TASK, ("red", "blue"), 0.3)
