"""The official wording is the published one, each of ours says the same, and any of the two can be had alone."""

from __future__ import annotations

import json
import re

import pytest
from moment_scenes import TASKS
from video_scenes import Studio

from spatial_assets.tasks.core.wording import file_of
from spatial_assets.tasks.registry import task as task_named

DISTANCE = (
    "Measuring from the closest point of each object, which of these objects ({}) is the closest to the camera in "
    "{{frame}}?"
)
PUBLISHED = {
    "camera_obj_abs_dist": "What is the approximate distance (in meters) between the camera (or the person filming) "
    "and the nearest point of the {object} in {frame}?",
    "camera_obj_rel_dist_v1": DISTANCE.format("{option_a}, {option_b}, {option_c}, {option_d}"),
    "camera_obj_rel_dist_v2": DISTANCE.format("{option_a}, {option_b}, {option_c}"),
    "camera_obj_rel_dist_v3": DISTANCE.format("{option_a}, {option_b}"),
    "camera_displacement": "Approximately how far (in meters) did the camera move between {start} and {end}?",
    "camera_movement_direction": "During the sequence between {start} and {end}, what was the primary consistent "
    "direction of the camera's movement relative to its orientation at the start? The options are {listed}.",
    "obj_obj_relative_pos_nf": "In {frame}, relative to the camera, is {first} [Near/Far] compared to {second}?",
    "obj_obj_relative_pos_lr": "In {frame}, relative to {second}, is {first} to the [Left/Right]?",
    "obj_obj_relative_pos_ud": "In {frame}, relative to {second}, is {first} to the [Up/Down]?",
}
OWN_SLOTS = {"listed"}
"""What only the published wording says."""


def test_nine_tasks_are_published_and_one_is_ours() -> None:
    assert set(TASKS) - set(PUBLISHED) == {"camera_movement_direction_two_axis"} and set(PUBLISHED) < set(
        TASKS
    )


@pytest.mark.parametrize("task", TASKS)
def test_the_official_stem_is_the_published_one_and_ours_hold_the_same(task: str) -> None:
    held = json.loads(file_of("vsti", task).read_text())
    assert set(held["formats"]) == set(task_named(task).needs)
    ours = {name: text for name, text in held["stems"].items() if name != "official"}
    assert len(ours) >= 4
    slots = [set(re.findall(r"\{(\w+)\}", text)) for text in ours.values()]
    assert all(own == slots[0] for own in slots)
    if task not in PUBLISHED:
        assert "official" not in held["stems"] and "published" not in held
        return
    assert held["stems"]["official"] == PUBLISHED[task] and held["published"] == ["official"]
    assert "Apache-2.0" in held["about"]
    assert set(re.findall(r"\{(\w+)\}", PUBLISHED[task])) - OWN_SLOTS == slots[0]


@pytest.mark.every(4)
@pytest.mark.parametrize("wording", ["official", "ours", "both"])
@pytest.mark.parametrize("task", TASKS)
def test_wording_can_be_chosen(studio: Studio, task: str, wording: str) -> None:
    stems = [row["template"].split("/")[0] for row in studio.rows(task, wording=wording)]
    published = task in PUBLISHED
    official = sum(stem == "official" for stem in stems)
    assert stems and (official > 0) == (published and wording != "ours")
    assert (official < len(stems)) == (not published or wording != "official")
