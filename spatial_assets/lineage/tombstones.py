"""Scenes that are gone or withdrawn: what must not be in a release any more, and since when.

    <home>/records/tombstones/<shard>.json

A scene whose source files could be read once and cannot be any more is *gone*, until they are back. A
scene that someone took back (a person's consent, a license) is *withdrawn*, until that is lifted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from spatial_assets.storage.atomic import replace_text

SOURCES = "sources"
"""The asset whose records say whether a scene's files are there."""
GONE, WITHDRAWN = "gone", "withdrawn"


@dataclass(frozen=True)
class Tombstone:
    shard: str
    scene: str
    kind: str
    reason: str
    detail: str
    since: str
    """ISO time, UTC."""
    run_id: str = ""
    until: str = ""
    """When it was lifted; empty while it stands."""

    @property
    def stands(self) -> bool:
        return not self.until


def folder(home: Path) -> Path:
    return Path(home) / "records" / "tombstones"


def load(home: Path) -> list[Tombstone]:
    """All of them, lifted ones included, by shard, scene and time."""
    found = [
        Tombstone(**entry)
        for path in sorted(folder(home).glob("*.json"))
        for entry in json.loads(path.read_text(encoding="utf-8"))
    ]
    return sorted(found, key=lambda item: (item.shard, item.scene, item.since))


def standing(home: Path) -> dict[tuple[str, str], Tombstone]:
    """By shard and scene, those in force; withdrawn wins over gone."""
    found: dict[tuple[str, str], Tombstone] = {}
    for item in load(home):
        known = found.get((item.shard, item.scene))
        if item.stands and (known is None or known.kind == GONE):
            found[(item.shard, item.scene)] = item
    return found


def path_of(home: Path, shard: str) -> Path:
    return folder(home) / f"{shard}.json"


def _of_shard(home: Path, shard: str) -> list[Tombstone]:
    path = path_of(home, shard)
    if not path.exists():
        return []
    return [Tombstone(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


def _save(home: Path, shard: str, items: Sequence[Tombstone]) -> None:
    text = json.dumps([asdict(item) for item in items], indent=1) + "\n"
    replace_text(path_of(home, shard), text)


def note(
    home: Path, shard: str, before: Mapping[str, bool], now: Sequence[Mapping[str, Any]], done: str
) -> None:
    """Compare what the records of `sources` said of a shard (scene to whether it was done) with what they say now."""
    items = _of_shard(home, shard)
    known = list(items)
    for record in now:
        scene, is_done = record["scene"], record["status"] == done
        stands = [item for item in items if item.scene == scene and item.kind == GONE and item.stands]
        if is_done and stands:
            items = [replace(item, until=record["ended"]) if item in stands else item for item in items]
        elif not is_done and before.get(scene) and not stands:
            items.append(
                Tombstone(
                    shard, scene, GONE, record["reason"], record["detail"], record["ended"], record["run_id"]
                )
            )
    if items != known:
        _save(home, shard, items)


def withdraw(home: Path, shard: str, scene: str, reason: str, now: str) -> Tombstone:
    """Take a scene back by hand; a second time changes nothing."""
    items = _of_shard(home, shard)
    for item in items:
        if item.scene == scene and item.kind == WITHDRAWN and item.stands:
            return item
    made = Tombstone(shard, scene, WITHDRAWN, reason, "", now)
    _save(home, shard, [*items, made])
    return made


def lift(home: Path, shard: str, scene: str, now: str) -> bool:
    """End a withdrawal by hand. Returns whether there was one."""
    items = _of_shard(home, shard)
    lifted = [
        replace(item, until=now) if item.scene == scene and item.kind == WITHDRAWN and item.stands else item
        for item in items
    ]
    if lifted == items:
        return False
    _save(home, shard, lifted)
    return True
