"""Attacks learned on some rows and tried on others: what a benchmark gives away to who has read a release's training.

The rows that are tried are a part of their own that nothing is learned from; the training rows stand in parts by place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from spatial_assets.audit import choices, learners, numbers
from spatial_assets.audit.choices import Outcome
from spatial_assets.scene.model import Float

TRIED = 0
"""The part of the rows that are tried."""
PARTS = 4
"""Of the training rows."""
LEAST_PLACES = 2
"""Of the training rows; of one, nothing can be learned that is told apart from that place."""


def can_learn() -> bool:
    """Whether the learners are installed."""
    try:
        learners.require()
    except ValueError:
        return False
    return True


def attacks(tried: Sequence[dict[str, Any]], training: Sequence[dict[str, Any]]) -> list[Outcome]:
    """What each attack scores of the rows tried, of one task and format, by accuracy or MRA.

    Rows are as in the table of questions, with `space`, the place shown. Where scikit-learn is missing, only attacks
    that count are made; none where there are no training rows of two places.
    """
    spaces = sorted(
        {row["space"] for row in training}, key=lambda name: hashlib.blake2b(name.encode()).digest()
    )
    if len(spaces) < LEAST_PLACES or not tried:
        return []
    part = {space: 1 + number % PARTS for number, space in enumerate(spaces)}
    rows = [*tried, *training]
    fold = np.array([TRIED] * len(tried) + [part[row["space"]] for row in training], np.int64)
    weight = np.ones(len(rows))
    found: list[Outcome] = []
    options = choices.option_rows(rows, weight, fold) if rows[0]["options"] is not None else None
    if options is not None:
        found = [choices.answer_text(options), choices.exact_guess(options)]
        if can_learn():
            found += choices.Learned(options).outcomes((TRIED,))
    else:
        truth = numbers.answers(rows)
        if truth is not None:
            found = list(_of_numbers(rows, truth, weight, fold))
    return [Outcome(one.attack, one.hits[: len(tried)], one.detail) for one in found]


def _of_numbers(rows: list[dict[str, Any]], truth: Float, weight: Float, fold: Any) -> list[Outcome]:
    if can_learn():
        return list(numbers.outcomes(rows, truth, weight, fold, (TRIED,)))
    train = fold != TRIED
    constant = numbers.best_constant(truth[train], weight[train])
    hits = numbers.mra(np.full(len(truth), constant), truth)
    return [Outcome(numbers.CONSTANT, hits, f"{constant:g}")]
