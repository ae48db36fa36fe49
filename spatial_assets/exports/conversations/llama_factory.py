"""LLaMA-Factory's data: JSON lines in its `sharegpt` form, and the `dataset_info.json` that names them.

    <out>/<split>.jsonl, or <split>/ with shards     {"id", "conversations", "images", "videos"}
    <out>/dataset_info.json                          an entry a split; `dataset_dir: <out>`

A human's turn begins with one `<image>` for each path in `images`; what shows many frames is a video instead, one
`<video>` and in `videos` the list of its frames, which the trainer takes as it takes a file. Coordinates stay as rows
print them unless `--coordinates` says otherwise.
https://github.com/hiyouga/LLaMA-Factory 0.9.5, data/parser.py and data/mm_plugin.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from spatial_assets.exports.conversations import checks, jsonl
from spatial_assets.exports.conversations.jsonl import Line, turns, without_tags
from spatial_assets.exports.core.base import ColumnSource, Options
from spatial_assets.exports.core.columns import IMAGE, VIDEO
from spatial_assets.exports.core.printed_coordinates import AS_PRINTED, profile

CARRIES = jsonl.CARRIES
TAKES = frozenset({"coordinates", "image-format"})
INFO = "dataset_info.json"
HUMAN, MODEL = "human", "gpt"
VIDEO_FRAMES = 8
"""So many images are frames of a video; sets of views have five at most."""


def write(source: ColumnSource, out: Path, options: Options) -> None:
    how = profile(options.coordinates or AS_PRINTED.name, options.min_pixels, options.max_pixels)
    jsonl.write(source, out, options, _lines, how, folders=True)
    entries = {f"spatial_assets_{split}": _entry(out, split) for split in source.splits}
    (out / INFO).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def _entry(out: Path, split: str) -> dict[str, Any]:
    name = f"{split}{jsonl.SUFFIX}"
    return {
        "file_name": name if (out / name).exists() else split,
        "formatting": "sharegpt",
        "columns": {"messages": "conversations", "images": "images", "videos": "videos"},
    }


def _lines(questions: pl.DataFrame) -> pl.DataFrame:
    is_video = pl.col("images").list.len() >= VIDEO_FRAMES
    count = pl.when(is_video).then(0).otherwise(pl.col("images").list.len())
    asked = (
        pl.lit(f"{IMAGE}\n").repeat_by(count).list.join("")
        + pl.when(is_video).then(pl.lit(f"{VIDEO}\n")).otherwise(pl.lit(""))
        + pl.col("question")
    )
    videos = [[paths] if len(paths) >= VIDEO_FRAMES else [] for paths in questions["images"].to_list()]
    none = pl.lit([], pl.List(pl.String))
    return questions.select(
        pl.col("qa_id").alias("id"),
        turns("from", "value", (HUMAN, asked), (MODEL, pl.col("answer"))).alias("conversations"),
        pl.when(is_video).then(none).otherwise("images").alias("images"),
        pl.Series("videos", videos, pl.List(pl.List(pl.String))),
    )


def parse(record: Mapping[str, Any]) -> Line:
    """What the trainer makes of a line."""
    asked, answered = record["conversations"]
    if (asked["from"], answered["from"]) != (HUMAN, MODEL):
        raise ValueError(f"turns are from {asked['from']!r} and {answered['from']!r}")
    videos = [list(frames) for frames in record["videos"] or []]
    text, answer = str(asked["value"]), str(answered["value"])
    media = {IMAGE: list(record["images"] or []), VIDEO: [path for frames in videos for path in frames]}
    wrong = [f"the answer says {tag}" for tag in (IMAGE, VIDEO) if tag in answer]
    return Line(
        record["id"],
        without_tags(text, (IMAGE, VIDEO)),
        answer,
        {IMAGE: text.count(IMAGE), VIDEO: text.count(VIDEO)},
        media,
        wrong,
        {VIDEO: len(videos)},
    )


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    return jsonl.rows_back(path, parse)


def validate(path: Path) -> list[str]:
    """The turns, unique ids, tags against images and videos, every image opened, answers against `ids.parquet`."""
    return checks.validate(path, parse) + checks.wrong_index(
        path, INFO, lambda held: [entry["file_name"] for entry in held.values()]
    )
