"""Scenes for the tests of tasks about videos: made by hand, as tables in memory, or the studio's, with their truth."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest
from named_objects import name_of
from question_truth import Truth

from spatial_assets.assets import partitions
from spatial_assets.scene import tables
from spatial_assets.scene.categories import may_mean
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import MADE_BY, Box
from spatial_assets.scene.tables import Table
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.files import PROGRAM
from spatial_assets.tasks.core.candidates import Candidates
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.registry import task as task_named

LETTERS = "ABCD"
WIDTH, HEIGHT = 640, 480
WHICH = {"dataset": "made", "release": "1", "scene": "s"}
FACTS = ["amodal", "images", "mesh", "objects", "overlap", "poses", "sequence", "surfaces", "visibility"]
GOOD = {"occlusion": 0.0, "truncation": 0.0, "visible_vertex_fraction": 0.5}
ROOM: Mapping[str, Any] = {
    "floor": 0.0, "area": 20.03, "area_low": 20.0, "area_high": 20.1, "seen_area": 20.0, "walled": 1.0,
    "low": [0.0, 0.0], "high": [4.0, 5.0], "cell": 0.05, "origin": [0.0, 0.0], "free": [],
}  # fmt: skip
WORDS = ("bed", "chair", "floor", "kitchen cabinet", "lamp", "office chair", "plant", "sofa", "table", "vase")
"""Of random scenes: a part of the building, one that another may mean and one that nobody counts among them."""

Shown = Mapping[int, Mapping[str, Any]]
"""What a frame shows of objects, by their places."""


def box(
    x: float, y: float, size: tuple[float, float, float] = (0.2, 0.2, 0.2), yaw: float = 0.0, z: float = 0.5
) -> Box:
    c, s = math.cos(yaw), math.sin(yaw)
    return Box(np.array([x, y, z]), np.array(size), np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]))


def seen(share: float, **how: Any) -> dict[str, Any]:
    """What a frame shows of an object that fills a share of it."""
    pixels = round(share * WIDTH * HEIGHT)
    return {**GOOD, "visible_px": pixels, "amodal_px": pixels, "center_distance": 2.0, **how}


def made(
    objects: Sequence[tuple[str, Box]],
    frames: Sequence[Shown] | None = None,
    room: Mapping[str, Any] | None = None,
    room_size: float | None = None,
    instances: Sequence[int] | None = None,
    made_by: str | None = PROGRAM,
    poses: Sequence[np.ndarray] | None = None,
    overlap: float = 0.0,
) -> SceneFacts:
    """A scene; without `frames` its one frame shows everything well. Objects come in the order of their instances.

    Without `poses`, cameras to the world, all cameras stand at the origin; each two frames share so much as `overlap`.
    """
    conventions = [] if made_by is None else [{"what": MADE_BY, "found": made_by}]
    if frames is None:
        frames = [{place: seen(0.05) for place in range(len(objects))}]
    numbers = list(range(len(objects))) if instances is None else list(instances)
    names = [str(position) for position in range(len(frames))]
    rows: dict[str, list[dict[str, Any]]] = {
        "scenes": [{"facts": FACTS, "room_size": room_size, "conventions": conventions}],
        "objects": [
            {
                "instance": number,
                "name": name_of(number),
                "category": word,
                "label": word,
                "center": where.center.tolist(),
                "size": where.size.tolist(),
                "rotation": where.rotation.ravel().tolist(),
            }
            for number, (word, where) in zip(numbers, objects, strict=True)
        ],
        "frames": [
            {
                "frame": name,
                "position": position,
                "width": WIDTH,
                "height": HEIGHT,
                "intrinsics": np.eye(3).ravel().tolist(),
                "camera_to_world": (np.eye(4) if poses is None else poses[position]).ravel().tolist(),
            }
            for position, name in enumerate(names)
        ],
        "overlap": [
            {"frame_a": a, "frame_b": b, "overlap": overlap, "overlap_instances": overlap}
            for a, b in combinations(names, 2)
            if overlap
        ],
        "keyframes": [
            {"set": "video32", "position": position, "frame": name} for position, name in enumerate(names)
        ],
        "visibility": [
            {"frame": name, "instance": numbers[place], **how}
            for name, shown in zip(names, frames, strict=True)
            for place, how in shown.items()
        ],
        "rooms": [] if room is None else [dict(room)],
    }

    def read(table: Table) -> pl.DataFrame:
        full = [{**dict.fromkeys(table.schema.names), **WHICH, **row} for row in rows.get(table.name, ())]
        return pl.DataFrame(full, table.empty().schema) if full else table.empty()

    return SceneFacts(dict(WHICH), "license", read)


def random_scene(seed: int) -> SceneFacts:
    """Objects of a few words anywhere in a room; frames that show each of them well, in part or not at all."""
    rng = np.random.default_rng(seed)
    objects = [
        (
            str(rng.choice(WORDS)),
            box(
                *rng.uniform(0, 5, 2), tuple(rng.uniform(0.05, 1.0, 3)), rng.uniform(0, 3), rng.uniform(0, 2)
            ),
        )
        for _ in range(rng.integers(0, 16))
    ]
    frames = []
    for _ in range(rng.integers(1, 13)):
        shown = {}
        for place in np.flatnonzero(rng.random(len(objects)) < 0.5).tolist():
            share = float(rng.choice([0.0, 0.00005, 0.001, 0.01, 0.1]))
            how = {"occlusion": float(rng.choice([0.1, 0.7])) if rng.random() < 0.3 else 0.0}
            if rng.random() < 0.2:
                how["truncation"] = float(rng.choice([0.3, 0.6, 0.8]))
            if rng.random() < 0.1:
                how |= {"occlusion": None, "truncation": None, "amodal_px": None}
            shown[place] = seen(share, **how)
        frames.append(shown)
    return made(objects, frames)


def found_by(task: str, facts: SceneFacts, **parameters: Any) -> Candidates:
    """What a task finds, those with a reason counted; every reason has its meaning."""
    chosen = task_named(task)
    found = chosen.find(facts, chosen.parameters(**parameters)).settle()
    assert set(found.rejected) <= {*chosen.reasons, "rounding"}
    assert all(count > 0 for count in found.rejected.values())
    return found


def rejected(task: str, facts: SceneFacts, **parameters: Any) -> dict[str, int]:
    """Reasons and counts of what a task finds, with `ok` for candidates."""
    found = found_by(task, facts, **parameters)
    return {**found.rejected, **({"ok": len(found)} if len(found) else {})}


def about(found: Candidates) -> list[tuple[int, ...]]:
    """The places of the objects that each candidate is about."""
    return [tuple(place for place in row if place >= 0) for row in found.objects.tolist()]


def ask(task: str, facts: SceneFacts, **parameters: Any) -> list[dict[str, Any]]:
    """A task's rows of a scene; every count of candidates must add up, and all ids differ."""
    chosen = task_named(task)
    out = generate(chosen, facts, chosen.parameters(**parameters))
    for counts in out.counts:
        assert counts.candidates == counts.kept + sum(count for _, count in counts.rejected.values())
        assert counts.kept == sum(row["format"] == counts.form for row in out.rows) <= counts.quota
        assert counts.kept == counts.quota or "over_quota" not in counts.rejected
    assert len({row["qa_id"] for row in out.rows}) == len(out.rows)
    return out.rows


@dataclass
class Studio:
    """A home with everything that the tasks read, and the truth of its scenes."""

    home: Path
    truths: dict[str, Truth]
    asked: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def inputs(self) -> Iterator[SceneInputs]:
        for shard in partitions.registry(self.home).shards():
            for ref in shard.scenes:
                yield SceneInputs(Lake(self.home), shard, ref)

    def facts(self) -> list[SceneFacts]:
        return [SceneFacts(it.which, it.shard.license, it.table) for it in self.inputs()]

    def rows(self, task: str, form: str | None = None, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a task over all scenes, asked once."""
        key = json.dumps([task, parameters], sort_keys=True)
        if key not in self.asked:
            self.asked[key] = [row for facts in self.facts() for row in ask(task, facts, **parameters)]
        return [row for row in self.asked[key] if form in (None, row["format"])]


def things(row: Mapping[str, Any]) -> dict[str, int]:
    """Instances by role."""
    return {item["role"]: item["instance"] for item in row["objects"]}


def chosen_text(row: Mapping[str, Any]) -> str:
    """The text of the answer: of the right option, or as it is printed."""
    text: str = row["options"][LETTERS.index(row["answer"])] if row["options"] else row["answer"]
    return text


def check_answers(
    studio: Studio, task: str, form: str, module: ModuleType, least: int, differ: float = 0.0
) -> None:
    """Every value and every printed answer equal the truth.

    A test module declares `truth(scene, row)`, the unrounded values of a row's answer by the task's definition, and
    `printed(scene, row)`, what must be printed. Another renderer may see the share `differ` of the values otherwise.
    """
    rows = studio.rows(task, form)
    assert len(rows) >= least
    apart = 0
    for row in rows:
        scene = studio.truths[row["scene"]]
        assert chosen_text(row) == module.printed(scene, row), row["qa_id"]
        # The boxes of the lake come from float32 vertices.
        apart += row["value"] != pytest.approx(module.truth(scene, row), abs=1e-3)
    assert apart <= differ * len(rows)


def check_video(studio: Studio, task: str) -> None:
    """Every question shows the whole video, and only names what it shows well."""
    names: dict[str, list[str]] = {}
    best: dict[tuple[str, int], float] = {}
    for facts in studio.facts():
        scene = facts.which["scene"]
        frames = facts.read(tables.KEYFRAMES).filter(pl.col("set") == "video32").sort("position")
        names[scene] = frames["frame"].to_list()
        size = dict(facts.read(tables.FRAMES).select("frame", pl.col("width") * pl.col("height")).iter_rows())
        for row in facts.read(tables.VISIBILITY).iter_rows(named=True):
            if row["frame"] in names[scene] and (row["occlusion"] or 0) <= 0.6 and row["truncation"] <= 0.7:
                key = scene, row["instance"]
                best[key] = max(best.get(key, 0.0), row["visible_px"] / size[row["frame"]])
    rows = studio.rows(task)
    assert rows
    for row in rows:
        assert [item["frame"] for item in row["frames"]] == names[row["scene"]]
        assert [item["role"] for item in row["frames"]] == [f"frame-{i}" for i in range(32)]
        assert all(best[row["scene"], thing] >= 0.002 for thing in things(row).values())


def check_alone(studio: Studio, task: str) -> None:
    """A word means one object of the whole scene, and stands in the question."""
    rows = studio.rows(task)
    assert rows
    for row in rows:
        objects = studio.truths[row["scene"]].objects
        for thing in things(row).values():
            word = objects[thing].category
            assert [it for it, other in objects.items() if may_mean(word, other.category)] == [thing]
            assert word in row["question"].lower()
