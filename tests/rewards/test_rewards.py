"""Rewards are the scorers' own on the scorers' cases; what no benchmark scores, and how libraries call, by hand."""

from __future__ import annotations

import json

import pytest

from spatial_assets.rewards import easyr1, ms_swift, trl, verl
from spatial_assets.rewards.form import well_formed
from spatial_assets.scoring import sparbench, spatialmosaic, vsibench
from spatial_assets.scoring.kinds import Truth, overlap, score
from spatial_assets.scoring.profile import Unscorable
from spatial_assets.scoring.registry import find_profile

REWARDS = {
    **dict.fromkeys(sparbench.CHOICES, "accuracy"),
    sparbench.VIEW_CHANGE: "view_change",
    **dict.fromkeys(spatialmosaic.CHOICES, "accuracy"),
    spatialmosaic.LOCALIZATION: "point",
    "obj_count_occ_na": "mra",
    "object_counting": "mra",
    "object_abs_distance": "mra",
    "room_size_estimation": "mra",
    "object_rel_distance": "accuracy",
    "route_planning": "accuracy",
}
SAID = (
    "A", "B", "(B)", "The answer is B.", "B or C", "", ".", "2.4", "about 2.4 meters", "240 cm", "-1", "0", "1e1",
    "<think>it is 3</think><answer>2.5</answer>", "<think>it is", "(10, 20)", "[11, 19]", "(10,20) or (30,40)",
    "move_right:1.6,move_down:0,move_backward:0,rotate_up:15,rotate_left:75", "move_right: 2, rotate_right:285",
    "four", "nothing", "\\boxed{B}", "A\nB",
)  # fmt: skip
TRUTHS = {
    "accuracy": ("B", "A"),
    "mra": ("2.4", "4", "240"),
    "point": ("(10, 20)", "(11.5, 19)"),
    "view_change": ("move_right:1.6,move_down:0,move_backward:0,rotate_up:15,rotate_left:75",),
}
UNITS = {
    "object_counting": "count",
    "obj_count_occ_na": "count",
    "object_abs_distance": "m",
    "room_size_estimation": "m2",
}


@pytest.mark.parametrize("profile", ["strict", "official"])
@pytest.mark.parametrize("benchmark", ["sparbench", "vsibench", "spatialmosaic"])
def test_rewards_are_what_the_scorers_give(benchmark: str, profile: str) -> None:
    found = find_profile(benchmark, profile)
    compared = 0
    for task, scorer in found.scorers.items():
        name = REWARDS.get(task)
        # The released choice rule is SPAR-Bench's; those of the others read a first word.
        if name is None or (profile == "official" and name == "accuracy" and benchmark != "sparbench"):
            continue
        for truth in TRUTHS[name]:
            for said in SAID:
                row = {"prediction": said, "ground_truth": truth, "mc_answer": truth, "bbox_2d_diag": 12.0}
                try:
                    wanted = float(scorer(row))
                except Unscorable:
                    wanted = 0.0
                asked = Truth(truth, name, ["x"] * 4 if name == "accuracy" else None, 12.0, UNITS.get(task))
                assert score(said, asked, profile) == wanted, (task, truth, said)
                compared += 1
    assert compared > 20


def test_numbers_are_read_in_their_unit() -> None:
    assert score("240 cm", Truth("2.4", "mra", unit="m")) == 1.0
    assert score("240 cm", Truth("2.4", "mra", unit="count")) == 0.0
    assert score("3.0", Truth("2.4", "mra")) == vsibench.strict_number_score(
        {"prediction": "3.0", "ground_truth": "2.4"}, None
    )


@pytest.mark.parametrize(
    ("said", "truth", "wanted"),
    [
        ("[0, 0, 10, 10]", "[0, 0, 10, 10]", 1.0),
        ("It is [5, 0, 15, 10].", "[0, 0, 10, 10]", 1 / 3),
        ("0 0 10 10", "[0, 0, 10, 10]", 1.0),
        ("[0, 0, 10, 10] or [1, 1, 2, 2]", "[0, 0, 10, 10]", 0.0),
        ("[10, 10, 0, 0]", "[0, 0, 10, 10]", 0.0),
        ("none", "[0, 0, 10, 10]", 0.0),
        ("the second image, [0, 0, 10, 10]", "the second image, [0, 0, 10, 10]", 1.0),
        ("the first image, [0, 0, 10, 10]", "the second image, [0, 0, 10, 10]", 0.0),
        ("<think>[1, 2, 3, 4]</think><answer>[0, 0, 10, 10]</answer>", "[0, 0, 10, 10]", 1.0),
    ],
)
def test_boxes(said: str, truth: str, wanted: float) -> None:
    assert score(said, Truth(truth, "box")) == pytest.approx(wanted)


def test_overlap_is_symmetric_and_knows_what_has_no_extent() -> None:
    assert overlap([0, 0, 4, 4], [2, 2, 6, 6]) == overlap([2, 2, 6, 6], [0, 0, 4, 4]) == pytest.approx(4 / 28)
    assert overlap([0, 0, 0, 4], [0, 0, 4, 4]) == overlap([0, 0, 1, 1], [2, 2, 3, 3]) == 0.0


@pytest.mark.parametrize(
    ("said", "truth", "wanted"),
    [
        ("left, above, front", Truth("left, above, front", "relation"), 1.0),
        ("Left, below, front.", Truth("left, above, front", "relation"), 2 / 3),
        ("left", Truth("left, above, front", "relation"), 0.0),
        ("right, , front", Truth("right, , front", "relation"), 1.0),
        ("B", Truth("B", "relation", ["left", "right"]), 1.0),
        ("Yes.", Truth("Yes"), 1.0),
        ("No", Truth("Yes"), 0.0),
        ("chair,table, lamp", Truth("chair, table, lamp"), 1.0),
        ("table, chair, lamp", Truth("chair, table, lamp"), 0.0),
        ("120, 60, 75", Truth("120, 60, 75", "mra"), 1.0),
        ("120, 60", Truth("120, 60, 75", "mra"), 0.0),
        ("(606,69),2.8", Truth("(606,69),2.8", "point", tolerance=100.0), 1.0),
        ("(606,669),2.8", Truth("(606,69),2.8", "point", tolerance=100.0), 0.5),
        ("it is there", Truth("(606,69),2.8", "point", tolerance=100.0), 0.0),
    ],
)
def test_words_lists_and_points_with_a_depth(said: str, truth: Truth, wanted: float) -> None:
    assert score(said, truth) == pytest.approx(wanted)


def test_the_form_of_a_response() -> None:
    assert well_formed("<think>a\nb</think>\n<answer>B</answer>") == 1.0
    for bad in (
        "B",
        "<answer>B</answer>",
        "<think>a<answer>B</answer>",
        "<think>a</think><answer>B</answer> so",
    ):
        assert well_formed(bad) == 0.0


def test_an_unknown_reward_is_an_error() -> None:
    with pytest.raises(ValueError, match="no reward 'taste'"):
        score("B", Truth("B", "taste"))


COLUMNS = {
    "ground_truth": ["B", "2.4", "[0, 0, 10, 10]"],
    "reward": ["accuracy", "mra", "box"],
    "choices": [["x", "y"], None, None],
    "tolerance": [None, 0.05, None],
    "unit": [None, "m", None],
    "prompts": [None, None, None],
    "task": ["a", "b", "c"],
}
RESPONSES = ["<think>hm</think><answer>B</answer>", "2.4 m", "[0, 0, 10, 5]"]


def test_trl_calls_with_texts_and_messages_and_columns() -> None:
    assert (
        trl.spatial(RESPONSES, **COLUMNS) == trl.spatial(completions=RESPONSES, **COLUMNS) == [1.0, 1.0, 0.5]
    )
    messages = [[{"role": "assistant", "content": said}] for said in RESPONSES]
    parts = [[{"role": "assistant", "content": [{"type": "text", "text": said}]}] for said in RESPONSES]
    assert trl.spatial(messages, **COLUMNS) == trl.spatial(parts, **COLUMNS) == [1.0, 1.0, 0.5]
    assert trl.format(messages, **COLUMNS) == [1.0, 0.0, 0.0]
    assert trl.mra(RESPONSES, **COLUMNS) == [None, 1.0, None] and trl.mra.__name__ == "mra"
    assert trl.box(RESPONSES, **COLUMNS) == [None, None, 0.5]


def test_verl_ms_swift_and_easyr1_call() -> None:
    info = {"reward": "mra", "unit": "m", "choices": None, "index": 3}
    made = verl.compute_score(data_source="spar", solution_str="240 cm", ground_truth="2.4", extra_info=info)
    assert made == {"score": 1.0, "accuracy": 1.0, "format": 0.0}
    assert ms_swift.Spatial()(RESPONSES, **COLUMNS) == [1.0, 1.0, 0.5]
    assert ms_swift.SpatialFormat(args=None)(RESPONSES, **COLUMNS) == [1.0, 0.0, 0.0]
    answer = json.dumps({"ground_truth": "B", "reward": "accuracy", "choices": ["x", "y"]})
    inputs = [{"response": RESPONSES[0], "ground_truth": answer}, {"response": "Yes", "ground_truth": "Yes"}]
    assert easyr1.compute_score(inputs, format_weight=0.2) == [
        {"overall": pytest.approx(1.0), "format": 1.0, "accuracy": 1.0},
        {"overall": pytest.approx(0.8), "format": 0.0, "accuracy": 1.0},
    ]
