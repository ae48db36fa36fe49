"""One stage on one shard while its lock is held: what is to be done, what was done put down, the tables rewritten.

Which process computes a scene, and which stages are run together, is the runner's to say.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pyarrow.parquet as pq
from pydantic import BaseModel

from spatial_assets.engine import errors
from spatial_assets.engine.pending import Pending
from spatial_assets.engine.scene_calls import Attempt, Call, Declared, Made, finished
from spatial_assets.engine.taking_over import clean_tables, not_as_recorded
from spatial_assets.lineage import planning, records
from spatial_assets.lineage.code_versions import stage_version
from spatial_assets.lineage.records import BLOCKED, DONE, REJECTED, Record
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import InputError
from spatial_assets.scene.outputs import Reject, SceneOutputs, Tally
from spatial_assets.scene.refs import SceneRef, Shard
from spatial_assets.scene.tables import Table
from spatial_assets.stages.stage import Stage, name_of
from spatial_assets.storage.atomic import remove
from spatial_assets.storage.content_hash import hash_of_none
from spatial_assets.storage.damage import is_whole, set_aside
from spatial_assets.storage.hashing import hash_text
from spatial_assets.storage.lake import Lake, with_scenes, write_parquet
from spatial_assets.storage.leases import Lease, LeaseLost
from spatial_assets.storage.shards import check_root

_log = logging.getLogger(__name__)

Progress = Callable[[str, str, str, str], None]
"""Called with stage, shard, scene and what became of the scene."""


class Host(Protocol):
    """What a run takes from the runner that it belongs to."""

    home: Path
    lake: Lake
    writer: Mapping[str, str]
    """Each table or kind of file to the stage that writes it."""
    rehash: bool
    run_id: str
    progress: Progress


@dataclass
class ShardReport:
    """What a call did."""

    stage: str
    shard: str
    done: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    """Scenes whose upstream assets have not been run yet."""
    blocked: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    """Scene to `<file>: <what is wrong>`, including scenes rejected before that have not changed."""
    errors: dict[str, str] = field(default_factory=dict)
    """Scene to a traceback: errors of ours. Nothing is recorded for them, so the next call tries again."""
    rows: dict[str, int] = field(default_factory=dict)
    output_hash: str = ""
    seconds: float = 0.0
    """Of the call; of stages that were run together, each one's own, though others were at work beside it."""


@dataclass
class Job:
    """One scene to compute, and what its result will be recorded under."""

    ref: SceneRef
    input_hash: str
    inputs: dict[str, str]


class StageRun:
    """`made` holds the records of what is upstream, by stage and scene."""

    def __init__(
        self,
        runner: Host,
        stage: Stage,
        shard: Shard,
        parameters: BaseModel,
        made: Mapping[str, Mapping[str, Record]],
        lease: Lease,
    ) -> None:
        self.runner, self.stage, self.shard, self.parameters = runner, stage, shard, parameters
        self.lease = lease
        self.code = stage_version(stage, shard.dataset)
        self.parameters_json = planning.parameters_json(parameters)
        clean_tables(runner.lake, stage, shard.key)
        self._set_damage_aside()
        self.recorded = records.load(runner.home, stage.name, shard.key)
        self.made = made
        self.pending = Pending(runner.home, stage.name, shard.key)
        self.report = ShardReport(stage.name, shard.key)
        self.taken_up: frozenset[str] = frozenset()
        """Scenes that a killed call had finished, merged by this one."""
        self.loading: dict[str, tuple[float, str]] = {}
        """Of scenes whose rows were merged: seconds that loading what they share took, and when it had ended."""
        if stage.opens_files:
            check_root(shard.root)
        self.external = None
        if stage.external is not None:
            self.external = stage.external(runner.home, shard, runner.rehash)

    def _set_damage_aside(self) -> None:
        """A table or records that cannot be read are made again, with all scenes of the shard."""
        kept = records.record_path(self.runner.home, self.stage.name, self.shard.key)
        tables = [self.runner.lake.table_path(table, self.shard.key) for table in self.stage.tables]
        damaged = [
            path for path in (kept, *tables) if path.exists() and not is_whole(path, self.runner.rehash)
        ]
        self._set_aside(damaged)

    def _set_aside(self, damaged: Sequence[Path]) -> None:
        kept = records.record_path(self.runner.home, self.stage.name, self.shard.key)
        if damaged and kept not in damaged:
            # First, so that a call that is killed here does not leave records of rows that are no more.
            remove(kept)
        for path in damaged:
            if path.exists():
                set_aside(path)

    def take_up(self) -> None:
        """Merge what a killed call left pending, before anything is planned.

        It may have died between its tables and its records, and only what is pending still says whose rows those
        tables hold. After that, whatever a former holder left is held against what is recorded.
        """
        found = self.pending.load()
        if found:
            try:
                self.compact()
                self.taken_up = frozenset(found)
            except LeaseLost:
                raise
            except Exception as error:
                # They stay, and merging them at the end says why.
                _log.info(
                    "%s %s: what is pending cannot be merged: %s", self.stage.name, self.shard.key, error
                )
        if self.stage.name in self.lease.interrupted or self.runner.rehash:
            self._hold_against_records()

    def _hold_against_records(self) -> None:
        """A table or scene file that is not the recorded one is made again; what is to be computed anew is anyhow."""
        old = {scene for scene, record in self.recorded.items() if record.code_version != self.code}
        passed_over = old | self.pending.load().keys()
        wrong = not_as_recorded(self.runner.lake, self.stage, self.shard.key, self.recorded, passed_over)
        if wrong:
            self._set_aside(wrong)
            self.recorded = {}

    def plan(self, scenes: frozenset[str] | None) -> list[Job]:
        """What is to be computed, in the shard's order; what is done already is noted in the report."""
        begun = time.perf_counter()
        waiting = {scene: entry.record for scene, entry in self.pending.load().items()}
        reads = [name_of(read) for read in self.stage.read_with(self.parameters)]
        jobs = [
            self._plan(ref, waiting, reads)
            for ref in self.shard.scenes
            if scenes is None or ref.name in scenes
        ]
        self.report.seconds += time.perf_counter() - begun
        return [job for job in jobs if job is not None]

    def _plan(self, ref: SceneRef, waiting: Mapping[str, Record], reads: Sequence[str]) -> Job | None:
        """None where there is nothing to do, or where it is done already."""
        made = {name: self.made[self.runner.writer[name]].get(ref.name) for name in reads}
        fingerprint = None if self.external is None else self.external.fingerprint(ref)
        plan = planning.plan(self.stage, self.code, self.parameters_json, made, fingerprint)
        if plan.waiting:
            self.report.waiting.append(ref.name)
            return None
        wanted = plan.wanted
        old = self.recorded.get(ref.name)
        if ref.name in waiting and waiting[ref.name].input_hash == wanted:
            self.report.adopted.append(ref.name)
        elif old is not None and old.input_hash == wanted:
            if ref.name in waiting:
                self.pending.drop(ref.name)
            (self.report.adopted if ref.name in self.taken_up else self.report.skipped).append(ref.name)
        elif plan.rejected_by:
            nothing = Made({}, {}, {})
            self._put(Job(ref, wanted, {}), nothing, Attempt(nothing), BLOCKED, plan.rejected_by[0])
        else:
            self.pending.drop(ref.name)
            return Job(ref, wanted, dict(plan.inputs))
        self.runner.progress(self.stage.name, self.shard.key, ref.name, "unchanged")
        return None

    def call(self) -> Call:
        """What is to be done with each scene."""
        compute = self.stage.compute if self.external is None else self.external.compute
        assert compute is not None
        return Call(compute, self.parameters, Declared.by(self.stage))

    def commit(self, job: Job, attempt: Attempt) -> None:
        begun = time.perf_counter()
        name, outcome = job.ref.name, attempt.outcome
        status, reason, detail = DONE, "", ""
        if isinstance(outcome, InputError):
            if self.stage.opens_files:
                # A disk that was lost on the way takes every file with it: that is no error of the scene.
                check_root(self.shard.root)
            status, reason, detail = REJECTED, outcome.reason, str(outcome)
            which = SceneInputs(self.runner.lake, self.shard, job.ref).which
            outputs = SceneOutputs(
                rejects=[Reject(reason, detail, 1, "scenes")], tallies=[Tally("scenes", 1, 0)]
            )
            outcome = finished(Declared.by(self.stage), which, outputs)
        if isinstance(outcome, str):
            self.report.errors[name] = outcome
            self.runner.progress(self.stage.name, self.shard.key, name, "error")
        else:
            self._put(job, outcome, attempt, status, reason, detail)
            if status == DONE:
                self.report.done.append(name)
            self.runner.progress(self.stage.name, self.shard.key, name, status)
        self.report.seconds += time.perf_counter() - begun + attempt.seconds

    def _put(
        self, job: Job, made: Made, attempt: Attempt, status: str, reason: str = "", detail: str = ""
    ) -> None:
        ended = datetime.now(UTC)
        started = datetime.fromtimestamp(ended.timestamp() - attempt.seconds, UTC)
        record = Record(
            asset=self.stage.name,
            shard=self.shard.key,
            scene=job.ref.name,
            status=status,
            reason=reason,
            detail=detail,
            input_hash=job.input_hash,
            output_hash=records.output_hash(made.hashes),
            inputs=job.inputs,
            outputs=made.hashes,
            rows=made.rows,
            code_version=self.code,
            parameters=self.parameters_json,
            seconds=attempt.seconds,
            started=started.isoformat(timespec="milliseconds"),
            ended=ended.isoformat(timespec="milliseconds"),
            run_id=self.runner.run_id,
            lease=self.lease.id,
        )
        self.pending.put(record, made.parts, attempt.loading)

    def compact(self) -> None:
        """Merge what is pending into the shard's tables, then into its records, then remove it."""
        begun = time.perf_counter()
        entries = self.pending.load()
        merged = {scene: entry.record for scene, entry in entries.items()}
        if merged:
            for table in self.stage.tables:
                self._merge_table(table, merged)
            for kind in self.stage.files:
                for scene in merged:
                    self._place_file(kind, scene)
            self.recorded.update(merged)
            records.save(self.runner.home, self.stage.name, self.shard.key, self.recorded)
            for scene, entry in entries.items():
                if entry.loading is not None:
                    self.loading[scene] = (entry.loading, entry.record.started)
                self.pending.drop(scene)
        self.pending.tidy()
        self.report.seconds += time.perf_counter() - begun

    def leave_pending(self, error: str) -> None:
        """Note that what was finished could not be merged; the next call tries again."""
        for scene in self.pending.load():
            self.report.errors.setdefault(scene, error)
        self.report.done, self.report.adopted = [], []

    def _merge_table(self, table: Table, merged: Mapping[str, Record]) -> None:
        name, schema = table.name, table.schema
        path = self.runner.lake.table_path(name, self.shard.key)
        nothing = hash_of_none(table)
        there = path.exists()
        if there and all(
            scene in self.recorded
            and record.outputs.get(name, nothing) == self.recorded[scene].outputs.get(name, nothing)
            for scene, record in merged.items()
        ):
            return
        # Whatever a table holds is recorded or pending, so where all of it is replaced nothing is read.
        stays = there and not self.recorded.keys() <= merged.keys()
        rows = pq.read_table(path, schema=schema, partitioning=None) if stays else schema.empty_table()
        # Each piece is sorted already, so putting the scenes in order sorts the whole.
        pieces = {scene: self.pending.table(scene, name) for scene in merged}
        write_parquet(path, with_scenes(rows, pieces))

    def _place_file(self, kind: str, scene: str) -> None:
        self.pending.place_file(scene, kind, self.runner.lake.file_path(kind, self.shard.key, scene))

    def summarize(self, scenes: frozenset[str] | None) -> ShardReport:
        if self.external is not None:
            self.external.close()
        report = self.report
        tried = {ref.name for ref in self.shard.scenes if scenes is None or ref.name in scenes}
        errors.keep(self.runner.home, self.stage.name, self.shard.key, tried, report.errors)
        for scene, record in sorted(self.recorded.items()):
            if scenes is not None and scene not in scenes:
                continue
            if record.status == REJECTED:
                report.rejected[scene] = record.detail
            elif record.status == BLOCKED:
                report.blocked.append(scene)
        for record in self.recorded.values():
            for name, count in record.rows.items():
                report.rows[name] = report.rows.get(name, 0) + count
        ordered = sorted(self.recorded.values(), key=lambda record: record.scene)
        report.output_hash = hash_text(*(f"{item.scene}={item.output_hash}" for item in ordered))
        return report


def keep_loading(
    home: Path, name: str, shard: str, run_id: str, loading: Mapping[str, tuple[float, str]], lease: str = ""
) -> None:
    """Record the seconds that loading what stages share took, by scene, in place of what stood for those scenes."""
    held = records.load(home, name, shard)
    for scene, (seconds, ended) in loading.items():
        started = datetime.fromtimestamp(datetime.fromisoformat(ended).timestamp() - seconds, UTC)
        held[scene] = Record(
            asset=name,
            shard=shard,
            scene=scene,
            status=DONE,
            input_hash="",
            output_hash="",
            inputs={},
            outputs={},
            rows={},
            code_version="",
            parameters="{}",
            seconds=seconds,
            started=started.isoformat(timespec="milliseconds"),
            ended=ended,
            run_id=run_id,
            lease=lease,
        )
    records.save(home, name, shard, held)


def traceback_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
