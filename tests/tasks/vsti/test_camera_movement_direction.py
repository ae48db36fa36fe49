"""In which direction the camera moved, by complex numbers; and every limit of the two tasks, from both sides."""

from __future__ import annotations

import math
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moment_scenes import filmed, moments, standing, way
from question_truth import Truth
from video_scenes import Studio, ask, check_answers, rejected

from spatial_assets.tasks.core.candidates import Candidates
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.registry import task as task_named
from spatial_assets.tasks.vsti import camera_movement_direction
from spatial_assets.tasks.vsti.camera_movement_direction import DirectionParameters, clear_ways

ONE, TWO = TASKS = ("camera_movement_direction", "camera_movement_direction_two_axis")
KINDS = {kind.name: kind for kind in (camera_movement_direction.ONE, camera_movement_direction.TWO)}


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters forward and to the right."""
    return list(way(*moments(scene, row))[:2])


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return word(row["task"], *truth(scene, row))


def word(task: str, forward: float, right: float) -> str:
    ahead = "Forward" if forward > 0 else "Backward"
    beside = "Right" if right > 0 else "Left"
    if task == TWO:
        return f"{ahead} and to the {beside.lower()}"
    return ahead if abs(forward) > abs(right) else beside


@pytest.mark.parametrize("task", TASKS)
def test_answers_equal_the_truth(studio: Studio, task: str) -> None:
    check_answers(studio, task, "select", sys.modules[__name__], 50)


@pytest.mark.parametrize("task", TASKS)
def test_answers_are_clear_of_other_ones(studio: Studio, task: str) -> None:
    for row in studio.rows(task):
        scene = studio.truths[row["scene"]]
        start, end = moments(scene, row)
        forward, right, up = way(start, end)
        minor, major = sorted((abs(forward), abs(right)))
        named = minor if task == TWO else major
        assert named >= 0.5 - 1e-6 and abs(up) <= 0.4 * named + 1e-6
        assert minor >= 0.6 * major - 1e-6 if task == TWO else minor <= 0.4 * major + 1e-6
        assert row["margin"] == pytest.approx(minor if task == TWO else major - minor, abs=1e-5)
        x, y, z = start.rotation.apply([0.0, 0.0, 1.0])
        assert abs(math.degrees(math.atan2(z, math.hypot(x, y)))) <= 60 + 1e-6
        path = [scene.frames[item["frame"]].position for item in row["frames"]]
        first, last = (place for place, item in enumerate(row["frames"]) if item["role"].startswith("asked"))
        walked = sum(math.dist(path[i], path[i + 1]) for i in range(first, last))
        assert walked <= 2.5 * math.dist(path[first], path[last]) + 1e-6


@pytest.mark.parametrize("task", TASKS)
def test_of_questions_that_offer_the_same_each_answer_is_right_as_often(studio: Studio, task: str) -> None:
    """Where none is cut off by the quota, exactly; the words that a scene's video never has are never offered."""
    for facts in studio.facts():
        right: dict[tuple[str, ...], Counter[str]] = {}
        for row in ask(task, facts, quota=10_000):
            own = right.setdefault(tuple(sorted(row["options"])), Counter())
            own[row["options"]["ABCD".index(row["answer"])]] += 1
        assert right
        for offered, counts in right.items():
            assert set(counts) == set(offered) and len(set(counts.values())) == 1


def path(*ways: tuple[float, float, float], **how: float) -> list[np.ndarray]:
    """The start at the origin, looking along x, then places by how far they are forward, to the right and up."""
    return [standing(0, 0, **how), *(standing(x, -y, 1.5 + z, heading=90) for x, y, z in ways)]


def clear(task: str, poses: list[np.ndarray], **parameters: float) -> Candidates:
    """Ways that are one answer's, before answers are set against each other."""
    found = clear_ways(filmed(poses), DirectionParameters(**parameters), KINDS[task]).settle()
    assert set(found.rejected) <= set(task_named(task).reasons)
    return found


def verdict(task: str, poses: list[np.ndarray]) -> str:
    """What becomes of the question about two moments."""
    found = clear(task, poses)
    if not len(found):
        (reason,) = found.rejected
        return reason
    return phrases("vsti", task)[KINDS[task].answers[found.values["code"][0]]]


@pytest.mark.parametrize(
    ("end", "one", "two"),
    [
        ((0.49, 0, 0), "still", "still"), ((0.51, 0, 0), "Forward", "one_axis"),
        ((-0.51, 0, 0), "Backward", "one_axis"), ((0, 0.51, 0), "Right", "one_axis"),
        ((0, -0.51, 0), "Left", "one_axis"), ((2, 0.79, 0), "Forward", "one_axis"),
        ((2, 0.81, 0), "between", "between"), ((2, 1.19, 0), "between", "between"),
        ((2, 1.21, 0), "two_axes", "Forward and to the right"),
        ((-1.21, 2, 0), "two_axes", "Backward and to the right"),
        ((-2, -2, 0), "two_axes", "Backward and to the left"), ((1.5, -1.49, 0), "two_axes", "Forward and to the left"),
        ((1, 0, 0.39), "Forward", "one_axis"), ((1, 0, 0.41), "vertical", "one_axis"),
        ((1, 0, -0.41), "vertical", "one_axis"), ((1, 0.9, 0.35), "two_axes", "Forward and to the right"),
        ((1, 0.9, 0.37), "two_axes", "vertical"), ((0.55, 0.49, 0), "two_axes", "still"),
        ((0, 0, 2), "still", "still"),
    ],
)  # fmt: skip
def test_ways_at_their_limits(end: tuple[float, float, float], one: str, two: str) -> None:
    assert verdict(ONE, path(end)) == one
    assert verdict(TWO, path(end)) == two


@pytest.mark.parametrize(
    ("how", "one"),
    [
        ({"pitch": 59.0}, "Forward"), ({"pitch": -59.0}, "Forward"), ({"pitch": 61.0}, "steep"),
        ({"pitch": -61.0}, "steep"), ({"roll": 29.0}, "Forward"), ({"roll": -29.0}, "Forward"),
        ({"roll": 31.0}, "rolled"), ({"roll": 90.0}, "rolled"), ({"roll": 180.0}, "rolled"),
        ({"pitch": -50.0, "roll": 20.0}, "Forward"),
    ],
)  # fmt: skip
def test_a_tilted_camera_has_the_same_forward(how: dict[str, float], one: str) -> None:
    assert verdict(ONE, path((1, 0.1, 0), **how)) == one


@given(st.floats(-180, 180), st.floats(-59, 59), st.floats(-29, 29), st.floats(-3, 3), st.floats(-3, 3))
def test_ways_are_level_however_the_camera_is_turned(
    heading: float, pitch: float, roll: float, forward: float, right: float
) -> None:
    turn = complex(math.cos(math.radians(heading)), math.sin(math.radians(heading)))
    end = complex(forward, -right) * turn
    poses = [standing(0, 0, heading=heading, pitch=pitch, roll=roll), standing(end.real, end.imag)]
    found = [it for task in TASKS for it in clear(task, poses).values["level"].tolist()]
    for level in found:
        assert level == pytest.approx([forward, right], abs=1e-9)
    minor, major = sorted((abs(forward), abs(right)))
    if major > 0.51 and minor < 0.39 * major:
        assert len(found) == 1


@pytest.mark.parametrize(("walked", "kept"), [(7.49, True), (7.51, False)])
def test_a_winding_way_has_no_direction(walked: float, kept: bool) -> None:
    """Three meters forward, and beyond and back by what is walked more."""
    beyond = 3 + (walked - 3) / 2
    poses = [standing(0, 0), standing(beyond, 0, heading=90), standing(beyond - 1, 0), standing(3, 0)]
    ways = {tuple(own) for own in clear(ONE, poses).frames.tolist()}
    assert ((0, 3) in ways) == kept


def test_what_only_one_answer_could_be_given_to_is_not_asked() -> None:
    straight = [standing(i, 0) for i in range(5)]
    assert rejected(ONE, filmed(straight)) == {"one_sided": 10}
    assert rejected(ONE, filmed(straight, overlap=0.0)) == {"unlinked": 10}


def test_the_published_wording_lists_the_options_by_their_letters(studio: Studio) -> None:
    sizes = set()
    for row in studio.rows(ONE, wording="official"):
        listed = row["options"][:-1]
        last = f"{', '.join(listed)}, and " if len(listed) > 1 else f"{listed[0]} and "
        assert f"The options are {last}{row['options'][-1]}. " in row["question"]
        sizes.add(len(row["options"]))
    assert {3, 4} <= sizes
