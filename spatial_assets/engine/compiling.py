"""Has worker processes compile kernels side by side, each kernel once, before the work that needs them.

numba compiles a kernel where it is first called, so processes that begin the same work at once all compile the same
ones. The kernels of the package and the types that they are called with stand in the JSON file beside this module; what
is not listed there is compiled where it is called, as ever.
"""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any

from numba import types
from numba.core.dispatcher import Dispatcher

from spatial_assets.engine.workers import in_processes
from spatial_assets.geometry.kernels.cache import KernelCache, called_by
from spatial_assets.lineage.code_versions import closure

_log = logging.getLogger(__name__)

LIST = "compiling.json"


def compile_ahead(
    workers: int,
    modules: Iterable[str] | None = None,
    say: Callable[[str], None] = lambda _: None,
    go_on: bool = False,
) -> None:
    """Has that many processes compile what these modules' kernels lack, of all modules by default.

    `say` is told how far it is. With `go_on` it returns while the processes are at their last kernels, so that what
    needs none of these begins beside them. What cannot be compiled here is logged, and met again where it is called.
    """
    wanted = None if modules is None else frozenset(modules)
    (asked,) = in_processes(workers, lacking, [(wanted,)])
    try:
        lacks = asked.result()
    except Exception as error:
        # A list that does not fit the sources costs time, never a build.
        _log.warning("kernels are not compiled ahead: %s", error)
        return
    compiled = in_processes(workers, compile_listed, lacks)
    for number, future in enumerate(compiled[: len(lacks) - (workers if go_on else 0)]):
        say(f"compiling kernels: {number} of {len(lacks)}")
        try:
            future.result()
        except Exception as error:
            _log.warning("%s is not compiled ahead: %s", lacks[number][0], error)


@cache
def compile_for(workers: int, modules: tuple[str, ...]) -> None:
    """`compile_ahead` for what modules import, directly or not; once in a process."""
    compile_ahead(workers, closure(modules))


def lacking(modules: frozenset[str] | None) -> list[tuple[str, int]]:
    """Kernels and which of their listed types are not compiled yet, in an order in which to do it.

    First kernels that call no other: what calls them then finds them. Among these the longest, so that no process
    is left with one at the end.
    """
    found = []
    for name, listed in _listed().items():
        if modules is not None and name.rpartition(".")[0] not in modules:
            continue
        kernel = _kernel(name)
        if kernel is None:
            continue
        height, length = _height(kernel), len(kernel.py_func.__code__.co_code)
        for number, written in enumerate(listed):
            if not kernel._cache.is_kept(_read_all(written), kernel.targetctx):
                found.append((height, -length, name, number))
    return [(name, number) for _, _, name, number in sorted(found)]


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
