"""Leases: who has lost one cannot commit, who waits for the lost goes on, and nobody else is disturbed."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from stopped_builds import take_over

from spatial_assets.storage import atomic, heartbeats, leases, lock_files
from spatial_assets.storage.atomic import fenced, remove, remove_temporaries, replace_text
from spatial_assets.storage.leases import Lease, LeaseLost, leased, lock_path

SHARD = "scannet-v2-0000"
DEADLINE = 20.0
"""Seconds at most, for what takes a few hundredths where it works."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(heartbeats, "LOST_SECONDS", 0.3)
    monkeypatch.setattr(lock_files, "POLL_SECONDS", 0.002)
    monkeypatch.setattr(leases, "LOOK_SECONDS", 0.004)


def stopped(
    home: Path, exclusive: list[str], shared: list[str] | None = None, process: str = "z" * 32
) -> Lease:
    """A lease whose process stands still: it holds its locks, and gives no more signs of life."""
    sign = heartbeats.folder_of(home) / f"{process}.json"
    sign.parent.mkdir(parents=True, exist_ok=True)
    sign.write_text(json.dumps({"host": "far", "pid": 7, "beat": 3, "about": {}}))
    lease = Lease(home, SHARD, exclusive, shared or [], process)
    assert lease.try_to_take() is None
    return lease


def wait_for(what: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not what():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_one_at_a_time_and_nothing_is_left(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            with leased(tmp_path, SHARD, ["a", "b"], ["c"]):
                inside.append(number)
                most.append(len(inside))
                time.sleep(0.001)
                inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert most == [1] * 20
    left = [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    assert left == [f"locks/{name}/{SHARD}.lock" for name in "abc"]


def test_readers_share_and_a_writer_waits_for_them(tmp_path: Path) -> None:
    got = threading.Event()

    def write() -> None:
        with leased(tmp_path, SHARD, ["a"]):
            got.set()

    with leased(tmp_path, SHARD, [], ["a"]), leased(tmp_path, SHARD, ["b"], ["a"]) as second:
        thread = threading.Thread(target=write)
        thread.start()
        # Longer than a process may be silent: these two live, and are not taken over.
        assert not got.wait(0.7)
        second.check()
    thread.join(DEADLINE)
    assert got.is_set()


def test_what_the_lost_hold_is_taken_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", leases.__name__)
    zombie = stopped(tmp_path, ["a", "b"], ["c"])
    begun = time.monotonic()
    with leased(tmp_path, SHARD, ["b"], ["a"]) as lease:
        assert time.monotonic() - begun >= 0.3
        assert lease.interrupted == {"a", "b"}
        assert f"waiting for whoever holds {lock_path(tmp_path, 'b', SHARD)}: process 7 on far" in caplog.text
        with pytest.raises(LeaseLost, match=r"scannet-v2-0000: .* process \d+ on .* took over \(a, b\)"):
            zombie.check()
        lease.check()
        lease.settle()
        # Of what the lost process holds, the rest is still known, so that nobody waits for it for long.
        (rest,) = [claim for claim in leases.claims(tmp_path, SHARD) if claim.ended]
        assert (rest.exclusive, rest.shared) == ({"a"}, {"c"})
        with leased(tmp_path, SHARD, ["c"]) as other:
            assert other.interrupted == set()
    zombie.release()
    assert not list((tmp_path / "locks" / "leases").rglob("*.*"))
    with leased(tmp_path, SHARD, ["a", "b"]) as lease:
        assert lease.interrupted == set()


def test_what_a_killed_process_left_is_known_at_once(tmp_path: Path) -> None:
    killed = stopped(tmp_path, ["a"])
    for _, handle in killed._handles:
        os.close(handle)  # as the system does
    begun = time.monotonic()
    with leased(tmp_path, SHARD, ["a"]) as lease:
        assert lease.interrupted == {"a"}
        assert time.monotonic() - begun < 0.3
        lease.settle()
    assert not list((tmp_path / "locks" / "leases").rglob("*.*"))


def test_who_lives_and_lost_its_lock_to_the_file_server_cannot_commit(tmp_path: Path) -> None:
    with leased(tmp_path, SHARD, ["a"]) as first:
        for _, handle in first._handles:
            fcntl.flock(handle, fcntl.LOCK_UN)  # as a server that starts anew does
        with leased(tmp_path, SHARD, ["a"]):
            pass
        with pytest.raises(LeaseLost):
            replace_text(tmp_path / "lake" / "x", "mine")
    assert not (tmp_path / "lake" / "x").exists()
    assert not list((tmp_path / "lake").iterdir())


def test_a_lock_that_nobody_claims_is_waited_for_long_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "UNKNOWN_LOOKS", 2)
    path = lock_path(tmp_path, "a", SHARD)
    handle = lock_files.open_lock(path)
    fcntl.flock(handle, fcntl.LOCK_EX)
    begun = time.monotonic()
    with leased(tmp_path, SHARD, ["a"]):
        assert time.monotonic() - begun >= 0.3 * leases.UNKNOWN_LOOKS
    os.close(handle)


def test_both_of_two_lost_holders_are_overcome(tmp_path: Path) -> None:
    """One holds what the other only reads, and a third takes over what it needs of both."""
    one = stopped(tmp_path, ["a"], ["b"], "y" * 32)
    two = stopped(tmp_path, ["c"], ["b"], "z" * 32)
    with leased(tmp_path, SHARD, ["b", "c"]) as lease:
        assert lease.interrupted == {"c"}
    for zombie in (one, two):
        with pytest.raises(LeaseLost):
            zombie.check()
    with leased(tmp_path, SHARD, ["a"]) as lease:
        assert lease.interrupted == {"a"}


def test_who_was_quicker_to_take_over_is_not_taken_over_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two wait for the same lost process; one has put its lock file in place when the other has just found it lost."""
    zombie, path = stopped(tmp_path, ["a"]), lock_path(tmp_path, "a", SHARD)
    heart = heartbeats.Heartbeat(tmp_path)
    quicker = Lease(tmp_path, SHARD, ["a"], [], heart.token)
    second, real = threading.Event(), leases.Session.lost

    def lost(session: leases.Session, process: str) -> bool:
        found = real(session, process)
        if found and process == zombie.process and not quicker._handles:
            take_over(path)
            assert quicker.try_to_take() is None
        return found

    def take() -> None:
        with leased(tmp_path, SHARD, ["a"]):
            second.set()

    monkeypatch.setattr(leases.Session, "lost", lost)
    thread = threading.Thread(target=take)
    thread.start()
    wait_for(lambda: quicker._handles)
    assert not second.wait(3 * heartbeats.LOST_SECONDS)
    quicker.check()
    quicker.release()
    thread.join(DEADLINE)
    assert second.is_set()
    heart.stop()
    zombie.release()


def test_who_came_to_hold_what_the_lost_let_go_of_is_not_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lost process is killed when it has just been found lost, and somebody else locks the same file."""
    zombie = stopped(tmp_path, ["a"])
    heart = heartbeats.Heartbeat(tmp_path)
    third = Lease(tmp_path, SHARD, ["a"], [], heart.token)
    second, real = threading.Event(), leases.put_new

    def putting(*given: Any) -> bool:
        if not third._handles:
            zombie.release()
            assert third.try_to_take() is None
        return real(*given)

    def take() -> None:
        with leased(tmp_path, SHARD, ["a"]):
            second.set()

    monkeypatch.setattr(leases, "put_new", putting)
    thread = threading.Thread(target=take)
    thread.start()
    wait_for(lambda: third._handles)
    assert not second.wait(3 * heartbeats.LOST_SECONDS)
    third.check()
    third.release()
    thread.join(DEADLINE)
    assert second.is_set()
    heart.stop()


def test_one_who_is_stopped_over_a_take_over_holds_nobody_up_and_replaces_nothing_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locks" / "a.lock"
    handle = lock_files.open_lock(path)
    arrived, go = threading.Event(), threading.Event()
    real, told = atomic.into_place, []

    def putting(temporary: Path, target: Path) -> None:
        if threading.current_thread() is thread:
            arrived.set()
            assert go.wait(DEADLINE)
        real(temporary, target)

    monkeypatch.setattr(atomic, "into_place", putting)
    thread = threading.Thread(
        target=lambda: told.append(lock_files.put_new(path, handle, lambda: True, 0.05))
    )
    thread.start()
    assert arrived.wait(DEADLINE)
    begun = time.monotonic()
    assert lock_files.put_new(path, handle, lambda: True, 0.05)
    assert time.monotonic() - begun > 0.05
    new = path.stat().st_ino
    go.set()
    thread.join(DEADLINE)
    assert told == [False]
    assert path.stat().st_ino == new
    assert list(path.parent.iterdir()) == [path]
    assert not lock_files.put_new(path, handle, lambda: True, 0.05), "it was replaced before"
    os.close(handle)


def test_what_was_left_is_known_however_long_ago_that_was(tmp_path: Path) -> None:
    """Signs of life are swept away, leases are not: of one that stands still, and of one that was killed."""
    zombie, killed = stopped(tmp_path, ["a", "c"]), stopped(tmp_path, ["b"], process="k" * 32)
    for _, handle in killed._handles:
        os.close(handle)
    signs = [heartbeats.folder_of(tmp_path) / f"{lease.process}.json" for lease in (zombie, killed)]
    for path in (*signs, zombie.path, killed.path):
        os.utime(path, (1, 1))
    with leased(tmp_path, "another", ["a"]):
        assert not any(path.exists() for path in signs)
    begun = time.monotonic()
    with leased(tmp_path, SHARD, ["a", "b"]) as lease:
        assert time.monotonic() - begun < 0.3 * leases.UNKNOWN_LOOKS
        assert lease.interrupted == {"a", "b"}
        lease.settle()
    for path in leases.folder_of_leases(tmp_path, SHARD).iterdir():
        os.utime(path, (1, 1))
    with leased(tmp_path, SHARD, ["c"]) as lease:
        assert time.monotonic() - begun < 0.3 * leases.UNKNOWN_LOOKS
        assert lease.interrupted == {"c"}
        lease.settle()
    zombie.release()
    assert not list((tmp_path / "locks" / "leases").rglob("*.*"))


class Zombie:
    """A thread that goes on only as it is told: it stops at its beginning and before each check and renaming."""

    def __init__(self, work: Callable[[], None], lease: Lease, patch: pytest.MonkeyPatch) -> None:
        self.work, self.lease = work, lease
        self.arrived, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.done = False
        self.thread = threading.Thread(target=self._run)
        for name in ("check_fences", "into_place"):
            patch.setattr(atomic, name, self._stopping(getattr(atomic, name)))
        for name in ("temporary_of", "removing_in"):
            patch.setattr(atomic, name, self._of_its_own(getattr(atomic, name)))
        self.thread.start()
        assert self.arrived.acquire(timeout=DEADLINE)

    def _stopping(self, real: Callable[..., None]) -> Callable[..., None]:
        def called(*given: Path) -> None:
            if threading.current_thread() is self.thread:
                self._stop()
            real(*given)

        return called

    def _of_its_own(self, real: Callable[[Path], Path]) -> Callable[[Path], Path]:
        """Temporary names as another process has them."""

        def called(path: Path) -> Path:
            name = real(path)
            return name.with_name(f"{name.name}z") if threading.current_thread() is self.thread else name

        return called

    def _stop(self) -> None:
        self.arrived.release()
        assert self.go.acquire(timeout=DEADLINE)

    def _run(self) -> None:
        self._stop()
        with suppress(LeaseLost), fenced(self.lease.check):
            self.work()
        self.done = True
        self.arrived.release()

    def step(self) -> None:
        if not self.done:
            self.go.release()
            assert self.arrived.acquire(timeout=DEADLINE)


STEPS = 3
"""Of a zombie: to its check, to its renaming, to its end."""


def interleaved(
    home: Path, work: Callable[[Path], None], cleaning: bool, patch: pytest.MonkeyPatch
) -> list[str]:
    """Every interleaving of a zombie's steps and those of a taker that writes a file and records what is in it.

    Returns what stands where that is not what the taker wrote.
    """
    wrong = []
    taker_steps = ("put a new lock file", "take", "clean", "read", "write", "record")
    for number, places in enumerate(combinations(range(STEPS + len(taker_steps)), STEPS)):
        folder = home / str(number)
        file, record = folder / "lake" / "file", folder / "records" / "file"
        replace_text(file, "old")
        taker = Lease(folder, SHARD, ["a"], [], "t" * 32)
        do: dict[str, Callable[[], object]] = {
            "put a new lock file": lambda: take_over(lock_path(folder, "a", SHARD)),  # noqa: B023
            "take": taker.try_to_take,
            "clean": lambda: remove_temporaries(file.parent) if cleaning else None,  # noqa: B023
            "read": lambda: text_of(file),  # noqa: B023
            "write": lambda: replace_text(file, "the taker's"),  # noqa: B023
            "record": lambda: replace_text(record, "the taker's"),  # noqa: B023
        }
        with patch.context() as own:
            zombie = Zombie(lambda: work(file), stopped(folder, ["a"]), own)  # noqa: B023
            coming = iter(taker_steps)
            for place in range(STEPS + len(taker_steps)):
                if place in places:
                    zombie.step()
                else:
                    do[next(coming)]()
            while not zombie.done:
                zombie.step()
            zombie.thread.join(DEADLINE)
        if (text_of(file), text_of(record)) != ("the taker's", "the taker's"):
            wrong.append(f"{places}: {text_of(file)!r}")
        if cleaning:
            assert sorted(path.name for path in (folder / "lake").iterdir()) == ["file"]
        taker.release()
        zombie.lease.release()
    return wrong


def text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""


WORKS: dict[str, Callable[[Path], None]] = {
    "replaces": lambda file: replace_text(file, "the zombie's"),
    "removes": remove,
}


@pytest.mark.parametrize("work", WORKS)
def test_in_no_interleaving_a_zombie_touches_what_the_taker_wrote(
    work: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert interleaved(tmp_path, WORKS[work], True, monkeypatch) == []


@pytest.mark.parametrize("work", WORKS)
def test_without_the_cleaning_it_would(work: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert interleaved(tmp_path, WORKS[work], False, monkeypatch)
