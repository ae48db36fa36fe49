"""Options: exactly one is right, they keep apart, and nothing about them tells which is right."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

import pytest
from asked_homes import FORMS, Asked
from scipy.stats import chisquare

from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.options import lettered

METER_TASKS = [task for task in FORMS if "prediction" in task]
UNLIKELY = 1e-3
"""Draws are hashes with fixed seeds, so these tests give the same numbers each time."""


def options_of(asked: Asked, task: str) -> list[tuple[list[str], int]]:
    rows = asked.rows(task, "select")
    return [(row["options"], "ABCD".index(row["answer"])) for row in rows]


def looks_even(observed: Iterable[int], kinds: int) -> bool:
    counts = Counter(observed)
    return bool(chisquare([counts[kind] for kind in range(kinds)]).pvalue > UNLIKELY)


def rank(values: Sequence[float], which: int) -> int:
    return sorted(values).index(values[which])


def overlap(a: Sequence[int], b: Sequence[int]) -> float:
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def points_of(options: Sequence[str]) -> list[tuple[int, int, int]]:
    found = [re.fullmatch(r"Image Coor:\((\d+), (\d+)\), Depth:(\d+)\.(\d) meters", text) for text in options]
    return [(int(m[1]), int(m[2]), int(m[3]) * 10 + int(m[4])) for m in found if m]


@pytest.mark.parametrize("task", [task for task, forms in FORMS.items() if "select" in forms])
def test_options_stand_in_the_question(asked: Asked, task: str) -> None:
    for row in asked.rows(task, "select"):
        letters = "ABCD"[: len(row["options"])]
        assert len(set(row["options"])) == len(letters) and row["answer"] in letters
        listed = " ".join(f"{letter}. {text};" for letter, text in zip(letters, row["options"], strict=True))
        assert listed.rstrip(";") + "." in row["question"]
        assert f"{', '.join(letters[:-1])} or {letters[-1]}" in row["question"]


@pytest.mark.parametrize("task", METER_TASKS)
def test_metric_options_are_apart(asked: Asked, task: str) -> None:
    for options, _ in options_of(asked, task):
        values = sorted(round(float(text) * 10) for text in options)
        assert values[0] >= 1
        assert min(b - a for a, b in pairwise(values)) >= 2


def test_places_are_apart(asked: Asked) -> None:
    for options, _ in options_of(asked, "camera_motion_infer"):
        points = points_of(options)
        assert len(points) == 4
        for a, b in combinations(points, 2):
            assert (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 >= 100**2
        assert all(0 <= x <= 1000 and 0 <= y <= 1000 and depth >= 3 for x, y, depth in points)


def test_boxes_hardly_overlap_and_are_all_boxes_of_that_object(asked: Asked) -> None:
    boxes_of: dict[tuple[str, int], list[Sequence[float]]] = {}
    for row in asked.rows("position_matching", "select"):
        boxes = [json.loads(text) for text in row["options"]]
        for a, b in combinations(boxes, 2):
            # Rounding to the grid moves an edge of a small box by a little.
            assert overlap(a, b) <= 0.33
        truth = asked.truths[row["scene"]]
        (thing,) = (item["instance"] for item in row["objects"])
        if (row["scene"], thing) not in boxes_of:
            boxes_of[row["scene"], thing] = [
                truth.box(name, thing) for name in truth.frames if thing in truth.visible(name)
            ]
        seen = boxes_of[row["scene"], thing]
        for box in boxes:
            assert 0 <= box[0] < box[2] <= 1000 and 0 <= box[1] < box[3] <= 1000
            # Two renderers may differ by a pixel.
            assert any(max(abs(v - w) for v, w in zip(box, it, strict=True)) <= 5 for it in seen)


GIVEN = [
    *(f"depth_prediction_{of}" for of in ("oc", "oo", "oc_mv", "oo_mv")),
    "distance_prediction_oc_mv",
]
"""Tasks whose questions give a number."""


@pytest.mark.parametrize("task", GIVEN)
def test_a_given_depth_is_next_to_no_option(asked: Asked, task: str) -> None:
    for row in asked.rows(task, "select"):
        given = round(row["given"][0] * 10)
        assert all(abs(round(float(text) * 10) - given) >= 2 for text in row["options"])


def test_rows_do_not_tell_the_right_option(tiny_asked: Asked, studio_asked: Asked) -> None:
    letters, ranks = [], []
    for asked in (tiny_asked, studio_asked):
        for task in METER_TASKS:
            for options, right in options_of(asked, task):
                letters.append(right)
                ranks.append(rank([float(text) for text in options], right))
    assert len(ranks) > 400
    assert looks_even(letters, 4) and looks_even(ranks, 4)


def test_rows_do_not_tell_the_right_place(tiny_asked: Asked, studio_asked: Asked) -> None:
    found = [
        (points_of(options), right)
        for asked in (tiny_asked, studio_asked)
        for options, right in options_of(asked, "camera_motion_infer")
    ]
    assert len(found) > 40
    assert looks_even((right for _, right in found), 4)
    assert looks_even((rank([depth for *_, depth in points], right) for points, right in found), 4)
    for axis in (0, 1):
        assert looks_even((rank([point[axis] for point in points], right) for points, right in found), 4)


def test_rows_do_not_tell_the_right_box(tiny_asked: Asked, studio_asked: Asked) -> None:
    for asked in (tiny_asked, studio_asked):
        assert looks_even((right for _, right in options_of(asked, "position_matching")), 4)


def test_an_uneven_rank_would_be_found() -> None:
    """The test's own power: a rank drawn a third, a third, a sixth, a sixth does not pass for even."""
    skewed = [0, 0, 1, 1, 2, 3] * 50
    assert not looks_even(skewed, 4)


def test_letters_follow_the_right_text() -> None:
    for seed in range(50):
        texts = ["right", "b", "c", "d"]
        shown, letter = lettered(texts, Draw.of(str(seed)))
        assert sorted(shown) == sorted(texts) and shown["ABCD".index(letter)] == "right"
        assert lettered(texts, Draw.of(str(seed))) == (shown, letter)
