"""The commands: exit status, one line for a mistake, JSON that a program may read, help with an example."""

from __future__ import annotations

import json

import click
import lakes
import pytest
from click.testing import CliRunner

from spatial_assets.commands.lineage import lineage
from spatial_assets.commands.release import release
from spatial_assets.storage.lake import Lake

SCENE = "scene0001_00"
GROUPS = {"lineage": lineage, "release": release}


def run(group, *words, status=0):
    result = CliRunner().invoke(GROUPS[group], [str(word) for word in words])
    assert result.exit_code == status, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.mark.parametrize(
    ("group", "name"), [(name, command) for name, group in GROUPS.items() for command in group.commands]
)
def test_every_command_has_help_with_an_example(group, name):
    command = GROUPS[group].commands[name]
    assert isinstance(command, click.Command)
    assert command.help
    assert (
        f"Example: spatial-assets {group} {name}" in command.epilog
        or "spatial-assets lineage" in command.epilog
    )
    shown = " ".join(run(group, name, "--help").output.split())
    assert command.help.splitlines()[0] in shown


def test_explain(built):
    row = lakes.rows(built.home, "questions/*").to_dicts()[0]
    text = run("lineage", "explain", row["qa_id"], "--home", built.home).output
    found = json.loads(run("lineage", "explain", row["qa_id"], "--home", built.home, "--json").output)
    assert found["question"]["answer"] == row["answer"]
    for item in [item for item in found["files"] if item["role"] not in ("image", "pose")]:
        assert item["sha256"] in text
    for record in found["records"]:
        assert f"made by   {record['asset']}" in text
    assert found["verify"] in text


def test_impact(built):
    words = ("--home", built.home, "--json", "--ids")
    found = json.loads(run("lineage", "impact", "--scene", SCENE, *words).output)
    assert found["rows"] == len(found["qa_ids"]) > 0
    assert (
        "no release holds any of it"
        in run("lineage", "impact", "--label", "plant", "--home", built.home).output
    )
    run("lineage", "impact", "--home", built.home, status=2)
    run("lineage", "impact", "--home", built.home, "--scene", SCENE, "--label", "x", status=2)


def test_stale(copied):
    tasks = ("--task", "depth_prediction_oc", "--task", "view_change_infer", "--home", copied.home)
    assert "nothing is stale" in run("lineage", "stale", *tasks).output
    file = copied.root / SCENE / f"{SCENE}.aggregation.json"
    file.write_text(file.read_text().replace("plant", "vase"))
    assert (
        f"{SCENE}: source changed: {SCENE}/{SCENE}.aggregation.json (changed)"
        in run("lineage", "stale", *tasks).output
    )
    found = json.loads(run("lineage", "stale", *tasks, "--json").output)
    assert {item["scene"] for item in found["stale"]} == {SCENE}
    assert found["shards"].keys() == {"scannet-v2-0001"}
    assert "no task named" in run("lineage", "stale", "--task", "x", "--home", copied.home, status=1).output


def test_verify_exits_with_1_on_a_difference(copied):
    import pyarrow as pa

    from spatial_assets.scene import tables
    from spatial_assets.storage.lake import write_parquet

    table = tables.of(tables.QUESTIONS, "depth_prediction_oc")
    rows = Lake(copied.home).read(table, "scannet-v2-0001").to_dicts()
    words = (rows[0]["qa_id"], "--home", copied.home)
    assert "all as in the lake" in run("lineage", "verify", *words).output
    rows[0]["answer"] = "7.7"
    write_parquet(
        Lake(copied.home).table_path(table, "scannet-v2-0001"),
        pa.Table.from_pylist(rows, schema=table.schema),
    )
    text = run("lineage", "verify", *words, status=1).output
    assert f"row: scannet-v2-0001/{SCENE}" in text
    assert 'answer is "7.7", should be' in text
    found = json.loads(run("lineage", "verify", *words, "--json", status=1).output)
    assert not found["ok"]
    assert found["counts"] == {"edited table": 1, "row": 1}
    run("lineage", "verify", "--all", "--sample", 3, "--home", copied.home, status=2)


def test_releases(copied):
    home = ("--home", copied.home)
    assert "no releases yet" in run("release", "list", *home).output
    text = run("release", "create", "v1", "--split", "train:0.5,val:0.5", *home).output
    assert "as v1" in text
    assert "does not change" in run("release", "create", "v1", *home, status=1).output
    assert run("release", "create", "v2", "--split", "train:2", *home, status=1).output.count("\n") == 1
    assert "is intact" in run("release", "verify", "v1", *home).output
    held = json.loads(run("release", "create", "v2", "--json", *home).output)
    assert json.loads(run("lineage", "diff", "v1", "v2", "--json", *home).output)["total"]["added"] == 0
    assert "moved" in run("lineage", "diff", "v1", "v2", *home).output
    assert {row["name"] for row in json.loads(run("release", "list", "--json", *home).output)} == {"v1", "v2"}
    run("release", "withdraw", SCENE, "--reason", "consent", *home)
    assert "rows are revoked" in run("release", "verify", "v1", *home, status=1).output
    assert "rows revoked" in run("release", "list", *home).output
    run("release", "withdraw", SCENE, "--lift", *home)
    run("release", "withdraw", SCENE, "--lift", *home, status=1)
    file = copied.root / SCENE / f"{SCENE}.aggregation.json"
    file.write_text(file.read_text().replace("plant", "vase"))
    words = ("--fresh", "--task", "depth_prediction_oc", *home)
    assert "1 scene is stale" in run("release", "create", "v3", *words, status=1).output
    assert held["rows"] > 0


def test_drawings_and_exports(copied, tmp_path):
    home = ("--home", copied.home)
    assert run("lineage", "graph").output.startswith("flowchart LR")
    run("lineage", "graph", "--format", "html", "--out", tmp_path / "deep" / "page.html")
    assert (tmp_path / "deep" / "page.html").read_text().startswith("<!doctype html>")
    assert json.loads(run("lineage", "graph", "--json").output)["columns"]
    path = run("lineage", "rebuild", *home).output.strip()
    assert path == str(copied.home / "lineage.duckdb")
    lines = run("lineage", "openlineage", *home).output.splitlines()
    assert all(json.loads(line)["producer"] for line in lines)
    run("release", "create", "v1", *home)
    found = json.loads(run("lineage", "croissant", "v1", "--creator", "Someone", *home).output)
    assert found["creator"]["name"] == "Someone"
    assert "no release 'v9'" in run("lineage", "croissant", "v9", *home, status=1).output


@pytest.mark.parametrize(
    "words",
    [
        ("lineage", "explain", "0" * 32),
        ("lineage", "explain", "seven"),
        ("lineage", "impact", "--scene", "nowhere"),
        ("lineage", "verify", "0" * 32),
        ("lineage", "diff", "a", "b"),
        ("release", "create", "v1"),
        ("release", "verify", "v1"),
        ("release", "withdraw", "nowhere"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, words):
    result = run(*words, "--home", tmp_path, status=1)
    assert result.output.startswith("error: ")
    assert result.output.count("\n") == 1
