"""The lake and the records as DuckDB views, in memory: any number of processes may read at once."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from spatial_assets import tables
from spatial_assets.lineage import records
from spatial_assets.tables import Table

FAMILIES = (tables.QUESTIONS, tables.REJECTS, tables.QUALITY)
SINGLE = (
    tables.SOURCES, tables.SCENES, tables.OBJECTS, tables.FRAMES, tables.KEYFRAMES, tables.VISIBILITY,
    tables.OVERLAP,
)  # fmt: skip


def connect(home: Path, shards: Collection[str] | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with a view per table (`questions`, `rejects`, `quality` over all members) and `records`.

    Every view of the lake has the column `shard`. Tables that were never written are empty. `shards`
    narrows every view to some of them, at the cost of reading those alone.
    """
    con = duckdb.connect()
    lake = Path(home) / "lake"
    names = ["*"] if shards is None else sorted(shards)
    for table in SINGLE:
        _view(con, table, _find(lake / table.name, "shard={}/data.parquet", names))
    for table in FAMILIES:
        _view(con, table, _find(lake / table.name, "*/shard={}/data.parquet", names))
    found = _find(Path(home) / "records", "*/shard={}.parquet", names)
    found = [path for path in found if path.parent.name != "files"]
    if found:
        con.sql(f"create view records as select * from read_parquet({_list(found)})")
    else:
        empty = records.SCHEMA.empty_table()  # noqa: F841 - DuckDB finds it by name
        con.execute("create table records as select * from empty")
    return con


def _find(folder: Path, pattern: str, names: list[str]) -> list[Path]:
    return sorted(path for name in names for path in folder.glob(pattern.format(name)))


def _view(con: duckdb.DuckDBPyConnection, table: Table, paths: list[Path]) -> None:
    if paths:
        con.sql(
            f"create view {table.name} as select * from "
            f"read_parquet({_list(paths)}, hive_partitioning = true, hive_types = {{'shard': varchar}})"
        )
    else:
        empty = table.schema.empty_table()  # noqa: F841 - DuckDB finds it by name
        con.execute(f"create table {table.name} as select *, '' as shard from empty")


def _list(paths: list[Path]) -> str:
    quoted = ("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"[{', '.join(quoted)}]"
