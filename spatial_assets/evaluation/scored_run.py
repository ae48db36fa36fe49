"""A scored run, as it is read from its tables: what pages, pictures and checks are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from spatial_assets.evaluation.names import key_of, ordered_row_levels
from spatial_assets.evaluation.scored import (
    LEVEL,
    OVERALL,
    QUESTION_TYPE,
    ROW_LEVEL,
    SCORED_ROWS,
    TASK,
    IntervalParameters,
)


@dataclass(frozen=True)
class Result:
    """A scored run, as read from its tables."""

    run: dict[str, Any]
    """The row of `model_runs`."""
    scores: pl.DataFrame

    @property
    def key(self) -> str:
        return key_of(self.run["benchmark"], self.run["profile"], self.run["model"])

    def score(self, kind: str, name: str) -> dict[str, Any] | None:
        """One row of `scores`."""
        found = self.scores.filter((pl.col("kind") == kind) & (pl.col("name") == name))
        return found.row(0, named=True) if len(found) else None

    def in_reading_order(self) -> list[dict[str, Any]]:
        """All scores: overall, levels, tasks, the question types that tasks were merged from, and levels of rows."""
        kinds = [OVERALL, LEVEL, TASK, QUESTION_TYPE, ROW_LEVEL]
        place = self._row_levels().index
        return sorted(
            self.scores.to_dicts(),
            key=lambda row: (
                kinds.index(row["kind"]),
                place(row["name"]) if row["kind"] == ROW_LEVEL else 0,
                row["name"],
            ),
        )

    def _row_levels(self) -> list[str]:
        names = self.scores.filter(pl.col("kind") == ROW_LEVEL)["name"].to_list()
        return ordered_row_levels(self.run["benchmark"], self.run["profile"], names)

    def parameters(self) -> IntervalParameters:
        """What its intervals were made with."""
        return IntervalParameters(**{name: self.run[name] for name in IntervalParameters.model_fields})

    def overall(self) -> dict[str, Any]:
        """The overall score, or that of the scored rows where the released evaluation has none."""
        overall = self.score(OVERALL, OVERALL)
        assert overall is not None
        return overall if overall["score"] is not None else self.score(OVERALL, SCORED_ROWS) or overall
