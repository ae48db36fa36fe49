"""The truth's fields of questions: what a response is scored against, and how, in every export that is scored.

`ground_truth`, `answer_kind`, `reward`, `choices`, `unit`, `tolerance` and `task`, which `scoring.kinds` and
`scoring.release` read. The reward follows from the kind of a task's answers (`truths.json`). A sentence can be right
in many words, so questions of that format are not scored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from spatial_assets.exports.core.printed_coordinates import (
    PIXEL,
    THOUSANDTH,
    UNITS,
    Profile,
    rendered,
    unit_told,
)
from spatial_assets.scoring.kinds import ACCURACY, POINT
from spatial_assets.tasks.core.wording import notes_of
from spatial_assets.tasks.registry import tasks

WORDS = Path(__file__).with_suffix(".json")
SENTENCE = "sentence"
IS_ASKED = pl.col("format") != SENTENCE
"""Which rows have one right answer."""
TRUTH = ("ground_truth", "answer_kind", "tolerance", "choices", "unit", "reward", "task")
MORE = ("margin_unit", "diagnostics", "twin_of", "law")
"""Columns that the truth's fields are made of, beside those of every conversation, and what ties rows to twins."""


@cache
def words() -> Mapping[str, Any]:
    held: Mapping[str, Any] = json.loads(WORDS.read_text(encoding="utf-8"))
    return held


def rendering(how: Profile, row: Mapping[str, Any]) -> dict[str, Any]:
    """The texts of a row that prints coordinates, and what distances from its point are measured by."""
    made = rendered(row, how)
    slots = [slot for slot in row["coordinates"] if slot["text"] == "answer" and len(slot["xy"]) == 2]
    tolerance = None
    if slots:
        width, height = row["sizes"][slots[0]["image"]]
        told = row["diagnostics"] or {}
        pixels = told.get("box_diagonal") or words()["point_share"]["share"] * width
        own = how.size(width, height)[0] if how.unit else _own_width(row["task"], width)
        tolerance = pixels * own / width
    return {**made, "tolerance": tolerance}


def _own_width(task: str, width: int) -> float:
    """What the whole width counts where texts stay as they are."""
    return width if own_unit(task) == PIXEL else UNITS[THOUSANDTH]


@cache
def own_unit(task: str) -> str:
    """The unit that a task's notes say its coordinates count; empty where they say none, as of what is no task."""
    known = tasks().get(task)
    return "" if known is None else unit_told(" ".join(notes_of(known.suite, task)))


def truths(questions: pl.DataFrame) -> pl.DataFrame:
    """Questions with the truth's fields; `tolerance` as `rendering` found it, if any did."""
    told, known = words(), tasks()
    kinds = {name: known[name].kind for name in questions["task"].unique() if name in known}
    kind = pl.col("task").replace_strict(kinds, default="text", return_dtype=pl.String)
    is_fill = pl.col("options").is_null() & (pl.col("format") == "fill")
    reward = pl.col("answer_kind").replace_strict(told["rewards"], default=ACCURACY, return_dtype=pl.String)
    units = {name: unit for name, unit in told["units"].items() if name != "about"}
    unit = pl.col("margin_unit").replace_strict(units, default=None, return_dtype=pl.String)
    places = pl.col("answer").str.extract(r"\.(\d+)$").str.len_chars().fill_null(0)
    tolerance = pl.col("tolerance") if "tolerance" in questions.columns else pl.lit(None, pl.Float64)
    return questions.with_columns(answer_kind=kind).with_columns(
        ground_truth=pl.col("answer"),
        choices=pl.col("options"),
        reward=pl.when(is_fill).then(reward).otherwise(pl.lit(ACCURACY)),
        unit=pl.when(is_fill & (pl.col("answer_kind") == "number")).then(unit),
        # Half of the last place that a number prints, unless it is a point's.
        tolerance=pl.when(is_fill & (pl.col("answer_kind") == POINT))
        .then(tolerance.cast(pl.Float64))
        .when(is_fill & (pl.col("answer_kind") == "number"))
        .then(pl.lit(0.5) / pl.lit(10.0).pow(places)),
    )
