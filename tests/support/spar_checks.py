"""What the tests of SPAR's tasks share: printing by hand, and the checks that hold for every task's rows.

A task's test module declares `truth(scene, row)`, the unrounded values of a row's answer by the task's definition,
`printed(value)`, the parts that a value prints, and `parsed(row)`, the parts found in the printed answer.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from asked_homes import Asked

from spatial_assets.tasks import spar

SUITE = Path(spar.__file__).parent
LEAST_ROWS, LEAST_CHOSEN = 40, 4
"""Of two scenes; few candidates of small ones have options."""


def one_decimal(value: float) -> str:
    return f"{math.floor(value * 10 + 0.5) / 10:.1f}"


def whole(value: float) -> int:
    return math.floor(value + 0.5)


def ninth(across: float, down: float) -> str:
    column = "left" if across < 1 / 3 else "center" if across < 2 / 3 else "right"
    row = "top" if down < 1 / 3 else "middle" if down < 2 / 3 else "bottom"
    if row == "middle":
        return column
    return row if column == "center" else f"{row}-{column}"


def parsed_number(row: dict[str, Any]) -> list[str]:
    """The number in an answer of any format."""
    text = row["answer"]
    if row["format"] == "select":
        text = row["options"]["ABCD".index(text)]
    if row["format"] == "sentence":
        numbers = re.findall(r"(\d+\.\d) meters", text)
        assert set(numbers[:-1]) <= {one_decimal(given) for given in row["given"]}, text
        # Where a sentence says two numbers, the reference comes first.
        return numbers[-1:]
    assert re.fullmatch(r"\d+\.\d", text), text
    return [text]


def printed_number(value: list[float]) -> list[str]:
    return [one_decimal(value[0])]


def check_answers(asked: Asked, task: str, form: str, module: ModuleType, from_pixels: bool = False) -> None:
    """Every answer of a format equals the truth; `from_pixels` where the truth comes from another renderer."""
    rows = asked.rows(task, form)
    assert len(rows) >= (LEAST_CHOSEN if form == "select" else LEAST_ROWS)
    apart = 0
    for row in rows:
        scene = asked.truths[row["scene"]]
        value = module.truth(scene, row)
        assert len(value) == len(row["value"])
        assert module.parsed(row) == module.printed(row["value"])
        if from_pixels and not np.allclose(row["value"], value, atol=1e-4):
            # Two renderers may differ by a pixel where an edge passes through a pixel's center.
            frame = scene.frames[row["frames"][0]["frame"]]
            pixel = 1000 / min(frame.width, frame.height)
            scale = 1000 if task == "view_change_infer" else 1
            assert np.allclose(row["value"], value, atol=1.01 * pixel / scale), row["qa_id"]
            apart += 1
            continue
        # The boxes of the lake come from float32 vertices.
        assert np.allclose(row["value"], value, atol=1e-3), row["qa_id"]
        assert module.parsed(row) == module.printed(value), row["qa_id"]
    assert apart <= 0.03 * len(rows)


STEPS = {
    "spatial_imagination_map_mv": [0.1] * 8,
    "camera_motion_infer": [1.0, 1.0, 0.1],
    "spatial_volume_infer": [1.0, 1.0, 1.0],
    "view_change_infer": [0.1, 0.1, 0.1, 5.0, 5.0, 1 / 3, 1 / 3, 1 / 3, 1 / 3],
}
"""To which the parts of answers are rounded that have several, in their own units."""


def check_margins(asked: Asked, task: str, form: str, module: ModuleType) -> None:
    """A part's margin is its least change that shows in the answer, and the answer's is the least of them."""
    for row in asked.rows(task, form):
        value, margins = row["value"], row["margins"]
        answer = module.printed(value)
        pixels = None
        if task == "position_matching":
            # Boxes move by whole pixels.
            frame = asked.truths[row["scene"]].frames[row["frames"][-1]["frame"]]
            pixels = [1000 / side for side in (frame.width, frame.height) * 2]
        for axis, margin in enumerate(margins):
            assert margin > 0
            less = margin - (pixels[axis] if pixels else 1e-7)
            more = margin + (0 if pixels else 1e-7)
            turned = False
            for sign in (-1, 1):
                near, far = list(value), list(value)
                near[axis] += sign * less
                far[axis] += sign * more
                assert module.printed(near) == answer, row["qa_id"]
                turned |= module.printed(far) != answer
            assert turned, row["qa_id"]
        if task in STEPS:
            steps = STEPS[task][: len(value)]
            assert row["margin_unit"] == "rounding step"
            assert math.isclose(row["margin"], min(m / s for m, s in zip(margins, steps, strict=True)))
        else:
            assert row["margin_unit"] != "rounding step" and row["margin"] == min(margins)


def roles_of(row: dict[str, Any]) -> dict[str, int]:
    return {item["role"]: item["instance"] for item in row["objects"]}


def check_points(asked: Asked, task: str, roles: list[str]) -> None:
    """Points lie on their objects, apart from each other, and are named in the question."""
    off = 0
    rows = asked.rows(task)
    for row in rows:
        truth = asked.truths[row["scene"]]
        assert [item["role"] for item in row["objects"]] == roles
        assert [(m["role"], m["shape"], m["color"]) for m in row["marks"]] == [(r, "point", r) for r in roles]
        frame = row["frames"][0]["frame"]
        for mark, thing in zip(row["marks"], row["objects"], strict=True):
            assert mark["frame"] == frame
            off += truth.pixel_of(frame, mark["xy"]) != thing["instance"]
            named = f"{truth.objects[thing['instance']].category} ({thing['role']} point)"
            plain = f"{truth.objects[thing['instance']].category} is marked with a {thing['role']} point"
            assert named in row["question"] or plain in row["question"]
        view = truth.frames[frame]
        spots = [np.array(m["xy"]) / 1000 * [view.width, view.height] for m in row["marks"]]
        for i, a in enumerate(spots):
            assert all(math.dist(a, b) >= 0.04 * view.width - 1 for b in spots[i + 1 :])
    assert off <= 0.005 * len(rows)


def check_points_in_views(asked: Asked, task: str, roles: list[str]) -> float:
    """Of tasks with several images: points lie on their objects, apart from each other, and are named.

    Returns the share of rows whose points stand in more than one image.
    """
    off = several = 0
    rows = asked.rows(task)
    for row in rows:
        truth = asked.truths[row["scene"]]
        shown = {item["frame"] for item in row["frames"]}
        assert [item["role"] for item in row["objects"]] == roles
        assert [(m["role"], m["shape"], m["color"]) for m in row["marks"]] == [(r, "point", r) for r in roles]
        spots: dict[str, list[np.ndarray]] = {}
        for mark, thing in zip(row["marks"], row["objects"], strict=True):
            assert mark["frame"] in shown
            off += truth.pixel_of(mark["frame"], mark["xy"]) != thing["instance"]
            named = f"{truth.objects[thing['instance']].category} ({thing['role']} point"
            assert named in row["question"]
            view = truth.frames[mark["frame"]]
            spot = np.array(mark["xy"]) / 1000 * [view.width, view.height]
            for other in spots.setdefault(mark["frame"], []):
                assert math.dist(spot, other) >= 0.04 * view.width - 1
            spots[mark["frame"]].append(spot)
        several += len(spots) > 1
    assert off <= 0.005 * len(rows)
    return several / len(rows)


def check_views(asked: Asked, task: str) -> None:
    """Three different images, the first of which shares something with each other one."""
    for row in asked.rows(task):
        assert [item["role"] for item in row["frames"]] == ["main", "second", "third"]
        names = [item["frame"] for item in row["frames"]]
        assert len(set(names)) == 3
        seen = [asked.truths[row["scene"]].visible(name) for name in names]
        assert seen[0] & seen[1] and seen[0] & seen[2]


def check_video(asked: Asked, task: str) -> None:
    """All frames of the video in its order; the question calls each that has a mark by its number."""
    for row in asked.rows(task):
        names = [item["frame"] for item in row["frames"]]
        assert [item["role"] for item in row["frames"]] == [f"frame-{k}" for k in range(len(names))]
        order = list(asked.truths[row["scene"]].frames)
        places = [order.index(name) for name in names]
        assert places == sorted(set(places)) and len(names) <= 32
        for mark in row["marks"]:
            said = re.findall(rf"\({mark['color']} (?:point|box) in Frame-(\d+)\)", row["stem"])
            assert said == [str(names.index(mark["frame"]))]


def check_reference(asked: Asked, task: str) -> None:
    """The red object's depth is given as it is."""
    for row in asked.rows(task):
        scene = asked.truths[row["scene"]]
        frame = scene.frames[row["frames"][0]["frame"]]
        depth = frame.in_camera(scene.objects[roles_of(row)["red"]].center)[2]
        assert abs(row["given"][0] - depth) < 1e-3
        stated = re.findall(r"(\d+\.\d) meters", row["question"].split("A. ")[0])
        assert stated == [one_decimal(depth)]


def check_apart(asked: Asked, task: str, roles: tuple[str, str], least: float) -> None:
    """Pairs are of different objects whose boxes do not meet."""
    for row in asked.rows(task):
        things = roles_of(row)
        assert len(set(things.values())) == len(things)
        objects = asked.truths[row["scene"]].objects
        assert not objects[things[roles[0]]].overlaps(objects[things[roles[1]]])
        assert row["value"][0] >= least


def check_cast(row: dict[str, Any], slots: dict[str, str]) -> None:
    """A sentence is one of its wording's answers, with these words in its places."""
    wording = json.loads((SUITE / f"{row['task']}.json").read_text())
    template = wording["formats"]["sentence"]["answers"][row["template"].split("/")[-1]]
    text = template.format(**slots)
    assert row["answer"] == text[0].upper() + text[1:]
