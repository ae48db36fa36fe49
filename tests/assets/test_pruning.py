"""Old runs go, but none of which a page of Dagster shows something; what goes leaves no file behind."""

from __future__ import annotations

import json
import time
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from spatial_assets.assets.history import Events
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.pruning import DAY, Pruning, prune
from spatial_assets.cli import main

LATER = 40.0
"""Days from now at which the tests look back."""
names = dg.DynamicPartitionsDefinition(name="names")


@dg.asset(partitions_def=names)
def made() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"text": "x" * 200_000})


@dg.asset_check(asset=made, name="looks_right")
def looks_right() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


def run(instance: dg.DagsterInstance, *partitions: str) -> str:
    instance.add_dynamic_partitions("names", list(partitions))
    tags = {
        "dagster/asset_partition_range_start": partitions[0],
        "dagster/asset_partition_range_end": partitions[-1],
    }
    return dg.materialize([made], instance=instance, tags=tags).run_id


def check(instance: dg.DagsterInstance) -> str:
    defs = dg.Definitions(
        [made],
        asset_checks=[looks_right],
        jobs=[dg.define_asset_job("c", dg.AssetSelection.checks(looks_right))],
    )
    return defs.resolve_job_def("c").execute_in_process(instance=instance).run_id


def pruned(instance: dg.DagsterInstance, really: bool = True) -> Pruning:
    return prune(instance, 30, really, now=time.time() + LATER * DAY)


def runs(instance: dg.DagsterInstance) -> set[str]:
    return {item.run_id for item in instance.get_runs()}


def test_the_last_run_of_every_partition_and_check_stays(tmp_path: Path) -> None:
    with instance_of(tmp_path) as instance:
        first = run(instance, "a", "b")
        needed_for_b = run(instance, "b")
        old_check = check(instance)
        last_check = check(instance)
        a_again = run(instance, "a")
        done = pruned(instance)
        assert done.removed == (first, old_check)
        assert (done.needed, done.younger) == (3, 0)
        assert runs(instance) == {needed_for_b, last_check, a_again}
        assert set(instance.get_materialized_partitions(made.key)) == {"a", "b"}
        last = instance.get_latest_materialization_event(made.key)
        assert last is not None and last.run_id == a_again
        assert pruned(instance).removed == ()
        # The history goes on as before.
        assert run(instance, "b") in runs(instance)
        assert pruned(instance).removed == (needed_for_b,)


def test_what_is_removed_leaves_no_file_and_the_shared_database_shrinks(tmp_path: Path) -> None:
    with instance_of(tmp_path) as instance:
        storage = instance.event_log_storage
        assert isinstance(storage, Events)
        old = [run(instance, "a") for _ in range(5)]
        run(instance, "a")
        files = tmp_path / "dagster" / "history" / "runs"
        assert list(files.glob(f"{old[0]}.db*")) and (tmp_path / "dagster/storage" / old[0]).is_dir()
        before = sum(path.stat().st_size for path in storage.files())
        done = pruned(instance)
        assert list(done.removed) == old
        for run_id in old:
            assert not list(files.glob(f"{run_id}*"))
            assert not (tmp_path / "dagster/storage" / run_id).exists()
        after = sum(path.stat().st_size for path in storage.files())
        assert done.bytes == before - after
        # Each of five runs told twice of 200,000 characters; the shared database alone held a million of them.
        assert done.bytes > 2_000_000


def test_runs_that_are_young_or_have_not_ended_stay(tmp_path: Path) -> None:
    with instance_of(tmp_path) as instance:
        run(instance, "a")
        run(instance, "a")
        waiting = instance.create_run_for_job(
            dg.Definitions([made], jobs=[dg.define_asset_job("all", "*")]).resolve_job_def("all"),
            status=dg.DagsterRunStatus.STARTED,
        )
        assert prune(instance, 30, really=True).younger == 3
        assert len(pruned(instance).removed) == 1
        assert waiting.run_id in runs(instance)


def test_the_command_only_says_until_it_is_told_to(tmp_path: Path) -> None:
    with instance_of(tmp_path) as instance:
        old, last = run(instance, "a"), run(instance, "a")
    command = ["history", "prune", "--keep-days", "0", "--home", str(tmp_path)]
    told = CliRunner().invoke(main, command)
    assert told.exit_code == 0
    assert told.stdout.splitlines()[0] == "would remove 1 run; give --yes to do it"
    said = json.loads(CliRunner().invoke(main, [*command, "--json"]).stdout)
    assert (said["would_remove"], said["removed"]) == ([old], [])
    with instance_of(tmp_path) as instance:
        assert runs(instance) == {old, last}
    done = json.loads(CliRunner().invoke(main, [*command, "--yes", "--json"]).stdout)
    assert (done["would_remove"], done["removed"], done["needed"]) == ([], [old], 1)
    with instance_of(tmp_path) as instance:
        assert runs(instance) == {last}


def test_no_lake_and_no_record_is_touched(tmp_path: Path) -> None:
    for place in ("lake/scenes/shard=a/data.parquet", "records/scenes/shard=a.parquet"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_bytes(b"as it was")
    with instance_of(tmp_path) as instance:
        run(instance, "a")
        run(instance, "a")
        assert len(pruned(instance).removed) == 1
    for place in ("lake/scenes/shard=a/data.parquet", "records/scenes/shard=a.parquet"):
        assert (tmp_path / place).read_bytes() == b"as it was"


@pytest.mark.parametrize("days", [30, 0])
def test_a_dry_run_removes_nothing(tmp_path: Path, days: int) -> None:
    with instance_of(tmp_path) as instance:
        run(instance, "a")
        run(instance, "a")
        before = runs(instance)
        prune(instance, days, now=time.time() + LATER * DAY)
        assert runs(instance) == before
