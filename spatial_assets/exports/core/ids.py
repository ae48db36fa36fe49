"""The table of where an export's lines or other records come from: written as they are, read by what checks them.

    <out>/ids.parquet     of each record, in order: its file and id, its row's id, origin and answer, number of images

By it a record that was lost is found, and an answer that was changed or put to another question.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from spatial_assets.exports.core.base import Question
from spatial_assets.scene.frame_set_tables import RELEASED
from spatial_assets.scene.model import InputError
from spatial_assets.scene.tables import QUESTIONS
from spatial_assets.storage.atomic import naming

IDS = "ids.parquet"
FROM_THE_ROW = ("dataset", "release", "scene", "license", "task", "format", "frames")
"""Columns that `ids.parquet` has from the release."""
NOTED = pa.schema(
    [
        *(QUESTIONS.schema.field(name) for name in ("qa_id", "answer", *FROM_THE_ROW)),
        pa.field("images", pa.int32()),
    ]
)
"""What `noted` makes the table of."""
ROWS = 4096
"""That it holds before they are written."""
COMPRESSION = 3
ANSWERED = "answered"
"""A column of answers as they are read back, for formats whose lines hold part of one elsewhere; null where they do
not."""
KINDS: Mapping[str, pl.DataType | None] = {
    **dict.fromkeys(("file", "id", "qa_id", "split"), pl.String()),
    **{name: None if name == "frames" else pl.String() for name in FROM_THE_ROW},
    "answer": pl.String(),
    "images": pl.Int32(),
}
"""The columns, and of what each is where that is looked at."""
SHOWN = 60
"""Characters of what is wrong that a line shows."""


class Ids:
    """The table of where lines, or other records, come from: written as they are."""

    def __init__(self, out: Path) -> None:
        self._path = out / IDS
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Ids:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            # What stopped the block may stop this too, and is the one to be told of.
            with suppress(OSError) if kind else naming(self._path):
                self._writer.close()

    def add(self, questions: pl.DataFrame, split: str, file: str) -> None:
        """Questions with the columns that `ids.parquet` has of the row, and `images`: lists, or how many there are."""
        images = pl.col("images")
        if questions.schema["images"] != pl.Int32:
            images = images.list.len().cast(pl.Int32)
        answer = pl.coalesce(ANSWERED, "answer") if ANSWERED in questions.columns else pl.col("answer")
        table = questions.select(
            pl.lit(file).alias("file"),
            pl.col("qa_id").alias("id"),
            "qa_id",
            pl.lit(split).alias("split"),
            *FROM_THE_ROW,
            *(name for name in RELEASED if name in questions.columns),
            answer.alias("answer"),
            images.alias("images"),
        ).to_arrow(compat_level=pl.CompatLevel.oldest())
        with naming(self._path):
            if self._writer is None:
                self._writer = pq.ParquetWriter(
                    self._path, table.schema, compression="zstd", compression_level=COMPRESSION
                )
            self._writer.write_table(table)


def noted(
    placed: Iterator[tuple[Question, Sequence[str]]], ids: Ids, split: str, file: str
) -> Iterator[tuple[Question, Sequence[str]]]:
    """The questions of a file and their images, as they came; the table has each when the next is asked for."""
    held: list[dict[str, Any]] = []
    for question, images in placed:
        yield question, images
        held.append({**question.row, "images": len(images)})
        if len(held) == ROWS:
            _put(held, ids, split, file)
    if held:
        _put(held, ids, split, file)


def _put(held: list[dict[str, Any]], ids: Ids, split: str, file: str) -> None:
    rows = pl.from_arrow(pa.Table.from_pylist(held, schema=NOTED))
    assert isinstance(rows, pl.DataFrame)
    ids.add(rows, split, file)
    held.clear()


def ids_of(path: Path, name: str = IDS) -> pl.DataFrame:
    """The table of where lines come from. Raises InputError where it is not there or no such table."""
    return read_table(path / name, KINDS)


def read_table(file: Path, kinds: Mapping[str, pl.DataType | None]) -> pl.DataFrame:
    """Columns of a table, each of its kind where it has one, and then none of it empty.

    Raises InputError where it is not there or no such table.
    """
    if not file.is_file():
        raise InputError(file, "not there", "missing_file")
    try:
        held = pl.read_parquet(file, hive_partitioning=False, glob=False).select(*kinds)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(file, f"cannot be read: {str(error).splitlines()[0]}", "malformed_file") from None
    for name, kind in kinds.items():
        if kind is not None and held.schema[name] != kind:
            raise InputError(
                file, f"its column {name} is of {held.schema[name]}, not {kind}", "malformed_file"
            )
        if kind is not None and held[name].null_count():
            raise InputError(file, f"its column {name} is empty in some rows", "malformed_file")
    return held


def answers_of(root: Path) -> dict[str, dict[str, tuple[str, int]]]:
    """By file and id, the answer and how many images, from `ids.parquet`. Raises InputError where it cannot be read."""
    found: dict[str, dict[str, tuple[str, int]]] = {}
    for file, own, answer, images in ids_of(root).select("file", "id", "answer", "images").iter_rows():
        found.setdefault(file, {})[own] = answer, images
    return found


def differs(wanted: Mapping[str, tuple[str, int]], own: str, answer: str, images: int) -> Iterator[str]:
    """What a record of an id says in another way than `ids.parquet`, of whose file `wanted` is."""
    if own not in wanted:
        yield f"id {own} is not in {IDS} for this file"
        return
    right, there = wanted[own]
    if answer != right:
        yield f"answers {shown(answer)}, where {IDS} has {shown(right)}"
    if images != there:
        yield f"{images} images, where {IDS} has {there}"


def shown(value: Any) -> str:
    """A value as a line of what is wrong shows it."""
    return json.dumps(value, ensure_ascii=True, default=repr)[:SHOWN]
