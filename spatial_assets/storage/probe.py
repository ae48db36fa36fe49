"""What a home needs of its file system, tried out with a second process; what is missing is said in one line.

A file system on another machine may be mounted without locks, keep old names and contents for a while, or cut names.
What depends on several machines at once, no single one can try out: see `docs/file-systems.md`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import naming, temporary_of

ADVICE = "docs/file-systems.md says what to set"
LONGEST_NAME = 255
"""Bytes of a file's name that all common file systems take; scenes' names may be that long with what is added."""
OTHER = """
import fcntl, os, sys
held = []
for line in sys.stdin:
    word, path = line.rstrip("\\n").split(" ", 1)
    try:
        if word == "read":
            told = open(path).read()
        elif word == "list":
            told = " ".join(sorted(os.listdir(path)))
        elif word == "write":
            with open(path + ".new", "w") as file:
                file.write("of another process")
            os.replace(path + ".new", path)
            told = "done"
        else:
            handle = os.open(path, os.O_RDWR | os.O_CREAT)
            held.append(handle)
            fcntl.flock(handle, (fcntl.LOCK_SH if word == "share" else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            told = "locked"
    except BlockingIOError:
        told = "held"
    except OSError as error:
        told = "error: " + str(error.strerror)
    print(told, flush=True)
"""
"""The second process: does what it is told, a line each."""


class Missing(Exception):
    """Something that the file system should have done and did not."""


class Other:
    """A second process over the same folder."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", "-c", OTHER]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, word: str, path: Path) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word} {path}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().rstrip("\n")

    def expect(self, word: str, path: Path, answer: str, why: str) -> None:
        found = self.ask(word, path)
        if found != answer:
            raise Missing(
                why if not found.startswith("error: ") else f"{why} ({found.removeprefix('error: ')})"
            )

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True)
class Capability:
    """Something that a home needs."""

    name: str
    reason: str
    """What would go wrong without it."""
    attempt: Callable[[Path, Other], None]
    """Raises Missing or OSError."""


def _renames(folder: Path, other: Other) -> None:
    first, second = folder / "first", folder / "second"
    first.write_text("old")
    second.write_text("new")
    second.replace(first)
    if first.read_text() != "new" or second.exists():
        raise Missing("a file that was renamed over another is not in its place")
    other.expect("read", first, "new", "another process reads the file that was there before")
    try:
        second.replace(first)
    except FileNotFoundError:
        return
    raise Missing("renaming a file that is not there does not fail")


def _exclusive_locks(folder: Path, other: Other) -> None:
    path = folder / "exclusive"
    with locked(path, fcntl.LOCK_EX):
        other.expect("lock", path, "held", "another process gets a lock that is held")
        other.expect("share", path, "held", "another process shares a lock that is held alone")
    other.expect("lock", path, "locked", "another process does not get a lock that was given back")


def _shared_locks(folder: Path, other: Other) -> None:
    path = folder / "shared"
    with locked(path, fcntl.LOCK_SH):
        other.expect("lock", path, "held", "another process gets a lock alone that is shared")
        other.expect("share", path, "locked", "another process cannot share a lock that is shared")


def _locks_end_with_their_process(folder: Path, _: Other) -> None:
    path = folder / "ended"
    holder = Other()
    try:
        holder.expect("lock", path, "locked", "a process does not get a lock that nobody holds")
    finally:
        holder.kill()
    with locked(path, fcntl.LOCK_EX):
        pass


def _reads_what_was_written(folder: Path, other: Other) -> None:
    path = folder / "written"
    for text in ("one", "two", "three"):
        path.write_text(text)
        other.expect("read", path, text, "another process does not read what was just written")
    other.expect("write", path, "done", "another process cannot replace a file")
    if path.read_text() != "of another process":
        raise Missing("what another process just wrote is not read")


def _lists_what_is_there(folder: Path, other: Other) -> None:
    inside = folder / "listed"
    inside.mkdir()
    other.expect("list", inside, "", "another process lists what is not there")
    (inside / "one").touch()
    other.expect("list", inside, "one", "another process does not list a file that was just made")
    (inside / "one").rename(inside / "two")
    other.expect("list", inside, "two", "another process does not list a file that was just renamed")
    (inside / "two").unlink()
    other.expect("list", inside, "", "another process lists a file that was just removed")


def _keeps_open_files(folder: Path, _: Other) -> None:
    path, new = folder / "open", folder / "new"
    path.write_text("old")
    with path.open() as file:
        new.write_text("new")
        new.replace(path)
        if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
            raise Missing("a file that took another's place cannot be told from it")
        if file.read() != "old":
            raise Missing("an open file changes when another takes its name")
        path.unlink()
    if path.exists():
        raise Missing("the name of an open file cannot be removed")


def _tells_versions_apart(folder: Path, _: Other) -> None:
    path = folder / "versions"
    seen = set()
    for number in range(10):
        new = temporary_of(path)
        new.write_text(str(number))
        new.replace(path)
        stat = path.stat()
        seen.add((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    # Two in a row may get each other's numbers back, and then the time has to tell them apart.
    if len(seen) < 10:
        raise Missing("files that replace each other have the same number, size and time")


def _takes_names(folder: Path, other: Other) -> None:
    inside = folder / "names"
    inside.mkdir()
    names = ["a%2Fb%20c.scene", "A%2fb.scene", "shard=x", "a" * LONGEST_NAME]
    for name in names:
        (inside / name).touch()
    other.expect("list", inside, " ".join(sorted(names)), "file names are not kept as they were given")
    (inside / "case").write_text("small")
    (inside / "CASE").write_text("large")
    if (inside / "case").read_text() != "small":
        raise Missing("names that differ by case are one")


def _writes_through(folder: Path, _: Other) -> None:
    with (folder / "through").open("wb") as file:
        file.write(b"through")
        file.flush()
        os.fsync(file.fileno())


CAPABILITIES = (
    Capability("rename", "tables would be half written", _renames),
    Capability("exclusive lock", "two builds would write the same table", _exclusive_locks),
    Capability("shared lock", "a table would change while it is read", _shared_locks),
    Capability("locks end", "a build would wait for one that was killed", _locks_end_with_their_process),
    Capability("read after write", "a stage would compute from what stood before", _reads_what_was_written),
    Capability("listing", "a lease or a finished scene would not be seen", _lists_what_is_there),
    Capability("open files", "a lock could not be taken over from a lost machine", _keeps_open_files),
    Capability("versions", "records that changed would be taken for those in memory", _tells_versions_apart),
    Capability("names", "scenes would take each other's files", _takes_names),
    Capability("fsync", "a machine that loses power would lose more than the last scenes", _writes_through),
)


@contextmanager
def locked(path: Path, mode: int) -> Iterator[None]:
    """Hold a lock that nobody should hold. Raises Missing where somebody does."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Missing("a lock that nobody holds cannot be taken") from None
    finally:
        os.close(handle)


def probe(home: Path) -> dict[str, str]:
    """By each capability's name what is missing, and the empty text where nothing is.

    Raises OSError that names the home where nothing can be written to it.
    """
    home = home.resolve()
    was_there = home.is_dir()
    folder = temporary_of(home / "probe")
    with naming(home):
        folder.mkdir(parents=True)
    other = Other()
    try:
        return {item.name: _try(item, folder, other) for item in CAPABILITIES}
    finally:
        other.kill()
        shutil.rmtree(folder, ignore_errors=True)
        if not was_there:
            with suppress(OSError):
                home.rmdir()


def _try(capability: Capability, folder: Path, other: Other) -> str:
    try:
        capability.attempt(folder, other)
    except Missing as missing:
        return str(missing)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def check(home: Path) -> None:
    """Raises InputError, in one line, for a home whose file system lacks something."""
    missing = {name: what for name, what in probe(home).items() if what}
    if missing:
        reasons = {item.name: item.reason for item in CAPABILITIES}
        told = "; ".join(f"{name}: {what}, so {reasons[name]}" for name, what in missing.items())
        raise InputError(
            home, f"the file system is not fit for a home that machines share ({told}); {ADVICE}"
        )
