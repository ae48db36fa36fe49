"""`lineage.duckdb`: made beside and swapped in by a rename, and read with what has changed since laid over it.

Whoever reads is never locked out and never told what is out of date: of assets and shards that were
built since the cache was made, the Parquet files themselves are read. Without a cache, all of them are.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache as remember
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from spatial_assets.lineage import database, graph, places, tombstones
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.hashing import hash_text
from spatial_assets.storage.locks import locked
from spatial_assets.storage.plain_paths import as_pattern, plain, plain_file, writable_as_named
from spatial_assets.storage.shipped import sql

_log = logging.getLogger(__name__)

NAME = "lineage.duckdb"
MEMORY = "4GB"
"""What a rebuild may hold; beyond it DuckDB goes to disk."""
SOURCES, SCENES, RELEASE = "sources", "scenes", "release"
LOADED = ("source_file", "scene", "object", "frame", "record", "question")
"""Tables copied from the lake and the records, each by its own query."""
OWN_ASSET = {"record": "k.asset", "question": "k.task"}
"""Where a column says which asset's files a row came from; the others are those of the scenes."""
SMALL = ("registered", "tombstone")
"""Read anew whenever a home is opened."""

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


@dataclass(frozen=True)
class FileState:
    path: str
    """Relative to the home."""
    bytes: int
    mtime_ns: int
    asset: str
    shard: str

    @property
    def identity(self) -> Identity:
        return (self.asset, self.shard)


def cache_path(home: Path) -> Path:
    return Path(home) / NAME


@remember
def schema_version() -> str:
    """Changes when the tables or the queries that fill them do."""
    return hash_text(sql("schema"), *(sql(f"lineage/load/{table}") for table in LOADED))


def file_states(home: Path) -> list[FileState]:
    """What the cache is made from: every record file and release. A change of the lake shows in its record."""
    home = Path(home)
    found: list[FileState] = []
    for folder in _folders(home / "records"):
        for entry in _entries(folder):
            if entry.name.startswith("shard=") and entry.name.endswith(".parquet"):
                shard = entry.name.removeprefix("shard=").removesuffix(".parquet")
                asset = SOURCES if folder.name == database.FILES else folder.name
                found.append(_state(entry, f"records/{folder.name}/{entry.name}", asset, shard))
    for folder in _folders(home / "releases"):
        for entry in _entries(folder):
            if entry.name == "manifest.json":
                found.append(_state(entry, f"releases/{folder.name}/{entry.name}", RELEASE, folder.name))
    return found


def _state(entry: os.DirEntry[str], path: str, asset: str, shard: str) -> FileState:
    stat = entry.stat()
    return FileState(path, stat.st_size, stat.st_mtime_ns, asset, shard)


def _folders(root: Path) -> list[Path]:
    return [Path(entry.path) for entry in _entries(root) if entry.is_dir() and not entry.name.startswith(".")]


def _entries(root: Path) -> list[os.DirEntry[str]]:
    if not root.is_dir():
        return []
    with os.scandir(root) as found:
        return sorted(found, key=lambda entry: entry.name)


def rebuild(home: Path, memory: str = MEMORY, threads: int | None = None) -> Path:
    """Make the cache anew from the lake, the records and the releases, and swap it in. Returns its path."""
    home = Path(home).resolve()
    target = cache_path(home)
    home.mkdir(parents=True, exist_ok=True)
    with locked(home / "locks" / "lineage.lock"):
        temporary = target.with_name(f".{NAME}.{os.getpid()}")
        for leftover in home.glob(f".{NAME}.*"):
            _remove(leftover)
        try:
            with _plainly(home), writable_as_named(temporary) as written:
                _write(home, written, memory, threads)
            temporary.replace(target)
        finally:
            _remove(temporary)
    return target


@contextmanager
def _plainly(home: Path) -> Iterator[None]:
    """A table that someone broke is an error of the input: DuckDB's own line names the file."""
    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        what = " ".join(str(error).split())
        raise InputError(home, f"{what} (`lineage verify --all` checks every table)") from None


def _remove(path: Path) -> None:
    if path.is_dir():
        for inner in path.iterdir():
            inner.unlink(missing_ok=True)
        path.rmdir()
    path.unlink(missing_ok=True)


def _write(home: Path, path: Path, memory: str, threads: int | None) -> None:
    # States are taken first: what is built meanwhile then counts as changed, never as seen.
    states = file_states(home)
    graph.keep_code(home)
    con = duckdb.connect()
    try:
        con.execute("set memory_limit = $memory", {"memory": memory})
        con.execute("set temp_directory = $folder", {"folder": f"{path}.tmp"})
        if threads is not None:
            con.execute("set threads = $threads", {"threads": threads})
        con.execute(f"attach '{_quoted(path)}' as cache")
        _lake_views(con, home, None)
        con.execute("use cache")
        con.execute(sql("schema"))
        for table in LOADED:
            con.execute(f"insert into cache.{table} by name {sql(f'lineage/load/{table}')}")
        con.execute("insert into cache.tombstone by name select * from memory.lake.tombstone")
        releases = [state.shard for state in states if state.asset == RELEASE]
        _release_views(con, home, releases)
        for table in ("release", "release_scene"):
            con.execute(f"insert into cache.{table} by name select * from memory.lake.{table}")
        _insert(con, "asset_input", graph.asset_inputs())
        _insert(con, "column_lineage", graph.column_sources())
        _insert(con, "built_from", [vars(state) for state in states])
        meta = {
            "schema": schema_version(),
            "spatial-assets": metadata.version("spatial-assets"),
            "home": str(home),
        }
        _insert(con, "meta", [{"key": key, "value": value} for key, value in meta.items()])
        _parquet_views(con, home)
        con.execute("use memory")
        con.execute("detach cache")
    finally:
        con.close()
        _remove(Path(f"{path}.tmp"))
        _remove(Path(f"{path}.wal"))


def _parquet_views(con: duckdb.DuckDBPyConnection, home: Path) -> None:
    for view, (table, pattern, comment) in PARQUET_VIEWS.items():
        files = f"lake/{pattern}/shard=*/data.parquet"
        if any(home.glob(files)):
            con.execute(
                f"create view cache.{view} as select * from read_parquet('{_quoted(as_pattern(home))}/{files}', "
                "hive_partitioning = true, hive_types = {'shard': varchar})"
            )
            con.execute(f"comment on view cache.{view} is '{comment}'")
        else:
            database.empty_table(con, f"cache.{view}", table.schema.append(pa.field("shard", pa.string())))


def _quoted(path: Path | str) -> str:
    return str(path).replace("'", "''")


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        given = pa.Table.from_pylist(rows)  # noqa: F841 - DuckDB finds it by name
        con.execute(f"insert into cache.{table} by name select * from given")


def _lake_views(con: duckdb.DuckDBPyConnection, home: Path, changed: frozenset[Identity] | None) -> None:
    """The schema `lake`: everything, or only what belongs to the changed assets and shards."""
    con.execute("create schema memory.lake")

    def of_scenes(_: str, shard: str) -> bool:
        return changed is None or (SCENES, shard) in changed

    def of_asset(asset: str, shard: str) -> bool:
        return changed is None or (asset, shard) in changed

    for table in (tables.SOURCES, tables.SCENES, tables.OBJECTS, tables.FRAMES):
        database.table_view(con, "memory.lake", home, table, of_scenes)
    database.file_states_view(con, "memory.lake", home, of_scenes)
    database.family_view(con, "memory.lake", home, tables.QUESTIONS, of_asset)
    database.records_view(con, "memory.lake", home, of_asset)
    database.records_view(
        con,
        "memory.lake",
        home,
        lambda asset, shard: asset in (SOURCES, SCENES) and of_scenes("", shard),
        "scene_records",
    )
    shards = places.shards(home)
    registered = [
        {"dataset": shard.dataset, "release": shard.release, "license": shard.license, "shard": shard.key,
         "scene": ref.name}
        for shard in shards
        if of_scenes("", shard.key)
        for ref in shard.scenes
    ]  # fmt: skip
    _small(con, "registered", registered, ("dataset", "release", "license", "shard", "scene"))
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


def _release_views(con: duckdb.DuckDBPyConnection, home: Path, names: list[str]) -> None:
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
        f"read_parquet('{_quoted(manifest.scenes_path(plain(home), name))}', hive_partitioning = false)"
        for name in names
    ]
    if parts:
        con.execute(f"create view memory.lake.release_scene as {' union all '.join(parts)}")
    else:
        names_of = [(column, pa.string()) for column in
                    ("name", "split", "task", "dataset", "release", "scene", "space")]  # fmt: skip
        database.empty_table(con, "memory.lake.release_scene", pa.schema([*names_of, ("rows", pa.int64())]))


class Lineage:
    """The tables of `lineage.duckdb` as they are now, over a connection in memory. Close it, or use `with`."""

    def __init__(self, home: Path) -> None:
        self.home = Path(home).resolve()
        self.con = duckdb.connect()
        states = file_states(self.home)
        held = self._attach()
        self.cached = held is not None
        now = {state.identity: set[FileState]() for state in states}
        for state in states:
            now[state.identity].add(state)
        then: dict[Identity, set[FileState]] = {}
        for state in held or ():
            then.setdefault(state.identity, set()).add(state)
        differing = {key for key in now.keys() | then.keys() if now.get(key) != then.get(key)}
        self.changed = frozenset(self._widened(differing))
        self._define(sorted(name for kind, name in now if kind == RELEASE))

    def _attach(self) -> list[FileState] | None:
        """The states that the cache was made from; None without a cache, or with one of another version."""
        path = cache_path(self.home)
        if not path.exists():
            return None
        try:
            self.con.execute(f"attach '{_quoted(plain_file(path))}' as cache (read_only)")
            version = self.con.execute("select value from cache.meta where key = 'schema'").fetchone()
            if version == (schema_version(),):
                rows = self.con.execute(
                    "select path, bytes, mtime_ns, asset, shard from cache.built_from"
                ).fetchall()
                return [FileState(*row) for row in rows]
            self.con.execute("detach cache")
        except duckdb.Error as error:
            # Written by a newer DuckDB, cut off, or no database at all: the files themselves are read.
            _log.info("%s is not used: %s", path, error)
        return None

    def _widened(self, differing: set[Identity]) -> set[Identity]:
        """A scene's row is made from the records of two assets, and of the registry where nothing is built."""
        shards = {shard for asset, shard in differing if asset in (SOURCES, SCENES)}
        if self.cached:
            known = {
                shard for (shard,) in self.con.execute("select distinct shard from cache.scene").fetchall()
            }
            shards |= {shard.key for shard in places.shards(self.home)} - known
        return differing | {(asset, shard) for asset in (SOURCES, SCENES) for shard in shards}

    def _define(self, releases: list[str]) -> None:
        con = self.con
        with _plainly(self.home):
            _lake_views(con, self.home, self.changed if self.cached else None)
        _release_views(con, self.home, [name for name in releases if self._is_fresh(name)])
        changed = [{"asset": asset, "shard": shard} for asset, shard in sorted(self.changed)]
        given = pa.Table.from_pylist(  # noqa: F841 - DuckDB finds it by name
            changed, schema=pa.schema([("asset", pa.string()), ("shard", pa.string())])
        )
        con.execute("create table memory.lake.changed as select * from given")
        for table in LOADED:
            asset = OWN_ASSET.get(table, f"'{SCENES}'")
            self._view(table, f"c.asset = {asset} and c.shard = k.shard", sql(f"lineage/load/{table}"))
        for table in ("release", "release_scene"):
            self._view(
                table, f"c.asset = '{RELEASE}' and c.shard = k.name", f"select * from memory.lake.{table}"
            )
        con.execute("create view memory.main.tombstone as select * from memory.lake.tombstone")

    def _is_fresh(self, release: str) -> bool:
        return not self.cached or (RELEASE, release) in self.changed

    def _view(self, table: str, changed: str, fresh: str) -> None:
        if not self.cached:
            text = fresh
        elif not self.changed:
            text = f"select * from cache.main.{table}"
        else:
            text = (
                f"select k.* from cache.main.{table} k anti join memory.lake.changed c on {changed} "
                f"union all by name ({fresh})"
            )
        self.con.execute(f"create view memory.main.{table} as {text}")

    def query(self, name: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows of a query of `sql/lineage`, by name."""
        return self.rows(sql(f"lineage/{name}"), parameters)

    def rows(self, text: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        with _plainly(self.home):
            done = self.con.execute(text, dict(parameters or {}))
            names = [column[0] for column in done.description or ()]
            return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    def close(self) -> None:
        self.con.close()

    def __enter__(self) -> Lineage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
