"""`spatial-assets evaluate`: model runs added, scored and compared through Dagster, in this process."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spatial_assets.commands.options import AS_JSON, HOME, plainly
from spatial_assets.commands.printing import DONE, ERROR, WARNING, percent, print_table, say, table, warn
from spatial_assets.evaluation.formats import FORMATS
from spatial_assets.scene.english import plural
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.registry import BENCHMARKS

if TYPE_CHECKING:
    import dagster as dg

    from spatial_assets.evaluation.scored import IntervalParameters
    from spatial_assets.evaluation.scored_run import Result


@click.group()
def evaluate() -> None:
    """Keep, score and compare models' predictions on benchmarks."""


@evaluate.command(epilog="Example: spatial-assets evaluate add sparbench answers.jsonl --model my-model-7b")
@click.argument("benchmark", type=click.Choice(BENCHMARKS))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--model", required=True, help="What the model is called in tables and on the comparison.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="By default what the file looks like.")
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    default=("official",),
    show_default=True,
    help="Whose rules to score by; may be given several times.",
)
@click.option(
    "--truths",
    type=click.Path(path_type=Path),
    help="The benchmark release's ground truths, a JSON object a line, for predictions that have only ids.",
)
@HOME
@AS_JSON
@plainly
def add(
    benchmark: str,
    file: Path,
    model: str,
    format_: str | None,
    profiles: tuple[str, ...],
    truths: Path | None,
    home: Path,
    as_json: bool,
) -> None:
    """Keep a file of predictions as a model run, and score it.

    FILE is of the form that `score` reads, a log of lmms-eval (samples_*.jsonl, <task>.json), a table of VLMEvalKit
    (.xlsx, .tsv, .json) or results of Spatial-MLLM (.json). It is copied; a run of the same benchmark, profile and
    model is replaced.
    """
    from spatial_assets.assets import evaluation
    from spatial_assets.assets.instance import instance_of
    from spatial_assets.evaluation import model_runs, results

    home = home.resolve()
    keys = [model_runs.make_key(benchmark, profile, model) for profile in dict.fromkeys(profiles)]
    with instance_of(home) as instance:
        for profile in dict.fromkeys(profiles):
            evaluation.add(instance, home, benchmark, file, model, format_, profile, truths)
        for key in keys:
            _materialize(instance, home, evaluation.SCORED, key)
    found = [result for key in keys if (result := results.load(home, key)) is not None]
    if as_json:
        click.echo(json.dumps([_facts(result) for result in found]))
        return
    for result in found:
        _print(result)
    click.echo("next: spatial-assets evaluate compare")


@evaluate.command(epilog="Example: spatial-assets evaluate compare --out comparison.html")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write the page here.")
@HOME
@AS_JSON
@plainly
def compare(out: Path | None, home: Path, as_json: bool) -> None:
    """Write one HTML page of all models against chance, by benchmark, profile and task.

    Runs whose predictions or scorer have changed are scored again first. Then the checks run: errors, such
    as lost rows, give exit status 1.
    """
    from spatial_assets.assets import evaluation
    from spatial_assets.assets.instance import instance_of
    from spatial_assets.evaluation import model_runs
    from spatial_assets.evaluation.page import page_path

    home = home.resolve()
    if not model_runs.keys(home):
        raise InputError(home, "no model run has been added here; see `spatial-assets evaluate add --help`")
    with instance_of(home) as instance:
        for key in model_runs.keys(home):
            evaluation.open_partition(instance, key)
        for key, parameters in evaluation.stale(home).items():
            _materialize(instance, home, evaluation.SCORED, key, parameters)
        _materialize(instance, home, evaluation.COMPARISON)
        problems, errors = _check(instance, home)
    page = page_path(home)
    if out is not None:
        try:
            shutil.copyfile(page, out)
        except OSError as error:
            raise InputError(out, f"cannot be written: {error.strerror}") from None
    for severity, run, problem in problems:
        warn(f"{severity.lower()}: {run}: {problem}", ERROR if severity == "ERROR" else WARNING)
    shown = out or page
    found = evaluation.scored(home)
    if as_json:
        click.echo(json.dumps({"page": str(shown), "errors": errors, "runs": [_facts(r) for r in found]}))
    else:
        say(f"compared {plural(len(found), 'model run')}: {shown}", DONE)
    sys.exit(1 if errors else 0)


@evaluate.command(epilog="Example: spatial-assets evaluate remove sparbench.official.my-model-7b")
@click.argument("run")
@HOME
@plainly
def remove(run: str, home: Path) -> None:
    """Forget a model run, named <benchmark>.<profile>.<model>, and its tables."""
    from spatial_assets.assets import evaluation
    from spatial_assets.assets.instance import instance_of

    with instance_of(home) as instance:
        evaluation.remove(instance, home.resolve(), run)
    click.echo(f"removed {run}; the page shows it until the next: spatial-assets evaluate compare")


def _materialize(
    instance: dg.DagsterInstance,
    home: Path,
    asset: str,
    key: str | None = None,
    parameters: IntervalParameters | None = None,
) -> None:
    """Materialize one of the assets; ends the command with one line if that fails."""
    import dagster as dg

    from spatial_assets.assets.build import QUIET, failures
    from spatial_assets.assets.evaluation import ASSETS, definitions

    config = {} if parameters is None else {asset: {"config": parameters.model_dump()}}
    run = dg.materialize(
        ASSETS,
        instance=instance,
        resources=definitions(home).resources,
        selection=dg.AssetSelection.assets(asset),
        partition_key=key,
        run_config={**QUIET, "ops": config},
        raise_on_error=False,
    )
    _ended(run, failures)


def _check(instance: dg.DagsterInstance, home: Path) -> tuple[list[tuple[str, str, str]], int]:
    """Run the checks through Dagster, so that the UI has them. What they list, and how many errors there are."""
    from spatial_assets.assets.build import QUIET, failures
    from spatial_assets.assets.evaluation import EVALUATION_CHECKS, PROBLEM_COLUMNS, definitions

    job = definitions(home).resolve_job_def(EVALUATION_CHECKS)
    run = job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)
    _ended(run, failures)
    found: list[tuple[str, str, str]] = []
    errors = 0
    for evaluation in run.get_asset_check_evaluations():
        errors += int(str(evaluation.metadata["errors"].value))
        table: Any = evaluation.metadata.get("problems")
        if table is not None:
            severity, where, problem = PROBLEM_COLUMNS
            found += [
                (str(record.data[severity]), str(record.data[where]), str(record.data[problem]))
                for record in table.records
            ]
    return sorted(found), errors


def _ended(run: dg.ExecuteInProcessResult, failures: Any) -> None:
    if not run.success:
        for line in failures(run):
            warn(f"failed: {line}")
        sys.exit(1)


def _facts(result: Result) -> dict[str, Any]:
    """A scored run as `--json` prints it; scores are fractions."""
    names = ("rows", "errors", "score", "low", "high", "random", "most_frequent")
    return {
        "run": result.key,
        "rows": result.run["rows"],
        "errors": result.run["errors"],
        "unanswered": result.run["unanswered"],
        "questions": result.run["questions"],
        "note": result.run["note"],
        "scores": {
            f"{row['kind']}/{row['name']}": {name: row[name] for name in names}
            for row in result.in_reading_order()
        },
    }


def _print(result: Result) -> None:
    """A table of scores, their intervals and chance, in percent."""
    run = result.run
    made = table(f"{result.key}: {run['rows']:,} rows", "score", "interval", "random", "frequent")
    for row in result.in_reading_order():
        limits = "-" if row["low"] is None else f"{percent(row['low'])}-{percent(row['high'])}"
        made.add_row(
            row["name"],
            percent(row["score"]),
            limits,
            percent(row["random"]),
            percent(row["most_frequent"]),
        )
    print_table(made, indent=2)
    if run["errors"]:
        warn(f"{result.key}: {plural(run['errors'], 'row has', 'rows have')} no score", WARNING)
    if run["unanswered"]:
        count = plural(run["unanswered"], "question of the release has", "questions of the release have")
        warn(f"{result.key}: {count} no prediction", WARNING)
    if run["note"] is not None:
        warn(f"{result.key}: no overall score: {run['note']}", WARNING)
