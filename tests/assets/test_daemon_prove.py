"""A dataset grows while another is being backfilled, under Dagster's own daemon with its sensors on."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from daemons import backfill, daemon_at_work, wait_for, wait_until_all_is_done
from lakes import build as build_plainly
from lakes import digest
from lakes import register as register_plainly
from tiny import write_scannet

from spatial_assets.assets import partitions
from spatial_assets.assets.datasets import register
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.keys import key_of
from spatial_assets.cli import main
from spatial_assets.lineage import records
from spatial_assets.releases.create import Request, create
from spatial_assets.releases.diff import changed_rows
from spatial_assets.stages import pipeline

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.mark.prove
def test_scenes_arrive_while_another_dataset_is_backfilled(tmp_path):
    home, first, second = tmp_path / "home", tmp_path / "first", tmp_path / "second"
    for number in range(4):
        write_scannet(first, f"scene{number:04d}_00", seed=number, frames=8)
    write_scannet(second, "scene0100_00", seed=9, frames=8)
    with instance_of(home) as instance:
        register(instance, home, "scannet", first, "one", scenes_per_shard=1)
        register(instance, home, "scannet", second, "two", scenes_per_shard=1)
        backfill(
            instance,
            "one",
            pipeline.STAGES,
            [f"scannet-one-{i:04d}" for i in range(4)] + ["scannet-two-0000"],
        )
    last = list(pipeline.STAGES)[-1]
    with daemon_at_work(home), instance_of(home) as instance:
        write_scannet(second, "scene0101_00", seed=10, frames=8)
        wait_for(lambda: len(partitions.registry(home).shards()) == 6)
        wait_for(lambda: records.load(home, last, "scannet-two-0001"))
        # Written by a run that begins when the others have ended.
        wait_for(lambda: (home / "reports/gallery.html").exists())
        wait_until_all_is_done(instance)
    times = {}
    for shard in partitions.registry(home).shards():
        for stage in pipeline.STAGES:
            (record,) = records.load(home, stage, shard.key).values()
            times[shard.key, stage] = record.run_id
    # One run made everything of a shard: nothing was done twice.
    for shard in partitions.registry(home).shards():
        assert len({times[shard.key, stage] for stage in pipeline.STAGES}) == 1
    plain = tmp_path / "plain"
    register_plainly(plain, "scannet", first, "one", per_shard=1)
    register_plainly(plain, "scannet", second, "two", per_shard=1)
    build_plainly(plain)
    assert digest(home) == digest(plain)


@pytest.mark.prove
def test_a_scene_is_annotated_anew_while_another_dataset_is_backfilled(tmp_path):
    home, first, second = tmp_path / "home", tmp_path / "first", tmp_path / "second"
    for number in range(3):
        write_scannet(first, f"scene{number:04d}_00", seed=number, frames=8)
    for number in (100, 101):
        write_scannet(second, f"scene{number:04d}_00", seed=number, frames=8)
    register_plainly(home, "scannet", second, "two", per_shard=2)
    build_plainly(home)
    former = create(home, "former", Request(allow_leaks=True))
    before = {stage: records.load(home, stage, "scannet-two-0000") for stage in pipeline.STAGES}
    keys = [f"scannet-one-{i:04d}" for i in range(3)]
    with instance_of(home) as instance:
        register(instance, home, "scannet", second, "two", scenes_per_shard=2)
        register(instance, home, "scannet", first, "one", scenes_per_shard=1)
        backfill(instance, "one", pipeline.STAGES, keys)
    with daemon_at_work(home), instance_of(home) as instance:
        wait_for(lambda: any(records.load(home, "sources", key) for key in keys))
        file = next((second / "scene0100_00").glob("*.aggregation.json"))
        content = json.loads(file.read_text())
        content["segGroups"][1]["label"] = "sofa"
        file.write_text(json.dumps(content))
        assert not all(records.load(home, list(pipeline.STAGES)[-1], key) for key in keys), "too late"
        backfill(instance, "anew", pipeline.STAGES, ["scannet-two-0000"])
        # Written by a run that begins when the others have ended.
        wait_for(lambda: (home / "reports/gallery.html").exists())
        wait_until_all_is_done(instance)
        computed = scenes_computed(instance)
    # Frame sets, overlap and meshes do not depend on labels.
    touched = {stage for stage in pipeline.STAGES if stage not in ("keyframes", "frame_sets", "overlap")}
    assert computed == {
        **{(stage, key): 1 for stage in pipeline.STAGES for key in keys},
        **{(stage, "scannet-two-0000"): int(stage in touched) for stage in pipeline.STAGES},
    }
    for stage in pipeline.STAGES:
        after = records.load(home, stage, "scannet-two-0000")
        changed = {scene for scene in after if after[scene] != before[stage][scene]}
        assert changed == ({"scene0100_00"} if stage in touched else set()), stage
    plain = tmp_path / "plain"
    register_plainly(plain, "scannet", first, "one", per_shard=1)
    register_plainly(plain, "scannet", second, "two", per_shard=2)
    build_plainly(plain)
    assert digest(home) == digest(plain)
    latter = create(home, "latter", Request(allow_leaks=True))
    expected = differences(home, "former", "latter")
    assert changed_rows(home, "former", "latter") == expected
    kinds = Counter(kind for kind, _ in expected)
    assert kinds["changed"] > 0
    assert kinds["added"] - kinds["removed"] == latter["rows"] - former["rows"]
    command = ["lineage", "diff", "former", "latter", "--home", str(home), "--json"]
    told = json.loads(CliRunner().invoke(main, command).stdout)
    assert {kind: count for kind, count in told["total"].items() if count} == kinds


def scenes_computed(instance):
    """By asset and shard, how many scenes Dagster's history says were computed, over all its runs."""
    found = Counter()
    for stage in pipeline.STAGES:
        for record in instance.fetch_materializations(key_of(stage), limit=1000).records:
            metadata = record.asset_materialization.metadata
            found[stage, record.partition_key] += metadata["scenes_done"].value
    return dict(found)


def differences(home, former, latter):
    """(kind, qa_id) of rows that two releases do not share, found by comparing them one by one."""
    sides = []
    for name in (former, latter):
        files = sorted((home / "releases" / name / "data").rglob("*.parquet"))
        sides.append({row["qa_id"]: row for file in files for row in pq.read_table(file).to_pylist()})
    old, new = sides
    return sorted(
        ("added" if qa_id not in old else "removed" if qa_id not in new else "changed", qa_id)
        for qa_id in old.keys() | new.keys()
        if old.get(qa_id) != new.get(qa_id)
    )
