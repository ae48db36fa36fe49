"""Peers against plain loops; who is asked of a set, and what a candidate that goes changes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare
from video_scenes import box, made

from spatial_assets.tasks.core.candidates import NOTHING, TIER, Candidates, about_video, draw_key
from spatial_assets.tasks.core.draws import mix
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import NO_OPTIONS
from spatial_assets.tasks.core.peers import anchors, category_strata, peers, with_peers

TASK = "some task"


def scene(count: int, name: str = "s") -> SceneFacts:
    facts = made([("chair" if i % 3 else "table", box(i, 0)) for i in range(count)])
    return SceneFacts({**facts.which, "scene": name}, "license", facts.read)


def naive(
    facts: SceneFacts, found: Candidates, cells: Any, likeness: Any, windows: Any, seed: int = 0
) -> list[list[int]]:
    key = draw_key(facts.which, seed, TASK, "peers")
    ids = facts.objects.identities

    def identity(row: int, key: int) -> int:
        state = key
        for thing in found.objects[row].tolist():
            state = mix(state, int(ids[thing]))
        return state

    out = []
    for i in range(len(found)):
        state = mix(key, identity(i, 0))
        able = [
            j
            for j in range(len(found))
            if j != i
            and cells[j] == cells[i]
            and all(abs(a - b) <= w for a, b, w in zip(likeness[i], likeness[j], windows, strict=True))
        ]
        # Of each the identity is mixed into the asker's state; the greatest are drawn.
        ranked = sorted(able, key=lambda j: mix(state, identity(j, 0)), reverse=True)
        out.append(ranked[:3] if len(ranked) >= 3 else [NOTHING] * 3)
    return out


@pytest.mark.parametrize("seed", range(6))
def test_peers_are_those_of_plain_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    facts = scene(30)
    found = about_video(np.arange(30)[:, None])
    cells = rng.integers(0, 4, 30)
    likeness = np.round(rng.random((30, 2)), 2)
    for windows in ((0.3, 0.5), (1.0, 1.0), (0.0, 0.0)):
        assert peers(facts, TASK, 0, found, cells, likeness, windows).tolist() == naive(
            facts, found, cells, likeness, windows
        )
    nothing: Any = np.zeros((30, 0))
    assert peers(facts, TASK, 3, found, cells).tolist() == naive(facts, found, cells, nothing, (), 3)


@pytest.mark.prove
def test_every_member_of_a_set_is_asked_equally_often() -> None:
    """With a rule that half of the sets fail; the answers are as skewed as can be."""
    values = np.array([1, 2, 3, 4, 6, 9, 14, 30])
    asked: Counter[tuple[tuple[int, ...], int]] = Counter()
    for name in range(1200):
        found = about_video(np.arange(len(values))[:, None])
        kept = with_peers(
            scene(len(values), str(name)), TASK, 0, found, np.zeros(len(values), np.int64), values,
            lambda sets: np.diff(np.sort(values[sets], axis=1), axis=1).min(axis=1) >= 2,
        ).settle()  # fmt: skip
        assert kept.rejected[NO_OPTIONS] == len(values) - len(kept)
        for thing, wrong in zip(kept.objects[:, 0].tolist(), kept.values["wrong"].tolist(), strict=True):
            asked[tuple(sorted([int(values[thing]), *wrong])), int(values[thing])] += 1
    sets = Counter(found for found, _ in asked.elements())
    assert len(sets) > 10
    places = Counter(members.index(right) for (members, right) in asked.elements())
    assert chisquare([places[rank] for rank in range(4)]).pvalue > 1e-3
    tested = [chisquare([asked[members, right] for right in members]).pvalue for members in sets]
    assert min(tested) > 1e-3 / len(tested)


def test_drawing_again_after_a_failure_would_be_found() -> None:
    """The power of the test above: with a second draw, members that are hard to please are asked less often."""
    values = np.array([1, 2, 3, 4, 6, 9, 14, 30])
    rng = np.random.default_rng(0)
    places: Counter[int] = Counter()
    for _ in range(1200):
        for right in range(len(values)):
            others = np.delete(np.arange(len(values)), right)
            for _ in range(20):
                members = np.sort(values[np.append(rng.choice(others, 3, replace=False), right)])
                if np.diff(members).min() >= 2:
                    places[int(np.searchsorted(members, values[right]))] += 1
                    break
    assert chisquare([places[rank] for rank in range(4)]).pvalue < 1e-3


def test_a_candidate_that_goes_changes_only_those_that_drew_it() -> None:
    facts, found = scene(30), about_video(np.arange(30)[:, None])
    cells = np.arange(30) % 2
    before = peers(facts, TASK, 0, found, cells)
    for gone in range(0, 30, 7):
        stay = np.delete(np.arange(30), gone)
        less = about_video(stay[:, None])
        after = stay[peers(facts, TASK, 0, less, cells[stay])]
        for row, old, new in zip(stay, before[stay].tolist(), after.tolist(), strict=True):
            assert set(old) - {gone} <= set(new), row
            assert gone in old or old == new


def test_scenes_and_seeds_draw_by_themselves() -> None:
    found = about_video(np.arange(30)[:, None])
    cells = np.zeros(30, np.int64)
    first = peers(scene(30), TASK, 0, found, cells)
    for other in (peers(scene(30, "t"), TASK, 0, found, cells), peers(scene(30), TASK, 1, found, cells)):
        assert (first == other).mean() < 0.2


def test_few_and_none() -> None:
    facts = scene(4)
    assert (peers(facts, TASK, 0, about_video(np.arange(3)[:, None]), np.zeros(3, np.int64)) == NOTHING).all()
    assert peers(facts, TASK, 0, about_video(np.zeros((0, 1), np.int64)), np.zeros(0, np.int64)).shape == (
        0,
        3,
    )


def test_an_anchor_is_one_of_the_two_whichever_comes_first() -> None:
    facts = scene(40)
    pairs = np.stack([np.arange(20), np.arange(20, 40)], axis=1)
    found = anchors(facts, TASK, 0, about_video(pairs))
    assert set((found >= 20).tolist()) == {False, True}
    assert all(thing in pair for thing, pair in zip(found.tolist(), pairs.tolist(), strict=True))


def test_strata_by_category() -> None:
    strata = category_strata(scene(6), np.array([0, 3, 1, 2, 5]))
    assert strata.codes.tolist() == [1, 1, 0, 0, 0] and len(strata.identities) == 2


def test_peers_are_of_ones_own_tier() -> None:
    """All of a tier are asked before any of the next, so only among them is one drawn as often as it is asked."""
    facts = scene(30)
    found = about_video(np.arange(30)[:, None])
    tiers = np.arange(30) % 3
    found.values[TIER] = tiers
    numbers = np.arange(30)
    offered = with_peers(
        facts, TASK, 0, found, np.zeros(30, np.int64), numbers, lambda sets: np.ones(len(sets), np.bool_)
    )
    wrong = offered.values["wrong"]
    assert wrong.shape == (30, 3) and (wrong % 3 == tiers[:, None]).all()
    assert not offered.settle().rejected
