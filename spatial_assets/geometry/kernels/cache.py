"""The decorators of every kernel of the package, and the cache on disk behind them.

Compiled kernels are kept in a folder named by a hash of all kernels' sources (`folder`), inside NUMBA_CACHE_DIR where
the user sets it and else inside numba's user-wide cache, ~/.cache/numba on Linux. A folder that vanishes, cannot be
written or holds a damaged file costs compiling, never an error.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import logging
import pickle
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, EnumMeta
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import config, event, types
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

from spatial_assets.geometry.kernels.folder import kernel_folder, mark_used

logger = logging.getLogger(__name__)

PACKAGE = Path(__file__).resolve().parents[2]

PARENT = config.CACHE_DIR or AppDirs(appname="numba", appauthor=False).user_cache_dir  # type: ignore[attr-defined]
"""NUMBA_CACHE_DIR, as numba has read it, or numba's user-wide cache."""

FOLDER = kernel_folder(
    Path(PARENT).absolute(),
    PACKAGE,
    (numba.__version__, llvmlite.__version__, np.__version__, str(sys.implementation.cache_tag)),
)
"""Chosen before the first kernel is made, from the sources that the kernels are about to be made from."""

CHECKSUM_BYTES = 16

CONSTANTS = (bool, int, float, complex, str, bytes, np.generic, Enum, type(None))
"""What numba compiles into a kernel by value, arrays and tuples aside."""


def kernel(function: Callable[..., Any]) -> Any:
    """A function compiled by numba that runs without Python's lock, kept on disk between processes."""
    return _compiled(function)


def numpy_kernel(function: Callable[..., Any]) -> Any:
    """As `kernel`; division by zero gives infinity, as in numpy: the check for it would keep loops scalar."""
    return _compiled(function, error_model="numpy")


def inlined(function: Callable[..., Any]) -> Any:
    """As `numpy_kernel`, put where it is called: for loops that most faces go through, sparing the call."""
    return _compiled(function, error_model="numpy", forceinline=True)


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    # None is handed to compiled code as a function, which is what the other wrapper is for.
    made: Any = numba.njit(nogil=True, no_cfunc_wrapper=True, **options)(function)  # type: ignore[call-overload]
    if not isinstance(made, Dispatcher):
        return made  # NUMBA_DISABLE_JIT is set
    _compile_once_for_literals(made)
    # What has no file (a notebook's cell) has no name that would be the same in the next process.
    if Path(made.py_func.__code__.co_filename).is_file():
        made._cache = KernelCache(made.py_func)  # type: ignore[attr-defined]
    return made


def _compile_once_for_literals(made: Dispatcher) -> None:
    """Has numba compile one version for integers, whatever numbers stand in the kernels that call it.

    By itself it compiles one more for every literal in a call, and for those that a variable begins with. LLVM, which
    puts the numbers in where it inlines, makes nothing better of them.
    """
    resolve = made.get_call_template

    def by_types(args: Sequence[types.Type], keywords: Mapping[str, types.Type]) -> Any:
        plain = {name: types.unliteral(one) for name, one in keywords.items()}
        return resolve(tuple([types.unliteral(one) for one in args]), plain)

    made.get_call_template = by_types  # type: ignore[method-assign,assignment]


class _NoCollection(event.Listener):
    """Keeps Python's garbage collector from running while numba compiles.

    Compiling makes very many objects that all live until it ends; looking through them again and again, and through
    all that Dagster and polars have loaded, took a fourth of the time.
    """

    def __init__(self) -> None:
        self.depth = 0
        """Kernels being compiled: one, and those that it calls."""
        self._was_enabled = False

    # numba sends these within its compiler lock, so by one thread at a time; kernels that call kernels nest.
    def on_start(self, event: event.Event) -> None:
        if self.depth == 0:
            self._was_enabled = gc.isenabled()
            gc.disable()
        self.depth += 1

    def on_end(self, event: event.Event) -> None:
        self.depth -= 1
        if self.depth == 0 and self._was_enabled:
            gc.enable()


_listener = _NoCollection()
event.register("numba:compile", _listener)


def _kept() -> int:
    with contextlib.suppress(OSError):
        return sum(1 for _ in FOLDER.iterdir())
    return 0


_KEPT_BEFORE = _kept()


def is_compiling() -> bool:
    """Whether this process is compiling a kernel, or has one been kept since it began: workers compile as well."""
    return _listener.depth > 0 or _kept() > _KEPT_BEFORE


class KernelCache(_Cache):
    """The compiled signatures of one kernel, a file each, in place of numba's own cache.

    numba keeps an index beside the data, which processes that compile at the same time may overwrite for each other,
    and raises where its folder vanishes. Here a file's name says all that went into it, and it appears whole or not
    at all.
    """

    def __init__(self, function: FunctionType, folder: Path = FOLDER) -> None:
        self._function = function
        self._folder = folder
        self._name = f"{function.__module__}.{function.__qualname__}".replace("<", "").replace(">", "")
        self._enabled = True
        # Of the file as it is now, since the function was just made from it.
        self.source = source_hash(Path(function.__code__.co_filename))

    @property
    def cache_path(self) -> str:
        return str(self._folder)

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def flush(self) -> None:
        """Forgets every signature."""
        with contextlib.suppress(OSError):
            for path in sorted(self._folder.glob(f"{self._name}-*")):
                path.unlink(missing_ok=True)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled signature, or None."""
        target_context.refresh()
        _use(self._folder)
        path = self._path(sig, target_context.codegen())
        if path is None:
            return None
        try:
            held = path.read_bytes()
        except OSError:
            return None
        checksum, compiled = held[:CHECKSUM_BYTES], held[CHECKSUM_BYTES:]
        if checksum != _checksum(compiled):
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(compiled))

    def is_kept(self, sig: Any, target_context: Any) -> bool:
        """Whether another process, or an earlier one, has compiled the signature."""
        path = self._path(sig, target_context.codegen())
        return path is not None and path.is_file()

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keeps a compiled signature, if it can be kept."""
        path = self._path(sig, data.codegen)
        if path is None:
            return
        if data.library.has_dynamic_globals:
            logger.warning("%s is compiled in every process: it holds addresses or large arrays", self._name)
            return
        # Processes may compile the same signature at once; the last one's file stays.
        unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex[:16]}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            compiled = dumps(data._reduce())
            unfinished.write_bytes(_checksum(compiled) + compiled)
            unfinished.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            _warn_of(self._folder, error.strerror)

    def _path(self, sig: Any, codegen: Any) -> Path | None:
        """The file of a signature; None if nothing tells it from others in another process."""
        # The type of a function given as an argument is known by its address alone.
        if not self._enabled or " at 0x" in repr(sig):
            return None
        try:
            parts = [
                repr(sig),
                repr(codegen.magic_tuple()),
                *sorted(compiled_in(self._function, self.source)),
            ]
        except OSError:  # it calls what has no file
            return None
        return self._folder / f"{self._name}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}.kernel"


def _checksum(compiled: bytes) -> bytes:
    """What a file begins with: a bit of machine code that is not what it was may do anything."""
    return hashlib.blake2b(compiled, digest_size=CHECKSUM_BYTES).digest()


def source_hash(file: Path) -> str:
    """Hash of a source file."""
    status = file.stat()
    return _hash_of(file, status.st_mtime_ns, status.st_size)


@functools.cache
def _hash_of(file: Path, changed: int, size: int) -> str:
    """A file is read once for all of its kernels, as long as it stays the same."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def compiled_in(function: FunctionType, source: str) -> Iterator[str]:
    """What goes into a kernel's machine code besides the signature, of it and of the kernels that it calls: the
    hashes of their files, and by value the constants that they find in their modules, which may come from anywhere.

    source: the hash of the function's own file. Raises OSError for a called kernel that has no file.
    """
    seen: set[FunctionType] = set()
    pending = [(function, source)]
    while pending:
        current, source = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        where = f"{current.__module__}.{current.__qualname__}"
        yield f"{where} {source}"
        for name, value in _outside(current):
            if isinstance(value, Dispatcher):
                called: Any = value
                kept = isinstance(called._cache, KernelCache)
                file = Path(called.py_func.__code__.co_filename)
                pending.append((called.py_func, called._cache.source if kept else source_hash(file)))
            elif (constant := _constant(value)) is not None:
                yield f"{where} {name} {constant}"


def called_by(function: FunctionType) -> list[Dispatcher]:
    """The kernels that a kernel's function names, in the order in which it does."""
    return list(dict.fromkeys(value for _, value in _outside(function) if isinstance(value, Dispatcher)))


def _outside(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Names and values that a function takes from its module, from other modules by way of it, and from around it."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell.cell_contents
    names = _names(function.__code__)
    seen: set[int] = set()
    pending = [function.__globals__]
    while pending:
        space = pending.pop()
        if id(space) not in seen:
            seen.add(id(space))
            found = [(name, space[name]) for name in names if name in space]
            pending.extend(value.__dict__ for _, value in found if isinstance(value, ModuleType))
            yield from found


def _names(code: CodeType) -> list[str]:
    """Global names and attributes in a function and in those that stand within it."""
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return [*code.co_names, *(name for part in inner for name in _names(part))]


def _constant(value: object) -> str | None:
    """A constant in words; None if it is none."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype!r} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, EnumMeta):
        return repr(list(value))
    if isinstance(value, tuple):
        return repr([_constant(item) for item in value])
    return f"{type(value).__name__} {value!r}" if isinstance(value, CONSTANTS) else None


@functools.cache
def _use(folder: Path) -> None:
    """Marks the folder, once a process."""
    mark_used(folder)


@functools.cache
def _warn_of(folder: Path, error: str | None) -> None:
    """Once a process and reason."""
    logger.warning(
        "compiled kernels cannot be kept in %s: %s; NUMBA_CACHE_DIR names another folder", folder, error
    )
