"""Files that are written whole or not at all, and what is said where the disk does not take them."""

from __future__ import annotations

import errno
import glob
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
}
"""Errors that pass once there is room; the next build takes up what this one finished."""
NO_ROOM = 16_000_000
"""Bytes free below which a database that fails is taken to have failed for want of room: a run's history needs more."""
SQLITE_PRIMARY = 0xFF
"""The bits of an SQLite error code that say its kind."""
FOLDER_TRIES = 100
"""To make a folder; one that is removed in between is a matter of microseconds."""
MAKE_ROOM = "make room and build again; what was finished stands"


class DamagedTable(Exception):
    """A table that was written and cannot be read: no error of the scene that needs it."""


Check = Callable[[], None]
"""Raises where this process may not put anything in place any more."""
_checks: ContextVar[tuple[Check, ...]] = ContextVar("checks", default=())
_tag = secrets.token_hex(4)
"""In the names of temporary files: processes on different machines have the same numbers."""


def _new_tag() -> None:
    global _tag
    _tag = secrets.token_hex(4)


os.register_at_fork(after_in_child=_new_tag)


@contextmanager
def fenced(check: Check) -> Iterator[None]:
    """For the length of the block nothing is put in place, or taken away, without this check before it."""
    token = _checks.set((*_checks.get(), check))
    try:
        yield
    finally:
        _checks.reset(token)


def check_fences() -> None:
    """Raises what the checks raise that are in force."""
    for check in _checks.get():
        check()


def temporary_of(path: Path) -> Path:
    """The name that a file of this process has until it is whole; `remove_temporaries` finds it by its dot."""
    return path.with_name(f".{path.name}.{os.getpid()}.{_tag}")


def into_place(temporary: Path, path: Path) -> None:
    """The one step by which anything changes; between the check and this a process may be stopped for any time.

    Whoever took over meanwhile has removed what stands under the temporary name, so this fails.
    """
    os.replace(temporary, path)  # noqa: PTH105 (dozens of small tables a scene, and pathlib doubles their cost)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, which takes its place when the block ends and is removed if it fails.

    Raises OSError, with the file's name in it, where the disk does not take it, and what a check raises.
    """
    with naming(path):
        if not os.path.isdir(os.path.dirname(path)):  # noqa: PTH112, PTH120 (as above)
            make_folder(path.parent)
        temporary = temporary_of(path)
        try:
            yield temporary
            check_fences()
            try:
                into_place(temporary, path)
            except FileNotFoundError:
                check_fences()
                raise
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def make_folder(folder: Path) -> None:
    """Make a folder while others may be removing those above it that are empty."""
    for _ in range(FOLDER_TRIES):
        with suppress(FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True)
            return
    folder.mkdir(parents=True, exist_ok=True)


def removing_in(folder: Path) -> Path:
    """Where files of a folder go on their way out; it is a temporary too."""
    return folder / f".removed.{os.getpid()}.{_tag}"


def remove(path: Path, aside: Path | None = None, keep: bool = False) -> None:
    """Remove a file, if there is one, or put it aside under another name.

    Under a check it first goes into a folder of this process's own. Whoever took over meanwhile has removed that, so
    the file stays; merely unlinking could take away what a process put there that this one knows nothing of. `keep`
    leaves the folder for the next file, and `remove_temporaries` or `rmdir` to the caller.
    """
    if not _checks.get():
        if aside is None:
            path.unlink(missing_ok=True)
        else:
            path.replace(aside)
        return
    place = removing_in(path.parent)
    try:
        place.mkdir(exist_ok=True)
    except FileNotFoundError:
        return
    try:
        check_fences()
        try:
            into_place(path, place / path.name)
        except FileNotFoundError:
            check_fences()
            return
        if aside is None:
            (place / path.name).unlink(missing_ok=True)
        else:
            (place / path.name).replace(aside)
    finally:
        if not keep:
            with suppress(OSError):
                place.rmdir()


def remove_temporaries(folder: Path, of: str = "") -> None:
    """Delete what a killed writer left in a folder, or of one file there; the caller holds the lock on writing it."""
    for path in folder.glob(f".{glob.escape(of)}.*" if of else ".*"):
        check_fences()
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the operating system name the file in hand: a failed write's own names none."""
    try:
        yield
    except OSError as error:
        # Copying and renaming name two files, the one that is written last.
        if error.errno is None or (error.filename is not None and error.filename2 is None):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def complaint(error: OSError) -> str | None:
    """One line about a disk that does not take what is written, naming the file; None where none is named."""
    if error.filename is None or error.errno is None:
        return None
    if error.errno in FULL:
        return f"{error.filename}: {FULL[error.errno]}; {MAKE_ROOM}"
    return f"{error.filename}: {error.strerror}"


def database_error(error: BaseException, folder: Path) -> int | None:
    """The `errno` behind an error of an SQLite database in `folder`; None for an error of another kind.

    SQLite says of a full disk that it is full, or only that reading or writing failed.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, sqlite3.Error):
            code = getattr(seen, "sqlite_errorcode", 0) & SQLITE_PRIMARY
            if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                full = code == sqlite3.SQLITE_FULL or shutil.disk_usage(folder).free < NO_ROOM
                return errno.ENOSPC if full else errno.EIO
        seen = seen.__cause__ or seen.__context__
    return None
