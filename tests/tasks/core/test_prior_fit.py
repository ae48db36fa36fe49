"""How laws of words are fitted: what few questions say of a word is led by what is known of it from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from benchmarks.priors import fit, guesses_of
from spatial_assets.tasks.core.priors import prior_of
from spatial_assets.tasks.spatialmosaic import foreseen, obj_attribute
from spatial_assets.tasks.spatialmosaic.sets import SUITE
from spatial_assets.tasks.spatialmosaic.sides import AB, FB, LR, WORDS

Cases = list[tuple[list[list[str]], int]]
WORDS_OF_ALL = [f"word {number}" for number in range(40)]


def asked(truth: dict[str, float], count: int, seed: int) -> Cases:
    """Questions that offer three words each, whose answers follow the scores."""
    rng = np.random.default_rng(seed)
    cases: Cases = []
    for _ in range(count):
        words = rng.choice(WORDS_OF_ALL, 3, replace=False).tolist()
        right = int(rng.choice(3, p=softmax([truth[word] for word in words])))
        cases.append(([[word] for word in words], right))
    return cases


def off(found: dict[str, float], truth: dict[str, float]) -> float:
    """How far scores are from the true ones, but for what is the same for all."""
    differences = np.array([found.get(word, 0.0) - truth[word] for word in WORDS_OF_ALL])
    return float(differences.std())


@pytest.fixture
def truth() -> dict[str, float]:
    rng = np.random.default_rng(1)
    return dict(zip(WORDS_OF_ALL, rng.normal(size=len(WORDS_OF_ALL)).tolist(), strict=True))


def test_many_questions_say_the_scores(truth: dict[str, float]) -> None:
    assert off(fit(asked(truth, 20_000, 2), 1.0), truth) < 0.06


def test_a_guess_of_any_scale_and_sign_helps_where_questions_are_few(truth: dict[str, float]) -> None:
    few = asked(truth, 60, 3)
    guess = {word: -5 * score for word, score in truth.items()}
    with_guess, without = off(fit(few, 8.0, guesses=[guess]), truth), off(fit(few, 8.0), truth)
    assert with_guess < 0.5 * without
    # And of what no question offered it says something too.
    assert set(fit(few[:5], 8.0, guesses=[guess])) == set(WORDS_OF_ALL)


def test_a_guess_that_has_nothing_to_do_with_it_is_not_believed(truth: dict[str, float]) -> None:
    rng = np.random.default_rng(4)
    guess = dict(zip(WORDS_OF_ALL, rng.normal(size=len(WORDS_OF_ALL)).tolist(), strict=True))
    cases = asked(truth, 2_000, 5)
    assert off(fit(cases, 2.0, guesses=[guess]), truth) == pytest.approx(off(fit(cases, 2.0), truth), rel=0.1)


@pytest.mark.parametrize("axis", (AB, FB))
def test_guesses_are_about_the_hints_of_the_task(axis: str) -> None:
    guesses = guesses_of(obj_attribute.NAMES[axis])
    known = prior_of(SUITE, foreseen.LAWS[axis]).scores
    for side, guess in zip(WORDS[axis], guesses, strict=True):
        assert len(guess) == len(known) > 30
        for word, score in known.items():
            assert guess[obj_attribute.hints(side, [word, "table"])[0][0]] == score
    assert guesses_of(obj_attribute.NAMES[LR]) == []
