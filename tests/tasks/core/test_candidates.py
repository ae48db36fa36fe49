"""Enumerators against plain loops, and rejections that add up whatever happens to the candidates."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from spatial_assets.tasks.core.candidates import (
    NOTHING,
    Candidates,
    Chosen,
    Strata,
    about_video,
    frame_pairs,
    objects_in_frames,
    pairs_in_frames,
    view_triples,
    with_shared_objects,
)
from spatial_assets.tasks.core.draws import mix

SHOWN = arrays.arrays(np.bool_, st.tuples(st.integers(1, 7), st.integers(0, 6)))


def chosen_frames(shown: np.ndarray, data: st.DataObject) -> np.ndarray:
    places = data.draw(st.lists(st.integers(0, len(shown) - 1), unique=True))
    return np.array(places, np.int64)


def listed(found: Candidates) -> list[tuple[Any, ...]]:
    return [(*f, *o) for f, o in zip(found.frames.tolist(), found.objects.tolist(), strict=True)]


@given(SHOWN, st.data())
def test_objects_in_frames(shown: np.ndarray, data: st.DataObject) -> None:
    frames = chosen_frames(shown, data)
    expected = [(f, o) for f in frames.tolist() for o in range(shown.shape[1]) if shown[f, o]]
    assert listed(objects_in_frames(shown, frames)) == expected


@given(SHOWN, st.data(), st.booleans())
def test_pairs_in_frames(shown: np.ndarray, data: st.DataObject, ordered: bool) -> None:
    frames = chosen_frames(shown, data)
    pairs = permutations if ordered else combinations
    expected = [(f, a, b) for f in frames.tolist() for a, b in pairs(np.flatnonzero(shown[f]).tolist(), 2)]
    assert listed(pairs_in_frames(shown, frames, ordered)) == expected


@given(st.lists(st.integers(0, 30), unique=True), st.booleans())
def test_frame_pairs(frames: list[int], ordered: bool) -> None:
    pairs = permutations if ordered else combinations
    assert listed(frame_pairs(np.array(frames, np.int64), ordered)) == list(pairs(frames, 2))


@given(SHOWN, st.data())
def test_shared_objects(shown: np.ndarray, data: st.DataObject) -> None:
    frames = chosen_frames(shown, data)
    pairs = frame_pairs(frames)
    pairs.values["number"] = np.arange(len(pairs))
    pairs.count_out("elsewhere", 3)
    found = with_shared_objects(pairs, shown)
    expected = [
        (a, b, o)
        for a, b in permutations(frames.tolist(), 2)
        for o in range(shown.shape[1])
        if shown[a, o] and shown[b, o]
    ]
    assert listed(found) == expected
    assert found.rejected == Counter(elsewhere=3)
    numbers = {pair: number for number, pair in enumerate(permutations(frames.tolist(), 2))}
    assert found.values["number"].tolist() == [numbers[a, b] for a, b, _ in expected]


@given(st.integers(1, 8), st.integers(0, 2**64 - 1), st.integers(1, 3), st.randoms())
def test_view_triples_against_their_definition(count: int, key: int, draws: int, random: Any) -> None:
    linked = np.array([[random.random() < 0.6 for _ in range(count)] for _ in range(count)])
    identities = np.array([random.getrandbits(64) for _ in range(count)], np.uint64)
    frames = np.array(random.sample(range(count), random.randint(0, count)), np.int64)
    expected, alone = [], 0
    for main in frames.tolist():
        for draw in range(draws):
            state = mix(mix(key, int(identities[main])), draw)
            others = [other for other in frames.tolist() if other != main and linked[main, other]]
            others.sort(key=lambda other: -mix(state, int(identities[other])))
            if len(others) < 2:
                alone += 1
            else:
                expected.append((main, *others[:2]))
    found = view_triples(linked, frames, identities, key, draws, "alone")
    assert listed(found) == expected
    assert found.rejected == (Counter(alone=alone) if alone else Counter())


def test_a_view_that_goes_changes_only_triples_that_show_it() -> None:
    rng = np.random.default_rng(0)
    identities = rng.integers(0, 2**63, 20).astype(np.uint64)
    linked = np.ones((20, 20), np.bool_)
    every = listed(view_triples(linked, np.arange(20), identities, 7, 2, "alone"))
    fewer = set(listed(view_triples(linked, np.delete(np.arange(20), 5), identities, 7, 2, "alone")))
    assert {triple for triple in every if 5 not in triple} <= fewer
    assert len(fewer) == len(every) - 2


@given(st.integers(0, 40), st.data())
def test_what_is_kept_and_what_is_rejected_add_up(count: int, data: st.DataObject) -> None:
    """The first reason of each candidate is counted, whatever order they are settled in."""
    masks = [
        np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)), np.bool_)
        for _ in range(3)
    ]
    found = Candidates(np.arange(count)[:, None], np.zeros((count, 0), np.int64))
    found.values["number"] = np.arange(count)
    found.strata = Strata.of_numbers(np.arange(count))
    found.reject("a", masks[0])
    found.reject_coded(np.where(masks[1], 2, 0).astype(np.int16), ("", "never", "b"))
    first = found.settle()
    first.reject("c", masks[2][first.values["number"]])
    last = first.settle()
    reasons = Counter("a" if a else "b" if b else "c" if c else "" for a, b, c in zip(*masks, strict=True))
    kept = reasons.pop("", 0)
    assert last.rejected == reasons and len(last) == kept
    assert last.values["number"].tolist() == [i for i in range(count) if not any(mask[i] for mask in masks)]
    assert last.strata is not None and last.strata.codes.tolist() == last.values["number"].tolist()


def test_what_is_rejected_must_be_counted_before_it_is_left_behind() -> None:
    pairs = frame_pairs(np.arange(3))
    pairs.reject("no", [True, *[False] * (len(pairs) - 1)])
    for leave in (pairs.fresh, lambda: with_shared_objects(pairs, np.ones((3, 2), np.bool_))):
        with pytest.raises(ValueError, match="settle them first"):
            leave()
    assert pairs.settle().fresh().rejected == {"no": 1}


def test_a_candidate_may_stand_for_several() -> None:
    found = Candidates(np.arange(3)[:, None], np.zeros((3, 0), np.int64))
    found.reject("far", np.array([True, False, True]))
    assert found.settle(np.array([4, 9, 5])).rejected == Counter(far=9)


def test_ranks_depend_on_identities_alone() -> None:
    """Neither places nor neighbors nor padding show in a rank."""
    frames, objects = np.array([11, 12], np.uint64), np.array([21, 22, 23], np.uint64)
    found = Candidates(np.array([[0], [1]]), np.array([[2, 0], [1, NOTHING]]))
    ranks = found.ranks(5, frames, objects)
    assert int(ranks[0]) == mix(mix(mix(5, 11), 23), 21)
    turned = Candidates(np.array([[1]]), np.array([[0, 2]])).ranks(
        5, frames[::-1].copy(), objects[::-1].copy()
    )
    assert int(turned[0]) == int(ranks[0])
    own = about_video(np.zeros((2, 1), np.int64))
    own.identities = np.array([[3], [4]], np.uint64)
    assert own.ranks(5, frames, objects).tolist() == [mix(5, 3), mix(5, 4)]


def test_a_chosen_one_leaves_padding_out() -> None:
    found = Candidates(np.array([[4]]), np.array([[2, 0, NOTHING]]), {"x": np.array([0.5])})
    assert Chosen.of(found, 0) == Chosen((4,), (2, 0), {"x": 0.5})


def test_strata_of_a_pair_do_not_depend_on_which_is_first() -> None:
    identities = np.array([5, 9, 7], np.uint64)
    strata = Strata.of_pairs(np.array([0, 2, 1]), np.array([2, 0, 2]), identities)
    assert strata.codes[0] == strata.codes[1] != strata.codes[2]
    turned = Strata.of_pairs(np.array([2]), np.array([0]), identities[::-1].copy())
    assert strata.identities[strata.codes[0]] == turned.identities[turned.codes[0]]


@pytest.mark.parametrize("numbers", [[], [3], [-2, 5, -2]])
def test_strata_of_numbers(numbers: list[int]) -> None:
    strata = Strata.of_numbers(np.array(numbers, np.int64))
    found = strata.identities[strata.codes].tolist()
    assert found == [mix(0, number % 2**64) for number in numbers]


def test_strata_of_words() -> None:
    strata = Strata.of_words(["b", "a", "b"])
    assert strata.codes[0] == strata.codes[2] != strata.codes[1]
    assert Strata.of_words([]).codes.tolist() == []
