"""Dagster's history in SQLite, as it ships it, with connections that stay open.

Dagster opens a database anew for each of an event's three or four statements, checks whether its tables are there,
and closes it, which moves what was written from SQLite's log into the database, twice to the disk. On a build with
many assets that takes more time than their computing does. The files and their tables are Dagster's own, so that a
home can be opened with or without what stands here.

Nor does Dagster mind that another process may be making the same tables: two web servers, daemons or commands that
open a fresh home at once leave it broken for good every other time. Here one at a time makes them.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from dagster import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from sqlalchemy import Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from spatial_assets.assets.event_batches import fits, note_assets, write_in_batches
from spatial_assets.storage.lock_files import open_lock

DOOR = ".opening.lock"
"""In Dagster's folder; held by whoever looks whether a database's tables are there, and makes them."""


class Door:
    """Lets one process at a time through, and one thread of it, as often as that comes.

    A plain lock of the operating system: SQLite's files are one machine's, whose locks end with their processes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._inside = 0

    @contextmanager
    def passing(self) -> Iterator[None]:
        with self._lock, ExitStack() as held:
            if not self._inside:
                # A lock of a file that was opened twice waits for itself.
                handle = open_lock(self.path)
                held.callback(os.close, handle)
                fcntl.flock(handle, fcntl.LOCK_EX)
            self._inside += 1
            try:
                yield
            finally:
                self._inside -= 1


@cache
def door_of(folder: Path) -> Door:
    return Door(folder / DOOR)


def kept_open(address: str) -> Engine:
    """An engine of which one connection stays open; what needs more at once opens and closes them.

    Its transactions are written to the disk when SQLite takes its log over, not one by one: a machine that loses
    power may lose the last of the history, never a database. What was computed does not rest on the history.
    """
    engine = create_engine(
        address,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=-1,
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def _(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


class Events(SqliteEventLogStorage):
    """The event log: one database that all runs share, and one of each run."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._open: dict[str, Engine] = {}
        self._tables: set[str] = set()
        self.door = door_of(Path(base_dir))
        super().__init__(base_dir, inst_data)

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """Of a run's database too: its page may be opened while the run begins."""
        with self.door.passing():
            super()._initdb(engine, for_index_shard)

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)  # none is ever dropped
        return table_name in self._tables

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._open.get(shard)
            if engine is None:
                # A process writes one run, or looks at many; only the last one's database stays open.
                for other in [name for name in self._open if name != INDEX_SHARD_NAME]:
                    self._open.pop(other).dispose()
                engine = self._open[shard] = kept_open(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection
            if shard != INDEX_SHARD_NAME:
                self._touch(shard)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Write events that belong together by one transaction in their run's database and one in the shared one."""
        if not fits(events) or len({event.run_id for event in events}) > 1:
            super().store_event_batch(events)
            return
        rows = [self.prepare_insert_event(event) for event in events]
        with self.run_connection(events[0].run_id) as con:
            for row in rows:
                con.execute(row)
        with self.index_transaction() as con:
            ids = [_number(con.execute(row)) for row in rows]
            note_assets(self, con, events, ids)

    def _touch(self, shard: str) -> None:
        """Pages that show a run as it goes on watch its database's file, which SQLite's log leaves as it is."""
        with suppress(OSError):
            os.utime(self.path_for_shard(shard))

    def files(self) -> list[Path]:
        """The databases of the runs, and the one they share, with their logs."""
        return sorted(Path(self.path_for_shard(INDEX_SHARD_NAME)).parent.glob("*.db*"))

    def remove_run(self, run_id: str) -> None:
        """Remove the database of a run whose events are gone: Dagster leaves it, empty and as large as it was."""
        with self._db_lock:
            engine = self._open.pop(run_id, None)
            if engine is not None:
                engine.dispose()
            self._initialized_dbs.discard(run_id)
        path = Path(self.path_for_shard(run_id))
        for suffix in ("-wal", "-shm", ""):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def shrink(self) -> None:
        """Give the room of removed events in the shared database back to the disk."""
        with closing(
            sqlite3.connect(self.path_for_shard(INDEX_SHARD_NAME), SQLITE_BUSY_TIMEOUT_SECONDS)
        ) as con:
            con.execute("VACUUM")
            con.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def wipe(self) -> None:
        self._close()
        super().wipe()

    def dispose(self) -> None:
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._db_lock:
            for engine in self._open.values():
                engine.dispose()
            self._open.clear()


def _number(inserted: CursorResult[Any]) -> int:
    """Of a row that was inserted."""
    key = inserted.inserted_primary_key
    assert key is not None
    return int(key[0])


class Runs(SqliteRunStorage):
    """Which runs there are."""

    def __init__(self, conn_string: str, inst_data: Any = None) -> None:
        self._engine = kept_open(conn_string)
        super().__init__(conn_string, inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        self._engine.dispose()
        super().dispose()


class History(DagsterSqliteStorage):
    """What `dagster.yaml` names as its storage."""

    passing: tempfile.TemporaryDirectory[str] | None = None
    """A folder that goes with the process, where no home is named."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        write_in_batches()
        self.base_dir = base_dir
        self._inst_data = inst_data
        root = Path(base_dir)
        with door_of(root).passing():
            self._run_storage = Runs.from_local(str(root / "history"))
            self._event_log_storage = Events(str(root / "history" / "runs"))
            self._schedule_storage = SqliteScheduleStorage.from_local(str(root / "schedules"))
        # Past its own class's, which would open all three a second time.
        super(DagsterSqliteStorage, self).__init__()

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> History:
        if config_value["base_dir"]:
            return cls.from_local(config_value["base_dir"], inst_data)
        # Commands that only look at definitions come without a home.
        passing = tempfile.TemporaryDirectory(prefix="dagster-", ignore_cleanup_errors=True)
        history = cls.from_local(passing.name, inst_data)
        history.passing = passing
        return history
