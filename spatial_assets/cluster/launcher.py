"""Sends runs to the workers' queue, and says which are at work: `run_launcher` of `deploy/dagster.yaml`.

A message may be lost with the broker, and a process with its machine. So a run that nobody takes is sent again, and
one whose process gives no sign of life is reported as lost, upon which Dagster's monitoring has it resumed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import dagster as dg
from celery.exceptions import OperationalError
from dagster import StringSource
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, ResumeRunContext, WorkerStatus
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from spatial_assets.assets.instance import BROKER_VARIABLE
from spatial_assets.cluster.addresses import BROKER_EXAMPLE, checked
from spatial_assets.cluster.claims import latest
from spatial_assets.cluster.settings import CELERY, QUEUE, TASK, home_told
from spatial_assets.storage.heartbeats import LOOK_SHARE, LOST_SECONDS, Watch, read

FIRST = 1
"""The number of a run's first process."""
RESUMED, NEW = 0, 5
"""Celery's priorities on Redis, where the least goes out first."""
SEND_AGAIN_SECONDS = 20.0
"""After which a run is sent again that no worker has taken; one with a free place takes it within two."""


def is_elsewhere(run: dg.DagsterRun) -> bool:
    """Whether a command executes the run in its own process, as the checks of a build: no worker could load it."""
    return run.job_code_origin is None


class Launcher(CeleryRunLauncher):
    """A run is one Celery task, executed by one process with all its assets."""

    def __init__(
        self, broker: str, queue: str = QUEUE, inst_data: ConfigurableClassData | None = None
    ) -> None:
        checked(broker, BROKER_VARIABLE, BROKER_EXAMPLE)
        super().__init__(
            default_queue=queue, broker=broker, backend=None, config_source=CELERY, inst_data=inst_data
        )
        self._watching: Watch | None = None
        self._seen: set[str] = set()
        """Tokens of which this process has seen a sign of life."""
        self._sent: dict[str, tuple[int, float]] = {}
        """Runs that wait for a process to take them: as which one, and when they were sent last."""
        self._unseen: dict[str, tuple[float, float]] = {}
        """Tokens of which none has been seen: when one looked last, and for how long one has looked in vain."""

    @classmethod
    def config_type(cls) -> Any:
        return {
            "broker": dg.Field(StringSource, description="The broker's address."),
            "queue": dg.Field(StringSource, is_required=False, default_value=QUEUE),
        }

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Launcher:
        return cls(inst_data=inst_data, **config_value)

    @property
    def watch(self) -> Watch:
        if self._watching is None:
            self._watching = Watch(home_told())
        return self._watching

    def launch_run(self, context: LaunchRunContext) -> None:
        self._send(context.dagster_run, FIRST)

    def resume_run(self, context: ResumeRunContext) -> None:
        run = context.dagster_run
        self._send(run, latest(home_told(), run.run_id)[0] + 1)

    def _send(self, run: dg.DagsterRun, number: int) -> None:
        """A broker that does not answer is no failure of the run: it is sent again later."""
        self._sent[run.run_id] = (number, time.monotonic())
        queue = run.tags.get(DAGSTER_CELERY_QUEUE_TAG, self.default_queue)
        priority = NEW if number == FIRST else RESUMED
        try:
            self.celery.send_task(TASK, args=[run.run_id, number], queue=queue, priority=priority)
        except (BrokerError, OperationalError, RedisError, OSError) as error:
            told = f"The broker does not take the run, which will be sent again: {error}"
        else:
            told = f"Sent to the workers of queue {queue}."
        self._instance.report_engine_event(told, run, cls=type(self))

    def send_again(self) -> None:
        """Send again the runs that have not begun: those that no worker takes, and those whose process was lost."""
        starting = self._instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING]))
        for run in starting:
            number, token = latest(home_told(), run.run_id)
            if number == 0:
                self._sent.setdefault(run.run_id, (FIRST, time.monotonic()))  # by a daemon that is no more
            if self._waits(run, number):
                continue
            told = self._lost(token)
            if told is not None:
                self._instance.report_engine_event(told, run, cls=type(self))
                self._send(run, number + 1)

    def _waits(self, run: dg.DagsterRun, taken: int) -> bool:
        """Whether a run has been sent and is not taken yet: workers may be busy, or the message may be lost."""
        number, sent = self._sent.get(run.run_id, (0, 0.0))
        if number <= taken:
            self._sent.pop(run.run_id, None)
            return False
        if time.monotonic() - sent > SEND_AGAIN_SECONDS:
            self._send(run, number)
        return True

    def _lost(self, token: str) -> str | None:
        """Why a run's process is taken for lost; None where it is not."""
        silent = self.watch.silent(token) if token else float("inf")
        if silent <= LOST_SECONDS:
            self._seen.add(token)
            return None
        if silent < float("inf"):
            sign = read(self.watch.folder / f"{token}.json")
            where = f" on {sign.host}" if sign is not None else ""
            return f"The run's process{where} has given no sign of life for {silent:.0f} s."
        if token in self._seen:
            return "The run's process has ended before the run."
        # Not seen by this daemon: a file system may show it later.
        now = time.monotonic()
        looked, silent = self._unseen.get(token, (now, 0.0))
        silent += min(now - looked, LOOK_SHARE * LOST_SECONDS)
        self._unseen[token] = now, silent
        if silent <= LOST_SECONDS:
            return None
        return f"The run's process has given no sign of life for {LOST_SECONDS:.0f} s."

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        if is_elsewhere(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING, "executed by the command that requested it")
        number, token = latest(home_told(), run.run_id)
        if self._waits(run, number):
            return CheckRunHealthResult(WorkerStatus.RUNNING, "waits for a worker")
        told = self._lost(token)
        return CheckRunHealthResult(WorkerStatus.RUNNING if told is None else WorkerStatus.FAILED, told)

    def get_run_worker_debug_info(
        self, run: dg.DagsterRun, include_container_logs: bool | None = True
    ) -> None:
        """The reason says it already."""

    def terminate(self, run_id: str) -> bool:
        """The run's own process sees that it is to be canceled; a run that none has taken is canceled here."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.status not in IN_PROGRESS_RUN_STATUSES:
            return False
        self._instance.report_run_canceling(run)
        if latest(home_told(), run_id)[0] == 0:
            self._instance.report_run_canceled(run, "No worker had taken the run.")
        return True
