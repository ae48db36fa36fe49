"""Model runs as assets: `predictions` comes from outside, `scores` is made of it, `model_comparison` of all.

The partition dimension `model_run` is this module's own: a key is `<benchmark>.<profile>.<model>`. Runs and
shards of scenes never meet in one run of Dagster.
https://docs.dagster.io/guides/build/partitions-and-backfills/partitioning-assets
"""

# Annotations are not postponed here: Dagster reads an asset's context and configuration classes off them.
import base64
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from spatial_assets.assets.columns import column_schema
from spatial_assets.assets.keys import OWNERS
from spatial_assets.assets.page_pictures import PICTURE_BYTES
from spatial_assets.assets.shell import LISTED
from spatial_assets.assets.workspace import Workspace
from spatial_assets.evaluation import model_runs, results, run_quality
from spatial_assets.evaluation.model_runs import ModelRun
from spatial_assets.evaluation.page import PAGE_FILES, PAGE_MODULES, write_page
from spatial_assets.evaluation.picture import run_picture
from spatial_assets.evaluation.run_quality import Problem
from spatial_assets.evaluation.schemas import SCORES
from spatial_assets.evaluation.scored import IntervalParameters
from spatial_assets.evaluation.scored_run import Result
from spatial_assets.lineage.code_versions import code_version
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.bootstrap import CONFIDENCE, REPLICATES

GROUP = "evaluation"
PREDICTIONS, SCORED, COMPARISON = "predictions", "scores", "model_comparison"
EVALUATION_CHECKS = "evaluation_checks"
RUNS_PER_RUN = 20
"""A model run is scored in about a second, less than the launching of a run of Dagster costs."""
CODE_DIGITS = 16
PROBLEM_COLUMNS = ("severity", "run", "problem")

model_run = dg.DynamicPartitionsDefinition(name="model_run")


class ScoreRun(dg.Config):
    """What the scoring of a model run may be told."""

    replicates: int = Field(default=REPLICATES, ge=100, description="Bootstrap samples of each interval.")
    confidence: float = Field(
        default=CONFIDENCE, gt=0, lt=1, description="Share of the samples that an interval covers."
    )


def _scores(context: dg.AssetExecutionContext, config: ScoreRun) -> dg.MaterializeResult:
    workspace: Workspace = context.resources.workspace
    parameters = IntervalParameters(replicates=config.replicates, confidence=config.confidence)
    errors = []
    for key in context.partition_keys:
        try:
            result, computed = results.bring_up_to_date(workspace.path, key, parameters)
        except (InputError, ValueError) as error:
            errors.append(f"{key}: {error}")
            continue
        context.add_asset_metadata(run_metadata(result, computed), partition_key=key)
    if errors:
        # The others are done and stand; nothing is computed twice when this is tried again.
        raise dg.Failure("\n".join(errors))
    return dg.MaterializeResult()


def _comparison(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    workspace: Workspace = context.resources.workspace
    found = scored(workspace.path)
    path = write_page(workspace.path, found)
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.path(str(path)),
            "model_runs": len(found),
            "bytes": path.stat().st_size,
            "overall": dg.MetadataValue.md(_overall_table(found)),
        }
    )


def _scores_check(workspace: Workspace) -> dg.AssetCheckResult:
    return _check_result(run_quality.find_problems(workspace.path))


def _comparison_check(workspace: Workspace) -> dg.AssetCheckResult:
    return _check_result(run_quality.page_problems(workspace.path))


def _check_result(problems: Sequence[Problem]) -> dg.AssetCheckResult:
    errors = [row for row in problems if row[0] == run_quality.ERROR]
    metadata: dict[str, Any] = {"errors": len(errors), "warnings": len(problems) - len(errors)}
    if problems:
        metadata["problems"] = dg.MetadataValue.table(
            [dg.TableRecord(dict(zip(PROBLEM_COLUMNS, row, strict=True))) for row in problems[:LISTED]]
        )
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def run_metadata(result: Result, computed: bool) -> dict[str, Any]:
    """What the UI shows of a scored run."""
    run, overall = result.run, result.overall()
    metadata: dict[str, Any] = {
        "dagster/row_count": run["rows"],
        "computed": computed,
        "rows_without_score": run["errors"],
        "question_set": run["questions"],
        "output_hash": run["output_hash"],
        "scores": dg.MetadataValue.md(_score_table(result)),
    }
    if overall["score"] is not None:
        metadata["overall"] = float(overall["score"])
        metadata["overall_of"] = "all rows" if overall["name"] == "overall" else "rows that have a score"
        metadata["interval"] = f"{_percent(overall['low'])} to {_percent(overall['high'])}"
    if run["note"] is not None:
        metadata["note"] = run["note"]
    if run["unanswered"] is not None:
        metadata["questions_unanswered"] = run["unanswered"]
    picture = run_picture(result)
    if len(picture) <= PICTURE_BYTES:
        text = base64.b64encode(picture).decode("ascii")
        metadata["picture"] = dg.MetadataValue.md(f"![{result.key}](data:image/png;base64,{text})")
    return metadata


def _score_table(result: Result) -> str:
    lines = [
        "| | rows | score | interval | random | most frequent |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in result.in_reading_order():
        limits = "" if row["low"] is None else f"{_percent(row['low'])} to {_percent(row['high'])}"
        rows = "" if row["rows"] is None else row["rows"]
        lines.append(
            f"| {row['name']} | {rows} | {_percent(row['score'])} | {limits} | {_percent(row['random'])} "
            f"| {_percent(row['most_frequent'])} |"
        )
    return "\n".join(lines)


def _overall_table(found: Iterable[Result]) -> str:
    lines = ["| model run | overall | interval | random |", "|---|---:|---:|---:|"]
    for result in found:
        row = result.overall()
        lines.append(
            f"| {result.key} | {_percent(row['score'])} | {_percent(row['low'])} to {_percent(row['high'])} "
            f"| {_percent(row['random'])} |"
        )
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}"


def scored(home: Path) -> list[Result]:
    """All runs that have been scored, by key."""
    return [result for key in model_runs.keys(home) if (result := results.load(home, key)) is not None]


def _assets() -> list[dg.AssetsDefinition | dg.AssetSpec]:
    with warnings.catch_warnings():
        # The backfill policy is marked beta; the version of Dagster is pinned.
        warnings.simplefilter("ignore", dg.BetaWarning)
        policy = dg.BackfillPolicy.multi_run(RUNS_PER_RUN)
        return [
            dg.AssetSpec(
                PREDICTIONS,
                group_name=GROUP,
                owners=list(OWNERS),
                kinds={"file"},
                partitions_def=model_run,
                description="What models answered to a benchmark's questions, kept under the hash of its bytes.\n\n"
                "Add a file with `spatial-assets evaluate add BENCHMARK FILE --model NAME`.",
            ),
            dg.asset(
                name=SCORED,
                group_name=GROUP,
                owners=list(OWNERS),
                kinds={"parquet"},
                description="A model's scores on a benchmark under one profile: by row, and by task, level and "
                "overall with bootstrap confidence intervals and chance levels. Computed only if the predictions' "
                "bytes, the scorer's code or the parameters have changed.",
                partitions_def=model_run,
                backfill_policy=policy,
                deps=[PREDICTIONS],
                required_resource_keys={"workspace"},
                code_version=code_version(results.MODULES)[:CODE_DIGITS],
                metadata={"dagster/column_schema": column_schema(SCORES)},
            )(_scores),
            dg.asset(
                name=COMPARISON,
                group_name=GROUP,
                owners=list(OWNERS),
                kinds={"html"},
                description="All models side by side against chance, by benchmark, profile and task: one HTML file.",
                deps=[SCORED],
                required_resource_keys={"workspace"},
                code_version=code_version(PAGE_MODULES, PAGE_FILES)[:CODE_DIGITS],
            )(_comparison),
        ]


ASSETS = _assets()

CHECKS = [
    dg.asset_check(
        asset=SCORED,
        name="quality",
        description="Looks for lost rows, scores that do not follow from their rows, errors, and models below "
        "chance, over all model runs.",
    )(_scores_check),
    dg.asset_check(
        asset=COMPARISON,
        name="quality",
        description="Whether the page is there and shows what has been scored.",
    )(_comparison_check),
]

JOBS = [
    dg.define_asset_job(
        EVALUATION_CHECKS,
        selection=dg.AssetSelection.checks_for_assets(SCORED, COMPARISON),
        description="The checks of scored model runs and of their comparison.",
    )
]


def definitions(home: Path) -> dg.Definitions:
    """The evaluation assets by themselves, for runs started from the command line."""
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=CHECKS,
        jobs=JOBS,
        resources={"workspace": Workspace(home=str(home), workers=1)},
        executor=dg.in_process_executor,
    )


def add(
    instance: dg.DagsterInstance,
    home: Path,
    benchmark: str,
    file: Path,
    model: str,
    format: str | None = None,
    profile: str = "official",
    truths: Path | None = None,
) -> ModelRun:
    """Keep a predictions file as a model run, and tell Dagster of it. Raises as `model_runs.add` does."""
    run = model_runs.add(home, benchmark, file, model, format, profile, truths)
    open_partition(instance, run.key)
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            PREDICTIONS,
            partition=run.key,
            metadata={
                "file": dg.MetadataValue.path(str(file.resolve())),
                "sha256": run.predictions,
                "bytes": run.predictions_path(home).stat().st_size,
                "format": run.format,
            },
        )
    )
    return run


def open_partition(instance: dg.DagsterInstance, key: str) -> None:
    assert model_run.name is not None
    if not instance.has_dynamic_partition(model_run.name, key):
        instance.add_dynamic_partitions(model_run.name, [key])


def remove(instance: dg.DagsterInstance, home: Path, key: str) -> None:
    """Forget a model run and its partition. Raises ValueError if it is unknown or just being scored."""
    in_flight = dg.RunsFilter(
        statuses=[
            dg.DagsterRunStatus.QUEUED,
            dg.DagsterRunStatus.NOT_STARTED,
            dg.DagsterRunStatus.STARTING,
            dg.DagsterRunStatus.STARTED,
        ],
        tags={"dagster/partition": key},
    )
    if instance.get_runs_count(in_flight):
        raise ValueError(f"{key} is being scored; remove it when that run has ended")
    model_runs.remove(home, key)
    assert model_run.name is not None
    instance.delete_dynamic_partition(model_run.name, key)


def stale(home: Path) -> dict[str, IntervalParameters | None]:
    """Keys of the runs that have to be scored, with the parameters they were scored with before."""
    found: dict[str, IntervalParameters | None] = {}
    for key in model_runs.keys(home):
        result = results.load(home, key)
        if result is None or not results.is_current(home, result):
            found[key] = None if result is None else result.parameters()
    return found
