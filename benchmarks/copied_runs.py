"""Runs that Dagster wrote once, written again over other shards as its storage writes them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._core.events import DagsterEventType
from dagster._core.snap import ExecutionPlanSnapshot, JobSnap
from dagster._core.storage.dagster_run import DagsterRun
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._serdes import deserialize_value, serialize_value

from spatial_assets.assets.event_batches import EVENTS_AT_ONCE, store_together
from spatial_assets.assets.history import Events as SqliteEvents

BATCHED = tuple(
    kind.value
    for kind in (DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
)


@dataclass(frozen=True)
class Template:
    """A run that Dagster wrote, as text, and which shards it was over."""

    run_id: str
    run: str
    job: str
    plan: str
    """What its run was of, which all runs of a home's version share."""
    events: tuple[tuple[str, str], ...]
    """Kind and text, in the order in which they were written."""
    keys: tuple[str, ...]


def template(instance: dg.DagsterInstance, run_id: str, keys: Sequence[str]) -> Template:
    run = instance.get_run_by_id(run_id)
    events = [
        (entry.dagster_event.event_type_value if entry.dagster_event else "", serialize_value(entry))
        for entry in instance.all_logs(run_id)
    ]
    assert run is not None and run.job_snapshot_id and run.execution_plan_snapshot_id
    job = instance.get_job_snapshot(run.job_snapshot_id)
    plan = instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id)
    return Template(
        run_id, serialize_value(run), serialize_value(job), serialize_value(plan), tuple(events), tuple(keys)
    )


def write_run(instance: dg.DagsterInstance, made: Template, keys: Sequence[str]) -> int:
    """Write a run like another one over other shards, in batches as Dagster hands them over. Returns its events."""
    run_id = str(uuid.uuid4())

    def other(told: str) -> str:
        told = told.replace(made.run_id, run_id)
        for old, new in zip(made.keys, keys, strict=True):
            told = told.replace(f'"{old}"', f'"{new}"')
        return told

    run = deserialize_value(other(made.run), DagsterRun)
    _keep_snapshots(instance, made, run)
    instance.run_storage.add_run(run)
    held: list[dg.EventLogEntry] = []
    about = None
    storage = instance.event_log_storage
    for kind, told in made.events:
        entry = deserialize_value(other(told), dg.EventLogEntry)
        event = entry.dagster_event
        now = (kind, event.asset_key if event is not None and kind == BATCHED[0] else None)
        if held and (kind not in BATCHED or now != about or len(held) == EVENTS_AT_ONCE):
            _store(storage, held)
            held = []
        about = now
        if kind in BATCHED:
            held.append(entry)
        else:
            storage.store_event(entry)
    _store(storage, held)
    return len(made.events)


def _keep_snapshots(instance: dg.DagsterInstance, made: Template, run: DagsterRun) -> None:
    runs = instance.run_storage
    if not runs.has_job_snapshot(str(run.job_snapshot_id)):
        runs.add_job_snapshot(deserialize_value(made.job, JobSnap))
    if not runs.has_execution_plan_snapshot(str(run.execution_plan_snapshot_id)):
        runs.add_execution_plan_snapshot(deserialize_value(made.plan, ExecutionPlanSnapshot))


def _store(storage: EventLogStorage, held: list[dg.EventLogEntry]) -> None:
    if len(held) == 1:
        storage.store_event(held[0])
    elif held:
        assert isinstance(storage, SqlEventLogStorage)
        if isinstance(storage, SqliteEvents):
            storage.store_event_batch(held)
        else:
            store_together(storage, held)
