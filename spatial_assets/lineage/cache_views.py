"""What `lineage.duckdb` is made from and looks into, as tables and views of a connection in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from spatial_assets.lineage import database, registrations, tombstones
from spatial_assets.scene import tables
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.plain_paths import as_pattern, plain

SOURCES, SCENES, RELEASE = "sources", "scenes", "release"

PARQUET_VIEWS = {
    "question_text": (tables.QUESTIONS, "questions/*", "Questions in full, read from the lake itself."),
    "reject": (
        tables.REJECTS,
        "rejects/*",
        "Candidates that were not kept, and why, read from the lake itself.",
    ),
    "quality": (
        tables.QUALITY,
        "quality/*",
        "How many candidates came in and were kept, from the lake itself.",
    ),
    "keyframe": (tables.KEYFRAMES, "keyframes", "Frame sets of the scenes, read from the lake itself."),
    "visibility": (
        tables.VISIBILITY,
        "visibility",
        "What each frame shows of each object, from the lake itself.",
    ),
    "overlap": (tables.OVERLAP, "overlap", "What two frames share, read from the lake itself."),
}
"""Large tables that are only looked into: views of the files where they stand, not copies."""

Identity = tuple[str, str]
"""Asset and shard, or `release` and its name."""


def parquet_views(con: duckdb.DuckDBPyConnection, home: Path) -> None:
    for view, (table, pattern, comment) in PARQUET_VIEWS.items():
        files = f"lake/{pattern}/shard=*/data.parquet"
        if any(home.glob(files)):
            con.execute(
                f"create view cache.{view} as select * from read_parquet('{quoted(as_pattern(home))}/{files}', "
                "hive_partitioning = true, hive_types = {'shard': varchar})"
            )
            con.execute(f"comment on view cache.{view} is '{comment}'")
        else:
            database.empty_table(con, f"cache.{view}", table.schema.append(pa.field("shard", pa.string())))


def quoted(path: Path | str) -> str:
    return str(path).replace("'", "''")


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        given = pa.Table.from_pylist(rows)  # noqa: F841 - DuckDB finds it by name
        con.execute(f"insert into cache.{table} by name select * from given")


def lake_views(con: duckdb.DuckDBPyConnection, home: Path, changed: frozenset[Identity] | None) -> None:
    """The schema `lake`: everything, or only what belongs to the changed assets and shards."""
    con.execute("create schema memory.lake")

    def of_scenes(_: str, shard: str) -> bool:
        return changed is None or (SCENES, shard) in changed

    def of_asset(asset: str, shard: str) -> bool:
        return changed is None or (asset, shard) in changed

    few = None if changed is None else {shard for _, shard in changed}
    for table in (tables.SOURCES, tables.SCENES, tables.OBJECTS, tables.FRAMES):
        database.table_view(con, "memory.lake", home, table, of_scenes, few)
    database.file_states_view(con, "memory.lake", home, of_scenes, few)
    database.family_view(con, "memory.lake", home, tables.QUESTIONS, of_asset, few)
    database.records_view(con, "memory.lake", home, of_asset, shards=few)
    database.records_view(
        con,
        "memory.lake",
        home,
        lambda asset, shard: asset in (SOURCES, SCENES) and of_scenes("", shard),
        "scene_records",
        few,
    )
    registered = [
        {"dataset": shard.dataset, "release": shard.release, "license": shard.license, "shard": shard.key,
         "scene": ref.name}
        for shard in registrations.shards(home)
        if of_scenes("", shard.key)
        for ref in shard.scenes
    ]  # fmt: skip
    _small(con, "registered", registered, ("dataset", "release", "license", "shard", "scene"))


def tombstone_table(con: duckdb.DuckDBPyConnection, home: Path) -> None:
    """The table `lake.tombstone`: scenes that were withdrawn or are gone, of all shards."""
    shards = registrations.shards(home)
    of = {shard.key: shard for shard in shards}
    graves = [
        {**vars(item), "dataset": of[item.shard].dataset, "release": of[item.shard].release}
        for item in tombstones.load(home)
        if item.shard in of
    ]
    names = ("dataset", "release", "scene", "shard", "kind", "reason", "detail", "since", "until", "run_id")
    _small(con, "tombstone", graves, names)


def _small(
    con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]], names: tuple[str, ...]
) -> None:
    given = pa.Table.from_pylist(  # noqa: F841 - DuckDB finds it by name
        rows, schema=pa.schema([(name, pa.string()) for name in names])
    )
    con.execute(f"create table memory.lake.{table} as select * from given")


def release_views(con: duckdb.DuckDBPyConnection, home: Path, names: list[str]) -> None:
    rows = []
    for name in names:
        held = manifest.load(home, name)
        rows.append(
            {"name": name, "id": held["id"], "rows": held["rows"], "scenes": held["scenes"],
             "splits": list(held["splits"]), "licenses": list(held["licenses"])}
        )  # fmt: skip
    schema = pa.schema(
        [("name", pa.string()), ("id", pa.string()), ("rows", pa.int64()), ("scenes", pa.int64()),
         ("splits", pa.list_(pa.string())), ("licenses", pa.list_(pa.string()))]
    )  # fmt: skip
    given = pa.Table.from_pylist(rows, schema=schema)  # noqa: F841 - DuckDB finds it by name
    con.execute("create table memory.lake.release as select * from given")
    parts = [
        f"select '{name.replace(chr(39), chr(39) * 2)}' as name, * from "
        f"read_parquet('{quoted(manifest.scenes_path(plain(home), name))}', hive_partitioning = false)"
        for name in names
    ]
    if parts:
        con.execute(f"create view memory.lake.release_scene as {' union all '.join(parts)}")
    else:
        names_of = [(column, pa.string()) for column in
                    ("name", "split", "task", "dataset", "release", "scene", "space")]  # fmt: skip
        database.empty_table(con, "memory.lake.release_scene", pa.schema([*names_of, ("rows", pa.int64())]))
