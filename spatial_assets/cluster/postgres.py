"""Dagster's history in PostgreSQL, as it ships it: made by one at a time, with connections that stay open.

Dagster's own classes look whether their tables are there and make them, so two that open a fresh database at once make
them together, and one of them fails. Here whoever comes first makes them under a lock of the database, and puts down a
mark; who finds the mark looks no further. The tables are Dagster's own: a database can be opened with or without what
stands here.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

from spatial_assets.scene.model import InputError

EXTRA = "spatial-assets[cluster]"
VARIABLE = "SPATIAL_ASSETS_POSTGRES"
"""The environment variable that holds the database's address."""

try:
    from dagster._core.storage.base_storage import DagsterStorage
    from dagster._core.storage.sql import create_engine
    from dagster_postgres.event_log import PostgresEventLogStorage
    from dagster_postgres.run_storage import PostgresRunStorage
    from dagster_postgres.schedule_storage import PostgresScheduleStorage
    from dagster_postgres.storage import DagsterPostgresStorage
    from dagster_postgres.utils import pg_url_from_config, retry_pg_connection_fn
    from sqlalchemy import Connection, Engine, inspect, text
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool, QueuePool
except ImportError as missing:
    told = f"needs dagster-postgres, which cannot be imported ({missing}); run: pip install '{EXTRA}'"
    raise InputError("a history in PostgreSQL", told) from missing

DRIVER = "postgresql+psycopg2"
"""What dagster-postgres brings."""
MARK = "spatial_assets_history"
"""A table that stands once all of Dagster's tables do."""
LOCK = 0x5A1A5E75
"""Number of the database's lock under which tables are made."""
MAKING_SECONDS = 120
"""For which one waits for whoever makes the tables, which takes a second; a process that is stopped there holds it."""
RETRIES = 8
"""Times that connecting is tried again, each after twice as long from 0.2 s on: a database that is restarted is back
within 50 s, and a run that was going on goes on."""

_engines: weakref.WeakSet[Engine] = weakref.WeakSet()
Method = TypeVar("Method", bound=Callable[..., Any])


def _forget_connections() -> None:
    """A forked process must not speak on its parent's connections, nor close them."""
    for engine in list(_engines):
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_connections)


def kept_open(address: str) -> Engine:
    """An engine of which one connection stays open and is looked at before it is used."""
    engine = create_engine(
        address,
        isolation_level="AUTOCOMMIT",
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=-1,
        pool_pre_ping=True,
    )
    _engines.add(engine)
    return engine


def with_driver(address: str) -> str:
    """An address as it is usually written, with the driver that is installed: SQLAlchemy's own choice is another."""
    kind, mark, rest = address.partition("://")
    return f"{DRIVER}{mark}{rest}" if kind in ("postgres", "postgresql") else address


def without_password(address: str) -> str:
    """The server and the database, for an error's line."""
    engine = create_engine(address, poolclass=NullPool)
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def connected(engine: Engine) -> Iterator[Connection]:
    """A connection, waiting for a database that is restarted."""
    connection: Connection = retry_pg_connection_fn(engine.connect, RETRIES)
    try:
        yield connection
    finally:
        connection.close()


def once_more(method: Method) -> Method:
    """Call again what lost its connection half-way: the history may then hold an event twice, never lack one."""

    @wraps(method)
    def called(*given: Any, **named: Any) -> Any:
        try:
            return method(*given, **named)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return method(*given, **named)

    return cast("Method", called)


class Runs(PostgresRunStorage):
    """Which runs there are."""

    def connect(self) -> Any:
        return connected(self._engine)

    handle_run_event = once_more(PostgresRunStorage.handle_run_event)
    get_run_records = once_more(PostgresRunStorage.get_run_records)
    get_runs = once_more(PostgresRunStorage.get_runs)
    add_run_tags = once_more(PostgresRunStorage.add_run_tags)


class Events(PostgresEventLogStorage):
    """The event log."""

    def _connect(self) -> Any:
        return connected(self._engine)

    store_event = once_more(PostgresEventLogStorage.store_event)
    store_event_batch = once_more(PostgresEventLogStorage.store_event_batch)


class Schedules(PostgresScheduleStorage):
    """Ticks of schedules and sensors."""

    def connect(self, run_id: str | None = None) -> Any:
        return connected(self._engine)


class SharedHistory(DagsterPostgresStorage):
    """What `dagster.yaml` names as its storage where several machines share a home."""

    def __init__(self, postgres_url: str, inst_data: Any = None) -> None:
        self.postgres_url = postgres_url = with_driver(postgres_url)
        self.should_autocreate_tables = True
        self._inst_data = inst_data
        with opened(postgres_url) as to_make:
            self._run_storage = Runs(postgres_url, to_make)
            self._event_log_storage = Events(postgres_url, to_make)
            self._schedule_storage = Schedules(postgres_url, to_make)
        # All three take turns on one connection: a process of a cluster of many holds no more.
        self._engine = kept_open(postgres_url)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = self._engine
        # Past its own class's, which would open all three a second time.
        super(DagsterPostgresStorage, self).__init__()

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> SharedHistory:
        return cls(pg_url_from_config(config_value), inst_data)  # type: ignore[arg-type]

    def dispose(self) -> None:
        super().dispose()
        self._engine.dispose()


@contextmanager
def opened(address: str) -> Iterator[bool]:
    """Say whether the tables may have to be made, which then is the block's alone to do.

    Raises InputError that names the server where it does not answer.
    """
    engine = create_engine(address, poolclass=NullPool)
    try:
        marked = retry_pg_connection_fn(lambda: inspect(engine).has_table(MARK))
    except Exception as error:
        why = " ".join(str(error.__cause__ or error).split())
        raise InputError(
            without_password(address), f"the history's database cannot be opened ({why}); see {VARIABLE}"
        ) from error
    if marked:
        yield False
        return
    # Lock and mark belong to one transaction, so the mark is seen when the lock is free, or never.
    with engine.begin() as holding:
        holding.execute(text(f"SET LOCAL lock_timeout = '{MAKING_SECONDS}s'"))
        holding.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        yield True
        holding.execute(text(f"CREATE TABLE IF NOT EXISTS {MARK} (made timestamptz DEFAULT now())"))


assert issubclass(SharedHistory, DagsterStorage)
