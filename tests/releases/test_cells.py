"""Cells are filled evenly: by shares where there is enough, else by what others have, within the limits of answers."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_assets.releases.cells import fill, shares

PLENTY = 10**6


def totals(taken):
    return {cell: sum(own.values()) for cell, own in taken.items()}


def test_with_enough_rows_each_cell_gets_its_share():
    there = {cell: {"": 100} for cell in range(7)}
    taken = totals(fill(there, 66, {"": PLENTY}, "salt"))
    assert taken == shares(list(there), 66, "salt")
    assert sorted(taken.values()) == [9, 9, 9, 9, 10, 10, 10]
    others = totals(fill(there, 66, {"": PLENTY}, "other"))
    assert sorted(others.values()) == sorted(taken.values()) and others != taken


def test_what_a_cell_lacks_goes_evenly_to_those_that_have_more():
    there = {"none": {}, "few": {"": 3}, "some": {"": 12}, "many": {"": 99}, "most": {"": 200}}
    taken = totals(fill(there, 100, {"": PLENTY}, "salt"))
    assert taken["none"] == 0 and taken["few"] == 3 and taken["some"] == 12
    assert sorted((taken["many"], taken["most"])) == [42, 43]
    assert sum(totals(fill(there, 10**4, {"": PLENTY}, "salt")).values()) == 314


def test_letters_are_equal_though_cells_have_one_alone():
    there = {"a": {"A": 50, "B": 50}, "b": {"A": 50}, "c": {"B": 7}}
    taken = fill(there, 60, {"A": 30, "B": 30}, "salt")
    assert sum(own["A"] for own in taken.values()) == sum(own["B"] for own in taken.values()) == 30
    assert totals(taken)["c"] == 7 and abs(totals(taken)["a"] - totals(taken)["b"]) <= 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 6), min_size=2, max_size=2), min_size=1, max_size=4),
    st.integers(0, 30),
    st.lists(st.integers(0, 8), min_size=2, max_size=2),
)
def test_no_filling_is_more_even_or_larger(rows, count, limits):
    """Against all fillings that there are: the sorted totals are the greatest, the smallest cell compared first."""
    there = {place: dict(zip("AB", own, strict=True)) for place, own in enumerate(rows)}
    cap = dict(zip("AB", limits, strict=True))
    taken = fill(there, count, cap, "salt")
    for place, own in taken.items():
        assert all(0 <= own[answer] <= there[place][answer] for answer in "AB")
    assert all(sum(own[answer] for own in taken.values()) <= cap[answer] for answer in "AB")
    wanted = min(count, sum(min(cap[a], sum(own[a] for own in there.values())) for a in "AB"))
    assert sum(totals(taken).values()) == wanted
    best = (
        max(
            sorted(option)
            for option in product(*(range(min(sum(own), 8) + 1) for own in rows))
            if sum(option) == wanted and possible(option, rows, limits)
        )
        if wanted and max(map(sum, rows)) <= 8
        else None
    )
    if best is not None:
        assert sorted(totals(taken).values()) == best


def possible(totals, rows, limits):
    """Whether totals can be split into As and Bs: each cell's As lie between two numbers, and so does their sum."""
    least = sum(max(0, total - own[1]) for total, own in zip(totals, rows, strict=True))
    most = sum(min(total, own[0]) for total, own in zip(totals, rows, strict=True))
    return max(least, sum(totals) - limits[1]) <= min(most, limits[0])


def test_the_order_in_which_cells_are_named_makes_no_difference():
    there = {cell: {"A": cell % 5, "B": 3 * cell % 7} for cell in range(12)}
    turned = dict(reversed(list(there.items())))
    one, two = (fill(own, 31, {"A": 20, "B": 20}, "salt") for own in (there, turned))
    assert totals(one) == pytest.approx(totals(two))
