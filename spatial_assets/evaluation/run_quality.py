"""What cannot be right in scored runs: lost rows, scores that do not follow from them, models below chance."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from spatial_assets.evaluation import model_runs, results
from spatial_assets.evaluation.comparison import fingerprint
from spatial_assets.evaluation.names import members
from spatial_assets.evaluation.page import page_path, stated_fingerprint
from spatial_assets.evaluation.reading import count_rows
from spatial_assets.evaluation.schemas import ROWS
from spatial_assets.evaluation.scored import QUESTION_TYPE, TASK
from spatial_assets.evaluation.scored_run import Result
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.registry import find_profile
from spatial_assets.storage.hashing import hash_file

ERROR, WARN = "ERROR", "WARN"
Problem = tuple[str, str, str]
"""Severity, run and what is wrong."""
TOLERANCE = 1e-12
"""Sums of the same numbers in another order differ by less than this."""
LISTED_ERRORS = 3
"""Different errors of rows that one line names; the table has all."""


def find_problems(home: Path) -> list[Problem]:
    """Everything that is wrong with the scored runs of a home, errors first."""
    found: list[Problem] = []
    for key in model_runs.keys(home):
        result = results.load(home, key)
        if result is None:
            found.append((WARN, key, "not scored yet"))
            continue
        if result.run["predictions"] != model_runs.load(home, key).predictions:
            found.append((WARN, key, "its predictions were replaced since it was scored"))
            continue
        for severity, problem in [*_of_rows(home, key, result), *_of_scores(home, key, result)]:
            found.append((severity, key, problem))
    return sorted(found)


def page_problems(home: Path) -> list[Problem]:
    """What is wrong with the comparison page: it is missing, or does not show what has been scored."""
    scored = [result for key in model_runs.keys(home) if (result := results.load(home, key)) is not None]
    path = page_path(home)
    if not path.exists():
        return [(ERROR, path.name, "the page has not been written")]
    if stated_fingerprint(path) != fingerprint(scored):
        return [(ERROR, path.name, "runs were scored, replaced or removed since the page was written")]
    return []


def _of_rows(home: Path, key: str, result: Result) -> list[tuple[str, str]]:
    run = model_runs.load(home, key)
    rows = results.read_table(home, ROWS, key)
    path = run.predictions_path(home)
    found: list[tuple[str, str]] = []
    if not path.exists() or hash_file(path) != run.predictions:
        return [(ERROR, "the kept predictions are not the bytes that were added")]
    try:
        given = count_rows(run.format, path, find_profile(run.benchmark, run.profile))
    except InputError as error:
        return [(ERROR, f"the kept predictions cannot be read: {error.what}")]
    if given != len(rows):
        found.append((ERROR, f"{len(rows)} rows scored of {given} in the predictions"))
    unscored = rows.filter(pl.col("score").is_null())
    silent = unscored.filter(pl.col("error").is_null())
    if len(silent):
        found.append(
            (ERROR, f"{silent['place'][0]} and {len(silent) - 1} others have neither score nor error")
        )
    outside = rows.filter((pl.col("score") < 0) | (pl.col("score") > 1))
    if len(outside):
        found.append(
            (ERROR, f"{outside['place'][0]} and {len(outside) - 1} others have a score outside 0 to 1")
        )
    for row in result.scores.filter(pl.col("kind").is_in([TASK, QUESTION_TYPE])).iter_rows(named=True):
        own = rows.filter(pl.col("task") == row["name"])["score"]
        # A merged task is a mean of means, which the profile makes in its own way.
        if members(run.benchmark, row["name"]) != (row["name"],) and not len(own):
            continue
        mean = own.mean()
        score = row["score"]
        if row["rows"] != len(own) or row["errors"] != own.null_count():
            found.append((ERROR, f"{row['name']}: counts {row['rows']} rows where there are {len(own)}"))
        elif score is not None and not (isinstance(mean, float) and abs(mean - score) <= TOLERANCE):
            found.append((ERROR, f"{row['name']}: score {score:.6g} is not the mean of its rows"))
    if len(unscored):
        reasons = sorted(set(unscored["error"].drop_nulls().to_list()))
        listed = "; ".join(reasons[:LISTED_ERRORS]) + ("; ..." if len(reasons) > LISTED_ERRORS else "")
        found.append((WARN, f"{len(unscored)} rows have no score ({unscored['place'][0]} first): {listed}"))
    return found


def _of_scores(home: Path, key: str, result: Result) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if not results.is_current(home, result):
        found.append((WARN, "the scorer has changed since it was scored"))
    if result.run["unanswered"]:
        found.append((WARN, f"{result.run['unanswered']} questions of the release have no prediction"))
    if result.run["note"] is not None:
        found.append((WARN, f"no overall score: {result.run['note']}"))
    overall = result.overall()
    for level, words in (("random", "random answers"), ("most_frequent", "always the most frequent answer")):
        if overall["score"] is not None and overall[level] is not None and overall["score"] < overall[level]:
            found.append(
                (
                    WARN,
                    f"overall {100 * overall['score']:.2f} is below chance ({words}: {100 * overall[level]:.2f})",
                )
            )
    return found
