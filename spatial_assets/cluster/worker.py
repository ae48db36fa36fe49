"""A worker: takes runs from the queue and executes them, each in a process of its own, several at once.

Celery forks the processes, hands each a run, and starts a new one for one that has died. They stay, with all that was
imported and compiled, from one run to the next.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from platform import node

from celery import Celery, signals
from dagster_celery.make_app import make_app
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from spatial_assets.assets.instance import HOME_VARIABLE, instance_of
from spatial_assets.assets.run_sizes import PLACES
from spatial_assets.assets.workspace import WORKERS_VARIABLE
from spatial_assets.cluster.addresses import broker_shown
from spatial_assets.cluster.launcher import Launcher
from spatial_assets.cluster.settings import CELERY, TASK, broker
from spatial_assets.cluster.task import Executor
from spatial_assets.scene.model import InputError
from spatial_assets.storage import probe
from spatial_assets.storage.heartbeats import beating

CONNECT_SECONDS = 5.0
"""For a first answer of the broker, which is asked before a worker says that it is there."""


def app(address: str, home: Path, memory: int | None) -> Celery:
    """Celery with the one task that there is."""
    made: Celery = make_app({"broker": address, "backend": None, "config_source": CELERY})
    execute = Executor(home, memory)
    signals.worker_process_init.connect(_apart)

    @made.task(name=TASK)
    def run(run_id: str, number: int) -> None:
        execute(run_id, number)

    return made


def work(home: Path, queue: str, places: int, memory: int | None, log_level: str) -> int:
    """Until stopped: the first SIGTERM or Ctrl-C lets runs come to their end. Returns Celery's exit status."""
    address = broker()
    home = home.resolve()
    _check_broker(address)
    with instance_of(home) as instance:
        if not isinstance(instance.run_launcher, Launcher):
            raise InputError(
                home / "dagster" / "dagster.yaml",
                "is of one machine alone; put deploy/dagster.yaml in its place where several share the home",
            )
    probe.check(home)
    os.environ[HOME_VARIABLE] = str(home)
    os.environ.setdefault(WORKERS_VARIABLE, str(max(1, (os.cpu_count() or 1) // places)))
    logging.getLogger("celery").setLevel(log_level.upper())
    celery = app(address, home, memory)
    words = ["worker", "--pool=prefork", f"--concurrency={places}", f"--queues={queue}"]
    words += [f"--hostname={os.getpid()}@{node()}", f"--loglevel={log_level}"]
    words += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    with beating(home, worker=node(), queue=queue, **{PLACES: str(places)}):
        print(f"worker on {node()}: {places} runs at once from queue {queue} of {broker_shown(address)}: {home}",
              file=sys.stderr, flush=True)  # fmt: skip
        try:
            celery.worker_main(words)
        except SystemExit as ended:
            return int(ended.code or 0) if not isinstance(ended.code, str) else 1
    return 0


def _apart(**_: object) -> None:
    """Ctrl-C goes to all processes of a terminal's group, and Dagster stops a run at it: it is meant for the worker."""
    os.setpgrp()


def _check_broker(address: str) -> None:
    try:
        with Redis.from_url(
            address, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS
        ) as client:
            client.ping()
    except (RedisError, OperationalError, OSError, ValueError) as error:
        raise ValueError(f"the broker at {broker_shown(address)} does not answer: {error}") from None
