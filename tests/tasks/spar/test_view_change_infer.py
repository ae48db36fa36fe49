"""How the camera moved, recomputed from the truth."""

from __future__ import annotations

import math
import re
import sys
from typing import Any

import numpy as np
import pytest
from asked_homes import Asked
from made_scene import FACTS, Tables, pose, rejected
from question_truth import Truth
from spar_checks import (
    check_answers,
    check_margins,
    ninth,
)

from spatial_assets.tasks.core.generate import wording_of
from spatial_assets.tasks.registry import task as task_named

TASK = "view_change_infer"
FORMATS = ("fill", "sentence")


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters right, up and forward, degrees up and right; with an object, where both images show it."""
    first, second = (scene.frames[item["frame"]] for item in row["frames"])
    motion = list(first.motion_to(second))
    for item, thing in ((item, thing) for item in row["frames"] for thing in row["objects"]):
        x0, y0, x1, y1 = scene.box(item["frame"], thing["instance"])
        motion += [(x0 + x1) / 2000, (y0 + y1) / 2000]
    return motion


def printed(value: list[float]) -> list[Any]:
    meters = [math.floor(number * 10 + 0.5) / 10 for number in value[:3]]
    angles = [math.floor(number / 5 + 0.5) * 5 for number in value[3:5]]
    places = [ninth(value[i], value[i + 1]) for i in range(5, len(value), 2)]
    return [*meters, *angles, *places]


def parsed(row: dict[str, Any]) -> list[Any]:
    return parsed_motion(row["answer"]) if row["format"] == "fill" else parsed_motion_sentence(row["answer"])


def parsed_motion(text: str) -> list[float]:
    pattern = (
        r"move_(right|left):([\d.]+),move_(up|down):([\d.]+),move_(forward|backward):([\d.]+),"
        r"rotate_(up|down):(\d+),rotate_(right|left):(\d+)"
    )
    found = re.fullmatch(pattern, text)
    assert found, text
    parts = found.groups()
    for direction, number in zip(parts[::2], parts[1::2], strict=True):
        assert number == "0" or float(number) > 0
        assert number != "0" or direction in ("right", "up", "forward"), "one word for a zero"
    return [
        float(number) * (-1 if direction in ("left", "down", "backward") else 1)
        for direction, number in zip(parts[::2], parts[1::2], strict=True)
    ]


def parsed_motion_sentence(text: str) -> list[Any]:
    motion = [0.0] * 5
    for direction, number, axis in (
        (found[1], found[0], i)
        for i, pattern in enumerate(
            [
                r"Move ([\d.]+) meters to the (right|left)\.",
                r"Move ([\d.]+) meters (up|down)\.",
                r"Move ([\d.]+) meters (forward|backward)\.",
            ]
        )
        for found in re.findall(pattern, text)
    ):
        motion[axis] = float(number) * (-1 if direction in ("left", "down", "backward") else 1)
    for axis, pattern in (
        (3, r"Rotate (up|down) by (\d+) degrees"),
        (4, r"Turn (right|left) by (\d+) degrees"),
    ):
        for direction, number in re.findall(pattern, text):
            motion[axis] = float(number) * (-1 if direction in ("left", "down") else 1)
    places = "(?:top|bottom)-(?:left|right)|left|right|top|bottom|center"
    both = re.search(rf"is at the ({places}) of both images", text)
    one = re.search(rf"is at the ({places}) of the first image and at the ({places}) of the second", text)
    assert (both is None) != (one is None), text
    return [*motion, *(one.groups() if one else (both[1], both[1]))]


@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(asked: Asked, form: str) -> None:
    check_answers(asked, TASK, form, sys.modules[__name__], asked.name == "studio" and form == "sentence")


@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, form: str) -> None:
    check_margins(asked, TASK, form, sys.modules[__name__])


WIDER = {"office chair": {"chair"}, "armchair": {"chair"}, "desk": {"table"}, "stool": {"chair"}}
"""Some of the words that name more than one category, told apart from the package's own list."""


def test_objects_that_words_point_out_have_no_namesake(asked: Asked) -> None:
    rows = asked.rows(TASK, "sentence")
    for row in rows:
        truth = asked.truths[row["scene"]]
        (thing,) = row["objects"]
        word = truth.objects[thing["instance"]].category
        seen = set().union(*(truth.visible(item["frame"]) for item in row["frames"]))
        for other in seen - {thing["instance"]}:
            category = truth.objects[other].category
            assert word != category and word not in WIDER.get(category, set())
            assert not category.endswith(f" {word}") or word == "paper", (word, category)
        assert re.search(rf"\b[Tt]he {re.escape(word)}\b", row["answer"])


def test_an_office_chair_makes_chair_ambiguous(tiny_asked: Asked) -> None:
    """Chair and office chair stand in nearly every image; only the office chair may be named."""
    named = []
    for row in tiny_asked.rows(TASK, "sentence"):
        truth = tiny_asked.truths[row["scene"]]
        named.append(truth.objects[row["objects"][0]["instance"]].category)
        if named[-1] == "chair":
            seen = set().union(*(truth.visible(item["frame"]) for item in row["frames"]))
            assert not any(truth.objects[i].category == "office chair" for i in seen)
    assert "office chair" in named


@pytest.mark.parametrize(
    ("second", "overlap", "expected"),
    [
        (pose(31.0, 11.0), 0.5, {"ok": 2}),
        (pose(31.0, 11.0), 0.05, {"low_overlap": 2}),
        (pose(31.0, 11.0), 0.95, {"high_overlap": 2}),
        (pose(179.0, 1.0), 0.5, {"opposite": 2}),
        (pose(-171.0, 1.0), 0.5, {"opposite": 2}),
        (pose(169.0, 1.0), 0.5, {"ok": 2}),
        # Seen from a camera that looks up, the level one is to the side.
        (pose(31.0, 80.0), 0.5, {"steep": 1, "ok": 1}),
        (pose(1.0, 1.0, (0.01, 0.02, 0.03)), 0.5, {"no_motion": 2}),
    ],
)
def test_view_changes_at_their_limits(second: np.ndarray, overlap: float, expected: dict[str, int]) -> None:
    assert rejected("view_change_infer", Tables(second, overlap)) == expected


def test_view_change_keeps_off_rounding() -> None:
    """The way back has other numbers, so one of the two may pass."""
    for second in (
        pose(31.0, 11.0, (0.3504, 0.13, 0.58)),
        pose(31.0, 11.0, (0.33, -0.2496, 0.58)),
        pose(32.46, 11.0),
        pose(31.0, -12.52),
    ):
        assert rejected("view_change_infer", Tables(second)).get("rounding", 0) >= 1
    assert "rounding" not in rejected("view_change_infer", Tables(pose(32.4, 11.0)))


def test_images_of_bare_surface_are_not_asked_about() -> None:
    for task, second in (("view_change_infer", pose(31.0, 11.0)), ("camera_motion_infer", pose(3.0))):
        one = [{"frame": "0", "instance": 7}]
        both = [*one, {"frame": "1", "instance": 7}]
        tiny = [*one, {"frame": "1", "instance": 7, "visible_px": 10}]
        asked = rejected(task, Tables(second, facts=FACTS, objects={7: "chair"}, observations=both))
        for observations in (one, tiny):
            got = rejected(task, Tables(second, facts=FACTS, objects={7: "chair"}, observations=observations))
            assert got["no_shared_object"] == asked["ok"] and "ok" not in got


def test_centers_on_a_border_between_thirds_are_not_named() -> None:
    for middle, reason in ((331.0, "grid_border"), (345.0, "ok"), (660.0, "grid_border"), (500.0, "ok")):
        box = [middle - 50, 360.0, middle + 50, 440.0]
        observations = [{"frame": name, "instance": 7, "box": box} for name in ("0", "1")]
        made = Tables(pose(31.0, 11.0), facts=FACTS, objects={7: "chair"}, observations=observations)
        assert rejected("view_change_infer", made, "sentence") == {reason: 2}


def test_examples_in_instructions_are_answers_that_could_be_printed() -> None:
    """With one word for a zero, too."""
    instructions = wording_of(task_named(TASK)).formats["fill"].instruction
    assert len(instructions) >= 8
    for text in instructions.values():
        (example,) = re.findall(r"\bmove_(?:right|left):\S+?(?=\.?(?: |$))", text.replace(", with", " with"))
        assert len(parsed_motion(example)) == 5
