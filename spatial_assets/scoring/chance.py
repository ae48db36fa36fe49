"""What an answerer without eyes would score, from a file's own ground truths and with the file's own
scorer.

`most_frequent` always gives the task's most frequent answer. `random` gives one of the task's distinct
answers, each as likely as the others; its score is an expectation, not a draw.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spatial_assets.scoring.profile import Profile, Summary, Unscorable

MAX_DISTINCT = 512
"""So many distinct answers and truths of a task are paired for `random`; of more, a fixed sample is."""

Gold = tuple[Any, ...]
"""The values of a task's gold fields; the first is the answer."""


class Golds:
    """The distinct ground truths of every task and how often each occurs."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._counts: dict[str, dict[Gold, int]] = {}
        self._values: dict[str, dict[Gold, Gold]] = {}

    def add(self, task: str, row: Mapping[str, Any]) -> None:
        """Count one row's ground truth."""
        values = tuple([row[field] for field in self._profile.gold_fields[task]])
        counts = self._counts.get(task)
        if counts is None:
            counts = self._counts[task] = {}
        if all(type(value) is str for value in values):
            key = values
        else:
            # JSON values of other types: 1, 1.0 and true are equal in Python, lists cannot be keys.
            key = tuple(value if type(value) is str else ("json", json.dumps(value)) for value in values)
            self._values.setdefault(task, {})[key] = values
        counts[key] = counts.get(key, 0) + 1

    def of(self, task: str) -> list[tuple[Gold, int]]:
        """The task's distinct ground truths with their counts, in an order that depends on nothing else."""
        values = self._values.get(task, {})
        keys = sorted(self._counts.get(task, {}), key=repr)
        return [(values.get(key, key), self._counts[task][key]) for key in keys]


@dataclass(frozen=True)
class Guessed:
    """Mean scores by task, question types apart, and the answer that is most frequent; of tasks that have them."""

    random: Mapping[str, float]
    frequent: Mapping[str, float]
    answers: Mapping[str, str]


def guessed(profile: Profile, golds: Golds, tasks: list[str]) -> Guessed:
    """What the two ways of guessing score of each task.

    Ground truths on which the released code raises are left out, as are answers that no text can give (null).
    """
    random: dict[str, float] = {}
    frequent: dict[str, float] = {}
    answers: dict[str, str] = {}
    for task in sorted(tasks):
        truths = golds.of(task)
        said: dict[str, int] = {}
        for values, count in truths:
            text = _said(values[0])
            if text is not None:
                said[text] = said.get(text, 0) + count
        if not said:
            continue
        answers[task] = min(said, key=lambda text: (-said[text], text))
        scored = _mean_score(profile, task, answers[task], truths)
        if scored is None:
            continue
        frequent[task] = scored
        sampled = _sample(truths)
        means = [_mean_score(profile, task, text, sampled) for text in _sample(sorted(said))]
        present = [mean for mean in means if mean is not None]
        if present:
            random[task] = float(np.mean(present))
    return Guessed(random, frequent, answers)


def chance_levels(profile: Profile, found: Guessed) -> dict[str, Any]:
    """`random` and `most_frequent`: each with tasks, levels and overall, as the profile aggregates them."""
    return {
        "random": _aggregated(profile, found.random),
        "most_frequent": {**_aggregated(profile, found.frequent), "answers": dict(found.answers)},
    }


def _said(answer: Any) -> str | None:
    """The answer as a model would say it."""
    if isinstance(answer, str):
        return answer
    return None if answer is None else json.dumps(answer)


def _mean_score(profile: Profile, task: str, answer: str, truths: list[tuple[Gold, int]]) -> float | None:
    fields, scorer = profile.gold_fields[task], profile.scorers[task]
    total, number = 0.0, 0
    for values, count in truths:
        row = dict(zip(fields, values, strict=True), prediction=answer)
        try:
            total += count * scorer(row)
        except Unscorable:
            continue
        number += count
    return total / number if number else None


def _sample(items: list[Any]) -> list[Any]:
    """At most `MAX_DISTINCT` of the items, chosen by their content."""
    if len(items) <= MAX_DISTINCT:
        return items
    return sorted(
        items, key=lambda item: hashlib.blake2b(repr(item).encode("utf-8", "backslashreplace")).digest()
    )[:MAX_DISTINCT]


def _aggregated(profile: Profile, means: Mapping[str, float]) -> Summary:
    names = list(means)
    summary = profile.aggregate(np.array([means[name] for name in names]), np.arange(len(names)), names)
    return {key: summary[key] for key in ("tasks", "levels", "overall")}
