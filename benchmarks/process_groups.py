"""Ending what a measure has started, with everything that this has started in turn."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

PATIENCE = 30.0
"""Seconds that processes have to end after a signal."""


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Interrupt the leader of a session and its group; none of them is left afterwards, killed if need be.

    A server, its daemon and what loads definitions end after their leader, and write to its folders until then.
    """
    if not _ended(process, signal.SIGINT):
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the leader of a session and its group; none of them is left afterwards."""
    if not _ended(process, signal.SIGKILL):
        raise TimeoutError(f"processes of group {process.pid} do not end")


def _ended(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None or _runs(process.pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _runs(group: int) -> bool:
    """Whether a process of a group runs. One that has ended and that nobody has waited for does not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold anything.
            state, _, its_group = stat.read_text("utf-8", "replace").rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return False
