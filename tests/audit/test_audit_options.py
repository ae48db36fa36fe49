"""What is read off options and questions, by examples small enough to be checked by eye."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_assets.audit import encodings, guesses, numbers, option_places, parts
from spatial_assets.scoring.metrics import mean_relative_accuracy, relative_error


def choices(*rows):
    return [[parts.choice(text) for text in row] for row in rows]


def test_a_question_says_what_its_wording_does_not():
    stems = [
        "If the lamp is 1.5 m away, how far is the lamp shade?",
        "If the desk is 2 m away, how far is the sofa?",
    ]
    first, second = parts.said(stems, ["same", "same"])
    assert (first.words, first.numbers) == (("lamp", "lamp", "shade"), (1.5,))
    assert (second.words, second.numbers) == (("desk", "sofa"), (2.0,))
    alone = parts.said(stems, ["one", "other"])
    assert all(not said.words and not said.numbers for said in alone)


def test_options_are_numbers_only_if_the_words_around_them_are_the_same():
    assert parts.numeric(choices(["(1, 2), 0.5 m", "(3, 40), 1 m"]))
    assert not parts.numeric(choices(["1 m", "2 cm"]))
    assert not parts.numeric(choices(["left", "right"]))
    assert parts.numbers("[0, 12, 3.5, 1000]") == (0.0, 12.0, 3.5, 1000.0)


def test_boxes_have_measures():
    values, names = option_places.axes(choices(["[0, 0, 20, 10]", "[5, 5, 10, 10]"]))
    assert names[-4:] == ["width", "height", "area", "aspect"]
    assert values[0, :, 4:].tolist() == [[20, 10, 200, 2], [5, 5, 25, 1]]


def test_fewer_options_are_not_there():
    values, names = option_places.axes(choices(["1", "2", "4"], ["3", "5"]))
    rules = guesses.number_rules(values, names, np.array([[3.5], [4.8]]), None)
    right = np.array([1, 1])
    assert guesses.hits(rules["number: rank 2 from the smallest"], right).tolist() == [1, 1]
    assert guesses.hits(rules["nearest to number 1 of the question"], right).tolist() == [0, 1]
    assert np.isnan(option_places.number_places(values)[1, 2]).all()


def test_ties_share_a_hit():
    assert guesses.hits(np.array([[1.0, 1.0, 0.0]]), np.array([1])).tolist() == [0.5]


def test_orders_are_compared_by_turned_pairs():
    assert option_places.turns(("a", "b", "c"), ("c", "b", "a")) == 3
    assert option_places.turns(("a", "b", "x"), ("a", "b")) == 0
    listed = option_places.listing(choices(["cup, bed", "bed, cup"]), ["Which is first: bed or cup?"])
    assert listed[0].tolist() == [[1, 1], [0, 0]]
    rules = guesses.text_rules(choices(["a, b, c", "a, b, d", "a, e, d"]), [""])
    assert guesses.hits(rules["most in common, place by place"], np.array([1])).tolist() == [1]


def test_the_best_rule_is_scored_where_it_was_not_chosen():
    right = np.array([0, 0, 1, 1])
    half = np.array([0, 0, 1, 1])
    rules = {"first": np.array([[1.0, 0.0]] * 4), "second": np.array([[0.0, 1.0]] * 4)}
    found, words = guesses.best_rule(rules, right, np.ones(4), half)
    assert found.tolist() == [0, 0, 0, 0] and words == "second / first"


def test_words_are_learned_on_other_parts_alone():
    """A word that is right in every row of one part, and nowhere else, is worth nothing there."""
    words = encodings.vocabulary([["a"], ["b"]] * 8)
    fold = np.repeat([0, 1], 4)
    right = np.array([0] * 4 + [1] * 4)
    slots = encodings.Slots.of([2] * 8, right, np.ones(8), fold)
    scores = encodings.word_scores(words, slots, tested=-1)[..., 0]
    assert (scores[fold == 0, 0] < scores[fold == 0, 1]).all()
    assert (scores[fold == 1, 0] > scores[fold == 1, 1]).all()


def test_options_stand_beside_the_others_of_their_row():
    rows = choices(["Bed (red point)", "cup", "b, c"], ["cup", "lamp (3, 40)", "bed"])
    assert [one.name for one in rows[0]] == ["bed", "cup", None]
    assert rows[1][1].name == "lamp"
    unordered, ordered = (words.toarray() for words in encodings.beside(rows))
    # A bed beside a cup is in both rows; as own and other, a cup is another thing than the bed.
    assert (unordered[0] == unordered[1]).all() and unordered[3] @ unordered[0] == 1
    assert ordered[0] @ ordered[1] == 0 and ordered[0] @ ordered[5] == 1
    assert not unordered[2].any() and not ordered[2].any()


@pytest.mark.parametrize(
    "rows", [[["yes", "no"], ["no", "yes"]], [["a", "b"], ["c", "d"]], [["a, b", "b, a"], ["a, c", "c, a"]]]
)
def test_options_that_have_the_same_others_always_have_none_beside_them(rows):
    assert encodings.beside(choices(*rows)) == []


@pytest.mark.parametrize("truth", [2.0, 0.3, 0.0])
def test_the_mean_relative_accuracy_is_the_benchmarks_own(truth):
    said = np.array([0.0, 0.1, 0.29, 1.1, 1.9, 2.0, 2.9, 3.1])
    wanted = [mean_relative_accuracy(relative_error(value, truth)) for value in said]
    assert numbers.mra(said, np.full(len(said), truth)).tolist() == pytest.approx(wanted, abs=1e-12)


def test_the_best_constant_is_the_best_of_all_answers():
    truth = np.array([1.0, 1.0, 1.1, 5.0])
    weight = np.ones(4)
    best = numbers.best_constant(truth, weight)
    assert numbers.mra(np.full(4, best), truth).mean() == max(
        numbers.mra(np.full(4, value), truth).mean() for value in truth
    )
    often, chance, commonest = numbers.frequent_and_chance(truth, weight)
    assert commonest == 1.0 and often == numbers.mra(np.full(4, 1.0), truth).mean()
    assert chance == pytest.approx(
        np.mean([numbers.mra(np.full(4, v), truth).mean() for v in (1.0, 1.1, 5.0)])
    )
