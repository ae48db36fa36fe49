"""Findings are kept by shard: only what changed is looked at again, and nothing that stands is forgotten."""

from __future__ import annotations

import shutil

import polars as pl
import pytest
from lakes import build, register
from tiny import write_scannet

from spatial_assets.engine import lake_quality
from spatial_assets.stages.questions import STAGES as TASKS


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    base = tmp_path_factory.mktemp("quality")
    for number in range(3):
        write_scannet(base / "source", f"scene{number:04d}_00", seed=number, frames=4)
    register(base / "home", "scannet", base / "source", per_shard=1)
    build(base / "home")
    return base / "home"


@pytest.fixture
def home(built, tmp_path):
    """A copy, over the same sources, that the test may change."""
    shutil.copytree(built, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def looked(monkeypatch):
    """The shards of each query that is made."""
    shards_of = []
    real = lake_quality.connect_tables
    monkeypatch.setattr(
        lake_quality,
        "connect_tables",
        lambda h, tables, shards: shards_of.append(list(shards)) or real(h, tables, shards),
    )
    return shards_of


def of(home):
    return lake_quality.find_problems(home, ["overlap"])["overlap"]


def spoil(home, shard, column="overlap", value=2.0):
    path = home / f"lake/overlap/shard={shard}/data.parquet"
    whole = path.read_bytes()
    pl.read_parquet(path, hive_partitioning=False).with_columns(pl.lit(value).alias(column)).write_parquet(
        path
    )
    return path, whole


def test_only_changed_shards_are_looked_at(home, looked):
    assert of(home) == []
    assert of(home) == []
    spoil(home, "scannet-v2-0001")
    first = of(home)
    assert {row[1] for row in first} == {"scannet-v2-0001"}
    spoil(home, "scannet-v2-0002")
    both = of(home)
    assert {row[1] for row in both} == {"scannet-v2-0001", "scannet-v2-0002"}
    assert looked == [[f"scannet-v2-{i:04d}" for i in range(3)], ["scannet-v2-0001"], ["scannet-v2-0002"]]


def test_what_is_mended_is_no_longer_reported(home):
    path, whole = spoil(home, "scannet-v2-0001")
    assert of(home)
    path.write_bytes(whole)
    assert of(home) == []


def test_a_damaged_file_of_findings_is_made_anew(home):
    spoil(home, "scannet-v2-0001")
    found = of(home)
    (home / "records/findings/overlap.json").write_text("{")
    assert of(home) == found


def test_tasks_are_looked_at_together_and_each_keeps_its_own(home, looked, monkeypatch):
    monkeypatch.setattr(lake_quality, "SHARDS_AT_ONCE", 2)
    nothing = lake_quality.find_problems(home, list(TASKS))
    assert nothing == {name: [] for name in TASKS}
    assert looked == [["scannet-v2-0000", "scannet-v2-0001"], ["scannet-v2-0002"]]
    looked.clear()
    first, second = sorted(TASKS)[:2]
    for name, shard in ((first, "scannet-v2-0001"), (second, "scannet-v2-0002")):
        path = home / f"lake/quality/{name}/shard={shard}/data.parquet"
        table = pl.read_parquet(path, hive_partitioning=False)
        table.with_columns(pl.col("candidates") + 1).write_parquet(path)
    found = lake_quality.find_problems(home, list(TASKS))
    assert {(name, row[1]) for name, rows in found.items() for row in rows} == {
        (first, "scannet-v2-0001"),
        (second, "scannet-v2-0002"),
    }
    assert looked == [["scannet-v2-0001", "scannet-v2-0002"]]
    assert lake_quality.find_problems(home, [second])[second] == found[second]
    assert looked == [["scannet-v2-0001", "scannet-v2-0002"]], "what one look found holds for the next"


def test_a_table_that_cannot_be_read_hides_nothing_of_the_others(home):
    first, second, third = sorted(TASKS)[:3]
    (home / f"lake/questions/{first}/shard=scannet-v2-0001/data.parquet").write_bytes(b"no table")
    path = home / f"lake/quality/{second}/shard=scannet-v2-0001/data.parquet"
    pl.read_parquet(path, hive_partitioning=False).with_columns(pl.col("candidates") + 1).write_parquet(path)
    found = lake_quality.find_problems(home, [first, second, third])
    ((severity, _, _, problem),) = found[first]
    assert severity == "ERROR"
    assert problem.startswith("cannot be checked: ")
    assert f"questions/{first}" in problem
    assert {row[1] for row in found[second]} == {"scannet-v2-0001"}
    assert found[third] == []
