"""VSI-Bench meta information: boxes, object counts and room size of benchmark scenes, without images.

    <root>/*_meta_info_val.json      {scene: {room_size, object_counts, object_bbox: {label: [box, ...]}}}

Boxes hold centroid, full axesLengths, and normalizedAxes whose rows are the box's axes; meters, z up.
An object's id is its place in the file, counted over the scene's boxes.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from spatial_assets.readers import files, labels
from spatial_assets.scene import parameters as base
from spatial_assets.scene.categories import canonical
from spatial_assets.scene.model import Box, Fact, InputError, Instance, Scene
from spatial_assets.scene.refs import SceneRef, SourceFile

RELEASE = "v1"
LICENSE = "Apache-2.0 (meta information); the scenes' own terms apply"
HEAVY = False
FACTS = frozenset({Fact.OBJECTS, Fact.ROOM_SIZE, Fact.OBJECT_COUNTS})
HOMES = {
    "scannet": re.compile(r"scene\d{4}_\d{2}$", re.ASCII),
    "scannetpp": re.compile(r"[0-9a-f]{10}$", re.ASCII),
    "arkitscenes": re.compile(r"\d{8}$", re.ASCII),
}
"""The datasets that the benchmark takes its scenes from, and how these name them. What two may name is the first's."""
PATTERN = "*_meta_info_*.json"
AXES_TOLERANCE = 0.01
"""How far a box's axes may be from orthonormal."""
LARGEST_ROOM = 100_000.0
"""Square meters; those of the benchmark stay below 400, and in square millimeters none does."""
LARGEST_BOX = 100.0
"""Meters; nothing in a room is longer."""
FARTHEST = 8192.0
"""Meters from the origin: beyond it, single precision no longer tells millimeters apart."""
MOST_OBJECTS = 65_535.0
"""Of one category, as many as a scene can number."""


class Parameters(base.Parameters):
    """Nothing to choose: the files say everything."""


_parsed: dict[tuple[Path, int, int, int, int], dict[str, Any]] = {}


def _parse(root: Path, path: str) -> dict[str, Any]:
    """One file holds hundreds of scenes, so the last one parsed is kept while it is unchanged.

    Size and mtime can be kept by an edit, or set back; ctime and the inode cannot.
    """
    with files.reading(path):
        stat = (root / path).stat()
    key = (root / path, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    if key not in _parsed:
        content = files.read_json(root, path)
        if not isinstance(content, dict):
            raise InputError(path, f"{labels.shown(content)}, not an object of scenes", "malformed_file")
        _parsed.clear()
        _parsed[key] = content
    return _parsed[key]


def _look(root: Path) -> files.Found:
    refs: list[SceneRef] = []
    left_out: list[InputError] = []
    for path in (entry.name for entry in files.entries(root, "")):
        if not fnmatchcase(path, PATTERN):
            continue
        try:
            content = _parse(root, path)
        except InputError as error:
            left_out.append(error)
            continue
        for name, scene in content.items():
            if isinstance(scene, dict):
                refs.append(SceneRef(name, path))
            else:
                told = f"scene {labels.shown(name)} is {labels.shown(scene)}, not an object"
                left_out.append(InputError(path, told, "malformed_file"))
    return files.told_apart(refs, left_out)


def find_scenes(root: Path) -> list[SceneRef]:
    return _look(root).scenes


def place_of(scene: str) -> tuple[str, str]:
    """Its scenes are other datasets', so that they are the same places as theirs."""
    return next((home for home, named in HOMES.items() if named.match(scene)), "vsibench"), scene


def left_out(root: Path) -> list[InputError]:
    return _look(root).left_out


def source_files(root: Path, ref: SceneRef) -> list[SourceFile]:
    return files.all_there(root, [SourceFile(ref.path, "boxes")])


def read_scene(root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel) -> Scene:
    content = _parse(root, ref.path).get(ref.name)
    where = f"scene {ref.name}"
    if content is None:
        raise InputError(ref.path, f"{where} is no longer in it", "missing_scene")
    labels.entry(ref.path, content, where)
    of_label = _objects(ref.path, content, "object_bbox", where)
    boxes = []
    for label, group in of_label.items():
        if not isinstance(group, list):
            told = f"{where}: the boxes of {labels.shown(label)} are {labels.shown(group)}, not a list"
            raise InputError(ref.path, told, "malformed_file")
        boxes += [(labels.word(label), box) for box in group]
    counts = {
        word: int(
            labels.number(ref.path, count, f"{where}: object_counts of {labels.shown(label)}", MOST_OBJECTS)
        )
        for label, count in _objects(ref.path, content, "object_counts", where, {}).items()
        if (word := labels.word(label)) != labels.NO_LABEL
    }
    room_size = labels.number(ref.path, content.get("room_size"), f"{where}: room_size", LARGEST_ROOM)
    instances = tuple(
        Instance(index, label, canonical(label), _box(ref, f"{where}, {label}", box))
        for index, (label, box) in enumerate(boxes)
    )
    if not instances:
        raise InputError(ref.path, f"{where} has no boxes", "no_objects")
    if room_size <= 0:
        raise InputError(ref.path, f"{where}: room size {room_size:g}", "bad_room_size")
    return Scene(
        dataset="vsibench",
        release=release,
        name=ref.name,
        license=license,
        facts=FACTS,
        instances=instances,
        room_size=room_size,
        object_counts=counts,
        conventions={"boxes": "rows of normalizedAxes are the axes, axesLengths are full lengths"},
    )


def _objects(path: str, content: dict[str, Any], key: str, where: str, default: Any = None) -> dict[str, Any]:
    return labels.entry(path, content.get(key, default), f"{where}: {key}")


def _box(ref: SceneRef, where: str, raw: Any) -> Box:
    box = labels.entry(ref.path, raw, f"{where}: a box")
    center, size, axes = (
        labels.numbers(ref.path, box.get(key), count, f"{where}: {key}", FARTHEST)
        for key, count in (("centroid", 3), ("axesLengths", 3), ("normalizedAxes", 9))
    )
    if (size < 0).any():
        raise InputError(ref.path, f"{where}: a box has a negative length", "bad_box")
    if size.max() > LARGEST_BOX:
        told = f"{where}: a box is {size.max():g} m long, more than {LARGEST_BOX:g}; lengths are in meters"
        raise InputError(ref.path, told, "bad_box")
    axes = axes.reshape(3, 3)
    if np.abs(axes @ axes.T - np.eye(3)).max() > AXES_TOLERANCE:
        raise InputError(ref.path, f"{where}: the box's axes are not orthonormal", "bad_box")
    return Box(center, size, axes.T)
