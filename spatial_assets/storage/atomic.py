"""Files that are written whole or not at all, and what is said where the disk does not take them."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
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
MAKE_ROOM = "make room and build again; what was finished stands"


class DamagedTable(Exception):
    """A table that was written and cannot be read: no error of the scene that needs it."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, which takes its place when the block ends and is removed if it fails.

    Raises OSError, with the file's name in it, where the disk does not take it.
    """
    with naming(path):
        folder, name = os.path.split(path)
        if not os.path.isdir(folder):  # noqa: PTH112 (dozens of small tables a scene, and pathlib doubles their cost)
            path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{name}.{os.getpid()}")
        try:
            yield temporary
            os.replace(temporary, path)  # noqa: PTH105
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


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
