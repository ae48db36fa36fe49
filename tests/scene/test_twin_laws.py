"""What each law of twins says of two rows: that it holds where it should, and is broken by any other answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.scene.twin_laws import PRINTED, VALUES, agree, answer_text, broken, laws

FINITE = st.floats(-100, 100, allow_nan=False)


def row(answer="A", value=(1.0,), options=("left", "right"), form="select"):
    return {
        "format": form,
        "answer": answer,
        "value": list(value),
        "options": None if options is None else list(options),
    }


def test_every_law_names_relations_that_there_are():
    assert laws()
    for law in laws().values():
        assert law.values in VALUES and law.printed in PRINTED and law.says


def test_an_order_of_options_keeps_the_option_and_not_the_letter():
    assert broken("options_rotated", row("A"), row("B", options=("right", "left"))) is None
    assert "left" in broken("options_rotated", row("A"), row("A", options=("right", "left")))
    assert "values" in broken("options_rotated", row("A"), row("B", (1.1,), ("right", "left")))


def test_a_mirrored_statement_turns_yes_and_no_over():
    yes, no = row("Yes", options=None, form="judge"), row("No", options=None, form="judge")
    assert broken("statement_mirrored", yes, no) is None
    assert broken("statement_mirrored", yes, yes) is not None
    assert broken("statement_mirrored", no, no) is not None


def test_a_choice_follows_the_marks():
    first = row("A", (1.0, 2.0), ("chair (green point)", "lamp (blue point)"))
    turned = row("B", (2.0, 1.0), ("lamp (green point)", "chair (blue point)"))
    assert broken("choice_swapped", first, turned) is None
    assert broken("choice_swapped", first, {**turned, "answer": "A"}) is not None
    assert broken("choice_swapped", first, {**turned, "value": [1.0, 2.0]}) is not None


@given(st.lists(FINITE, min_size=3, max_size=3), st.lists(FINITE, min_size=2, max_size=2))
def test_a_turned_relation_is_turned_back_by_turning_again(between, to_viewer):
    turned = VALUES["turned"]
    assert turned(between, [-value for value in between])
    assert turned([*between, *to_viewer], [*(-value for value in between), *to_viewer[::-1]])
    assert turned(between * 2, [-value for value in between] * 2)
    if any(abs(value) > 1e-3 for value in between):
        assert not turned(between, between)
    assert not turned(between, [-value for value in between[:2]])


@given(st.lists(FINITE, min_size=5, max_size=5), st.floats(0.01, 5))
def test_a_way_back_is_as_far(change, more):
    as_far = VALUES["as far"]
    back = [*(-value for value in change[:3][::-1]), 3.0, 4.0]
    assert as_far(change, back)
    length = sum(value * value for value in change[:3]) ** 0.5
    assert not as_far(change, [length + more, 0.0, 0.0, 0.0, 0.0])


def test_sentences_are_held_to_their_values_alone():
    said = row("The chair is to the left.", (1.0,), None, "sentence")
    assert broken("objects_swapped", said, {**said, "answer": "They are so."}) is None
    assert broken("objects_swapped", said, {**said, "value": [2.0]}) is not None


def test_a_law_that_nobody_knows_is_broken():
    assert "no law" in broken("by_magic", row(), row())


def test_given_answers_agree_where_the_law_tells():
    assert agree("objects_swapped", 2.0, 2.1) is True
    assert agree("objects_swapped", 2.0, 3.0) is False
    assert agree("options_rotated", "The left.", "the LEFT") is True
    assert agree("statement_mirrored", "yes", "No.") is True
    assert agree("statement_mirrored", "yes", "yes") is False
    assert agree("choice_swapped", "lamp (green point)", "lamp (blue point)") is True
    assert agree("choice_swapped", "lamp (green point)", "lamp (green point)") is False
    assert agree("relation_turned", "left", "right") is None


@pytest.mark.parametrize(
    ("answer", "options", "said"),
    [("B", ["x", "y"], "y"), ("C", ["x", "y"], "C"), ("Yes", None, "Yes"), ("A", None, "A")],
)
def test_a_letter_says_its_option(answer, options, said):
    assert answer_text(answer, options) == said
