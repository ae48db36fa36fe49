"""The command line end to end: what it prints, how it exits, and what survives being killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from lakes import build as build_plainly
from lakes import digest, register, rows
from tiny import write_scannet

from spatial_assets.cli import main
from spatial_assets.lineage import records

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    root = tmp_path_factory.mktemp("source")
    for number in range(4):
        write_scannet(root, f"scene{number:04d}_00", seed=number, frames=12)
    return root


FEW = ["sources", "scenes", "keyframes", "visibility", "depth_prediction_oc"]
"""What is built where many builds are needed."""


def undisturbed(home, source, stages=None):
    """The lake that a build makes without Dagster, in shards of two."""
    register(home, "scannet", source, per_shard=2)
    build_plainly(home, stages=stages)
    return digest(home)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_register_then_build_then_nothing_to_do(source, tmp_path, tmp_path_factory):
    done = run("register", "scannet", source, "--home", tmp_path, "--scenes-per-shard", 2)
    assert done.exit_code == 0, done.output
    assert "registered 4 new scenes in 2 new shards" in done.stdout
    only = [word for task in ("depth_prediction_oc", "object_counting") for word in ("--task", task)]
    done = run("build", "--home", tmp_path, "--workers", 2, "--json", *only)
    assert done.exit_code == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["rejected"] == {}
    assert facts["failed_checks"] == 0
    assert facts["unchanged"] == 0
    assert facts["questions"]["depth_prediction_oc"] == rows(tmp_path, "questions/depth_prediction_oc").height
    assert digest(tmp_path) == undisturbed(
        tmp_path_factory.mktemp("plain"), source, [*FEW, "object_counting"]
    )
    again = run("build", "--home", tmp_path, *only)
    assert again.exit_code == 0
    assert "built: 0 computed" in again.stdout
    assert str(tmp_path / "lake") in again.stdout


@pytest.mark.prove
def test_only_a_task_and_what_it_needs(source, tmp_path):
    run("register", "scannet", source, "--home", tmp_path)
    done = run(
        "build", "--home", tmp_path, "--task", "view_change_infer", "--scene", "scene0001_00", "--seed", 5
    )
    assert done.exit_code == 0, done.stderr
    assert [path.name for path in (tmp_path / "lake/questions").iterdir()] == ["view_change_infer"]
    assert set(rows(tmp_path, "scenes")["scene"]) == {"scene0001_00"}


def test_bad_scenes_are_one_line_each_and_the_others_are_done(source, tmp_path):
    root, home = tmp_path / "source", tmp_path / "home"
    shutil.copytree(source, root)
    next((root / "scene0000_00").glob("*.ply")).unlink()
    (root / "scene0001_00/color/3.jpg").write_bytes(b"")
    next((root / "scene0002_00").glob("*.aggregation.json")).write_text('{"segGroups": []}')
    run("register", "scannet", root, "--home", home)
    build = ("build", "--home", home, "--task", "view_change_infer")
    done = run(*build)
    assert done.exit_code == 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("scene000")]
    assert lines == [
        "scene0000_00/scene0000_00_vh_clean_2.ply: missing",
        "scene0001_00/color/3.jpg: not a readable image",
        "scene0002_00/scene0002_00.aggregation.json: no objects are annotated",
    ]
    assert "3 scenes rejected" in done.stdout
    assert set(rows(home, "questions/view_change_infer")["scene"]) == {"scene0003_00"}
    assert set(rows(home, "rejects/s*")["scene"]) == {f"scene000{i}_00" for i in range(3)}
    strict = run(*build, "--strict")
    assert strict.exit_code == 1
    assert lines == [line for line in strict.stderr.splitlines() if line.startswith("scene000")]


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("register", "scannet", "nowhere"), "no such directory"),
        (("register", "scannet", "."), "no scene in the layout of scannet"),
        (("register", "scannet", ".", "--release", "v-2"), "no scene in the layout"),
        (("build",), "no dataset is registered here"),
        (("studio", "out", "--size", "large"), "--size 'large'"),
        (("score", "sparbench", "nowhere.jsonl"), "nowhere.jsonl"),
        (("score", "sparbench", "nowhere.jsonl", "--profile", "mine"), "profile"),
        (("conformance", "vsibench", "--meta", "a.json", "--questions", "b.jsonl"), "a.json"),
    ],
)
def test_a_users_mistake_is_one_line(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_mistakes_about_a_registered_home(source, tmp_path):
    run("register", "scannet", source, "--home", tmp_path)
    for arguments, message in (
        (("--dataset", "hypersim"), "there is scannet"),
        (("--scene", "scene9999_00"), "'scene9999_00'"),
        (("--task", "cooking"), "no task named 'cooking'"),
    ):
        done = run("build", "--home", tmp_path, *arguments)
        assert done.exit_code == 1
        assert message in done.stderr
    (tmp_path / "parameters.toml").write_text("[visibility]\nnear = -1\n")
    done = run("build", "--home", tmp_path)
    assert done.exit_code == 1
    assert "[visibility] near" in done.stderr


def test_every_command_has_help_with_an_example():
    def walk(command, path):
        for name, child in getattr(command, "commands", {}).items():
            yield from walk(child, [*path, name])
        if not hasattr(command, "commands"):
            yield path

    for path in walk(main, []):
        done = run(*path, "--help")
        assert done.exit_code == 0
        _, example, text = " ".join(done.stdout.split()).partition("Example: ")
        assert example, path
        assert f"spatial-assets {' '.join(path)}" in text, path


def build_command(home):
    environment = {**os.environ, "SPATIAL_ASSETS_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, "-m", "spatial_assets", "build", "--workers", "2", "--task", FEW[-1]],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


@pytest.mark.prove
def test_killed_three_times_a_build_ends_with_the_same_bytes(source, tmp_path, tmp_path_factory):
    """Killed at moments spread over its work: no half table, and the next build goes on where it was."""
    run("register", "scannet", source, "--home", tmp_path, "--scenes-per-shard", 2)
    for moment in range(3):
        process = build_command(tmp_path)
        # From the first record on, wait until a little more has been written than the time before.
        deadline = time.monotonic() + 60
        while (
            count_records(tmp_path) <= 2 * moment and process.poll() is None and time.monotonic() < deadline
        ):
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for path in (tmp_path / "lake").rglob("data.parquet"):
            assert path.read_bytes()[-4:] == b"PAR1", "half a table"
    process = build_command(tmp_path)
    assert process.wait(120) == 0
    assert digest(tmp_path) == undisturbed(tmp_path_factory.mktemp("plain"), source, FEW)
    assert not (tmp_path / "pending").exists()


def count_records(home):
    """Folders come and go meanwhile; `os.walk` leaves out those that are gone."""
    found = [name for _, _, files in os.walk(home / "records") for name in files if name.endswith(".parquet")]
    return len(found) + sum(
        name.endswith(records.PENDING_SUFFIX) for _, _, files in os.walk(home / "pending") for name in files
    )
