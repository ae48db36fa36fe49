"""How large a boxed object is, by the truth's boxes."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest
from asked_homes import Asked
from made_scene import FACTS, Tables, pose, rejected, rows_of
from question_truth import Truth
from scipy.spatial.transform import Rotation
from spar_checks import check_answers, check_margins, roles_of, whole

TASK = "spatial_volume_infer"
FORMATS = ("fill", "sentence")


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Centimeters: the longer and the shorter side on the ground, and the height."""
    across, along, height = scene.objects[roles_of(row)["red"]].size.tolist()
    return [100 * max(across, along), 100 * min(across, along), 100 * height]


def printed(value: list[float]) -> list[str]:
    return [str(whole(side)) for side in value]


def parsed(row: dict[str, Any]) -> list[str]:
    """Sentences may say them in another order."""
    found = re.findall(r"\d+", row["answer"])
    if row["format"] == "fill":
        assert re.fullmatch(r"\d+, \d+, \d+", row["answer"])
        return found
    assert sorted(found) == sorted(printed(row["value"])), row["answer"]
    return printed(row["value"])


@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(asked: Asked, form: str) -> None:
    check_answers(asked, TASK, form, sys.modules[__name__])


@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, form: str) -> None:
    check_margins(asked, TASK, form, sys.modules[__name__])


def test_the_red_box_holds_the_object_s_pixels(asked: Asked) -> None:
    apart = 0
    rows = asked.rows(TASK)
    for row in rows:
        (mark,), (image,) = row["marks"], row["frames"]
        assert (mark["shape"], mark["color"], mark["frame"]) == ("box", "red", image["frame"])
        corners = asked.truths[row["scene"]].box(image["frame"], roles_of(row)["red"])
        apart += max(abs(a - b) for a, b in zip(mark["xy"], corners, strict=True)) > 1000 / 240 + 1
    assert rows and apart <= 0.03 * len(rows)


@pytest.mark.parametrize(
    ("size", "degrees", "expected"),
    [
        ([0.802, 1.203, 0.502], 0.0, {"ok": 1}),
        ([0.802, 1.203, 0.502], 0.9, {"ok": 1}),
        ([0.802, 1.203, 0.502], 1.1, {"tilted": 1}),
        ([0.802, 1.203, 0.029], 0.0, {"thin": 1}),
        ([0.80495, 1.203, 0.502], 0.0, {"rounding": 1}),
        ([0.802, 1.203, 0.50505], 0.0, {"rounding": 1}),
    ],
)
def test_upright_thick_and_firmly_rounded(
    size: list[float], degrees: float, expected: dict[str, int]
) -> None:
    made = Tables(pose(), facts=FACTS, objects={1: "table"}, observations=[{"frame": "0", "instance": 1}])
    (thing,) = made.rows["objects"]
    thing["size"] = size
    thing["rotation"] = Rotation.from_euler("x", degrees, degrees=True).as_matrix().ravel().tolist()
    assert rejected(TASK, made, "fill") == expected


def test_length_is_the_longer_side_on_the_ground_whichever_axis_it_lies_on() -> None:
    answers = set()
    for size, axes in (
        ([0.802, 1.203, 0.502], np.eye(3)),
        ([1.203, 0.802, 0.502], np.eye(3)),
        # The box's first axis is the vertical one.
        ([0.502, 1.203, 0.802], np.array([[0, 0, 1.0], [0, 1.0, 0], [-1.0, 0, 0]])),
    ):
        made = Tables(pose(), facts=FACTS, objects={1: "table"}, observations=[{"frame": "0", "instance": 1}])
        (thing,) = made.rows["objects"]
        thing["size"], thing["rotation"] = size, axes.ravel().tolist()
        answers |= {row["answer"] for row in rows_of(TASK, made) if row["format"] == "fill"}
    assert answers == {"120, 80, 50"}
