"""Building through Dagster in this process: the instance of a home, runs over ranges of shards, the checks.

Dagster keeps the history that its UI shows; the work and what needs doing are decided by the stages.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, cast

import dagster as dg

from spatial_assets.assets import partitions
from spatial_assets.assets.automation import CHECKS
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.keys import keys_of, step_of
from spatial_assets.assets.shell import FULL_DISK, SHARDS_PER_RUN
from spatial_assets.assets.workspace import Listener, Workspace, listening
from spatial_assets.engine.lake_quality import Problem
from spatial_assets.engine.stage_run import ShardReport
from spatial_assets.lineage.planning import needed_for
from spatial_assets.lineage.registrations import needed_in
from spatial_assets.scene.model import InputError
from spatial_assets.scene.suggestions import LISTED_BY, instead
from spatial_assets.stages import pipeline
from spatial_assets.stages.pipeline import STAGES
from spatial_assets.stages.questions import STAGES as TASKS
from spatial_assets.storage.atomic import database_error
from spatial_assets.storage.leases import at_work
from spatial_assets.storage.shards import check_root

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own log lines go to its history; progress and errors are ours to show."""
HISTORY_NOISE = "Exception while writing logger call to event log"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@dataclass
class Outcome:
    """What a build did, over all assets and shards."""

    done: int = 0
    unchanged: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    """Rows per table, over the shards that were in scope."""
    rejected: dict[tuple[str, str], str] = field(default_factory=dict)
    """(shard, scene) to `<file>: <what is wrong>`."""
    errors: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """(asset, shard, scene) to a traceback."""
    failed_runs: list[str] = field(default_factory=list)
    problems: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    """(asset, severity, shard, scene, problem) from the checks."""

    def add(self, report: ShardReport) -> None:
        self.done += len(report.done) + len(report.adopted)
        self.unchanged += len(report.skipped)
        for name, count in report.rows.items():
            self.rows[name] = self.rows.get(name, 0) + count
        for scene, problem in report.rejected.items():
            self.rejected[(report.shard, scene)] = problem
        for scene, problem in report.errors.items():
            self.errors[(report.stage, report.shard, scene)] = problem


class Progress(Listener):
    """Adds reports up, and passes scenes on to whoever shows progress."""

    def __init__(self, shown: Listener | None = None) -> None:
        self.outcome = Outcome()
        self.shown = shown

    def scene(self, stage: str, shard: str, scene: str, outcome: str) -> None:
        if self.shown is not None:
            self.shown.scene(stage, shard, scene, outcome)

    def shard(self, report: ShardReport) -> None:
        self.outcome.add(report)
        if self.shown is not None:
            self.shown.shard(report)

    def problems(self, asset: str, found: list[Problem]) -> None:
        self.outcome.problems += [(asset, *row) for row in found]


def stages_for(tasks: Sequence[str], home: Path | None = None) -> list[str]:
    """The named tasks and everything upstream of them; all stages where none are named.

    Of a home, upstream as its settings have it: what a task does without by all datasets' parameters is left out.
    """
    if not tasks:
        return list(STAGES)
    unknown = sorted(set(tasks) - set(TASKS))
    if unknown:
        raise ValueError(f"no task named {unknown[0]!r}; {instead(unknown[0], TASKS, LISTED_BY)}")
    return needed_for(STAGES, tasks) if home is None else needed_in(home, tasks)


def scope(home: Path, dataset: str | None, scenes: Iterable[str]) -> set[str]:
    """Keys of the shards that a build is about. Raises InputError where nothing answers the description."""
    shards = partitions.registry(home).shards()
    if not shards:
        raise InputError(home, "no dataset is registered here; see `spatial-assets register --help`")
    wanted = set(scenes)
    chosen = [shard for shard in shards if dataset in (None, shard.dataset)]
    if not chosen:
        there = instead(str(dataset), sorted({shard.dataset for shard in shards}))
        raise InputError(home, f"no dataset {dataset!r} is registered here; {there}")
    if wanted:
        known = {ref.name for shard in chosen for ref in shard.scenes}
        if wanted - known:
            raise InputError(home, f"no scene {sorted(wanted - known)[0]!r} is registered here")
        chosen = [shard for shard in chosen if wanted & {ref.name for ref in shard.scenes}]
    return {shard.key for shard in chosen}


def without_roots(home: Path, keys: set[str]) -> tuple[set[str], list[str]]:
    """Those of the shards whose dataset's root is not there, and a line for each such root."""
    found: dict[str, set[str]] = {}
    shards = [shard for shard in partitions.registry(home).shards() if shard.key in keys]
    for root in sorted({shard.root for shard in shards}):
        try:
            check_root(root, anew=True)
        except InputError as error:
            found[str(error)] = {shard.key for shard in shards if shard.root == root}
    return set().union(*found.values()), list(found)


def check_settings(home: Path) -> None:
    """Raises InputError for a setting of the home that does not fit, before any work is begun."""
    for name in sorted({shard.dataset for shard in partitions.registry(home).shards()}):
        for stage in STAGES.values():
            pipeline.parameters(home, stage, name)


def build(
    defs_with: Callable[..., dg.Definitions],
    home: Path,
    dataset: str | None = None,
    scenes: Sequence[str] = (),
    tasks: Sequence[str] = (),
    workers: int = 1,
    seed: int | None = None,
    rehash: bool = False,
    shown: Listener | None = None,
    before_checks: Callable[[], None] = lambda: None,
) -> Outcome:
    """Bring everything in scope up to date, then run the checks of all assets.

    `defs_with` gives all definitions with other resources: they stand above this room, so the caller hands them in.
    `before_checks` is called once all rows stand: what only reads them can be done while the checks run.
    """
    home = home.resolve()
    keys = scope(home, dataset, scenes)
    names = stages_for(tasks, home)
    check_settings(home)
    progress = Progress(shown)
    absent, progress.outcome.failed_runs = without_roots(home, keys)
    with at_work(home), history_of(home) as instance:
        partitions.open_partitions(instance, partitions.registry(home))
        defs = defs_with(workspace=Workspace(home=str(home), workers=workers))
        assets = [item for item in defs.assets or [] if isinstance(item, dg.AssetsDefinition)]
        with listening(progress):
            for first, last, _ in partitions.contiguous_ranges(instance, keys - absent, SHARDS_PER_RUN):
                run = dg.materialize(
                    [*assets, *(item for item in defs.assets or [] if isinstance(item, dg.AssetSpec))],
                    instance=instance,
                    resources=defs.resources,
                    selection=dg.AssetSelection.assets(*keys_of(names)),
                    tags={RANGE_START: first, RANGE_END: last},
                    run_config={**QUIET, "ops": run_config(names, scenes, seed, rehash)},
                    raise_on_error=False,
                )
                if not run.success:
                    progress.outcome.failed_runs += failures(run)
                if full_disk(run.all_events):
                    return progress.outcome
            before_checks()
            progress.outcome.failed_runs += run_checks(instance, defs)
    return progress.outcome


class _WithoutHistoryNoise:
    """Standard error without Dagster's paragraph for each event that its history cannot take."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        return len(text) if text.startswith(HISTORY_NOISE) else self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def history_of(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of a home. Raises OSError, with its folder's name in it, where the disk does not take it."""
    try:
        with redirect_stderr(cast("TextIO", _WithoutHistoryNoise(sys.stderr))), instance_of(home) as instance:
            yield instance
    except Exception as error:
        number = database_error(error, home)
        if number is None:
            raise
        raise OSError(number, os.strerror(number), str(home / "dagster")) from error


def full_disk(events: Iterable[dg.DagsterEvent]) -> bool:
    """Whether a step failed for want of room."""
    told = [event.step_failure_data.user_failure_data for event in events if event.is_step_failure]
    found = [item.metadata.get(FULL_DISK) for item in told if item is not None]
    return any(value is not None and value.value for value in found)


def run_config(names: Sequence[str], scenes: Sequence[str], seed: int | None, rehash: bool) -> dict[str, Any]:
    """Each step's configuration; the seed goes to the tasks, which alone draw anything."""
    config: dict[str, Any] = {}
    for name in names:
        own = config.setdefault(step_of(name), {"config": {"scenes": list(scenes), "rehash": rehash}})[
            "config"
        ]
        if seed is not None and name in TASKS:
            own.setdefault("parameters", {})[name] = {"seed": seed}
    return config


def failures(run: dg.ExecuteInProcessResult) -> list[str]:
    """Why a run failed, a line for each step that did."""
    return reasons(run.all_events) or [f"run {run.run_id} failed"]


def reasons(events: Iterable[dg.DagsterEvent]) -> list[str]:
    """Why steps failed, one line each."""
    lines = []
    for event in events:
        if event.is_step_failure:
            told = event.step_failure_data.user_failure_data
            if told is not None and told.description:
                lines += [f"{event.step_key}: {line}" for line in told.description.splitlines()]
                continue
            error = event.step_failure_data.error
            cause = error.cause if error is not None and error.cause is not None else error
            message = cause.message.strip().splitlines()[0] if cause is not None else "unknown"
            lines.append(f"{event.step_key}: {message}")
    return lines


def run_checks(instance: dg.DagsterInstance, defs: dg.Definitions) -> list[str]:
    """Run every asset's check through Dagster; what they find goes to the listener. Returns failures."""
    job = defs.resolve_job_def(CHECKS)
    run = job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)
    return [] if run.success else failures(run)
