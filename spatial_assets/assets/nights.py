"""A night's look at what is stale in a home, in parts that a tick has time for.

The schedule takes the first part and puts down how far it came; a sensor goes on from there, by its cursor.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from spatial_assets.lineage import registrations
from spatial_assets.lineage.stale import find_stale
from spatial_assets.storage.atomic import replace_text

PART_SECONDS = 3.0
"""After which a look ends with the shards in hand; a tick may take five seconds, and requests of runs take some."""
SHARDS_IN_HAND = 10
"""Looked at together: with a hundred assets, fifty thousand records, half a second of work."""
FILE = "night.json"


@dataclass
class Part:
    """What a look has found."""

    night: str
    stale: dict[str, float] = field(default_factory=dict)
    """Shards with something to do, with the seconds that it took when last done."""
    absent: list[str] = field(default_factory=list)
    """A line for each root that is not there."""
    next: str | None = None
    """The key of the shard with which the next look begins; None where all have been looked at."""

    def cursor(self) -> str:
        return json.dumps({"night": self.night, "next": self.next})


def begin(home: Path, night: str, clock: Callable[[], float] = time.monotonic) -> Part:
    """The first part of a night, after which the sensor finds the rest."""
    part = look(home, night, None, clock)
    replace_text(home / "locks" / FILE, part.cursor() + "\n")
    return part


def go_on(home: Path, cursor: str | None, clock: Callable[[], float] = time.monotonic) -> Part | None:
    """The next part of the night that was begun last; None where there is none, or nothing of it is left."""
    try:
        begun = json.loads((home / "locks" / FILE).read_bytes())
        held = json.loads(cursor) if cursor else {}
        reached = held["next"] if held.get("night") == begun["night"] else begun["next"]
        night = begun["night"]
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        return None  # cut off, or of another making: the next night begins anew
    return None if reached is None else look(home, night, reached, clock)


def look(home: Path, night: str, first: str | None, clock: Callable[[], float] = time.monotonic) -> Part:
    """Look at shards from the first on until the time is up, at some of them in any case."""
    begun = clock()
    keys = [shard.key for shard in registrations.shards(home)]
    start = keys.index(first) if first in keys else 0
    part = Part(night)
    absent: dict[str, None] = {}
    while start < len(keys):
        if clock() - begun > PART_SECONDS:
            part.next = keys[start]
            break
        report = find_stale(home, keys=keys[start : start + SHARDS_IN_HAND])
        part.stale.update(report.shards())
        absent.update(dict.fromkeys(report.absent))
        start += SHARDS_IN_HAND
    part.absent = list(absent)
    return part
