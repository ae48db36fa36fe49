"""Four objects each, of which the nearest to something, or the farthest from it, is clear.

All sets of four are many: each object that may be named goes with three others, drawn by hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import Bools, Indices
from spatial_assets.tasks.core.draws import Hashes, coins, mix_pair
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar.anchors import Clearness

COUNT = 4
"""SPAR's number of options."""
UNCLEAR = -1
NOT_CLEAR = "not_clear"
FOUR_REASONS = {
    NOT_CLEAR: "neither the nearest nor the farthest of the four is so by far",
    "few_objects": "fewer than four objects can be compared",
}


@cache
def superlatives() -> tuple[str, str]:
    """What is asked for, the smallest distance and the largest."""
    words = phrases("spar", "fours")
    return words["closest"], words["farthest"]


def in_order(values: NDArray[Any], order: Sequence[int]) -> list[Any]:
    """Of the four, each one's value, (4, ...), as Python's numbers: for so few, lists are quicker."""
    held = values.tolist()
    return [held[place] for place in order]


@kernel
def fours(fit: Bools, states: Hashes, identities: Hashes) -> Indices:
    """Sets of four of the objects that are fit, ascending, each once in a row.

    Parameters
    ----------
    fit : (N, O). states : (N,), from which each row draws. identities : (O,).

    Returns
    -------
    (M, 5): the row, and the four objects.
    """
    most = 0
    for row in range(len(fit)):
        count = fit[row].sum()
        most += count if count >= 4 else 0
    out = np.empty((most, 5), np.int64)
    best = np.empty(3, np.uint64)
    own = np.empty(4, np.int64)
    at = 0
    for row in range(len(fit)):
        things = np.flatnonzero(fit[row])
        begins = at
        if len(things) < 4:
            continue
        for first in things:
            state = mix_pair(states[row], identities[first])
            held = 0
            for other in things:
                if other == first:
                    continue
                rank = mix_pair(state, identities[other])
                if held < 3:
                    slot = held
                    held += 1
                elif rank > best[2]:
                    slot = 2
                else:
                    continue
                while slot > 0 and rank > best[slot - 1]:
                    best[slot], own[slot] = best[slot - 1], own[slot - 1]
                    slot -= 1
                best[slot], own[slot] = rank, other
            own[3] = first
            for i in range(1, 4):
                for j in range(i, 0, -1):
                    if own[j] < own[j - 1]:
                        own[j], own[j - 1] = own[j - 1], own[j]
            known = False
            for before in range(begins, at):
                same = True
                for i in range(4):
                    same = same and out[before, 1 + i] == own[i]
                known = known or same
            if not known:
                out[at, 0] = row
                for i in range(4):
                    out[at, 1 + i] = own[i]
                at += 1
    return out[:at]


def relations(distances: Float, clearness: Clearness, draws: Hashes) -> Indices:
    """(M,), which relation four distances, (M, 4), can be asked about, as a place among `superlatives`; else UNCLEAR.

    Where both the least and the greatest are so by far, `draws`, (M,), decide.
    """
    ordered = np.sort(distances, axis=1)
    low, high = ordered[:, [0, 2]], ordered[:, [1, 3]]
    clear = (high - low >= clearness.min_difference) & (high >= clearness.min_ratio * low)
    drawn = coins(draws)
    either: Indices = np.where(clear[:, 0], 0, np.where(clear[:, 1], 1, UNCLEAR))
    return np.where(clear[:, 0] & clear[:, 1], drawn, either)


def right_of(distances: list[float], relation: int) -> tuple[int, float]:
    """The place of the closest or of the farthest, and the distance of what would be next in its stead."""
    order = sorted(range(len(distances)), key=distances.__getitem__, reverse=relation != 0)
    return order[0], distances[order[1]]
