"""Wrong options for numeric answers: plausible, apart from each other, and no clue to the right one."""

from __future__ import annotations

from collections.abc import Sequence

from spatial_assets.tasks.draw import Draw
from spatial_assets.tasks.printing import METRE_STEP, steps
from spatial_assets.tasks.task import LETTERS, Refusal

GAP_STEPS = 2
"""Options differ by at least two printed steps, so that rounding never makes two of them right."""
SPREAD = 0.75
"""Wrong values reach from a quarter of the right one to one and three quarters."""
MIN_REACH_STEPS = 8
"""But at least so many steps to each side, so that small values have room for options too."""


def metre_options(value: float, draw: Draw, count: int = len(LETTERS)) -> tuple[list[str], str]:
    """Printed options, shuffled, and the letter of the right one. Raises Refusal where there is no room.

    The right value's rank among the options is drawn first, evenly over the ranks that fit, so that
    "take the middle one" is no strategy; then the wrong values are drawn below and above it.
    """
    right = steps(value, METRE_STEP)
    reach = max(MIN_REACH_STEPS, int(right * SPREAD))
    below = list(range(right - GAP_STEPS, max(0, right - reach - 1), -1))
    above = list(range(right + GAP_STEPS, right + reach + 1))
    ranks = [
        rank
        for rank in range(count)
        if _room(below) >= rank and _room(above) >= count - 1 - rank
    ]
    if not ranks:
        raise Refusal("no_options")
    rank = ranks[draw.below("rank of the right option", len(ranks))]
    chosen = [
        right,
        *_spaced(below, rank, draw, "below"),
        *_spaced(above, count - 1 - rank, draw, "above"),
    ]
    shuffled = draw.shuffled("letters", chosen)
    return [f"{item / 10:.1f}" for item in shuffled], LETTERS[shuffled.index(right)]


def _room(values: Sequence[int]) -> int:
    """How many values, GAP_STEPS apart, fit into a run of consecutive ones."""
    return (len(values) + GAP_STEPS - 1) // GAP_STEPS


def _spaced(values: Sequence[int], count: int, draw: Draw, purpose: str) -> list[int]:
    """`count` of a run of consecutive values, at least GAP_STEPS apart, each selection equally likely.

    Choosing k of n with gaps is choosing k of n - (k - 1)(gap - 1) without, then spreading them.
    """
    slack = len(values) - (count - 1) * (GAP_STEPS - 1) if count else 0
    picked = sorted(draw.shuffled(purpose, range(slack))[:count])
    return [values[place + index * (GAP_STEPS - 1)] for index, place in enumerate(picked)]
