"""Guessing without eyes: counted by hand where that is easy, and by trying every guess where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_assets.scoring import sparbench
from spatial_assets.scoring.blind import Asked, blind, levels

OFFICIAL = sparbench.PROFILES[0]


def asked(task, *answers, options=0):
    return [Asked(task, answer, options) for answer in answers]


def mean(task, answers, guess):
    scorer = OFFICIAL.scorers[task]
    return float(np.mean([scorer({"prediction": guess, "ground_truth": answer}) for answer in answers]))


def test_a_choice_is_one_of_its_options():
    found = blind("position_matching", asked("position_matching", "A", "B", "B", "D", options=4))
    assert (found.random, found.frequent, found.frequent_answer) == (0.25, 0.5, "B")
    assert found.constant is None and found.constant_answer is None
    mixed = [Asked("position_matching", "A", 4), Asked("position_matching", "B", 2)]
    assert blind("position_matching", mixed).random == pytest.approx(0.375)


def test_of_equally_frequent_answers_the_first_is_said():
    assert blind("position_matching", asked("position_matching", "C", "B", options=4)).frequent_answer == "B"


@pytest.mark.parametrize("task", ["depth_prediction_oc", "distance_prediction_oo_mv"])
def test_no_number_does_better_than_the_best(task):
    rng = np.random.default_rng(3)
    answers = [f"{value:.1f}" for value in rng.gamma(3.0, 0.7, 60) + 0.1]
    found = blind(task, asked(task, *answers))
    assert found.random is None
    assert found.constant == pytest.approx(mean(task, answers, found.constant_answer))
    tried = [mean(task, answers, f"{guess:.3f}") for guess in np.arange(0.02, 7, 0.01)]
    assert max(tried) <= found.constant + 1e-12
    assert found.frequent == pytest.approx(mean(task, answers, found.frequent_answer))
    assert found.frequent <= found.constant


def test_no_view_change_does_better_than_the_best():
    rng = np.random.default_rng(4)
    answers = []
    for _ in range(40):
        numbers = rng.normal(0, 1, 5).round(1) * (1, 1, 1, 30, 30)
        answers.append(
            ",".join(
                f"{pair[int(number < 0)]}:{abs(number):g}"
                for pair, number in zip(sparbench.AXES, numbers, strict=True)
            )
        )
    found = blind("view_change_infer", asked("view_change_infer", *answers))
    best = found.constant
    assert best == pytest.approx(mean("view_change_infer", answers, found.constant_answer))
    for _ in range(300):
        guess = found.constant_answer.split(",")
        axis = int(rng.integers(5))
        guess[axis] = (
            f"{sparbench.AXES[axis][int(rng.integers(2))]}:{abs(rng.normal(0, 30 if axis > 2 else 1)):.2f}"
        )
        assert mean("view_change_infer", answers, ",".join(guess)) <= best + 1e-12


def test_levels_are_those_of_the_evaluator():
    means = {"depth_prediction_oc": 0.4, "position_matching": 0.2, "distance_infer_center_oo": 0.6}
    assert levels(means) == {"Low": 40.0, "Middle": 20.0, "High": 60.0, "overall": 40.0}
    assert levels({"view_change_infer": 0.5}) == {"overall": 50.0}
