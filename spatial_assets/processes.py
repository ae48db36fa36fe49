"""Worker processes that start clean and never outlive who started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing.connection import wait


def worker_pool(workers: int) -> Executor:
    """A pool of that many processes; what it is given must be importable and picklable."""
    # A forked child would inherit locks held by other threads; the server forks from a clean process.
    context = multiprocessing.get_context("forkserver")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Let a worker die with the process that started it, also when that is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            wait([parent.sentinel])
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()
