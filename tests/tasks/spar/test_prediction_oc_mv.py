"""Depth and distance of an object from the first of three views, recomputed from the truth."""

from __future__ import annotations

import math
import re
import sys
from typing import Any

import pytest
from asked_homes import Asked
from question_truth import Truth
from spar_checks import (
    check_answers,
    check_margins,
    check_points_in_views,
    check_views,
    one_decimal,
    parsed_number,
    printed_number,
    roles_of,
)

DEPTH, DISTANCE = "depth_prediction_oc_mv", "distance_prediction_oc_mv"
TASKS = (DEPTH, DISTANCE)
FORMATS = ("fill", "select", "sentence")


def number(scene: Truth, row: dict[str, Any], role: str) -> float:
    """Of one object, meters from the first image's camera: along its axis, or straight."""
    frame = scene.frames[row["frames"][0]["frame"]]
    center = scene.objects[roles_of(row)[role]].center
    return float(frame.in_camera(center)[2]) if row["task"] == DEPTH else math.dist(center, frame.position)


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    return [number(scene, row, "blue")]


def printed(value: list[float]) -> list[str]:
    return printed_number(value)


def parsed(row: dict[str, Any]) -> list[str]:
    return parsed_number(row)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(asked: Asked, task: str, form: str) -> None:
    check_answers(asked, task, form, sys.modules[__name__])


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, task: str, form: str) -> None:
    check_margins(asked, task, form, sys.modules[__name__])


@pytest.mark.parametrize("task", TASKS)
def test_three_views_are_shown(asked: Asked, task: str) -> None:
    check_views(asked, task)


@pytest.mark.parametrize("task", TASKS)
def test_red_is_marked_in_the_first_image_and_blue_in_another(asked: Asked, task: str) -> None:
    assert check_points_in_views(asked, task, ["red", "blue"]) == 1.0
    for row in asked.rows(task):
        red, blue = (mark["frame"] for mark in row["marks"])
        assert red == row["frames"][0]["frame"] != blue


@pytest.mark.parametrize("task", TASKS)
def test_the_reference_is_given_as_it_is(asked: Asked, task: str) -> None:
    for row in asked.rows(task):
        given = number(asked.truths[row["scene"]], row, "red")
        assert abs(row["given"][0] - given) < 1e-3
        assert re.findall(r"(\d+\.\d) ", row["stem"]) + re.findall(r"is (\d+\.\d)\.", row["stem"]) == [
            one_decimal(given)
        ]


@pytest.mark.parametrize("task", TASKS)
def test_what_is_asked_about_is_in_front_of_the_first_camera(asked: Asked, task: str) -> None:
    hidden = 0
    for row in asked.rows(task):
        scene, name = asked.truths[row["scene"]], row["frames"][0]["frame"]
        blue = roles_of(row)["blue"]
        assert 0.3 <= scene.frames[name].in_camera(scene.objects[blue].center)[2] <= 8.0
        hidden += blue not in scene.visible(name)
    assert hidden > 0 or asked.name == "tiny"


def test_distances_are_no_less_than_depths(asked: Asked) -> None:
    """The same objects from the same camera."""
    depths = {(row["scene"], str(row["frames"]), str(row["objects"])): row for row in asked.rows(DEPTH)}
    both = [
        (depths[key], row)
        for row in asked.rows(DISTANCE)
        if (key := (row["scene"], str(row["frames"]), str(row["objects"]))) in depths
    ]
    assert both and all(depth["value"][0] < distance["value"][0] for depth, distance in both)
