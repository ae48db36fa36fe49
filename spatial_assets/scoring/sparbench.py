"""SPAR-Bench: 20 tasks of one answer form each, in three levels.

Profile `official` equals the released evaluator (LogosRoboticsGroup/SPAR, lmms-eval task `sparbench`),
errors included. Profile `vlmevalkit` follows VLMEvalKit's rule-based scorer (see `vlmevalkit`). Profile
`strict` mends these errors of the released one:

1. An empty prediction, or any part of the answer's text such as ".", counts as a right choice. Strict: no
   letter, no point.
2. A text whose first character is the right letter counts ("Based on ..., it is A" for B); "(B)", " B",
   "**B**" and "The answer is B" do not. Strict reads the chosen letter wherever it stands; two different
   choices are none.
3. A prediction that is not text stops the run on a choice question. Strict: numbers are read as text,
   anything else is no answer.
4. A minus sign, a thousands comma, a leading point and an exponent are dropped, and a digit in a name
   ("object0") is a number. Strict reads them as written.
5. Of several numbers the first counts in single-view tasks, the last in multi-view ones. Strict takes the
   number that the text calls its answer, or the only one outside parentheses; otherwise none. Nor has a text
   that ends within its thinking, or names two answers, any.
6. Units are ignored ("150 cm" is 150 m). Strict converts metric and English lengths; a number with another unit is
   no answer.
7. View change divides the error by the prediction, so overshooting is cheap. Strict divides by the ground
   truth (an axis whose truth is 0 keeps the absolute error, in meters or degrees).
8. View change fails as a whole for one odd item, unit or separator, and a leading space hides a key. Strict
   reads every item that it can; no readable item at all scores 0 and not what standing still would.
9. Yaw is not wrapped: right 285 is not left 75. Strict wraps it.
10. View change never enters the Middle level: cutting `view_change_infer_vci_metric` at its last underscore
    gives a name that is in no list. Strict counts it. Both means stand in every summary under `middle`.
11. A ground truth that cannot be read scores 0 for everyone. Strict reports the row as an error and leaves
    it out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, partial

import numpy as np

from spatial_assets.scoring import reading, vlmevalkit
from spatial_assets.scoring.metrics import (
    MEAN_OF_HITS,
    limits_met,
    mean_relative_accuracy,
    numpy_mean,
    relative_error,
    running_mean,
    task_means,
    to_float,
)
from spatial_assets.scoring.profile import (
    NoAnswer,
    Profile,
    Row,
    Scorer,
    Scores,
    Summary,
    TaskIndex,
    Unscorable,
    text_of,
)
from spatial_assets.scoring.quantities import Unclear

SINGLE_VIEW_NUMBERS = (
    "depth_prediction_oc",
    "depth_prediction_oo",
    "distance_prediction_oc",
    "distance_prediction_oo",
)
MULTI_VIEW_NUMBERS = (
    "depth_prediction_oc_mv",
    "depth_prediction_oo_mv",
    "distance_prediction_oc_mv",
    "distance_prediction_oo_mv",
)
VIEW_CHANGE = "view_change_infer"
CHOICES = (
    "obj_spatial_relation_oo",
    "obj_spatial_relation_oc_mv",
    "obj_spatial_relation_oo_mv",
    "spatial_imagination_oc",
    "spatial_imagination_oo",
    "spatial_imagination_oc_mv",
    "spatial_imagination_oo_mv",
    "position_matching",
    "camera_motion_infer",
    "distance_infer_center_oo",
    "distance_infer_center_oo_mv",
)
NUMBERS = SINGLE_VIEW_NUMBERS + MULTI_VIEW_NUMBERS
TITLE = "SPAR-Bench"
MERGED: Mapping[str, Sequence[str]] = {}
LEVELS: Mapping[str, tuple[str, ...]] = {
    "Low": NUMBERS,
    "Middle": ("position_matching", "camera_motion_infer", VIEW_CHANGE),
    "High": tuple(task for task in CHOICES if task not in ("position_matching", "camera_motion_infer")),
}
AXES = (
    ("move_right", "move_left"),
    ("move_up", "move_down"),
    ("move_forward", "move_backward"),
    ("rotate_right", "rotate_left"),
    ("rotate_up", "rotate_down"),
)
"""Positive and negative key of each signed axis, in the order in which the released code averages them."""
YAW = 3
"""Index of the axis that turns full circle."""

_NUMBER = re.compile(r"(?<!\^)\d+\.\d+|(?<!\^)\d+")
MAX_INTEGER_DIGITS = 4300
"""Python refuses to convert an integer of more digits, and the released code converts every one it finds."""


@cache
def _mean_over_axes(hits: tuple[int, ...]) -> float:
    # Five axes of eleven values each: the cache stays small, and numpy's own mean decides the last bit.
    return float(np.mean([MEAN_OF_HITS[count] for count in hits]))


def _official_number(text: str, take: int, absent: float | None) -> float | None:
    """The first or last number of a text, `absent` if it has none, None where the released code fails."""
    numbers = _NUMBER.findall(text)
    if not numbers:
        return absent
    if len(text) > MAX_INTEGER_DIGITS and any(
        len(number) > MAX_INTEGER_DIGITS and "." not in number for number in numbers
    ):
        return None
    return float(numbers[take])


def _official_number_score(row: Row, take: int, absent: float | None) -> float:
    prediction = row["prediction"]
    truth = to_float(row["ground_truth"])
    if truth is None or not isinstance(prediction, str):
        return 0.0
    number = _official_number(prediction, take, absent)
    return 0.0 if number is None else mean_relative_accuracy(relative_error(number, truth))


def _official_choice_score(row: Row) -> float:
    prediction = text_of(row, "prediction").lower()
    truth = text_of(row, "ground_truth").lower()
    return 1.0 if prediction in truth or prediction[0] == truth else 0.0


def _official_motion(instruction: object) -> tuple[float, ...] | None:
    """The five signed axes of "key:value,key:value", None if any part of it is out of form."""
    if not isinstance(instruction, str):
        return None
    values: dict[str, float] = {}
    for item in instruction.split(","):
        parts = item.split(":")
        if len(parts) != 2:
            return None
        value = to_float(parts[1])
        if value is None:
            return None
        values[parts[0]] = value
    return tuple(values.get(plus, 0) - values.get(minus, 0) for plus, minus in AXES)


def _official_view_change_score(row: Row) -> float:
    prediction = _official_motion(row["prediction"])
    truth = _official_motion(row["ground_truth"])
    if prediction is None or truth is None:
        return 0.0
    # The released code hands its arguments over in swapped order: the prediction is the reference.
    return _mean_over_axes(
        tuple(
            limits_met(relative_error(estimate, reference))
            for estimate, reference in zip(truth, prediction, strict=True)
        )
    )


def _strict_number_score(row: Row) -> float:
    truth = reading.true_number(row["ground_truth"])
    try:
        number = reading.number(reading.response(row["prediction"]), unit="m")
    except Unclear as why:
        return NoAnswer(str(why))
    return mean_relative_accuracy(relative_error(number, truth))


def _strict_choice_score(row: Row) -> float:
    truth = reading.true_letter(row["ground_truth"])
    try:
        return 1.0 if reading.letter(reading.response(row["prediction"])) == truth else 0.0
    except Unclear as why:
        return NoAnswer(str(why))


def _strict_view_change_score(row: Row) -> float:
    try:
        truth = reading.motion(reading.response(row["ground_truth"]))
    except Unclear:
        raise Unscorable("ValueError", "ground_truth is not a view change") from None
    try:
        prediction = reading.motion(reading.response(row["prediction"]))
    except Unclear as why:
        return NoAnswer(str(why))
    hits = []
    for axis, (plus, minus) in enumerate(AXES):
        estimate = prediction.get(plus, 0.0) - prediction.get(minus, 0.0)
        reference = truth.get(plus, 0.0) - truth.get(minus, 0.0)
        if axis == YAW:
            reference = reading.wrapped(reference)
            estimate = reference + reading.wrapped(estimate - reference)
        hits.append(limits_met(relative_error(estimate, reference)))
    return _mean_over_axes(tuple(hits))


def _middle(means: Mapping[str, float]) -> Summary:
    tasks = [task for task in sorted(means) if task in LEVELS["Middle"]]
    return {
        "with_view_change": numpy_mean([means[task] for task in tasks]),
        "without_view_change": numpy_mean([means[task] for task in tasks if task != VIEW_CHANGE]),
    }


def _aggregate(
    scores: Scores, tasks: TaskIndex, names: Sequence[str], view_change_is_middle: bool
) -> Summary:
    means = task_means(scores, tasks, names)
    middle = _middle(means)
    levels = {
        level: numpy_mean([means[task] for task in means if task in members])
        for level, members in LEVELS.items()
    }
    levels["Middle"] = middle["with_view_change" if view_change_is_middle else "without_view_change"]
    return {"tasks": means, "levels": levels, "overall": running_mean(means.values()), "middle": middle}


def _vlmevalkit_aggregate(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> Summary:
    """Choices first, then numbers, then view change, tasks in order of appearance; an absent level is 0."""
    means = task_means(scores, tasks, names)
    appearance = list(dict.fromkeys(names[index] for index in tasks.tolist()))
    kinds = (CHOICES, NUMBERS, (VIEW_CHANGE,))
    ordered = [means[task] for kind in kinds for task in appearance if task in kind]
    levels = {}
    for level, members in vlmevalkit.LEVELS.items():
        present = [means[task] for task in members if task in means]
        levels[level] = numpy_mean(present) if present else 0.0
    return {
        "tasks": means,
        "levels": levels,
        "overall": numpy_mean(ordered) if ordered else 0.0,
        "middle": _middle(means),
    }


def _by_task(
    single_view: Scorer, multi_view: Scorer, choice: Scorer, view_change: Scorer
) -> dict[str, Scorer]:
    return {
        **dict.fromkeys(SINGLE_VIEW_NUMBERS, single_view),
        **dict.fromkeys(MULTI_VIEW_NUMBERS, multi_view),
        **dict.fromkeys(CHOICES, choice),
        VIEW_CHANGE: view_change,
    }


_TASK_FIELDS = ("task", "question_type")
_GOLD_FIELDS = dict.fromkeys((*NUMBERS, *CHOICES, VIEW_CHANGE), ("ground_truth",))

PROFILES = (
    Profile(
        name="official",
        task_fields=_TASK_FIELDS,
        scorers=_by_task(
            partial(_official_number_score, take=0, absent=None),
            partial(_official_number_score, take=-1, absent=-1.0),
            _official_choice_score,
            _official_view_change_score,
        ),
        gold_fields=_GOLD_FIELDS,
        aggregate=partial(_aggregate, view_change_is_middle=False),
        stops_on_error=True,
    ),
    Profile(
        name="strict",
        task_fields=_TASK_FIELDS,
        scorers=_by_task(
            _strict_number_score, _strict_number_score, _strict_choice_score, _strict_view_change_score
        ),
        gold_fields=_GOLD_FIELDS,
        aggregate=partial(_aggregate, view_change_is_middle=True),
        stops_on_error=False,
    ),
    Profile(
        name="vlmevalkit",
        task_fields=_TASK_FIELDS,
        scorers=_by_task(
            vlmevalkit.number_score,
            vlmevalkit.number_score,
            vlmevalkit.choice_score,
            vlmevalkit.view_change_score,
        ),
        gold_fields=_GOLD_FIELDS,
        aggregate=_vlmevalkit_aggregate,
        stops_on_error=True,
    ),
)
