"""Folders with names that mean something to a library: patterns, addresses, columns, quotes, line ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner
from lakes import build, register
from tiny import write_scannet

from spatial_assets.assets.build import stages_for
from spatial_assets.assets.instance import instance_of
from spatial_assets.cli import main
from spatial_assets.lineage import cache, database
from spatial_assets.lineage.cache import Lineage
from spatial_assets.storage.plain_paths import PATTERN, plain

TASKS = ("camera_motion_infer", "object_counting")
NAMES = (
    "run[1]", "[!a]*", "a?b", "**", "{x,y}", "two words", "it's", 'say "so"', "50%41", "a#b", "Küche 房间", "a\nb",
    "a\\b", "a\\[1]", "shard=x", "scene=y",
)  # fmt: skip
EVERYTHING = "all [1]*?{x} 'q' \"d\" %41 #é\nb\\c k=v"
"""Nearly all of them in one name."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain home beside its scenes, built without Dagster."""
    top = tmp_path_factory.mktemp("base")
    for number in range(2):
        write_scannet(top / "scenes", f"scene{number:04d}_00", seed=number, frames=6)
    register(top / "home", "scannet", top / "scenes")
    build(top / "home", stages=stages_for(TASKS))
    return top


def counted(con: duckdb.DuckDBPyConnection, view: str) -> int:
    (found,) = con.execute(f"select count(*) from {view}").fetchone() or (None,)
    return int(found)


@pytest.mark.every(4)
@pytest.mark.parametrize("name", NAMES)
def test_a_home_shows_its_own_rows_and_no_neighbors(base: Path, tmp_path: Path, name: str) -> None:
    neighbors = ("run1", "axb", "ab", "a1", "", "shard", "AB")
    for other in neighbors:
        (tmp_path / other / "home").mkdir(parents=True, exist_ok=True)
    home = tmp_path / name / "home"
    shutil.copytree(base / "home", home)
    # The neighbors have the rows and this home has lost its questions: any that show are theirs.
    for other in neighbors:
        shutil.copytree(base / "home", tmp_path / other / "home", dirs_exist_ok=True)
    scenes = pl.read_parquet((home / "lake/scenes/shard=scannet-v2-0000/data.parquet").read_bytes())
    for task in TASKS:
        for folder in ("lake/questions", "records"):
            shutil.rmtree(home / folder / task, ignore_errors=True)
    path = cache.rebuild(home)
    assert path == home / "lineage.duckdb"
    assert not [item for item in home.iterdir() if item.name.startswith(".")]
    with Lineage(home) as lineage:
        assert lineage.cached
        assert not lineage.changed
        assert lineage.rows("select count(*) as n from question") == [{"n": 0}]
        assert lineage.rows("select count(*) as n from scene") == [{"n": len(scenes)}]
    con = database.connect(home)
    assert counted(con, "questions") == 0
    assert counted(con, "scenes") == len(scenes)
    assert {row[0] for row in con.execute("select distinct shard from frames").fetchall()} == {
        "scannet-v2-0000"
    }
    assert con.table("frames").columns[-1] == "shard"
    # The views that stay in the file, as the plain shell sees them.
    with duckdb.connect() as shell:
        shell.execute(
            f"attach '{str(plain(home) / 'lineage.duckdb').replace(chr(39), chr(39) * 2)}' as c (read_only)"
        )
        assert counted(shell, "c.question_text") == 0
        assert counted(shell, "c.keyframe") == counted(con, "keyframes") > 0
        assert shell.table("c.visibility").columns[-1] == "shard"


@pytest.mark.every(3)
@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize("name", ["a?b", "50%41", "a#b", "a\nb", "a\\b"])
def test_dagsters_databases_stand_in_the_home(tmp_path: Path, name: str) -> None:
    home = tmp_path / name / "home"
    with instance_of(home) as instance:
        assert instance.get_run_records(limit=1) == []
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (home / "dagster" / "history").is_dir()


def test_a_plain_name_needs_no_link(tmp_path: Path) -> None:
    assert plain(tmp_path) == tmp_path
    odd = tmp_path / "a[1]"
    odd.mkdir()
    link = plain(odd)
    assert not PATTERN.search(str(link))
    assert link.resolve() == odd.resolve()
    assert plain(odd) == link
    link.unlink()
    link.symlink_to(tmp_path)
    assert plain(odd).resolve() == odd.resolve()


def commands(top: Path, question: str) -> list[list[object]]:
    """Every command that reads or writes a home or a root, in an order in which each has what it needs."""
    home = ("--home", top / "home")
    return [
        ["register", "scannet", top / "scenes", *home],
        ["build", *home, "--workers", 1, "--task", TASKS[0]],
        ["lineage", "rebuild", *home],
        ["lineage", "explain", question, *home],
        ["lineage", "impact", "--scene", "scene0000_00", *home],
        ["lineage", "stale", *home],
        ["lineage", "verify", question, *home],
        ["release", "create", "v1", *home, "--split", "train:1"],
        ["release", "verify", "v1", *home],
        ["lineage", "diff", "v1", "lake", *home],
        ["lineage", "impact", "--scene", "scene0000_00", *home],
        ["export", "llava", "v1", top / "out", *home],
        ["export", "--validate", "llava", top / "out"],
        ["gallery", *home, "--out", top / "gallery.html"],
        ["score", "sparbench", top / "p.jsonl", "--out", top / "o.jsonl", "--summary", top / "s.json"],
        ["evaluate", "add", "sparbench", top / "p.jsonl", "--model", "m", *home],
        ["evaluate", "compare", *home, "--out", top / "c.html"],
        ["evaluate", "remove", "sparbench.official.m", *home],
    ]


HEAVY = (["audit", "--release", "v1"], ["audit"])


def run_all(top: Path, base: Path, heavy: bool) -> None:
    shutil.copytree(base, top)
    registry = top / "home" / "registry" / "scannet-v2.json"
    entry = json.loads(registry.read_text())
    for shard in entry["shards"]:
        shard["root"] = str(top / "scenes")
    registry.write_text(json.dumps(entry))
    row = {"id": 1, "task": "position_matching", "prediction": "A", "ground_truth": "A"}
    (top / "p.jsonl").write_text(json.dumps(row) + "\n")
    files = sorted((top / "home/lake/questions").rglob("data.parquet"))
    question = next(qa for file in files for qa in pl.read_parquet(file.read_bytes())["qa_id"])
    listed = commands(top, question) + [[*command, "--home", top / "home"] for command in HEAVY if heavy]
    for command in listed:
        result = CliRunner().invoke(main, [str(part) for part in command])
        assert result.exit_code == 0, (command, result.exception, result.output)
    assert any((top / "out").iterdir())


@pytest.mark.usefixtures("own_environment")
@pytest.mark.prove
def test_every_command_takes_a_name_with_everything_in_it(base: Path, tmp_path: Path) -> None:
    run_all(tmp_path / EVERYTHING, base, heavy=False)


@pytest.mark.prove
@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize("name", NAMES)
def test_every_command_takes_every_name(base: Path, tmp_path: Path, name: str) -> None:
    run_all(tmp_path / name, base, heavy=True)
