"""Has worker processes compile kernels side by side, each kernel once, before the work that needs them.

numba compiles a kernel where it is first called, so processes that begin the same work at once all compile the same
ones. The kernels of the package and the types that they are called with stand in the JSON file beside this module; what
is not listed there is compiled where it is called, as ever.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from importlib import resources
from threading import Lock, Thread
from typing import Any

from numba import types
from numba.core.dispatcher import Dispatcher

from spatial_assets.engine.workers import in_processes
from spatial_assets.geometry.kernels.cache import KernelCache, called_by
from spatial_assets.lineage.code_versions import closure

_log = logging.getLogger(__name__)

LIST = "compiling.json"


_given: dict[tuple[str, int], Future] = {}
"""What processes in the background were given to compile, done or not."""
_giving = Lock()
_complete: set[tuple[str, ...]] = set()
"""Modules that were asked for and lack nothing any more."""


@contextmanager
def compiled_ahead(workers: int, *first: str, without: Sequence[str] = ()) -> Iterator[None]:
    """As long as the block lasts, that many processes in the background compile what the list has and is lacking.

    In the order in which it is needed: what modules import that are named first, then the next, then all others but
    what modules have that are named in `without`. Work that needs some of it waits by `compile_for`; all other goes on.
    """
    groups = [*(closure((one,)) for one in first), None]
    giving = Thread(target=lambda: _give(workers, groups, without), daemon=True)
    giving.start()
    try:
        yield
    finally:
        giving.join()
        # Whoever stops half-way does not wait for kernels that nobody needs any more.
        for future in _given.values():
            future.cancel()


def compile_for(
    workers: int,
    *modules: str,
    without: Sequence[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Returns when what these modules import, directly or not, lacks no listed kernel, those of `without` aside.

    Without modules, when none is lacking. `say` is told how far it is. What cannot be compiled here is logged, and met
    again where it is called. For modules that it was called for before in this process, it does nothing.
    """
    if modules in _complete:
        return
    waited = _give(workers, [closure(modules) if modules else None], without)
    try:
        for number, (name, future) in enumerate(waited):
            say(f"compiling kernels: {number} of {len(waited)}")
            try:
                future.result()
            except Exception as error:
                _log.warning("%s is not compiled ahead: %s", name, error)
    except BaseException:
        for _, future in waited:
            future.cancel()
        raise
    if not without:
        _complete.add(modules)


def _give(
    workers: int, groups: Sequence[tuple[str, ...] | None], without: Sequence[str]
) -> list[tuple[str, Future]]:
    """Has processes in the background compile what these groups of modules lack, unless they are at it already.

    None stands for all modules; those of `without` are in no group.
    """
    try:
        lacks = _lacking(workers, groups, without)
    except Exception as error:
        # A list that does not fit the sources costs time, never a build.
        _log.warning("kernels are not compiled ahead: %s", error)
        return []
    with _giving:
        new = [one for one in lacks if one not in _given or _given[one].done()]
        _given.update(zip(new, in_processes(workers, compile_listed, new, background=True), strict=True))
        return [(one[0], _given[one]) for one in lacks]


def _lacking(
    workers: int, groups: Sequence[tuple[str, ...] | None], without: Sequence[str]
) -> list[tuple[str, int]]:
    """`lacking`, asked of a worker where this process would have to import some of the modules first."""
    listed = {name.rpartition(".")[0] for name in _listed()}
    named = {module for group in groups for module in (listed if group is None else group)}
    if named & listed <= sys.modules.keys():
        return lacking(groups, without)
    (asked,) = in_processes(workers, lacking, [(groups, without)])
    return asked.result()


def lacking(groups: Sequence[tuple[str, ...] | None], without: Sequence[str] = ()) -> list[tuple[str, int]]:
    """Kernels of these groups of modules and which of their listed types are not compiled yet, in an order to do it.

    By group, None being all modules; those of `without` are in none. In a group first kernels that call no other: what
    calls them then finds them. Among these the longest, so that no process is left with one at the end.
    """
    found = []
    for name, listed in _listed().items():
        module = name.rpartition(".")[0]
        group = next((place for place, one in enumerate(groups) if one is None or module in one), None)
        if group is None or module in without:
            continue
        kernel = _kernel(name)
        if kernel is None:
            continue
        height, length = _height(kernel), len(kernel.py_func.__code__.co_code)
        for number, written in enumerate(listed):
            if not kernel._cache.is_kept(_read_all(written), kernel.targetctx):
                found.append((group, height, -length, name, number))
    return [(name, number) for *_, name, number in sorted(found)]


def compile_listed(name: str, number: int) -> None:
    """Compiles one kernel for one of its listed types, or loads it."""
    kernel = _kernel(name)
    if kernel is not None:
        kernel.compile(_read_all(_listed()[name][number]))


def called_types(kernel: Any) -> Iterator[list[Any]]:
    """The types that a kernel was called with in this process, as the list has them; without those it cannot name."""
    for signature in kernel.overloads:
        written = [_written(one) for one in signature]
        if None not in written:
            yield written


@cache
def _listed() -> dict[str, list[list[Any]]]:
    return json.loads(resources.files("spatial_assets.engine").joinpath(LIST).read_text(encoding="utf-8"))


def _kernel(name: str) -> Any | None:
    """A listed kernel; None where numba is switched off or the kernel cannot be kept."""
    module, _, function = name.rpartition(".")
    found: Any = getattr(importlib.import_module(module), function)
    return found if isinstance(found, Dispatcher) and isinstance(found._cache, KernelCache) else None  # type: ignore[attr-defined]


def _height(kernel: Any) -> int:
    """0 for a kernel that calls none, else one more than the highest of those that it calls."""
    return 1 + max((_height(other) for other in called_by(kernel.py_func)), default=-1)


def _written(one: Any) -> Any:
    """A type as JSON: `float64`, `float64 2 C` for arrays (and `readonly`), a list for tuples, `{class: list}`."""
    if isinstance(one, types.BaseTuple):
        parts = [_written(part) for part in one]  # type: ignore[attr-defined]
        if None in parts:
            return None
        made: Any = parts
        if isinstance(one, types.BaseNamedTuple):
            made = {f"{one.instance_class.__module__}.{one.instance_class.__qualname__}": parts}  # type: ignore[attr-defined]
    elif isinstance(one, types.Array):
        made = f"{one.dtype} {one.ndim} {one.layout}{'' if one.mutable else ' readonly'}"
    else:
        made = str(one)
    try:
        return made if _read(made) == one else None
    except (AttributeError, ValueError):
        return None


def _read_all(written: Sequence[Any]) -> tuple[types.Type, ...]:
    return tuple(map(_read, written))


def _read(written: Any) -> types.Type:
    """The type. Raises AttributeError or ValueError for what is none."""
    if isinstance(written, dict):
        ((name, parts),) = written.items()
        module, _, class_name = name.rpartition(".")
        of = getattr(importlib.import_module(module), class_name)
        return types.BaseTuple.from_types(_read_all(parts), of)
    if isinstance(written, list):
        return types.BaseTuple.from_types(_read_all(written))
    if " " in written:
        dtype, dimensions, layout, *readonly = written.split(" ")
        return types.Array(_scalar(dtype), int(dimensions), layout, readonly=bool(readonly))
    return _scalar(written)


def _scalar(name: str) -> types.Type:
    found = types.boolean if name == "bool" else getattr(types, name)
    if not isinstance(found, types.Number | types.Boolean):
        raise ValueError(f"{name} is no type of numbers")
    return found
