"""SpatialMosaic-Bench through the command: cut from held-out scenes, scored, its chance levels met, damage found."""

from __future__ import annotations

import hashlib
import json
import math
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
from click.testing import CliRunner

from spatial_assets.assets import partitions
from spatial_assets.assets.build import QUIET
from spatial_assets.assets.exports import asset_key
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.workspace import Workspace
from spatial_assets.cli import main
from spatial_assets.definitions import build_defs
from spatial_assets.evaluation import model_runs, results
from spatial_assets.evaluation.page import page
from spatial_assets.evaluation.scored import ROW_LEVEL, IntervalParameters
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.kept import export_path
from spatial_assets.exports.spatialmosaic import layout, spatialmosaic_bench
from spatial_assets.exports.spatialmosaic.bench_cut import CELL_FIELDS
from spatial_assets.releases import create
from spatial_assets.releases.splits import PUBLISHED, parse_splits
from spatial_assets.scoring.run import score_rows
from spatial_assets.scoring.spatialmosaic import ROW_LEVELS
from spatial_assets.storage import release_manifest as manifest

pytestmark = pytest.mark.prove

Z = 1.96
LEAST = 2
"""Rows of a type, for which an interval can be told."""
Row = dict[str, Any]


def run(*words: object, status: int = 0) -> str:
    done = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.output


@pytest.fixture(scope="session")
def held(exported: tuple[ReleaseRows, Path]) -> Path:
    """The home, with a release that keeps two of the three scenes for the benchmark: of one, nothing is learned."""
    home = exported[0].home
    create.create(home, "held", create.Request({"train": 0.34, "test": 0.66}, seed=1))
    return home


@pytest.fixture(scope="session")
def made(held: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("mosaic_bench") / "out"
    return out, run("export", "spatialmosaic-bench", "held", out, "--home", held)


def flat(out: Path) -> list[Row]:
    rows: list[Row] = json.loads((out / layout.annotation_folder("test") / "test.json").read_text())
    return rows


def answered(rows: list[Row], say: Callable[[Row], str]) -> list[Row]:
    return [{**row, "prediction": say(row)} for row in rows]


def right(row: Row) -> str:
    return str(row["mc_answer"] or row["ground_truth"])


def test_it_holds_rows_of_held_out_places_alone_and_says_how_many(made: tuple[Path, str], held: Path) -> None:
    out, said = made
    rows, told = flat(out), json.loads((out / "report.json").read_text())
    source = ReleaseRows(held, "held")
    scenes = {split: {q.row["scene"] for q in source.questions(split)} for split in ("train", "test")}
    assert {row["scene_name"] for row in rows} == scenes["test"] and not scenes["test"] & scenes["train"]
    assert told["spaces"] == {"train": 1, "test": 2} and told["rows"] == len(rows) > 200
    counts = Counter((row["question_type"], *(row[name] for name in CELL_FIELDS)) for row in rows)
    said_counts = {
        (own["type"], *cell["levels"]): cell["rows"]
        for own in told["types"]
        for cell in own["cells"]
        if cell["rows"]
    }
    assert counts == said_counts
    assert f"exported {len(rows):,} rows of held (test {len(rows):,})" in said.splitlines()[-1]
    letters: dict[str, Counter[str]] = {}
    for row in rows:
        if row["options"]:
            letters.setdefault(row["question_type"], Counter())[row["mc_answer"]] += 1
    equal = {own["type"]: own["letters_equal"] for own in told["types"] if own["letters_equal"] is not None}
    assert any(equal.values())
    for task, own in letters.items():
        if equal[task]:
            assert len(set(own.values())) == 1 and len(own) == (2 if task in layout.YES_NO else 4), task


def test_it_passes_its_check_and_comes_back(made: tuple[Path, str], held: Path) -> None:
    out, _ = made
    assert "is valid spatialmosaic-bench" in run("export", "--validate", "spatialmosaic-bench", out)
    source = ReleaseRows(held, "held")
    wanted = {q.row["qa_id"]: {**q.row, "split": "test"} for q in source.questions("test")}
    back = list(spatialmosaic_bench.read_back(out))
    assert len(back) == len(flat(out))
    for row in back:
        assert row == {name: wanted[row["qa_id"]][name] for name in spatialmosaic_bench.CARRIES}


def test_the_same_release_gives_the_same_bytes(made: tuple[Path, str], held: Path, tmp_path: Path) -> None:
    run("export", "spatialmosaic-bench", "held", tmp_path / "out", "--home", held)
    assert digest(tmp_path / "out") == digest(made[0])
    run(
        "export",
        "spatialmosaic-bench",
        "held",
        tmp_path / "tiny",
        "--home",
        held,
        "--size",
        "tiny",
        "--images",
        "none",
    )
    small, full = ({row["id"] for row in flat(out)} for out in (tmp_path / "tiny", made[0]))
    assert small <= full


def digest(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def test_our_own_truths_get_full_marks_by_type_and_by_level(made: tuple[Path, str], tmp_path: Path) -> None:
    rows = answered(flat(made[0]), right)
    (tmp_path / "right.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ("score", "spatialmosaic", tmp_path / "right.jsonl", "--profile", "official")
    summary = json.loads(run(*words, "--json"))
    assert summary["errors"] == 0 and set(summary["tasks"].values()) == {1.0} and "error" not in summary
    assert set(summary["by_level"]) == set(layout.levels())
    for field, levels in summary["by_level"].items():
        counts = Counter(row[field] for row in rows)
        assert {name: own["rows"] for name, own in levels.items()} == counts
        assert all(own["overall"] == 1.0 and set(own["tasks"].values()) == {1.0} for own in levels.values())
    printed = run(*words)
    for name in (
        "occ_level: low",
        "overlap_level: high",
        "vis_level: Partially Visible",
        "GT Scenario: Full Coverage",
    ):
        assert name in printed


def test_guesses_score_what_is_stated(made: tuple[Path, str]) -> None:
    rows = flat(made[0])
    stated = {
        own["type"]: own["chance"]
        for own in json.loads((made[0] / "report.json").read_text())["types"]
        if own["chance"]
    }
    often, summary = score_rows(
        "spatialmosaic", answered(rows, lambda row: stated[row["question_type"]]["most_frequent_answer"])
    )
    assert len(often) == len(rows)
    for task, mean in summary["tasks"].items():
        assert 100 * mean == pytest.approx(stated[task]["most_frequent"], abs=0.006), task
        assert 100 * summary["chance"]["random"]["tasks"][task] == pytest.approx(
            stated[task]["random"], abs=0.006
        )
        assert stated[task]["blind"] >= stated[task]["most_frequent"]
    check_random(rows, stated, seed=3)


def check_random(rows: list[Row], stated: dict[str, dict[str, float]], seed: int) -> None:
    """Seeded answers, each one of its type's distinct ones: within the interval over all, and of nearly all types."""
    answers: dict[str, list[str]] = {}
    for row in rows:
        answers.setdefault(row["question_type"], []).append(right(row))
    distinct = {task: sorted(set(own)) for task, own in answers.items()}
    draws = random.Random(seed)
    scored, summary = score_rows(
        "spatialmosaic", answered(rows, lambda row: draws.choice(distinct[row["question_type"]]))
    )
    by_task: dict[str, list[float]] = {}
    for row in scored:
        by_task.setdefault(row["question_type"], []).append(row["score"])
    known = {task: own for task, own in by_task.items() if len(own) >= LEAST}
    variance = {task: spread_of(own, stated[task]["random"] / 100) / len(own) for task, own in known.items()}
    off = {task: summary["tasks"][task] - stated[task]["random"] / 100 for task in known}
    outside = [task for task in known if abs(off[task]) > Z * math.sqrt(variance[task])]
    assert len(outside) <= 2, {task: (off[task], len(known[task])) for task in outside}
    spread = math.sqrt(sum(variance.values())) / len(known)
    assert abs(sum(off.values())) / len(known) <= Z * spread


def spread_of(scores: list[float], chance: float) -> float:
    """Variance of a guess's score: of what is right or wrong as the chance has it, since a few may all be wrong."""
    return chance * (1.0 - chance) if set(scores) <= {0.0, 1.0} else float(np.var(scores, ddof=1))


def test_a_model_stands_beside_chance_by_level(made: tuple[Path, str], tmp_path: Path) -> None:
    """Predictions with ids alone, joined to the truths of the benchmark, on the page of all models."""
    out, _ = made
    lines = [{"id": row["id"], "prediction": "A"} for row in flat(out)]
    (tmp_path / "ids.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    added = model_runs.add(
        tmp_path, "spatialmosaic", tmp_path / "ids.jsonl", "a", truths=out / "truths.jsonl"
    )
    result, _ = results.bring_up_to_date(tmp_path, added.key, IntervalParameters(replicates=100))
    assert result.run["unanswered"] == 0
    scores = [row for row in result.in_reading_order() if row["kind"] == ROW_LEVEL]
    rows = Counter(f"{name}: {row[name]}" for row in flat(out) for name in layout.levels())
    assert [row["name"] for row in scores] == [
        f"{name}: {level}"
        for name, known in ROW_LEVELS.items()
        for level in known
        if rows[f"{name}: {level}"]
    ]
    for row in scores:
        assert row["rows"] == rows[row["name"]] and row["low"] <= row["score"] <= row["high"]
        assert row["random"] > 0
    shown = page([result])
    assert "By how hard questions are" in shown
    assert all(row["name"].replace("_", "_<wbr>") in shown for row in scores)


def test_the_card_says_what_a_reader_must_know(made: tuple[Path, str]) -> None:
    card, told = (made[0] / "README.md").read_text(), json.loads((made[0] / "report.json").read_text())
    assert card.startswith("# SpatialMosaic-Bench\n") and told["rule"] in card
    assert "looks inverted" in card and "ScanNet Terms of Use" in card
    for own in told["types"]:
        if own["chance"]:
            assert f"| {own['chance']['random']:.2f} | {own['chance']['most_frequent']:.2f} |" in card
    cell = next(cell for own in told["types"] for cell in own["cells"] if cell["rows"])
    assert f"| {' | '.join(cell['levels'])} |" in card and f"{cell['rows']} of {cell['there']}" in card
    assert "below 0.1" in card and "nothing was learned" in card


def damaged(out: Path, damage: Callable[[Path], None]) -> list[str]:
    damage(out)
    return spatialmosaic_bench.validate(out)


def test_what_stands_beside_must_fit(made: tuple[Path, str], tmp_path: Path) -> None:
    shutil.copytree(made[0], tmp_path / "out", symlinks=True)
    out = tmp_path / "out"
    file = out / layout.annotation_folder("test") / "test.json"
    whole = file.read_text()
    rows = json.loads(whole)
    file.write_text(json.dumps(rows[1:]))
    problems = spatialmosaic_bench.validate(out)
    assert any(f"names row {rows[0]['id']}, which is not there" in problem for problem in problems)
    assert any("report.json: says" in problem and rows[0]["question_type"] in problem for problem in problems)
    file.write_text(whole)
    truths = out / "truths.jsonl"
    text = truths.read_text()
    truths.write_text(
        text.replace(f'"question_type": "{rows[0]["question_type"]}"', '"question_type": "x"', 1)
    )
    assert any(
        "record 0: truths.jsonl says another truth" in problem
        for problem in spatialmosaic_bench.validate(out)
    )
    for path, content in ((truths, "{"), (out / "report.json", "[1]"), (truths, "[]\n")):
        kept = path.read_text()
        path.write_text(content)
        (problem,) = spatialmosaic_bench.validate(out)
        assert problem.startswith("report.json, truths.jsonl: ") or path.name in problem
        path.write_text(kept if path != truths else text)
    assert spatialmosaic_bench.validate(out) == []


def test_the_published_shares_have_a_name(held: Path) -> None:
    shares = parse_splits("spatialmosaic")
    assert shares == PUBLISHED["spatialmosaic"] and shares["train"] == pytest.approx(679 / 849)
    run("release", "create", "published", "--split", "spatialmosaic", "--home", held)
    splits = manifest.load(held, "published")["splits"]
    assert set(splits) == {"train", "test"}


def test_a_place_in_two_splits_is_rejected(
    held: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spatialmosaic_bench, "shared_spaces", lambda by_split: [by_split["test"][0]])
    said = run("export", "spatialmosaic-bench", "held", tmp_path / "out", "--home", held, status=1)
    assert "stands in split test and in another" in said and not (tmp_path / "out").exists()


@pytest.mark.prove
def test_attacks_learn_from_the_other_split(held: Path, tmp_path: Path) -> None:
    create.create(held, "learning", create.Request({"train": 0.34, "test": 0.66}))
    run("export", "spatialmosaic-bench", "learning", tmp_path / "out", "--home", held)
    told = json.loads((tmp_path / "out" / "report.json").read_text())
    assert told["spaces"] == {"train": 2, "test": 1}
    learned = [own["chance"] for own in told["types"] if own["chance"] and own["chance"]["learned_on"]]
    assert len(learned) > 10
    for chance in learned:
        assert chance["blind"] == max(*chance["attacks"].values(), chance["most_frequent"])
    assert any("text and options" in chance["attacks"] for chance in learned)


@pytest.mark.prove
@pytest.mark.usefixtures("own_environment")
def test_it_is_an_asset_of_a_release(held: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(held, home)
    defs = build_defs(workspace=Workspace(home=str(home), workers=1))
    key = asset_key("spatialmosaic-bench")
    with instance_of(home) as instance:
        partitions.open_releases(instance, home)
        done = dg.materialize(
            [item for item in defs.assets or () if isinstance(item, dg.AssetsDefinition)],
            instance=instance,
            resources=defs.resources,
            selection=dg.AssetSelection.assets(key),
            partition_key="held",
            run_config={**QUIET, "ops": {key.to_python_identifier(): {"config": {"size": "tiny"}}}},
        )
        (event,) = done.get_asset_materialization_events()
    out = export_path(home, "spatialmosaic-bench", "held")
    told = event.step_materialization_data.materialization.metadata
    assert told["dagster/row_count"].value == len(flat(out)) > 100
    assert "most frequent" in str(told["told"].value) and spatialmosaic_bench.validate(out) == []
