"""The maths that the benchmarks' scorers share, in the float64 operations of the released evaluators.

Scores are counts of limits met, so a last-bit difference in a limit or in an error changes a score. The
limits below are therefore the exact doubles that numpy gives the released code, not decimal fractions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from spatial_assets.scoring.profile import Scores, TaskIndex

RELATIVE_ERROR_LIMITS = (
    0.5,
    0.44999999999999996,
    0.4,
    0.35,
    0.30000000000000004,
    0.25,
    0.19999999999999996,
    0.15000000000000002,
    0.10000000000000009,
    0.050000000000000044,
)
"""1 - linspace(0.5, 0.95, int((0.95 - 0.5) / 0.05 + 2)); ten of them, as the sum is 10.999999999999998."""

POINT_LIMITS = (
    0.5,
    0.6,
    0.7,
    0.7999999999999999,
    0.8999999999999999,
    0.9999999999999999,
    1.0999999999999999,
    1.1999999999999997,
    1.2999999999999998,
    1.4,
)
"""arange(0.5, 1.4 + 0.1 / 2, 0.1), in diagonals of the object's 2D box."""

LIMITS = 10
MEAN_OF_HITS = tuple(hits / LIMITS for hits in range(LIMITS + 1))
"""The mean of ten truth values of which so many are true, as numpy gives it."""

_ASCENDING_LIMITS = RELATIVE_ERROR_LIMITS[::-1]


def limits_met(error: float) -> int:
    """How many of the ten limits the relative error does not exceed (none, if it is NaN)."""
    if error != error:
        return 0
    return LIMITS - bisect_left(_ASCENDING_LIMITS, error)


def mean_relative_accuracy(error: float) -> float:
    """MRA of VSI-Bench, SPAR-Bench and SpatialMosaic: share of the ten limits with error <= limit."""
    return MEAN_OF_HITS[limits_met(error)]


def relative_error(estimate: float, reference: float) -> float:
    """|estimate - reference| / |reference|; SPAR-Bench takes the absolute error where the reference is 0."""
    if reference == 0.0:
        return abs(estimate - reference)
    return abs((estimate - reference) / reference)


def to_float(value: Any) -> float | None:
    """The value as Python's float() reads it (spaces, exponents, nan, any script's digits), else None."""
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return None


def first_token(text: str) -> str:
    """What VSI-Bench and SpatialMosaic read as the answer: up to the first space, dots at its end dropped."""
    return text.split(" ", 1)[0].rstrip(".").strip()


def task_means(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> dict[str, float]:
    """Mean score of every task that has one, in alphabetical order, as pandas groups them; of scores (N,) and the
    places (N,) of their tasks among the names.

    Each mean is numpy's pairwise sum over the task's scores in file order, divided by their number.
    """
    present = {names[index]: index for index in np.unique(tasks).tolist()}
    return {name: float(np.mean(scores[tasks == present[name]])) for name in sorted(present)}


def running_mean(values: Iterable[float]) -> float:
    """Sum from left to right, divided by the number of values; NaN for none.

    Python's own sum() compensates rounding from 3.12 on for plain floats, which the released code's numpy
    scalars never get.
    """
    total, count = 0.0, 0
    for value in values:
        total += value
        count += 1
    return total / count if count else float("nan")


def numpy_mean(values: Sequence[float]) -> float:
    """numpy's mean (pairwise from eight values on), NaN for none."""
    return float(np.mean(values)) if len(values) else float("nan")


def group_means(means: Mapping[str, float], groups: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Task means, each group of tasks replaced by the mean of its present members, in alphabetical order."""
    member_of = {member: group for group, members in groups.items() for member in members}
    merged = {name: mean for name, mean in means.items() if name not in member_of}
    for group, members in groups.items():
        present = [means[member] for member in members if member in means]
        if present:
            merged[group] = running_mean(present)
    return dict(sorted(merged.items()))
