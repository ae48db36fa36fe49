"""How much the views of questions overlap against how much of what they ask about is hidden: a map for each task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

COLUMNS, ROWS = 15, 10
"""Cells of a map."""
CELL = 20
"""Edge of a cell in the map's units."""
MOST_OVERLAP = 30.0
"""Percent: sets of views share no more by default. What shares more stands in the last column."""


@dataclass(frozen=True)
class Cell:
    """A cell as it is drawn: overlap grows to the right and occlusion upward."""

    x: int
    y: int
    strength: float
    label: str


@dataclass(frozen=True)
class Map:
    """Questions of a task by the average overlap of their views and the average occlusion of their objects."""

    cells: tuple[Cell, ...]
    total: int

    @property
    def view_box(self) -> str:
        return f"0 0 {COLUMNS * CELL} {ROWS * CELL}"


def maps(con: duckdb.DuckDBPyConnection) -> Mapping[str, Map]:
    """By task, of those whose questions are about sets of views."""
    found: dict[str, dict[tuple[int, int], int]] = {}
    for task, column, row, count in con.execute(
        "select task, least(floor(diagnostics.overlap_avg / $1 * $2), $2 - 1)::int as x, "
        "  least(floor(diagnostics.occlusion_avg * $3), $3 - 1)::int as y, count(*) from questions "
        "where diagnostics.overlap_avg is not null and diagnostics.occlusion_avg is not null "
        "group by task, x, y order by task, x, y",
        [MOST_OVERLAP, COLUMNS, ROWS],
    ).fetchall():
        found.setdefault(task, {})[column, row] = count
    return {task: _map(counts) for task, counts in found.items()}


def _map(counts: Mapping[tuple[int, int], int]) -> Map:
    most = max(counts.values())
    cells = []
    for (column, row), count in counts.items():
        low, high = (MOST_OVERLAP * at / COLUMNS for at in (column, column + 1))
        hidden = f"{100 * row // ROWS} to {100 * (row + 1) // ROWS} %"
        label = f"overlap {low:g} to {high:g} %, occlusion {hidden}: {count:,}"
        # The square root: what few questions have is seen beside what most have.
        cells.append(Cell(column * CELL, (ROWS - 1 - row) * CELL, (count / most) ** 0.5, label))
    return Map(tuple(cells), sum(counts.values()))
