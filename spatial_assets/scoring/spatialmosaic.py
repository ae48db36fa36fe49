"""SpatialMosaic: 17 question types, scored as choices (against `mc_answer`), by MRA, or by MPA for image
points.

Profile `official` equals the released evaluator (Kanghee-Lee/SpatialMosaic-project, indoor), errors
included. Profile `strict` mends these errors of it:

1. Choices and numbers are read from the text before the first space, as in VSI-Bench; strict reads as
   described there (`vsibench`, errors 1 to 3).
2. A ground truth of 0 stops the run, and any answer to a negative one is perfect (`vsibench`, errors 4 and
   5).
3. A prediction, or a `mc_answer`, that is not text stops the run with an AttributeError. Strict reads
   numbers as text, and anything else as no answer; a ground truth that cannot be read is reported as the
   row's error.
4. A coordinate of more than some 150 digits stops the run with an OverflowError. Strict scores 0.
5. Any two numbers are taken for a point, the first pair of several for the answer. Strict takes the only
   pair in brackets, else the only bare pair, else two numbers if there are no more; different pairs are no
   answer.
6. A box without extent scores 0 for everyone. Strict reports the row as an error and leaves it out.
7. Left-right, above-below and front-behind count as three tasks each, so that relation tasks weigh three
   times as much as others. Strict averages them into one task, which gives the eleven tasks of the
   publication.

The lenient MPA limits (up to 1.4 diagonals) are the metric's definition and stay.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from spatial_assets.scoring import reading
from spatial_assets.scoring.metrics import (
    MEAN_OF_HITS,
    POINT_LIMITS,
    group_means,
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
)
from spatial_assets.scoring.quantities import COUNT, Unclear
from spatial_assets.scoring.vsibench import (
    official_choice_score,
    official_number_score,
    strict_choice_score,
    strict_number_score,
)

TITLE = "SpatialMosaic"
LEVELS: Mapping[str, Sequence[str]] = {}
AXES = ("ab", "fb", "lr")
"""Above-below, front-behind, left-right."""
BY_AXIS = ("obj_attribute_occ", "obj_existence_occ", "obj_spatial_occ")
MERGED: Mapping[str, tuple[str, ...]] = {task: tuple(f"{task}_{axis}" for axis in AXES) for task in BY_AXIS}
CHOICES = (
    "bestview_count_occ",
    "obj_count_occ",
    "obj_localization_occ",
    *(name for names in MERGED.values() for name in names),
)
UNITS: Mapping[str, str | None] = {
    "obj_count_occ_na": COUNT,
    "obj_distance_occ_na": "m",
    "obj_obj_distance_occ_na": "m",
    "obj_size_occ_na": None,
}
"""The number questions, and the unit of their answers where it is known."""
LOCALIZATION = "obj_localization_occ_na"
ROW_LEVELS: Mapping[str, Sequence[str]] = {
    "occ_level": ("low", "medium", "high", "very high"),
    "overlap_level": ("low", "medium", "high"),
    "vis_level": ("Fully Visible", "Partially Visible"),
    "GT Scenario": ("Full Coverage", "Partial Coverage"),
}
"""What rows say of how hard they are, easiest first: a level of overlap is high where views overlap least."""

_COORDINATE = r"\d+(?:\.\d+)?"
_BRACKETED = re.compile(rf"\(\s*(-?{_COORDINATE})\s*,\s*(-?{_COORDINATE})\s*\)")
# A pair can begin inside a run of digits only if it also begins at the run's start, which comes first:
# looking at the starts alone gives the released code's match without its quadratic time on long runs.
_BARE = re.compile(rf"(-?(?<!\d){_COORDINATE})\s*,\s*(-?{_COORDINATE})")
_ANY = re.compile(rf"-?{_COORDINATE}")


def read_point(value: Any) -> tuple[float, float] | None:
    """The first "(x, y)" of the value's text, else the first "x, y", else its first two numbers."""
    text = value if isinstance(value, str) else str(value)
    match = _BRACKETED.search(text) or _BARE.search(text)
    if match is not None:
        return float(match[1]), float(match[2])
    numbers = [match[0] for match, _ in zip(_ANY.finditer(text), range(2), strict=False)]
    return (float(numbers[0]), float(numbers[1])) if len(numbers) == 2 else None


def _diagonal(row: Row) -> float | None:
    diagonal = to_float(row["bbox_2d_diag"])
    return None if diagonal is None or diagonal <= 0 else diagonal


def mean_point_accuracy(distance: float, diagonal: float) -> float:
    """MPA: share of the ten limits with distance <= limit * diagonal, all in pixels."""
    return MEAN_OF_HITS[sum(distance <= diagonal * limit for limit in POINT_LIMITS)]


def _official_point_score(row: Row) -> float:
    prediction, truth, diagonal = (
        read_point(row["prediction"]),
        read_point(row["ground_truth"]),
        _diagonal(row),
    )
    if prediction is None or truth is None:
        return 0.0
    try:
        squared = (prediction[0] - truth[0]) ** 2 + (prediction[1] - truth[1]) ** 2
    except OverflowError:
        raise Unscorable("OverflowError", "the square of a coordinate's error is beyond float64") from None
    return 0.0 if diagonal is None else mean_point_accuracy(math.sqrt(squared), diagonal)


def _strict_point_score(row: Row) -> float:
    try:
        truth, diagonal = reading.point(reading.response(row["ground_truth"])), _diagonal(row)
    except Unclear:
        raise Unscorable("ValueError", "the ground truth is not a point") from None
    if diagonal is None or not math.isfinite(diagonal):
        raise Unscorable("ValueError", "bbox_2d_diag is not a positive number")
    try:
        prediction = reading.point(reading.response(row["prediction"]))
    except Unclear as why:
        return NoAnswer(str(why))
    return mean_point_accuracy(math.dist(prediction, truth), diagonal)


def _official_aggregate(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> Summary:
    means = task_means(scores, tasks, names)
    return {"tasks": means, "levels": {}, "overall": running_mean(means.values())}


def _strict_aggregate(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> Summary:
    means = task_means(scores, tasks, names)
    merged = group_means(means, MERGED)
    return {"tasks": merged, "levels": {}, "overall": running_mean(merged.values()), "question_types": means}


def _by_type(choice: Scorer, numbers: Mapping[str, Scorer], point: Scorer) -> dict[str, Scorer]:
    return {**dict.fromkeys(CHOICES, choice), **numbers, LOCALIZATION: point}


_TASK_FIELDS = ("question_type", "task")
_GOLD_FIELDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(CHOICES, ("mc_answer",)),
    **dict.fromkeys(UNITS, ("ground_truth",)),
    LOCALIZATION: ("ground_truth", "bbox_2d_diag"),
}

PROFILES = (
    Profile(
        name="official",
        task_fields=_TASK_FIELDS,
        scorers=_by_type(
            partial(official_choice_score, answer_field="mc_answer"),
            dict.fromkeys(UNITS, official_number_score),
            _official_point_score,
        ),
        gold_fields=_GOLD_FIELDS,
        aggregate=_official_aggregate,
        stops_on_error=True,
        row_levels=ROW_LEVELS,
    ),
    Profile(
        name="strict",
        task_fields=_TASK_FIELDS,
        scorers=_by_type(
            partial(strict_choice_score, answer_field="mc_answer"),
            {name: partial(strict_number_score, unit=unit) for name, unit in UNITS.items()},
            _strict_point_score,
        ),
        gold_fields=_GOLD_FIELDS,
        aggregate=_strict_aggregate,
        stops_on_error=False,
        row_levels=ROW_LEVELS,
    ),
)
