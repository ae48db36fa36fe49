"""What SPAR-Bench asks: its tasks with their ids and one format each, and the sizes that it comes in. Names alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("tasks.json")
SELECT = "select"
SINGLE, SEVERAL = "single_view", "multi_view"
"""Kinds of a question by how many images it shows."""


@dataclass(frozen=True)
class BenchTask:
    task: str
    id: int
    """Of its first candidate."""
    format: str
    images: int
    published_rows: int
    published_frequency: float
    published_random: float | None

    @property
    def kind(self) -> str:
        return SINGLE if self.images == 1 else SEVERAL


@dataclass(frozen=True)
class Size:
    candidates: int
    """Questions drawn of each task."""
    rows: int | None
    """The most that are kept of them after review; None for all."""


@cache
def _table() -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


@cache
def bench_tasks() -> Mapping[str, BenchTask]:
    """By name, in the order of their ids."""
    return {entry["task"]: BenchTask(**entry) for entry in _table()["tasks"]}


@cache
def sizes() -> Mapping[str, Size]:
    return {name: Size(**entry) for name, entry in _table()["sizes"].items()}


def size(name: str) -> Size:
    """Raises ValueError for an unknown one."""
    if name not in sizes():
        raise ValueError(f"no size {name!r}; there are: {', '.join(sizes())}")
    return sizes()[name]


def directions(answer: str) -> str:
    """The directions of a view change, without those that are zero; any other answer as it is."""
    parts = [part.split(":") for part in answer.split(",")]
    if not all(len(part) == 2 and re.match(r"(move|rotate)_", part[0]) for part in parts):
        return answer
    return ",".join(name for name, number in parts if number.strip(".0"))
