"""Where the second camera stands in the first image, recomputed from the truth."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from asked_homes import Asked
from made_scene import Tables, pose, rejected, rows_of
from question_truth import Truth
from spar_checks import (
    check_answers,
    check_margins,
    one_decimal,
    whole,
)

TASK = "camera_motion_infer"
FORMATS = ("fill", "select", "sentence")


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """The second camera's position in the first image, on the grid, and its depth there, meters."""
    first, second = (scene.frames[item["frame"]] for item in row["frames"])
    return [*first.on_grid(second.position), float(first.in_camera(second.position)[2])]


def printed(value: list[float]) -> list[Any]:
    return [whole(value[0]), whole(value[1]), one_decimal(value[2])]


def parsed(row: dict[str, Any]) -> list[Any]:
    text = row["answer"]
    if row["format"] == "select":
        text = row["options"]["ABCD".index(text)]
    pattern = {
        "fill": r"^\((\d+),(\d+)\),(\d+\.\d)$",
        "select": r"^Image Coor:\((\d+), (\d+)\), Depth:(\d+\.\d) meters$",
        "sentence": r"\((\d+),(\d+)\).* (\d+\.\d) meters\b",
    }[row["format"]]
    found = re.search(pattern, text)
    assert found, text
    return [int(found[1]), int(found[2]), found[3]]


@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(asked: Asked, form: str) -> None:
    check_answers(asked, TASK, form, sys.modules[__name__])


@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, form: str) -> None:
    check_margins(asked, TASK, form, sys.modules[__name__])


def test_cameras_are_in_the_image_and_linked(asked: Asked) -> None:
    for row in asked.rows(TASK):
        x, y, depth = row["value"]
        assert 0 <= x < 1000 and 0 <= y < 1000 and depth >= 0.3
        assert row["marks"] == [] and row["objects"] == []
        first, second = (item["frame"] for item in row["frames"])
        truth = asked.truths[row["scene"]]
        assert first != second
        assert truth.visible(first) & truth.visible(second), "nothing links the images"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((0.5, 0.1, 2.02), {"ok": 1, "behind": 1}),
        ((0.0, 0.0, 0.2), {"behind": 2}),
        ((0.3, 0.11, -2.02), {"behind": 1, "ok": 1}),
        ((5.0, 0.0, 2.02), {"outside": 1, "behind": 1}),
        ((0.0, 1.5, 2.02), {"outside": 1, "behind": 1}),
        ((0.5, 0.1, 2.0499), {"rounding": 1, "behind": 1}),
        # x = 500.5 on the grid, to within a hundredth
        ((0.5005 * 2.02 / 0.6 - 0.5 * 2.02 / 0.6, 0.1, 2.02), {"rounding": 1, "behind": 1}),
    ],
)
def test_cameras_at_their_limits(at: tuple[float, float, float], expected: dict[str, int]) -> None:
    assert rejected("camera_motion_infer", Tables(pose(0.0, 0.0, at))) == expected


def test_the_second_camera_is_placed_as_projected_by_hand() -> None:
    rows = rows_of("camera_motion_infer", Tables(pose(0, 0, (0.5, 0.1, 2.02))))
    x, y, depth = next(row for row in rows if row["format"] == "fill")["value"]
    assert x == pytest.approx(500 + 600 * 0.5 / 2.02) and depth == pytest.approx(2.02)
    assert y == pytest.approx((400 + 600 * 0.1 / 2.02) / 0.8)
