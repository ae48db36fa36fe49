"""Whether and where a frame shows an object, from the pixels that a ray caster sees."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter, defaultdict
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from mosaic_checks import (
    NOTHING_SHOWN,
    asked_view,
    check_frame_names,
    check_sets,
    check_target,
    namesakes,
    views,
)
from mosaic_scene import made_sets, shown
from question_truth import Truth
from scipy.stats import chisquare
from video_scenes import Studio, ask, box, check_answers, chosen_text, rejected, things

from spatial_assets.scoring.spatialmosaic import PROFILES

CHOICE, NUMBER = "obj_localization_occ", "obj_localization_occ_na"
LAMP = [("lamp", box(0, 0))]


def outline(scene: Truth, row: dict[str, Any]) -> tuple[float, float, float, float]:
    """Edges of what the asked frame shows of the object, pixels."""
    rows, columns = np.nonzero(scene.instance_image(asked_view(row)) == things(row)["target"])
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """The box's center, or so many pixels as show the object where these are none."""
    if scene.pixels(asked_view(row)).get(things(row)["target"], 0) <= NOTHING_SHOWN:
        return [0.0]
    left, top, right, bottom = outline(scene, row)
    return [(left + right) / 2, (top + bottom) / 2]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    value = truth(scene, row)
    if len(value) == 2 and len(row["value"]) == 2 and math.dist(value, row["value"]) < 1.0:
        # Two renderers may differ by a pixel where an edge passes through a pixel's center.
        value = row["value"]
    if len(value) == 1:
        return "No"
    x, y = map(int, value)
    return f"Yes, at ({x}, {y})" if row["options"] else f"({x},{y})"


@pytest.mark.parametrize(("task", "form", "least"), [(CHOICE, "select", 100), (NUMBER, "fill", 250)])
def test_places_equal_the_truth(studio: Studio, task: str, form: str, least: int) -> None:
    check_answers(studio, task, form, sys.modules[__name__], least, 0.02)


@pytest.mark.parametrize("task", [CHOICE, NUMBER])
def test_what_is_asked_for_is_plain(studio: Studio, task: str) -> None:
    """By its category alone, in no frame beside another of the name."""
    check_sets(studio, task)
    check_frame_names(studio, task)
    for row in studio.rows(task):
        scene, thing = studio.truths[row["scene"]], things(row)["target"]
        check_target(scene, row, thing)
        assert row["given"] == [] and namesakes(scene, row, thing, views(row)) == []


@pytest.mark.parametrize("task", [CHOICE, NUMBER])
def test_rows_keep_the_box_and_its_diagonal(studio: Studio, task: str) -> None:
    apart = 0
    for row in studio.rows(task):
        said = row["diagnostics"]
        if said["answer_is"] == "hidden":
            assert said["box"] is said["box_diagonal"] is None and row["value"] == [0.0]
            continue
        left, top, right, bottom = said["box"]
        assert row["value"] == [(left + right) / 2, (top + bottom) / 2]
        assert said["box_diagonal"] == pytest.approx(math.hypot(right - left, bottom - top))
        own = outline(studio.truths[row["scene"]], row)
        assert np.abs(np.subtract(said["box"], own)).max() <= 2
        apart += said["box"] != list(own)
    assert apart <= 0.05 * len(studio.rows(task))


def test_the_scorer_gives_full_marks_for_the_answers(studio: Studio) -> None:
    """And none for what is two diagonals off."""
    for profile in PROFILES:
        for row in studio.rows(NUMBER):
            diagonal = row["diagnostics"]["box_diagonal"]
            x, y = row["value"]
            asked = {"task": NUMBER, "ground_truth": row["answer"], "bbox_2d_diag": str(diagonal)}
            score = profile.scorers[NUMBER]
            assert score({**asked, "prediction": row["answer"]}) == 1.0
            assert score({**asked, "prediction": f"({x + 2 * diagonal:.0f},{y:.0f})"}) == 0.0


def points(row: dict[str, Any]) -> list[tuple[int, int]]:
    found = [re.fullmatch(r"Yes, at \((\d+), (\d+)\)", option) for option in row["options"]]
    return [(int(it[1]), int(it[2])) for it in found if it]


def test_options_are_three_places_and_no(studio: Studio) -> None:
    """All three are where some frame shows the object, and none is inside the box that another is the center of."""
    centers = defaultdict(set)
    for facts in studio.facts():
        boxes = facts.observed.column("box")
        for frame, thing in zip(*np.nonzero(facts.observed.visible), strict=True):
            left, top, right, bottom = boxes[frame, thing]
            key = facts.which["scene"], int(facts.objects.instances[thing])
            centers[key].add((int((left + right) / 2), int((top + bottom) / 2)))
    for row in studio.rows(CHOICE):
        offered = points(row)
        assert len(offered) == 3 and row["options"].count("No") == 1 and len(row["options"]) == 4
        assert set(offered) <= centers[row["scene"], things(row)["target"]]
        gaps = [math.dist(one, other) for one, other in combinations(offered, 2)]
        assert min(gaps) >= 0.08 * 320 - 1.5
        if row["diagnostics"]["answer_is"] == "shown":
            assert min(gaps) >= 0.5 * row["diagnostics"]["box_diagonal"] - 1.5
            others = [it for it in offered if it != tuple(map(int, row["value"]))]
            nearest = min(math.dist(row["value"], it) for it in others)
            assert row["margin"] == pytest.approx(nearest / 2, abs=0.5)


def test_no_is_right_in_a_quarter_whatever_the_name(studio: Studio) -> None:
    """Where the quota is for all, in exactly a quarter of each object's questions."""
    rows = studio.rows(CHOICE, quota=100_000)
    by_object = defaultdict(Counter)
    for row in rows:
        by_object[row["scene"], things(row)["target"]][chosen_text(row) == "No"] += 1
    assert len(by_object) >= 10
    assert all(found[False] == 3 * found[True] > 0 for found in by_object.values())
    asked = studio.rows(CHOICE)
    absent = sum(chosen_text(row) == "No" for row in asked)
    assert 0.2 * len(asked) <= absent <= 0.3 * len(asked)
    letters = Counter(row["answer"] for row in asked)
    assert chisquare([letters[letter] for letter in "ABCD"]).pvalue > 1e-3


def test_no_place_is_told_by_how_the_three_lie(studio: Studio) -> None:
    """The leftmost, the rightmost, the highest, the lowest and the one in the middle are right equally often."""
    rows = [row for row in studio.rows(CHOICE, quota=100_000) if row["value"] != [0.0]]
    assert len(rows) >= 100
    for axis in (0, 1):
        places = Counter()
        for row in rows:
            offered = sorted(point[axis] for point in points(row))
            right = int(row["value"][axis])
            if len(set(offered)) == 3:
                places[offered.index(right)] += 1
        assert chisquare([places[rank] for rank in range(3)]).pvalue > 1e-3, places


def test_a_share_of_absent_objects_is_a_parameter(studio: Studio) -> None:
    for absent, share in ((0, 0.0), (2, 0.5), (4, 1.0)):
        rows = studio.rows(CHOICE, absent_of_four=absent, quota=100_000)
        assert rows and sum(chosen_text(row) == "No" for row in rows) == share * len(rows)


SPOTS = [(100, 100), (300, 100), (100, 300), (300, 300)]
APART = [[place, place + 4] for place in range(4)]
"""Each of four frames that show the lamp beside one that does not."""


def lamps(spots: Any = SPOTS, side: float = 60.0, **parameters: Any) -> dict[str, int]:
    frames = [*({0: shown(at=at, side=side)} for at in spots), {}, {}, {}, {}]
    return rejected(CHOICE, made_sets(LAMP, frames, APART), **parameters)


def test_places_offered_are_far_enough_apart() -> None:
    assert lamps() == {"uneven": 4, "ok": 4}
    # Half the diagonal of a box of 290 is 205, more than the 200 between two spots; of 280 it is 198.
    assert lamps(side=280.0) == {"uneven": 4, "ok": 4}
    assert lamps(side=290.0) == {"no_options": 8}
    assert lamps(side=290.0, min_gap=0.4) == {"uneven": 4, "ok": 4}
    near = [(x / 4 + 100, y / 4 + 100) for x, y in SPOTS]
    # A twelfth of 640 pixels is 51, and these are 50 apart.
    assert lamps(near, side=20.0) == {"no_options": 8}
    assert lamps(near, side=20.0, min_width_gap=0.07) == {"uneven": 4, "ok": 4}


def test_what_is_neither_shown_nor_hidden_is_not_asked_about() -> None:
    sliver = [{0: shown(at=at)} for at in SPOTS[:3]] + [{0: shown(0.0004)}]
    made = made_sets(LAMP, sliver, [[0, 3], [1], [2]])
    assert rejected(CHOICE, made, absent_of_four=0) == {"half_hidden": 1, "ok": 3}
    assert rejected(CHOICE, made) == {"half_hidden": 1, "uneven": 3}
    assert rejected(NUMBER, made) == {"half_hidden": 1, "ok": 3}


def test_one_frame_asks_once_for_one_object() -> None:
    frames = [{0: shown(at=at)} for at in SPOTS[:3]]
    made = made_sets(LAMP, frames, [[0, 1], [0, 2], [1, 2]])
    assert rejected(CHOICE, made, absent_of_four=0) == {"repeated": 3, "ok": 3}


def test_in_another_order_the_options_stay() -> None:
    """And the asked frame has another number."""
    frames = [*({0: shown(at=at)} for at in SPOTS), {}, {}, {}, {}]
    plain = ask(CHOICE, made_sets(LAMP, frames, APART))
    turned = ask(CHOICE, made_sets(LAMP, frames, [pair[::-1] for pair in APART]))
    assert len(plain) == 4
    found = [
        sorted((row["options"], row["answer"], asked_view(row)) for row in rows) for rows in (plain, turned)
    ]
    assert found[0] == found[1]
    asked = [Counter(row["diagnostics"]["asked"] for row in rows) for rows in (plain, turned)]
    assert asked == [{1: 3, 2: 1}, {2: 3, 1: 1}]


def test_names_for_several_are_left_out_and_pixels_given_away_by_none() -> None:
    two = [*LAMP, ("lamp", box(1, 0))]
    frames = [{0: shown(at=(100, 100)), 1: shown(at=(400, 100))}, {}]
    assert rejected(NUMBER, made_sets(two, frames)) == {"ambiguous_name": 4}


def test_the_pixel_is_the_one_that_the_center_lies_in() -> None:
    frames = [{0: shown(at=(100.5, 77.0), side=30.0)}, {}]
    (row,) = ask(NUMBER, made_sets(LAMP, frames))
    assert row["answer"] == "(100,77)" and row["value"] == [100.5, 77.0] and row["margins"] == [0.5, 0.5]
    assert row["diagnostics"]["box"] == [85.5, 62.0, 115.5, 92.0]


@pytest.mark.parametrize("task", [CHOICE, NUMBER])
def test_the_published_wording_is_printed_word_for_word(studio: Studio, task: str) -> None:
    rows = studio.rows(task, wording="official")
    assert rows
    for row in rows:
        word = studio.truths[row["scene"]].objects[things(row)["target"]].category
        frame = 1 + views(row).index(asked_view(row))
        assert row["stem"] == (
            f"Is there a(n) {word} in frame {frame}? If so, what is the bounding box center coordinates?"
        )
        if row["options"]:
            assert {re.sub(r"\d+", "0", option) for option in row["options"]} == {"Yes; (0, 0)", "No"}
