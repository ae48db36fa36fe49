"""Old runs taken out of Dagster's history: which may go, and how they go.

A run stays as long as Dagster's pages need it: the last one that made, or looked at, an asset's partition, and the last
of every check. The lake and the records are never touched; they do not rest on the history.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.events import DagsterEventType
from dagster._core.storage.dagster_run import FINISHED_STATUSES, RunRecord
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from sqlalchemy import func, select

from spatial_assets.assets.history import Events
from spatial_assets.scene.model import InputError

KEEP_DAYS = 30
"""Of a run that nothing needs any more: time enough to look into what went wrong in a build of a week."""
DAY = 24 * 60 * 60.0
PAGE = 500
"""Runs that are looked at together; one takes some kilobytes."""
SHOWN = (DagsterEventType.ASSET_MATERIALIZATION.value, DagsterEventType.ASSET_OBSERVATION.value)
"""Events of which an asset's pages show the last one of each partition."""


@dataclass(frozen=True)
class Pruning:
    """What went, or would go."""

    removed: tuple[str, ...]
    """Runs by id, the oldest first."""
    needed: int
    """Runs that are as old and stay, since a page shows something of theirs."""
    younger: int
    """Runs that are not old enough, or have not ended."""
    bytes: int
    """By which the history's files shrank; 0 of a dry run, and of a database that frees room by itself."""


def prune(
    instance: dg.DagsterInstance,
    keep_days: float = KEEP_DAYS,
    really: bool = False,
    now: float | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Pruning:
    """Take the runs out that ended that long ago and that nothing needs; without `really`, only say which."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise InputError(
            Path(instance.root_directory), "the history is in no database that can be pruned from here"
        )
    before = (time.time() if now is None else now) - keep_days * DAY
    needed_runs = needed(storage)
    going: list[str] = []
    needed_old = younger = 0
    for record in _records(instance):
        ended = record.end_time or record.update_timestamp.timestamp()
        if record.dagster_run.status not in FINISHED_STATUSES or ended >= before:
            younger += 1
        elif record.dagster_run.run_id in needed_runs:
            needed_old += 1
        else:
            going.append(record.dagster_run.run_id)
    going.reverse()
    freed = 0
    if really and going:
        size = _size(storage)
        for number, run_id in enumerate(going, 1):
            _remove(instance, run_id)
            say(f"{number} of {len(going)} runs removed")
        if isinstance(storage, Events):
            storage.shrink()
        freed = max(size - _size(storage), 0)
    return Pruning(tuple(going), needed_old, younger, freed)


def needed(storage: SqlEventLogStorage) -> set[str]:
    """Ids of the runs of which a page shows something: the last of each asset, partition and check."""
    events, checks = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    last_events = (
        select(func.max(events.id))
        .where(events.dagster_event_type.in_(SHOWN))
        .group_by(events.dagster_event_type, events.asset_key, events.partition)
    )
    last_checks = select(func.max(checks.id)).group_by(checks.asset_key, checks.check_name, checks.partition)
    with storage.index_connection() as con:
        rows = [
            *con.execute(select(events.run_id).where(events.id.in_(last_events)).distinct()),
            *con.execute(select(checks.run_id).where(checks.id.in_(last_checks)).distinct()),
        ]
    return {run_id for (run_id,) in rows}


def _records(instance: dg.DagsterInstance) -> Iterator[RunRecord]:
    """All runs, the newest first."""
    cursor = None
    while page := instance.get_run_records(limit=PAGE, cursor=cursor):
        yield from page
        cursor = page[-1].dagster_run.run_id


def _remove(instance: dg.DagsterInstance, run_id: str) -> None:
    instance.delete_run(run_id)
    storage = instance.event_log_storage
    if isinstance(storage, Events):
        storage.remove_run(run_id)
    with suppress(OSError):  # what steps printed; another machine may hold it
        shutil.rmtree(Path(instance.storage_directory()) / run_id)


def _size(storage: SqlEventLogStorage) -> int:
    """Bytes of the history's files; 0 where they are a server's."""
    if not isinstance(storage, Events):
        return 0
    return sum(path.stat().st_size for path in storage.files())
