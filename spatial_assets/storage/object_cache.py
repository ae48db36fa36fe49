"""Bytes of objects kept in a home, each once by its hash, brought once by whichever process asks first.

    <home>/cache/objects/content/ab/<sha256>        the bytes, read-only
    <home>/cache/objects/versions/cd/<name>         a link to the bytes of one version of one object: it says their hash
                                                    for good, and leads nowhere once they are removed
    <home>/cache/objects/coming/<token>             what is on its way, locked by who brings it
    <home>/cache/objects/pins/<token>               what a process has in use, locked as long as it does
    <home>/cache/objects/bytes                      about how many there are

All of it can be deleted at any time: what is needed again is brought again.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import replace_text, replacing
from spatial_assets.storage.hashing import hash_file, hash_text
from spatial_assets.storage.lock_files import is_at, try_lock
from spatial_assets.storage.locks import repeating
from spatial_assets.storage.objects import Object

LIMIT_VARIABLE = "SPATIAL_ASSETS_OBJECT_CACHE_GB"
LIMIT_GB = 200.0
"""Kept at most, unless the variable says otherwise: a shard of fifty large scans, twice."""
GIGABYTE = 1_000_000_000
KEPT_OF_LIMIT = 0.9
"""Share of the limit that is left when what was used least recently has gone, so that not every object makes room."""
KEPT_SECONDS = 60
"""Since it was last asked for, in which nothing is removed: whoever asked is about to open it."""
STEM = re.compile(r"[0-9a-f]{32}\.")
"""How the name of a version begins: the hash of the object's full address and of what tells its versions apart."""


def limit() -> int:
    """Bytes that are kept at most. Raises InputError for a variable that is no number."""
    text = os.environ.get(LIMIT_VARIABLE, "")
    try:
        return round((float(text) if text else LIMIT_GB) * GIGABYTE)
    except (ValueError, OverflowError):
        raise InputError(LIMIT_VARIABLE, f"{text!r} is no number of gigabytes") from None


def version_name(address: str, held: Object) -> str:
    """Under which a version of an object is kept, below a root's address; what it is can be read from it again."""
    return f"{hash_text(f'{address}/{held.path}', held.identity)}.{held.identity}"


def is_version(name: str) -> bool:
    return STEM.match(name) is not None


def object_of(path: str, name: str) -> Object:
    """What a version's name says of the object at `path`."""
    return Object.of(path, name.partition(".")[2])


class ObjectCache:
    """The cache of one home."""

    def __init__(self, cache_folder: Path) -> None:
        self.home, self.folder = cache_folder.parent, cache_folder / "objects"

    def version(self, name: str) -> Path:
        return self.folder / "versions" / name[:2] / name

    def hash_of(self, name: str) -> str | None:
        """The sha256 of a version's bytes, if they were ever here."""
        try:
            return os.path.basename(os.readlink(self.version(name)))  # noqa: PTH115, PTH119 (a scene has thousands)
        except OSError:
            return None

    def is_here(self, name: str) -> bool:
        """Whether the bytes are here, and as many as there should be."""
        try:
            return os.stat(self.version(name)).st_size == object_of("", name).size  # noqa: PTH116
        except OSError:
            return False

    def drop_if_damaged(self, name: str) -> bool:
        """Remove bytes that are not any more what they were. Returns whether they are gone."""
        file, sha = self.version(name), self.hash_of(name)
        with suppress(FileNotFoundError):
            if hash_file(file) == sha:
                return False
            file.resolve().unlink()
        return True

    def ensure(self, name: str, bring: Callable[[Path], str]) -> int:
        """Have a version's bytes here, brought by a function that fills a file and gives its sha256.

        Returns how many bytes were brought. Whoever asks for the same meanwhile waits. Raises what the function does.
        """
        if self.is_here(name):
            return 0
        work = partial(self._bring, name, bring)
        return repeating(
            self.home, name.partition(".")[0], work, self.version(name), group=f"objects-{name[:2]}"
        )

    def _bring(self, name: str, bring: Callable[[Path], str]) -> int:
        if self.is_here(name):
            return 0
        with _own(self.folder / "coming") as (coming, _):
            sha = bring(coming)
            size = coming.stat().st_size
            content = self.folder / "content" / sha[:2] / sha
            content.parent.mkdir(parents=True, exist_ok=True)
            coming.replace(content)
            content.chmod(0o444)
            with replacing(self.version(name)) as link:
                link.unlink(missing_ok=True)
                link.symlink_to(Path("..", "..", "content", sha[:2], sha))
        return size

    def use(self, name: str) -> bool:
        """`is_here`, which notes that the version is used now."""
        file = self.version(name)
        try:
            stat = os.stat(file)  # noqa: PTH116
        except OSError:
            return False
        if stat.st_size != object_of("", name).size:
            return False
        if abs(time.time() - stat.st_mtime) > KEPT_SECONDS / 2:
            with suppress(OSError):
                os.utime(file)
        return True

    @contextmanager
    def pinned(self, names: Iterable[str]) -> Iterator[None]:
        """Keep versions from being removed for the length of the block, or until this process dies."""
        with _own(self.folder / "pins") as (_, handle):
            os.write(handle, "\n".join(names).encode())
            yield

    def added(self, size: int, names: Iterable[str]) -> None:
        """Count bytes that were brought with these versions, and make room where they are too many."""
        if not size:
            return
        repeating(self.home, "object-bytes", partial(self._count, size, list(names)), self.folder / "bytes")

    def _count(self, size: int, names: list[str]) -> None:
        counted = self.folder / "bytes"
        try:
            held = int(counted.read_text(encoding="utf-8")) + size
        except (OSError, ValueError):
            held = sum(stat.st_size for _, stat in self._contents())
        most = limit()
        if held > most:
            held = self._make_room(round(most * KEPT_OF_LIMIT), names)
        replace_text(counted, f"{held}\n")

    def _contents(self) -> Iterator[tuple[Path, os.stat_result]]:
        for folder in _inside(self.folder / "content"):
            for path in _inside(folder):
                with suppress(OSError):
                    yield path, path.stat()

    def _make_room(self, most: int, new: Iterable[str]) -> int:
        """Remove what was used least recently and is not in use, until no more than so many bytes are left."""
        in_use = {self.hash_of(name) for name in (*self._pins(), *new)}
        kept = sorted(self._contents(), key=lambda item: (item[1].st_mtime_ns, item[0].name))
        held = sum(stat.st_size for _, stat in kept)
        # By the file system's own clock, which wrote the last of them now.
        recent = max((stat.st_mtime_ns for _, stat in kept), default=0) - KEPT_SECONDS * 1_000_000_000
        for path, stat in kept:
            if held <= most or stat.st_mtime_ns > recent:
                break
            if path.name not in in_use:
                path.unlink(missing_ok=True)
                held -= stat.st_size
        for path in _inside(self.folder / "coming"):
            _remove_if_left(path)
        return held

    def _pins(self) -> set[str]:
        """Names of versions that living processes have in use."""
        names: set[str] = set()
        for path in _inside(self.folder / "pins"):
            if not _remove_if_left(path):
                with suppress(OSError):
                    names.update(path.read_text(encoding="utf-8").split("\n"))
        return names


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


@contextmanager
def _own(folder: Path) -> Iterator[tuple[Path, int]]:
    """A new file of this process alone, locked for the length of the block: one that nobody holds is of who died."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / secrets.token_hex(8)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        except FileNotFoundError:
            continue  # the cache was deleted meanwhile
        # Who makes room may have taken it for left, before it was locked.
        if try_lock(handle, fcntl.LOCK_EX) and is_at(path, handle):
            break
        os.close(handle)
    try:
        yield path, handle
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _remove_if_left(path: Path) -> bool:
    """Remove a file that no process holds any more."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return True
    try:
        if not try_lock(handle, fcntl.LOCK_EX):
            return False
        if is_at(path, handle):
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)
    return True
