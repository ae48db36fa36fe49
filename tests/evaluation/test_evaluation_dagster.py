"""Evaluation through Dagster: partitions, what is recomputed, metadata, and checks that fail when they should."""

from __future__ import annotations

import warnings

import dagster as dg
import polars as pl
import pyarrow.parquet as pq
import pytest
from evaluation_cases import SPARBENCH, VSIBENCH, chance_like, perfect, write_lines, wrong

from spatial_assets.assets import evaluation
from spatial_assets.assets.build import QUIET
from spatial_assets.assets.evaluation import COMPARISON, EVALUATION_CHECKS, PREDICTIONS, SCORED, model_run
from spatial_assets.evaluation import model_runs, results
from spatial_assets.evaluation.page import page_path
from spatial_assets.evaluation.schemas import ROWS, RUNS, SCORES, TABLES, table_path

KEY = "sparbench.official.good"


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def add(instance, home, rows, model, benchmark="sparbench", profile="official"):
    file = write_lines(home / "in" / "predictions.jsonl", rows)
    return evaluation.add(instance, home, benchmark, file, model, profile=profile).key


def materialize(instance, home, asset=SCORED, key=None, config=None, **kwargs):
    defs = evaluation.definitions(home)
    return dg.materialize(
        evaluation.ASSETS,
        instance=instance,
        resources=defs.resources,
        selection=dg.AssetSelection.assets(asset),
        partition_key=key,
        run_config={**QUIET, "ops": {asset: {"config": config}} if config else {}},
        **kwargs,
    )


def metadata(instance, asset=SCORED):
    return instance.get_latest_materialization_event(dg.AssetKey(asset)).asset_materialization.metadata


def check(instance, home):
    """Each check's (passed, severity, problems as text)."""
    job = evaluation.definitions(home).resolve_job_def(EVALUATION_CHECKS)
    run = job.execute_in_process(instance=instance, run_config=QUIET)
    return {
        item.asset_key.to_user_string(): (
            item.passed,
            item.severity.value,
            str(item.metadata.get("problems", "")),
        )
        for item in run.get_asset_check_evaluations()
    }


def stamps(home, key):
    return {table.name: table_path(home, table, key).stat().st_mtime_ns for table in TABLES}


def test_definitions_load_without_a_warning(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dg.Definitions.validate_loadable(evaluation.definitions(tmp_path))


def test_every_asset_is_what_it_says(tmp_path):
    graph = evaluation.definitions(tmp_path).resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {PREDICTIONS, SCORED, COMPARISON}
    parents = {PREDICTIONS: set(), SCORED: {PREDICTIONS}, COMPARISON: {SCORED}}
    for name, expected in parents.items():
        node = graph.get(dg.AssetKey(name))
        assert {key.to_user_string() for key in node.parent_keys} == expected
        assert node.group_name == "evaluation"
        assert node.kinds
        assert len(node.description) > 40
        assert node.partitions_def == (None if name == COMPARISON else model_run)
    columns = graph.get(dg.AssetKey(SCORED)).metadata["dagster/column_schema"].columns
    assert [column.name for column in columns] == SCORES.schema.names
    assert {key.asset_key.to_user_string() for key in graph.asset_check_keys} == {SCORED, COMPARISON}


def test_a_run_is_scored_and_shown(tmp_path, instance):
    key = add(instance, tmp_path, chance_like(SPARBENCH), "good")
    assert key == KEY
    assert instance.get_dynamic_partitions("model_run") == [KEY]
    assert metadata(instance, PREDICTIONS)["format"].value == "jsonl"
    assert materialize(instance, tmp_path, key=KEY).success
    assert instance.get_materialized_partitions(dg.AssetKey(SCORED)) == {KEY}
    shown = metadata(instance)
    result = results.load(tmp_path, KEY)
    assert shown["dagster/row_count"].value == len(SPARBENCH)
    assert shown["overall"].value == result.overall()["score"]
    assert shown["rows_without_score"].value == 0
    assert shown["computed"].value is True
    assert "position_matching" in shown["scores"].value
    assert shown["picture"].value.startswith(f"![{KEY}](data:image/png;base64,")
    assert materialize(instance, tmp_path, COMPARISON).success
    assert page_path(tmp_path).exists()
    assert KEY in metadata(instance, COMPARISON)["overall"].value


def test_only_what_changed_is_computed(tmp_path, instance):
    other = add(instance, tmp_path, perfect(SPARBENCH), "other")
    add(instance, tmp_path, chance_like(SPARBENCH), "good")
    for key in (KEY, other):
        materialize(instance, tmp_path, key=key)
    before, untouched = stamps(tmp_path, KEY), stamps(tmp_path, other)
    materialize(instance, tmp_path, key=KEY)
    assert metadata(instance)["computed"].value is False
    assert stamps(tmp_path, KEY) == before
    add(instance, tmp_path, chance_like(SPARBENCH), "good")
    materialize(instance, tmp_path, key=KEY)
    assert stamps(tmp_path, KEY) == before
    materialize(instance, tmp_path, key=KEY, config={"replicates": 300})
    assert metadata(instance)["computed"].value is True
    assert results.load(tmp_path, KEY).run["replicates"] == 300
    add(instance, tmp_path, perfect(SPARBENCH), "good")
    assert set(evaluation.stale(tmp_path)) == {KEY}
    materialize(instance, tmp_path, key=KEY)
    assert metadata(instance)["overall"].value == 1.0
    assert evaluation.stale(tmp_path) == {}
    assert stamps(tmp_path, other) == untouched


def test_several_runs_in_one(tmp_path, instance):
    keys = [add(instance, tmp_path, perfect(SPARBENCH), name) for name in ("a", "b", "c")]
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[2]}
    assert materialize(instance, tmp_path, tags=tags).success
    assert instance.get_materialized_partitions(dg.AssetKey(SCORED)) == set(keys)


def test_one_damaged_run_does_not_stop_the_others(tmp_path, instance):
    keys = [add(instance, tmp_path, rows(SPARBENCH), rows.__name__) for rows in (perfect, wrong, chance_like)]
    model_runs.load(tmp_path, keys[1]).predictions_path(tmp_path).write_text("{}\n")
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[2]}
    run = materialize(instance, tmp_path, tags=tags, raise_on_error=False)
    assert not run.success
    failure = next(event for event in run.all_events if event.is_step_failure)
    assert f"{keys[1]}: " in str(failure.step_failure_data.error)
    assert [results.load(tmp_path, key) is not None for key in keys] == [True, False, True]


def test_the_same_predictions_under_two_profiles_differ(tmp_path, instance):
    rows = [{**row, "prediction": f"The answer is {row['ground_truth']}"} for row in SPARBENCH]
    for profile in ("official", "strict"):
        materialize(instance, tmp_path, key=add(instance, tmp_path, rows, "good", profile=profile))
    scores = {
        p: results.load(tmp_path, f"sparbench.{p}.good").overall()["score"] for p in ("official", "strict")
    }
    assert scores["strict"] == 1.0
    assert scores["official"] < 1.0


@pytest.fixture
def checked(tmp_path, instance):
    materialize(instance, tmp_path, key=add(instance, tmp_path, perfect(SPARBENCH), "good"))
    materialize(instance, tmp_path, COMPARISON)
    assert check(instance, tmp_path) == {SCORED: (True, "WARN", ""), COMPARISON: (True, "WARN", "")}
    return tmp_path


def test_the_check_fails_on_lost_rows(checked, instance):
    path = table_path(checked, ROWS, KEY)
    frame = results.read_table(checked, ROWS, KEY)
    pq.write_table(frame.head(len(frame) - 1).to_arrow().cast(ROWS.schema), path)
    passed, severity, problems = check(instance, checked)[SCORED]
    assert (passed, severity) == (False, "ERROR")
    assert "19 rows scored of 20 in the predictions" in problems


def test_the_check_fails_on_altered_predictions(checked, instance):
    path = model_runs.load(checked, KEY).predictions_path(checked)
    path.write_bytes(path.read_bytes() + b"\n")
    passed, severity, problems = check(instance, checked)[SCORED]
    assert (passed, severity) == (False, "ERROR")
    assert "not the bytes that were added" in problems


def test_below_chance_errors_and_staleness_are_warnings(tmp_path, instance):
    materialize(instance, tmp_path, key=add(instance, tmp_path, wrong(SPARBENCH), "bad"))
    rows = perfect(VSIBENCH)
    rows[4]["ground_truth"] = 0
    materialize(instance, tmp_path, key=add(instance, tmp_path, rows, "zero", "vsibench"))
    add(instance, tmp_path, perfect(SPARBENCH), "unscored")
    materialize(instance, tmp_path, key=add(instance, tmp_path, perfect(SPARBENCH), "replaced"))
    add(instance, tmp_path, chance_like(SPARBENCH), "replaced")
    passed, severity, problems = check(instance, tmp_path)[SCORED]
    assert (passed, severity) == (False, "WARN")
    assert "its predictions were replaced since it was scored" in problems
    assert "is below chance (random answers" in problems
    assert "1 rows have no score (line 5 first): ZeroDivisionError" in problems
    assert "no overall score" in problems
    assert "not scored yet" in problems


def test_unanswered_questions_of_a_release_are_a_warning(tmp_path, instance):
    truths = write_lines(tmp_path / "release.jsonl", SPARBENCH)
    file = write_lines(
        tmp_path / "some.jsonl",
        [{"id": row["id"], "prediction": row["ground_truth"]} for row in SPARBENCH[1:]],
    )
    key = evaluation.add(instance, tmp_path, "sparbench", file, "m", truths=truths).key
    materialize(instance, tmp_path, key=key)
    passed, severity, problems = check(instance, tmp_path)[SCORED]
    assert (passed, severity) == (False, "WARN")
    assert "1 questions of the release have no prediction" in problems
    assert metadata(instance)["questions_unanswered"].value == 1


def test_the_comparisons_check_notices_a_later_run(checked, instance):
    materialize(instance, checked, key=add(instance, checked, perfect(SPARBENCH), "later"))
    passed, severity, problems = check(instance, checked)[COMPARISON]
    assert (passed, severity) == (False, "ERROR")
    assert "since the page was written" in problems


def test_removing_a_run(checked, instance):
    evaluation.remove(instance, checked, KEY)
    assert instance.get_dynamic_partitions("model_run") == []
    assert results.load(checked, KEY) is None
    with pytest.raises(ValueError, match="no model run"):
        evaluation.remove(instance, checked, KEY)


def test_a_run_that_is_being_scored_is_not_removed(checked, instance):
    job = evaluation.definitions(checked).resolve_implicit_global_asset_job_def()
    instance.create_run_for_job(job, tags={"dagster/partition": KEY}, status=dg.DagsterRunStatus.STARTED)
    with pytest.raises(ValueError, match="is being scored"):
        evaluation.remove(instance, checked, KEY)
    assert results.load(checked, KEY) is not None


def test_tables_of_an_older_form_are_made_anew(checked, instance):
    path = table_path(checked, RUNS, KEY)
    pl.read_parquet(path).drop("note").write_parquet(path)
    assert results.load(checked, KEY) is None
    materialize(instance, checked, key=KEY)
    assert metadata(instance)["computed"].value is True
