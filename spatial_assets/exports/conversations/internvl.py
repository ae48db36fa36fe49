"""InternVL's fine-tuning: JSON lines with `<image>`, and the meta file that names them.

    <out>/<split>.jsonl, or shards of it     {"id", "image", "width_list", "height_list", "conversations"}
    <out>/meta.json                          an entry for each file; its paths are relative, so train from within <out>

A human's turn begins with one `<image>` for each path in `image`, a list; frames of a video stand there one by one. The
trainer resizes by `width_list` and `height_list`. Coordinates are by default thousandths of width and height, which are
InternVL's, in the form that the question asks for: nothing is put between `<box>` tags.
https://internvl.readthedocs.io, chat data format
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from spatial_assets.exports.conversations import checks, jsonl
from spatial_assets.exports.conversations.jsonl import Line, of_two_turns, tagged, turns
from spatial_assets.exports.core.base import ColumnSource, Options
from spatial_assets.exports.core.ids import ids_of
from spatial_assets.exports.core.printed_coordinates import profile

CARRIES = jsonl.CARRIES
TAKES = frozenset({"coordinates", "image-format"})
COORDINATES = "internvl"
META = "meta.json"
MAX_PATCHES = 12
"""`max_dynamic_patch` of the published recipes."""
HUMAN, MODEL = "human", "gpt"
SIDES = ("width_list", "height_list")


def write(source: ColumnSource, out: Path, options: Options) -> None:
    how = profile(options.coordinates or COORDINATES, options.min_pixels, options.max_pixels)
    jsonl.write(source, out, options, _lines, how)
    counts = ids_of(out).group_by("file", maintain_order=True).len()
    entries = {f"spatial_assets_{Path(name).stem}": _entry(name, count) for name, count in counts.iter_rows()}
    (out / META).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def _entry(name: str, count: int) -> dict[str, Any]:
    return {
        "root": ".",
        "annotation": name,
        "data_augment": False,
        "max_dynamic_patch": MAX_PATCHES,
        "repeat_time": 1,
        "length": count,
    }


def _lines(questions: pl.DataFrame) -> pl.DataFrame:
    shown = pl.col("images").list.len() > 0
    sides = [
        pl.when(shown)
        .then(pl.col("sizes").list.eval(pl.element().list.get(place)))
        .otherwise(pl.lit([], pl.List(pl.Int32)))
        .alias(name)
        for place, name in enumerate(SIDES)
    ]
    return questions.select(
        pl.col("qa_id").alias("id"),
        pl.col("images").alias("image"),
        *sides,
        turns("from", "value", (HUMAN, tagged()), (MODEL, pl.col("answer"))).alias("conversations"),
    )


def parse(record: Mapping[str, Any]) -> Line:
    """What the trainer makes of a line."""
    # The trainer takes the length of what stands there.
    images = record.get("image", [])
    paths = [images] if isinstance(images, str) else list(images)
    wrong = []
    for name in SIDES:
        sides = record.get(name)
        if sides is not None and len(sides) != len(paths):
            wrong.append(f"{len(sides)} in {name} for {len(paths)} images")
    return of_two_turns(record, (HUMAN, MODEL), paths, wrong)


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    return jsonl.rows_back(path, parse)


def validate(path: Path) -> list[str]:
    """The turns, unique ids, tags and sizes against images, every image opened, answers against `ids.parquet`."""
    return checks.validate(path, parse) + checks.wrong_index(
        path, META, lambda held: [entry["annotation"] for entry in held.values()]
    )
