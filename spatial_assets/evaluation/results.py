"""Brings the tables of model runs up to date, and reads them.

A run is scored again only if its predictions' bytes, its ground truths' bytes, the scorer's code or the
parameters differ from what its tables were made of. The table `model_runs` is written last and removed
first, so if it exists, the other two are complete.
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from spatial_assets.evaluation import model_runs
from spatial_assets.evaluation.model_runs import ModelRun
from spatial_assets.evaluation.reading import read_rows
from spatial_assets.evaluation.schemas import ROWS, RUNS, SCORES, TABLES, table_path
from spatial_assets.evaluation.scored import IntervalParameters, score
from spatial_assets.evaluation.scored_run import Result
from spatial_assets.lineage.code_versions import code_version
from spatial_assets.scene.model import InputError
from spatial_assets.scene.tables import Table
from spatial_assets.scoring.registry import find_profile, module_of
from spatial_assets.storage.atomic import remove_temporaries
from spatial_assets.storage.content_hash import content_hash
from spatial_assets.storage.damage import is_whole
from spatial_assets.storage.hashing import hash_file, hash_text
from spatial_assets.storage.lake import conform, write_parquet
from spatial_assets.storage.locks import locked

MODULES = ("spatial_assets.evaluation.scored", "spatial_assets.evaluation.reading")
"""What a run's tables are computed by, beside its benchmark's own module. Their version is what Dagster is given, which
keeps one for the runs of all benchmarks; which run is scored again follows from its own `input_hash`."""


def scorer_modules(benchmark: str) -> tuple[str, ...]:
    """What a benchmark's scores are computed by."""
    return (*MODULES, module_of(benchmark))


def scorer_version(benchmark: str) -> str:
    """Hash of the sources that a score of the benchmark depends on."""
    return code_version(scorer_modules(benchmark))


def input_hash(run: ModelRun, parameters: IntervalParameters) -> str:
    """Hash of everything that a run's tables depend on."""
    return hash_text(
        run.key,
        run.format,
        run.predictions,
        run.truths or "",
        scorer_version(run.benchmark),
        json.dumps(parameters.model_dump(), sort_keys=True),
    )


def bring_up_to_date(
    home: Path, key: str, parameters: IntervalParameters | None = None
) -> tuple[Result, bool]:
    """Score a run if anything it depends on has changed. Returns its result, and whether it was scored.

    Raises ValueError for an unknown key, InputError for kept files that are not what they were.
    """
    parameters = parameters or IntervalParameters()
    run = model_runs.load(home, key)
    wanted = input_hash(run, parameters)
    with locked(home, f"evaluation-{key}"):
        known = load(home, key)
        if known is not None and known.run["input_hash"] == wanted:
            return known, False
        _write(home, run, parameters, wanted)
    result = load(home, key)
    assert result is not None
    return result, True


def is_current(home: Path, result: Result) -> bool:
    """Whether a result is made of what it would be made of now, with the parameters that it was made with."""
    return bool(
        result.run["input_hash"] == input_hash(model_runs.load(home, result.key), result.parameters())
    )


def load(home: Path, key: str) -> Result | None:
    """A run's result; None where it was never scored, not to the end, or into tables that are damaged or older."""
    for table in TABLES:
        path = table_path(home, table, key)
        if not path.exists() or not is_whole(path) or not pq.read_schema(path).equals(table.schema):
            return None
    return Result(read_table(home, RUNS, key).row(0, named=True), read_table(home, SCORES, key))


def read_table(home: Path, table: Table, key: str) -> pl.DataFrame:
    """One table of a run that was scored."""
    frame = pl.from_arrow(pq.read_table(table_path(home, table, key), schema=table.schema, partitioning=None))
    assert isinstance(frame, pl.DataFrame)
    return frame


def _write(home: Path, run: ModelRun, parameters: IntervalParameters, wanted: str) -> None:
    predictions, truths = run.predictions_path(home), run.truths_path(home)
    for path, expected in ((predictions, run.predictions), (truths, run.truths)):
        if path is not None and (not path.exists() or hash_file(path) != expected):
            raise InputError(path, "not the bytes that were added; add the run again")
    given = read_rows(find_profile(run.benchmark, run.profile), run.format, predictions, truths)
    scored = score(run.benchmark, run.profile, run.model, str(predictions), given, parameters)
    record = {
        "benchmark": run.benchmark,
        "profile": run.profile,
        "model": run.model,
        "format": run.format,
        "predictions": run.predictions,
        "truths": run.truths,
        "questions": scored.questions,
        "rows": len(given.rows),
        "errors": scored.errors,
        "unanswered": given.unanswered,
        "note": scored.note,
        **parameters.model_dump(),
        "code_version": scorer_version(run.benchmark),
        "input_hash": wanted,
        "output_hash": hash_text(content_hash(scored.rows), content_hash(scored.scores)),
    }
    for table in TABLES:
        remove_temporaries(table_path(home, table, run.key).parent)
    table_path(home, RUNS, run.key).unlink(missing_ok=True)
    write_parquet(table_path(home, ROWS, run.key), scored.rows)
    write_parquet(table_path(home, SCORES, run.key), scored.scores)
    write_parquet(table_path(home, RUNS, run.key), conform(RUNS, [record]))
