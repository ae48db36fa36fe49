"""A model run's rows as scored tables: scores by row, and by task, level and overall with intervals."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import Field

from spatial_assets.evaluation.names import members
from spatial_assets.evaluation.reading import Rows, plain_truth, task_of
from spatial_assets.evaluation.schemas import PREDICTION_LENGTH, ROWS, SCORES
from spatial_assets.scene.model import InputError
from spatial_assets.scene.parameters import Parameters
from spatial_assets.scoring.bootstrap import (
    CONFIDENCE,
    REPLICATES,
    Interval,
    overall_interval,
    task_intervals,
)
from spatial_assets.scoring.duplicates import question_id
from spatial_assets.scoring.profile import Profile, Scores, Summary, TaskIndex
from spatial_assets.scoring.registry import find_profile
from spatial_assets.scoring.run import RowError, score_rows
from spatial_assets.storage.hashing import hash_text
from spatial_assets.storage.lake import conform

TASK, QUESTION_TYPE, LEVEL, OVERALL = "task", "question_type", "level", "overall"
ROW_LEVEL = "row_level"
"""Of the rows that say they are so hard, as in `occ_level: low`."""
SCORED_ROWS = "scored_rows"
"""Name of the overall score without the rows that have none, where the released evaluation fails on those."""
Name = tuple[str, str]
"""Kind and name of a score."""


class IntervalParameters(Parameters):
    """How the confidence intervals are made."""

    replicates: int = Field(REPLICATES, ge=100, description="bootstrap samples of each interval")
    confidence: float = Field(CONFIDENCE, gt=0, lt=1, description="share of the samples that it covers")


@dataclass(frozen=True)
class Scored:
    """The tables of one run, and what is recorded of it."""

    rows: pa.Table
    scores: pa.Table
    questions: str
    """Hash of the tasks and ground truths; independent of their order and format."""
    errors: int
    note: str | None
    """Why the released evaluation has no overall score."""


def score(
    benchmark: str, profile_name: str, model: str, file: str, given: Rows, parameters: IntervalParameters
) -> Scored:
    """Score a run's rows. Raises InputError, naming `file`, for a row that cannot be read."""
    profile = find_profile(benchmark, profile_name)
    tasks = [task_of(profile, row) for row in given.rows]
    try:
        rows, summary = score_rows(benchmark, given.rows, profile_name)
    except RowError as error:
        raise InputError(file, str(error)) from None
    who = {"benchmark": benchmark, "profile": profile_name, "model": model}
    by_type: dict[str, list[float]] = {}
    for task, row in zip(tasks, rows, strict=True):
        if row["score"] is not None:
            by_type.setdefault(task, []).append(row["score"])
    values = {task: np.array(found, dtype=np.float64) for task, found in by_type.items()}
    errors: dict[str, int] = {}
    for task, row in zip(tasks, rows, strict=True):
        errors[task] = errors.get(task, 0) + (row["score"] is None)
    scores = _scores(benchmark, profile, summary, errors, _intervals(profile, summary, values, parameters))
    scores += _level_scores(profile, summary, tasks, rows, parameters)
    return Scored(
        rows=conform(ROWS, _row_table(profile, who, given.places, tasks, rows)),
        scores=conform(SCORES, [{**who, **row} for row in scores]),
        questions=questions_hash(profile, tasks, rows),
        errors=summary["errors"],
        note=summary.get("error"),
    )


def questions_hash(profile: Profile, tasks: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """A hash of which questions were asked, by their tasks and ground truths: 32 hex digits.

    Only runs on the same questions can be compared. Ids are left out: formats number questions differently.
    """
    asked = sorted(
        json.dumps([task, *(plain_truth(row[field]) for field in profile.gold_fields[task])])
        for task, row in zip(tasks, rows, strict=True)
    )
    return hash_text(*asked)


def text_of(value: Any) -> str | None:
    """A JSON value as a table's text, cut to PREDICTION_LENGTH; text that UTF-8 cannot hold is escaped."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:PREDICTION_LENGTH].encode("utf-8", "backslashreplace").decode("utf-8")


def _row_table(
    profile: Profile,
    who: Mapping[str, str],
    places: Sequence[str],
    tasks: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            **{name: [value] * len(rows) for name, value in who.items()},
            "row": range(1, len(rows) + 1),
            "place": places,
            "question": [text_of(question_id(row)) for row in rows],
            "task": tasks,
            "prediction": [text_of(row["prediction"]) for row in rows],
            "truth": [
                text_of(row[profile.gold_fields[task][0]]) for task, row in zip(tasks, rows, strict=True)
            ],
            "score": [row["score"] for row in rows],
            "error": [row.get("error") if row["score"] is None else None for row in rows],
            "unread": [row.get("unread") for row in rows],
        },
        schema=dict(ROWS.empty().schema),
    )


def _scores(
    benchmark: str,
    profile: Profile,
    summary: Summary,
    errors: Mapping[str, int],
    intervals: Mapping[Name, Interval],
) -> list[dict[str, Any]]:
    """A row for every score that the summary has, and for every task that it has no score of."""
    counts: Mapping[str, int] = summary["counts"]
    found: dict[Name, float | None] = {(TASK, name): value for name, value in summary["tasks"].items()}
    merged = {kind for task in summary["tasks"] for kind in members(benchmark, task)}
    for name in counts:
        if name not in summary["tasks"]:
            types = {**summary.get("question_types", {}), **summary.get("unmerged", {})}
            found[(QUESTION_TYPE if name in merged else TASK, name)] = types.get(name)
    found.update({(LEVEL, name): value for name, value in summary["levels"].items() if value is not None})
    found[(OVERALL, OVERALL)] = summary["overall"]
    if "overall_of_scored_rows" in summary:
        found[(OVERALL, SCORED_ROWS)] = summary["overall_of_scored_rows"]
    chance = summary["chance"]
    rows = []
    for (kind, name), value in found.items():
        of: tuple[str, ...] = ()
        if kind == OVERALL:
            of = tuple(counts)
        elif kind != LEVEL:
            of = (name,) if name in counts else members(benchmark, name)
        interval = intervals.get((kind, name))
        rows.append(
            {
                "kind": kind,
                "name": name,
                "rows": sum(counts.get(member, 0) for member in of) if of else None,
                "errors": sum(errors.get(member, 0) for member in of) if of else None,
                "score": value,
                "low": interval.low if interval and value is not None else None,
                "high": interval.high if interval and value is not None else None,
                "random": _level_of_chance(chance["random"], kind, name),
                "most_frequent": _level_of_chance(chance["most_frequent"], kind, name),
                "most_frequent_answer": text_of(chance["most_frequent"]["answers"].get(name))
                if kind in (TASK, QUESTION_TYPE)
                else None,
            }
        )
    return rows


def _level_scores(
    profile: Profile,
    summary: Summary,
    tasks: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    parameters: IntervalParameters,
) -> list[dict[str, Any]]:
    """A row for each level of each field that says how hard a question is."""
    made = []
    for field, levels in summary.get("by_level", {}).items():
        for level, own in levels.items():
            by_type: dict[str, list[float]] = {}
            for task, row in zip(tasks, rows, strict=True):
                if row.get(field) == level and row["score"] is not None:
                    by_type.setdefault(task, []).append(row["score"])
            values = {task: np.array(found, dtype=np.float64) for task, found in by_type.items()}
            interval = overall_interval(values, profile, parameters.replicates, parameters.confidence)
            made.append(
                {
                    "kind": ROW_LEVEL,
                    "name": f"{field}: {level}",
                    "rows": own["rows"],
                    "errors": own["errors"],
                    "score": own["overall"],
                    "low": None if interval is None else interval.low,
                    "high": None if interval is None else interval.high,
                    **own["chance"],
                    "most_frequent_answer": None,
                }
            )
    return made


def _level_of_chance(chance: Mapping[str, Any], kind: str, name: str) -> float | None:
    if kind == OVERALL:
        overall: float | None = chance["overall"]
        return overall
    level: float | None = (chance["levels"] if kind == LEVEL else chance["tasks"]).get(name)
    return level


def _intervals(
    profile: Profile,
    summary: Summary,
    values: Mapping[str, Scores],
    parameters: IntervalParameters,
) -> dict[Name, Interval]:
    """Intervals of question types, and of everything that the profile makes of them."""
    replicates, confidence = parameters.replicates, parameters.confidence
    intervals: dict[Name, Interval] = {}
    for task, interval in task_intervals(values, replicates, confidence).items():
        intervals[(TASK, task)] = intervals[(QUESTION_TYPE, task)] = interval
    aggregate = _remembering(profile)
    wanted: list[tuple[Name, Callable[[Summary], float]]] = [
        ((OVERALL, OVERALL), lambda found: found["overall"]),
        *(((LEVEL, name), _entry("levels", name)) for name in summary["levels"]),
        *(((TASK, name), _entry("tasks", name)) for name in summary["tasks"] if name not in values),
    ]
    for name, pick in wanted:

        def picked(
            scores: Scores, tasks: TaskIndex, names: Sequence[str], pick: Callable[[Summary], float] = pick
        ) -> Summary:
            return {"overall": pick(aggregate(scores, tasks, names))}

        found = overall_interval(values, replace(profile, aggregate=picked), replicates, confidence)
        if found is not None:
            intervals[name] = found
    if (OVERALL, OVERALL) in intervals:
        intervals[(OVERALL, SCORED_ROWS)] = intervals[(OVERALL, OVERALL)]
    return intervals


def _entry(part: str, name: str) -> Callable[[Summary], float]:
    return lambda found: found[part].get(name, float("nan"))


def _remembering(profile: Profile) -> Callable[[Scores, TaskIndex, Sequence[str]], Summary]:
    """The profile's aggregate, computed once for each draw: every level looks at the same ones."""
    known: dict[bytes, Summary] = {}

    def aggregate(scores: Scores, tasks: TaskIndex, names: Sequence[str]) -> Summary:
        key = scores.tobytes()
        if key not in known:
            known[key] = profile.aggregate(scores, tasks, names)
        return known[key]

    return aggregate
