"""Recordings for the rerun viewer: of each scene its mesh, boxes, cameras, and a release's questions about it.

    <out>/<split>/<dataset>-<release>/<scene>.rrd     `rerun FILE.rrd` opens it; see report/recording.py
    <out>/ids.parquet                                 of each file its scene, how many questions, and a hash

Written and read back with rerun-sdk, an optional extra. Of each task the questions with the smallest ids are taken.
With `--images copy` or `draw` a recording holds the images, smaller and with marks; else cameras stand without them.
Unlike every other export, two recordings of one release differ in bytes: the format numbers its rows by the clock.
https://rerun.io/docs
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from spatial_assets.exports.core import files
from spatial_assets.exports.core.base import ImageMode, Options, Source
from spatial_assets.exports.core.source import ReleaseRows, Which
from spatial_assets.exports.scenes import behind
from spatial_assets.exports.scenes.behind import IDS, KEYS
from spatial_assets.report.recording import QUESTIONS_PER_TASK, rerun_sdk, write_recording
from spatial_assets.scene.model import InputError
from spatial_assets.storage.hashing import hash_file

SUFFIX = ".rrd"
BEGINS = b"RRF"
"""What every recording begins with, before its version."""
CARRIES = frozenset({"split", "dataset", "release", "scene", "license"})
"""Of the questions' rows; a record is a scene."""
OF_SCENES = True
HOLDS = "recordings"
SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        *((name, pa.string()) for name in ("split", *KEYS, "license")),
        ("questions", pa.int64()),
        ("hash", pa.string()),
    ]
)


def write(source: Source, out: Path, options: Options) -> dict[str, int]:
    """Returns how many scenes each split has. Raises MissingPackage without rerun-sdk."""
    rerun_sdk()
    rows = behind.release_rows(source, "rerun")
    counts: dict[str, int] = {}
    with files.Table(out / IDS, SCHEMA) as ids:
        for split in rows.splits:
            chosen = _chosen(rows, split)
            for scene in behind.scenes(rows, split):
                key = rows.shard_key(scene.row)
                if key is None:
                    raise InputError(scene.place, "the scene is not registered any more", "no_scene")
                name = f"{split}/{scene.place}{SUFFIX}"
                own = chosen[scene.which]
                with_images = options.images in (ImageMode.COPY, ImageMode.DRAW)
                write_recording(
                    rows.home, key, scene.which[2], out / name, asked=own, with_images=with_images
                )
                told = {
                    "file": name,
                    "split": split,
                    **scene.row,
                    "questions": len(own),
                    "hash": hash_file(out / name),
                }
                ids.write([told])
                counts[split] = counts.get(split, 0) + 1
    return counts


def _chosen(rows: ReleaseRows, split: str) -> dict[Which, list[Mapping[str, Any]]]:
    """By scene the questions that its recording shows, by task and id."""
    found: dict[Which, dict[str, list[Mapping[str, Any]]]] = {}
    for question in rows.questions(split):
        row = question.row
        own = found.setdefault((row["dataset"], row["release"], row["scene"]), {}).setdefault(row["task"], [])
        own.append(row)
        if len(own) > 2 * QUESTIONS_PER_TASK:
            own[:] = _first(own)
    return {
        which: [row for task in sorted(tasks) for row in _first(tasks[task])]
        for which, tasks in found.items()
    }


def _first(rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return heapq.nsmallest(QUESTIONS_PER_TASK, rows, key=lambda row: str(row["qa_id"]))


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    """A record a scene, with the entities that its recording has. Raises MissingPackage without rerun-sdk."""
    rerun_sdk()
    for row in behind.ids_of(path, SCHEMA).iter_rows(named=True):
        yield {
            **{name: row[name] for name in sorted(CARRIES)},
            "questions": row["questions"],
            "entities": entities(path / row["file"]),
        }


def entities(file: Path) -> list[str]:
    """What a recording has, by path, sorted. Raises InputError for what is none."""
    wrong = next(_wrong(file), None)
    if wrong is not None:
        raise InputError(file, wrong, "malformed_file")
    from rerun.chunk import RrdReader

    try:
        chunks = RrdReader(str(file)).stream().to_chunks()
    except Exception as error:
        why = f"rerun cannot read it: {str(error).splitlines()[0]}"
        raise InputError(file, why, "malformed_file") from None
    return sorted({str(chunk.entity_path) for chunk in chunks})


def _wrong(file: Path) -> Iterator[str]:
    try:
        with file.open("rb") as opened:
            begin = opened.read(len(BEGINS))
    except OSError as error:
        yield f"cannot be read: {error.strerror}"
        return
    if begin != BEGINS:
        yield "no recording"


def validate(path: Path) -> list[str]:
    """How files begin, and their hashes against `ids.parquet`."""
    root = path if path.is_dir() else path.parent
    try:
        found = behind.files_below(path, SUFFIX)
    except InputError as error:
        return [str(error)]
    errors: list[str] = []
    hashes: dict[str, str] = {}
    try:
        if (root / IDS).exists():
            hashes = dict(behind.ids_of(root, SCHEMA).select("file", "hash").iter_rows())
    except InputError as error:
        errors.append(str(error))
    return errors + behind.file_problems(path, found, hashes, _wrong)
