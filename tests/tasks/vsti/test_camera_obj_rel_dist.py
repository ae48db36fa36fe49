"""Which of several objects is nearest to the camera at a moment, by bounded least squares."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import combinations
from typing import Any

import moment_scenes
import numpy as np
import pytest
from moment_scenes import distance, filmed, moments, standing, things
from question_truth import Truth
from video_scenes import Studio, about, ask, box, check_answers, found_by, rejected

VERSIONS = {"camera_obj_rel_dist_v1": 4, "camera_obj_rel_dist_v2": 3, "camera_obj_rel_dist_v3": 2}
V1, V2, V3 = VERSIONS
WORDS = ("bed", "sofa", "table", "plant", "lamp", "vase", "mirror", "piano")


def distances(scene: Truth, row: dict[str, Any]) -> dict[str, float]:
    (frame,) = moments(scene, row)
    return {thing.category: distance(frame, thing) for thing in things(scene, row).values()}


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters to the nearest option."""
    return [min(distances(scene, row).values())]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    found = distances(scene, row)
    return min(found, key=found.__getitem__)


@pytest.mark.every(3)
@pytest.mark.parametrize("task", VERSIONS)
def test_answers_equal_the_truth(studio: Studio, task: str) -> None:
    check_answers(studio, task, "select", sys.modules[__name__], 25)


@pytest.mark.every(3)
@pytest.mark.parametrize("task", VERSIONS)
def test_options_are_shown_named_in_order_and_clearly_apart(studio: Studio, task: str) -> None:
    for row in studio.rows(task):
        scene = studio.truths[row["scene"]]
        moment_scenes.check_shown(scene, row)
        found = distances(scene, row)
        assert list(found) == row["options"] and len(found) == VERSIONS[task]
        assert list(things(scene, row)) == [f"option_{letter}" for letter in "abcd"[: len(found)]]
        at = [row["question"].find(word) for word in found]
        assert min(at) >= 0
        nearest, second, *_ = sorted(found.values())
        assert nearest >= 0.5 - 1e-6 and second - nearest >= 0.15 - 1e-6
        assert row["margin"] == pytest.approx(second - nearest, abs=1e-5)


def row_of_things(gaps: list[float], first: float = 1.0) -> list[tuple[str, Any]]:
    """Small things straight ahead, each so much farther than the one before."""
    ends = np.cumsum([first, *gaps])
    return [(word, box(end + 0.1, 0)) for word, end in zip(WORDS, ends.tolist(), strict=False)]


@pytest.mark.parametrize("task", VERSIONS)
def test_candidates_are_those_of_plain_loops(task: str) -> None:
    """Every object that has enough farther ones, each set of others once."""
    count, total = VERSIONS[task], Counter[str]()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        objects = [(word, box(*rng.uniform(-3, 3, 2), z=rng.uniform(0, 2))) for word in WORDS]
        frames = [np.flatnonzero(rng.random(len(WORDS)) < 0.7).tolist() for _ in range(5)]
        facts = filmed([standing(*rng.uniform(-3, 3, 2)) for _ in frames], objects, frames)
        eyes = facts.frames.camera_to_world[:, :3, 3]
        expected, reasons = set(), Counter[str]()
        for frame, shown in enumerate(frames):
            away = {
                thing: float(
                    np.linalg.norm(np.maximum(np.abs(eyes[frame] - objects[thing][1].center) - 0.1, 0))
                )
                for thing in shown
            }
            for thing in shown:
                others = [it for it in shown if away[it] - away[thing] >= 0.15]
                if away[thing] < 0.5:
                    reasons["near"] += 1
                elif len(others) < count - 1:
                    reasons["no_further"] += 1
                else:
                    expected |= {(frame, thing, *own) for own in combinations(others, count - 1)}
        found = found_by(task, facts, draws=200)
        got = [(frame, *own) for frame, own in zip(found.frames[:, 0].tolist(), about(found), strict=True)]
        assert set(got) <= expected and len(set(got)) == len(got)
        # Two hundred draws leave out hardly any of a few dozen sets.
        assert len(got) >= 0.95 * len(expected)
        assert {name: n for name, n in found.rejected.items() if name != "drawn_twice"} == reasons
        few = found_by(task, facts, draws=2)
        assert set(map(tuple, about(few))) <= set(map(tuple, about(found)))
        total.update(reasons)
    assert total["no_further"] and total["near"]


@pytest.mark.parametrize(("gap", "kept"), [(0.149, False), (0.151, True)])
def test_the_second_is_clearly_farther(gap: float, kept: bool) -> None:
    facts = filmed([standing(0, 0, 0.5)], row_of_things([gap, 1.0, 1.0]))
    assert (0 in {own[0] for own in about(found_by(V1, facts))}) == kept
    # With fewer options, the one that is too near is left out.
    assert {own for own in about(found_by(V2, facts, draws=50)) if own[0] == 0} == (
        {(0, 1, 2), (0, 1, 3), (0, 2, 3)} if kept else {(0, 2, 3)}
    )


@pytest.mark.parametrize(("first", "kept"), [(0.49, False), (0.51, True)])
def test_the_nearest_is_not_too_near(first: float, kept: bool) -> None:
    facts = filmed([standing(0, 0, 0.5)], row_of_things([1.0], first))
    assert rejected(V3, facts)["no_further"] == 1 and (rejected(V3, facts).get("ok", 0) == 1) == kept


def test_a_row_stays_when_something_goes_that_it_does_not_name() -> None:
    objects = row_of_things([0.3] * 7)
    poses = [standing(-i / 3, i / 5) for i in range(6)]
    more = {row["qa_id"]: row for row in ask(V2, filmed(poses, objects), quota=1000, even=False)}
    gone = 3
    left = [i for i in range(len(objects)) if i != gone]
    fewer = filmed(poses, [objects[i] for i in left], instances=left)
    less = {row["qa_id"]: row for row in ask(V2, fewer, quota=1000, even=False)}
    kept = {
        name: row for name, row in more.items() if gone not in {item["instance"] for item in row["objects"]}
    }
    assert len(kept) > 20 and less.items() >= kept.items()
