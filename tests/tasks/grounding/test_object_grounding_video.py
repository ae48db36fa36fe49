"""Where a described object is by one of a video's frames, recomputed from the truth."""

from __future__ import annotations

import re
from typing import Any

import grounding_truth
import pytest
from question_truth import Truth
from video_scenes import Studio

TASK = "object_grounding_video"


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """x, y, depth, across, along, up and turn, by the frame that shows the most of the object."""
    return grounding_truth.located(scene, row)[1]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return grounding_truth.printed(*grounding_truth.located(scene, row))


@pytest.mark.parametrize("form", ["fill", "sentence"])
def test_answers_equal_the_truth(studio: Studio, form: str) -> None:
    rows = studio.rows(TASK, form)
    assert len(rows) >= 150
    apart = 0
    for row in rows:
        scene = studio.truths[row["scene"]]
        # The boxes of the lake come from float32 vertices.
        right = row["value"] == pytest.approx(truth(scene, row), abs=1e-3)
        apart += not (right and printed(scene, row) in row["answer"])
    assert apart <= 0.02 * len(rows)


def test_the_frame_shows_clearly_the_most(studio: Studio) -> None:
    close = 0
    rows = studio.rows(TASK, "fill")
    for row in rows:
        scene = studio.truths[row["scene"]]
        (place,) = re.match(r"Frame-(\d+),", row["answer"]).groups()
        pixels = [scene.pixels(item["frame"]).get(row["objects"][0]["instance"], 0) for item in row["frames"]]
        most, second = sorted(pixels, reverse=True)[:2]
        assert pixels[int(place)] == most
        close += most < grounding_truth.LEADS * second
    assert close <= 0.02 * len(rows)


def test_the_whole_video_is_shown(studio: Studio) -> None:
    for row in studio.rows(TASK):
        order = list(studio.truths[row["scene"]].frames)
        places = [order.index(item["frame"]) for item in row["frames"]]
        assert places == sorted(set(places)) and len(places) == 32
        assert [item["role"] for item in row["frames"]] == [f"frame-{place}" for place in range(32)]
