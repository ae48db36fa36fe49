"""Confidence intervals of scores by the bootstrap: rows are drawn anew within each task, with replacement.

The generator is seeded by the scores themselves, so equal scores give equal limits wherever and in whatever
order they are computed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scoring.profile import Profile

Values = Sequence[float] | NDArray[np.float64]
"""One task's scores, (N,)."""
REPLICATES = 2000
"""Draws. The limits of a 95 % interval then rest on 50 draws at each end."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A score and the limits of its confidence interval (percentiles of the bootstrap)."""

    score: float
    low: float
    high: float


def task_intervals(
    scores: Mapping[str, Values],
    replicates: int = REPLICATES,
    confidence: float = CONFIDENCE,
) -> dict[str, Interval]:
    """Interval of the mean of each task's scores (N,); tasks without scores are left out."""
    return {
        task: _interval(float(np.mean(values)), _replicates(task, values, replicates), confidence)
        for task, values in sorted(scores.items())
        if len(values)
    }


def overall_interval(
    scores: Mapping[str, Values],
    profile: Profile,
    replicates: int = REPLICATES,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Interval of the profile's overall score, each task being drawn by itself; None if there is no score.

    `scores` (N,) are by the task names that the profile scores, before any are merged.
    """
    tasks = sorted(task for task, values in scores.items() if len(values))
    if not tasks:
        return None
    draws = np.stack([_replicates(task, scores[task], replicates) for task in tasks])
    index = np.arange(len(tasks))
    means = np.array([np.mean(scores[task]) for task in tasks])
    overall = profile.aggregate(means, index, tasks)["overall"]
    if np.isnan(overall):
        return None
    overalls = np.array([profile.aggregate(draw, index, tasks)["overall"] for draw in draws.T])
    return _interval(float(overall), overalls, confidence)


def _replicates(task: str, values: Values, replicates: int) -> NDArray[np.float64]:
    """(replicates,) means of samples of the same size.

    Scores take few distinct values, so a sample is a multinomial draw of how often each occurs: the same
    distribution as drawing row by row, without a draw for every row.
    """
    distinct, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
    digest = hashlib.blake2b(
        distinct.astype("<f8").tobytes() + counts.astype("<i8").tobytes(), digest_size=16
    )
    digest.update(task.encode())
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest.digest(), "little")))
    number = int(counts.sum())
    samples = generator.multinomial(number, counts / number, size=replicates)
    means: NDArray[np.float64] = (samples * distinct).sum(axis=1) / number
    return means


def _interval(score: float, draws: NDArray[np.float64], confidence: float) -> Interval:
    outside = (1.0 - confidence) / 2.0
    low, high = np.quantile(draws, [outside, 1.0 - outside]).tolist()
    return Interval(score, low, high)
