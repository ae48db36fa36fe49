"""A release's own benchmark: every kind of answer against whatever a model may say, and means of tasks."""

from __future__ import annotations

import math

import pytest
from test_scoring_run import MALFORMED

from spatial_assets.scoring.kinds import RULES, Truth, score
from spatial_assets.scoring.profile import NoAnswer, Unscorable
from spatial_assets.scoring.registry import find_profile
from spatial_assets.scoring.run import score_rows

TRUTHS = {
    "accuracy": "chair, table",
    "mra": "2.4",
    "point": "(10,20),2.8",
    "box": "[0, 0, 10, 10]",
    "relation": "left, above, front",
    "view_change": "move_right:1.6,move_down:0,move_backward:0,rotate_up:15,rotate_left:75",
}


def row(reward, prediction, truth, task="made_up", **fields):
    empty = dict.fromkeys(("choices", "unit", "tolerance"))
    return {
        "task": task,
        "reward": reward,
        "prediction": prediction,
        "ground_truth": truth,
        **empty,
        **fields,
    }


@pytest.mark.every(3)
@pytest.mark.parametrize("profile", ["official", "strict"])
@pytest.mark.parametrize("reward", TRUTHS)
def test_no_value_breaks_a_kind(reward, profile):
    scorer = find_profile("release", profile).scorers["any"]
    assert set(TRUTHS) == set(RULES)
    for odd in MALFORMED:
        for own in (
            row(reward, odd, TRUTHS[reward], tolerance=50.0),
            row(reward, TRUTHS[reward], odd, tolerance=50.0),
            row(reward, "1", TRUTHS[reward], tolerance=odd),
            row(reward, "B", "B", choices=odd),
            row(reward, "1", "1", unit=odd),
            row(odd, "1", "1"),
        ):
            try:
                found = scorer(own)
            except Unscorable as error:
                assert error.kind and error.what
            else:
                assert isinstance(found, float) and 0.0 <= found <= 1.0


@pytest.mark.parametrize("reward", TRUTHS)
def test_it_is_the_reward_and_says_why_there_is_none(reward):
    scorer = find_profile("release", "strict").scorers["any"]
    truth = TRUTHS[reward]
    for said in (truth, f"It is {truth}.", "<answer>none of it</answer>", "<think>so"):
        own = row(reward, said, truth, tolerance=50.0)
        assert scorer(own) == score(said, Truth(truth, reward, tolerance=50.0))
    assert scorer(row(reward, truth, truth, tolerance=50.0)) == 1.0
    nothing = scorer(row(reward, "<think>it is", truth, tolerance=50.0))
    assert isinstance(nothing, NoAnswer) and nothing.reason == "an unfinished thought"


def test_a_tasks_score_is_its_mean_and_the_overall_that_of_tasks():
    rows = [
        row("accuracy", "B", "B", "which", choices=["x", "y"]),
        row("accuracy", "A", "B", "which", choices=["x", "y"]),
        row("accuracy", "A", "B", "which", choices=["x", "y"]),
        row("mra", "240 cm", "2.4", "how_far", unit="m"),
        row("taste", "sweet", "sweet", "how_far"),
    ]
    scored, summary = score_rows("release", rows, "strict")
    assert summary["tasks"] == {"how_far": 1.0, "which": 1 / 3}
    assert math.isclose(summary["overall"], 2 / 3) and summary["errors"] == 1
    assert scored[-1]["score"] is None and "reward is none of" in scored[-1]["error"]


def test_the_official_profile_keeps_the_released_errors():
    empty = row("accuracy", "", "B", choices=["x", "y"])
    assert find_profile("release", "official").scorers["any"](empty) == 1.0
    assert find_profile("release", "strict").scorers["any"](empty) == 0.0
