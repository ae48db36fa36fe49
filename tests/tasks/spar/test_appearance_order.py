"""In which order categories come into view, by the ray caster's pixels."""

from __future__ import annotations

import re
from typing import Any

from question_truth import Truth
from video_scenes import Studio, ask, box, check_video, made, rejected, seen, things
from video_truth import first_sight

TASK = "appearance_order"
NOTICED = 0.0001
"""Share of the image that someone may notice."""


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Where in the video each category is first seen clearly, in the order that the answer says."""
    frames = [item["frame"] for item in row["frames"]]
    words = [scene.objects[thing].category for thing in things(row).values()]
    return sorted(first_sight(scene, word, frames) for word in words)


def printed(scene: Truth, row: dict[str, Any]) -> str:
    frames = [item["frame"] for item in row["frames"]]
    words = [scene.objects[thing].category for thing in things(row).values()]
    return ", ".join(sorted(words, key=lambda word: first_sight(scene, word, frames)))


def test_answers_equal_the_truth(studio: Studio) -> None:
    rows = studio.rows(TASK)
    assert len([row for row in rows if row["format"] == "fill"]) >= 20
    # Two renderers may differ by a pixel, and so by the frame in which something crosses the limit.
    apart = [row for row in rows if row["value"] != truth(studio.truths[row["scene"]], row)]
    assert len(apart) <= 0.02 * len(rows)
    for row in rows:
        if row["format"] == "fill" and row not in apart:
            assert row["answer"] == printed(studio.truths[row["scene"]], row)


def test_sentences_say_first_frames_that_nobody_doubts(studio: Studio) -> None:
    rows = studio.rows(TASK, "sentence")
    assert rows
    for row in rows:
        scene = studio.truths[row["scene"]]
        assert sorted(map(int, re.findall(r"\d+", row["answer"]))) == sorted(map(int, row["value"]))
        frames = [item["frame"] for item in row["frames"]]
        for thing in things(row).values():
            word = scene.objects[thing].category
            called = [it for it, other in scene.objects.items() if other.category == word]
            shares = [
                max(scene.pixels(frame).get(it, 0) for it in called) / sum(scene.pixels(frame).values())
                for frame in frames
            ]
            noticed = next(place for place, share in enumerate(shares) if share >= NOTICED * 0.9)
            assert noticed in row["value"], row["qa_id"]


def test_questions_show_what_they_name(studio: Studio) -> None:
    check_video(studio, TASK)


def test_what_creeps_into_view_has_an_order_but_no_first_frame() -> None:
    words = ("bed", "chair", "lamp", "table")
    objects = [(word, box(index, 0)) for index, word in enumerate(words)]
    sudden = [{index: seen(0.05)} for index in range(4)]
    creeping = [sudden[0], {1: seen(0.0005)}, {1: seen(0.05)}, *sudden[2:]]
    assert sorted(row["format"] for row in ask(TASK, made(objects, sudden))) == ["fill", "sentence"]
    (row,) = ask(TASK, made(objects, creeping))
    assert (row["format"], row["answer"], row["value"]) == ("fill", "bed, chair, lamp, table", [0, 2, 3, 4])
    together = [sudden[0], {1: seen(0.05), 2: seen(0.05)}, sudden[3]]
    assert rejected(TASK, made(objects, together)) == {"together": 1}
