"""Dagster's daemon, for as long as a build needs it where none is at work over the home."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.controller import create_daemon_of_type, daemon_controller_from_instance
from dagster._daemon.daemon import DagsterDaemon

from spatial_assets.cluster.settings import HANDS_OUT
from spatial_assets.storage.heartbeats import BEAT_SECONDS, Watch

CODE = "spatial_assets.definitions"
"""What web server and daemon are started with, and the name that Dagster gives its code by that."""
QUEUE_DAEMON = "QUEUED_RUN_COORDINATOR"
KINDS = (QUEUE_DAEMON, "MONITORING", "EVENT_LOG_CONSUMER")
"""What a build needs of the daemon: who hands runs out, who finds the lost, and who has the failed tried again. Sensors
and schedules are not its affair, and would have the workers make summaries beside it."""
NEW_SIGN_SECONDS = 3 * BEAT_SECONDS
"""For which one looks whether a daemon that has left a sign of life gives another. Dagster's own are no help: they are
by the time of day on the daemon's machine, and come every half minute."""
LOOK_SECONDS = 0.2
END_SECONDS = 20.0
"""For a daemon to end before it is killed."""


class Daemon:
    """Started where none is at work, and again where it has died."""

    def __init__(self, home: Path) -> None:
        self.log = home / "dagster" / "daemon.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._watch = Watch(home)
        self._first: dict[str, int] = {}
        """Daemons by token, and the count of the sign that was seen first."""

    def is_another_at_work(self) -> bool:
        """Whether a daemon hands out the queue's runs: one of which a new sign of life has been seen here."""
        deadline = time.monotonic() + NEW_SIGN_SECONDS
        while True:
            signs = [sign for sign in self._watch.signs() if HANDS_OUT in sign.about]
            known = [sign for sign in signs if sign.beat != self._first.setdefault(sign.token, sign.beat)]
            if known:
                return any(not self._watch.lost(sign.token) for sign in known)
            if not signs or time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)

    def ensure(self) -> bool:
        """Whether one had to be started."""
        if self.process is not None and self.process.poll() is None:
            return False
        if self.process is None and self.is_another_at_work():
            return False
        with self.log.open("ab") as log:
            # Of a group of its own, so that Ctrl-C comes to it after the build has said what goes on.
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return True

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        for number in (signal.SIGINT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)
                return


@contextmanager
def daemon_for(home: Path) -> Iterator[Daemon]:
    daemon = Daemon(home)
    try:
        yield daemon
    finally:
        daemon.stop()


def _run(parent: int) -> None:
    """The daemon, which ends with the build that started it, also when that is killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, daemon=True).start()
    code = ModuleTarget(CODE, None, None, CODE)
    with (
        suppress(KeyboardInterrupt),
        dg.DagsterInstance.get() as instance,
        daemon_controller_from_instance(instance, code, gen_daemons=_daemons) as controller,
    ):
        controller.check_daemon_loop()


def _daemons(instance: dg.DagsterInstance) -> list[DagsterDaemon[Any]]:
    return [create_daemon_of_type(kind, instance) for kind in KINDS]


if __name__ == "__main__":
    _run(int(sys.argv[1]))
