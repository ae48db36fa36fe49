"""What is measured of many shards: the simulation's arithmetic, histories as runs write them, a registry read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import copied_runs, histories, postgres, simulation
from spatial_assets.assets import partitions
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.keys import key_of
from spatial_assets.assets.shell import SHARDS_PER_RUN
from spatial_assets.engine import arrivals
from spatial_assets.storage import shards
from spatial_assets.storage.shards import Registry

NAMES = ("sources", "scenes")
WORK = simulation.Work({"scenes": 5.0}, 50.0)
OWN = simulation.Overhead(1.0, 1.0, 0.5)
BASE = simulation.Database(
    shards=100, runs=5, rows=42_000, megabytes=500.0, rate_of_one=500.0, rate_of_many=1000.0,
    rows_a_shard=200.0, rows_a_run=300.0, megabytes_a_shard=0.2, megabytes_a_run=1.0, launch=0.01,
)  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "workers", "between", "expected"),
    [
        ([3, 3, 2, 2, 2], 1, 0, 12),
        ([2, 3, 2, 3, 2], 2, 0, 7),
        ([10, 1, 1], 2, 0, 10),
        ([1, 1, 1], 9, 0, 1),
        ([1, 1, 1], 9, 5, 11),
        ([], 2, 0, 0),
    ],
)
def test_heavy_runs_go_first_to_the_worker_that_is_free_first(seconds, workers, between, expected):
    assert simulation.makespan(seconds, workers, between) == expected


def test_runs_are_smaller_where_there_are_more_workers():
    assert simulation.shards_a_run(2_000, 1) == SHARDS_PER_RUN
    assert simulation.shards_a_run(2_000, 64) == 7
    assert simulation.shards_a_run(10, 64) == 1


def test_what_is_full_first_is_what_needs_the_most_of_the_wall_time():
    one = simulation.line(10_000, 1, WORK, OWN, BASE)
    many = simulation.line(10_000, 8, WORK, OWN, BASE)
    assert one.hours == pytest.approx(10_000 * 5 / simulation.CORES / 3600, rel=0.05)
    assert 6 < one.hours / many.hours <= 8.1  # 34 runs are five waves on eight workers, the last one short
    assert one.loads["workers"] == many.loads["workers"] == 1
    # 50 MB of 1,000 MB/s are 0.05 s a scene; 4.2 events of 1,000/s are 0.004 s.
    assert many.fullest.startswith("file server")
    assert one.runs == 10 and one.events == 200 * 200 + 10 * 300
    thousand = simulation.line(10_000, 1000, WORK, OWN, BASE)
    assert thousand.loads["file server"] == 1 and thousand.loads["workers"] < 1
    assert thousand.hours == pytest.approx(10_000 * 50 / simulation.FILE_SERVER / 3600)
    assert len(list(simulation.table([one, many]))) == 3


def test_dagster_s_share_is_of_a_shard_that_is_a_run_of_its_own():
    assert simulation.share(WORK, OWN) == 2.5 / (2.5 + 50 * 5)


@pytest.mark.usefixtures("own_environment")
def test_a_history_is_what_runs_write_and_is_copied_to_other_shards(tmp_path):
    histories.register(tmp_path, 4, scenes=2)
    keys = [shard.key for shard in partitions.registry(tmp_path).shards()]
    with instance_of(tmp_path) as instance, histories.made_definitions(tmp_path) as defs:
        partitions.open_partitions(instance, partitions.registry(tmp_path))
        run = histories.run(instance, defs, keys[:2], NAMES)
        made = copied_runs.template(instance, run.run_id, keys[:2])
        assert copied_runs.write_run(instance, made, keys[2:]) == len(made.events)
        for name in NAMES:
            assert instance.get_materialized_partitions(key_of(name)) == set(keys)
            (last,) = instance.fetch_materializations(key_of(name), limit=1).records
            assert last.asset_materialization is not None
            assert last.asset_materialization.metadata["scenes_done"].value == 2
            assert "picture" in last.asset_materialization.metadata
        assert len(instance.get_runs()) == 2
        copied = next(item.run_id for item in instance.get_runs() if item.run_id != run.run_id)
        kinds = [
            [entry.dagster_event_type for entry in instance.all_logs(one)] for one in (run.run_id, copied)
        ]
        assert kinds[0] == kinds[1]


@pytest.mark.prove
@pytest.mark.usefixtures("own_environment")
@pytest.mark.skipif(postgres.programs() is None, reason=postgres.NEEDED)
def test_postgres_holds_the_same_history_after_batches_as_one_by_one(tmp_path):
    """Of planned and made materializations, what the pages ask for."""
    found = []
    for folder, together in (("singly", False), ("together", True)):
        home = tmp_path / folder
        histories.register(home, 4, scenes=2)
        keys = [shard.key for shard in partitions.registry(home).shards()]
        with postgres.server() as address:
            postgres.write_yaml(home, address)
            with instance_of(home) as instance, histories.made_definitions(home) as defs:
                partitions.open_partitions(instance, partitions.registry(home))
                run = histories.run(instance, defs, keys[:2], NAMES)
                if together:
                    made = copied_runs.template(instance, run.run_id, keys[:2])
                    instance.delete_run(run.run_id)
                    copied_runs.write_run(instance, made, keys[:2])
                assert instance.get_asset_records([key_of(name) for name in NAMES])
                found.append(
                    {
                        name: (
                            sorted(instance.get_materialized_partitions(key_of(name))),
                            [
                                sorted(tags)
                                for tags in instance.event_log_storage.get_event_tags_for_asset(key_of(name))
                            ],
                        )
                        for name in NAMES
                    }
                )
            rows, size = simulation.sizes(address)
            assert rows > 0 and size > 0
    assert found[0] == found[1]


def test_a_registry_is_read_once_and_again_when_it_is_replaced(tmp_path, monkeypatch):
    histories.register(tmp_path, 3, scenes=2)
    read: list[Path] = []
    entry = shards._entry
    monkeypatch.setattr(shards, "_kept", {})

    def noted(path):
        read.append(path)
        return entry(path)

    monkeypatch.setattr(shards, "_entry", noted)
    registered = partitions.registry(tmp_path)
    keys = [shard.key for shard in registered.shards()]
    assert [registered.shard(key).key for key in keys] == keys
    assert partitions.registry(tmp_path).shards() == registered.shards()
    assert registered.sources()[0].scenes_per_shard == 2
    assert len(read) == 1
    Registry(tmp_path, partitions.make_key).register(
        histories.DATASET, histories.RELEASE, "", tmp_path / "source", [shards.SceneRef("new", "scene")], 2
    )
    assert len(registered.shards()) == 4
    with pytest.raises(KeyError, match="no shard"):
        registered.shard("scannet-made-0009")


@pytest.mark.usefixtures("own_environment")
def test_a_look_for_arrivals_asks_the_registry_a_few_times_whatever_its_size(tmp_path, monkeypatch):
    histories.register(tmp_path, 40, scenes=1)
    registered = partitions.registry(tmp_path)
    asked = []
    whole = Registry.shards

    def noted(self):
        asked.append(self)
        return whole(self)

    monkeypatch.setattr(Registry, "shards", noted)
    arrivals.look(registered, {})
    assert len(asked) == 1
