"""Signs of life of processes at work in a home, by which one on another machine is told from one that is lost.

    <home>/locks/processes/<token>.json      what the process says of itself, and a count that goes up

Clocks of different machines are never compared: whoever watches adds up, by its own clock, for how long it has seen
the count stand still. A process that is killed leaves its file; `sweep` removes those that have long stood still.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from platform import node

from spatial_assets.storage.atomic import replacing

BEAT_SECONDS = 3.0
"""Between two signs of life; a home on a slow file system takes a write of a hundred bytes that often."""
LOST_SECONDS = 30.0
"""Without a sign of life after which a process is taken for lost: ten beats, longer than a machine at work pauses."""
LOOK_SHARE = 0.5
"""Share of `LOST_SECONDS` for which the time between two looks counts at most: a file server that does not answer
holds up whoever looks as well, and nobody is lost of whom only one look has found nothing new."""
GONE_SECONDS = 600.0
"""Without a sign of life after which what a process left may be swept away unwatched, by the file server's clock."""


@dataclass(frozen=True)
class Sign:
    """A sign of life as it was last seen."""

    token: str
    host: str
    pid: int
    beat: int
    about: Mapping[str, str]


def folder_of(home: Path) -> Path:
    return home / "locks" / "processes"


class Heartbeat:
    """Signs of life of this process, given by a thread of their own until they are stopped."""

    def __init__(self, home: Path, **about: str) -> None:
        """`about` is what others are told: a run's id, a worker's queue."""
        self.token = uuid.uuid4().hex
        self.path = folder_of(home) / f"{self.token}.json"
        self._about = about
        self._count = 0
        self._stop = threading.Event()
        self._beat()
        self._thread = threading.Thread(target=self._go_on, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self.path.unlink(missing_ok=True)

    def _beat(self) -> None:
        self._count += 1
        told = {"host": node(), "pid": os.getpid(), "beat": self._count, "about": self._about}
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps(told), encoding="utf-8")

    def _go_on(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            # A disk that does not answer, or is full, is no reason to stop: those who watch decide what it means.
            with suppress(OSError):
                self._beat()


@contextmanager
def beating(home: Path, **about: str) -> Iterator[Heartbeat]:
    heartbeat = Heartbeat(home, **about)
    try:
        yield heartbeat
    finally:
        heartbeat.stop()


class Watch:
    """What one process sees of the others' signs of life."""

    def __init__(self, home: Path) -> None:
        self.folder = folder_of(home)
        self._seen: dict[str, tuple[int | None, float, float]] = {}
        """The count at the last look, when that was, and for how long it has been the same."""

    def signs(self) -> list[Sign]:
        """All that stand there, of the living and of the lost, by token."""
        if not self.folder.is_dir():
            return []
        found = [read(path) for path in sorted(self.folder.glob("*.json"))]
        return [sign for sign in found if sign is not None]

    def silent(self, token: str) -> float:
        """Seconds for which this watch has seen no new sign of a process; 0 where it looks for the first time or the
        sign is new, and infinity where there is no sign at all, as of a process that has ended."""
        now, counts = time.monotonic(), True
        beat, looked, silent = self._seen.get(token, (None, now, 0.0))
        try:
            sign = _sign(token, _told(self.folder / f"{token}.json"))
        except FileNotFoundError:
            return float("inf")
        except OSError:
            sign, counts = None, False  # of the file server, which says nothing of the process
        if sign is not None and sign.beat != beat:
            beat, silent = sign.beat, 0.0
        elif counts:
            silent += min(now - looked, LOOK_SHARE * self.patience)
        self._seen[token] = (beat, now, silent)
        return silent

    @property
    def patience(self) -> float:
        return LOST_SECONDS

    def lost(self, token: str) -> bool:
        return self.silent(token) > self.patience

    def sweep(self) -> list[Sign]:
        """Remove the signs of those that are lost, and say which these were."""
        lost = [sign for sign in self.signs() if self.lost(sign.token)]
        for sign in lost:
            (self.folder / f"{sign.token}.json").unlink(missing_ok=True)
        return lost


def read(path: Path) -> Sign | None:
    """None for a file that is not there, or is not whole."""
    try:
        return _sign(path.stem, _told(path))
    except OSError:
        return None


def _told(path: Path) -> bytes:
    return path.read_bytes()


def _sign(token: str, data: bytes) -> Sign | None:
    try:
        told = json.loads(data)
        return Sign(token, told["host"], int(told["pid"]), int(told["beat"]), dict(told["about"]))
    except (ValueError, TypeError, KeyError):
        return None
