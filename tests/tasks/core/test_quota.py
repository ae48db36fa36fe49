"""Who fills a quota, against the definition: strata in turn, by hash, and nobody's place depends on others."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from spatial_assets.tasks.core.candidates import Strata
from spatial_assets.tasks.core.draws import mix
from spatial_assets.tasks.core.quota import firsts_then_repeats, in_line, in_tiers


def by_definition(codes: list[int], identities: list[int], ranks: list[int], key: int) -> list[int]:
    """The turn of each within its stratum by rank; turns in order, strata by their hash within each."""
    members = defaultdict(list)
    for index, code in enumerate(codes):
        members[code].append(index)
    line = []
    for code, own in members.items():
        own.sort(key=lambda index: ranks[index])
        line += [(turn, mix(key, identities[code]), index) for turn, index in enumerate(own)]
    return [index for *_, index in sorted(line)]


@pytest.mark.parametrize("quota", [0, 1, 30, 100, 5000])
@pytest.mark.parametrize("spread", ["one", "even", "skewed", "each its own"])
@pytest.mark.parametrize("count", [0, 1, 7, 400, 3000])
def test_the_line_is_its_definition(count: int, spread: str, quota: int) -> None:
    rng = np.random.default_rng(count)
    groups = {"one": 1, "even": 12, "skewed": 40, "each its own": max(1, count)}[spread]
    codes = {
        "one": np.zeros(count, np.int64),
        "even": rng.integers(0, groups, count),
        "skewed": np.minimum(rng.geometric(0.3, count), groups) - 1,
        "each its own": rng.permutation(count),
    }[spread]
    identities = rng.integers(0, 2**63, groups).astype(np.uint64) * np.uint64(2)
    ranks = rng.integers(0, 2**63, count).astype(np.uint64) * np.uint64(2) + np.uint64(1)
    found = list(in_line(Strata(codes, identities), ranks, 77, quota))
    assert found == by_definition(codes.tolist(), identities.tolist(), ranks.tolist(), 77)


def test_uneven_ranks_cost_time_and_change_nothing() -> None:
    """Were all hashes large, the shortcut would find too few; then all are sorted."""
    ranks = np.arange(2**64 - 500, 2**64, dtype=np.uint64)
    found = list(in_line(Strata.of_one(500), ranks, 1, 10))
    assert found == list(range(500))


def test_one_that_goes_changes_nobody_elses_place() -> None:
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 9, 300)
    identities = rng.integers(0, 2**63, 9).astype(np.uint64)
    ranks = rng.integers(0, 2**63, 300).astype(np.uint64)
    before = list(in_line(Strata(codes, identities), ranks, 5, 50))[:50]
    for gone in before[::7]:
        stay = np.delete(np.arange(300), gone)
        after = stay[list(in_line(Strata(codes[stay], identities), ranks[stay], 5, 50))[:50]].tolist()
        assert set(before) - set(after) == {gone}
        assert len(set(after) - set(before)) == 1


def test_every_group_has_its_turn_before_any_repeats() -> None:
    groups = np.array([5, 1, 5, 1, 1, 9], np.int64)
    ranks = np.array([40, 30, 10, 20, 50, 60], np.uint64)
    firsts, others = firsts_then_repeats(groups, ranks)
    assert firsts.tolist() == [2, 3, 5] and others.tolist() == [0, 1, 4]
    (everyone,) = firsts_then_repeats(None, ranks)
    assert everyone.tolist() == list(range(6))
    assert [part.tolist() for part in firsts_then_repeats(groups[:0], ranks[:0])] == [[], []]


def test_tiers_come_one_after_the_other() -> None:
    tiers = np.array([2, 0, 2, 1, 0])
    assert [part.tolist() for part in in_tiers(tiers, 5)] == [[1, 4], [3], [0, 2]]
    assert [part.tolist() for part in in_tiers(None, 3)] == [[0, 1, 2]]


@pytest.mark.parametrize("spread", [5, 40, 10**9, 2**61])
def test_firsts_are_the_lowest_of_each_group(spread: int) -> None:
    """Whether groups are numbered densely or not."""
    rng = np.random.default_rng(spread % 97)
    groups = rng.integers(0, spread, 300)
    groups[100:200] = groups[:100]
    ranks = rng.permutation(300).astype(np.uint64)
    first, others = firsts_then_repeats(groups, ranks)
    lowest = {group: min(ranks[groups == group]) for group in groups.tolist()}
    assert first.tolist() == [index for index in range(300) if ranks[index] == lowest[groups[index]]]
    assert sorted([*first.tolist(), *others.tolist()]) == list(range(300))
