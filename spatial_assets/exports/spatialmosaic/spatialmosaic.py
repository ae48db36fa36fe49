"""SpatialMosaic's two layouts: flat rows for its evaluator, conversations for its trainer, one tree of images.

    <out>/spatial_mosaic_vqa/test/<split>.json        every split but train: 17 published fields, levels among them
    <out>/spatial_mosaic_vqa/train/<split>.json       train; a release that is not split is written in both layouts
    <out>/<dataset>/<scene>/images/<frame>.jpg        each image once, as JPEG; what is no JPEG is made one
    <out>/README.md, levels.json                      the data card: what fields mean, levels with their borders, counts

The evaluator's FRAMES_ROOT and the trainer's --frame_folder are `<out>/<dataset>`: neither looks at a row's dataset.
https://github.com/Kanghee-Lee/SpatialMosaic-project
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spatial_assets.exports.core import files, origins
from spatial_assets.exports.core.base import Options, Question, Shot, Source
from spatial_assets.exports.core.export_images import Images, Places
from spatial_assets.exports.core.found import Found
from spatial_assets.exports.spatialmosaic import card, check, layout, records
from spatial_assets.media.image_files import ImageFile
from spatial_assets.scene.model import InputError

CARRIES = records.CARRIES
RECORD = {"test": records.flat_row, "train": records.conversation}
SUFFIX = ".json"
JPEG = (".jpg", ".jpeg")


class _Places(Places):
    """Images by scene and by the frame's name alone, all JPEG."""

    def path(self, question: Question, number: int, shot: Shot, marked: bool) -> str:
        row = question.row
        return layout.image_path(row["dataset"], row["scene"], layout.token(shot.frame))

    def is_made(self, held: ImageFile) -> bool:
        return held.is_whole_file and Path(held.path).suffix.lower() not in JPEG


@dataclass
class _Written:
    """What was written so far."""

    counts: card.Counts = field(default_factory=card.Counts)
    releases: dict[tuple[str, str], str] = field(default_factory=dict)
    """Of the dataset, by dataset and scene."""

    def record(self, schema: str, question: Question) -> dict[str, Any]:
        """Raises InputError for a scene whose images would get the places of another version's."""
        row = question.row
        dataset, scene, release = row["dataset"], row["scene"], row["release"]
        before = self.releases.setdefault((dataset, scene), release)
        if before != release:
            raise InputError(
                f"{dataset}/{scene}",
                f"stands in two versions of the dataset, {before} and {release}, and the tree has one place for its "
                "images",
                "malformed_row",
            )
        made = RECORD[schema](question)
        self.counts.add(schema, question)
        return made


def write(source: Source, out: Path, options: Options) -> None:
    card.write(out, write_rows(source, out, options))


def write_rows(source: Source, out: Path, options: Options) -> card.Counts:
    """All but the data card, which is told what was written."""
    written = _Written()
    with Images.of(out, options, _Places()) as images, origins.Origins(out) as noted:
        for split, count in source.splits.items():
            for schema in layout.schemas(split):
                folder = layout.annotation_folder(schema)
                (out / folder).mkdir(parents=True, exist_ok=True)
                placed = images.placed(source.questions(split))
                held = (_noted(written.record(schema, one), one, noted, folder) for one, _ in placed)
                files.write_shards(
                    out / folder, split, SUFFIX, held, count, options.shards, files.write_json_list
                )
    return written.counts


def _noted(record: dict[str, Any], question: Question, noted: origins.Origins, folder: str) -> dict[str, Any]:
    noted.add(question, str(folder), str(record["id"]))
    return record


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    """Each question once, also where it is written in both layouts."""
    found = check.annotation_files(path)
    if not found:
        raise InputError(path, "no .json file of SpatialMosaic is there", "missing_file")
    flat = {file.name for file in found if file.parent.name == "test"}
    for file in found:
        if file.parent.name == "train" and file.name in flat:
            continue
        held = files.read_json(file)
        for number, record in enumerate(held if isinstance(held, list) else [held]):
            yield _columns(file, number, record)


def _columns(file: Path, number: int, record: Any) -> dict[str, Any]:
    try:
        return records.columns(record)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(file, f"record {number} was not written by this export", "malformed_file") from None


def validate(path: Path) -> list[str]:
    """Each record's fields, options, answer, box and images, by what the evaluator and the trainer do with them."""
    return examine(path).problems


def examine(path: Path) -> Found:
    """The same, with what was looked at. Where all else fits, answers are compared with `ids.parquet`."""
    found = check.examine(path)
    origins.compare(path, _all_rows(path), found)
    return found


def _all_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Of both layouts."""
    for file in check.annotation_files(path):
        held = files.read_json(file)
        for number, record in enumerate(held if isinstance(held, list) else [held]):
            yield _columns(file, number, record)


def told(path: Path) -> list[str]:
    """What to give the evaluator and the trainer."""
    return card.told(path)
