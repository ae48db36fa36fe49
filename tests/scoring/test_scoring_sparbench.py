"""SPAR-Bench: hand-derived cases of each rule, and the released rules written out slowly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spatial_assets.scoring import sparbench
from spatial_assets.scoring.profile import Unscorable
from spatial_assets.scoring.registry import find_profile
from spatial_assets.scoring.run import score_rows

OFFICIAL = find_profile("sparbench", "official").scorers
STRICT = find_profile("sparbench", "strict").scorers
VLMEVALKIT = find_profile("sparbench", "vlmevalkit").scorers
SINGLE, MULTI, CHOICE, VIEW = (
    "depth_prediction_oc",
    "distance_prediction_oo_mv",
    "position_matching",
    "view_change_infer",
)
GOLD_VIEW = "move_right:1.6,move_down:0,move_backward:0,rotate_up:15,rotate_left:75"
KEYS = [key for axis in sparbench.AXES for key in axis]

number_like = st.text(alphabet="0123456789..^^-+e, m٣१\n", max_size=14)
letters = st.text(alphabet="ABCDabcd. )(:\nİß", max_size=6)
amounts = st.sampled_from(
    ["0", "0.1", "0.4", "1.6", "5", "15", "75", "-1.6", "nan", "inf", "1e400", " 2 ", "x", "", "1_0"]
)
items = st.tuples(
    st.sampled_from([*KEYS, " move_left", "confidence", ""]),
    st.sampled_from([":", ":", ":", "", "::"]),
    amounts,
)
views = st.lists(items.map("".join), max_size=6).map(",".join) | st.text(max_size=8)


def naive_mra(pred: float, target: float) -> float:
    p, t = np.float64(pred), np.float64(target)
    with np.errstate(all="ignore"):
        error = abs(p - t) if t == 0 else abs((p - t) / t)
        return float((error <= 1 - np.linspace(0.5, 0.95, 10)).mean())


def naive_numbers(text: str) -> list[float]:
    """Every run of digits with its fraction, except that a digit right after ^ starts none."""
    found, at = [], 0
    while at < len(text):
        if not text[at].isdecimal() or (at > 0 and text[at - 1] == "^"):
            at += 1
            continue
        end = at
        while end < len(text) and text[end].isdecimal():
            end += 1
        if end + 1 < len(text) and text[end] == "." and text[end + 1].isdecimal():
            end += 1
            while end < len(text) and text[end].isdecimal():
                end += 1
        found.append(float(text[at:end]))
        at = end
    return found


def naive_number_score(task: str, prediction: str, truth: str) -> float:
    numbers = naive_numbers(prediction)
    try:
        target = float(truth)
    except ValueError:
        return 0.0
    if task.endswith("_mv"):
        return naive_mra(numbers[-1] if numbers else -1, target)
    return naive_mra(numbers[0], target) if numbers else 0.0


def naive_view_score(prediction: str, truth: str) -> float:
    signed = []
    for text in (truth, prediction):
        values = {}
        for item in text.split(","):
            if item.count(":") != 1:
                return 0.0
            key, value = item.split(":")
            try:
                values[key] = float(value)
            except ValueError:
                return 0.0
        signed.append([values.get(plus, 0.0) - values.get(minus, 0.0) for plus, minus in sparbench.AXES])
    return float(np.mean([naive_mra(gold, pred) for gold, pred in zip(*signed, strict=True)]))


def official(task: str, prediction: object, truth: object) -> float:
    return OFFICIAL[task]({"prediction": prediction, "ground_truth": truth})


def strict(task: str, prediction: object, truth: object) -> float:
    return STRICT[task]({"prediction": prediction, "ground_truth": truth})


def test_twenty_tasks_in_three_levels() -> None:
    assert len(OFFICIAL) == 20
    assert {level: len(tasks) for level, tasks in sparbench.LEVELS.items()} == {
        "Low": 8,
        "Middle": 3,
        "High": 9,
    }
    assert sorted(task for tasks in sparbench.LEVELS.values() for task in tasks) == sorted(OFFICIAL)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([SINGLE, MULTI]),
    number_like,
    st.sampled_from(["0", "1.5", "3", "-1", "-0.8", "nan", "inf", "x", ""]),
)
@example(SINGLE, "2^35", "5")
@example(MULTI, "2^35", "5")
@example(MULTI, "none", "-1")
@example(SINGLE, "1.5.2", "1.5")
@example(MULTI, "1.5.2", "2")
def test_official_numbers(task: str, prediction: str, truth: str) -> None:
    assert official(task, prediction, truth) == naive_number_score(task, prediction, truth)


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 100))
def test_official_numbers_of_one_decimal(prediction: int, truth: int) -> None:
    p, t = str(prediction / 10), str(truth / 10)
    assert official(SINGLE, p, t) == naive_mra(float(p), float(t))


@settings(max_examples=300, deadline=None)
@given(letters, letters)
def test_official_choices(prediction: str, truth: str) -> None:
    p, t = prediction.lower(), truth.lower()
    wanted = 1.0 if p == t or p in t or p[:1] == t else 0.0
    assert official(CHOICE, prediction, truth) == wanted


@settings(max_examples=400, deadline=None)
@given(views, views)
@example(GOLD_VIEW, GOLD_VIEW)
@example("move_right:0", GOLD_VIEW)
@example("move_right:nan", "move_right:1")
@example("move_right:inf,rotate_up:inf,rotate_down:inf", GOLD_VIEW)
def test_official_view_changes(prediction: str, truth: str) -> None:
    assert official(VIEW, prediction, truth) == naive_view_score(prediction, truth)


def test_official_errors() -> None:
    assert official(CHOICE, "", "A") == 1.0
    assert official(CHOICE, "Answer: B", "A") == 1.0
    assert official(CHOICE, " B", "B") == 0.0
    assert official(SINGLE, "-1.5", "1.5") == 1.0
    assert official(SINGLE, "between 1.0 and 2.0", "1.0") == 1.0
    assert official(MULTI, "between 1.0 and 2.0", "2.0") == 1.0
    # Overshooting one axis by 10 % of the truth is 9 % of the prediction.
    assert official(VIEW, GOLD_VIEW.replace("1.6", "1.76"), GOLD_VIEW) == pytest.approx(0.98)
    assert official(VIEW, "move_right:0,rotate_up:0", "move_right:0.3") == pytest.approx((0.5 + 4) / 5)


def test_official_predictions_that_are_not_text() -> None:
    for value in (None, 1.5, True, [], {}):
        assert official(SINGLE, value, "1.5") == 0.0
        assert official(VIEW, value, GOLD_VIEW) == 0.0
        with pytest.raises(Unscorable) as raised:
            official(CHOICE, value, "A")
        assert raised.value.kind == "AttributeError"
    assert official(SINGLE, "1.5", 1.5) == 1.0


def test_official_integers_that_python_refuses() -> None:
    """One integer beyond Python's limit of digits anywhere in the text is an exception, which scores 0."""
    assert official(SINGLE, "1.5 and " + "9" * 4300, "1.5") == 1.0
    assert official(SINGLE, "1.5 and " + "9" * 4301, "1.5") == 0.0
    assert official(SINGLE, "1.5 and 0." + "9" * 5000, "1.5") == 1.0


@pytest.mark.parametrize(
    ("prediction", "truth", "wanted"),
    [
        ("", "A", 0.0),
        (".", "B.", 0.0),
        ("B", "B", 1.0),
        ("(B)", "B", 1.0),
        ("**b**", "B", 1.0),
        (" B", "B.", 1.0),
        ("Ｂ", "B", 1.0),
        ("\u202bB\u202c", "B", 1.0),
        ("Based on the image, it is A", "B", 0.0),
        ("Based on the image, it is A", "A", 1.0),
        ("The answer is B", "B", 1.0),
        ("Option A is too far. The answer is B.", "B", 1.0),
        ("<think>A? B? C!</think> C", "C", 1.0),
        ("<answer>A</answer> no, <answer>D</answer>", "D", 0.0),
        ("\\boxed{C}", "C", 1.0),
        ("A chair stands before a lamp that is farther away, so B", "B", 1.0),
        ("A chair stands before a lamp that is farther away", "A", 0.0),
        ("A left", "A", 1.0),
        ("A, B", "B", 0.0),
        ("Neither A nor B", "B", 0.0),
        ("AB", "A", 0.0),
        (None, "A", 0.0),
        (3, "A", 0.0),
    ],
)
def test_strict_choices(prediction: object, truth: str, wanted: float) -> None:
    assert strict(CHOICE, prediction, truth) == wanted


@pytest.mark.parametrize(
    ("prediction", "truth", "wanted"),
    [
        ("1.5", "1.5", 1.0),
        (1.5, "1.5", 1.0),
        ("-1.5", "1.5", 0.0),
        (".5", "0.5", 1.0),
        ("1,200", "1200", 1.0),
        ("1e1", "10", 1.0),
        ("150 cm", "1.5", 1.0),
        ("1500mm", "1.5", 1.0),
        ("35 centimeters", "0.35", 1.0),
        ("1.5 meters", "1.5", 1.0),
        ("object0: 1.5", "1.5", 1.0),
        ("1.5 m (4.9 ft)", "1.5", 1.0),
        ("Step 1: look. Step 2: measure. The answer is 1.5", "1.5", 1.0),
        ("two", "2", 1.0),
        ("٣", "3", 1.0),
        ("between 1.0 and 2.0", "1.0", 0.0),
        ("1.5-2.0", "2.0", 0.0),
        ("1.5.2", "1.5", 0.0),
        ("nan", "1.5", 0.0),
        ("inf", "1.5", 0.0),
        ("", "1.5", 0.0),
        (None, "1.5", 0.0),
        ([1.5], "1.5", 0.0),
        ("1.5", 1.5, 1.0),
    ],
)
def test_strict_numbers(prediction: object, truth: object, wanted: float) -> None:
    assert strict(SINGLE, prediction, truth) == strict(MULTI, prediction, truth) == wanted


@pytest.mark.parametrize(
    ("prediction", "wanted"),
    [
        (GOLD_VIEW, 1.0),
        (" " + GOLD_VIEW, 1.0),
        (GOLD_VIEW.replace(",", "; "), 1.0),
        (f"```\n{GOLD_VIEW}\n```", 1.0),
        (GOLD_VIEW.replace("_", " "), 1.0),
        (GOLD_VIEW.replace("1.6", "160 cm"), 1.0),
        (GOLD_VIEW.replace("75", "75°"), 1.0),
        (GOLD_VIEW.replace("rotate_left:75", "rotate_right:285"), 1.0),
        (GOLD_VIEW.replace("1.6", "0.8"), 0.82),
        (GOLD_VIEW.replace("1.6", "3.2"), 0.8),
        ("move_right:1.6", 0.6),
        ("I cannot determine", 0.0),
        ("", 0.0),
        (None, 0.0),
    ],
)
def test_strict_view_changes(prediction: object, wanted: float) -> None:
    assert strict(VIEW, prediction, GOLD_VIEW) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("task", [SINGLE, MULTI, CHOICE, VIEW])
@pytest.mark.parametrize("truth", [None, "", "?", [], True])
def test_strict_reports_unreadable_truths(task: str, truth: object) -> None:
    with pytest.raises(Unscorable):
        strict(task, "1", truth)


def test_vlmevalkit_divides_by_the_truth_and_passes_over_odd_items() -> None:
    row = {"prediction": GOLD_VIEW.replace("0.8", "1.6").replace("1.6", "0.8"), "ground_truth": GOLD_VIEW}
    assert VLMEVALKIT[VIEW](row) == 0.82
    assert VLMEVALKIT[VIEW]({"prediction": "I cannot determine", "ground_truth": GOLD_VIEW}) == 0.4
    assert VLMEVALKIT[SINGLE]({"prediction": "<think>3 or 4</think>two", "ground_truth": "2"}) == 1.0
    assert VLMEVALKIT[CHOICE]({"prediction": None, "ground_truth": "A"}) == 0.0


rows_of_tasks = st.lists(
    st.tuples(
        st.sampled_from([SINGLE, MULTI, "depth_prediction_oo", CHOICE, "spatial_imagination_oc", VIEW]),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


@settings(deadline=None)
@given(rows_of_tasks)
def test_official_aggregate(pairs: list[tuple[str, bool]]) -> None:
    """Task means in alphabetical order are added from the left; Middle leaves view change out."""
    right = {SINGLE: "1.0", MULTI: "1.0", "depth_prediction_oo": "1.0", VIEW: GOLD_VIEW}
    wrong = {SINGLE: "1.1", MULTI: "1.3", "depth_prediction_oo": "1.4", VIEW: "move_right:1"}
    rows = [
        {
            "task": task,
            "prediction": (right if good else wrong).get(task, "A" if good else "C"),
            "ground_truth": right.get(task, "A"),
        }
        for task, good in pairs
    ]
    scored, summary = score_rows("sparbench", rows)
    by_task: dict[str, list[float]] = {}
    for row in scored:
        by_task.setdefault(row["task"], []).append(row["score"])
    means = {task: np.mean(by_task[task]) for task in sorted(by_task)}
    total = np.float64(0)
    for mean in means.values():
        total = total + mean
    assert summary["tasks"] == means
    assert summary["overall"] == total / len(means)
    low = [means[task] for task in means if task in sparbench.LEVELS["Low"]]
    assert summary["levels"]["Low"] == (np.mean(low) if low else None)
    assert summary["levels"]["Middle"] == means.get(CHOICE)
    assert summary["levels"]["High"] == means.get("spatial_imagination_oc")
    middle = [means[task] for task in (CHOICE, VIEW) if task in means]
    assert summary["middle"]["with_view_change"] == (np.mean(middle) if middle else None)
    strict_summary = score_rows("sparbench", rows, "strict")[1]
    assert strict_summary["levels"]["Middle"] == strict_summary["middle"]["with_view_change"]


def test_vlmevalkit_aggregate_has_three_middle_tasks_and_no_empty_level() -> None:
    rows = [
        {"task": VIEW, "prediction": "", "ground_truth": "move_right:1"},
        {"task": CHOICE, "prediction": "A", "ground_truth": "A"},
    ]
    summary = score_rows("sparbench", rows, "vlmevalkit")[1]
    assert summary["tasks"] == {CHOICE: 1.0, VIEW: 0.8}
    assert summary["levels"] == {"Low": 0.0, "Middle": 0.9, "High": 0.0}
    assert summary["overall"] == 0.9
