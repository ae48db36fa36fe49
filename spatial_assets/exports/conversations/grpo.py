"""Prompts with truths for reinforcement learning (GRPO) by TRL, verl, ms-swift and EasyR1, and the rewards' names.

    <out>/trl-<split>.jsonl        {"id", "prompt": [message], "images", truth's fields}
    <out>/verl-<split>.jsonl       {"id", "data_source", "prompt", "images", "ability", "reward_model", "extra_info"}
    <out>/ms-swift-<split>.jsonl   {"id", "messages", "images", truth's fields}
    <out>/easyr1-<split>.jsonl     {"id", "problem", "answer", "images"}; `answer` is the truth's fields as JSON

The truth's fields are `ground_truth`, `answer_kind`, `tolerance`, `choices`, `unit`, `reward` and `task`: what the
functions of `spatial_assets.rewards` take, which have these libraries' call signatures. A sentence can be right in
many words, so questions of that format are left out. Where `<image>` tags stand for images, verl, ms-swift and EasyR1
have one for each before the question; TRL puts images there by itself. Coordinates stay as rows print them unless
`--coordinates` says otherwise; a point's tolerance, an object's diagonal or a tenth of the image, is in their unit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from spatial_assets.exports.conversations import checks, jsonl
from spatial_assets.exports.conversations.jsonl import Line, tagged, without_tags
from spatial_assets.exports.core.base import ColumnSource, Options
from spatial_assets.exports.core.columns import IMAGE
from spatial_assets.exports.core.printed_coordinates import AS_PRINTED, profile
from spatial_assets.exports.core.truths import IS_ASKED, MORE, TRUTH, rendering, truths

CARRIES = jsonl.CARRIES
TAKES = frozenset({"coordinates", "image-format"})
TRL, VERL, SWIFT, EASYR1 = "trl", "verl", "ms-swift", "easyr1"
ABILITY = "spatial"


def write(source: ColumnSource, out: Path, options: Options) -> Mapping[str, int]:
    how = profile(options.coordinates or AS_PRINTED.name, options.min_pixels, options.max_pixels)
    return jsonl.write(
        source,
        out,
        options,
        {TRL: _trl, VERL: _verl, SWIFT: _swift, EASYR1: _easyr1},
        how,
        more=MORE,
        rendering=partial(rendering, how),
        only=IS_ASKED,
    )


def _message(text: pl.Expr) -> pl.Expr:
    return pl.concat_list(pl.struct(pl.lit("user").alias("role"), text.alias("content")))


def _trl(questions: pl.DataFrame) -> pl.DataFrame:
    return truths(questions).select(
        pl.col("qa_id").alias("id"), _message(pl.col("question")).alias("prompt"), "images", *TRUTH
    )


def _swift(questions: pl.DataFrame) -> pl.DataFrame:
    return truths(questions).select(
        pl.col("qa_id").alias("id"), _message(tagged()).alias("messages"), "images", *TRUTH
    )


def _verl(questions: pl.DataFrame) -> pl.DataFrame:
    return truths(questions).select(
        pl.col("qa_id").alias("id"),
        pl.concat_str(pl.lit("spatial_assets/"), "task").alias("data_source"),
        _message(tagged()).alias("prompt"),
        pl.col("images").list.eval(pl.struct(pl.element().alias("image"))).alias("images"),
        pl.lit(ABILITY).alias("ability"),
        pl.struct(pl.lit("rule").alias("style"), "ground_truth").alias("reward_model"),
        pl.struct(pl.col("qa_id").alias("index"), *TRUTH[1:]).alias("extra_info"),
    )


def _easyr1(questions: pl.DataFrame) -> pl.DataFrame:
    return truths(questions).select(
        pl.col("qa_id").alias("id"),
        tagged().alias("problem"),
        pl.struct(*TRUTH).struct.json_encode().alias("answer"),
        "images",
    )


def parse(record: Mapping[str, Any]) -> Line:
    """What a library makes of a line; which one's it is shows in its keys."""
    images = [path["image"] if isinstance(path, Mapping) else path for path in record["images"] or []]
    if "problem" in record:
        text, truth = record["problem"], json.loads(record["answer"])
    elif "data_source" in record:
        (message,) = record["prompt"]
        text, truth = message["content"], {**record["extra_info"], **record["reward_model"]}
    else:
        (message,) = record["messages"] if "messages" in record else record["prompt"]
        text, truth = message["content"], record
    wrong = [f"it has no {name}" for name in ("answer_kind", "reward") if not truth.get(name)]
    tags = {IMAGE: text.count(IMAGE)}
    if "prompt" in record and "data_source" not in record:
        # TRL's own step puts one for each image.
        wrong += [f"the prompt says {IMAGE}, which TRL puts there itself"] if tags.pop(IMAGE) else []
    return Line(
        record["id"], without_tags(text, [IMAGE]), truth["ground_truth"], tags, {IMAGE: images}, wrong
    )


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of the files for TRL; the others have the same."""
    return jsonl.rows_back(path, parse, f"{TRL}-")


def validate(path: Path) -> list[str]:
    """Unique ids in each library's files, tags against images, every image opened, truths against `ids.parquet`."""
    return checks.validate(path, parse, (TRL, VERL, SWIFT, EASYR1))
