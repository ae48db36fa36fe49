"""A map of marked objects in the first image's frame, recomputed from the truth."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
from asked_homes import Asked
from question_truth import Truth
from relation_checks import level
from spar_checks import check_answers, check_margins, check_views, one_decimal

TASK = "spatial_imagination_map_mv"
COLORS = ["red", "green", "blue", "yellow"]


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters to the right and ahead of the first camera on the ground, object by object."""
    frame = scene.frames[row["frames"][0]["frame"]]
    ahead = frame.rotation.apply([0.0, 0.0, 1.0])
    places = [
        level(ahead, scene.objects[item["instance"]].center - frame.position) for item in row["objects"]
    ]
    return [float(number) for right, _, front in places for number in (right, front)]


def printed(value: list[float]) -> list[str]:
    return [one_decimal(number).replace("-0.0", "0.0") for number in value]


def parsed(row: dict[str, Any]) -> list[str]:
    found = re.findall(r"Object(\d) :\((-?\d+\.\d),(-?\d+\.\d)\)\.", row["answer"])
    assert [number for number, _, _ in found] == [str(place) for place in range(len(row["objects"]))]
    return [number for _, x, y in found for number in (x, y)]


def test_answers_equal_the_truth(asked: Asked) -> None:
    check_answers(asked, TASK, "sentence", sys.modules[__name__])


def test_a_margin_is_the_least_change_that_shows(asked: Asked) -> None:
    check_margins(asked, TASK, "sentence", sys.modules[__name__])


def test_objects_are_marked_and_numbered(asked: Asked) -> None:
    check_views(asked, TASK)
    counts, off = set(), 0
    rows = asked.rows(TASK)
    for row in rows:
        scene, count = asked.truths[row["scene"]], len(row["objects"])
        counts.add(count)
        assert [mark["color"] for mark in row["marks"]] == COLORS[:count]
        assert len({item["instance"] for item in row["objects"]}) == count
        for number, (mark, thing) in enumerate(zip(row["marks"], row["objects"], strict=True)):
            box = scene.box(mark["frame"], thing["instance"])
            view = scene.frames[mark["frame"]]
            # Two renderers may differ by a pixel.
            off += bool(np.abs(np.array(mark["xy"]) - box).max() > 1010 / min(view.width, view.height) + 0.5)
            named = f"Object{number} (the {scene.objects[thing['instance']].category}, {mark['color']} box)"
            assert named in row["question"]
    assert counts == {2, 3, 4} and off <= 0.02 * len(rows)
