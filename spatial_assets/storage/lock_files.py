"""Files that the operating system locks, and how a new one takes the place of one that lost processes hold."""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from spatial_assets.storage.atomic import make_folder, remove_temporaries, replacing

POLL_SECONDS = 0.1
"""Between two tries of a lock that somebody holds; of the same order as what a build does between two locks."""


def open_lock(path: Path) -> int:
    while True:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            make_folder(path.parent)


def try_lock(handle: int, mode: int) -> bool:
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_at(path: Path, handle: int) -> bool:
    """Whether the file that is open is the one that stands there: others may have put a new one there."""
    try:
        there = os.stat(path)  # noqa: PTH116 (a suite holds dozens)
    except FileNotFoundError:
        return False
    held = os.fstat(handle)
    return (there.st_ino, there.st_dev) == (held.st_ino, held.st_dev)


def put_new(path: Path, lost: int, still: Callable[[], bool], patience: float) -> bool:
    """Put a new lock file in the place of the one that is open as `lost`, and say whether that was done.

    Many may wait for the same lost process. A file is replaced by who makes its marker, while it stands there and
    `still` says that only the lost hold it: so nobody replaces what one who was quicker holds by now. A marker that
    stands for longer than `patience` is of one that was stopped over it; what it was about to rename goes first.
    """
    marker = path.with_name(f".{path.name}.{os.fstat(lost).st_ino}")
    end = time.monotonic() + patience
    while is_at(path, lost):
        try:
            os.close(os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        except FileExistsError:
            if time.monotonic() > end:
                remove_temporaries(path.parent, path.name)
            time.sleep(random.uniform(0, POLL_SECONDS))
            continue
        try:
            if not (is_at(path, lost) and still()):
                return False
            with replacing(path) as temporary:
                temporary.touch()
            return True
        except FileNotFoundError:
            return False  # somebody took this for stopped
        finally:
            marker.unlink(missing_ok=True)
    return False
