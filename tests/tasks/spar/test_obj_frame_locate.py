"""In which frames a boxed object is seen again, by the ray caster's pixels."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from question_truth import Truth
from video_scenes import Studio, ask, box, made, rejected, seen, things

TASK = "obj_frame_locate"
CLEAR, NOTICED = 0.002, 0.0001
MARKED = {
    "marker": [320.0, 240.0],
    "marker_radius": 40.0,
    "center_depth": 2.0,
    "box": [10.0, 10.0, 90.0, 90.0],
}


def shares(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Of each frame of the video, what the object fills of it."""
    (thing,) = things(row).values()
    counts = [scene.pixels(item["frame"]) for item in row["frames"]]
    return [count.get(thing, 0) / sum(count.values()) for count in counts]


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"Frame-(\d+)", text)]


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Of the frames named in the question those that show the object."""
    found = shares(scene, row)
    (mark,) = row["marks"]
    reference = [item["frame"] for item in row["frames"]].index(mark["frame"])
    named = numbers(row["stem"].split("The frames are numbered")[0])
    assert named.count(reference) == 1
    return sorted(number for number in named if number != reference and found[number] > NOTICED)


def test_answers_equal_the_truth(studio: Studio) -> None:
    rows = studio.rows(TASK)
    assert len(rows) >= 20
    counts: Counter[int] = Counter()
    for row in rows:
        scene = studio.truths[row["scene"]]
        found = shares(scene, row)
        assert row["value"] == truth(scene, row), row["qa_id"]
        said = numbers(row["answer"])
        (mark,) = row["marks"]
        reference = [item["frame"] for item in row["frames"]].index(mark["frame"])
        assert [number for number in said if number != reference] == [int(number) for number in row["value"]]
        # Clear to see, or not there at all, give or take a renderer's pixel.
        assert all(found[int(number)] >= CLEAR * 0.98 for number in row["value"])
        named = set(numbers(row["stem"].split("The frames are numbered")[0])) - {reference}
        assert len(named) == 6 and all(found[number] < NOTICED * 1.02 for number in named - set(row["value"]))
        assert (mark["shape"], mark["color"]) == ("box", "red")
        counts[len(row["value"])] += 1
    assert len(counts) >= 3


FIT = seen(0.05, **MARKED)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([FIT] * 4 + [None] * 3, {"ok": 4}),
        # Three that show it again and two that do not are one too few.
        ([FIT] * 4 + [None] * 2, {"few_frames": 4}),
        # What shows a little of it is neither.
        ([FIT] * 4 + [None] * 2 + [seen(0.0005)] * 5, {"few_frames": 4}),
        ([FIT] * 8, {"few_frames": 8}),
        ([FIT] + [None] * 7, {"few_frames": 1}),
    ],
)
def test_frames_are_certain_either_way(frames: list[Any], expected: dict[str, int]) -> None:
    facts = made([("sofa", box(0, 0))], [{} if how is None else {0: how} for how in frames])
    assert {k: v for k, v in rejected(TASK, facts).items() if k != "unseen"} == expected


def test_how_many_show_it_is_drawn_evenly_and_the_rest_follows() -> None:
    facts = made([("sofa", box(0, 0))], [{0: FIT}] * 12 + [{}] * 12)
    counts: Counter[int] = Counter()
    for seed in range(60):
        for row in ask(TASK, facts, seed=seed):
            assert all(number < 12 for number in row["value"]) and row["margin"] > 0
            counts[len(row["value"])] += 1
    assert set(counts) == {1, 2, 3, 4, 5} and min(counts.values()) > 0.7 * max(counts.values())


def test_one_of_several_is_not_followed() -> None:
    facts = made([("sofa", box(0, 0)), ("sofa", box(3, 0))], [{0: FIT, 1: FIT}] * 4 + [{}] * 4)
    assert rejected(TASK, facts) == {"several": 4}
