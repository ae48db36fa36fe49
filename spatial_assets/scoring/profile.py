"""What a scoring profile is: how one row is scored and how the scores of a file become a summary.

And what the module of a benchmark offers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Row = Mapping[str, Any]
"""One prediction with its question's ground truth, as read from a JSON line."""
Scorer = Callable[[Row], float]
Summary = dict[str, Any]
Scores = NDArray[np.float64]
"""(N,), in the order of the file; rows that have no score are left out."""
TaskIndex = NDArray[np.int64]
"""(N,), which of the task names each score belongs to."""
Aggregate = Callable[[Scores, TaskIndex, Sequence[str]], Summary]


class Unscorable(Exception):
    """A row has no score: the released code raises on it, or (strict) its ground truth cannot be read."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{kind}: {what}")
        self.kind = kind
        """Name of the exception that the released code raises."""
        self.what = what


class NoAnswer(float):
    """The score of a response that gives no single answer: 0, with the reason."""

    reason: str

    def __new__(cls, reason: str) -> NoAnswer:
        score = super().__new__(cls, 0.0)
        score.reason = reason
        return score


@dataclass(frozen=True)
class Profile:
    """One way to score one benchmark."""

    name: str
    task_fields: tuple[str, ...]
    """Where a row says its task; the first field that a row has counts."""
    scorers: Mapping[str, Scorer]
    """By task. A scorer raises `Unscorable` and nothing else, whatever JSON values its fields hold."""
    gold_fields: Mapping[str, tuple[str, ...]]
    """By task: the fields besides `prediction` that its scorer reads; the first is the answer itself."""
    aggregate: Aggregate
    """Gives `tasks`, `levels`, `overall` (or NaN), and `error` where the released code raises."""
    stops_on_error: bool
    """The released evaluation ends with the first row that it cannot score, so it has no overall score."""
    row_levels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Fields of a row that say how hard it is, with their levels in order; scores are told by each that rows have."""


class Benchmark(Protocol):
    """What the module of a benchmark offers; its name is the benchmark's."""

    TITLE: str
    """What its authors call it."""
    PROFILES: Sequence[Profile]
    """The official one first."""
    LEVELS: Mapping[str, Sequence[str]]
    """Its tasks by level, in the order in which it presents its levels; empty where it has none."""
    MERGED: Mapping[str, Sequence[str]]
    """Question types that a summary may show as one task, by that task; empty where there are none."""


def text_of(row: Row, field: str) -> str:
    """The field as text; raises what Python says when a text method is called on anything else."""
    value = row[field]
    if isinstance(value, str):
        return value
    raise Unscorable("AttributeError", f"{field} is {kind_of(value)}, not text")


def kind_of(value: object) -> str:
    """What JSON calls a value's type."""
    names = {type(None): "null", bool: "a truth value", int: "a number", float: "a number", str: "text"}
    if isinstance(value, list):
        return "a list"
    return names.get(type(value), "an object")
