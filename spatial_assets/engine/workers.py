"""Worker processes: started once, clean, used by whatever needs them, and never outliving who started them."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from typing import Any

_log = logging.getLogger(__name__)

PRELOADED = ["spatial_assets.stages.pipeline", "spatial_assets.engine.numba_types"]
"""What every worker needs is imported once, by the process that they are forked from."""

NICENESS = 5
"""Of processes in the background: a fourth of a core that others want too, since at times somebody waits for them."""

_pools: dict[tuple[int, bool], ProcessPoolExecutor] = {}
_opening = threading.Lock()


def start_server() -> None:
    """Start the process that workers are forked from, so that it has imported what they need when they are wanted.

    For work that is going to need them, before this process imports for itself.
    """
    with _opening:
        _context()
        forkserver.ensure_running()


def in_processes(
    workers: int, function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], background: bool = False
) -> list[Future]:
    """Has that many processes make the calls; the futures are in their order.

    The function, its arguments and what it returns must be picklable. A process that dies fails the calls that
    were not finished; the next use starts with new ones. Calls in the background have processes of their own, and
    hold up none that are not.
    """
    waiting = list(calls)
    pool = _pool(workers, background)
    try:
        return _submit(pool, function, waiting)
    except BrokenProcessPool:
        _log.warning("a worker process has died since its last call; %d new ones are started", workers)
        with _opening:
            # Another thread may have met the same broken pool first, and opened a new one.
            if _pools.get((workers, background)) is pool:
                del _pools[workers, background]
        pool.shutdown(wait=False)
        return _submit(_pool(workers, background), function, waiting)


def _submit(
    pool: ProcessPoolExecutor, function: Callable[..., Any], calls: list[tuple[Any, ...]]
) -> list[Future]:
    return [pool.submit(function, *arguments) for arguments in calls]


def _pool(workers: int, background: bool) -> ProcessPoolExecutor:
    with _opening:
        if (workers, background) not in _pools:
            _pools[workers, background] = ProcessPoolExecutor(
                workers, mp_context=_context(), initializer=_begin, initargs=(background,)
            )
        return _pools[workers, background]


def _context() -> BaseContext:
    """A forked child would inherit locks held by other threads; the server forks from a clean process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _begin(background: bool) -> None:
    """Let a worker die with the process that started it, also when that is killed."""
    if background:
        os.nice(NICENESS)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            wait([parent.sentinel])
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()
