"""Dagster's history with connections that stay open: the same files, seen by others as they are written."""

from __future__ import annotations

import gc
import sqlite3
import tempfile
import threading
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from spatial_assets.assets.history import Events, History, Runs
from spatial_assets.assets.instance import instance_of

PLAIN = "telemetry:\n  enabled: false\n"
WAITED = 20.0
"""Seconds at most, for what takes a few hundredths where it works."""


@dg.asset
def one() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 3})


def rows_of(instance: dg.DagsterInstance) -> list[object]:
    found = instance.fetch_materializations(one.key, limit=9).records
    return [item.asset_materialization.metadata["rows"].value for item in found if item.asset_materialization]


def plain_instance(home: Path) -> dg.DagsterInstance:
    """The same folder opened by what Dagster ships."""
    (home / "dagster" / "dagster.yaml").write_text(PLAIN)
    return dg.DagsterInstance.from_config(str(home / "dagster"))


def test_a_home_is_given_this_history(tmp_path: Path) -> None:
    with instance_of(tmp_path) as instance:
        assert isinstance(instance.event_log_storage, Events)
        assert isinstance(instance.run_storage, Runs)


def test_what_one_writes_the_other_reads(tmp_path: Path) -> None:
    with instance_of(tmp_path) as instance:
        assert dg.materialize([one], instance=instance).success
    with plain_instance(tmp_path) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        assert rows_of(instance) == [3]
        assert dg.materialize([one], instance=instance).success
    (tmp_path / "dagster" / "dagster.yaml").unlink()
    with instance_of(tmp_path) as instance:
        assert rows_of(instance) == [3, 3]
        assert len(instance.get_runs()) == 2


def test_a_run_is_seen_by_another_instance_while_it_is_written(tmp_path: Path) -> None:
    with instance_of(tmp_path) as writing, instance_of(tmp_path) as reading:
        run = writing.create_run_for_job(dg.define_asset_job("all", "*").resolve(asset_graph=_graph()))
        told = {"begun": threading.Event(), "half way": threading.Event()}

        def hear(entry: dg.EventLogEntry, _cursor: str) -> None:
            if entry.dagster_event is not None and entry.dagster_event.message in told:
                told[entry.dagster_event.message].set()

        reading.watch_event_logs(run.run_id, None, hear)
        try:
            for message, heard in told.items():
                writing.report_engine_event(message, run)
                assert heard.wait(WAITED), "the run's page would stand still until the run ends"
        finally:
            reading.end_watch_event_logs(run.run_id, hear)


def _graph() -> dg.AssetGraph:
    return dg.Definitions([one]).get_repository_def().asset_graph


def test_a_run_opens_each_database_a_few_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    connect = sqlite3.dbapi2.connect

    def counted(path: str, *rest: object, **named: object) -> sqlite3.Connection:
        opened.append(Path(path).name)
        return connect(path, *rest, **named)  # type: ignore[call-overload,no-any-return]

    def run(instance: dg.DagsterInstance) -> int:
        opened.clear()
        assert dg.materialize([one], instance=instance).success
        return len(opened)

    monkeypatch.setattr(sqlite3.dbapi2, "connect", counted)
    with instance_of(tmp_path) as instance:
        first = run(instance)
        again = run(instance)
    with plain_instance(tmp_path) as instance:
        without = run(instance)
    assert again <= first <= 15 < without, (first, again, without)


def test_what_a_killed_process_left_is_read(tmp_path: Path) -> None:
    with instance_of(tmp_path) as instance:
        assert dg.materialize([one], instance=instance).success
        # A copy taken while everything is open is what a kill leaves: databases beside logs not taken over yet.
        left = tmp_path / "left"
        left.mkdir()
        folder = tmp_path / "dagster"
        assert list((folder / "history").rglob("*.db-wal"))
        _copy(folder, left / "dagster")
    with instance_of(left) as instance:
        assert rows_of(instance) == [3]


def _copy(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and not path.name.endswith("-shm"):
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())


def test_wiping_closes_what_is_open(tmp_path: Path) -> None:
    with instance_of(tmp_path) as instance:
        assert dg.materialize([one], instance=instance).success
        instance.wipe()
        assert instance.get_runs() == []
        assert rows_of(instance) == []
        assert dg.materialize([one], instance=instance).success
        assert rows_of(instance) == [3]


def test_without_a_home_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    history = History.from_config_value(None, {"base_dir": ""})
    assert len(list(tmp_path.iterdir())) == 1
    history.dispose()
    del history
    gc.collect()
    assert not list(tmp_path.iterdir())
