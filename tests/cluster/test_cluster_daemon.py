"""Whether a daemon is at work is told by its signs of life alone, never by what time it is somewhere."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace

import pytest
from cluster_hosts import wait_until

from spatial_assets.cluster import daemon as daemons
from spatial_assets.cluster.daemon import Daemon
from spatial_assets.cluster.settings import HANDS_OUT
from spatial_assets.storage import heartbeats
from spatial_assets.storage.heartbeats import LOST_SECONDS, Heartbeat


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(daemons, "NEW_SIGN_SECONDS", 0.5)
    monkeypatch.setattr(daemons, "LOOK_SECONDS", 0.02)


@pytest.fixture
def sign(tmp_path):
    """Of a daemon that is at work."""
    heart = Heartbeat(tmp_path, **{HANDS_OUT: "runs"})
    yield heart
    heart.stop()


def fall_silent(heart):
    heart._stop.set()
    heart._thread.join()


def test_one_that_gives_signs_is_at_work(sign, tmp_path):
    daemon = Daemon(tmp_path)
    assert daemon.is_another_at_work()
    assert not daemon.ensure()
    assert daemon.process is None


def test_one_that_was_killed_is_not_whatever_its_clock_said(sign, tmp_path):
    fall_silent(sign)
    later = time.time() + 600
    os.utime(sign.path, (later, later))
    assert not Daemon(tmp_path).is_another_at_work()


def test_where_there_is_no_sign_one_does_not_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(daemons, "NEW_SIGN_SECONDS", 1e9)
    with heartbeats.beating(tmp_path, places="1"):
        assert not Daemon(tmp_path).is_another_at_work()


def test_one_that_is_killed_while_it_is_watched_is_missed(sign, tmp_path, monkeypatch):
    daemon = Daemon(tmp_path)
    assert daemon.is_another_at_work()
    fall_silent(sign)
    assert daemon.is_another_at_work(), "it may be slow"
    clock = SimpleNamespace(monotonic=lambda: now)
    now = begun = time.monotonic()
    monkeypatch.setattr(heartbeats, "time", clock)
    while daemon.is_another_at_work():
        now += 2
        assert now - begun < 3 * LOST_SECONDS
    assert now - begun > LOST_SECONDS - 2


def test_the_one_that_follows_it_is_known_by_then(sign, tmp_path):
    daemon = Daemon(tmp_path)
    assert daemon.is_another_at_work()
    fall_silent(sign)
    with heartbeats.beating(tmp_path, **{HANDS_OUT: "runs"}) as successor:
        assert daemon.is_another_at_work()
        begun = heartbeats.read(successor.path).beat
        wait_until(lambda: heartbeats.read(successor.path).beat > begun, 60, "it gives a sign")
        sign.path.unlink()
        assert daemon.is_another_at_work()
