"""Events that are written many at a time are the ones that are written one by one, in fewer transactions."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import event

from spatial_assets.assets.event_batches import SIZE_VARIABLE
from spatial_assets.assets.history import Events
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.shell import add_metadata

KEYS = [f"k{number}" for number in range(8)]
shards = dg.DynamicPartitionsDefinition(name="shards")


@dg.multi_asset(
    specs=[dg.AssetSpec("one"), dg.AssetSpec("two")],
    partitions_def=shards,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def both(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    for name in ("one", "two"):
        key = dg.AssetKey(name)
        add_metadata(
            context, key, {shard: {"rows": number} for number, shard in enumerate(context.partition_keys)}
        )
        yield dg.MaterializeResult(asset_key=key, data_version=dg.DataVersion("v1"))


def told(home: Path) -> tuple[object, int]:
    """What the pages are made from, and how many transactions it took to write it."""
    transactions = []
    with instance_of(home) as instance:
        storage = instance.event_log_storage
        assert isinstance(storage, Events)
        instance.add_dynamic_partitions("shards", KEYS)
        with storage.index_connection():
            pass  # opened
        for engine in storage._open.values():
            event.listen(engine, "begin", lambda _: transactions.append(1))
        tags = {
            "dagster/asset_partition_range_start": KEYS[0],
            "dagster/asset_partition_range_end": KEYS[-1],
        }
        run = dg.materialize([both], instance=instance, tags=tags)
        facts = {
            name: (
                [
                    (item.partition_key, made.metadata["rows"].value, dict(made.tags or {}))
                    for item in instance.fetch_materializations(dg.AssetKey(name), limit=99).records
                    if (made := item.asset_materialization) is not None
                ],
                sorted(instance.get_materialized_partitions(dg.AssetKey(name))),
                [sorted(tags) for tags in storage.get_event_tags_for_asset(dg.AssetKey(name))],
            )
            for name in ("one", "two")
        }
        logged = [str(entry.dagster_event_type) for entry in instance.all_logs(run.run_id)]
    return json.loads(json.dumps([facts, sorted(logged)]).replace(run.run_id, "")), len(transactions)


def test_they_say_the_same_in_fewer_transactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SIZE_VARIABLE, "0")
    singly, many = told(tmp_path / "singly")
    monkeypatch.delenv(SIZE_VARIABLE)
    together, few = told(tmp_path / "together")
    assert together == singly
    # Of 16 planned and 16 made, each took one in the shared database; now of 16 and of twice 8 together.
    assert many - few >= 32 - 3
