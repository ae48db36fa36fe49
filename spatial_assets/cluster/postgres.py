"""Dagster's history in PostgreSQL, as it ships it: made by one at a time, with connections that stay open.

Dagster's own classes look whether their tables are there and make them, so two that open a fresh database at once make
them together, and one of them fails. Here whoever comes first makes them under a lock of the database, and puts down a
mark; who finds the mark looks no further. The tables are Dagster's own: a database can be opened with or without what
stands here.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

from spatial_assets.assets.event_batches import fits, store_together, write_in_batches
from spatial_assets.cluster.addresses import POSTGRES_EXAMPLE, checked
from spatial_assets.scene.model import InputError

EXTRA = "spatial-assets[cluster]"
VARIABLE = "SPATIAL_ASSETS_POSTGRES"
"""The environment variable that holds the database's address."""

try:
    from dagster import EventLogEntry
    from dagster._core.storage.base_storage import DagsterStorage
    from dagster._core.storage.sql import create_engine
    from dagster_postgres.event_log import PostgresEventLogStorage
    from dagster_postgres.run_storage import PostgresRunStorage
    from dagster_postgres.schedule_storage import PostgresScheduleStorage
    from dagster_postgres.storage import DagsterPostgresStorage
    from dagster_postgres.utils import pg_url_from_config, retry_pg_connection_fn
    from sqlalchemy import Connection, Engine, inspect, make_url, text
    from sqlalchemy.exc import ArgumentError, DBAPIError
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
CONNECTIONS = 2
"""That stay open: one, and one for what is asked for while the first is read from."""
MAKING_SECONDS = 120
"""For which one waits for whoever makes the tables, which takes a second; a process that is stopped there holds it."""
RETRIES = 8
"""Times that connecting is tried again, each after twice as long from 0.2 s on: a database that is restarted is back
within 50 s, and a run that was going on goes on."""

LIMITS = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""libpq's, in seconds but for the last, which is in milliseconds: a server whose machine is gone closes no connection,
and whoever asks it would wait for as long as the kernel does, which is two hours. They come to the 20 seconds for which
a run's process waits for the history."""

_engines: weakref.WeakSet[Engine] = weakref.WeakSet()
Method = TypeVar("Method", bound=Callable[..., Any])


def _forget_connections() -> None:
    """A forked process must not speak on its parent's connections, nor close them."""
    for engine in list(_engines):
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_connections)


def kept_open(address: str) -> Engine:
    """An engine whose connections stay open, and are looked at before they are used: a run opened 34 of them.

    A server that loses power may lose the last moment of the history. What was computed does not rest on it.
    """
    own = str(make_url(address).query.get("options", ""))
    engine = create_engine(
        address,
        isolation_level="AUTOCOMMIT",
        poolclass=QueuePool,
        pool_size=CONNECTIONS,
        max_overflow=-1,
        pool_pre_ping=True,
        connect_args={"options": f"-c synchronous_commit=off {own}".rstrip()},
    )
    _engines.add(engine)
    return engine


def with_driver(address: str) -> str:
    """An address as it is usually written, with the driver that is installed: SQLAlchemy's own choice is another."""
    kind, mark, rest = address.partition("://")
    return f"{DRIVER}{mark}{rest}" if kind in ("postgres", "postgresql") else address


def completed(address: str) -> str:
    """An address with driver and limits; what it says itself goes before. Raises InputError where it is none."""
    checked(address, VARIABLE, POSTGRES_EXAMPLE)
    try:
        url = make_url(with_driver(address))
    except ArgumentError:
        raise no_address() from None
    if "psycopg" not in url.drivername:
        return address
    limits = {name: value for name, value in LIMITS.items() if name not in url.query}
    return str(url.update_query_dict(limits).render_as_string(hide_password=False))


def no_address() -> InputError:
    """What SQLAlchemy says of it itself may hold a part of the address."""
    return InputError(VARIABLE, f"is not an address as {POSTGRES_EXAMPLE}")


def without_password(address: str) -> str:
    """The server and the database, for an error's line."""
    url = make_url(address)
    # A password may stand among the options too; a socket's folder stands there alone.
    shown = {name: value for name, value in url.query.items() if name in ("host", "port")}
    return str(url.set(query=shown).render_as_string(hide_password=True))


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

    def dispose(self) -> None:
        """Close what all three of a history share; each opens anew what it needs after that."""
        self._engine.dispose()
        super().dispose()

    handle_run_event = once_more(PostgresRunStorage.handle_run_event)
    get_run_records = once_more(PostgresRunStorage.get_run_records)
    get_runs = once_more(PostgresRunStorage.get_runs)
    add_run_tags = once_more(PostgresRunStorage.add_run_tags)


class Events(PostgresEventLogStorage):
    """The event log."""

    def __init__(self, postgres_url: str, should_autocreate_tables: bool = True) -> None:
        self._tables: set[str] = set()
        super().__init__(postgres_url, should_autocreate_tables)

    def _connect(self) -> Any:
        return connected(self._engine)

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)  # none is ever dropped
        return table_name in self._tables

    @once_more
    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        if fits(events):
            store_together(self, events)
        else:
            super().store_event_batch(events)

    store_event = once_more(PostgresEventLogStorage.store_event)


class Schedules(PostgresScheduleStorage):
    """Ticks of schedules and sensors."""

    def connect(self, run_id: str | None = None) -> Any:
        return connected(self._engine)


class SharedHistory(DagsterPostgresStorage):
    """What `dagster.yaml` names as its storage where several machines share a home."""

    def __init__(self, postgres_url: str, inst_data: Any = None) -> None:
        # Dagster makes further connections by it: its limits stand in it, and not in one engine's arguments.
        self.postgres_url = postgres_url = completed(postgres_url)
        self.should_autocreate_tables = True
        self._inst_data = inst_data
        with opened(postgres_url) as to_make:
            self._run_storage = Runs(postgres_url, to_make)
            self._event_log_storage = Events(postgres_url, to_make)
            self._schedule_storage = Schedules(postgres_url, to_make)
        # All three take turns, so that a process of a cluster of many holds no more.
        self._engine = kept_open(postgres_url)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = self._engine
        write_in_batches()
        # Past its own class's, which would open all three a second time.
        super(DagsterPostgresStorage, self).__init__()

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> SharedHistory:
        return cls(pg_url_from_config(config_value), inst_data)


@contextmanager
def opened(address: str) -> Iterator[bool]:
    """Say whether the tables may have to be made, which then is the block's alone to do.

    Raises InputError that names the server where it does not answer.
    """
    try:
        engine = create_engine(address, poolclass=NullPool)
    except (ArgumentError, ImportError):
        raise no_address() from None
    try:
        marked = retry_pg_connection_fn(lambda: inspect(engine).has_table(MARK))
    except Exception as error:
        why = " ".join(str(getattr(error.__cause__, "orig", None) or error).split())
        told = f"the history's database cannot be opened ({why}); is PostgreSQL up, and {VARIABLE} right?"
        raise InputError(without_password(address), told) from error
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
