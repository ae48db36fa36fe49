"""The revocation list: scenes in releases that were withdrawn, or disappeared from their source, after the release.

Releases never change, so the list is a file beside them. Users of a release leave these rows out.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from spatial_assets.lineage import registrations, tombstones
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.atomic import replace_text

LIST = "revocations.json"


def of_release(home: Path, name: str) -> list[dict[str, Any]]:
    """Its revoked scenes with the rows they have in it, by dataset, release and scene."""
    of = {shard.key: shard for shard in registrations.shards(home)}
    tombs = {
        (of[shard].dataset, of[shard].release, scene): item
        for (shard, scene), item in tombstones.standing(home).items()
        if shard in of
    }
    rows: dict[tuple[str, str, str], int] = {}
    for row in pq.read_table(manifest.scenes_path(home, name)).to_pylist():
        which = (row["dataset"], row["release"], row["scene"])
        if which in tombs:
            rows[which] = rows.get(which, 0) + row["rows"]
    return [
        {
            "dataset": which[0],
            "release": which[1],
            "scene": which[2],
            "kind": tombs[which].kind,
            "reason": tombs[which].reason,
            "detail": tombs[which].detail,
            "since": tombs[which].since,
            "rows": count,
        }
        for which, count in sorted(rows.items())
    ]


def revoked(home: Path) -> dict[str, list[dict[str, Any]]]:
    """The revoked scenes of each release that has any."""
    found = {name: of_release(home, name) for name in manifest.names(home)}
    return {name: entries for name, entries in found.items() if entries}


def write_list(home: Path) -> Path:
    """Write the list of a home beside its releases. Returns its path."""
    path = Path(home) / "releases" / LIST
    replace_text(path, json.dumps(revoked(home), indent=1, sort_keys=True) + "\n")
    return path


def keep_current(home: Path) -> None:
    """Write the list again if there are releases; call this when scenes may have disappeared."""
    if manifest.names(home):
        write_list(home)


def withdraw(
    home: Path, scene: str, reason: str, dataset: str | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Withdraw a scene: later releases leave it out, earlier ones are on the list. Returns the list.

    Raises InputError if no dataset has the scene.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for shard in registrations.find_scenes(home, scene, dataset):
        tombstones.withdraw(home, shard.key, scene, reason, now)
    write_list(home)
    return revoked(home)


def lift(home: Path, scene: str, dataset: str | None = None) -> bool:
    """End a withdrawal. Returns whether there was one."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    done = [
        tombstones.lift(home, shard.key, scene, now)
        for shard in registrations.find_scenes(home, scene, dataset)
    ]
    write_list(home)
    return any(done)
