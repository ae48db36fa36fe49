"""VSI-Bench: ten question types, eight tasks (the three relative-direction levels are one).

Profile `official` equals the released evaluator (vision-x-nyu/thinking-in-space, lmms-eval task
`vsibench`), errors included. Profile `spatial_mllm` equals Spatial-MLLM's evaluator: another reading of the
response and a strict `<` in float32, so its scores cannot be compared with official ones. Profile `lmms_eval_0_7`
equals the task `vsibench` of lmms-eval 0.7, which reads the first number wherever it stands in the text, in digits or
in English words ("four", "~4", "<answer>4</answer>" count, "1e1" is 1), and has no overall score without all three
direction levels; it prints what it computes to six decimals. Profile `strict` mends these errors of the official one:

1. Only the text before the first space counts: " A", "(A)", "A)", "**A**", "Answer: A", "A.left" and a
   letter before a line break are wrong. Strict reads the chosen letter wherever it stands; two different
   choices are none.
2. "1,000", " 4", "four" and "about 4" are not numbers. Strict reads thousands commas, number words and
   numbers in a sentence; of several different numbers it takes the one that the text calls its answer,
   otherwise none. A text that ends within its thinking, or names two answers, gives none.
3. Units are not looked at. Strict converts metric and English lengths and areas to the question's unit; a number
   with another unit, or one that is not known, is no answer.
4. A ground truth of 0 stops the run with a ZeroDivisionError. Strict takes the absolute error there.
5. The error is divided by the signed ground truth, so that any answer to a negative one is perfect. Strict
   divides by its absolute value.
6. A prediction that is not text stops the run with an AttributeError. Strict reads numbers as text, and
   anything else as no answer.
7. The aggregate raises a KeyError when easy direction questions are present without medium or hard ones,
   and counts medium and hard as two tasks when easy ones are absent. Strict averages the levels that are
   present.
8. A ground truth that cannot be read scores 0 for everyone. Strict reports the row as an error and leaves
   it out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from ctypes import c_float
from functools import partial

import numpy as np

from spatial_assets.scoring import lmms_eval, reading
from spatial_assets.scoring.metrics import (
    LIMITS,
    first_token,
    group_means,
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
    kind_of,
    text_of,
)
from spatial_assets.scoring.quantities import COUNT, SQUARE_METERS, Unclear

TITLE = "VSI-Bench"
LEVELS: Mapping[str, Sequence[str]] = {}
DIRECTION = "object_rel_direction"
DIRECTION_LEVELS = (f"{DIRECTION}_easy", f"{DIRECTION}_medium", f"{DIRECTION}_hard")
MERGED = {DIRECTION: DIRECTION_LEVELS}
CHOICES = (*DIRECTION_LEVELS, "object_rel_distance", "route_planning", "obj_appearance_order")
UNITS: Mapping[str, str] = {
    "object_abs_distance": "m",
    "object_counting": COUNT,
    "object_size_estimation": "cm",
    "room_size_estimation": SQUARE_METERS,
}
"""The number questions, and the unit that each asks for."""

FLOAT32_EPSILON = c_float(1e-8).value
"""What Spatial-MLLM adds to the ground truth before it divides."""
_FLOAT32_LIMITS = tuple(
    sorted(float(np.float32(1) - np.float32(0.5 + 0.05 * step)) for step in range(LIMITS))
)
_FLOAT32_MEANS = tuple(float(np.float32(hits) / np.float32(LIMITS)) for hits in range(LIMITS + 1))
_SPACES = re.compile(r"\s+")


def official_choice_score(row: Row, answer_field: str) -> float:
    """1 where the first token of the prediction is the answer, letter case aside."""
    token = first_token(text_of(row, "prediction"))
    return 1.0 if token.lower() == text_of(row, answer_field).lower() else 0.0


def official_number_score(row: Row) -> float:
    """MRA of the first token, 0 if either side is no number; raises where the ground truth is 0."""
    number = to_float(first_token(text_of(row, "prediction")))
    truth = to_float(row["ground_truth"])
    if number is None or truth is None:
        return 0.0
    if truth == 0.0:
        raise Unscorable("ZeroDivisionError", "the ground truth is 0")
    return mean_relative_accuracy(abs(number - truth) / truth)


def _lmms_eval_number_score(row: Row) -> float:
    """MRA of the first number in the text, in digits or in English words; raises where the ground truth is 0."""
    try:
        number = lmms_eval.first_number(row["prediction"])
    except OverflowError:
        raise Unscorable("OverflowError", "the number words make a number beyond float64") from None
    truth = to_float(row["ground_truth"])
    if number is None or truth is None:
        return 0.0
    if truth == 0.0:
        raise Unscorable("ZeroDivisionError", "the ground truth is 0")
    return mean_relative_accuracy(abs(number - truth) / truth)


def _spatial_mllm_text(row: Row, field: str) -> str:
    text = row[field]
    if not isinstance(text, str):
        raise Unscorable("TypeError", f"{field} is {kind_of(text)}, not text")
    text = _last_tagged(text)
    return _SPACES.sub(" ", text).strip().rstrip(".").lower()


def _last_tagged(text: str) -> str:
    """What stands in the last pair of answer tags, or all of the text."""
    opening, closing = "<answer>", "</answer>"
    found, position = text, 0
    while True:
        start = text.find(opening, position)
        end = text.find(closing, start + len(opening)) if start >= 0 else -1
        if end < 0:
            return found
        found, position = text[start + len(opening) : end], end + len(closing)


def _spatial_mllm_choice_score(row: Row) -> float:
    prediction = _spatial_mllm_text(row, "prediction")
    return 1.0 if prediction.strip() == _spatial_mllm_text(row, "ground_truth").strip() else 0.0


def _spatial_mllm_number_score(row: Row) -> float:
    number = to_float(_spatial_mllm_text(row, "prediction").replace(",", ""))
    truth = to_float(_spatial_mllm_text(row, "ground_truth").replace(",", ""))
    if number is None or truth is None:
        return 0.0
    # A float32 operation is the float64 one rounded once more: 53 bits are more than twice 24 and two.
    number, truth = c_float(number).value, c_float(truth).value
    difference = c_float(abs(number - truth)).value
    error = c_float(difference / c_float(abs(truth) + FLOAT32_EPSILON).value).value
    if error != error:
        return _FLOAT32_MEANS[0]
    return _FLOAT32_MEANS[LIMITS - bisect_right(_FLOAT32_LIMITS, error)]


def strict_choice_score(row: Row, answer_field: str) -> float:
    """1 where the letter that the response chooses is the answer's."""
    truth = reading.true_letter(row[answer_field])
    try:
        return 1.0 if reading.letter(reading.response(row["prediction"])) == truth else 0.0
    except Unclear as why:
        return NoAnswer(str(why))


def strict_number_score(row: Row, unit: str | None) -> float:
    """MRA of the number that the response gives, in the unit that was asked for."""
    truth = reading.true_number(row["ground_truth"])
    try:
        number = reading.number(reading.response(row["prediction"]), unit)
    except Unclear as why:
        return NoAnswer(str(why))
    return mean_relative_accuracy(relative_error(number, truth))


def _official_aggregate(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> Summary:
    """Types in alphabetical order, the direction last; its levels are merged only if easy ones are there."""
    means = task_means(scores, tasks, names)
    levels = {name: means[name] for name in DIRECTION_LEVELS if name in means}
    merged = {name: mean for name, mean in means.items() if name not in levels}
    if DIRECTION_LEVELS[0] not in levels:
        # Direction levels that stay unmerged count in the overall score but are in no published table.
        summary: Summary = {"tasks": merged, "levels": {}, "overall": running_mean(means.values())}
        return {**summary, "unmerged": levels} if levels else summary
    missing = [name for name in DIRECTION_LEVELS if name not in levels]
    if missing:
        return {
            "tasks": merged,
            "levels": {},
            "overall": float("nan"),
            "error": f"KeyError: no score of {missing[0]} to merge with {DIRECTION_LEVELS[0]}",
            "unmerged": levels,
        }
    merged[DIRECTION] = running_mean(levels[name] for name in DIRECTION_LEVELS)
    return {"tasks": merged, "levels": {}, "overall": running_mean(merged.values()), "question_types": means}


def _lmms_eval_aggregate(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> Summary:
    """As the official one, but all three direction levels must be there, and none must is an error too."""
    means = task_means(scores, tasks, names)
    missing = [name for name in DIRECTION_LEVELS if name not in means]
    if not missing:
        return _official_aggregate(scores, tasks, names)
    levels = {name: means[name] for name in DIRECTION_LEVELS if name in means}
    return {
        "tasks": {name: mean for name, mean in means.items() if name not in levels},
        "levels": {},
        "overall": float("nan"),
        "error": f"KeyError: no score of {missing[0]}",
        "unmerged": levels,
    }


def _spatial_mllm_aggregate(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> Summary:
    """The merged direction first, then the other types; `micro` are means of rows, `macro` means of tasks."""
    means = task_means(scores, tasks, names)
    others = [name for name in means if name not in DIRECTION_LEVELS]
    levels = [means[name] for name in DIRECTION_LEVELS if name in means]
    merged = {DIRECTION: numpy_mean(levels)} if levels else {}
    merged.update((name, means[name]) for name in others)
    is_number = np.array([name in UNITS for name in names], dtype=bool)[tasks]
    kinds = {
        "acc": (scores[~is_number], [merged[name] for name in merged if name not in UNITS]),
        "mra": (scores[is_number], [merged[name] for name in merged if name in UNITS]),
        "all": (scores, list(merged.values())),
    }
    return {
        "tasks": merged,
        "levels": {},
        "overall": numpy_mean(kinds["all"][1]),
        "micro": {kind: numpy_mean(rows) if len(rows) else 0.0 for kind, (rows, _) in kinds.items()},
        "macro": {kind: numpy_mean(parts) if parts else 0.0 for kind, (_, parts) in kinds.items()},
        "question_types": means,
    }


def _strict_aggregate(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> Summary:
    means = task_means(scores, tasks, names)
    merged = group_means(means, MERGED)
    return {"tasks": merged, "levels": {}, "overall": running_mean(merged.values()), "question_types": means}


def _by_type(choice: Scorer, number: Scorer) -> dict[str, Scorer]:
    return {**dict.fromkeys(CHOICES, choice), **dict.fromkeys(UNITS, number)}


_TASK_FIELDS = ("question_type", "task")
_GOLD_FIELDS = dict.fromkeys((*CHOICES, *UNITS), ("ground_truth",))

PROFILES = (
    Profile(
        name="official",
        task_fields=_TASK_FIELDS,
        scorers=_by_type(partial(official_choice_score, answer_field="ground_truth"), official_number_score),
        gold_fields=_GOLD_FIELDS,
        aggregate=_official_aggregate,
        stops_on_error=True,
    ),
    Profile(
        name="spatial_mllm",
        task_fields=_TASK_FIELDS,
        scorers=_by_type(_spatial_mllm_choice_score, _spatial_mllm_number_score),
        gold_fields=_GOLD_FIELDS,
        aggregate=_spatial_mllm_aggregate,
        stops_on_error=True,
    ),
    Profile(
        name="lmms_eval_0_7",
        task_fields=_TASK_FIELDS,
        scorers=_by_type(
            partial(official_choice_score, answer_field="ground_truth"), _lmms_eval_number_score
        ),
        gold_fields=_GOLD_FIELDS,
        aggregate=_lmms_eval_aggregate,
        stops_on_error=True,
    ),
    Profile(
        name="strict",
        task_fields=_TASK_FIELDS,
        scorers={
            **dict.fromkeys(CHOICES, partial(strict_choice_score, answer_field="ground_truth")),
            **{name: partial(strict_number_score, unit=unit) for name, unit in UNITS.items()},
        },
        gold_fields=_GOLD_FIELDS,
        aggregate=_strict_aggregate,
        stops_on_error=False,
    ),
)
