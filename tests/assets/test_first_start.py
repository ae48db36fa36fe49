"""Fresh homes that a web server, a daemon and commands open at the same moment: all are good, and stay so."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import first_starts
import pytest
from dagster._core.instance import DagsterInstance

from spatial_assets.assets.history import DOOR, Door, History, door_of
from spatial_assets.storage.shipped import shipped

HOMES = 20
PATIENCE = 60


def opened_at_once(homes: list[Path], addresses: list[str]) -> dict[str, list[str]]:
    """What each of four processes said of each home, all of which it opened when the others did."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    processes = {
        who: subprocess.Popen(
            [sys.executable, first_starts.__file__, who],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )
        for who in first_starts.WHO
    }  # fmt: skip
    told: dict[str, list[str]] = {who: [] for who in processes}
    try:
        for process in processes.values():
            assert process.stdout.readline() == "ready\n"
        for home, address in zip(homes, addresses, strict=True):
            for process in processes.values():
                process.stdin.write(f"{home} {address}\n")
            for process in processes.values():
                process.stdin.flush()
            for who, process in processes.items():
                told[who].append(process.stdout.readline().strip())
    finally:
        for process in processes.values():
            process.communicate(timeout=PATIENCE)
    return told


def homes_with(folder: Path, settings: str) -> list[Path]:
    homes = [folder / str(number) for number in range(HOMES)]
    for home in homes:
        (home / "dagster").mkdir(parents=True)
        (home / "dagster" / "dagster.yaml").write_text(settings)
    return homes


def bad_homes(told: dict[str, list[str]]) -> list[str]:
    return [
        f"{number}: {who}: {said[number]}"
        for number in range(HOMES)
        for who, said in told.items()
        if said[number] != "good"
    ]


@pytest.mark.prove
def test_twenty_fresh_homes_with_sqlite(tmp_path, own_environment, monkeypatch):
    homes = homes_with(tmp_path, shipped("dagster.yaml").read_text())
    assert bad_homes(opened_at_once(homes, [""] * HOMES)) == []
    for home in homes:
        for path in [*(home / "dagster").rglob("runs.db"), *(home / "dagster").rglob("index.db")]:
            with sqlite3.connect(path) as database:
                assert len(database.execute("SELECT * FROM alembic_version").fetchall()) == 1, path
        monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
        with DagsterInstance.from_config(str(home / "dagster")) as instance:
            assert len(instance.get_runs()) == 2


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a PostgreSQL server, with a place for a database's name."""
    pgserver = pytest.importorskip("pgserver")
    # Its own user must get there.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    folder.chmod(0o755)
    started = pgserver.get_server(folder / "data")
    try:
        yield started.get_uri(database="{}")
    finally:
        started.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.prove
def test_twenty_fresh_homes_with_postgresql(tmp_path, server, own_environment, monkeypatch):
    from dagster._core.storage.sql import create_engine
    from sqlalchemy import text

    from spatial_assets.cluster.postgres import MARK, with_driver

    engine = create_engine(with_driver(server.format("postgres")), isolation_level="AUTOCOMMIT")
    names = [f"home_{number}" for number in range(HOMES)]
    with engine.connect() as connection:
        for name in names:
            connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    homes = homes_with(tmp_path, first_starts.SHARED)
    assert bad_homes(opened_at_once(homes, [server.format(name) for name in names])) == []
    for home, name in zip(homes, names, strict=True):
        engine = create_engine(with_driver(server.format(name)))
        with engine.connect() as connection:
            assert len(connection.execute(text("SELECT * FROM alembic_version")).fetchall()) == 1
            connection.execute(text(f"SELECT * FROM {MARK}"))
        engine.dispose()
        monkeypatch.setenv("SPATIAL_ASSETS_POSTGRES", server.format(name))
        with DagsterInstance.from_config(str(home / "dagster")) as instance:
            assert len(instance.get_runs()) == 2


def test_nothing_is_made_while_another_process_is_at_it(tmp_path):
    made = threading.Event()

    def make():
        History(str(tmp_path)).dispose()
        made.set()

    with Door(tmp_path / DOOR).passing():
        thread = threading.Thread(target=make)
        thread.start()
        assert not made.wait(0.5)
        assert not list(tmp_path.rglob("*.db"))
    thread.join(PATIENCE)
    assert {path.name for path in tmp_path.rglob("*.db")} == {"runs.db", "index.db", "schedules.db"}


def test_a_door_may_be_passed_again_by_who_is_inside(tmp_path):
    door = door_of(tmp_path)
    assert door_of(tmp_path) is door
    with door.passing(), door.passing():
        pass
    with Door(tmp_path / DOOR).passing():
        pass
