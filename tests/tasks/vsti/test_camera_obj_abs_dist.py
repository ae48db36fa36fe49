"""How far an object is from the camera at a moment, by bounded least squares."""

from __future__ import annotations

import sys
from typing import Any

import moment_scenes
import numpy as np
import pytest
import video_truth
from hypothesis import given
from hypothesis import strategies as st
from moment_scenes import filmed, moments, standing, things
from question_truth import Truth
from video_scenes import Studio, ask, box, check_answers, found_by, rejected

from spatial_assets.tasks.vsti.moments import nearest_points

TASK = "camera_obj_abs_dist"


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters from the camera to the object's nearest point."""
    (frame,), (thing,) = moments(scene, row), things(scene, row).values()
    return [moment_scenes.distance(frame, thing)]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return video_truth.one_decimal(truth(scene, row)[0])


@pytest.mark.parametrize(("form", "least"), [("fill", 200), ("select", 60)])
def test_answers_equal_the_truth(studio: Studio, form: str, least: int) -> None:
    check_answers(studio, TASK, form, sys.modules[__name__], least)


def test_what_is_asked_about_is_shown(studio: Studio) -> None:
    rows = studio.rows(TASK)
    assert rows
    for row in rows:
        scene = studio.truths[row["scene"]]
        moment_scenes.check_shown(scene, row)
        assert things(scene, row)["object"].category in row["question"].lower()


def test_wrong_options_are_of_the_same_word_in_other_frames(studio: Studio) -> None:
    rows = studio.rows(TASK, quota=1000)
    known = {(row["scene"], *_word(studio, row), row["answer"]) for row in rows if row["format"] == "fill"}
    assert {row["format"] for row in rows} == {"fill", "select"}
    for row in rows:
        if row["format"] == "select":
            word = _word(studio, row)
            assert all((row["scene"], *word, option) in known for option in row["options"])


def _word(studio: Studio, row: dict[str, Any]) -> list[str]:
    return [thing.category for thing in things(studio.truths[row["scene"]], row).values()]


coordinates = st.floats(-4, 4)


@given(
    st.tuples(coordinates, coordinates, coordinates),
    st.tuples(*[st.floats(0.05, 3)] * 3),
    st.floats(0, 3),
    st.floats(-180, 180),
)
def test_distances_are_those_to_the_nearest_point(
    at: tuple[float, float, float], size: tuple[float, float, float], yaw: float, heading: float
) -> None:
    thing = box(0.3, -0.2, size, yaw)
    facts = filmed([standing(*at, heading=heading)], [("sofa", thing)])
    # The nearest of many points of the solid is no nearer, and hardly farther.
    grid = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 33)] * 3), axis=-1).reshape(-1, 3)
    points = thing.center + (grid * thing.size) @ thing.rotation.T
    sampled = np.linalg.norm(points - np.array(at), axis=1).min()
    found = nearest_points(facts)[0, 0]
    assert sampled - np.linalg.norm(thing.size) / 64 - 1e-9 <= found <= sampled + 1e-9


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        (0.17, {"near": 1}),
        (0.22, {"ok": 1}),
        (9.98, {"ok": 1}),
        (10.12, {"far": 1}),
        (1.0495, {"rounding": 1}),
    ],
)
def test_distances_at_their_limits(away: float, expected: dict[str, int]) -> None:
    facts = filmed([standing(0, 0, 0.5)], [("sofa", box(away + 0.1, 0))])
    assert rejected(TASK, facts) == expected


def test_a_name_means_one_thing_of_the_frame_not_of_the_scene() -> None:
    things = [("chair", box(2, 0)), ("chair", box(3, 1)), ("office chair", box(3, -1)), ("floor", box(0, 0))]
    poses = [standing(0, 0)] * 3
    facts = filmed(poses, things, [[0, 1, 3], [0, 3], [0, 2, 3]])
    # In the third frame a chair may be the office chair, and the office chair nothing else.
    found = found_by(TASK, facts)
    assert found.rejected == {"ambiguous_name": 3}
    assert sorted(zip(found.frames[:, 0].tolist(), found.objects[:, 0].tolist(), strict=True)) == [
        (1, 0),
        (2, 2),
    ]


def test_every_frame_of_the_video_is_shown_and_one_is_asked_about() -> None:
    facts = filmed([standing(-i / 10, 0) for i in range(7)], [("sofa", box(2, 0))])
    rows = ask(TASK, facts)
    asked = [[item["role"] for item in row["frames"] if item["role"].startswith("asked")] for row in rows]
    assert all(len(row["frames"]) == 7 and len(own) == 1 for row, own in zip(rows, asked, strict=True))
    assert {role for own in asked for role in own} == {f"asked-{i}" for i in range(7)}
    assert len({row["qa_id"] for row in rows}) == len(rows)
