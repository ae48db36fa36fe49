"""Runs stages on one shard: only the scenes whose inputs changed, each committed at once, those of a suite together.

A scene's wanted input hash is made of the content hashes of what the stage reads, its code version and
its parameters. Where it equals the recorded one there is nothing to do. A finished scene is put down as
a pending file by one rename; at the end the shard's tables are rewritten by rename with what is
pending, then the records, and only then does the pending go. So whatever kills the process, no table is
ever half written, at most the scene in hand is lost, and the next call takes up what is pending.

Stages that share what they load of a scene run in one pass: it is loaded once, only where one of them has
something to do, and each commits, rewrites its tables and reports by itself, so an error stays with its stage.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

from pydantic import BaseModel

from spatial_assets.engine import source_objects
from spatial_assets.engine.compiling import compile_for
from spatial_assets.engine.scene_calls import Attempt, attempt_all, attempts
from spatial_assets.engine.stage_run import Job, Progress, ShardReport, StageRun, keep_loading, traceback_of
from spatial_assets.engine.taking_over import clean, clean_records
from spatial_assets.engine.workers import in_processes
from spatial_assets.lineage import records
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.refs import SceneRef, Shard
from spatial_assets.stages.stage import Stage, name_of, writers
from spatial_assets.storage.lake import Lake
from spatial_assets.storage.leases import Lease, LeaseLost, leased

_log = logging.getLogger(__name__)

AHEAD = 2
"""Scenes for each process that are handed out or done before they are committed; more would only fill memory."""

MERGED_AT_ONCE = 4
"""At most so many stages of a suite rewrite their tables at the same time; each holds a shard's table in memory."""

Jobs = list[tuple[StageRun, Job]]
"""What is to be done of one scene."""


class Runner:
    """Runs stages over shards of one home.

    `writer` maps each table or kind of file to the stage that writes it. `workers` bounds threads over
    frames, and processes where a stage asks for them; neither changes a byte of the result.
    """

    def __init__(
        self,
        home: Path,
        stages: Mapping[str, Stage],
        workers: int = 1,
        rehash: bool = False,
        run_id: str = "",
        progress: Progress | None = None,
    ) -> None:
        self.home = Path(home)
        self.lake = Lake(self.home)
        self.stages = stages
        self.writer: Mapping[str, str] = writers(stages)
        self.workers = max(1, workers)
        self.rehash = rehash
        self.run_id = run_id
        self.progress: Progress = progress or (lambda *_: None)

    def run(
        self, stage: Stage, shard: Shard, parameters: BaseModel, scenes: frozenset[str] | None = None
    ) -> ShardReport:
        """Bring a shard's rows of one stage up to date; `scenes` narrows it to some of them.

        Waits for whoever is at work on the same stage and shard, and keeps upstream stages from
        rewriting what is being read. Raises InputError where the stage opens source files and the
        dataset's root is not there, OSError where the disk does not take what is written, and LeaseLost where
        somebody else has taken over; what stood stands, and the next call takes up what this one finished.
        """
        return self.run_together([stage], shard, {stage.name: parameters}, scenes)[stage.name]

    def run_together(
        self,
        stages: Sequence[Stage],
        shard: Shard,
        parameters: Mapping[str, BaseModel],
        scenes: frozenset[str] | None = None,
    ) -> dict[str, ShardReport]:
        """`run` for several stages with an equal `shared`, in one pass over the shard; parameters and reports by stage.

        Raises ValueError for stages that cannot be run together.
        """
        ordered = sorted(stages, key=lambda stage: stage.name)
        names = [stage.name for stage in ordered]
        upstream = sorted({self.writer[name_of(read)] for stage in ordered for read in stage.reads})
        shared = ordered[0].shared
        if len(ordered) > 1 and (shared is None or any(stage.shared != shared for stage in ordered)):
            raise ValueError(f"these stages do not load the same: {', '.join(names)}")
        if set(upstream) & set(names):
            raise ValueError(f"one of these stages reads what another writes: {', '.join(names)}")
        begun = time.perf_counter()
        with leased(self.home, shard.key, names, upstream) as lease:
            self._clean(lease)
            made = {name: records.load(self.home, name, shard.key) for name in upstream}
            members = [StageRun(self, stage, shard, parameters[stage.name], made, lease) for stage in ordered]
            for member in members:
                member.take_up()
            lease.settle()
            self._compute(members, shard, scenes)
            _compact(members, min(self.workers, MERGED_AT_ONCE))
            if shared is not None:
                self._keep_loading(shared.name, shard, members)
            reports = {member.stage.name: member.summarize(scenes) for member in members}
        if len(reports) == 1:
            reports[names[0]].seconds = time.perf_counter() - begun
        for report in reports.values():
            _tell(report)
        return reports

    def _clean(self, lease: Lease) -> None:
        """Remove what those who did not come to the end were about to put in place, before anything is read."""
        for name in sorted(lease.interrupted & self.stages.keys()):
            clean(self.lake, self.stages[name], lease.shard)

    def _compute(self, members: Sequence[StageRun], shard: Shard, scenes: frozenset[str] | None) -> None:
        by_scene: dict[str, Jobs] = {ref.name: [] for ref in shard.scenes}
        for member in members:
            for job in member.plan(scenes):
                by_scene[job.ref.name].append((member, job))
        stale = [(ref, by_scene[ref.name]) for ref in shard.scenes if by_scene[ref.name]]
        heavy = any(member.stage.heavy(shard.dataset) for member in members)
        many = heavy and self.workers > 1 and len(stale) > 1
        if stale and self.workers > 1:
            # Also before work in this process, which would compile on one core, and what others are at already.
            named = {module for member in members for module in member.stage.modules(shard.dataset)}
            compile_for(self.workers, *sorted(named))
        compute = self._in_processes if many else self._here
        for (member, job), attempt in compute(shard, stale):
            member.commit(job, attempt)

    def _here(
        self, shard: Shard, stale: Iterable[tuple[SceneRef, Jobs]]
    ) -> Iterator[tuple[tuple[StageRun, Job], Attempt]]:
        for ref, jobs in stale:
            inputs = SceneInputs(self.lake, shard, ref, self.workers)
            calls = [member.call() for member, _ in jobs]
            with self._objects(shard, ref, jobs):
                yield from zip(jobs, attempts(jobs[0][0].stage.shared, calls, inputs), strict=True)

    def _in_processes(
        self, shard: Shard, stale: Iterable[tuple[SceneRef, Jobs]]
    ) -> Iterator[tuple[tuple[StageRun, Job], Attempt]]:
        """One call a scene; results come in the scenes' order, and only few wait for the one before them."""
        coming = iter(stale)
        ahead: deque[tuple[Jobs, Future[list[Attempt]], contextlib.ExitStack]] = deque()
        try:
            while True:
                for ref, jobs in coming:
                    kept = contextlib.ExitStack()
                    kept.enter_context(self._objects(shard, ref, jobs))
                    calls = [member.call() for member, _ in jobs]
                    given = (jobs[0][0].stage.shared, calls, SceneInputs(self.lake, shard, ref))
                    ahead.append((jobs, in_processes(self.workers, attempt_all, [given])[0], kept))
                    if len(ahead) == AHEAD * self.workers:
                        break
                if not ahead:
                    return
                jobs, future, kept = ahead.popleft()
                with kept:
                    try:
                        made = future.result()
                    except Exception as error:
                        made = [Attempt(traceback_of(error))] * len(jobs)
                yield from zip(jobs, made, strict=True)
        finally:
            # Whoever stops half-way must not leave work for those who come next.
            for _, future, kept in ahead:
                future.cancel()
                kept.close()

    def _objects(self, shard: Shard, ref: SceneRef, jobs: Jobs) -> contextlib.AbstractContextManager[object]:
        """What the scene's files need to be there, for stages that open them and have not looked at them yet."""
        if any(member.stage.opens_files and member.external is None for member, _ in jobs):
            return source_objects.held(self.lake, shard, ref)
        return contextlib.nullcontext()

    def _keep_loading(self, name: str, shard: Shard, members: Sequence[StageRun]) -> None:
        loading = {scene: spent for member in members for scene, spent in member.loading.items()}
        if loading:
            # Calls for other stages of the suite hold other locks, and write the same file.
            with leased(self.home, shard.key, [name]) as lease:
                if lease.interrupted:
                    clean_records(self.home, name, shard.key)
                keep_loading(self.home, name, shard.key, self.run_id, loading, lease.id)
                lease.settle()


def _compact(members: Sequence[StageRun], threads: int) -> None:
    """Let each stage rewrite its tables, some at once; where one cannot, as for a damaged table, the others still do.

    Reading, joining and writing tables is Arrow's work, which threads do side by side. Raises LeaseLost, and OSError
    where the disk does not take what is written; what has not begun by then is left.
    """
    stopped: list[Exception] = []

    def rewrite(member: StageRun) -> str:
        """Says what went wrong, in words: an error would keep the tables in memory that were in hand."""
        if stopped:
            return ""
        try:
            member.compact()
        except Exception as error:
            disk = isinstance(error, OSError) and error.errno is not None
            if len(members) > 1 and not disk and not isinstance(error, LeaseLost):
                return traceback_of(error)
            stopped.append(error)
        return ""

    if threads == 1 or len(members) == 1:
        problems = list(map(rewrite, members))
    else:
        pool = ThreadPoolExecutor(threads)
        try:
            # Each in a copy of this context, which holds what must be checked before anything is put in place.
            futures = [pool.submit(copy_context().run, rewrite, member) for member in members]
            problems = [future.result() for future in futures]
        finally:
            pool.shutdown(cancel_futures=True)
    if stopped:
        raise stopped[0]
    for member, problem in zip(members, problems, strict=True):
        if problem:
            member.leave_pending(problem)


def _tell(report: ShardReport) -> None:
    for scene, problem in report.rejected.items():
        _log.info("%s %s/%s rejected: %s", report.stage, report.shard, scene, problem)
    _log.info(
        "%s %s: %d computed, %d unchanged, %d rejected, %d errors in %.1f s",
        report.stage,
        report.shard,
        len(report.done) + len(report.adopted),
        len(report.skipped),
        len(report.rejected),
        len(report.errors),
        report.seconds,
    )
