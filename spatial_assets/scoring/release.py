"""A release as a benchmark: all its tasks, each answer scored by the kind of answer that its question asks for.

Rows hold the truth's fields of the exports `lmms-eval`, `vlmevalkit` and `grpo`: `ground_truth`, `reward`, `choices`,
`unit` and `tolerance` (see `kinds`). A task's score is the mean of its rows', the overall score the mean of tasks.
Profile `strict` reads each response as the benchmarks' strict profiles do. Profile `official` hands choices, numbers,
points and view changes to the released scorers (SPAR-Bench's for choices and view changes, VSI-Bench's for numbers,
SpatialMosaic's for points), with their errors: an empty response to a choice is right. Rows whose truth cannot be
scored against are reported and left out in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from spatial_assets.scoring import reading
from spatial_assets.scoring.kinds import OFFICIAL, RULES, STRICT, Truth, judged
from spatial_assets.scoring.metrics import running_mean, task_means, to_float
from spatial_assets.scoring.profile import (
    NoAnswer,
    Profile,
    Row,
    Scores,
    Summary,
    TaskIndex,
    Unscorable,
)
from spatial_assets.scoring.quantities import Unclear

TITLE = "A release's own benchmark"
LEVELS: Mapping[str, Sequence[str]] = {}
MERGED: Mapping[str, Sequence[str]] = {}
FIELDS = ("ground_truth", "reward", "choices", "unit", "tolerance")

Value = TypeVar("Value")


class EveryTask(Mapping[str, Value]):
    """One value for whatever task a release has. What it goes through are the names of rewards, which stand for all."""

    def __init__(self, value: Value) -> None:
        self._value = value

    def __getitem__(self, task: str) -> Value:
        if task not in self:
            raise KeyError(task)
        return self._value

    def __contains__(self, task: object) -> bool:
        return isinstance(task, str) and bool(task)

    def __iter__(self) -> Iterator[str]:
        return iter(RULES)

    def __len__(self) -> int:
        return len(RULES)


def _truth(row: Row) -> Truth:
    """Raises Unscorable for fields that are no truth's."""
    reward, choices, unit = row["reward"], row["choices"], row["unit"]
    if not isinstance(reward, str) or reward not in RULES:
        raise Unscorable("ValueError", f"reward is none of {', '.join(RULES)}")
    # Tables of predictions have texts alone: a list as JSON, nothing for null.
    if choices is not None and not isinstance(choices, str | list):
        raise Unscorable("ValueError", "choices is not a list")
    if unit is not None and not isinstance(unit, str):
        raise Unscorable("ValueError", "unit is not text")
    text = reading.response(row["ground_truth"])
    if not text.strip():
        raise Unscorable("ValueError", "the ground truth is not text")
    return Truth(text, reward, choices or None, to_float(row["tolerance"]), unit or None)


def _score(row: Row, profile: str) -> float:
    truth = _truth(row)
    try:
        found = judged(reading.response(row["prediction"]), truth, profile)
    except Unclear as why:
        return NoAnswer(str(why))
    # Coordinates beyond float64 leave nothing to compare.
    return found if found == found else 0.0


def _aggregate(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> Summary:
    means = task_means(scores, tasks, names)
    return {"tasks": means, "levels": {}, "overall": running_mean(means.values())}


PROFILES = tuple(
    Profile(
        name=name,
        task_fields=("task", "question_type"),
        scorers=EveryTask(partial(_score, profile=name)),
        gold_fields=EveryTask(FIELDS),
        aggregate=_aggregate,
        stops_on_error=False,
    )
    for name in (OFFICIAL, STRICT)
)
