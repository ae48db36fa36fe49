"""`spatial-assets evaluate` as a user meets it."""

from __future__ import annotations

import json

import dagster as dg
import pytest
from click.testing import CliRunner
from evaluation_cases import SPARBENCH, chance_like, perfect, write_lines

from spatial_assets.assets import build as building
from spatial_assets.commands.evaluate import evaluate
from spatial_assets.evaluation import model_runs, reading, results
from spatial_assets.evaluation.formats import FORMATS, JSONL
from spatial_assets.evaluation.page import page_path
from spatial_assets.evaluation.scored import IntervalParameters
from spatial_assets.scoring.bootstrap import REPLICATES


def invoked(home, arguments, status):
    done = CliRunner().invoke(evaluate, [str(a) for a in (*arguments, "--home", home)])
    assert done.exit_code == status, done.output
    assert "Traceback" not in done.output
    return done


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command on a Dagster instance in memory, which starts much faster than one on disk."""
    monkeypatch.setattr(building, "instance_of", lambda home: dg.DagsterInstance.ephemeral())
    return lambda *arguments, status=0: invoked(tmp_path / "home", arguments, status)


@pytest.fixture
def run_on_disk(tmp_path, own_environment):
    return lambda *arguments, status=0: invoked(tmp_path / "home", arguments, status)


def test_every_format_that_can_be_chosen_has_a_reader():
    assert set(FORMATS) == {JSONL, *reading.LOGS}


@pytest.mark.slow
def test_add_compare_and_remove(tmp_path, run_on_disk):
    run = run_on_disk
    home, out = tmp_path / "home", tmp_path / "page.html"
    file = write_lines(tmp_path / "answers.jsonl", perfect(SPARBENCH))
    done = run("add", "sparbench", file, "--model", "good", "--profile", "official", "--profile", "strict")
    assert "sparbench.strict.good: 20 rows" in done.output
    assert "100.00" in done.output
    assert model_runs.keys(home) == ["sparbench.official.good", "sparbench.strict.good"]
    done = run("compare", "--out", out)
    assert done.output.strip().endswith(f"compared 2 model runs: {out}")
    assert out.read_bytes() == page_path(home).read_bytes()
    assert "removed" in run("remove", "sparbench.strict.good").output
    assert model_runs.keys(home) == ["sparbench.official.good"]
    with building.instance_of(home) as instance:
        assert instance.get_dynamic_partitions("model_run") == ["sparbench.official.good"]
        assert instance.get_materialized_partitions(dg.AssetKey("scores")) >= {"sparbench.official.good"}


def test_json(tmp_path, run):
    file = write_lines(tmp_path / "answers.jsonl", chance_like(SPARBENCH))
    facts = json.loads(run("add", "sparbench", file, "--model", "b", "--json").stdout)[0]
    overall = results.load(tmp_path / "home", "sparbench.official.b").overall()
    assert facts["run"] == "sparbench.official.b"
    assert facts["scores"]["overall/overall"]["score"] == overall["score"]
    compared = json.loads(run("compare", "--json").stdout)
    assert compared["errors"] == 0
    assert compared["runs"] == [facts]


def test_compare_first_scores_what_is_stale_with_its_own_parameters(tmp_path, run, monkeypatch):
    file = write_lines(tmp_path / "answers.jsonl", chance_like(SPARBENCH))
    home = tmp_path / "home"
    key = model_runs.add(home, "sparbench", file, "m").key
    never = model_runs.add(home, "sparbench", file, "never_scored").key
    results.bring_up_to_date(home, key, IntervalParameters(replicates=300))
    monkeypatch.setattr(results, "scorer_version", lambda *_: "later")
    run("compare")
    assert results.load(home, key).run["replicates"] == 300
    assert results.load(home, key).run["code_version"] == "later"
    assert results.load(home, never).run["replicates"] == REPLICATES


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("arguments", "line", "wrong"),
    [
        (("sparbench", "FILE", "--model", "m"), "{", "error: FILE: line 1: not JSON"),
        (("sparbench", "FILE", "--model", "a/b"), "{}", "error: model name 'a/b'"),
        (
            ("sparbench", "FILE", "--model", "m", "--profile", "kind"),
            "{}",
            "error: sparbench has no profile 'kind'",
        ),
        (("sparbench", "none.jsonl", "--model", "m"), "{}", "error: none.jsonl: cannot be read"),
        (
            ("vsibench", "FILE", "--model", "m"),
            '{"task": "position_matching"}',
            "error: FILE: line 1: unknown task",
        ),
    ],
)
def test_a_users_mistake_is_one_line(tmp_path, run, arguments, line, wrong):
    file = tmp_path / "mine.jsonl"
    file.write_text(line + "\n")
    done = run("add", *(file if argument == "FILE" else argument for argument in arguments), status=1)
    assert done.stderr.startswith(wrong.replace("FILE", str(file)))
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_other_mistakes(tmp_path, run):
    file = write_lines(tmp_path / "a.jsonl", perfect(SPARBENCH))
    assert "no model run has been added" in run("compare", status=1).stderr
    assert "no model run 'sparbench.official.x'" in run("remove", "sparbench.official.x", status=1).stderr
    assert "Invalid value" in run("add", "mmlu", file, "--model", "m", status=2).stderr
    model_runs.add(tmp_path / "home", "sparbench", file, "m")
    done = run("compare", "--out", tmp_path / "no" / "page.html", status=1)
    assert "cannot be written" in done.stderr


def test_lost_rows_give_exit_status_one(tmp_path, run):
    file = write_lines(tmp_path / "a.jsonl", perfect(SPARBENCH))
    home = tmp_path / "home"
    added = model_runs.add(home, "sparbench", file, "m")
    results.bring_up_to_date(home, added.key)
    kept = added.predictions_path(home)
    kept.write_bytes(kept.read_bytes() + b"{}\n")
    assert "error: sparbench.official.m: the kept predictions" in run("compare", status=1).stderr


def test_below_chance_is_only_a_warning(tmp_path, run):
    rows = [{**row, "prediction": "Z"} for row in SPARBENCH]
    model_runs.add(tmp_path / "home", "sparbench", write_lines(tmp_path / "a.jsonl", rows), "m")
    assert "warn: sparbench.official.m: overall 0.00 is below chance" in run("compare").stderr


@pytest.mark.parametrize("command", ["add", "compare", "remove"])
def test_help_has_an_example(command):
    done = CliRunner().invoke(evaluate, [command, "--help"])
    assert done.exit_code == 0
    assert f"Example: spatial-assets evaluate {command}" in " ".join(done.output.split())
