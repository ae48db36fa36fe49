"""VSI-Bench: hand-derived cases of each rule, and the released rules written out slowly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spatial_assets.scoring import vsibench
from spatial_assets.scoring.profile import Unscorable
from spatial_assets.scoring.registry import find_profile
from spatial_assets.scoring.run import score_rows

OFFICIAL = find_profile("vsibench", "official").scorers
SPATIAL_MLLM = find_profile("vsibench", "spatial_mllm").scorers
STRICT = find_profile("vsibench", "strict").scorers
NUMBER, CHOICE = "object_abs_distance", "object_rel_distance"
EASY, MEDIUM, HARD = vsibench.DIRECTION_LEVELS

number_texts = (
    st.floats(-10, 10).map(repr)
    | st.integers(0, 400).map(lambda tenths: str(tenths / 10))
    | st.sampled_from(
        ["4", " 4", "4 m", "4.", "4..", "1e1", "1_0", "nan", "-inf", "inf", "", "٤", "1e400", "\n4", "1,0"]
    )
)
truth_texts = number_texts | st.sampled_from(["0", "-0.0", "-2", "1e-320", "x"])
letter_texts = st.text(alphabet="ABab. )\n\tİß", max_size=5)


def naive_official_number(prediction: str, truth: str) -> float | None:
    token = prediction.split(" ")[0].rstrip(".").strip()
    try:
        p, t = float(token), float(truth)
    except ValueError:
        return 0.0
    if t == 0:
        return None
    with np.errstate(all="ignore"):
        error = abs(np.float64(p) - np.float64(t)) / np.float64(t)
    return float((error <= 1 - np.linspace(0.5, 0.95, 10)).mean())


def naive_spatial_mllm_number(prediction: str, truth: str) -> float:
    """In numpy's float32 throughout, strictly below each limit."""
    cleaned = [" ".join(text.split()).rstrip(".").replace(",", "") for text in (prediction, truth)]
    try:
        with np.errstate(all="ignore"):
            p, t = (np.float32(float(text)) for text in cleaned)
    except ValueError:
        return 0.0
    limits = np.float32(1) - np.array([0.5 + 0.05 * step for step in range(10)]).astype(np.float32)
    with np.errstate(all="ignore"):
        error = abs(p - t) / (abs(t) + np.float32(1e-8))
    return float((error < limits).astype(np.float32).sum() / np.float32(10))


def official(task: str, prediction: object, truth: object) -> float:
    return OFFICIAL[task]({"prediction": prediction, "ground_truth": truth})


def strict(task: str, prediction: object, truth: object) -> float:
    return STRICT[task]({"prediction": prediction, "ground_truth": truth})


def spatial_mllm(task: str, prediction: object, truth: object) -> float:
    return SPATIAL_MLLM[task]({"prediction": prediction, "ground_truth": truth})


@settings(max_examples=500, deadline=None)
@given(number_texts, truth_texts)
@example("5", "-1")
@example("nan", "0")
@example("x", "0")
def test_official_numbers(prediction: str, truth: str) -> None:
    wanted = naive_official_number(prediction, truth)
    if wanted is None:
        with pytest.raises(Unscorable) as raised:
            official(NUMBER, prediction, truth)
        assert raised.value.kind == "ZeroDivisionError"
    else:
        assert official(NUMBER, prediction, truth) == wanted


@settings(max_examples=300, deadline=None)
@given(letter_texts, letter_texts)
def test_official_choices(prediction: str, truth: str) -> None:
    token = prediction.split(" ")[0].rstrip(".").strip()
    assert official(CHOICE, prediction, truth) == float(token.lower() == truth.lower())


@settings(max_examples=500, deadline=None)
@given(number_texts, truth_texts)
@example("0", "0")
@example("1e300", "1")
@example("1e300", "1e300")
def test_spatial_mllm_numbers(prediction: str, truth: str) -> None:
    assert spatial_mllm(NUMBER, prediction, truth) == naive_spatial_mllm_number(prediction, truth)


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60))
def test_spatial_mllm_counts(prediction: int, truth: int) -> None:
    wanted = naive_spatial_mllm_number(str(prediction), str(truth))
    assert spatial_mllm("object_counting", str(prediction), str(truth)) == wanted


@pytest.mark.parametrize(
    ("prediction", "truth", "wanted"),
    [
        ("A", "A", 1.0),
        ("A. left", "A", 0.0),
        ("a.", "A", 1.0),
        ("<answer>B</answer> <answer> A\n</answer>", "A", 1.0),
        ("<answer>A", "A", 0.0),
        ("<answer>A</answer><answer>B", "A", 1.0),
        ("A \n.", "A", 1.0),
    ],
)
def test_spatial_mllm_choices(prediction: str, truth: str, wanted: float) -> None:
    assert spatial_mllm(CHOICE, prediction, truth) == wanted


def test_the_profiles_differ_at_boundaries() -> None:
    assert official("object_counting", "3", "4") == 0.6
    assert spatial_mllm("object_counting", "3", "4") == 0.5
    assert official("object_counting", "3", "2") == 0.1
    assert spatial_mllm("object_counting", "3", "2") == 0.0


@pytest.mark.parametrize("value", [None, 4, 4.0, True, [], {}])
def test_predictions_that_are_not_text(value: object) -> None:
    for task, truth in ((NUMBER, "4"), (CHOICE, "A")):
        with pytest.raises(Unscorable) as raised:
            official(task, value, truth)
        assert raised.value.kind == "AttributeError"
        with pytest.raises(Unscorable) as raised:
            spatial_mllm(task, value, truth)
        assert raised.value.kind == "TypeError"
    assert strict(CHOICE, value, "A") == 0.0


def test_truths_that_are_not_text() -> None:
    assert official(NUMBER, "4", 4) == 1.0
    assert official(NUMBER, "4", None) == 0.0
    with pytest.raises(Unscorable):
        official(CHOICE, "A", None)


@pytest.mark.parametrize(
    ("task", "prediction", "truth", "wanted"),
    [
        (CHOICE, " A", "A", 1.0),
        (CHOICE, "(A)", "A", 1.0),
        (CHOICE, "A)", "A", 1.0),
        (CHOICE, "**A**", "A", 1.0),
        (CHOICE, "Answer: A", "A", 1.0),
        (CHOICE, "A.left", "A", 1.0),
        (CHOICE, "A\nBecause it is near", "A", 1.0),
        (CHOICE, "A/B", "A", 0.0),
        (CHOICE, "A\nB", "A", 0.0),
        (CHOICE, "", "A", 0.0),
        ("object_counting", "1,000", "1000", 1.0),
        ("object_counting", " 4", "4", 1.0),
        ("object_counting", "four chairs", "4", 1.0),
        ("object_counting", "There are 4 chairs.", "4", 1.0),
        ("object_counting", "4 or 5", "4", 0.0),
        ("object_counting", "4", "0", 0.0),
        ("object_counting", "0", "0", 1.0),
        ("object_counting", "5", "-1", 0.0),
        ("object_size_estimation", "1.2 m", "120", 1.0),
        ("object_size_estimation", "120", "120", 1.0),
        ("object_abs_distance", "120 cm", "1.2", 1.0),
        ("room_size_estimation", "12.5 m²", "12.5", 1.0),
        ("room_size_estimation", "12.5 m^2", "12.5", 1.0),
        ("room_size_estimation", "12.5 square meters", "12.5", 1.0),
        ("room_size_estimation", 12.5, "12.5", 1.0),
    ],
)
def test_strict(task: str, prediction: object, truth: str, wanted: float) -> None:
    assert strict(task, prediction, truth) == wanted


def rows_of(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"question_type": task, "prediction": prediction, "ground_truth": "A"} for task, prediction in pairs
    ]


def test_direction_is_the_mean_of_its_levels() -> None:
    rows = rows_of((EASY, "A"), (EASY, "A"), (EASY, "B"), (MEDIUM, "A"), (HARD, "B"), (CHOICE, "B"))
    summary = score_rows("vsibench", rows)[1]
    direction = (np.float64(2 / 3) + 1.0 + 0.0) / 3.0
    assert summary["tasks"] == {CHOICE: 0.0, "object_rel_direction": direction}
    assert summary["overall"] == (0.0 + direction) / 2
    assert summary["levels"] == {}


def test_easy_without_the_others_has_no_overall() -> None:
    for levels in ((EASY,), (EASY, MEDIUM), (EASY, HARD)):
        rows = rows_of(*((level, "A") for level in levels), (CHOICE, "A"))
        summary = score_rows("vsibench", rows)[1]
        assert summary["overall"] is None
        assert summary["error"].startswith("KeyError")
        assert summary["tasks"] == {CHOICE: 1.0}
        assert summary["unmerged"] == dict.fromkeys(levels, 1.0)
        assert score_rows("vsibench", rows, "strict")[1]["overall"] == 1.0
        assert score_rows("vsibench", rows, "spatial_mllm")[1]["overall"] == 1.0


def test_medium_and_hard_without_easy_count_by_themselves() -> None:
    rows = rows_of((MEDIUM, "A"), (HARD, "A"), (CHOICE, "B"))
    summary = score_rows("vsibench", rows)[1]
    assert summary["overall"] == 2 / 3
    assert summary["tasks"] == {CHOICE: 0.0}
    assert summary["unmerged"] == {MEDIUM: 1.0, HARD: 1.0}
    assert score_rows("vsibench", rows, "strict")[1]["overall"] == 0.5


def test_spatial_mllm_reports_rows_and_tasks() -> None:
    rows = rows_of((EASY, "A"), (CHOICE, "A"), (CHOICE, "B"), (CHOICE, "B"))
    rows.append({"question_type": NUMBER, "prediction": "1", "ground_truth": "1"})
    summary = score_rows("vsibench", rows, "spatial_mllm")[1]
    third = 1 / 3
    assert summary["micro"] == {"acc": 0.5, "mra": 1.0, "all": 0.6}
    assert summary["macro"] == {"acc": (1 + third) / 2, "mra": 1.0, "all": np.mean([1.0, 1.0, third])}
    assert summary["overall"] == summary["macro"]["all"]


LMMS_EVAL = find_profile("vsibench", "lmms_eval_0_7").scorers


@pytest.mark.parametrize(
    ("prediction", "truth", "wanted"),
    [
        ("four", "4", 1.0),
        (" 4", "4", 1.0),
        ("~4", "4", 1.0),
        ("<answer>4</answer>", "4", 1.0),
        ("1e1", "10", 0.0),
        ("There are 4 of 9", "4", 1.0),
        ("one apple, room 2", "1", 1.0),
        ("room 2, one apple", "2", 1.0),
        ("three hundred and twenty-one", "321", 1.0),
        ("two thousand five hundred", "2500", 1.0),
        ("hundred", "100", 1.0),
        ("1,200", "1", 1.0),
        ("-4", "4", 0.0),
        ("anyone", "1", 0.0),
        ("٤", "4", 1.0),
        (4, "4", 1.0),
        (["4"], "4", 1.0),
        (None, "4", 0.0),
        (True, "1", 0.0),
        ("", "4", 0.0),
        ("4", "x", 0.0),
        ("x", "0", 0.0),
    ],
)
def test_lmms_eval_0_7_reads_the_first_number(prediction: object, truth: str, wanted: float) -> None:
    assert LMMS_EVAL["object_counting"]({"prediction": prediction, "ground_truth": truth}) == wanted


def test_lmms_eval_0_7_choices_and_errors() -> None:
    assert LMMS_EVAL[CHOICE]({"prediction": "a. left", "ground_truth": "A"}) == 1.0
    assert LMMS_EVAL[CHOICE]({"prediction": " A", "ground_truth": "A"}) == 0.0
    for prediction, truth, kind in (
        ("4", "0", "ZeroDivisionError"),
        ("hundred " * 200, "4", "OverflowError"),
    ):
        with pytest.raises(Unscorable) as raised:
            LMMS_EVAL["object_counting"]({"prediction": prediction, "ground_truth": truth})
        assert raised.value.kind == kind
    with pytest.raises(Unscorable) as raised:
        LMMS_EVAL[CHOICE]({"prediction": None, "ground_truth": "A"})
    assert raised.value.kind == "AttributeError"


def test_lmms_eval_0_7_has_no_overall_without_all_three_directions() -> None:
    every = rows_of((EASY, "A"), (MEDIUM, "A"), (HARD, "B"), (CHOICE, "B"))
    assert (
        score_rows("vsibench", every, "lmms_eval_0_7")[1]["overall"]
        == score_rows("vsibench", every)[1]["overall"]
    )
    for rows in (rows_of((CHOICE, "A")), rows_of((MEDIUM, "A"), (HARD, "A"), (CHOICE, "A"))):
        summary = score_rows("vsibench", rows, "lmms_eval_0_7")[1]
        assert summary["overall"] is None
        assert summary["error"].startswith("KeyError")
        assert summary["tasks"] == {CHOICE: 1.0}
