"""What the tests of tasks about view sets share: what is true of a row's views, by a ray caster, in plain loops."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from question_truth import Truth
from video_scenes import Studio

from spatial_assets.scene import tables

LEAST = 0.0005
"""Share of an image: rows are about objects that show twice that at least, or nothing."""
NOTHING_SHOWN = 3
"""Pixels: two renderers differ by one where an edge passes through a pixel's center."""


def views(row: Mapping[str, Any]) -> list[str]:
    return [item["frame"] for item in row["frames"]]


def asked_view(row: Mapping[str, Any]) -> str:
    (found,) = [item["frame"] for item in row["frames"] if item["role"].startswith("asked-")]
    return str(found)


def shares(scene: Truth, row: Mapping[str, Any], thing: int) -> list[float]:
    """Of each view, how much of the image shows an object."""
    found = []
    for name in views(row):
        frame = scene.frames[name]
        found.append(scene.pixels(name).get(thing, 0) / (frame.width * frame.height))
    return found


def instances(row: Mapping[str, Any]) -> list[int]:
    return [item["instance"] for item in row["objects"]]


def of_word(scene: Truth, word: str) -> list[int]:
    return [thing for thing, it in scene.objects.items() if it.category == word]


def counted(scene: Truth, row: Mapping[str, Any]) -> int:
    """How many objects the views show of the category of those that the row names."""
    (word,) = {scene.objects[thing].category for thing in instances(row)}
    return sum(max(shares(scene, row, thing)) >= LEAST for thing in of_word(scene, word))


def check_sets(studio: Studio, task: str) -> None:
    """Every row shows one of the scene's sets, in its order, and says of it what stands in the lake's tables."""
    sets, objects, seen = {}, {}, {}
    for facts in studio.facts():
        scene = facts.which["scene"]
        for item in facts.read(tables.VIEW_SETS).iter_rows(named=True):
            sets[item["view_set"]] = item
        for item in facts.read(tables.VIEW_SET_OBJECTS).iter_rows(named=True):
            objects[item["view_set"], item["instance"]] = item
        for item in facts.read(tables.VISIBILITY).filter(pl.col("visible_px") > 0).iter_rows(named=True):
            seen[scene, item["frame"], item["instance"]] = item
    rows = studio.rows(task)
    assert rows
    for row in rows:
        said = row["diagnostics"]
        own = sets[said["view_set"]]
        assert views(row) == own["frames"] and row["scene"] == own["scene"]
        roles = [item["role"] for item in row["frames"]]
        wanted = [f"frame-{place + 1}" for place in range(len(roles))]
        if said["asked"] is not None:
            wanted[said["asked"] - 1] = f"asked-{said['asked']}"
        assert roles == wanted
        assert (said["overlap_avg"], said["overlap_pairs"]) == (own["overlap_avg"], own["overlap_pairs"])
        things = instances(row)
        shown = [
            (name, thing) for thing in things for name in views(row) if (row["scene"], name, thing) in seen
        ]
        occlusion = [seen[row["scene"], name, thing]["occlusion"] for name, thing in shown]
        assert math.isclose(said["occlusion_avg"], np.mean(occlusion), abs_tol=1e-9)
        everywhere = all(objects[said["view_set"], thing]["seen"] == "all" for thing in things)
        assert said["visibility"] == ("full" if everywhere else "partial")
        union = [objects[said["view_set"], thing]["shown_union"] for thing in things]
        assert math.isclose(said["coverage"], np.mean([share for share in union if share is not None]))


def check_frame_names(studio: Studio, task: str) -> None:
    """The text calls the asked frame by its place in the set, and no other frame; where set so, by its own name."""
    for parameters, name in (({}, r"Frame (\d)"), ({"frame_names": "name"}, r"frame_(\w+)")):
        rows = studio.rows(task, **parameters)
        assert rows
        for row in rows:
            said = set(re.findall(name, row["stem"]))
            own = asked_view(row) if parameters else str(views(row).index(asked_view(row)) + 1)
            assert said == {own}, row["stem"]
