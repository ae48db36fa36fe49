"""Builds that are stopped at a chosen moment: in a thread, or as a process that stops itself as a lost machine does.

As a script: python stopped_builds.py HOME MOMENT. It stops once, builds on when woken, and prints what became of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lakes import build

from spatial_assets.engine.stage_run import StageRun
from spatial_assets.storage import atomic, leases
from spatial_assets.storage.lock_files import open_lock, put_new

READ = ("sources", "scenes")
"""What is built; it is stopped in the second, while it holds the first to read."""
MOMENTS: dict[str, Callable[[str], bool]] = {
    "table": lambda place: "/lake/scenes/" in place,
    "pending": lambda place: "/pending/scenes/" in place and "/.removed." not in place,
    "records": lambda place: "/records/scenes/" in place,
    "removal": lambda place: "/pending/scenes/" in place and "/.removed." in place,
    "computing": lambda _: False,
}
"""Between the last check and the renaming of a table, a finished scene, or records; before a finished scene that was
merged is removed; and when a scene is computed."""


def hook(moment: str, halt: Callable[[], None]) -> tuple[object, str, Callable[..., Any]]:
    """What to put in place of what, so that a build halts when it first comes to the moment."""
    halted: list[str] = []

    def once() -> None:
        if not halted:
            halted.append(moment)
            halt()

    if moment == "computing":
        commit = StageRun.commit

        def committing(run: StageRun, *given: Any) -> None:
            if run.stage.name == READ[1]:
                once()
            commit(run, *given)

        return StageRun, "commit", committing
    into_place = atomic.into_place

    def putting(temporary: Path, path: Path) -> None:
        if MOMENTS[moment](path.as_posix()):
            once()
        into_place(temporary, path)

    return atomic, "into_place", putting


def take_over(path: Path) -> None:
    """Put a new lock file in place, as one does who waits for a lost process."""
    handle = open_lock(path)
    assert put_new(path, handle, lambda: True, 0)
    os.close(handle)


def main(home: Path, moment: str) -> None:
    waited = 0.0
    wait = leases._wait

    def waiting(*given: Any) -> None:
        nonlocal waited
        begun = time.monotonic()
        wait(*given)
        waited = max(waited, time.monotonic() - begun)

    leases._wait = waiting
    if moment:
        owner, name, function = hook(moment, lambda: os.kill(os.getpid(), signal.SIGSTOP))
        setattr(owner, name, function)
    try:
        build(home, stages=READ)
        lost = ""
    except leases.LeaseLost as error:
        lost = str(error)
    print(json.dumps({"lost": lost, "waited": waited}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
