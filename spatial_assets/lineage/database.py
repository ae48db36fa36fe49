"""The lake and the records as DuckDB views, in memory: any number of processes may read at once.

Files are listed here and handed over as lists, below a folder whose name is no pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from spatial_assets.lineage import records
from spatial_assets.scene import optional_tables, tables
from spatial_assets.scene.tables import Table
from spatial_assets.storage.lake import Lake
from spatial_assets.storage.plain_paths import plain

FAMILIES = (tables.QUESTIONS, tables.REJECTS, tables.QUALITY)
SINGLE = (
    tables.SOURCES, tables.SCENES, tables.OBJECTS, tables.FRAMES, tables.KEYFRAMES, tables.VISIBILITY,
    tables.OVERLAP, tables.VIEW_SETS, tables.VIEW_SET_OBJECTS, tables.ROOMS, tables.COGNITIVE_MAPS,
    optional_tables.REGIONS, optional_tables.VIEWPOINTS, optional_tables.NAVIGATION_PATHS,
    optional_tables.OBJECT_CHANGES, optional_tables.QUOTED_QUESTIONS, optional_tables.DESCRIPTIONS,
)  # fmt: skip
FILES = "files"
"""The folder among the records that holds the states of source files, not records of an asset."""
FILE_STATES = pa.schema(
    [("path", pa.string()), ("bytes", pa.int64()), ("mtime_ns", pa.int64()), ("version", pa.string()),
     ("shard", pa.string())]
)  # fmt: skip

Chosen = Callable[[str, str], bool]
"""Whether the file of a table or asset (its name, or a family's member) and shard is wanted."""


def connect(home: Path) -> duckdb.DuckDBPyConnection:
    """A connection with a view per table (`questions`, `rejects`, `quality` over all members) and `records`.

    Every view of the lake has the column `shard`. Tables that were never written are empty.
    """
    con = duckdb.connect()
    for table in SINGLE:
        table_view(con, "main", home, table)
    for table in FAMILIES:
        family_view(con, "main", home, table)
    records_view(con, "main", home)
    return con


def connect_tables(home: Path, tables: Iterable[Table], shards: Collection[str]) -> duckdb.DuckDBPyConnection:
    """A connection with views of some tables and shards alone, whose cost is that of those files.

    The members of a family that are among the tables make one view of its name. Tables not named have no view.
    """
    lake = Lake(home)
    views: dict[str, list[Table]] = {}
    for table in tables:
        views.setdefault(table.name.split("/")[0], []).append(table)
    con = duckdb.connect()
    for name, members in views.items():
        paths = [lake.table_path(table, shard) for table in members for shard in sorted(shards)]
        _view(con, name, [path for path in paths if path.exists()], members[0].schema)
    return con


def table_view(
    con: duckdb.DuckDBPyConnection,
    schema: str,
    home: Path,
    table: Table,
    chosen: Chosen | None = None,
    shards: Collection[str] | None = None,
) -> None:
    """A view of one table over its shards, or over those that are chosen; only of `shards` any are looked for."""
    found = _lake_files([plain(home) / "lake" / table.name], shards)
    if chosen is not None:
        found = [path for path in found if chosen(table.name, _shard(path.parent))]
    _view(con, f"{schema}.{table.name}", found, table.schema)


def family_view(
    con: duckdb.DuckDBPyConnection,
    schema: str,
    home: Path,
    table: Table,
    chosen: Chosen | None = None,
    shards: Collection[str] | None = None,
) -> None:
    """A view of a family of tables, over all members and shards or over those that are chosen."""
    found = _lake_files(sorted((plain(home) / "lake" / table.name).glob("*/")), shards)
    if chosen is not None:
        found = [path for path in found if chosen(path.parent.parent.name, _shard(path.parent))]
    _view(con, f"{schema}.{table.name}", found, table.schema)


def records_view(
    con: duckdb.DuckDBPyConnection,
    schema: str,
    home: Path,
    chosen: Chosen | None = None,
    name: str = "records",
    shards: Collection[str] | None = None,
) -> None:
    """A view `records`, or of another name, over all assets and shards or over those that are chosen."""
    found = [path for path in _record_files(home, "*", shards) if path.parent.name != FILES]
    if chosen is not None:
        found = [path for path in found if chosen(path.parent.name, _shard(path))]
    if found:
        # By name, with a table that has them all: records of earlier versions may lack a column.
        empty_table(con, f"{schema}.no_{name}", records.SCHEMA)
        con.sql(
            f"create view {schema}.{name} as select * from {schema}.no_{name} union all by name select * from "
            f"read_parquet({path_list(found)}, hive_partitioning = false, union_by_name = true)"
        )
    else:
        empty_table(con, f"{schema}.{name}", records.SCHEMA)


def file_states_view(
    con: duckdb.DuckDBPyConnection,
    schema: str,
    home: Path,
    chosen: Chosen | None = None,
    shards: Collection[str] | None = None,
) -> None:
    """A view `files`: size, times and versions of source files when they were last hashed."""
    found = _record_files(home, FILES, shards)
    if chosen is not None:
        found = [path for path in found if chosen(FILES, _shard(path))]
    if found:
        # By name, as records are read: those of earlier versions of the package lack a column.
        empty_table(con, f"{schema}.no_files", FILE_STATES)
        con.sql(
            f"create view {schema}.files as select * from {schema}.no_files "
            f"union all by name select * from {_read(found)}"
        )
    else:
        empty_table(con, f"{schema}.files", FILE_STATES)


def _record_files(home: Path, asset: str, shards: Collection[str] | None = None) -> list[Path]:
    """Where few shards are asked for, a look for each costs less than a list of all."""
    root = plain(home) / "records"
    if shards is None:
        return sorted(root.glob(f"{asset}/shard=*.parquet"))
    paths = (folder / f"shard={shard}.parquet" for folder in root.glob(f"{asset}/") for shard in shards)
    return sorted(path for path in paths if path.exists())


def _lake_files(folders: Iterable[Path], shards: Collection[str] | None) -> list[Path]:
    if shards is None:
        return sorted(path for folder in folders for path in folder.glob("shard=*/data.parquet"))
    paths = (folder / f"shard={shard}" / "data.parquet" for folder in folders for shard in shards)
    return sorted(path for path in paths if path.exists())


def _shard(path: Path) -> str:
    return path.name.removeprefix("shard=").removesuffix(".parquet")


def _view(con: duckdb.DuckDBPyConnection, name: str, paths: list[Path], schema: pa.Schema) -> None:
    if paths:
        con.sql(
            f"create view {name} as select * from "
            f"read_parquet({path_list(paths)}, hive_partitioning = true, hive_types = {{'shard': varchar}})"
        )
    else:
        empty_table(con, name, schema.append(pa.field("shard", pa.string())))


def _read(paths: list[Path]) -> str:
    """Files named `shard=<key>.parquet`, whose key is no folder's and so is taken from the name."""
    return (
        f"(select * exclude filename, regexp_extract(filename, 'shard=(.*)\\.parquet$', 1) as shard "
        f"from read_parquet({path_list(paths)}, hive_partitioning = false, union_by_name = true, filename = true))"
    )


def empty_table(con: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema) -> None:
    """A table without rows where a view has no files to stand on."""
    empty = schema.empty_table()  # noqa: F841 - DuckDB finds it by name
    con.execute(f"create table {name} as select * from empty")


def path_list(paths: Iterable[Path]) -> str:
    """A SQL list of texts."""
    quoted = ("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"[{', '.join(quoted)}]"
