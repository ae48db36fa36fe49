"""Attacks on questions answered with a number: what constants, words and marks get of the mean relative accuracy.

MRA is VSI-Bench's and SPAR-Bench's: the share of ten limits that the relative error does not exceed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.audit import encodings, learners, parts
from spatial_assets.audit.choices import MARKS, TEXT, Outcome
from spatial_assets.scene.model import Float
from spatial_assets.scoring.metrics import RELATIVE_ERROR_LIMITS

CONSTANT, BY_CATEGORY, GIVEN = "constant", "constant per category", "stated number"
MOST_TRIED = 200
"""Different answers that are tried as constants: evenly chosen among the sorted ones, if there are more."""
LEAST_ROWS = 5
"""Of one category, before it has a constant of its own."""
LIMITS = np.array(RELATIVE_ERROR_LIMITS)


def mra(said: Float, truth: Float) -> Float:
    """Mean relative accuracy of estimates (...), elementwise, from 0 to 1; both broadcast.

    The truth is positive or zero; where it is zero the error is absolute, as SPAR-Bench has it.
    """
    error = np.abs(said - truth) / np.where(truth == 0, 1.0, np.abs(truth))
    found: Float = (error[..., None] <= LIMITS).mean(axis=-1)
    return found


def answers(rows: list[dict[str, Any]]) -> Float | None:
    """(N,) the printed numbers, or None where some answer is not one number."""
    found = []
    for row in rows:
        try:
            found.append(float(row["answer"]))
        except ValueError:
            return None
    return np.array(found)


def frequent_and_chance(truth: Float, weight: Float) -> tuple[float, float, float]:
    """MRA of the most frequent answer, that of a random one of the distinct answers, and the most frequent answer; of
    answers (N,) and their weights (N,).
    """
    distinct, index = np.unique(truth, return_inverse=True)
    counts = np.bincount(index, weight)
    scores = mra(_tried(distinct)[:, None], distinct[None, :]) @ counts / counts.sum()
    commonest = float(distinct[int(np.argmax(counts))])
    often = mra(np.full(1, commonest), distinct) @ counts / counts.sum()
    return float(often), float(scores.mean()), commonest


def _tried(distinct: Float) -> Float:
    if len(distinct) <= MOST_TRIED:
        return distinct
    return distinct[np.linspace(0, len(distinct) - 1, MOST_TRIED).round().astype(int)]


def best_constant(truth: Float, weight: Float) -> float:
    """Of the answers (N,) themselves, the one with the highest MRA over all, by weights (N,)."""
    distinct, index = np.unique(truth, return_inverse=True)
    tried = _tried(distinct)
    counts = np.bincount(index, weight)
    return float(tried[int(np.argmax(mra(tried[:, None], distinct[None, :]) @ counts))])


def outcomes(
    rows: list[dict[str, Any]],
    truth: Float,
    weight: Float,
    fold: NDArray[np.int64],
    tried: Sequence[int] | None = None,
) -> Iterator[Outcome]:
    """Each attack's MRA of each row, learned on the other parts; of the parts tried alone, where some are named. The
    truth, weight and part of each row are (N,).
    """
    told = parts.told(rows)
    given, marks = parts.padded([one.numbers for one in told]), parts.mark_coordinates(rows)
    keys = np.array([one.key for one in told])
    questions = encodings.question_matrix(told, given)
    log = np.log(np.maximum(truth, 1e-3))
    said = {name: np.zeros(len(truth)) for name in (CONSTANT, BY_CATEGORY, TEXT)}
    said |= {GIVEN: np.zeros(len(truth))} if given.shape[1] else {}
    said |= {MARKS: np.zeros(len(truth))} if marks.shape[1] else {}
    copied, constants = set(), set()
    for part in np.unique(fold).tolist() if tried is None else tried:
        test, train = fold == part, fold != part
        constant = best_constant(truth[train], weight[train])
        constants.add(constant)
        said[CONSTANT][test] = constant
        said[BY_CATEGORY][test] = _by_category(keys, truth, weight, train, constant)[test]
        said[TEXT][test] = np.exp(
            learners.fit_ridge(questions[train], log[train], weight[train])(questions[test])[:, 0]
        )
        if GIVEN in said:
            scores = mra(np.nan_to_num(given[train]), truth[train, None]).T @ weight[train]
            place = int(np.argmax(scores))
            copied.add(place + 1)
            said[GIVEN][test] = np.nan_to_num(given[test, place])
        if MARKS in said:
            said[MARKS][test] = np.exp(
                learners.fit_boosted_number(marks[train], log[train], weight[train])(marks[test])
            )
    details = {
        CONSTANT: " / ".join(f"{value:g}" for value in sorted(constants)),
        GIVEN: " / ".join(f"number {place} of the question" for place in sorted(copied)),
    }
    for name, values in said.items():
        yield Outcome(name, mra(values, truth), details.get(name))


def _by_category(
    keys: NDArray[np.str_], truth: Float, weight: Float, train: NDArray[np.bool_], otherwise: float
) -> Float:
    """(N,) the best constant of the rows that say the same words, learned on some; `otherwise` where they are few."""
    found = np.full(len(truth), otherwise)
    for key in np.unique(keys[train]):
        own = train & (keys == key)
        if own.sum() >= LEAST_ROWS:
            found[keys == key] = best_constant(truth[own], weight[own])
    return found
