"""The tables of a scored run: equal to what `score` says, with intervals, chance, and only when needed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from evaluation_cases import SPARBENCH, VSIBENCH, chance_like, perfect, write_lines, wrong

from spatial_assets.evaluation import model_runs, results, run_quality
from spatial_assets.evaluation.names import grouped, members
from spatial_assets.evaluation.schemas import PREDICTION_LENGTH, ROWS, RUNS, SCORES, TABLES, table_path
from spatial_assets.evaluation.scored import IntervalParameters, text_of
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.registry import BENCHMARKS, find_profile, module_of, profiles
from spatial_assets.scoring.run import score_file


def scored(home, rows, benchmark="sparbench", profile="official", model="a", **parameters):
    file = write_lines(home / "predictions.jsonl", rows)
    run = model_runs.add(home, benchmark, file, model, profile=profile)
    return results.bring_up_to_date(home, run.key, IntervalParameters(**parameters))[0]


def bytes_of(home, key):
    return {table.name: table_path(home, table, key).read_bytes() for table in TABLES}


@pytest.mark.parametrize("answers", [perfect, chance_like, wrong])
@pytest.mark.parametrize(
    ("benchmark", "truths", "profile"),
    [
        *(("sparbench", SPARBENCH, profile) for profile in ("official", "strict", "vlmevalkit")),
        *(("vsibench", VSIBENCH, profile) for profile in ("official", "strict")),
    ],
)
def test_scores_are_those_of_the_scorer(tmp_path, benchmark, truths, profile, answers):
    rows = answers(truths)
    result = scored(tmp_path, rows, benchmark, profile)
    expected_rows, summary = score_file(benchmark, tmp_path / "predictions.jsonl", profile)
    table = results.read_table(tmp_path, ROWS, result.key)
    assert table["score"].to_list() == [row["score"] for row in expected_rows]
    assert table["row"].to_list() == list(range(1, len(rows) + 1))
    for name, value in summary["tasks"].items():
        row = result.score("task", name)
        assert row["score"] == value
        assert row["random"] == summary["chance"]["random"]["tasks"][name]
        assert row["most_frequent"] == summary["chance"]["most_frequent"]["tasks"][name]
        assert row["rows"] == sum(summary["counts"].get(member, 0) for member in members(benchmark, name))
    for name, value in summary["levels"].items():
        assert (result.score("level", name) or {"score": None})["score"] == value
    assert result.overall()["score"] == summary["overall"]
    assert result.overall()["rows"] == len(rows)
    assert all(row["low"] <= row["score"] <= row["high"] for row in result.scores.iter_rows(named=True))


def test_a_perfect_model_has_no_interval_and_a_chance_like_one_scores_chance(tmp_path):
    best = scored(tmp_path, perfect(SPARBENCH)).overall()
    assert (best["score"], best["low"], best["high"]) == (1.0, 1.0, 1.0)
    result = scored(tmp_path, chance_like(SPARBENCH), model="b")
    for task in ("position_matching", "obj_spatial_relation_oo"):
        row = result.score("task", task)
        assert row["score"] == row["random"] == row["most_frequent"] == 0.25


def test_intervals_of_levels_and_merged_tasks_are_those_of_independent_draws(tmp_path):
    """A slow twin of the bootstrap: rows drawn one by one, by another generator."""
    rows = chance_like([{**row, "id": 100 * copy + row["id"]} for copy in range(10) for row in SPARBENCH])
    result = scored(tmp_path, rows)
    table = results.read_table(tmp_path, ROWS, result.key)
    generator = np.random.default_rng(3)
    tasks = sorted(set(table["task"]))
    scores = {task: table.filter(table["task"] == task)["score"].to_numpy() for task in tasks}
    draws = {
        task: generator.choice(values, (4000, len(values))).mean(axis=1) for task, values in scores.items()
    }
    overall = np.mean([draws[task] for task in tasks], axis=0)
    levels = {"Low": draws["depth_prediction_oc"], "High": draws["obj_spatial_relation_oo"]}
    for (kind, name), drawn in {
        ("overall", "overall"): overall,
        **{("level", n): d for n, d in levels.items()},
    }.items():
        row = result.score(kind, name)
        assert row["low"] == pytest.approx(np.quantile(drawn, 0.025), abs=0.02)
        assert row["high"] == pytest.approx(np.quantile(drawn, 0.975), abs=0.02)
        assert row["low"] < row["score"] < row["high"]
    many = [{**row, "id": 10 * copy + row["id"]} for copy in range(20) for row in VSIBENCH]
    merged = scored(tmp_path, chance_like(many), "vsibench").score("task", "object_rel_direction")
    assert merged["low"] < merged["score"] < merged["high"]


def test_rows_without_a_score_are_listed_and_their_run_has_no_official_overall(tmp_path):
    rows = perfect(VSIBENCH)
    rows[4]["ground_truth"] = 0
    result = scored(tmp_path, rows, "vsibench")
    bad = results.read_table(tmp_path, ROWS, result.key).row(4, named=True)
    assert bad["score"] is None
    assert bad["error"].startswith("ZeroDivisionError")
    assert bad["place"] == "line 5"
    assert result.run["errors"] == 1
    assert "row 5" in result.run["note"]
    assert result.score("overall", "overall")["score"] is None
    assert result.overall()["name"] == "scored_rows"
    assert result.overall()["score"] == 1.0
    assert result.score("task", "object_counting")["errors"] == 1


def test_a_task_without_any_score_is_still_counted(tmp_path):
    rows = [
        {"question_type": "object_counting", "ground_truth": 0, "prediction": "1"},
        *perfect(VSIBENCH[:4]),
    ]
    result = scored(tmp_path, rows, "vsibench")
    row = result.score("task", "object_counting")
    assert (row["rows"], row["errors"], row["score"], row["low"]) == (1, 1, None, None)
    only = scored(tmp_path, rows[:1], "vsibench", model="b")
    assert only.overall()["score"] is None
    assert run_quality.find_problems(tmp_path)[0][0] == "WARN"


def test_merged_question_types_keep_their_own_scores(tmp_path):
    result = scored(tmp_path, perfect(VSIBENCH), "vsibench")
    kinds = {(row["kind"], row["name"]) for row in result.scores.iter_rows(named=True)}
    assert ("task", "object_rel_direction") in kinds
    assert ("question_type", "object_rel_direction_easy") in kinds
    assert result.score("task", "object_rel_direction")["rows"] == 4
    assert [row["kind"] for row in result.in_reading_order()][:2] == ["overall", "task"]


HOSTILE = [
    "",
    "\x00",
    "\ud800",
    "🙂" * 5000,
    "א" * 10,
    '{"a": 1}',
    None,
    3,
    [1],
    {"a": 2},
    True,
    "NaN",
    "1e999",
]


@pytest.mark.parametrize("profile", ["official", "strict", "vlmevalkit"])
def test_hostile_predictions_become_rows(tmp_path, profile):
    rows = [{**SPARBENCH[i % len(SPARBENCH)], "prediction": text} for i, text in enumerate(HOSTILE)]
    result = scored(tmp_path, rows, profile=profile)
    table = results.read_table(tmp_path, ROWS, result.key)
    assert len(table) == len(HOSTILE)
    assert all(len(text) <= PREDICTION_LENGTH for text in table["prediction"].drop_nulls())
    assert (table["score"].is_null() == table["error"].is_not_null()).all()
    assert not [problem for problem in run_quality.find_problems(tmp_path) if problem[0] == "ERROR"]


def test_text_of_values():
    assert text_of(None) is None
    assert text_of("a\ud800b") == "a\\ud800b"
    assert text_of([1, "x"]) == '[1, "x"]'


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    rows = chance_like(SPARBENCH)
    one, two = tmp_path / "one", tmp_path / "two"
    key = scored(one, rows).key
    scored(two, perfect(SPARBENCH), model="other")
    scored(two, rows)
    assert bytes_of(one, key) == bytes_of(two, key)
    for table in TABLES:
        frame = results.read_table(one, table, key)
        assert frame.to_arrow().schema.names == table.schema.names
    assert len(results.read_table(one, RUNS, key)) == 1
    assert len(results.read_table(one, SCORES, key)) == 3 + 3 + 1


def test_only_what_changed_is_scored_again(tmp_path, monkeypatch):
    file = write_lines(tmp_path / "a.jsonl", chance_like(SPARBENCH))
    key = model_runs.add(tmp_path, "sparbench", file, "a").key
    assert results.bring_up_to_date(tmp_path, key)[1]
    before = bytes_of(tmp_path, key)
    file.write_text("the user's own file is not read again")
    assert not results.bring_up_to_date(tmp_path, key)[1]
    model_runs.add(tmp_path, "sparbench", write_lines(file, chance_like(SPARBENCH)), "a")
    assert not results.bring_up_to_date(tmp_path, key)[1]
    assert results.bring_up_to_date(tmp_path, key, IntervalParameters(replicates=500))[1]
    assert results.bring_up_to_date(tmp_path, key)[1]
    assert bytes_of(tmp_path, key) == before
    table_path(tmp_path, SCORES, key).unlink()
    assert results.bring_up_to_date(tmp_path, key)[1]
    assert bytes_of(tmp_path, key) == before
    model_runs.add(tmp_path, "sparbench", write_lines(file, perfect(SPARBENCH)), "a")
    result = results.load(tmp_path, key)
    assert not results.is_current(tmp_path, result)
    assert results.bring_up_to_date(tmp_path, key)[0].overall()["score"] == 1.0
    monkeypatch.setattr(results, "scorer_version", lambda *_: "another")
    assert not results.is_current(tmp_path, results.load(tmp_path, key))
    assert results.bring_up_to_date(tmp_path, key)[1]


def test_the_scorers_sources_are_in_its_version():
    from spatial_assets.lineage.code_versions import closure

    modules = closure((*results.MODULES, module_of("sparbench")))
    for module in ("sparbench", "vlmevalkit", "bootstrap", "chance", "logs", "metrics"):
        assert f"spatial_assets.scoring.{module}" in modules
    assert "spatial_assets.scoring.vsibench" not in modules
    versions = {results.scorer_version(name) for name in (*BENCHMARKS, "vsibench")}
    assert len(versions) == len(BENCHMARKS)
    assert "spatial_assets.evaluation.page" not in modules
    assert not [module for module in modules if module.startswith("spatial_assets.assets")]


def test_kept_predictions_that_were_altered_are_rejected(tmp_path):
    file = write_lines(tmp_path / "a.jsonl", perfect(SPARBENCH))
    run = model_runs.add(tmp_path, "sparbench", file, "a")
    write_lines(run.predictions_path(tmp_path), wrong(SPARBENCH))
    with pytest.raises(InputError, match="not the bytes that were added"):
        results.bring_up_to_date(tmp_path, run.key)


def test_every_task_of_every_profile_has_a_place():
    for benchmark in BENCHMARKS:
        for name in profiles(benchmark):
            tasks = list(find_profile(benchmark, name).scorers)
            placed = [task for _, group in grouped(benchmark, tasks) for task in group]
            assert sorted(placed) == sorted(tasks)
    assert [level for level, _ in grouped("sparbench", [row["task"] for row in SPARBENCH])] == [
        "Low",
        "Middle",
        "High",
    ]
    assert grouped("vsibench", ["b", "a"]) == [("", ["a", "b"])]


DAMAGE = {
    "a row is lost": (ROWS, lambda f: f.head(len(f) - 1), "19 rows scored of 20 in the predictions"),
    "a score without a reason": (
        ROWS,
        lambda f: f.with_columns(
            pl.when(pl.col("row") == 3).then(None).otherwise(pl.col("score")).alias("score")
        ),
        "line 3 and 0 others have neither score nor error",
    ),
    "a score out of range": (ROWS, lambda f: f.with_columns(pl.lit(1.5).alias("score")), "outside 0 to 1"),
    "a mean that is none": (
        SCORES,
        lambda f: f.with_columns(pl.lit(0.5).alias("score")),
        "is not the mean of its rows",
    ),
    "a wrong count": (SCORES, lambda f: f.with_columns(pl.lit(1, pl.Int64).alias("rows")), "counts 1 rows"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_tables_are_found(tmp_path, what):
    table, change, message = DAMAGE[what]
    key = scored(tmp_path, perfect(SPARBENCH)).key
    assert run_quality.find_problems(tmp_path) == []
    frame = change(results.read_table(tmp_path, table, key))
    pq.write_table(frame.to_arrow().cast(table.schema), table_path(tmp_path, table, key))
    found = run_quality.find_problems(tmp_path)
    assert found[0][:2] == ("ERROR", key)
    assert any(message in problem for _, _, problem in found)
