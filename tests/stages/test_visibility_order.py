"""Frames are rendered side by side, taken in their order, and few of them wait in memory."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from spatial_assets.stages import visibility

THREADS = 2


def test_frames_come_in_order_and_few_ahead_of_who_takes_them():
    begun, lock = [], threading.Lock()

    def look(view):
        with lock:
            begun.append(view)
        return view

    taken = []
    with ThreadPoolExecutor(THREADS) as pool:
        for seen in visibility._in_order(pool, THREADS, look, range(100)):
            taken.append(seen)
            with lock:
                assert len(begun) <= len(taken) + visibility.AHEAD * THREADS
    assert taken == list(range(100))


def test_a_frame_that_fails_stops_the_others():
    begun = []

    def look(view):
        begun.append(view)
        if view == 3:
            raise ValueError("damaged")
        return view

    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="damaged"):
        list(visibility._in_order(pool, THREADS, look, range(100)))
    assert len(begun) <= 3 + visibility.AHEAD * THREADS
