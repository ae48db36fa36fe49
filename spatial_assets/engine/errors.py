"""Errors of ours that stand: the traceback of each scene that a stage failed on, until a later call succeeds.

They are no records, since nothing was made; checks name them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from spatial_assets.storage.atomic import replace_text


def of_stage(home: Path, stage: str) -> list[tuple[str, str, str]]:
    """Shard, scene and traceback, over all shards."""
    return [
        (path.stem, scene, text)
        for path in sorted(path_of(home, stage, "").parent.glob("*.json"))
        for scene, text in _load(path).items()
    ]


def keep(home: Path, stage: str, shard: str, tried: Collection[str], errors: Mapping[str, str]) -> None:
    """Put the errors of a call in place of what stood for the scenes that it tried."""
    path = path_of(home, stage, shard)
    stood = _load(path)
    stand = {scene: text for scene, text in stood.items() if scene not in tried} | dict(errors)
    if stand != stood:
        replace_text(path, json.dumps(stand, sort_keys=True))


def path_of(home: Path, stage: str, shard: str) -> Path:
    return home / "records" / "errors" / stage / f"{shard}.json"


def _load(path: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found
