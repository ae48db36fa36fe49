"""What somebody left who did not come to the end, before and after anything of it is read: removed, or held against
what is recorded.

The one who left it may still be stopped somewhere, and wake. So what it was about to put in place is removed first,
and its last renaming fails; what it put in place before is whole, and taken up as after any kill. A table or scene
file that is not what its record says, for whatever reason a file system may have, is made again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from spatial_assets.engine import errors
from spatial_assets.engine.pending import Pending
from spatial_assets.lineage import records, tombstones
from spatial_assets.lineage.records import Record
from spatial_assets.scene.tables import Table
from spatial_assets.stages.stage import Stage
from spatial_assets.storage.atomic import remove_temporaries
from spatial_assets.storage.content_hash import content_hash, hash_of_none
from spatial_assets.storage.lake import Lake, by_scene

FILES = "files"
"""Beside the records of stages: the states of source files, which the stage `sources` keeps."""


def clean_tables(lake: Lake, stage: Stage, shard: str) -> None:
    """Remove temporaries of the lake's files: their folders are this stage's and shard's alone, so it costs little."""
    for table in stage.tables:
        remove_temporaries(lake.table_path(table, shard).parent)
    for kind in stage.files:
        remove_temporaries(lake.file_path(kind, shard, "").parent)


def clean(lake: Lake, stage: Stage, shard: str) -> None:
    """Remove all temporaries that a call for the stage and shard may have left."""
    clean_tables(lake, stage, shard)
    clean_records(lake.home, stage.name, shard)
    remove_temporaries(Pending(lake.home, stage.name, shard).root)


def clean_records(home: Path, name: str, shard: str) -> None:
    kept = [records.record_path(home, name, shard), errors.path_of(home, name, shard)]
    if name == tombstones.SOURCES:
        kept += [tombstones.path_of(home, shard), records.record_path(home, FILES, shard)]
    for path in kept:
        remove_temporaries(path.parent, path.name)


def not_as_recorded(
    lake: Lake, stage: Stage, shard: str, recorded: Mapping[str, Record], passed_over: Collection[str]
) -> list[Path]:
    """Tables and scene files that do not hold what the records say; some scenes may be in between."""
    held = {scene: record for scene, record in recorded.items() if scene not in passed_over}
    wrong = [
        lake.table_path(table, shard)
        for table in stage.tables
        if not _is_as_recorded(lake, table, shard, held)
    ]
    for kind in stage.files:
        paths = {scene: lake.file_path(kind, shard, scene) for scene in held}
        wrong += [
            path for scene, path in paths.items() if _hash_of(path) != held[scene].outputs.get(kind, "")
        ]
    return wrong


def _is_as_recorded(lake: Lake, table: Table, shard: str, held: Mapping[str, Record]) -> bool:
    path, nothing = lake.table_path(table, shard), hash_of_none(table)
    parts: dict[str, pa.Table] = {}
    if held and path.exists():
        try:
            parts = by_scene(pq.read_table(path, schema=table.schema, partitioning=None))
        except (pa.ArrowException, OSError):
            return False
    found = {scene: content_hash(part) for scene, part in parts.items() if scene in held}
    return all(
        found.get(scene, nothing) == record.outputs.get(table.name, nothing) for scene, record in held.items()
    )


def _hash_of(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest() if path.exists() else ""
