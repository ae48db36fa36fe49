"""Questions as columns on their way into a file: which are taken, their texts as a reader has them, where images are.

Texts stay columns from the release's Parquet to the file: only what prints coordinates anew, and where images go, is
done row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from spatial_assets.exports.core.base import ColumnSource, ImageMode
from spatial_assets.exports.core.export_images import Images
from spatial_assets.exports.core.ids import FROM_THE_ROW
from spatial_assets.scene.frame_set_tables import RELEASED
from spatial_assets.scene.model import InputError

IMAGE, VIDEO, AUDIO = "<image>", "<video>", "<audio>"
TAGS = (IMAGE, VIDEO, AUDIO)
"""What stands for media in texts; a question that says one itself cannot be told from them."""
TEXTS = ("question", "stem", "instruction", "answer", "options")
PLACES = ("sizes", "coordinates")
READ = ("qa_id", *TEXTS, *FROM_THE_ROW, *PLACES, *RELEASED)
"""Columns that questions are printed from."""
Rendering = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""The texts of a row that prints coordinates, and more columns where the format has them."""


def taken(batch: pa.Table, only: pl.Expr) -> pa.Table:
    """Rows that an expression over `task` and `format` takes."""
    told = pl.from_arrow(batch.select(["task", "format"]))
    assert isinstance(told, pl.DataFrame)
    return batch.filter(told.select(only.alias("taken"))["taken"].to_arrow())


def counts_of(source: ColumnSource, only: pl.Expr) -> dict[str, int]:
    """Rows of each split that are taken; splits without any are left out."""
    counts = {
        split: sum(taken(batch, only).num_rows for batch in source.batches(split, ["task", "format"]))
        for split in source.splits
    }
    return {split: count for split, count in counts.items() if count}


def paths_of(source: ColumnSource, batch: pa.Table, split: str, images: Images) -> pl.Series:
    """Of each question the paths of its images below the export's folder, where they are put; none if they are off."""
    kind = pl.List(pl.String)
    if images.mode == ImageMode.NONE:
        return pl.Series("images", [[]], kind).new_from_index(0, batch.num_rows)
    placed = images.placed(source.shown(batch, split))
    return pl.Series("images", [paths for _, paths in placed], kind)


def printed(batch: pa.Table, anew: Rendering | None) -> pl.DataFrame:
    """A batch with its texts as they are printed for the reader."""
    questions = pl.from_arrow(batch)
    assert isinstance(questions, pl.DataFrame)
    where = questions["coordinates"].is_not_null().arg_true()
    if anew is None or not len(where):
        return questions
    made = [anew(row) for row in questions[where].iter_rows(named=True)]
    others = {name: made[0][name] for name in made[0] if name not in TEXTS}
    for name in TEXTS:
        texts = questions[name].to_list()
        for place, row in zip(where.to_list(), made, strict=True):
            texts[place] = row[name]
        questions = questions.with_columns(pl.Series(name, texts, questions.schema[name]))
    for name in others:
        found: list[Any] = [None] * len(questions)
        for place, row in zip(where.to_list(), made, strict=True):
            found[place] = row[name]
        questions = questions.with_columns(pl.Series(name, found))
    return questions


def reject_tags(batch: pa.Table, tags: Collection[str]) -> None:
    """Raises InputError for a question whose text holds what stands for an image."""
    questions = pl.from_arrow(batch.select(["qa_id", "question", "answer"]))
    assert isinstance(questions, pl.DataFrame)
    for name in ("question", "answer"):
        for tag in tags:
            bad = questions.filter(pl.col(name).str.contains(tag, literal=True))
            if len(bad):
                raise InputError(
                    bad["qa_id"][0], f"its text holds {tag}, which stands for an image", "malformed_row"
                )
