"""Scenes with next to nothing in them: every task says so by counts, and none fails."""

from __future__ import annotations

import numpy as np
import pytest
from moment_scenes import TASKS, clear, filmed, standing
from video_scenes import ask, box, made

NAMED = [name for name in TASKS if name.startswith(("camera_obj", "obj_obj"))]


@pytest.mark.parametrize("task", TASKS)
def test_without_frames_or_objects_nothing_is_asked(task: str) -> None:
    assert ask(task, made([], [])) == []
    assert ask(task, filmed([standing(0, 0)])) == []
    assert ask(task, made([("sofa", box(2, 0))], [{}], poses=[standing(0, 0)])) == []


@pytest.mark.parametrize("task", TASKS)
def test_a_camera_that_never_moves(task: str) -> None:
    rows = ask(task, filmed([standing(0, 0)] * 12))
    assert rows == []


@pytest.mark.parametrize("task", TASKS)
def test_cameras_that_look_straight_up_and_down(task: str) -> None:
    down = np.eye(4)
    down[:3, :3] = np.diag([1.0, -1.0, -1.0])
    poses = []
    for i in range(12):
        pose = (down if i % 2 else np.eye(4)).copy()
        pose[:3, 3] = (0.4 * i, 0.1 * i, 1.0)
        poses.append(pose)
    rows = ask(task, filmed(poses, [("sofa", box(2, 0)), ("lamp", box(1, 1, z=2.0))]))
    assert all(np.isfinite(row["value"]).all() and row["margin"] > 0 for row in rows)
    assert not rows or "direction" not in task


@pytest.mark.parametrize("task", NAMED)
def test_what_is_not_known_of_an_object_is_no_reason_to_fail(task: str) -> None:
    """Nulls for what a source without a mesh cannot tell: what shows of the boxes stands in, or it is left out."""
    unknown = clear(occlusion=None, truncation=None, visible_vertex_fraction=None, amodal_px=None)
    facts = made(
        [("sofa", box(2, 0.6)), ("table", box(4, -0.6, z=1.2))],
        [{0: unknown, 1: unknown}],
        poses=[standing(0, 0)],
        overlap=0.5,
    )
    assert ask(task, facts) == []


@pytest.mark.parametrize("task", NAMED)
def test_an_object_around_the_camera_is_left_out(task: str) -> None:
    facts = filmed([standing(0, 0, 0.5)], [("room divider", box(0, 0, (1.0, 1.0, 1.0))), ("sofa", box(3, 0))])
    rows = ask(task, facts, **({} if task == "camera_obj_abs_dist" else {"even": False}))
    assert rows or task != "camera_obj_abs_dist"
    for row in rows:
        assert task in ("camera_obj_abs_dist", "obj_obj_relative_pos_nf") and row["margin"] > 0
        assert task != "camera_obj_abs_dist" or [it["instance"] for it in row["objects"]] == [1]
