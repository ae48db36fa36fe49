"""How far an object is from the camera of a frame, by bounded least squares over its box in the truth."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import video_truth
from mosaic_checks import asked_view, check_frame_names, check_sets, check_target
from mosaic_scene import made_sets, shown
from question_truth import Truth
from scipy.optimize import lsq_linear
from scipy.spatial.transform import Rotation
from video_scenes import Studio, ask, box, check_answers, rejected, things

TASK = "obj_distance_occ_na"


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters from the asked camera to the nearest point of the object's box."""
    camera, thing = scene.frames[asked_view(row)].position, scene.objects[things(row)["target"]]
    turn = Rotation.from_euler("z", thing.yaw).as_matrix()
    half = thing.size / 2
    found = lsq_linear(turn, camera - thing.center, (-half, half), method="bvls", tol=1e-14)
    return [float(np.linalg.norm(turn @ found.x + thing.center - camera))]


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
        scene = studio.truths[row["scene"]]
        center = scene.objects[things(row)["target"]].center
        distance = np.linalg.norm(center - scene.frames[asked_view(row)].position)
        assert row["value"] == [pytest.approx(distance, abs=1e-3)] and "middle" in row["stem"]


def test_most_objects_are_hidden_from_the_camera_and_all_are_plainly_meant(studio: Studio) -> None:
    check_sets(studio, TASK)
    check_frame_names(studio, TASK)
    rows = studio.rows(TASK)
    for row in rows:
        check_target(studio.truths[row["scene"]], row, things(row)["target"])
    hidden = sum(row["diagnostics"]["answer_is"] == "hidden" for row in rows)
    assert 0.7 * len(rows) <= hidden <= 0.9 * len(rows)
    assert any(row["given"] for row in rows)


def test_no_distance_is_most_of_the_answers(studio: Studio) -> None:
    answers = [row["answer"] for row in studio.rows(TASK)]
    assert len(set(answers)) >= 30
    assert max(map(answers.count, set(answers))) <= 0.08 * len(answers)


def counts(z: float, **parameters: Any) -> dict[str, int]:
    """Of a cube of 20 cm ahead of the first camera, which sees it, and of the second, which does not."""
    frames = [{0: shown()}, {}]
    return rejected(TASK, made_sets([("lamp", box(0.0, 0.0, z=z))], frames), **parameters)


def test_distances_at_their_limits() -> None:
    assert counts(3.0) == {"ok": 2}
    assert counts(0.3001) == {"ok": 2}
    assert counts(0.2999) == {"near": 2}
    assert counts(0.05) == {"near": 2}
    assert counts(0.3, measure="center") == {"ok": 2}
    assert counts(3.0509) == counts(3.0491) == {"rounding": 2}
    assert counts(3.0511) == counts(3.0489) == {"ok": 2}
    assert counts(3.0, hidden_of_ten=0) == counts(3.0, hidden_of_ten=10) == {"unwanted": 1, "ok": 1}


def test_what_shows_too_little_is_asked_about_nowhere() -> None:
    two = [("lamp", box(0.0, 0.0, z=3.0)), ("lamp", box(1.0, 0.0, z=3.0))]
    sliver = made_sets(two[:1], [{0: shown(0.0004)}, {}])
    assert rejected(TASK, sliver) == {"half_hidden": 1, "unclear_elsewhere": 1}
    apart = [{0: shown(at=(100, 100)), 1: shown(at=(400, 100))}, {}]
    # Its pixel tells which is meant where it is shown, and nothing does where it is not.
    assert rejected(TASK, made_sets(two, apart)) == {"ambiguous_name": 2, "ok": 2}
    stems = [row["stem"] for row in ask(TASK, made_sets(two, apart))]
    assert sorted("lamp(100,100)" in stem for stem in stems) == [False, True]


def test_a_turned_camera_is_as_far_off() -> None:
    """Where a camera looks changes no distance; where it stands does."""
    turned, moved = np.diag([1.0, -1.0, -1.0, 1.0]), np.eye(4)
    moved[:3, 3] = [0.0, 0.0, 1.0]
    scenes = [
        made_sets([("lamp", box(0.0, 0.0, z=3.0))], [{0: shown()}, {}], poses=[np.eye(4), other])
        for other in (turned, moved)
    ]
    found = [{row["diagnostics"]["asked"]: row["answer"] for row in ask(TASK, scene)} for scene in scenes]
    assert found == [{1: "2.9", 2: "2.9"}, {1: "2.9", 2: "1.9"}]
