"""Sets of options: what a set must be like so that nothing about it tells which member is right.

Given all that a question prints, every member of its set is as likely as the others to be right: the set is
exchangeable. Let P be the distribution of right answers among the rows that are kept with such a print, and Q the one
that wrong answers are drawn from. A set {x1, .., xn} of which xi is right comes up in proportion to P(xi) times the
Q(xj) of the others, that is, to P(xi) / Q(xi) for a given set. So all members are equally likely exactly if Q is P, and
if a set is accepted by rules that are symmetric in its members: a least difference, a largest ratio, a distance from a
number that the question gives. A set that fails is rejected with its candidate and counted. It is never drawn again
for the same right answer, because the chance of passing depends on that answer, and the reader would learn on which.

Steps away from the right answer, wherever it ranks among them, are no such set: of two ladders that hold the same
numbers, the one whose right answer is common is the likelier. Wrong answers therefore come from `peers`, other
candidates of the scene, wherever it has enough of them, and from `laws`, distributions that data files state, where a
scene has one answer alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.quantities import Quantity

LETTERS = ascii_uppercase
LETTERED = "letters"
"""What the order of options is drawn for."""
OPTIONS = 4
"""SPAR's and VSI-Bench's number of options."""
NO_OPTIONS = "no_options"
OPTION_REASONS = {
    NO_OPTIONS: "no set of options drawn for it keeps apart, or nothing that prints the same has answers to draw from"
}

Bools = NDArray[np.bool_]
Indices = NDArray[np.int64]
Sets = NDArray[np.int64]
"""(N, k) of printed steps, or (N, k, ...), the right member first."""


class Spacing(Parameters):
    """How the numbers of a set must lie to each other, whichever of them is right."""

    least_difference: float = Field(
        0.2,
        gt=0,
        description="between any two options, and from each to a given number, in the answer's unit",
    )
    least_share: float = Field(
        0.0, ge=0, lt=1, description="the same between neighbors, as a share of the larger one"
    )
    largest_ratio: float = Field(
        6.0, gt=1, description="of the largest option to the smallest: beyond, the extremes are plainly wrong"
    )

    def holds(self, quantity: Quantity, sets: Sets, given: Indices | None = None) -> Bools:
        """(N,): whether the numbers of each set keep apart, and clear of a given number, (N,); all in steps."""
        gap = quantity.steps(self.least_difference)
        ordered = np.sort(sets, axis=1)
        differences = np.diff(ordered, axis=1)
        good: Bools = (
            (differences >= np.maximum(gap, self.least_share * ordered[:, 1:])).all(axis=1)
            & (ordered[:, 0] > 0)
            & (ordered[:, -1] <= self.largest_ratio * ordered[:, 0])
        )
        return good if given is None else good & (np.abs(sets - given[:, None]) >= gap).all(axis=1)


def lettered(texts: Sequence[str], draw: Draw) -> tuple[list[str], str]:
    """Options, of which the first is right, in the order of their letters, and the right one's letter."""
    order = letter_order(len(texts), draw)
    return [texts[index] for index in order], LETTERS[order.index(0)]


def letter_order(count: int, draw: Draw) -> list[int]:
    """Which of so many options has which letter, for questions that name them in the same order."""
    return draw.shuffled(LETTERED, range(count))
