"""Executes one run in a worker's process: takes it, gives signs of life, stops where it is to be stopped."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from platform import node

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._grpc.impl import core_execute_run
from dagster._utils import send_interrupt
from dagster._utils.hosted_user_process import recon_job_from_origin

from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.workspace import listening
from spatial_assets.cluster.claims import forget, latest, take
from spatial_assets.cluster.memory import family_bytes
from spatial_assets.cluster.told import Telling
from spatial_assets.storage.heartbeats import Heartbeat, beating
from spatial_assets.storage.leases import at_work

_log = logging.getLogger(__name__)

HOST = "spatial_assets/host"
"""Tag of a run: the machine that executes it."""
TAKEN = "The run was taken by"
BEGUN = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED)
LOOK_SECONDS = 3.0
"""Between two looks of a run's process at what has become of its run."""
NO_HISTORY_SECONDS = 20.0
"""Without an answer of the history after which a run's process ends: it cannot tell of its work, nor be told that
another does it. Less than after which others take it for lost; more than a database takes to start again."""

STOP_SECONDS = 2.0
"""For which a process that ends waits until its sign of life is gone."""


@dataclass
class Guard:
    """Watches over the run of this process, and ends it where the run is no longer its own, or takes too much."""

    instance: dg.DagsterInstance
    home: Path
    run_id: str
    heart: Heartbeat
    memory: int | None
    """Bytes that the process and its children may take."""
    heard: float = field(default_factory=time.monotonic)
    """When the history last answered."""
    stopped: threading.Event = field(default_factory=threading.Event)
    canceled: bool = False
    over: bool = False
    """Whether the last look found the run at its end."""

    def __post_init__(self) -> None:
        # A thread for each: one that asks history or home may wait for its answer for as long as the network is away.
        for work in (self._ask, self._wait, self._look, self._measure):
            threading.Thread(target=self._every, args=(work,), name="guard", daemon=True).start()

    def _every(self, work: Callable[[], None]) -> None:
        while not self.stopped.wait(LOOK_SECONDS):
            try:
                work()
            except Exception as error:
                # A file system may refuse once what it gives the next time; a run is never left without its guard.
                _log.warning("run %s: its guard could not look: %s", self.run_id, error)

    def _ask(self) -> None:
        try:
            run = self.instance.get_run_by_id(self.run_id)
        except Exception as error:
            _log.warning("the history does not answer: %s", error)
            return
        self.heard = time.monotonic()
        if self.stopped.is_set():
            return
        if run is None or run.is_finished:
            # Not at the first look: this process may just have brought it to its end.
            if self.over:
                self._end("the run is over")
            self.over = True
        elif run.status == dg.DagsterRunStatus.CANCELING and not self.canceled:
            self.canceled = True
            send_interrupt()

    def _wait(self) -> None:
        if time.monotonic() - self.heard > NO_HISTORY_SECONDS:
            self._end(f"the history has not answered for {NO_HISTORY_SECONDS:.0f} s")

    def _look(self) -> None:
        if latest(self.home, self.run_id)[1] != self.heart.token:
            self._end("another process has taken the run")

    def _measure(self) -> None:
        taken = family_bytes() if self.memory is not None else 0
        if self.memory is not None and taken > self.memory:
            told = f"The run took {taken / 2**30:.1f} GiB; its worker allows {self.memory / 2**30:.1f}."
            failed = JobFailureData(error=None, failure_reason=RunFailureReason.RUN_EXCEPTION)
            with suppress(Exception):
                run = self.instance.get_run_by_id(self.run_id)
                if run is not None:
                    self.instance.report_run_failed(run, told, failed)
            self._end(told)

    def _end(self, why: str) -> None:
        """At once: whatever the process is at may not be committed any more, or waits for what does not answer."""
        if self.stopped.is_set():
            return
        _log.warning("run %s: this process ends: %s", self.run_id, why)
        # The sign goes, so that nobody waits to find out; where the home does not answer either, it stays.
        stopping = threading.Thread(target=self.heart.stop, daemon=True)
        stopping.start()
        stopping.join(STOP_SECONDS)
        os._exit(1)


class Executor:
    """Executes runs, one at a time; the history and what was imported stay open from one to the next."""

    def __init__(self, home: Path, memory: int | None = None) -> None:
        self.home, self.memory = home, memory
        self._instance: dg.DagsterInstance | None = None

    def __call__(self, run_id: str, number: int) -> None:
        """Execute a run as its process of that number."""
        if self._instance is None:
            self._instance = instance_of(self.home)
        instance = self._instance
        with beating(self.home, run=run_id) as heart:
            if not take(self.home, run_id, number, heart.token):
                _log.info("run %s is another's", run_id)
                return
            guard = Guard(instance, self.home, run_id, heart, self.memory)
            try:
                run = instance.get_run_by_id(run_id)
                if run is not None and run.status in BEGUN:
                    instance.add_run_tags(run_id, {HOST: node()})
                    instance.report_engine_event(
                        f"{TAKEN} {node()} as its process {number}.", run, cls=Executor
                    )
                    self._execute(instance, run)
                    run = instance.get_run_by_id(run_id)
                guard.stopped.set()
                if run is None or run.is_finished:
                    forget(self.home, run_id)
            finally:
                guard.stopped.set()

    def _execute(self, instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
        assert run.job_code_origin is not None
        job = recon_job_from_origin(run.job_code_origin)
        again = run.status == dg.DagsterRunStatus.STARTED
        ending = signal.getsignal(signal.SIGTERM)
        try:
            with at_work(self.home), listening(Telling(self.home, run)):
                for _ in core_execute_run(
                    job, run, instance, inject_env_vars=True, resume_from_failure=again
                ):
                    pass
        except (Exception, KeyboardInterrupt, DagsterExecutionInterruptedError) as error:
            # Dagster has told of it, or could not: then the run is found without a process, and resumed.
            _log.warning("run %s: %s: %s", run.run_id, type(error).__name__, error)
        finally:
            # Dagster leaves it as it found SIGINT, which a worker's process ignores.
            signal.signal(signal.SIGTERM, ending)
