"""How far the camera moved between two moments, from where the studio says that it stood."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
import video_truth
from moment_scenes import filmed, moments, standing
from question_truth import Truth
from video_scenes import Studio, ask, check_answers, found_by, made, rejected

TASK = "camera_displacement"


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters from the one position to the other."""
    start, end = moments(scene, row)
    return [math.dist(start.position, end.position)]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return video_truth.one_decimal(truth(scene, row)[0])


@pytest.mark.parametrize(("form", "least"), [("fill", 200), ("select", 80)])
def test_answers_equal_the_truth(studio: Studio, form: str, least: int) -> None:
    check_answers(studio, TASK, form, sys.modules[__name__], least)


def apart(row: dict[str, Any]) -> int:
    start, end = (
        int(item["role"].removeprefix("asked-")) for item in row["frames"] if item["role"].startswith("asked")
    )
    return end - start


def test_moments_are_some_frames_apart_and_options_as_many(studio: Studio) -> None:
    rows = studio.rows(TASK, quota=1000)
    assert all(5 <= apart(row) <= 30 for row in rows)
    known = {(row["scene"], apart(row), row["answer"]) for row in rows if row["format"] == "fill"}
    for row in rows:
        if row["format"] == "select":
            assert all((row["scene"], apart(row), option) in known for option in row["options"])


def line(step: float, count: int = 7) -> list[np.ndarray]:
    return [standing(i * step, 0) for i in range(count)]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        # Seven frames have two pairs that are five apart and one that is six apart.
        (0.033, {"apart": 18, "still": 3}),
        (0.034, {"apart": 18, "still": 2, "ok": 1}),
        (0.041, {"apart": 18, "ok": 3}),
        (0.41, {"apart": 18, "rounding": 2, "ok": 1}),
        (1.66, {"apart": 18, "ok": 3}),
        (1.69, {"apart": 18, "rounding": 2, "far": 1}),
        (1.7, {"apart": 18, "far": 1, "ok": 2}),
        (2.1, {"apart": 18, "far": 3}),
    ],
)
def test_ways_at_their_limits(step: float, expected: dict[str, int]) -> None:
    assert rejected(TASK, filmed(line(step))) == expected


def test_what_no_shared_view_links_is_not_asked_about() -> None:
    assert rejected(TASK, filmed(line(0.32), overlap=0.09)) == {"apart": 18, "unlinked": 3}
    assert rejected(TASK, filmed(line(0.32), overlap=0.11)) == {"apart": 18, "ok": 3}


def test_links_may_lead_over_other_frames_and_back() -> None:
    """Frames 0 and 5 share nothing, but both share with frame 6, which comes after them."""
    facts = made([], [{}] * 7, poses=line(0.32))
    shares = np.zeros((7, 7))
    for a, b in ((0, 6), (5, 6)):
        shares[a, b] = shares[b, a] = 0.3
    facts.overlap = shares
    found = found_by(TASK, facts)
    assert sorted(map(tuple, found.frames.tolist())) == [(0, 5), (0, 6)]
    assert found.rejected == {"apart": 18, "unlinked": 1}


def test_the_way_between_does_not_count() -> None:
    """There and halfway back: it is the straight line that is asked for, and the question says so."""
    poses = [standing(x, 0) for x in (0.0, 1.0, 2.0, 3.0, 2.0, 1.53)]
    (row,) = (it for it in ask(TASK, filmed(poses)) if it["format"] == "fill")
    assert row["answer"] == "1.5" and row["value"] == pytest.approx([1.53])
    assert "straight line" in row["question"]
