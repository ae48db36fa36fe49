"""Rows made as columns hold what rows made one by one would, and their ids are what they are said to be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from made_scene import HEIGHT, SEEN, WIDTH, Tables, pose
from video_scenes import random_scene

from spatial_assets.scene.tables import QUESTIONS
from spatial_assets.storage.lake import conform
from spatial_assets.tasks.core.candidates import Candidates
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import Generated, generate
from spatial_assets.tasks.registry import task

TASKS = ("camera_motion_infer", "depth_prediction_oc", "object_counting", "object_rel_direction_easy")


def marked() -> Tables:
    words = {0: "chair", 1: "lamp", 2: "sofa"}
    views = [
        {**SEEN, "frame": frame, "instance": i, "marker": [150 + 100 * i, 200], "center_depth": 2.5 + i}
        for frame in "01"
        for i in words
    ]
    centers = {i: (i - 1.0, 0.0, 2.5 + i) for i in words}
    return Tables(
        pose(0, 0, (0.5, 0.1, 2.02)),
        facts=("amodal", "images", "mesh", "objects", "overlap", "poses", "visibility"),
        objects=words,
        observations=views,
        centers=centers,
    )


def scenes() -> Iterator[SceneFacts]:
    yield marked().facts()
    yield from map(random_scene, range(4))


def made_of(name: str) -> Iterator[Generated]:
    chosen = task(name)
    made = [generate(chosen, facts, chosen.parameters(quota=40)) for facts in scenes()]
    assert sum(one.table.num_rows for one in made) > 0
    yield from made


@pytest.mark.parametrize("name", TASKS)
def test_rows_are_in_the_order_and_of_the_types_of_their_table(name: str) -> None:
    for made in made_of(name):
        assert conform(QUESTIONS, made.rows) == made.table == conform(QUESTIONS, made.table)


def test_an_answer_of_another_kind_than_the_task_declares_is_named() -> None:
    """Every task whose rows a test makes is held to it so."""
    other = replace(task("depth_prediction_oc"), kind="point")
    with pytest.raises(ValueError, match="depth_prediction_oc answers by 'number' and declares 'point'"):
        generate(other, marked().facts(), other.parameters())


def test_a_reason_that_a_task_does_not_explain_is_named() -> None:
    chosen = task(TASKS[1])

    def find(facts: SceneFacts, parameters: Any) -> Candidates:
        found = chosen.find(facts, parameters).fresh()
        found.reject("out_of_mind", found.objects[:, 0] == 0)
        return found

    with pytest.raises(
        ValueError, match="depth_prediction_oc rejects as 'out_of_mind', which its `reasons` do not"
    ):
        generate(replace(chosen, find=find), marked().facts(), chosen.parameters())


@pytest.mark.parametrize("name", TASKS)
def test_ids_are_hashes_of_what_tells_rows_apart(name: str) -> None:
    for made in made_of(name):
        for row in made.rows:
            frames = [[shown["role"], shown["frame"]] for shown in row["frames"]]
            objects = [[meant["role"], meant["instance"]] for meant in row["objects"]]
            told = [row[key] for key in ("dataset", "release", "scene", "task", "format")]
            text = json.dumps([*told, frames, objects, row["template"], row["ordinal"]])
            assert row["qa_id"] == hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def test_marks_and_roles_stand_in_their_rows() -> None:
    """Lists of structs of lists, of different lengths, come out as they were put in."""
    for row in next(made_of("depth_prediction_oc")).rows:
        assert [mark["role"] for mark in row["marks"]] == [meant["role"] for meant in row["objects"]]
        for mark, meant in zip(row["marks"], row["objects"], strict=True):
            assert mark["shape"] == "point" and mark["frame"] == row["frames"][0]["frame"]
            # Its pixel's center on the grid.
            across = (150 + 100 * meant["instance"] + 0.5) * 1000 / WIDTH
            assert mark["xy"] == [int(across + 0.5), int((200 + 0.5) * 1000 / HEIGHT + 0.5)]


def test_a_scene_without_questions_has_a_table_without_rows() -> None:
    chosen = task("object_counting")
    made = generate(chosen, random_scene(1), chosen.parameters(quota=0))
    assert made.table == QUESTIONS.schema.empty_table() and made.rows == []
