"""Events of a run that are written many at a time, which Dagster offers and its open storages leave to one by one.

A run over twenty shards and a hundred assets tells of two thousand planned materializations and as many that were
made. One by one, each takes three or four transactions; together, those of one asset take two.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from dagster import EventLogEntry
from dagster._core.events import DagsterEventType
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from sqlalchemy import Connection

SIZE_VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"
EVENTS_AT_ONCE = 100
"""A few megabytes with their pictures. What a process that is killed had not written yet is one asset's at most."""
TOGETHER = (
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_OBSERVATION,
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
)
"""Of the kinds that Dagster hands over in batches, those that are rows and nothing more."""


def write_in_batches() -> None:
    """Have Dagster hand this process's events over in batches, unless a number is set already."""
    os.environ.setdefault(SIZE_VARIABLE, str(EVENTS_AT_ONCE))


def fits(events: Sequence[EventLogEntry]) -> bool:
    """Whether all events are of kinds that are written together."""
    return all(event.get_dagster_event().event_type in TOGETHER for event in events)


def store_together(storage: SqlEventLogStorage, events: Sequence[EventLogEntry]) -> None:
    """Write events that fit to a database that all runs share, by two transactions.

    dagster-postgres does so itself of materializations that were made, and of planned ones takes three for each.
    """
    insert = storage.prepare_insert_event_batch(events).returning(SqlEventLogStorageTable.c.id)
    with storage.run_connection(events[0].run_id) as con:
        ids = [row[0] for row in con.execute(insert)]
    with storage.index_transaction() as con:
        note_assets(storage, con, events, ids)


def note_assets(
    storage: SqlEventLogStorage, con: Connection, events: Sequence[EventLogEntry], ids: Sequence[int]
) -> None:
    """Write what the index holds beside the events: tags of each, and of every asset its last event.

    Assets are noted in the order of their keys, so that two who write at once never wait for each other in a ring.
    """
    storage._store_asset_event_tags(con, events, ids)
    last = {
        str(event.get_dagster_event().asset_key): (event, number)
        for event, number in zip(events, ids, strict=True)
    }
    for key in sorted(last):
        storage._store_asset_event(con, *last[key])
