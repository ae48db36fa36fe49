"""Quoted questions on their way through a release: its mix, card, hashes, lineage and export, like any others."""

from __future__ import annotations

import json
from hashlib import sha256

import lakes
import polars as pl
import pytest
import quoted_files
import tiny
from click.testing import CliRunner

from spatial_assets.cli import main
from spatial_assets.lineage import planning
from spatial_assets.releases import verify
from spatial_assets.scoring.kinds import Truth, score
from spatial_assets.stages import pipeline
from spatial_assets.storage import release_manifest as manifest

SCENES = ("scene0000_00", "scene0001_00")
TASKS = ("scanqa", "sqa3d", "depth_prediction_oc")
COUNTS = {"scanqa": 5, "sqa3d": 3, "depth_prediction_oc": 10}
RECIPE = "\n".join(
    f'[[entries]]\nname = "{task}"\ntasks = ["{task}"]\ncount = {count}\nper = "all"'
    for task, count in COUNTS.items()
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    found = tmp_path_factory.mktemp("quoted_release")
    for seed, name in enumerate(SCENES):
        tiny.write_scannet(found / "scans", name, frames=16, seed=seed)
    quoted_files.write(found / "scans", SCENES)
    lakes.register(found / "home", "scannet", found / "scans", per_shard=1)
    lakes.build(found / "home", stages=tuple(planning.needed_for(pipeline.STAGES, TASKS)))
    (found / "own.toml").write_text(RECIPE)
    for name, options in (
        ("v1", ["--mix", str(found / "own.toml")]),
        ("plain", ["--task", "depth_prediction_oc"]),
    ):
        done = run("release", "create", name, "--home", found / "home", *options)
        assert done.exit_code == 0, done.output
    return found


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def rows_of(home, task):
    paths = sorted((manifest.folder(home, "v1") / "data").glob(f"*/{task}.parquet"))
    return [row for path in paths for row in pl.read_parquet(path, hive_partitioning=False).to_dicts()]


def test_the_mix_holds_them_with_their_answers(base):
    assert {task: len(rows_of(base / "home", task)) for task in TASKS} == COUNTS
    for task in ("scanqa", "sqa3d"):
        for row in rows_of(base / "home", task):
            assert row["answers"] == quoted_files.expected(row) and row["frames"]
    assert {row["answers"] for row in rows_of(base / "home", "depth_prediction_oc")} == {None}
    assert verify.verify_release(base / "home", "v1") == []


def test_manifest_and_card_name_the_files_by_their_hashes(base):
    held = manifest.load(base / "home", "v1")
    on_disk = {
        path.relative_to(base / "scans").as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in (base / "scans").glob("S*QA*/*.json")
    }
    assert {file["path"]: file["sha256"] for file in held["question_files"]} == on_disk and len(on_disk) == 6
    counts = {file["path"]: file["questions"] for file in held["question_files"]}
    assert counts[quoted_files.SCANQA.format(split="train")] == 8
    assert counts[quoted_files.SQA3D_ANSWERS.format(split="train")] == 0
    card = (manifest.folder(base / "home", "v1") / manifest.CARD).read_text()
    assert all(hash in card and path in card for path, hash in on_disk.items())
    plain, terms = manifest.load(base / "home", "plain"), "ScanNet Terms of Use (non-commercial)"
    assert "question_files" not in plain and plain["licenses"] == [terms]
    assert held["licenses"] == [
        terms,
        f"{terms}; SQA3D: CC BY 4.0 (SQA3D questions and answers)",
        f"{terms}; ScanQA: CC BY-NC-SA 3.0 (ScanQA questions and answers)",
    ]
    assert "Questions from files" not in (manifest.folder(base / "home", "plain") / manifest.CARD).read_text()


def test_a_rows_lineage_leads_to_the_file(base):
    (row, *_) = rows_of(base / "home", "scanqa")
    done = run("lineage", "explain", row["qa_id"], "--home", base / "home", "--json")
    assert done.exit_code == 0, done.output
    assert quoted_files.SCANQA.format(split="train") in done.output
    done = run("lineage", "verify", row["qa_id"], "--home", base / "home")
    assert done.exit_code == 0, done.output


def test_they_are_exported_like_others(base, tmp_path):
    done = run("export", "qwen-vl", "v1", tmp_path / "out", "--home", base / "home")
    assert done.exit_code == 0, done.output
    texts = [path.read_text() for path in (tmp_path / "out").rglob("*.json*")]
    for row in rows_of(base / "home", "sqa3d"):
        assert any(json.dumps(row["question"])[1:-1] in text for text in texts)


def test_they_are_scored_by_the_answer_printed(base, tmp_path):
    done = run("export", "lmms-eval", "v1", tmp_path / "out", "--home", base / "home")
    assert done.exit_code == 0, done.output
    documents = [row for path in (tmp_path / "out").rglob("*.parquet") if path.name != "ids.parquet"
                 for row in pl.read_parquet(path).to_dicts()]  # fmt: skip
    own = [row for row in documents if row["task"] == "scanqa"]
    assert len(own) == COUNTS["scanqa"]
    for row in own:
        truth = Truth.of(row)
        (first, *_) = quoted_files.expected(row)
        assert score(f"{first.upper()}.", truth) == 1.0 and score("something else", truth) == 0.0
