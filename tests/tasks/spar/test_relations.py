"""How points lie to each other, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.tasks.spar.relations import (
    BETWEEN,
    BETWEEN_AND_TO_VIEWER,
    TO_VIEWER,
    RelationLimits,
    answer_of,
    between_and_to_viewer,
    code_of,
    codes_of,
    printed,
    said,
    seen_level,
    signs_of,
    signs_of_one,
    swapped,
)

LIMITS = RelationLimits()
SIGN = st.sampled_from([-1, 0, 1])
WORDS = {"left": "to the left", "below": "below", "front": "in front", "closer": "closer", "and": "and",
         "behind": "behind", "beside": "abreast", "with": " ({first}, {second})"}  # fmt: skip


def test_slots_print_in_their_order_and_stay_empty_below_the_threshold() -> None:
    assert printed(TO_VIEWER, (1, 0, 1)) == "right, , front"
    assert printed(BETWEEN, (0, 1, -1)) == ", above, closer"
    assert printed(BETWEEN_AND_TO_VIEWER, (-1, 0, -1, 1, 1)) == "left, , closer, front, front"
    assert signs_of_one(LIMITS, [0.1, -0.1, 0.10001]) == (0, 0, 1)


@given(st.lists(SIGN, min_size=3, max_size=5))
def test_codes_stand_for_signs(signs: list[int]) -> None:
    code = code_of(signs)
    assert codes_of(np.array([signs])).tolist() == [code]
    assert signs_of(code, len(signs)) == tuple(signs)


@pytest.mark.parametrize(
    ("signs", "text"),
    [
        ((-1, 0, 0, 1, -1), "to the left (in front, behind)"),
        ((-1, -1, -1, 0, 1), "to the left, below and closer (abreast, in front)"),
        ((0, -1, -1, 0, 0), "below and closer (abreast, abreast)"),
    ],
)
def test_sentences_list_what_there_is(signs: tuple[int, ...], text: str) -> None:
    assert said(BETWEEN_AND_TO_VIEWER, signs, WORDS) == text
    assert said(BETWEEN, signs[:3], WORDS) == text.split(" (")[0]


def test_doubt_lies_on_both_sides_of_the_threshold() -> None:
    values = np.array([[0.075, 0, 0], [0.125, 0, 0], [-0.125, 0, 0], [0.065, 0, 0], [0.135, 0, 0]])
    assert LIMITS.doubtful(values).tolist() == [True, True, True, False, False]
    assert LIMITS.doubtful(values, np.full((5, 3), 1.5)).tolist() == [True] * 5


@given(st.lists(st.floats(-5, 5), min_size=6, max_size=6))
def test_the_other_way_round_is_the_negative(numbers: list[float]) -> None:
    first, second = np.array(numbers).reshape(2, 1, 3)
    there, back = between_and_to_viewer(first, second)[0], between_and_to_viewer(second, first)[0]
    assert np.allclose(swapped(there.tolist()), back)


def test_a_viewer_who_looks_east_has_the_north_on_the_left() -> None:
    points = np.array([[[3.0, 1.0, 2.5], [0.0, 0.0, 0.0]]])
    seen = seen_level(np.array([[1.0, 0.0, 1.5]]), np.array([[2.0, 0.0, -1.0]]), points)
    assert np.allclose(seen, [[[-1.0, 1.0, 2.0], [0.0, -1.5, -1.0]]])
    assert np.isnan(seen_level(np.zeros((1, 3)), np.array([[0.0, 0.0, 1.0]]), points)).all()


def test_an_answer_has_the_margin_of_each_of_its_words() -> None:
    found = answer_of(BETWEEN, LIMITS, [0.5, 0.02, -0.15], [(1, 1, -1)], before=[-0.3, 0.0, 1.0])
    assert found.text == "right, , closer" and list(found.wrong) == ["right, above, closer"]
    assert np.allclose(found.margins, [0.2, 0.1, 0.9, 0.4, 0.08, 0.05]) and found.margin == min(found.margins)
    assert found.kind == "relation"
