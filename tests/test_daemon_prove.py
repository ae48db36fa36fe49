"""A dataset grows while another is being backfilled, under Dagster's own daemon with its sensors on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from lakes import build as build_plainly
from lakes import digest
from lakes import register as register_plainly
from tiny import write_scannet

from spatial_assets import partitions, pipeline
from spatial_assets.assets.datasets import register
from spatial_assets.building import instance_of
from spatial_assets.definitions import build_defs
from spatial_assets.lineage import records

PATIENCE = 420
"""Seconds: the daemon's own ticks come every half minute, and a scene is taken after two of them."""


@pytest.mark.prove
def test_scenes_arrive_while_another_dataset_is_backfilled(tmp_path, monkeypatch):
    for name in ("DAGSTER_HOME", "SPATIAL_ASSETS_HOME"):
        monkeypatch.setenv(name, "")
    home, first, second = tmp_path / "home", tmp_path / "first", tmp_path / "second"
    for number in range(4):
        write_scannet(first, f"scene{number:04d}_00", seed=number, frames=8)
    write_scannet(second, "scene0100_00", seed=9, frames=8)
    with instance_of(home) as instance:
        register(instance, home, "scannet", first, "one", scenes_per_shard=1)
        register(instance, home, "scannet", second, "two", scenes_per_shard=1)
        instance.add_backfill(
            PartitionBackfill.from_asset_partitions(
                backfill_id="one",
                asset_graph=build_defs().resolve_asset_graph(),
                partition_names=[f"scannet-one-{i:04d}" for i in range(4)] + ["scannet-two-0000"],
                asset_selection=[dg.AssetKey(name) for name in pipeline.STAGES],
                backfill_timestamp=time.time(),
                tags={},
                dynamic_partitions_store=instance,
                all_partitions=False,
                title=None,
                description=None,
                run_config=None,
            )
        )
    environment = {**os.environ, "DAGSTER_HOME": str(home / "dagster"), "SPATIAL_ASSETS_HOME": str(home)}
    log = (tmp_path / "daemon.log").open("wb")
    daemon = subprocess.Popen(
        [sys.executable, "-m", "dagster._daemon", "run", "-m", "spatial_assets.definitions"],
        env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    last = list(pipeline.STAGES)[-1]
    try:
        write_scannet(second, "scene0101_00", seed=10, frames=8)
        with instance_of(home) as instance:
            wait_for(lambda: len(partitions.registry(home).shards()) == 6)
            wait_for(lambda: records.load(home, last, "scannet-two-0001"))
            wait_for(lambda: instance.get_backfills()[0].status == BulkActionStatus.COMPLETED_SUCCESS)
            wait_for(lambda: (home / "reports/gallery.html").exists())
            wait_for(lambda: all(run.is_finished for run in instance.get_runs()))
            failed = [run.job_name for run in instance.get_runs() if not run.is_success]
            assert failed == []
    finally:
        os.killpg(daemon.pid, signal.SIGINT)
        daemon.wait(60)
        log.close()
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


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(1)
