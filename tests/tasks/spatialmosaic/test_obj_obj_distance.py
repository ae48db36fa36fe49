"""How far apart two objects of a view set are, by bounded least squares over their boxes in the truth."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import video_truth
from mosaic_checks import LEAST, NOTHING_SHOWN, check_named, check_sets, shares, views
from mosaic_scene import made_sets, shown
from question_truth import Truth
from video_scenes import Studio, ask, box, check_answers, rejected, things

TASK = "obj_obj_distance_occ_na"


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters between the nearest points of the two boxes."""
    first, second = (scene.objects[things(row)[role]] for role in ("first", "second"))
    return [video_truth.gap(first, second)]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return video_truth.one_decimal(truth(scene, row)[0])


def test_distances_equal_the_truth(studio: Studio) -> None:
    check_answers(studio, TASK, "fill", sys.modules[__name__], 250)
    for row in studio.rows(TASK):
        (distance,) = row["value"]
        assert distance >= 0.2 and row["margin"] >= 0.001


def test_distances_of_centers_are_those_of_the_truth(studio: Studio) -> None:
    rows = studio.rows(TASK, measure="center")
    assert rows
    for row in rows:
        objects = studio.truths[row["scene"]].objects
        first, second = (objects[thing].center for thing in things(row).values())
        assert row["value"] == [pytest.approx(np.linalg.norm(first - second), abs=1e-3)]
        assert "middle" in row["stem"]


def test_most_pairs_share_no_view_and_all_are_plainly_meant(studio: Studio) -> None:
    check_sets(studio, TASK)
    rows = studio.rows(TASK)
    for row in rows:
        scene, pair = studio.truths[row["scene"]], list(things(row).values())
        check_named(scene, row)
        if row["diagnostics"]["answer_is"] == "apart":
            pixels = [[scene.pixels(name).get(thing, 0) for thing in pair] for name in views(row)]
            assert all(min(each) <= NOTHING_SHOWN for each in pixels)
        else:
            assert row["diagnostics"]["answer_is"] == "together"
            both = zip(*(shares(scene, row, thing) for thing in pair), strict=True)
            assert max(min(each) for each in both) >= LEAST
    for name in studio.truths:
        own = [row["diagnostics"]["answer_is"] for row in rows if row["scene"] == name]
        assert 0.55 * len(own) <= own.count("apart") <= 0.85 * len(own)


def test_no_distance_is_most_of_the_answers(studio: Studio) -> None:
    answers = [row["answer"] for row in studio.rows(TASK)]
    assert len(set(answers)) >= 30
    assert max(map(answers.count, set(answers))) <= 0.08 * len(answers)


def pair(gap: float) -> list[tuple[str, Any]]:
    """Two cubes of 20 cm."""
    return [("lamp", box(0.0, 0.0)), ("sofa", box(0.2 + gap, 0.0))]


ONE_EACH = ({0: shown()}, {1: shown()})


def counts(gap: float, frames: Any = ONE_EACH, **parameters: Any) -> dict[str, int]:
    return rejected(TASK, made_sets(pair(gap), frames), **parameters)


def test_distances_at_their_limits() -> None:
    assert counts(1.0) == counts(0.201) == {"ok": 1}
    assert counts(0.199) == counts(0.0) == {"near": 1}
    assert counts(0.1, measure="center") == {"ok": 1}
    assert counts(1.0509) == counts(1.0491) == {"rounding": 1}
    assert counts(1.0511) == counts(1.0489) == {"ok": 1}


def test_two_objects_are_apart_or_together_or_not_asked_about() -> None:
    apart, together = [{0: shown()}, {1: shown()}], [{0: shown(), 1: shown()}, {}]
    for frames, kind in ((apart, "apart"), (together, "together")):
        (row,) = ask(TASK, made_sets(pair(1.0), frames))
        assert row["diagnostics"]["answer_is"] == kind and row["answer"] == "1.0"
        shut_out = 0 if kind == "apart" else 10
        assert counts(1.0, frames, apart_of_ten=shut_out) == {"unwanted": 1}
        assert counts(1.0, frames, apart_of_ten=10 - shut_out) == {"ok": 1}
    sliver = [{0: shown(), 1: shown(0.0004)}, {1: shown()}]
    assert counts(1.0, sliver) == {"half_together": 1}
    assert counts(1.0, [{0: shown()}, {1: shown(0.0004)}]) == {"unclear": 1}
    assert counts(1.0, [{0: shown()}, {}]) == {}


def test_a_name_for_several_means_none() -> None:
    three = [*pair(1.0), ("sofa", box(3.0, 0.0))]
    frames = [{0: shown()}, {1: shown()}, {2: shown()}]
    assert rejected(TASK, made_sets(three, frames)) == {"ambiguous_name": 3}
    # In a set that shows one of the two only, its name is enough.
    assert rejected(TASK, made_sets(three, frames, [[0, 1], [0, 2]])) == {"ok": 2}


def test_either_is_named_first(studio: Studio) -> None:
    rows = studio.rows(TASK)
    first = sum(things(row)["first"] < things(row)["second"] for row in rows)
    assert 0.4 * len(rows) <= first <= 0.6 * len(rows)
