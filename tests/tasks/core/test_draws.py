"""Draws: the kernel's hash is its definition, order counts, and scenes draw apart from each other."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from spatial_assets.tasks.core.candidates import draw_key
from spatial_assets.tasks.core.draws import Draw, choices, hash_name, mix, mix_columns, mix_pair

WORDS = st.integers(0, 2**64 - 1)
UNLIKELY = 1e-3
"""Draws are hashes of fixed seeds, so these tests give the same numbers each time."""


@given(WORDS, st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5))
def test_columns_mix_as_their_definition_does(key: int, rows: list[tuple[int, int]]) -> None:
    values = np.array(rows, np.uint64)
    expected = [mix(mix(key, a), b) for a, b in rows]
    assert mix_columns(key, values).tolist() == expected
    assert mix_columns(key, values[:, 0], values[:, 1]).tolist() == expected
    assert int(mix_pair(np.uint64(key), np.uint64(rows[0][0]))) == mix(key, rows[0][0])


def test_states_of_their_own_are_mixed_row_by_row() -> None:
    states = np.array([3, 2**63 + 5], np.uint64)
    assert mix_columns(states, np.array([7, 8], np.uint64)).tolist() == [mix(3, 7), mix(2**63 + 5, 8)]


def test_every_bit_moves_every_bit() -> None:
    """Half of the result's bits turn, whichever bit of the value does."""
    rng = np.random.default_rng(3)
    turned = np.zeros((64, 64))
    for _ in range(300):
        state, value = (int(word) for word in rng.integers(0, 2**63, 2))
        for bit in range(64):
            difference = mix(state, value) ^ mix(state, value ^ (1 << bit))
            turned[bit] += [(difference >> place) & 1 for place in range(64)]
    assert np.abs(turned / 300 - 0.5).max() < 0.15


def test_order_counts() -> None:
    assert len({mix(mix(mix(9, a), b), c) for a, b, c in permutations((1, 2, 3))}) == 6


def test_names_keep_their_borders() -> None:
    assert len({hash_name("ab", "c"), hash_name("a", "bc"), hash_name("abc"), hash_name("", "abc")}) == 4


def test_many_choose_as_each_does() -> None:
    states = np.random.default_rng(0).integers(0, 2**64, 200, np.uint64)
    names = ["p", "q", "r", "s", "t"]
    assert choices(states, "x", names) == [Draw(int(state)).choice("x", names) for state in states]


def test_a_choice_depends_on_the_names_not_on_their_order() -> None:
    for seed in range(90):
        draw = Draw.of(str(seed), "a")
        full = draw.choice("x", ["p", "q", "r"])
        assert full == draw.choice("x", ["r", "p", "q"])
        # A name that goes changes nothing where it was not chosen.
        assert full == "r" or draw.choice("x", ["p", "q"]) == full


def test_picks_are_choices_by_identity() -> None:
    names = ["p", "q", "r"]
    identities = np.array([hash_name(name) for name in names], np.uint64)
    for seed in range(50):
        draw = Draw(seed)
        assert names[draw.pick("x", identities)] == draw.choice("x", names)


def test_draws_are_even() -> None:
    draws = [Draw.of(str(seed)) for seed in range(3000)]
    assert chisquare([*Counter(d.below("x", 5) for d in draws).values()]).pvalue > UNLIKELY
    assert chisquare([*Counter(d.choice("y", "abcd") for d in draws).values()]).pvalue > UNLIKELY
    orders = Counter("".join(d.shuffled("z", "abc")) for d in draws)
    assert len(orders) == 6 and chisquare([*orders.values()]).pvalue > UNLIKELY
    pairs = Counter(tuple(sorted(d.sample("s", 5, 2))) for d in draws)
    assert len(pairs) == 10 and chisquare([*pairs.values()]).pvalue > UNLIKELY
    units = np.array([d.unit("u") for d in draws])
    assert units.min() >= 0 and units.max() < 1
    assert chisquare(np.histogram(units, 10, (0, 1))[0]).pvalue > UNLIKELY


@given(st.integers(0, 2**64 - 1), st.integers(1, 40), st.data())
def test_samples_are_different_and_in_range(state: int, among: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, among))
    found = Draw(state).sample("s", among, count)
    assert len(found) == len(set(found)) == count and all(0 <= item < among for item in found)


def test_scenes_draw_apart_from_each_other() -> None:
    """Equal tasks, formats and objects in scenes, releases or datasets of other names share no draw."""
    which = {"dataset": "d", "release": "r", "scene": "s"}
    keys = {draw_key(which, 0, "task", "fill")}
    for name in which:
        keys.add(draw_key({**which, name: "other"}, 0, "task", "fill"))
    keys |= {
        draw_key(which, 1, "task", "fill"),
        draw_key(which, 0, "task", "select"),
        draw_key(which, 0, "other", "fill"),
    }
    assert len(keys) == 7
    letters = [
        [
            Draw(mix(draw_key({**which, "scene": f"s{scene}"}, 0, "room", form), 5)).below("letters", 4)
            for scene in range(400)
        ]
        for form in ("fill", "select")
    ]
    for own in letters:
        assert chisquare([*Counter(own).values()]).pvalue > UNLIKELY
    both = Counter(zip(*letters, strict=True))
    assert len(both) == 16 and chisquare([*both.values()]).pvalue > UNLIKELY
