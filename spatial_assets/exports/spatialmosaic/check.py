"""Checks files in SpatialMosaic's layouts, ours or others': each record, ids, images, and what holds of all rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from spatial_assets.exports.core import files
from spatial_assets.exports.core.found import Found
from spatial_assets.exports.spatialmosaic import layout
from spatial_assets.exports.spatialmosaic.problems import (
    corners,
    is_conversation,
    kind_of,
    printable,
    problems,
    shown,
)
from spatial_assets.scene.english import plural
from spatial_assets.scene.model import InputError

ENDINGS = (".json", ".jsonl")
TOLD = 100
"""Problems of a file that are told one by one."""
IMAGES_KEPT = 200_000
"""Images whose sizes are remembered."""
LOOKED_UP = 3
"""Folders above a file in which the images may be."""
FRACTION = 1.0
"""An overlap of 0.3 percent is rare; of many rows without a greater, they are shares and not percent."""
MANY = 50
"""Rows of which that can be said."""


def annotation_files(path: Path) -> list[Path]:
    """The path itself, or the files of questions below it: in the published folder where there is one. Sorted."""
    if path.is_file():
        return [path]
    folder = path / layout.published()["folder"]
    base = folder if folder.is_dir() else path
    return sorted(
        file
        for ending in ENDINGS
        for file in base.rglob(f"*{ending}")
        if file.is_file() and file != path / layout.LEVELS
    )


def examine(path: Path) -> Found:
    """Raises OSError for a folder that may not be read."""
    found = Found("type")
    there = annotation_files(path)
    if not there:
        found.problems.append(
            f"{path}: {'no .json or .jsonl file is there' if path.exists() else 'not there'}"
        )
        return found
    base = path.parent if path.is_file() else path
    check = _Check(found)
    for file in there:
        name = file.relative_to(base).as_posix()
        lines = list(check.file(file))
        found.problems += [f"{name}: {line}" for line in lines[:TOLD]]
        if len(lines) > TOLD:
            found.problems.append(f"{name}: {plural(len(lines) - TOLD, 'problem')} more")
    return found


class _Check:
    """One look at some files."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self._size_of = lru_cache(IMAGES_KEPT)(_size)
        self._root_of = lru_cache(IMAGES_KEPT)(_root)

    def file(self, file: Path) -> Iterator[str]:
        self.found.files += 1
        try:
            records = _records(file)
        except InputError as error:
            yield error.what
            return
        if not records:
            yield "has no record"
        ids: dict[Any, int] = {}
        missing: set[str] = set()
        overlaps: list[float] = []
        names: dict[str, set[str]] = {}
        for number, record in enumerate(records):
            where = f"record {number}"
            self.found.records += 1
            yield from (f"{where}: {what}" for what in problems(record))
            if not isinstance(record, Mapping):
                continue
            self.found.kinds[kind_of(record)] += 1
            name = record.get("id")
            if isinstance(name, int | str) and ids.setdefault(name, number) != number:
                yield f"{where}: id {shown(name)} is that of record {ids[name]}"
            yield from (f"{where}: {what}" for what in self._images(file, record, missing))
            overlap = record.get("overlap_avg")
            if isinstance(overlap, int | float):
                overlaps.append(overlap)
            for level in layout.levels():
                if isinstance(record.get(level), str):
                    names.setdefault(level, set()).add(record[level])
        yield from self._whole(file, overlaps, names)
        for folder in sorted(missing):
            self.found.notes.append(
                f"{file.name}: no images of {printable(folder)} are there, so none was looked for"
            )

    def _whole(self, file: Path, overlaps: list[float], names: Mapping[str, set[str]]) -> Iterator[str]:
        """What can be said of all rows of a file."""
        if len(overlaps) >= MANY and 0 < max(overlaps) < FRACTION:
            yield f"overlap_avg is at most {max(overlaps):g} in all rows: shares, where it is in percent"
        for name, level in layout.levels().items():
            if len(names.get(name, ())) > len(level.names):
                yield (
                    f"{name} has {len(names[name])} values, where there are {len(level.names)} levels: "
                    f"{printable(', '.join(sorted(names[name])))}"
                )

    def _images(self, file: Path, record: Mapping[str, Any], missing: set[str]) -> Iterator[str]:
        dataset = record.get("data_source" if is_conversation(record) else "dataset")
        scene, frames = record.get("scene_name"), record.get("frames")
        if not (isinstance(dataset, str) and isinstance(scene, str) and isinstance(frames, list)):
            return
        root = self._root_of(file.parent.absolute(), dataset)
        if root is None:
            missing.add(dataset)
            return
        sizes = set()
        for frame in frames:
            if not isinstance(frame, str) or "/" in frame or ".." in frame:
                continue
            at = f"{dataset}/{scene}/{layout.IMAGES}/{frame}{layout.SUFFIX}"
            size = self._size_of(root / at)
            if isinstance(size, str):
                yield f"image {printable(at)}: {size}"
            else:
                sizes.add(size)
        if len(sizes) > 1:
            listed = ", ".join(f"{width} x {height} {mode}" for width, height, mode in sorted(sizes))
            yield f"its images differ, {listed}, and the evaluator and the trainer stack them"
        yield from _outside(record, sizes)


def _outside(record: Mapping[str, Any], sizes: set[tuple[int, int, str]]) -> Iterator[str]:
    box = corners(record)
    if box is None or len(sizes) != 1:
        return
    ((width, height, _),) = sizes
    if box[0] < -1 or box[1] < -1 or box[2] > width + 1 or box[3] > height + 1:
        yield f"bbox_2d {shown(record['bbox_2d'])} lies outside its image of {width} x {height}"


def _records(file: Path) -> list[Any]:
    if file.suffix != ".jsonl":
        held = files.read_json(file)
        if not isinstance(held, list):
            raise InputError(file, "not a list of records", "malformed_file")
        return held
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        raise InputError(file, "cannot be read as text", "unreadable_file") from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError):
            raise InputError(file, f"line {number} is not JSON", "malformed_file") from None
    return found


def _root(folder: Path, dataset: str) -> Path | None:
    """The nearest folder above that has the dataset's images; None where none has."""
    if not dataset or "/" in dataset or "\\" in dataset or ".." in dataset:
        return None
    for above in (folder, *folder.parents)[: LOOKED_UP + 1]:
        try:
            if any((above / dataset).glob(f"*/{layout.IMAGES}")):
                return above
        except (OSError, ValueError):
            return None
    return None


def _size(path: Path) -> tuple[int, int, str] | str:
    """Width, height and mode of an image; else what is wrong with it."""
    try:
        if not path.exists():
            return "leads nowhere" if path.is_symlink() else "not there"
        with Image.open(path) as image:
            image.load()
            return (*image.size, image.mode)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "cannot be read as an image"
