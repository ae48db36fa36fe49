"""Dagster's queue, from which as many runs go out as workers have places: `run_coordinator` of `deploy/dagster.yaml`.

Runs wait in Dagster's queue, where one sees them and their order can be changed, and not in the broker's.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator, RunQueueConfig
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from dagster._core.storage.tags import PARTITION_NAME_TAG, PRIORITY_TAG

from spatial_assets.assets.automation import RANGE_END, RANGE_START
from spatial_assets.assets.partitions import scene_shard
from spatial_assets.assets.run_sizes import PLACES, places
from spatial_assets.cluster.launcher import Launcher, is_elsewhere
from spatial_assets.cluster.settings import HANDS_OUT, home_told
from spatial_assets.storage.heartbeats import BEAT_SECONDS, Heartbeat, Watch

LOOK_SECONDS = 5.0
"""Between two looks at who is alive and what was not taken; the queue itself is looked at every second."""
SILENT_SECONDS = 3 * BEAT_SECONDS
"""After which a worker gets no new runs; whether it is lost shows later."""
SETTLED_SECONDS = SILENT_SECONDS + LOOK_SECONDS + 1.0
"""For which a worker is known before it counts, but for those that are there when a daemon begins."""
QUEUED_SEEN = 500
"""Runs at the head of the queue of which it is known whether they wait for a run over the same shards."""


class Living:
    """The workers of a home that are at work.

    The place of a worker that has fallen silent is not given to its successor at once: by then its runs are found to
    be lost as well, and go on there before others begin.
    """

    def __init__(self, home: Path) -> None:
        self.watch = Watch(home)
        self._known: dict[str, float] = {}
        """Workers by token, and since when they are known."""
        self._first = True

    def places(self) -> int:
        self.watch.sweep()
        now = time.monotonic()
        total = 0
        for sign in self.watch.signs():
            if PLACES not in sign.about:
                continue
            since = self._known.setdefault(sign.token, float("-inf") if self._first else now)
            if self.watch.silent(sign.token) <= SILENT_SECONDS and now - since >= SETTLED_SECONDS:
                total += int(sign.about[PLACES])
        self._first = False
        return total


class Coordinator(QueuedRunCoordinator):
    """Dagster's daemon asks for the queue's settings once a round; there they follow who is alive.

    Others ask too, a worker's process for each run and the web server for its pages. They neither sweep signs of life
    nor send runs again, of which each would know only what it sent itself.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._living: Living | None = None
        self._looked = float("-inf")
        self._places = 0
        self._elsewhere = 0
        """Runs in progress that take no worker's place."""
        self._is_daemons = False
        self._sign: Heartbeat | None = None
        """By which builds know that a daemon is at work."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Coordinator:
        return cls(inst_data=inst_data, **config_value)

    @property
    def dequeue_interval_seconds(self) -> int:
        """Asked for by Dagster's daemon alone, as it makes the part of it that hands runs out."""
        self._is_daemons = True
        return super().dequeue_interval_seconds

    def get_run_queue_config(self) -> RunQueueConfig:
        settings = super().get_run_queue_config()
        if not self._is_daemons:
            return settings._replace(max_concurrent_runs=places(home_told()))
        self._look()
        limits = [*self._tag_concurrency_limits, *self._waiting()]
        at_once = self._places + self._elsewhere
        return settings._replace(max_concurrent_runs=at_once, tag_concurrency_limits=limits)

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        if self._living is None:
            self._living = Living(home_told())
            self._sign = Heartbeat(home_told(), **{HANDS_OUT: "runs"})
        self._places = self._living.places()
        launcher = self._instance.run_launcher
        if isinstance(launcher, Launcher):
            launcher.send_again()

    def dispose(self) -> None:
        if self._sign is not None:
            self._sign.stop()
            self._sign = None
        super().dispose()

    def _waiting(self) -> list[dict[str, Any]]:
        """Limits by which runs stay in the queue while another is at work on one of their shards."""
        queued = self._instance.get_runs(
            dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]), limit=QUEUED_SEEN, ascending=True
        )
        if not queued:
            return []
        active = self._instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES))
        self._elsewhere = sum(is_elsewhere(run) for run in active)
        assert scene_shard.name is not None
        order = {key: i for i, key in enumerate(self._instance.get_dynamic_partitions(scene_shard.name))}
        ordered = sorted(queued, key=lambda run: -_priority(run))  # as the daemon has it: oldest first
        found = set(
            overlapping(
                [_range(run, order) for run in active], [(run.run_id, _range(run, order)) for run in ordered]
            )
        )
        tagged = [
            ((key, run.tags[key]), run.run_id in found)
            for run in ordered
            for key in (RANGE_START, PARTITION_NAME_TAG)
            if key in run.tags
        ]
        # One that does not wait may have the same tag, as of a range that was requested twice. Dagster counts in this
        # order too, so it is the one that goes out.
        going = Counter(tag for tag, waits in tagged if not waits)
        return [
            {"key": key, "value": value, "limit": going[key, value]}
            for key, value in sorted({tag for tag, waits in tagged if waits})
        ]


Range = tuple[int, int]


def overlapping(active: Iterable[Range | None], queued: Sequence[tuple[str, Range | None]]) -> list[str]:
    """Those of the queued, in the order in which they go out, that share a shard with one at work or before them."""
    held = [item for item in active if item is not None]
    found = []
    for name, own in queued:
        if own is None:
            continue
        if any(own[0] <= last and first <= own[1] for first, last in held):
            found.append(name)
        held.append(own)
    return found


def _range(run: dg.DagsterRun, order: Mapping[str, int]) -> Range | None:
    """A run's first and last shard in Dagster's order; None for a run over none."""
    key = run.tags.get(PARTITION_NAME_TAG)
    first, last = run.tags.get(RANGE_START, key), run.tags.get(RANGE_END, key)
    if first is None or last is None or first not in order or last not in order:
        return None
    return order[first], order[last]


def _priority(run: dg.DagsterRun) -> int:
    try:
        return int(run.tags.get(PRIORITY_TAG, "0"))
    except ValueError:
        return 0
