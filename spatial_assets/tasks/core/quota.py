"""Who fills a quota: strata take turns in an order of their own, candidates of a stratum go by their ranks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.tasks.core.candidates import Strata
from spatial_assets.tasks.core.draws import Hashes, mix_columns

Indices = NDArray[np.int64]
SPARE = 2
"""Times the quota that is put in line at first: some are rejected when they are worded."""
LEAST_IN_LINE = 64
DENSE, LEAST_DENSE = 16, 1_000_000
"""Groups numbered up to so many for each candidate, and so many more, are counted in place; sparser ones are renumbered
first."""


def in_line(strata: Strata, ranks: Hashes, key: int, quota: int) -> Iterator[int]:
    """All candidates' indices in the order in which they are asked until the quota is full.

    First one of every stratum, then a second of each, and so on; strata in the order of a hash of their identity and
    the key, candidates of a stratum in the order of their ranks (N,). So when a candidate goes, the next of its
    stratum takes its place and nobody else's place changes. Only as many as asked for are put in order.
    """
    places = mix_columns(key, strata.identities)
    sizes = np.bincount(strata.codes, minlength=len(places)).astype(np.int64)
    given, wanted = 0, max(LEAST_IN_LINE, SPARE * quota)
    while given < len(ranks):
        order = _first(strata.codes, sizes, places, ranks, _turns_for(sizes, wanted))
        yield from order[given:].tolist()
        given, wanted = len(order), 2 * wanted


def in_tiers(tiers: Indices | None, count: int) -> Iterator[Indices]:
    """Indices of the candidates of each tier, (N,), lowest first; of all at once without."""
    if tiers is None:
        yield np.arange(count)
        return
    for tier in np.unique(tiers):
        yield np.flatnonzero(tiers == tier)


def firsts_then_repeats(groups: Indices | None, ranks: Hashes) -> Iterator[Indices]:
    """Indices of the lowest-ranked candidate of each group, (N,), then those of all others; of all at once without."""
    if groups is None:
        yield np.arange(len(ranks))
        return
    most = int(groups.max(initial=0)) + 1
    if most > DENSE * len(groups) + LEAST_DENSE:
        groups = np.unique(groups, return_inverse=True)[1].reshape(-1)
        most = len(groups)
    first = _lowest_of_each(groups, ranks, most)
    yield np.flatnonzero(first)
    yield np.flatnonzero(~first)


@kernel
def _lowest_of_each(groups: Indices, ranks: Hashes, count: int) -> NDArray[np.bool_]:
    """(N,), whose rank is the lowest of their group, all below `count`; the first of equal ones."""
    best = np.full(count, -1, np.int64)
    for index in range(len(groups)):
        held = best[groups[index]]
        if held < 0 or ranks[index] < ranks[held]:
            best[groups[index]] = index
    first = np.zeros(len(groups), np.bool_)
    for group in range(count):
        if best[group] >= 0:
            first[best[group]] = True
    return first


def _turns_for(sizes: Indices, wanted: int) -> int:
    """The least number of turns after which so many candidates, or all, have had theirs."""
    low, high = 1, max(1, int(sizes.max(initial=0)))
    while low < high:
        middle = (low + high) // 2
        if np.minimum(sizes, middle).sum() >= wanted:
            high = middle
        else:
            low = middle + 1
    return low


def _first(codes: Indices, sizes: Indices, places: Hashes, ranks: Hashes, turns: int) -> Indices:
    """Indices of the `turns` lowest-ranked candidates of every stratum, in line."""
    # Ranks are even, so that a share of the range holds about that share of the candidates: the rest is never sorted.
    expected = turns + 6.0 * np.sqrt(turns) + 12.0
    shares = np.minimum(1.0, expected / np.maximum(sizes, 1))
    limits = (shares * float(2**63)).astype(np.uint64) * np.uint64(2)
    limits[shares >= 1.0] = np.iinfo(np.uint64).max
    chosen, short = _below(codes, sizes, ranks, limits, turns)
    if short:
        chosen = np.arange(len(codes))
    ordered = chosen[np.lexsort((ranks[chosen], codes[chosen]))]
    own = codes[ordered]
    begins = np.flatnonzero(np.diff(own, prepend=-1))
    turn = np.arange(len(own)) - np.repeat(begins, np.diff(begins, append=len(own)))
    ordered, own, turn = ordered[turn < turns], own[turn < turns], turn[turn < turns]
    line: Indices = ordered[np.lexsort((places[own], turn))]
    return line


@kernel
def _below(codes: Indices, sizes: Indices, ranks: Hashes, limits: Hashes, turns: int) -> tuple[Indices, bool]:
    """Candidates whose rank is not above their stratum's limit, and whether these are too few of any stratum."""
    counts = np.zeros(len(sizes), np.int64)
    total = 0
    for index in range(len(codes)):
        if ranks[index] <= limits[codes[index]]:
            counts[codes[index]] += 1
            total += 1
    for stratum in range(len(sizes)):
        if counts[stratum] < min(turns, sizes[stratum]):
            return np.empty(0, np.int64), True
    out = np.empty(total, np.int64)
    at = 0
    for index in range(len(codes)):
        if ranks[index] <= limits[codes[index]]:
            out[at] = index
            at += 1
    return out, False
