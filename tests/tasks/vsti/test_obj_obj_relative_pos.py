"""How one object lies to another at a moment, by the corners of their boxes one by one."""

from __future__ import annotations

import math
import sys
from collections import Counter
from typing import Any

import moment_scenes
import numpy as np
import pytest
from moment_scenes import between, corners, distance, filmed, moments, standing, things
from question_truth import Truth
from video_scenes import Studio, about, ask, box, check_answers, chosen_text, found_by, rejected

from spatial_assets.tasks.core.facts import SceneFacts

NF, LR, UD = TASKS = tuple(f"obj_obj_relative_pos_{axis}" for axis in ("nf", "lr", "ud"))
ANSWERS = {NF: ("Near", "Far"), LR: ("Left", "Right"), UD: ("Down", "Up")}


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters from the second's end up to the first's, away from the camera, to its right, or against gravity."""
    (frame,), found = moments(scene, row), things(scene, row)
    first, second = (
        [float(along(row["task"], frame, corner)) for corner in corners(found[role])]
        for role in ("first", "second")
    )
    return [between(first, second)]


def along(task: str, frame: Any, corner: np.ndarray) -> float:
    right, _, ahead = frame.in_camera(corner)
    return {NF: ahead, LR: right, UD: corner[2]}[task]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return ANSWERS[row["task"]][truth(scene, row)[0] > 0]


@pytest.mark.parametrize("task", TASKS)
def test_answers_equal_the_truth(studio: Studio, task: str) -> None:
    # Few pairs may lie either way by what they are called.
    check_answers(studio, task, "select", sys.modules[__name__], 3 if task == UD else 40)


@pytest.mark.parametrize("task", (NF, UD))
def test_answers_equal_the_truth_also_of_what_words_suggest(studio: Studio, task: str) -> None:
    rows = studio.rows(task, even=False)
    assert len(rows) >= 150
    for row in rows:
        scene = studio.truths[row["scene"]]
        assert chosen_text(row) == printed(scene, row)
        assert row["value"] == pytest.approx(truth(scene, row), abs=1e-3)


@pytest.mark.parametrize("task", TASKS)
def test_sides_are_clear_and_any_way_to_read_them_agrees(studio: Studio, task: str) -> None:
    for row in studio.rows(task):
        scene = studio.truths[row["scene"]]
        moment_scenes.check_shown(scene, row)
        ((gap,), (frame,), found) = truth(scene, row), moments(scene, row), things(scene, row)
        assert abs(gap) >= 0.15 - 1e-6 and row["margin"] == pytest.approx(abs(gap), abs=1e-5)
        first, second = found["first"], found["second"]
        if task == NF:
            for far in (distance, lambda frame, it: math.dist(frame.position, it.center)):
                assert (far(frame, first) - far(frame, second)) * math.copysign(1, gap) >= 0.15 - 1e-5
        if task == LR:
            bearings = [
                [math.degrees(math.atan2(x, z)) for x, _, z in map(frame.in_camera, corners(it))]
                for it in (first, second)
            ]
            assert between(*bearings) * math.copysign(1, gap) >= 1 - 1e-4
        at = [row["question"].find(thing.category) for thing in (first, second)]
        assert min(at) >= 0


@pytest.mark.parametrize("task", TASKS)
def test_each_word_is_right_about_as_often(studio: Studio, task: str) -> None:
    counts = Counter(row["options"]["AB".index(row["answer"])] for row in studio.rows(task, even=False))
    total = counts.total()
    assert set(counts) == set(ANSWERS[task])
    assert max(counts.values()) <= total / 2 + 3 * math.sqrt(total) / 2


def two(first: Any, second: Any, pose: np.ndarray | None = None) -> SceneFacts:
    return filmed([standing(0, 0, 0.5) if pose is None else pose], [("sofa", first), ("table", second)])


def said(task: str, facts: SceneFacts) -> str:
    """Why nothing is asked, or the answer for the sofa."""
    found = rejected(task, facts)
    (reason,) = found
    if reason != "ok":
        return reason
    (row,) = ask(task, facts, even=False)
    lower, upper = ANSWERS[task]
    answer = row["options"]["AB".index(row["answer"])]
    named_first = row["objects"][0]["instance"] == 0
    return answer if named_first else {lower: upper, upper: lower}[answer]


@pytest.mark.parametrize(
    ("gap", "expected"), [(0.14, "overlap"), (0.16, "Near"), (-0.1, "overlap"), (-0.34, "overlap")]
)
def test_depths_keep_apart(gap: float, expected: str) -> None:
    assert said(NF, two(box(2, 0.3), box(2.2 + gap, -0.3))) == expected


def test_what_is_nearer_in_depth_alone_is_not_asked() -> None:
    """Far out at the side a thing is deep in the image by less than it is away."""
    assert said(NF, two(box(2.0, 3.0), box(2.5, 0.0))) == "two_readings"
    assert said(NF, two(box(2.0, 0.5), box(2.5, 0.0))) == "Near"
    assert said(NF, two(box(2.5, 0.0), box(2.0, 0.5))) == "Far"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((2, 0.5), (2, -0.5), "Left"), ((2, -0.5), (2, 0.5), "Right"), ((2, 0.17), (2, -0.17), "overlap"),
        ((2, 0.18), (2, -0.18), "Left"),
        # To the right in space, but behind it to the left in the image.
        ((6, -0.8), (2, -0.4), "two_readings"), ((2, -0.4), (6, -0.8), "two_readings"),
        # A box beside the camera has no end in its image.
        ((0.1, 0.5), (2, -0.5), "two_readings"),
    ],
)  # fmt: skip
def test_left_and_right_hold_in_space_and_in_the_image(
    first: tuple[float, float], second: tuple[float, float], expected: str
) -> None:
    assert said(LR, two(box(*first), box(*second))) == expected


@pytest.mark.parametrize(
    ("roll", "expected"),
    [(0, "Left"), (29, "Left"), (-29, "Left"), (31, "rolled"), (-31, "rolled"), (180, "rolled")],
)
def test_a_camera_on_its_side_has_another_left(roll: float, expected: str) -> None:
    assert said(LR, two(box(2, 0.9), box(2, -0.9), standing(0, 0, 0.5, roll=roll))) == expected


@pytest.mark.parametrize(("gap", "expected"), [(0.14, "overlap"), (0.16, "Down")])
@pytest.mark.parametrize("pitch", [-70, -30, 0, 40])
def test_heights_keep_apart_however_the_camera_is_tilted(gap: float, expected: str, pitch: float) -> None:
    facts = two(box(2, 0.3), box(4, -0.3, z=0.7 + gap), standing(0, 0, 0.5, pitch=pitch))
    assert said(UD, facts) == expected


@pytest.mark.parametrize("task", TASKS)
def test_candidates_are_those_of_plain_loops(task: str) -> None:
    words = ("bed", "lamp", "plant", "sofa", "table", "vase")
    reached: Counter[str] = Counter()
    for seed in range(15):
        rng = np.random.default_rng(seed)
        objects = [
            (
                word,
                box(
                    *rng.uniform(1, 4, 2),
                    tuple(rng.uniform(0.1, 0.8, 3)),
                    rng.uniform(0, 3),
                    rng.uniform(0, 2),
                ),
            )
            for word in words
        ]
        poses = [
            standing(
                *rng.uniform(-1, 1, 2), heading=45, pitch=rng.uniform(-50, 20), roll=rng.uniform(-40, 40)
            )
            for _ in range(4)
        ]
        facts = filmed(poses, objects)
        expected = {}
        reasons: Counter[str] = Counter()
        for frame, pose in enumerate(poses):
            for i in range(len(words)):
                for j in range(i + 1, len(words)):
                    gap = plain(task, pose, objects[i][1], objects[j][1])
                    if isinstance(gap, str):
                        reasons[gap] += 1
                    else:
                        expected[frame, i, j] = gap
        found = found_by(task, facts)
        got = dict(
            zip(
                ((frame, *own) for frame, own in zip(found.frames[:, 0].tolist(), about(found), strict=True)),
                found.values["gap"].tolist(),
                strict=True,
            )
        )
        assert got == pytest.approx(expected) and found.rejected == reasons
        reached.update({**reasons, "ok": len(got)})
    assert {"overlap", "ok"} <= set(reached) and (task == UD or "two_readings" in reached)


def plain(task: str, pose: np.ndarray, first: Any, second: Any) -> float | str:
    points = [
        [
            it.center + it.rotation @ (np.array([x, y, z]) * it.size / 2)
            for x in (-1, 1)
            for y in (-1, 1)
            for z in (-1, 1)
        ]
        for it in (first, second)
    ]
    seen = [[pose[:3, :3].T @ (point - pose[:3, 3]) for point in own] for own in points]
    roll = math.degrees(math.atan2(pose[2, 0], -pose[2, 1]))
    if task == LR and abs(roll) > 30:
        return "rolled"
    gap = between(
        *(
            [{NF: it[2], LR: it[0], UD: at[2]}[task] for it, at in zip(*own, strict=True)]
            for own in zip(seen, points, strict=True)
        )
    )
    if not abs(gap) >= 0.15:
        return "overlap"
    sign = math.copysign(1, gap)
    if task == LR:
        if min(it[2] for own in seen for it in own) < 0.1:
            return "two_readings"
        turn = between(*([math.degrees(math.atan2(it[0], it[2])) for it in own] for own in seen))
        return gap if turn * sign >= 1 else "two_readings"
    if task == NF:
        centers = [math.dist(pose[:3, 3], it.center) for it in (first, second)]
        nearest = [
            float(
                np.linalg.norm(np.maximum(np.abs(it.rotation.T @ (pose[:3, 3] - it.center)) - it.size / 2, 0))
            )
            for it in (first, second)
        ]
        if any((a - b) * sign < 0.15 for a, b in (centers, nearest)):
            return "two_readings"
    return gap
