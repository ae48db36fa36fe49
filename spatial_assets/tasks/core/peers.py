"""Wrong options that are right answers elsewhere: other candidates of the same scene, task and printed facts.

A candidate's cell holds those that print the same as it, or nearly: the same object, a like given number. Its peers
are drawn from the cell evenly, by a keyed hash, so that the candidate and its peers are an even draw from one finite
population: of a set drawn so, each member is the one that is asked equally often, whatever the dataset, the room or
the law of the answers. Three rules keep it so. A cell lies within one stratum of the quota, or there are no strata,
and within one tier: else those with few candidates are asked more often than they are drawn. What accepts a set is
symmetric in its members. A set that is not accepted is never drawn again for the same candidate: those in dense parts
of the cell would be kept less often, and that is a clue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import (
    GROUP,
    NOTHING,
    TIER,
    Bools,
    Candidates,
    Chosen,
    Indices,
    Strata,
    draw_key,
)
from spatial_assets.tasks.core.draws import Hashes, coins, hash_name, mix_columns, mix_pair
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import NO_OPTIONS, OPTIONS, Spacing
from spatial_assets.tasks.core.quantities import Quantity

Accept = Callable[[Indices], Bools]
"""Of sets (N, 1 + count) of places among the candidates, the asked one first, which (N,) can be options together;
symmetric in the members."""


def with_peers(
    facts: SceneFacts,
    task: str,
    seed: int,
    found: Candidates,
    cells: Indices,
    printed: NDArray[Any],
    accept: Accept,
    likeness: Float | None = None,
    windows: Sequence[float] = (),
) -> Candidates:
    """Those of N settled candidates that can be asked with options, the others rejected for having none.

    Each carries `wrong`, (3, ...), what its peers print; printed is (N, ...). The others are as in `peers`.
    """
    offered = found.fresh()
    # Repeats would come last, and so what repeats rarely be asked more often than it is drawn.
    offered.values.pop(GROUP, None)
    tiers = found.values.get(TIER)
    if tiers is not None and len(found):
        cells = cells * (int(tiers.max()) + 1) + tiers
    drawn = peers(facts, task, seed, found, cells, likeness, windows)
    full = np.flatnonzero(drawn[:, 0] != NOTHING)
    accepted = np.zeros(len(found), np.bool_)
    accepted[full] = accept(np.concatenate([full[:, None], drawn[full]], axis=1))
    offered.reject(NO_OPTIONS, ~accepted)
    offered.values["wrong"] = printed[drawn]
    return offered


def with_others_of_one(
    facts: SceneFacts,
    task: str,
    seed: int,
    found: Candidates,
    value: str,
    quantity: Quantity,
    spacing: Spacing,
) -> Candidates:
    """Settled candidates about two objects, offered the values of other pairs with one of the two.

    `value` names the candidates' numbers.
    """
    own = anchors(facts, task, seed, found)
    found.strata = Strata.of_objects(own, facts.objects.identities)
    steps = quantity.steps_of(found.values[value])
    return with_peers(facts, task, seed, found, own, steps, lambda sets: spacing.holds(quantity, steps[sets]))


def wrong_of(candidate: Chosen) -> list[Any]:
    """What a candidate's peers print; nothing where it is asked without options."""
    found = candidate.values.get("wrong")
    return [] if found is None else found.tolist()


def anchors(facts: SceneFacts, task: str, seed: int, found: Candidates) -> Indices:
    """(N,), of candidates about two objects the one, drawn by hash, that their peers are about as well.

    Where a question names two objects, no other of the scene names the same two; those that share one share what a
    reader may know about its place.
    """
    key = draw_key(facts.which, seed, task, "anchor")
    states = found.ranks(key, facts.frames.identities, facts.objects.identities)
    first, second = found.objects.T
    chosen: Indices = np.where(coins(states) == 0, first, second)
    return chosen


def category_strata(facts: SceneFacts, objects: Indices) -> Strata:
    """By the categories of one object each, (N,)."""
    words = facts.objects.categories
    codes = {word: code for code, word in enumerate(sorted(set(words)))}
    of_objects = np.array([codes[word] for word in words], np.int64)
    identities = np.array([hash_name("category", word) for word in codes] or [0], np.uint64)
    return Strata(of_objects[objects], identities)


def peers(
    facts: SceneFacts,
    task: str,
    seed: int,
    found: Candidates,
    cells: Indices,
    likeness: Float | None = None,
    windows: Sequence[float] = (),
    count: int = OPTIONS - 1,
) -> Indices:
    """Of each candidate, which others its wrong options are taken from.

    Parameters
    ----------
    task, seed : what the draws depend on beside the scene and the candidate.
    found : N settled candidates.
    cells : (N,), of each candidate the cell it lies in, any whole numbers.
    likeness : (N, k), numbers in which peers are alike, and windows : (k,), by how much they may differ.

    Returns
    -------
    (N, count), places among the candidates, all different and none its own; NOTHING in rows of cells with too few.
    """
    size = len(found)
    if size == 0:
        return np.zeros((0, count), np.int64)
    features = np.zeros((size, 1)) if likeness is None else np.ascontiguousarray(likeness, np.float64)
    widths = np.zeros(1) if likeness is None else np.asarray(windows, np.float64)
    identities = found.ranks(0, facts.frames.identities, facts.objects.identities)
    states = mix_columns(draw_key(facts.which, seed, task, "peers"), identities)
    order = np.lexsort((features[:, 0], cells))
    return _peers(order, cells, features, widths, states, identities, count)


@kernel
def _peers(
    order: Indices,
    cells: Indices,
    features: Float,
    windows: Float,
    states: Hashes,
    identities: Hashes,
    count: int,
) -> Indices:
    """`order` sorts by cell and, within, by the first feature, so that what may be drawn is one run of it."""
    out = np.full((len(order), count), NOTHING, np.int64)
    best = np.zeros(count, np.uint64)
    low, high = 0, 0
    for at in range(len(order)):
        own = order[at]
        while cells[order[low]] != cells[own] or features[own, 0] - features[order[low], 0] > windows[0]:
            low += 1
        high = max(high, at)
        while (
            high < len(order)
            and cells[order[high]] == cells[own]
            and features[order[high], 0] - features[own, 0] <= windows[0]
        ):
            high += 1
        held = 0
        for place in range(low, high):
            other = order[place]
            alike = other != own
            for column in range(1, len(windows)):
                alike = alike and abs(features[other, column] - features[own, column]) <= windows[column]
            if not alike:
                continue
            rank = mix_pair(states[own], identities[other])
            if held < count:
                slot = held
                held += 1
            elif rank > best[count - 1]:
                slot = count - 1
            else:
                continue
            while slot > 0 and rank > best[slot - 1]:
                best[slot], out[own, slot] = best[slot - 1], out[own, slot - 1]
                slot -= 1
            best[slot], out[own, slot] = rank, other
        if held < count:
            for slot in range(count):
                out[own, slot] = NOTHING
    return out
