"""Roots on object storage as folders: what readers see of one, each object brought when it is first opened.

    <home>/cache/mirrors/<hash of the address>/about.json           the address, and when it was listed
    <home>/cache/mirrors/<hash of the address>/tree/<bucket>/...    a link for each object, to its bytes in the cache

A link says in its name which version of which size it stands for, and leads nowhere until the bytes are here: nothing
that is read through it can be anything else than the object. Paths in a mirror are `ObjectPath`s, which know that.
All of it can be deleted at any time.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from stat import S_IFREG
from typing import Any, Self

from spatial_assets.scene.model import InputError
from spatial_assets.storage import object_cache, objects
from spatial_assets.storage.atomic import check_fences, replace_text, temporary_of
from spatial_assets.storage.fetched_paths import NOWHERE, FetchedPath
from spatial_assets.storage.hashing import hash_text
from spatial_assets.storage.locks import repeating
from spatial_assets.storage.object_cache import ObjectCache
from spatial_assets.storage.objects import Object

_log = logging.getLogger(__name__)

THREADS = 16
"""Objects that are brought at once: small ones take a round trip each, whatever the line is worth."""
LISTING_SHARE = 10
"""A listing is taken anew once it is so many times as old as it took: large buckets are not listed all the time."""
TROUBLE_SECONDS = 60
"""How long an object that did not come is held against what is read; the error is told at once or not at all."""
LOOKS = 3
"""How often an object is asked for that is another by then."""
PLACE = re.compile(r"(?P<cache>/(?:.*?/)?cache)/mirrors/(?P<mirror>[0-9a-f]{32})/tree(?:/|$)", re.DOTALL)
ABOUT, LINK = "about.json", "link"
SHOWN_ODD = 3
GONE = "what is kept of it was deleted meanwhile; build again"


class Mirror:
    """One root on object storage, as a home sees it."""

    def __init__(self, cache_folder: Path, address: str) -> None:
        self.address = address
        self.folder = cache_folder / "mirrors" / hash_text(address)
        self.cache = ObjectCache(cache_folder)
        self.trouble: tuple[float, InputError] | None = None
        """When an object did not come that somebody opened in this process, and why."""
        self.was_there = False

    @property
    def root(self) -> ObjectPath:
        return ObjectPath(self.folder / "tree" / self.address.partition(objects.SEPARATOR)[2])

    def refresh(self, anew: bool = False) -> bool:
        """List the root again if its listing is old, or `anew`. Returns whether it was.

        Raises InputError where that cannot be done to the end; what was known of it then stands.
        """
        files = (self.folder / ABOUT, self.folder / LINK)
        work = partial(self._list, time.time(), anew)
        listed = repeating(self.cache.home, f"mirror-{self.folder.name}", work, *files)
        self.was_there = True
        if listed:
            self.trouble = None
        return listed

    def _list(self, asked: float, anew: bool) -> bool:
        about = self._about()
        if about is not None:
            listed, took = about
            # Whoever held the lock may have listed it meanwhile. Clocks of machines differ.
            fresh = asked <= listed <= time.time()
            if fresh or (not anew and abs(asked - listed) < LISTING_SHARE * took):
                return False
        begun = time.perf_counter()
        found = objects.listing(self.address)
        if found.odd:
            shown = ", ".join(map(repr, found.odd[:SHOWN_ODD]))
            _log.warning("%s: %d objects no folder has room for: %s", self.address, len(found.odd), shown)
        self._lay_out(found.objects)
        facts = {"address": self.address, "listed": asked, "seconds": time.perf_counter() - begun}
        replace_text(self.folder / ABOUT, json.dumps(facts) + "\n")
        return True

    def check(self, anew: bool = False) -> None:
        """Raises InputError where the root cannot be listed, or an object of it did not come to this process.

        Also where the mirror was deleted since it was last looked at, unless the work begins `anew`.
        """
        self.tell_trouble()
        was_deleted = self.was_there and self._about() is None
        self.refresh(anew)
        if was_deleted and not anew:
            raise InputError(self.address, GONE, NOWHERE)

    def tell_trouble(self) -> None:
        """Raises InputError if an object has just not come: what was read without it says nothing of a scene."""
        trouble, self.trouble = self.trouble, None
        if trouble is not None and time.monotonic() - trouble[0] < TROUBLE_SECONDS:
            raise trouble[1]

    def _about(self) -> tuple[float, float] | None:
        """When it was listed and how long that took."""
        try:
            held = json.loads((self.folder / ABOUT).read_text(encoding="utf-8"))
            return float(held["listed"]), float(held["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _lay_out(self, wanted: dict[str, Object]) -> None:
        """Make the tree one of links to these objects, touching only what differs."""
        root = str(self.root)
        names = {path: object_cache.version_name(self.address, held) for path, held in wanted.items()}
        there = dict(_links(root, ""))
        for path in there.keys() - names.keys():
            check_fences()
            os.unlink(f"{root}/{path}")  # noqa: PTH108 (millions)
        _remove_empty(root)
        made: set[str] = set()
        draft = str(temporary_of(self.folder / LINK))
        if os.path.islink(draft):  # noqa: PTH114 (of one that was killed; the lock is held)
            os.unlink(draft)  # noqa: PTH108
        versions = str(self.cache.folder / "versions")
        for path, name in names.items():
            if there.get(path) == name:
                continue
            folder = os.path.dirname(f"{root}/{path}")  # noqa: PTH120
            if folder not in made:
                os.makedirs(folder, exist_ok=True)  # noqa: PTH103
                made.add(folder)
            target = f"{os.path.relpath(versions, folder)}/{name[:2]}/{name}"
            os.symlink(target, draft)  # noqa: PTH211
            check_fences()
            os.replace(draft, f"{root}/{path}")  # noqa: PTH105

    def names(self, paths: Iterable[str]) -> list[str]:
        """Of the versions at paths below the root; what is no object's path has none."""
        root = str(self.root)
        found = (_version_at(f"{root}/{path}") for path in paths)
        return [name for name in dict.fromkeys(found) if name is not None]

    def bring(self, paths: Iterable[str]) -> None:
        """Have the objects at these paths here. Raises InputError where one does not come."""
        root = str(self.root)
        missing = []
        for path in dict.fromkeys(paths):
            name = _version_at(f"{root}/{path}")
            if name is not None and not self.cache.is_here(name):
                missing.append(path)
        if not missing:
            return
        sizes: list[int] = []
        try:
            if len(missing) == 1:
                sizes.append(self._bring_one(missing[0]))
                return
            with ThreadPoolExecutor(min(THREADS, len(missing))) as pool:
                coming = [pool.submit(self._bring_one, path) for path in missing]
                try:
                    sizes.extend(future.result() for future in coming)
                finally:
                    for future in coming:
                        future.cancel()
        finally:
            self.cache.added(sum(sizes), self.names(missing))

    def _bring_one(self, path: str) -> int:
        for _ in range(LOOKS):
            name = _version_at(f"{self.root!s}/{path}")
            if name is None:
                return 0  # gone meanwhile: whoever opens it finds that out
            wanted = object_cache.object_of(path, name)
            try:
                return self.cache.ensure(name, lambda file: objects.bring(self.address, wanted, file))  # noqa: B023
            except objects.Changed:
                self.refresh(anew=True)
        said = "changes whenever it is read; is it still being written?"
        raise InputError(f"{self.address}/{path}", said, NOWHERE)

    @contextmanager
    def held(self, paths: Iterable[str]) -> Iterator[None]:
        """The objects at these paths, here for the length of the block."""
        wanted = list(paths)
        with self.cache.pinned(self.names(wanted)):
            self.bring(wanted)
            for name in self.names(wanted):
                self.cache.use(name)
            yield


class ObjectPath(FetchedPath):
    """A path in a mirror. Whatever opens it by its name has its object's bytes brought first."""

    __slots__ = ()

    @property
    def mirror(self) -> Mirror:
        found = PLACE.match(str(self))
        if found is None:
            raise ValueError(f"{self} is in no mirror of object storage")
        return _mirror_at(found["cache"], found["mirror"])

    @property
    def place(self) -> str:
        """Its place below the root, with slashes; empty for the root itself."""
        return str(self)[len(str(self.mirror.root)) + 1 :]

    @property
    def address(self) -> str:
        place = self.place
        return f"{self.mirror.address}/{place}" if place else self.mirror.address

    def object(self) -> Object | None:
        """The object that stands there; None for a folder, or nothing."""
        name = _version_at(str(self))
        return None if name is None else object_cache.object_of(self.name, name)

    @property
    def version(self) -> str:
        held = self.object()
        return "" if held is None else held.shown_version

    def fetch(self, paths: Iterable[str]) -> None:
        self.mirror.bring(paths)

    def tell_trouble(self) -> None:
        self.mirror.tell_trouble()

    @property
    def is_hashed(self) -> bool:
        name = _version_at(str(self))
        return name is not None and self.mirror.cache.hash_of(name) is not None

    def content_hash(self, anew: bool = False) -> str:
        mirror = self.mirror
        for _ in range(LOOKS):
            name = _version_at(str(self))
            if name is None:
                break
            sha = mirror.cache.hash_of(name)
            if sha is not None and not (anew and mirror.cache.drop_if_damaged(name)):
                return sha
            self._bring(mirror)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.address)

    def __fspath__(self) -> str:
        text = str(self)
        name = _version_at(text)
        if name is not None:
            mirror = self.mirror
            if not mirror.cache.use(name):
                self._bring(mirror)
        return text

    def __format__(self, spec: str) -> str:
        # Libraries that take addresses are given a path as part of a text.
        return format(os.fspath(self), spec)

    def _bring(self, mirror: Mirror) -> None:
        try:
            mirror.bring([self.place])
        except InputError as error:
            # Readers take it for an error of the scene's file, which whoever called them then knows better.
            mirror.trouble = time.monotonic(), error
            raise OSError(errno.EIO, error.what, error.file) from None

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        text = str(self)
        name = _version_at(text)
        if name is None:
            return os.stat(text, follow_symlinks=follow_symlinks)  # noqa: PTH116
        held = object_cache.object_of("", name)
        number = int(
            name[:15], 16
        )  # takes the place of what a file system counts up: another version has another
        seconds = held.mtime_ns // 1_000_000_000
        times = {"st_mtime_ns": held.mtime_ns, "st_ctime_ns": number, "st_atime_ns": held.mtime_ns}
        return os.stat_result(
            (S_IFREG | 0o444, number, 0, 1, os.getuid(), os.getgid(), held.size, seconds, seconds, seconds),
            times,
        )

    def lstat(self) -> os.stat_result:
        return self.stat()

    def exists(self, **_: Any) -> bool:
        return _version_at(str(self)) is not None or os.path.exists(str(self))  # noqa: PTH110

    def is_file(self, **_: Any) -> bool:
        return _version_at(str(self)) is not None

    def is_dir(self, **_: Any) -> bool:
        return os.path.isdir(str(self)) and _version_at(str(self)) is None  # noqa: PTH112

    def is_symlink(self) -> bool:
        return False

    def iterdir(self) -> Generator[Self, None, None]:
        return (self / name for name in os.listdir(str(self)))  # noqa: PTH208

    def resolve(self, strict: bool = False) -> Self:
        """Itself: where its bytes are kept says nothing of it."""
        return self


def root_of(home: Path, text: str) -> Path:
    """The root that a text names: a folder's path, or an address as the home sees it. Raises InputError."""
    if not objects.is_address(text):
        return Path(text)
    return _mirror(str(Path(home).resolve() / "cache"), objects.parsed(text)).root


def shown(path: Path) -> str:
    """A path as people and registrations have it: of an object its address."""
    return path.address if isinstance(path, ObjectPath) else str(path)


_mirrors: dict[tuple[str, str], Mirror] = {}
"""Those that this process knows, by the folder of caches and the hash of the address."""


def _mirror(cache_folder: str, address: str) -> Mirror:
    key = cache_folder, hash_text(address)
    return _mirrors.setdefault(key, Mirror(Path(cache_folder), address))


def _mirror_at(cache_folder: str, name: str) -> Mirror:
    """That of a path, which may have come from another process."""
    if (cache_folder, name) not in _mirrors:
        about = Path(cache_folder, "mirrors", name, ABOUT).read_text(encoding="utf-8")
        return _mirror(cache_folder, json.loads(about)["address"])
    return _mirrors[cache_folder, name]


def _version_at(text: str) -> str | None:
    """The name of the version that a link stands for; None for anything else."""
    try:
        target = os.readlink(text)  # noqa: PTH115
    except OSError:
        return None
    name = target.rpartition("/")[2]
    return name if object_cache.is_version(name) else None


def _links(root: str, below: str) -> Iterator[tuple[str, str]]:
    """Every link below a folder, by its path, with the version it stands for."""
    try:
        listed = os.scandir(f"{root}/{below}")
    except FileNotFoundError:
        return
    with listed:
        for entry in listed:
            path = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _links(root, f"{path}/")
            else:
                yield path, _version_at(entry.path) or ""


def _remove_empty(folder: str) -> bool:
    """Remove folders with nothing in them. Returns whether this one was."""
    try:
        with os.scandir(folder) as listed:
            left = [entry.name for entry in listed if not (
                entry.is_dir(follow_symlinks=False) and _remove_empty(entry.path)
            )]  # fmt: skip
    except FileNotFoundError:
        return True
    if not left:
        os.rmdir(folder)  # noqa: PTH106
    return not left
