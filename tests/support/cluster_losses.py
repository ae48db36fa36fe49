"""Breaking a cluster at work, and how long what was hit took to go on."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import dagster as dg
from cluster_hosts import Cluster, Supervised, session_of

from spatial_assets.assets.instance import instance_of
from spatial_assets.cluster.task import TAKEN
from spatial_assets.storage.heartbeats import Watch

NOTICED = ("Detected run worker status", "The run's process")
"""Beginnings of messages by which a loss is known, its reason said, and the run sent to the workers again."""


@contextmanager
def opened(cluster: Cluster):
    """The history, by the addresses of the cluster."""
    before = dict(os.environ)
    os.environ.update(cluster.environment)
    try:
        with instance_of(cluster.home) as instance:
            yield instance
    finally:
        os.environ.clear()
        os.environ.update(before)


def runs_of(cluster: Cluster, worker: Supervised) -> list[str]:
    """Runs that processes of this worker have in hand."""
    return [
        sign.about["run"]
        for sign in Watch(cluster.home).signs()
        if "run" in sign.about and session_of(sign.pid) == worker.process.pid
    ]


def at_work(cluster: Cluster) -> list[str]:
    return [sign.about["run"] for sign in Watch(cluster.home).signs() if "run" in sign.about]


def children(process: int, program: str) -> list[int]:
    """Those, of any of its threads, that run a module or a program of this name."""
    found = set()
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found |= {int(word) for word in path.read_text().split()}
    return sorted(own for own in found if program in _words(own))


def _words(process: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")
    return []


@dataclass
class Losses:
    """What was done to a cluster, and to which runs."""

    cluster: Cluster
    moments: random.Random
    hits: list[tuple[str, float, str]] = field(default_factory=list)
    """Run, time of day, and by what it was hit."""

    def kill(self, worker: Supervised) -> None:
        """The worker with all its processes; the supervisor starts it again."""
        found = runs_of(self.cluster, worker)
        now = time.time()
        worker.kill()
        self.hits += [(run, now, "kill") for run in found]

    def kill_child(self, worker: Supervised) -> None:
        """The process that executes a run, alone."""
        for sign in Watch(self.cluster.home).signs():
            if "run" in sign.about and session_of(sign.pid) == worker.process.pid:
                self.hits.append((sign.about["run"], time.time(), "kill of the run's process"))
                with suppress(ProcessLookupError):
                    os.kill(sign.pid, signal.SIGKILL)

    def delays(self) -> list[Delay]:
        found = []
        with opened(self.cluster) as instance:
            for run_id, moment, what in self.hits:
                later = [entry for entry in instance.all_logs(run_id) if entry.timestamp > moment]
                noticed = [entry.timestamp for entry in later if _begins(entry, (*NOTICED, TAKEN))]
                going_on = [entry.timestamp for entry in later if _begins(entry, (TAKEN,))]
                found.append(
                    Delay(what, *(min(times, default=inf) - moment for times in (noticed, going_on)))
                )
        return found


@dataclass
class Delay:
    """Seconds from a hit until it was noticed, and until a process had the run in hand again, or it was over."""

    what: str
    noticed: float
    going_on: float


def _begins(entry: dg.EventLogEntry, words: tuple[str, ...]) -> bool:
    event = entry.dagster_event
    over = (dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE)
    return event is not None and (event.event_type in over or _text_of(event).startswith(words))


def _text_of(event: dg.DagsterEvent) -> str:
    """An event's message without the class that tells of it, which Dagster puts before it in brackets."""
    return re.sub(r"^\[\w+\] ", "", event.message or "")


def times_taken(instance: dg.DagsterInstance, run_id: str) -> int:
    """How many processes have had a run in hand."""
    events = [entry.dagster_event for entry in instance.all_logs(run_id)]
    return sum(event is not None and _text_of(event).startswith(TAKEN) for event in events)


class Builds:
    """Builds one after another over one home, each from nothing, for as long as one is wanted."""

    def __init__(
        self,
        cluster: Cluster,
        digest: Callable[[Path], dict[str, str]],
        expected: dict[str, str],
        options: Sequence[str] = (),
    ) -> None:
        self.cluster, self.digest, self.expected, self.options = cluster, digest, expected, options
        self.process: subprocess.Popen[bytes] | None = None
        self.ends: list[tuple[int, bool]] = []
        """Exit status, and whether the bytes were the same."""

    def going(self) -> None:
        """See to it that one is going."""
        if self.process is not None and self.process.poll() is None:
            return
        self._note()
        for name in ("lake", "records", "pending", "reports"):
            shutil.rmtree(self.cluster.home / name, ignore_errors=True)
        self.process = self.cluster.build(*self.options)

    def finish(self, seconds: float) -> None:
        assert self.process is not None
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise AssertionError(f"the build did not end within {seconds:.0f} s") from None
        self._note()

    def _note(self) -> None:
        if self.process is not None:
            same = self.digest(self.cluster.home) == self.expected
            self.ends.append((self.process.returncode, same))
            self.process = None
