"""What is true of questions that place objects, by their ids, as a home has it; and boxes from files of other makers.

ScanRefer's results are a list of {"scene_id", "object_id", "ann_id", "bbox"}, a box as its eight corners.
https://github.com/daveredrum/ScanRefer
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from spatial_assets.evaluation.bev import Asked
from spatial_assets.evaluation.grounding import Scored, Truth, View
from spatial_assets.evaluation.placements import Named, plain_name
from spatial_assets.geometry.boxes import box_corners
from spatial_assets.lineage import registrations
from spatial_assets.readers import files
from spatial_assets.report.known_tasks import BOX, LAYOUT, placing
from spatial_assets.scene import tables
from spatial_assets.scene.categories import may_mean
from spatial_assets.scene.model import Box, Float, InputError
from spatial_assets.scene.refs import Shard
from spatial_assets.scene.tables import QUESTIONS, of
from spatial_assets.storage.lake import Lake

WITH_TURN = 7
"""Numbers of an answer that tells a turn."""
CORNERS = 8
LARGEST = 1e6
"""Meters."""


class Thing(NamedTuple):
    """An object of a scene."""

    category: str
    label: str
    box: Box


class Home:
    """A home's scenes, each read once."""

    def __init__(self, home: Path) -> None:
        self.home, self._lake = home, Lake(home)
        self.shards = registrations.shards(home)
        self._boxes: dict[tuple[str, str], dict[int, Thing]] = {}
        self._views: dict[tuple[str, str], dict[str, View]] = {}

    def questions(
        self, tasks: Collection[str], ids: Collection[str]
    ) -> Iterator[tuple[Shard, dict[str, Any]]]:
        """Rows of these tasks with these ids."""
        wanted = list(ids)
        for shard in self.shards:
            for task in tasks:
                rows = self._lake.read(of(QUESTIONS, task), shard.key)
                for row in rows.filter(pl.col("qa_id").is_in(wanted)).iter_rows(named=True):
                    yield shard, row

    def things(self, shard: Shard, scene: str) -> Mapping[int, Thing]:
        """Objects by instance."""
        key = (shard.key, scene)
        if key not in self._boxes:
            rows = self._lake.read(tables.OBJECTS, shard.key, scene)
            self._boxes[key] = {
                row["instance"]: Thing(
                    row["category"],
                    row["label"],
                    Box(_array(row["center"]), _array(row["size"]), _array(row["rotation"]).reshape(3, 3)),
                )
                for row in rows.iter_rows(named=True)
            }
        return self._boxes[key]

    def views(self, shard: Shard, scene: str) -> Mapping[str, View]:
        key = (shard.key, scene)
        if key not in self._views:
            rows = self._lake.read(tables.FRAMES, shard.key, scene)
            self._views[key] = {
                row["frame"]: View(
                    _array(row["intrinsics"]).reshape(3, 3),
                    _array(row["camera_to_world"]).reshape(4, 4),
                    (row["width"], row["height"]),
                )
                for row in rows.iter_rows(named=True)
            }
        return self._views[key]

    def is_unique(self, shard: Shard, scene: str, instance: int) -> bool:
        """Whether the object's category can mean no other of the scene."""
        found = self.things(shard, scene)
        word = found[instance].category
        return not any(may_mean(word, thing.category) for own, thing in found.items() if own != instance)


def _array(values: Sequence[float]) -> Float:
    return np.asarray(values, np.float64)


def grounding_truths(home: Home, ids: Collection[str]) -> dict[str, Truth]:
    """By question."""
    found = {}
    for shard, row in home.questions(placing()[BOX], ids):
        scene = row["scene"]
        views, things = home.views(shard, scene), home.things(shard, scene)
        instance = row["objects"][0]["instance"]
        found[row["qa_id"]] = Truth(
            row["qa_id"],
            row["task"],
            _scene_key(shard, scene),
            things[instance].box,
            instance,
            row["qa_id"],
            home.is_unique(shard, scene, instance),
            [views[shown["frame"]] for shown in row["frames"]],
            len(row["value"]) == WITH_TURN,
        )
    return found


def layout_truths(home: Home, ids: Collection[str]) -> dict[str, Asked]:
    """By question."""
    found = {}
    for shard, row in home.questions(placing()[LAYOUT], ids):
        things = home.things(shard, row["scene"])
        own = [things[thing["instance"]] for thing in row["objects"]]
        said = row["answer"].lower()
        by_category = all(f"{thing.category.lower()}: (" in said for thing in own)
        words = [plain_name(thing.category if by_category else thing.label) for thing in own]
        across, ahead = row["value"][::2], row["value"][1::2]
        found[row["qa_id"]] = Asked(row["qa_id"], tuple(map(Named, words, across, ahead)))
    return found


def _scene_key(shard: Shard, scene: str) -> str:
    return f"{shard.dataset} {shard.release} {scene}"


def scene_name(key: str) -> str:
    """A scene's own name."""
    return key.rsplit(" ", 1)[-1]


def all_boxes(home: Home) -> Iterator[tuple[str, dict[int, Box]]]:
    """Boxes of all objects of each scene, by its key."""
    for shard in home.shards:
        for ref in shard.scenes:
            things = home.things(shard, ref.name)
            yield _scene_key(shard, ref.name), {instance: thing.box for instance, thing in things.items()}


def read_proposals(path: Path, scenes: Iterable[str]) -> dict[str, list[Box]]:
    """Boxes by scene from a file: {scene: [[x, y, z, dx, dy, dz], [x, y, z, dx, dy, dz, yaw], {"center", "size",
    "rotation"}, ...]}; meters, and radians counter-clockwise. Scenes are called by their own names.

    Raises InputError for what is no such file.
    """
    content = files.read_json(path.parent, path.name)
    if not isinstance(content, dict):
        raise InputError(path, "not boxes by scene", "malformed_file")
    found = {}
    for key in scenes:
        listed = content.get(scene_name(key), [])
        if not isinstance(listed, list):
            raise InputError(path, f"{scene_name(key)}: not a list of boxes", "malformed_file")
        found[key] = [
            _proposal(path, f"box {place} of {scene_name(key)}", value) for place, value in enumerate(listed)
        ]
    return found


def _proposal(path: Path, where: str, value: Any) -> Box:
    if isinstance(value, dict):
        center, size = (
            _numbers(path, where, value.get("center"), 3),
            _numbers(path, where, value.get("size"), 3),
        )
        rotation = (
            _numbers(path, where, value["rotation"], 9).reshape(3, 3) if "rotation" in value else np.eye(3)
        )
    else:
        count = len(value) if isinstance(value, list) else 0
        numbers = _numbers(path, where, value, 7 if count == 7 else 6)
        center, size = numbers[:3], numbers[3:6]
        c, s = (np.cos(numbers[6]), np.sin(numbers[6])) if count == 7 else (1.0, 0.0)
        rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    if not (size > 0).all():
        raise InputError(path, f"{where}: its size is not positive", "malformed_file")
    return Box(center, size, rotation)


def _numbers(path: Path, where: str, value: Any, count: int) -> Float:
    flat = value
    if isinstance(value, list) and value and all(isinstance(part, list) for part in value):
        flat = [number for part in value for number in part]
    good = isinstance(flat, list) and len(flat) == count
    if not good or not all(type(number) in (int, float) and abs(number) < LARGEST for number in flat):
        raise InputError(path, f"{where}: not {count} numbers", "malformed_file")
    return _array(flat)


def read_scanrefer(path: Path, home: Home) -> list[tuple[Truth, Box]]:
    """Results in ScanRefer's form with the boxes that they mean.

    Raises InputError, naming the record, for one that is not of the form, for a scene or object that the home does not
    have, and for two of one description.
    """
    content = files.read_json(path.parent, path.name)
    if not isinstance(content, list) or not content:
        raise InputError(path, "not a list of results", "malformed_file")
    scenes: dict[str, list[Shard]] = {}
    for shard in home.shards:
        for ref in shard.scenes:
            scenes.setdefault(ref.name, []).append(shard)
    met: dict[tuple[str, int, str], int] = {}
    found = []
    for number, value in enumerate(content):
        where = f"record {number}"
        if not isinstance(value, dict) or any(
            name not in value for name in ("scene_id", "object_id", "bbox")
        ):
            raise InputError(path, f"{where}: lacks scene_id, object_id or bbox", "malformed_file")
        shards = scenes.get(value["scene_id"], []) if isinstance(value["scene_id"], str) else []
        if len(shards) != 1:
            told = "several scenes" if shards else "no scene"
            raise InputError(
                path, f"{where}: {told} of the home called {value['scene_id']!r}", "unknown_scene"
            )
        (shard,) = shards
        instance = int(value["object_id"]) if str(value["object_id"]).isdecimal() else -1
        things = home.things(shard, value["scene_id"])
        if instance not in things:
            told = f"{value['scene_id']} has no object {value['object_id']!r}"
            raise InputError(path, f"{where}: {told}", "unknown_object")
        annotation = str(value.get("ann_id", "0"))
        key = (value["scene_id"], instance, annotation)
        if met.setdefault(key, number) != number:
            raise InputError(path, f"{where}: answers what record {met[key]} does", "contradiction")
        corners = _numbers(path, where, value["bbox"], 3 * CORNERS).reshape(CORNERS, 3)
        low, high = corners.min(axis=0), corners.max(axis=0)
        truth = Truth(
            " ".join(map(str, key)),
            "ScanRefer",
            _scene_key(shard, value["scene_id"]),
            things[instance].box,
            instance,
            annotation,
            home.is_unique(shard, value["scene_id"], instance),
        )
        found.append((truth, Box((low + high) / 2, high - low, np.eye(3))))
    return found


def is_scanrefer(path: Path) -> bool:
    """Whether a file holds one list of results, not a row a line."""
    try:
        with path.open("rb") as stream:
            return stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None


def scanrefer_results(scored: Iterable[Scored]) -> str:
    """Boxes in ScanRefer's form; answers that tell none have none there either, and are wrong for want of one."""
    found = [
        {
            "scene_id": scene_name(item.truth.scene),
            "object_id": str(item.truth.instance),
            "ann_id": item.truth.annotation,
            "bbox": box_corners(item.box).tolist(),
        }
        for item in scored
        if item.box is not None
    ]
    return json.dumps(found, indent=1) + "\n"
