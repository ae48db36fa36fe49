"""VSTI-Bench: nine question types, five tasks (distances to two, three or four objects are one, as are relative
positions along three axes), and one more that only this project asks.

Profile `official` equals the evaluator released with VLM-3R (VITA-Group/VLM-3R, lmms-eval task `vstibench`), errors
included; choices are scored against `mc_answer`. Profile `strict` mends these errors of it:

1. Answers are read, and numbers divided, as in VSI-Bench (`vsibench`, errors 1 to 6 and 8).
2. Question types that it does not know are held against the text of the answer, where every other choice is held
   against the letter. Strict knows `camera_movement_direction_two_axis` as a choice, and leaves out what it does not
   know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from spatial_assets.scoring.metrics import group_means, running_mean, task_means
from spatial_assets.scoring.profile import Profile, Scorer, Scores, Summary, TaskIndex
from spatial_assets.scoring.vsibench import (
    official_choice_score,
    official_number_score,
    strict_choice_score,
    strict_number_score,
)

TITLE = "VSTI-Bench"
LEVELS: Mapping[str, Sequence[str]] = {}
RELATIVE_DISTANCE, RELATIVE_POSITION = "camera_obj_rel_dist", "obj_obj_relative_pos"
MERGED: Mapping[str, tuple[str, ...]] = {
    RELATIVE_DISTANCE: tuple(f"{RELATIVE_DISTANCE}_{version}" for version in ("v1", "v2", "v3")),
    RELATIVE_POSITION: tuple(f"{RELATIVE_POSITION}_{axis}" for axis in ("lr", "nf", "ud")),
}
PUBLISHED = ("camera_movement_direction", *(name for names in MERGED.values() for name in names))
CHOICES = (*PUBLISHED, "camera_movement_direction_two_axis")
UNITS: Mapping[str, str] = {"camera_displacement": "m", "camera_obj_abs_dist": "m"}
"""The number questions, and the unit that each asks for."""


def _aggregate(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> Summary:
    """Types in alphabetical order, then what is merged, of the types that are present."""
    means = task_means(scores, tasks, names)
    merged = {name: mean for name, mean in means.items() if not any(name in own for own in MERGED.values())}
    for task, own in MERGED.items():
        present = [means[name] for name in own if name in means]
        if present:
            merged[task] = running_mean(present)
    return {"tasks": merged, "levels": {}, "overall": running_mean(merged.values()), "question_types": means}


def _strict_aggregate(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> Summary:
    means = task_means(scores, tasks, names)
    merged = group_means(means, MERGED)
    return {"tasks": merged, "levels": {}, "overall": running_mean(merged.values()), "question_types": means}


def _by_type(choices: Sequence[str], choice: Scorer, number: Scorer) -> dict[str, Scorer]:
    return {**dict.fromkeys(choices, choice), **dict.fromkeys(UNITS, number)}


def _gold(choices: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {**dict.fromkeys(choices, ("mc_answer",)), **dict.fromkeys(UNITS, ("ground_truth",))}


_TASK_FIELDS = ("question_type", "task")

PROFILES = (
    Profile(
        name="official",
        task_fields=_TASK_FIELDS,
        scorers=_by_type(
            PUBLISHED, partial(official_choice_score, answer_field="mc_answer"), official_number_score
        ),
        gold_fields=_gold(PUBLISHED),
        aggregate=_aggregate,
        stops_on_error=True,
    ),
    Profile(
        name="strict",
        task_fields=_TASK_FIELDS,
        scorers=_by_type(
            CHOICES,
            partial(strict_choice_score, answer_field="mc_answer"),
            partial(strict_number_score, unit="m"),
        ),
        gold_fields=_gold(CHOICES),
        aggregate=_strict_aggregate,
        stops_on_error=False,
    ),
)
