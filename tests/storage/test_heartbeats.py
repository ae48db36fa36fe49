"""Signs of life: who is lost is told from who lives, also where the file server was away for a while."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from spatial_assets.storage import heartbeats
from spatial_assets.storage.heartbeats import LOST_SECONDS, Watch, folder_of

TOKEN = "z" * 32
STALL_SECONDS = 300.0
"""For which the file server does not answer: far longer than a process may be silent."""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(heartbeats.time, "monotonic", found.monotonic)
    return found


def beat(home: Path, count: int) -> Path:
    path = folder_of(home) / f"{TOKEN}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"host": "far", "pid": 7, "beat": count, "about": {}}))
    return path


def test_who_is_silent_is_lost_and_who_has_ended_at_once(tmp_path: Path, clock: Clock) -> None:
    path, watch = beat(tmp_path, 1), Watch(tmp_path)
    assert watch.silent(TOKEN) == 0
    for second in range(1, 31):
        clock.now += 1
        assert watch.silent(TOKEN) == second
        assert not watch.lost(TOKEN)
    clock.now += 1
    assert watch.lost(TOKEN)
    beat(tmp_path, 2)
    assert watch.silent(TOKEN) == 0
    path.unlink()
    assert watch.silent(TOKEN) == float("inf")


def test_time_for_which_the_watcher_was_held_up_itself_makes_nobody_lost(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks, or in one: its process may be stopped, or wait for a file server as the others do."""
    beat(tmp_path, 1)
    watch = Watch(tmp_path)
    assert not watch.lost(TOKEN)
    clock.now += STALL_SECONDS
    assert not watch.lost(TOKEN)
    beat(tmp_path, 2)
    assert watch.silent(TOKEN) == 0
    real = heartbeats._told

    def stalled(path: Path) -> bytes:
        clock.now += STALL_SECONDS
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(heartbeats, "_told", stalled)
        assert not watch.lost(TOKEN)
    # Who gives no sign when the file server is back is found to be lost by looks that are answered.
    for _ in range(int(LOST_SECONDS)):
        clock.now += 1
        watch.silent(TOKEN)
    assert watch.lost(TOKEN)


def test_a_sign_that_cannot_be_read_is_not_one_that_is_gone(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file system says of a file that was replaced under its reader, or while it is mounted anew."""

    def stale(path: Path) -> bytes:
        raise OSError(errno.ESTALE, "Stale file handle", str(path))

    path, watch = beat(tmp_path, 1), Watch(tmp_path)
    assert watch.silent(TOKEN) == 0
    clock.now += 2
    with monkeypatch.context() as patch:
        patch.setattr(heartbeats, "_told", stale)
        assert watch.silent(TOKEN) == 0
        for _ in range(int(LOST_SECONDS)):
            clock.now += 2
            assert not watch.lost(TOKEN)
    clock.now += 1
    assert watch.silent(TOKEN) == 1
    path.write_bytes(b"")
    for _ in range(int(LOST_SECONDS)):
        assert not watch.lost(TOKEN)
        clock.now += 1
    assert watch.lost(TOKEN), (
        "one that is not whole, as a machine leaves it that loses power, is no sign of life"
    )
