"""Where an object lies relative to another, in words for two axes or one, recomputed from the truth's boxes."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import pytest
from mosaic_checks import (
    axis_of,
    check_asked,
    check_clear,
    check_frame_names,
    check_sets,
    difference,
)
from mosaic_scene import made_sets, shown
from question_truth import Truth
from scipy.stats import chisquare
from video_scenes import Studio, ask, box, check_answers, chosen_text, rejected, things

TASKS = ("obj_spatial_occ_lr", "obj_spatial_occ_ab", "obj_spatial_occ_fb")
LR, AB, FB = TASKS
WORDS = (
    ("to the left", "to the right"),
    ("lower", "higher"),
    ("closer to the camera", "farther from the camera"),
)


def second_axis(row: dict[str, Any]) -> int:
    """The axis beside the type's own of which the options speak; all of the same one."""
    (found,) = {
        axis
        for option in row["options"]
        for axis, words in enumerate(WORDS)
        if axis != axis_of(row) and any(word in option.lower() for word in words)
    }
    return int(found)


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    roles = things(row)
    axes = [axis_of(row), second_axis(row)]
    return [difference(scene, row, roles["target"], roles["reference"], axis) for axis in axes]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    axes = [axis_of(row), second_axis(row)]
    words = [WORDS[axis][number > 0] for axis, number in zip(axes, truth(scene, row), strict=True)]
    return " and ".join(words).capitalize()


@pytest.mark.parametrize("task", TASKS)
def test_answers_equal_the_truth(studio: Studio, task: str) -> None:
    check_answers(studio, task, "select", sys.modules[__name__], 200)


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
def test_sides_are_clear_and_what_is_meant_is_plain(studio: Studio, task: str) -> None:
    check_sets(studio, task)
    check_frame_names(studio, task)
    check_asked(studio, task, ("target", "reference"))
    for row in studio.rows(task):
        roles = things(row)
        for axis in (axis_of(row), second_axis(row)):
            check_clear(studio.truths[row["scene"]], row, roles["target"], roles["reference"], axis)
        assert row["margins"] == [abs(number) for number in row["value"]]


@pytest.mark.parametrize("task", TASKS)
def test_options_are_two_sides_by_two(studio: Studio, task: str) -> None:
    """Each word stands in two of the four, and other axes are named alike."""
    rows = studio.rows(task)
    for row in rows:
        parts = [tuple(option.lower().split(" and ")) for option in row["options"]]
        assert len(set(parts)) == 4
        assert set(Counter(word for part in parts for word in part).values()) == {2}
    letters = Counter(row["answer"] for row in rows)
    assert chisquare([letters[letter] for letter in "ABCD"]).pvalue > 1e-4
    assert len({second_axis(row) for row in rows}) == 2


@pytest.mark.every(3)
@pytest.mark.parametrize("wording", ["ours", "official"])
@pytest.mark.parametrize("task", TASKS)
def test_single_words_are_of_all_axes_and_one_is_true(studio: Studio, task: str, wording: str) -> None:
    """As published; each wrong one is wrong by as clear a side as the right one is right."""
    rows = studio.rows(task, options="single", wording=wording)
    assert len(rows) >= 100
    for row in rows:
        scene, roles = studio.truths[row["scene"]], things(row)
        for axis in range(3):
            check_clear(scene, row, roles["target"], roles["reference"], axis)
        sides = [difference(scene, row, roles["target"], roles["reference"], axis) > 0 for axis in range(3)]
        true = []
        for option in row["options"]:
            (said,) = [
                (axis, positive)
                for axis, words in enumerate(WORDS)
                for positive, word in enumerate(words)
                if word in option.lower()
            ]
            true += [option] if sides[said[0]] == bool(said[1]) else []
        assert true == [chosen_text(row)] and WORDS[axis_of(row)][sides[axis_of(row)]] in true[0].lower()
        if wording == "official":
            word = scene.objects[roles["reference"]].category
            assert f"the {word}" in true[0] and true[0].endswith(".")
            assert row["stem"].endswith("?") and "appear in this view relative to the" in row["stem"]


@pytest.mark.parametrize("task", [LR, FB])
def test_each_of_the_four_is_right_equally_often(studio: Studio, task: str) -> None:
    """Among what the asked view hides too, most of which is closer than what it shows."""
    rows = studio.rows(task)
    counts = Counter((second_axis(row), chosen_text(row)) for row in rows)
    for axis in {axis for axis, _ in counts}:
        own = [count for (other, _), count in counts.items() if other == axis]
        assert sum(own) < 20 or (len(own) == 4 and chisquare(own).pvalue > 1e-3), counts


def found(place: Any, **parameters: Any) -> dict[str, int]:
    things = [("lamp", place), ("sofa", box(0.0, 0.0, z=3.0))]
    made = made_sets(things, [{0: shown(), 1: shown()}, {}])
    return rejected(LR, made, even=False, **parameters)


def test_one_other_axis_is_enough_for_pairs_and_all_are_needed_for_single_words() -> None:
    # This camera looks up: z is both away and, by gravity, up; so the second is off to the side alone.
    assert found(box(1.0, 0.0, z=3.0)) == {"unclear_others": 2}
    assert found(box(1.0, 0.0, z=5.0), sides={"readings": "camera"}) == {"ok": 2}
    assert found(box(1.0, 0.0, z=5.0), sides={"readings": "camera"}, options="single") == {"ok": 2}
    level = {"vertical": "camera", "readings": "camera"}
    assert found(box(1.0, 0.0, z=5.0), sides=level) == {"ok": 2}
    assert found(box(1.0, 0.0, z=5.0), sides=level, options="single") == {"unclear_others": 2}
    assert found(box(0.1, 1.0, z=5.0), sides=level) == {"unclear_side": 2}


def test_swapping_the_two_turns_every_word() -> None:
    made = made_sets(
        [("lamp", box(1.0, -1.0, z=4.0)), ("sofa", box(0.0, 0.0, z=3.0))], [{0: shown(), 1: shown()}, {}]
    )
    for task in TASKS:
        rows = ask(task, made, even=False)
        answers = {}
        for row in rows:
            text = chosen_text(row).lower()
            answers[row["objects"][0]["instance"]] = {
                (axis, positive)
                for axis, words in enumerate(WORDS)
                for positive, word in enumerate(words)
                if word in text
            }
        shared = {axis for axis, _ in answers[0]} & {axis for axis, _ in answers[1]}
        assert axis_of(rows[0]) in shared
        for axis in shared:
            assert dict(answers[0])[axis] != dict(answers[1])[axis]
