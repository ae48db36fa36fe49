"""Words and stated numbers as a few numbers a learner can weigh: how often an option with them has been right.

What is scored never counts itself: scores of a part of the rows are learned on the other parts, and the features that a
learner is trained with are learned without the part that they describe and without the part that it will be scored on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spatial_assets.audit import learners
from spatial_assets.audit.option_places import scaled
from spatial_assets.audit.parts import Choice, Said
from spatial_assets.scene.model import Float

MOST_PARTS = 6
"""Of an option whose ordered pairs of parts are looked at."""


def vocabulary(rows: Iterable[Sequence[str]]) -> sparse.csr_matrix:
    """(R, W) which row has which words; columns in the order in which words are first met."""
    known: dict[str, int] = {}
    columns: list[int] = []
    ends = [0]
    for row in rows:
        columns += sorted({known.setdefault(word, len(known)) for word in row})
        ends.append(len(columns))
    shape = (len(ends) - 1, max(len(known), 1))
    return sparse.csr_matrix(
        (np.ones(len(columns)), np.array(columns, np.int64), np.array(ends)), shape=shape
    )


def option_words(one: Choice, are_numbers: bool) -> list[str]:
    """What an option says by itself: all of it, its parts, where they stand, and which stands before which."""
    if are_numbers:
        return [f"all {one.text}", *(f"{place} {value:g}" for place, value in enumerate(one.numbers))]
    found = [f"all {one.text.lower()}", *one.parts]
    if 1 < len(one.parts) <= MOST_PARTS:
        found += [f"{place} {part}" for place, part in enumerate(one.parts)]
        found += [f"{a} > {b}" for a, b in combinations(one.parts, 2)]
    return found


def tied_words(one: Choice, told: Said) -> list[str]:
    """Each word of an option beside each word that the question says."""
    own = {f"all {one.text.lower()}", *one.parts}
    said = {told.key, *told.known}
    return [f"{word} : {part}" for word in sorted(said) for part in sorted(own)]


def beside(choices: Sequence[Sequence[Choice]]) -> list[sparse.csr_matrix]:
    """Two (O, W) of which option stands beside which other one of its row: in either order, and as own and other.

    None where every option has the same others in all rows, which then tell no more than it does.
    """
    pairs = [own for row in choices for own in _paired([one.name for one in row])]
    offered = {frozenset(one.name for one in row) for row in choices}
    if not any(pairs) or sum(map(len, offered)) == len(frozenset().union(*offered)):
        return []
    # In either order they tell what belongs together, where the one apart from the rest is right, by half the numbers
    # that are to be learned; as own and other, which of two that are offered together is.
    return [
        vocabulary([[" & ".join(sorted(pair)) for pair in own] for own in pairs]),
        vocabulary([[" > ".join(pair) for pair in own] for own in pairs]),
    ]


def _paired(names: Sequence[str | None]) -> list[list[tuple[str, str]]]:
    """Of each option, its name with that of each other one that has one."""
    return [
        [
            (own, other)
            for at, other in enumerate(names)
            if at != place and own is not None and other is not None
        ]
        for place, own in enumerate(names)
    ]


@dataclass(frozen=True)
class Slots:
    """The options of all rows one below another: which row and place each has, and what it counts."""

    row: NDArray[np.int64]
    place: NDArray[np.int64]
    shape: tuple[int, int]
    right: Float
    chance: Float
    fold: NDArray[np.int64]

    @classmethod
    def of(
        cls, counts: Sequence[int], right: NDArray[np.int64], weight: Float, fold: NDArray[np.int64]
    ) -> Slots:
        """Of rows with so many options each: which one is right, the row's weight, which fold it is in, all (N,)."""
        row = np.repeat(np.arange(len(counts)), counts)
        place = np.concatenate([np.arange(count) for count in counts])
        share = weight[row] / np.asarray(counts)[row]
        wanted = weight[row] * (place == right[row])
        return cls(row, place, (len(counts), max(counts)), wanted, share, fold[row])

    def spread(self, values: Float) -> Float:
        """(N, K, F) of (O, F)."""
        found = np.full((*self.shape, values.shape[1]), np.nan)
        found[self.row, self.place] = values
        return found


def word_scores(words: sparse.csr_matrix, slots: Slots, tested: int) -> Float:
    """(N, K, 5) features of the options' words, of rows that are tested on one part and trained on the others.

    The sum of the log odds of an option's words, their largest and smallest, and the sum against the best and the mean
    of the row's other options.
    """
    parts = np.unique(slots.fold)
    scores = np.zeros((words.shape[0], 3))
    for part in parts:
        here = slots.fold == part
        learned = (slots.fold != part) & (slots.fold != tested)
        if not learned.any():
            learned = ~here
        odds = learners.log_odds(words[learned], slots.right[learned], slots.chance[learned])
        scores[here] = _summed(words[here], odds)
    return _among(slots.spread(scores))


def _summed(words: sparse.csr_matrix, odds: Float) -> Float:
    values = odds[words.indices]
    found = np.zeros((words.shape[0], 3))
    starts = words.indptr[:-1]
    full = np.diff(words.indptr) > 0
    if full.any():
        at = starts[full]
        found[full, 0] = np.add.reduceat(values, at)
        found[full, 1] = np.maximum.reduceat(values, at)
        found[full, 2] = np.minimum.reduceat(values, at)
    return found


def _among(scores: Float) -> Float:
    """Adds to (N, K, F) features the first one's distance from the best and the mean of the row's other options."""
    first = scores[..., 0]
    others = np.repeat(first[:, None, :], first.shape[1], axis=1)
    own = np.arange(first.shape[1])
    others[:, own, own] = np.nan
    with np.errstate(all="ignore"):
        count = np.maximum((~np.isnan(others)).sum(axis=2), 1)
        best = np.where(np.isnan(others), -np.inf, others).max(axis=2)
        more = np.stack([first - best, first - np.nansum(others, axis=2) / count], axis=2)
    more[~np.isfinite(more)] = np.nan
    return np.concatenate([scores, more], axis=2)


def question_matrix(told: Sequence[Said], given: Float) -> sparse.csr_matrix:
    """(N, F) of each question: its words, all of them together, and the logarithms of the numbers it states."""
    words = vocabulary([[*one.known, f"all {one.key}"] for one in told])
    with np.errstate(all="ignore"):
        logs = np.nan_to_num(np.log(np.abs(given) + 1e-3))
    columns = [words, sparse.csr_matrix(logs), sparse.csr_matrix(logs**2)]
    return sparse.hstack(columns, format="csr")


def nearness(
    values: Float,
    right: NDArray[np.int64],
    questions: sparse.csr_matrix,
    weight: Float,
    fold: NDArray[np.int64],
    tested: int,
) -> Float:
    """(N, K, A + 4) how far each option's numbers lie from what the question's words and numbers make expect.

    Parameters
    ----------
    values : (N, K, A) array
        Axes of the options.
    right, weight, fold : (N,) arrays
        The right option, what a row counts, its part.
    questions : (N, F) sparse array
        As `question_matrix` gives it.
    tested : int
        The part that is scored, which nothing is learned from.
    """
    log = scaled(values)
    truth = np.nan_to_num(log[np.arange(len(right)), right])
    expected = np.zeros_like(truth)
    for part in np.unique(fold):
        learned = (fold != part) & (fold != tested)
        if not learned.any():
            learned = fold != part
        expected[fold == part] = learners.fit_ridge(questions[learned], truth[learned], weight[learned])(
            questions[fold == part]
        )
    off = log - expected[:, None, :]
    return np.concatenate(
        [off, _among(-np.abs(off).sum(axis=2, keepdims=True)), np.abs(off).max(axis=2)[..., None]], axis=2
    )
