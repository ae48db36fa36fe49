"""A build by the workers of a home: its runs are requested, watched until all have ended, and then checked.

What becomes of a run is its own and Dagster's affair; here one only listens. So whoever stops watching leaves the runs
as they are.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import dagster as dg
from dagster._core.code_pointer import CodePointer
from dagster._core.origin import DEFAULT_DAGSTER_ENTRY_POINT, JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.storage.tags import WILL_RETRY_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from spatial_assets.assets import build as alone
from spatial_assets.assets import partitions
from spatial_assets.assets.automation import BUILD, RANGE_END, RANGE_START, RETRY_TAG, ranges_of
from spatial_assets.assets.keys import keys_of
from spatial_assets.assets.run_sizes import places, seconds_of
from spatial_assets.assets.workspace import Workspace, listening
from spatial_assets.cluster.daemon import CODE, Daemon, daemon_for
from spatial_assets.cluster.launcher import Launcher
from spatial_assets.cluster.told import BUILD_TAG, Hearing, merged
from spatial_assets.definitions import build_defs
from spatial_assets.engine.stage_run import ShardReport
from spatial_assets.scene.model import InputError
from spatial_assets.storage import probe

REPOSITORY = "__repository__"
"""Dagster's name for the definitions of a module."""
LOOK_SECONDS = 1.0
DAEMON_SECONDS = 15.0
"""Between two looks whether a daemon is at work."""
RETRY_SECONDS = 60.0
"""For which one waits for the retry that Dagster has said there will be."""


class Display(Protocol):
    """Who shows progress over all runs."""

    def say(self, text: str) -> None: ...

    def shard(self, report: ShardReport) -> None: ...

    def runs(self, waiting: int, at_work: int, ended: int, at_once: int) -> None: ...


class LeftGoing(Exception):
    """Whoever watched has stopped, and the runs go on."""

    def __init__(self, runs: int, has_daemon: bool) -> None:
        self.runs, self.has_daemon = runs, has_daemon
        super().__init__(f"{runs} runs go on")


def build(
    home: Path,
    dataset: str | None = None,
    scenes: Sequence[str] = (),
    tasks: Sequence[str] = (),
    seed: int | None = None,
    rehash: bool = False,
    shown: Display | None = None,
) -> alone.Outcome:
    """What `assets.build.build` does, by the workers of the home.

    Raises InputError where the home is of one machine, and LeftGoing where the one who watches stops.
    """
    home = home.resolve()
    keys = alone.scope(home, dataset, scenes)
    names = alone.stages_for(tasks, home)
    alone.check_settings(home)
    absent, lines = alone.without_roots(home, keys)
    with alone.history_of(home) as instance:
        if not isinstance(instance.run_launcher, Launcher):
            told = "is of one machine; deploy/dagster.yaml in its place makes it one of several"
            raise InputError(home / "dagster" / "dagster.yaml", told)
        probe.check(home)
        partitions.open_partitions(instance, partitions.registry(home))
        defs = build_defs(workspace=Workspace(home=str(home), workers=1))
        config = {**alone.QUIET, "ops": alone.run_config(names, scenes, seed, rehash)}
        with _daemon(home, shown) as daemon:
            build_id = _request(instance, defs, home, keys - absent, names, config)
            watched = _Watch(home, instance, daemon, build_id, shown)
            try:
                watched.until_ended()
            except KeyboardInterrupt:
                raise LeftGoing(watched.left(), daemon.process is None) from None
        watched.hearing.forget()
        progress = alone.Progress()
        progress.outcome = watched.told()
        progress.outcome.failed_runs = lines + watched.failed
        if not watched.full:
            with listening(progress):
                progress.outcome.failed_runs += alone.run_checks(instance, defs)
    return progress.outcome


@contextmanager
def _daemon(home: Path, shown: Display | None) -> Iterator[Daemon]:
    with daemon_for(home) as daemon:
        if daemon.ensure() and shown is not None:
            shown.say("no daemon is at work over this home: this build has one of its own until it ends")
        yield daemon


def _request(
    instance: dg.DagsterInstance,
    defs: dg.Definitions,
    home: Path,
    keys: set[str],
    names: Sequence[str],
    config: dict[str, Any],
) -> str:
    """Put the runs into the queue, the longest first. Returns what they are tagged with."""
    build_id = uuid.uuid4().hex
    job = defs.resolve_job_def(BUILD).get_subset(asset_selection=set(keys_of(names)))
    shards = [shard for shard in partitions.registry(home).shards() if shard.key in keys]
    for first, last, _ in ranges_of(instance, home, seconds_of(home, shards)):
        run = instance.create_run_for_job(
            job,
            run_config=config,
            status=dg.DagsterRunStatus.NOT_STARTED,
            tags={RANGE_START: first, RANGE_END: last, BUILD_TAG: build_id, **RETRY_TAG},
            asset_selection=set(keys_of(names)),
            remote_job_origin=_remote_origin(),
            job_code_origin=_code_origin(),
        )
        instance.report_dagster_event(dg.DagsterEvent.job_enqueue(run), run_id=run.run_id)
    return build_id


def _code_origin() -> JobPythonOrigin:
    """By which a worker finds the job."""
    pointer = CodePointer.from_module(CODE, "defs", None)
    repository = RepositoryPythonOrigin(sys.executable, pointer, None, DEFAULT_DAGSTER_ENTRY_POINT, None)
    return JobPythonOrigin(BUILD, repository)


def _remote_origin() -> RemoteJobOrigin:
    """By which web server and daemon find the job."""
    location = ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name=CODE), CODE)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, REPOSITORY), BUILD)


class _Watch:
    """What the one who requested them sees of a build's runs."""

    def __init__(
        self, home: Path, instance: dg.DagsterInstance, daemon: Daemon, build_id: str, shown: Display | None
    ) -> None:
        self.home, self.instance, self.daemon, self.shown = home, instance, daemon, shown
        self.filter = dg.RunsFilter(tags={BUILD_TAG: build_id})
        self.hearing = Hearing(home)
        self._outcome = alone.Outcome()
        """Of runs of which no more will come: with the names of all scenes they would take gigabytes."""
        self._reports: dict[str, dict[tuple[str, str], ShardReport]] = {}
        """Of the others, by the first run that was requested, and by shard and asset."""
        self._heard: set[str] = set()
        """Runs that have ended and been heard to the end."""
        self.failed: list[str] = []
        self.full = False
        """Whether the disk was, which no other run will find otherwise."""
        self._ended: set[str] = set()
        self._retried: dict[str, float] = {}

    def until_ended(self) -> None:
        looked = time.monotonic()
        while True:
            runs = self.instance.get_runs(self.filter)
            for run in runs:
                self.listen(run)
            parents = {run.parent_run_id for run in runs}
            going = [run for run in runs if not self._over(run, parents)]
            if self.shown is not None:
                waiting = sum(run.status == dg.DagsterRunStatus.QUEUED for run in going)
                self.shown.runs(waiting, len(going) - waiting, len(runs) - len(going), places(self.home))
            if not going:
                return
            if self.full:
                self._cancel(going)
            if time.monotonic() - looked > DAEMON_SECONDS:
                looked = time.monotonic()
                self.daemon.ensure()
            time.sleep(LOOK_SECONDS)

    def left(self) -> int:
        runs = self.instance.get_runs(self.filter)
        return sum(not run.is_finished for run in runs)

    def told(self) -> alone.Outcome:
        """What all runs have told of."""
        for first in sorted(self._reports):
            self._add_up(first)
        return self._outcome

    def listen(self, run: dg.DagsterRun) -> None:
        """Hear what a run, as it was found in the history, has told since."""
        if run.run_id in self._heard:
            return
        first = run.root_run_id or run.run_id
        reports = self._reports.setdefault(first, {})
        for report in self.hearing.new(run.run_id):
            if self.shown is not None:
                self.shown.shard(report)
            key = (report.shard, report.stage)
            reports[key] = merged(reports[key], report) if key in reports else report
        # Of one that has ended, all that it told is there once its end is.
        if run.is_finished and self.hearing.has_found(run.run_id):
            self._heard.add(run.run_id)
            if run.is_success:
                self._add_up(first)

    def _add_up(self, first: str) -> None:
        for _, report in sorted(self._reports.pop(first).items()):
            self._outcome.add(report)

    def _over(self, run: dg.DagsterRun, parents: set[str | None]) -> bool:
        """Whether nothing more will come of a run; of one that failed and is tried again, its retry says."""
        if not run.is_finished:
            return False
        if run.run_id in self._ended or run.is_success:
            return True
        if run.tags.get(WILL_RETRY_TAG) == "true" and run.run_id not in parents and not self.full:
            since = self._retried.setdefault(run.run_id, time.monotonic())
            if time.monotonic() - since < RETRY_SECONDS:
                return False
        self._ended.add(run.run_id)
        events = [
            entry.dagster_event
            for entry in self.instance.all_logs(
                run.run_id, of_type={dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
            )
            if entry.dagster_event is not None
        ]
        self.full = self.full or alone.full_disk(events)
        if run.run_id not in parents:
            told = [
                event.message or "" for event in events if event.event_type == dg.DagsterEventType.RUN_FAILURE
            ]
            word = "was canceled" if run.status == dg.DagsterRunStatus.CANCELED else "failed"
            self.failed += alone.reasons(events) or [f"run {run.run_id} {word}: {' '.join(told)}"]
        return True

    def _cancel(self, runs: Sequence[dg.DagsterRun]) -> None:
        for run in runs:
            if run.status == dg.DagsterRunStatus.QUEUED:
                self.instance.run_coordinator.cancel_run(run.run_id)
