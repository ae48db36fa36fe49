"""Leases: who may write a stage's part of a shard, so that one who only thinks so cannot, wherever it runs.

    <home>/locks/<stage>/<shard>.lock            locked by the operating system while somebody is at work
    <home>/locks/leases/<shard>/<lease>.json     what a call locks: put down before it locks, removed after
    <home>/locks/leases/<shard>/<lease>.ended    the same, of one that somebody else has taken over

File locks queue well and end with their process, where the file server sees that end. It does not see that a process
is stopped, or that the network parted it; and it may forget locks when it starts anew. So

- whoever holds the locks ends every other lease on them: a process commits only while its lease stands;
- whoever waits for a lock whose holders are all lost puts a new lock file in its place, and nobody waits for them;
- whoever took over removes the former holder's temporary files before it reads anything: one that was stopped between
  its last look at its lease and its renaming has nothing left to rename (see `atomic.into_place`).
"""

from __future__ import annotations

import fcntl
import itertools
import json
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spatial_assets.storage import lock_files
from spatial_assets.storage.atomic import fenced, make_folder, naming, replacing
from spatial_assets.storage.heartbeats import GONE_SECONDS, Heartbeat, Watch, folder_of, read
from spatial_assets.storage.lock_files import is_at, open_lock, put_new, try_lock

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at those who hold it: they give a sign of life every three seconds."""
UNKNOWN_LOOKS = 10
"""Times as long as for a lost process after which a lock is taken over whose holder put down no lease. None of ours is
without one while it holds a lock; a file server may keep a lock of which nothing else is left."""
JITTER_SECONDS = 0.05
"""At most, before another try where two hindered each other."""
STANDING, ENDED = ".json", ".ended"
AGAIN = "*"
"""In place of a stage's name: two hindered each other."""
_numbers = itertools.count()


class LeaseLost(Exception):
    """Somebody else is at work on what this run had begun: nothing more of it may be committed."""


@dataclass(frozen=True)
class Claim:
    """What a lease says."""

    path: Path
    process: str
    exclusive: frozenset[str]
    shared: frozenset[str]

    @property
    def id(self) -> str:
        return self.path.stem

    @property
    def ended(self) -> bool:
        return self.path.suffix == ENDED

    def hinders(self, exclusive: Collection[str], shared: Collection[str]) -> bool:
        return bool(self.exclusive & {*exclusive, *shared} or self.shared & set(exclusive))


PathOf = Callable[[Path, str, str], Path]


def lock_path(home: Path, stage: str, shard: str) -> Path:
    return home / "locks" / stage / f"{shard}.lock"


def folder_of_leases(home: Path, shard: str) -> Path:
    return home / "locks" / "leases" / shard


def claims(home: Path, shard: str, but: Path | None = None) -> list[Claim]:
    """All that stand there or are ended, one's own aside.

    One that is not whole yet is passed over: its process has not tried to lock anything.
    """
    found = []
    folder = folder_of_leases(home, shard)
    with suppress(FileNotFoundError):
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 (each call comes here, and pathlib doubles its cost)
            if name.startswith(".") or (but is not None and name == but.name):
                continue
            if (claim := _read(folder / name)) is not None:
                found.append(claim)
    return found


def _read(path: Path) -> Claim | None:
    try:
        told = json.loads(path.read_bytes())
        return Claim(path, told["process"], frozenset(told["exclusive"]), frozenset(told["shared"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def who(home: Path, found: Collection[Claim]) -> str:
    """The processes whose leases stand and that have given a sign of life; empty where there are none."""
    standing = sorted({claim.process for claim in found if not claim.ended})
    signs = [read(folder_of(home) / f"{process}.json") for process in standing]
    return " and ".join(f"process {sign.pid} on {sign.host}" for sign in signs if sign is not None)


class Lease:
    """What one call holds of a shard; `leased` makes and ends it."""

    def __init__(
        self,
        home: Path,
        shard: str,
        exclusive: Collection[str],
        shared: Collection[str],
        process: str,
        path_of: PathOf = lock_path,
    ) -> None:
        self.home, self.shard, self.process, self._path_of = home, shard, process, path_of
        self.exclusive, self.shared = sorted(exclusive), sorted(shared)
        self.id = f"{process}-{next(_numbers)}"
        self.path = folder_of_leases(home, shard) / f"{self.id}{STANDING}"
        self.taken_from: list[Claim] = []
        """Those who did not end by themselves."""
        self._handles: list[tuple[Path, int]] = []

    def lock_of(self, stage: str) -> Path:
        return self._path_of(self.home, stage, self.shard)

    @property
    def interrupted(self) -> frozenset[str]:
        """Stages that are held here and that somebody was writing who did not come to the end."""
        mine = {*self.exclusive, *self.shared}
        return frozenset(name for claim in self.taken_from for name in claim.exclusive if name in mine)

    def check(self) -> None:
        """Raise LeaseLost where somebody took this over. Opened, not looked at: an opened file is the server's own."""
        try:
            os.close(os.open(self.path, os.O_RDONLY))
        except FileNotFoundError:
            raise LeaseLost(self._who_has_it()) from None

    def _who_has_it(self) -> str:
        where = who(self.home, _inside(self, (self.exclusive, self.shared))) or "another process"
        what = ", ".join(self.exclusive) or "what it reads"
        return (
            f"{self.shard}: this process gave no sign of life for so long that {where} took over ({what}); "
            "what it had finished stands and nothing more of it is committed; run it again, and it goes on from there"
        )

    def settle(self) -> None:
        """Note that what those before left half done has been looked after."""
        for claim in self.taken_from:
            exclusive = claim.exclusive - set(self.exclusive)
            shared = claim.shared - set(self.exclusive)
            path = claim.path.with_suffix(ENDED)
            if not path.exists():
                continue
            if exclusive or shared:
                with replacing(path) as temporary:
                    temporary.write_text(_told(claim.process, exclusive, shared), encoding="utf-8")
            else:
                path.unlink(missing_ok=True)
        self.taken_from = []

    def try_to_take(self) -> str | None:
        """Put the lease down and lock. Returns None where all is held; else nothing is, and the stage is named that
        somebody holds, or AGAIN.
        """
        held = False
        try:
            self._put()
            blocked = self._lock()
            if blocked is None and self._is_current():
                self._end_others()
                held = self.path.exists()
        finally:
            if not held:
                self.release()
                self.taken_from = []
        return None if held else blocked or AGAIN

    def _put(self) -> None:
        told = _told(self.process, self.exclusive, self.shared).encode()
        while True:
            try:
                handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
                break
            except FileNotFoundError:
                make_folder(self.path.parent)
        try:
            with naming(self.path):
                os.write(handle, told)
        finally:
            os.close(handle)

    def _lock(self) -> str | None:
        """Lock all, in one order for everyone. Returns the first that somebody else holds."""
        for names, mode in ((self.exclusive, fcntl.LOCK_EX), (self.shared, fcntl.LOCK_SH)):
            for name in names:
                path = self.lock_of(name)
                handle = open_lock(path)
                self._handles.append((path, handle))
                if not try_lock(handle, mode):
                    return name
        return None

    def _is_current(self) -> bool:
        return all(is_at(path, handle) for path, handle in self._handles)

    def _end_others(self) -> None:
        """Every other lease on what is locked here is of one that does not hold it any more, or does not know that."""
        for claim in claims(self.home, self.shard, self.path):
            if not claim.hinders(self.exclusive, self.shared):
                continue
            if not claim.ended:
                with suppress(FileNotFoundError):
                    claim.path.rename(claim.path.with_suffix(ENDED))
            self.taken_from.append(claim)

    def release(self) -> None:
        """Unlock, and only then take the lease away: whoever is stopped in between hinders nobody.

        The folder stays: on a busy disk removing it takes longer than all else here.
        """
        for _, handle in self._handles:
            os.close(handle)
        self._handles = []
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(ENDED).unlink(missing_ok=True)

    def drop_locks(self) -> None:
        """Take away the files that are locked, where nobody has put new ones there; who waits for them sees that."""
        for path, handle in self._handles:
            if is_at(path, handle):
                path.unlink(missing_ok=True)


def _told(process: str, exclusive: Collection[str], shared: Collection[str]) -> str:
    return json.dumps({"process": process, "exclusive": sorted(exclusive), "shared": sorted(shared)})


@contextmanager
def leased(
    home: Path,
    shard: str,
    exclusive: Collection[str],
    shared: Collection[str] = (),
    path_of: PathOf = lock_path,
) -> Iterator[Lease]:
    """Hold these stages' parts of a shard for the length of the block, waiting for whoever holds them.

    In the block nothing comes into place, nor goes, once the lease is lost: LeaseLost is raised instead.
    """
    home = Path(os.path.abspath(home))  # noqa: PTH100 (nothing is looked up)
    with at_work(home) as session:
        lease = Lease(home, shard, exclusive, shared, session.token, path_of)
        while blocked := lease.try_to_take():
            if blocked == AGAIN:
                time.sleep(random.uniform(0, JITTER_SECONDS))
            else:
                _wait(lease, blocked, session)
        try:
            with fenced(lease.check):
                yield lease
        except LeaseLost:
            raise
        except Exception:
            lease.check()  # whoever took over has removed what this call was at: it fails for that
            raise
        finally:
            lease.release()


def _wait(lease: Lease, stage: str, session: Session) -> None:
    """Wait until a lock is free, or those who hold it are lost and it is taken over."""
    path = lease.lock_of(stage)
    mine = ([stage], []) if stage in lease.exclusive else ([], [stage])
    mode = fcntl.LOCK_EX if stage in lease.exclusive else fcntl.LOCK_SH
    told = False
    looked, unknown_since = -LOOK_SECONDS, time.monotonic()
    while True:
        handle = open_lock(path)
        try:
            if try_lock(handle, mode):
                return
            now = time.monotonic()
            if now - looked >= LOOK_SECONDS:
                looked = now
                # Listed after the lock was found held: who holds it, and is at work, is among these.
                inside = _inside(lease, mine)
                if not told:
                    told = True
                    holders = who(lease.home, inside) or "of whom there is no sign of life"
                    _log.info("waiting for whoever holds %s: %s", path, holders)
                # All are looked at, so that the time for which they are silent is counted for all.
                lost = [claim for claim in inside if session.lost(claim.process) or claim.ended]
                if inside:
                    unknown_since = now
                if len(lost) == len(inside) and (inside or now - unknown_since > session.unknown_seconds()):
                    still = partial(_are_among, {claim.id for claim in lost}, lease, mine)
                    if put_new(path, handle, still, session.watch.patience):
                        whom = ", ".join(sorted({claim.process for claim in lost})) or "somebody unknown"
                        _log.warning("%s is taken over from %s, of whom there is no sign of life", path, whom)
                        return
        finally:
            os.close(handle)
        time.sleep(lock_files.POLL_SECONDS)


def _are_among(known: set[str], lease: Lease, mine: tuple[Collection[str], Collection[str]]) -> bool:
    return {claim.id for claim in _inside(lease, mine)} <= known


def _inside(lease: Lease, mine: tuple[Collection[str], Collection[str]]) -> list[Claim]:
    """Of those who hold what hinders, or are about to."""
    return [claim for claim in claims(lease.home, lease.shard) if claim.hinders(*mine)]


class Session:
    """This process's signs of life in a home, while it holds anything there, and what it sees of the others'."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.users = 0
        self.watch = Watch(home)
        self._watching = threading.Lock()
        self._heartbeat = Heartbeat(home)
        self.token = self._heartbeat.token
        _sweep(home, self._heartbeat.path)

    def lost(self, process: str) -> bool:
        with self._watching:
            return process != self.token and self.watch.lost(process)

    def unknown_seconds(self) -> float:
        return UNKNOWN_LOOKS * self.watch.patience

    def stop(self) -> None:
        self._heartbeat.stop()


_sessions: dict[Path, Session] = {}
_sessions_lock = threading.Lock()


def _forget_sessions() -> None:
    """A forked process gives signs of its own."""
    global _sessions_lock
    _sessions_lock = threading.Lock()
    _sessions.clear()


os.register_at_fork(after_in_child=_forget_sessions)


@contextmanager
def at_work(home: Path) -> Iterator[Session]:
    """Give signs of life for the length of the block; calls inside it share them."""
    home = Path(os.path.abspath(home))  # noqa: PTH100 (as above)
    with _sessions_lock:
        if home not in _sessions:
            _sessions[home] = Session(home)
        session = _sessions[home]
        session.users += 1
    try:
        yield session
    finally:
        with _sessions_lock:
            session.users -= 1
            if not session.users and _sessions.get(home) is session:
                del _sessions[home]
                session.stop()


def _sweep(home: Path, fresh: Path) -> None:
    """Remove signs of processes that are long gone, by the file server's own clock.

    Leases stay, however old: they say whose locks a server still keeps, and what has to be cleaned and held against
    its records. Who locks next ends them.
    """
    with suppress(OSError):
        now = fresh.stat().st_mtime
        for path in folder_of(home).glob("*.json"):
            with suppress(FileNotFoundError):
                if now - path.stat().st_mtime > GONE_SECONDS:
                    path.unlink()
