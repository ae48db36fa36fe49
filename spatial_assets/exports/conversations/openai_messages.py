"""OpenAI's messages, as its fine-tuning, vLLM and others read them: typed parts, text and `image_url`.

    <out>/<split>.jsonl, or shards of it     {"id", "messages": [{"role", "content": [{"type", ...}, ...]}, ...]}

Images stand as parts before the text, so no tags are needed; an `url` is a path below the folder. Who sends them to a
server puts the folder's address before it (`file:///...` with vLLM's `--allowed-local-media-path`) or the bytes in its
place. Coordinates stay as rows print them unless `--coordinates` says otherwise.
https://platform.openai.com/docs/guides/vision-fine-tuning
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from spatial_assets.exports.conversations import checks, jsonl
from spatial_assets.exports.conversations.jsonl import Line
from spatial_assets.exports.core.base import ColumnSource, Options
from spatial_assets.exports.core.columns import IMAGE
from spatial_assets.exports.core.printed_coordinates import AS_PRINTED, profile

CARRIES = jsonl.CARRIES
TAKES = frozenset({"coordinates", "image-format"})
USER, ASSISTANT = "user", "assistant"
URL, TEXT = "image_url", "text"


def write(source: ColumnSource, out: Path, options: Options) -> None:
    how = profile(options.coordinates or AS_PRINTED.name, options.min_pixels, options.max_pixels)
    jsonl.write(source, out, options, _lines, how)


def _lines(questions: pl.DataFrame) -> pl.Series:
    """Parts have different keys, and an API refuses one that is null: so lines are put together from encoded parts."""
    shown = pl.col("images").list.eval(
        pl.concat_str(
            pl.lit(f'{{"type":"{URL}","{URL}":'),
            pl.struct(pl.element().alias("url")).struct.json_encode(),
            pl.lit("},"),
        )
    )
    made = questions.select(
        line=pl.concat_str(
            pl.lit('{"id":"'),
            "qa_id",
            pl.lit(f'","messages":[{{"role":"{USER}","content":['),
            shown.list.join(""),
            _text("question"),
            pl.lit(f']}},{{"role":"{ASSISTANT}","content":['),
            _text("answer"),
            pl.lit("]}]}"),
        )
    )
    return made["line"]


def _text(name: str) -> pl.Expr:
    return pl.struct(pl.lit(TEXT).alias("type"), pl.col(name).alias(TEXT)).struct.json_encode()


def parse(record: Mapping[str, Any]) -> Line:
    """What a reader makes of a line."""
    asked, answered = record["messages"]
    if (asked["role"], answered["role"]) != (USER, ASSISTANT):
        raise ValueError(f"messages are from {asked['role']!r} and {answered['role']!r}")
    paths = [part[URL]["url"] for part in asked["content"] if part["type"] == URL]
    (text,) = (part[TEXT] for part in asked["content"] if part["type"] == TEXT)
    ((answer),) = (part[TEXT] for part in answered["content"])
    return Line(record["id"], text, answer, {}, {IMAGE: paths})


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    return jsonl.rows_back(path, parse)


def validate(path: Path) -> list[str]:
    """The messages and their parts, unique ids, every image opened, answers against `ids.parquet`."""
    return checks.validate(path, parse)
