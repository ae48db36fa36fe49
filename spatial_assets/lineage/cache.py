"""`lineage.duckdb`: made beside and swapped in by a rename, and read with what has changed since laid over it.

Whoever reads is never locked out and never told what is out of date: of assets and shards that were
built since the cache was made, the Parquet files themselves are read. Without a cache, all of them are.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache as remember
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from spatial_assets.lineage import database, graph, registrations
from spatial_assets.lineage.cache_views import (
    PARQUET_VIEWS,
    RELEASE,
    SCENES,
    SOURCES,
    Identity,
    insert,
    lake_views,
    parquet_views,
    quoted,
    release_views,
    tombstone_table,
)
from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import check_fences
from spatial_assets.storage.hashing import hash_text
from spatial_assets.storage.locks import locked
from spatial_assets.storage.plain_paths import plain_file, writable_as_named
from spatial_assets.storage.shipped import sql

_log = logging.getLogger(__name__)

NAME = "lineage.duckdb"
MEMORY = "4GB"
"""What a rebuild may hold; beyond it DuckDB goes to disk."""
LOADED = ("source_file", "scene", "object", "frame", "record", "question")
"""Tables copied from the lake and the records, each by its own query."""
OWN_ASSET = {"record": "k.asset", "question": "k.task"}
"""Where a column says which asset's files a row came from; the others are those of the scenes."""
REPLACED = ("tombstone", "release", "release_scene", "asset_input", "column_lineage", "built_from", "meta")
"""Tables that are small beside the others, and written anew by each rebuild."""
SHARDS_AT_ONCE = 50
"""Whose files are read together: a few thousand of them, whatever the home's size."""
MOSTLY = 0.5
"""Of all assets and shards, the share that may have changed of a cache that is gone on with."""


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


def file_states(home: Path, shards: Collection[str] | None = None) -> list[FileState]:
    """What the cache is made from: every record file and release. A change of the lake shows in its record.

    Of some shards, their record files alone.
    """
    home = Path(home)
    found: list[FileState] = []
    if shards is not None:
        for folder in _folders(home / "records"):
            asset = SOURCES if folder.name == database.FILES else folder.name
            for shard in sorted(shards):
                with suppress(FileNotFoundError):
                    path = folder / f"shard={shard}.parquet"
                    found.append(_state(path, f"records/{folder.name}/{path.name}", asset, shard))
        return found
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


def _state(entry: os.DirEntry[str] | Path, path: str, asset: str, shard: str) -> FileState:
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
    """Bring the cache up to date with the lake, the records and the releases, and swap it in. Returns its path.

    A copy of the old one has what changed since read again, shards by shards; without an old one, all is read so.
    """
    home = Path(home).resolve()
    target = cache_path(home)
    home.mkdir(parents=True, exist_ok=True)
    with locked(home, "lineage"):
        temporary = target.with_name(f".{NAME}.{os.getpid()}")
        for leftover in home.glob(f".{NAME}.*"):
            _remove(leftover)
        try:
            with _plainly(home), writable_as_named(temporary) as written:
                _write(home, written, target, memory, threads)
            check_fences()
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


def _write(home: Path, path: Path, old: Path, memory: str, threads: int | None) -> None:
    # States are taken first: what is built meanwhile then counts as changed, never as seen.
    states = file_states(home)
    graph.keep_code(home)
    changed, whole = _to_read(home, states, old)
    con = duckdb.connect()
    try:
        con.execute("set memory_limit = $memory", {"memory": memory})
        con.execute("set temp_directory = $folder", {"folder": f"{path}.tmp"})
        if threads is not None:
            con.execute("set threads = $threads", {"threads": threads})
        if not whole:
            shutil.copyfile(plain_file(old), path)
        con.execute(f"attach '{quoted(path)}' as cache")
        con.execute("use cache")
        if whole:
            con.execute(sql("schema"))
        else:
            _forget(con, changed)
        for part in _parts(changed):
            lake_views(con, home, part)
            for table in LOADED:
                con.execute(f"insert into cache.{table} by name {sql(f'lineage/load/{table}')}")
            con.execute("drop schema memory.lake cascade")
        con.execute("create schema memory.lake")
        tombstone_table(con, home)
        release_views(con, home, [state.shard for state in states if state.asset == RELEASE])
        for table in ("tombstone", "release", "release_scene"):
            con.execute(f"insert into cache.{table} by name select * from memory.lake.{table}")
        insert(con, "asset_input", graph.asset_inputs())
        insert(con, "column_lineage", graph.column_sources())
        insert(con, "built_from", [vars(state) for state in states])
        meta = {
            "schema": schema_version(),
            "spatial-assets": metadata.version("spatial-assets"),
            "home": str(home),
        }
        insert(con, "meta", [{"key": key, "value": value} for key, value in meta.items()])
        parquet_views(con, home)
        con.execute("use memory")
        con.execute("detach cache")
    finally:
        con.close()
        _remove(Path(f"{path}.tmp"))
        _remove(Path(f"{path}.wal"))


def _to_read(home: Path, states: Sequence[FileState], old: Path) -> tuple[frozenset[Identity], bool]:
    """What is to be read from the files, and whether that is everything: the old cache cannot be gone on with."""
    registered = {(SCENES, shard.key) for shard in registrations.shards(home)}
    everything = frozenset({state.identity for state in states if state.asset != RELEASE} | registered)
    try:
        with Lineage(home, ()) as looked:  # nothing is listed for it
            cached = looked.cached
        if cached:
            with Lineage(home) as lineage:
                place = lineage.con.execute("select value from cache.meta where key = 'home'").fetchone()
                changed = frozenset(key for key in lineage.changed if key[0] != RELEASE)
                # What is deleted leaves room behind in the file, so a cache that is mostly new is made anew.
                if place == (str(home),) and len(changed) <= len(everything) * MOSTLY:
                    return changed, False
    except (duckdb.Error, InputError) as error:
        _log.info("%s is made anew: %s", old, error)
    return everything, True


def _forget(con: duckdb.DuckDBPyConnection, changed: frozenset[Identity]) -> None:
    """Take out of the cache what will be read again, and all that is small."""
    rows = [{"asset": asset, "shard": shard} for asset, shard in sorted(changed)]
    given = pa.Table.from_pylist(  # noqa: F841 - DuckDB finds it by name
        rows, schema=pa.schema([("asset", pa.string()), ("shard", pa.string())])
    )
    con.execute("create temp table changed as select * from given")
    for table in LOADED:
        column = OWN_ASSET.get(table, "")
        if column:
            own = column.removeprefix("k.")
            con.execute(
                f"delete from cache.{table} where ({own}, shard) in (select (asset, shard) from changed)"
            )
        else:
            con.execute(
                f"delete from cache.{table} where shard in (select shard from changed where asset = '{SCENES}')"
            )
    for table in REPLACED:
        con.execute(f"delete from cache.{table}")
    for view in PARQUET_VIEWS:
        kind = con.execute(
            "select table_type from information_schema.tables "
            "where table_catalog = 'cache' and table_name = $name",
            {"name": view},
        ).fetchone()
        if kind is not None:
            con.execute(f"drop {'view' if kind == ('VIEW',) else 'table'} cache.{view}")


def _parts(changed: frozenset[Identity]) -> Iterator[frozenset[Identity]]:
    """What is read together: all of some shards, so that a home's size does not count."""
    of_shards: dict[str, set[Identity]] = {}
    for identity in changed:
        of_shards.setdefault(identity[1], set()).add(identity)
    keys = sorted(of_shards)
    for start in range(0, len(keys), SHARDS_AT_ONCE):
        yield frozenset().union(*(of_shards[key] for key in keys[start : start + SHARDS_AT_ONCE]))


class Lineage:
    """The tables of `lineage.duckdb` as they are now, over a connection in memory. Close it, or use `with`.

    Where some shards alone are asked about, the others are as the cache has them, and opening costs what those few do.
    """

    def __init__(self, home: Path, shards: Collection[str] | None = None) -> None:
        self.home = Path(home).resolve()
        self.shards = None if shards is None else frozenset(shards)
        self.con = duckdb.connect()
        states = file_states(self.home, self.shards)
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
            self.con.execute(f"attach '{quoted(plain_file(path))}' as cache (read_only)")
            version = self.con.execute("select value from cache.meta where key = 'schema'").fetchone()
            if version == (schema_version(),):
                text, given = "select path, bytes, mtime_ns, asset, shard from cache.built_from", {}
                if self.shards is not None:
                    text += f" where asset <> '{RELEASE}' and list_contains($shards, shard)"
                    given = {"shards": sorted(self.shards)}
                rows = self.con.execute(text, given).fetchall()
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
            registered = {shard.key for shard in registrations.shards(self.home)}
            shards |= (registered if self.shards is None else registered & self.shards) - known
        return differing | {(asset, shard) for asset in (SOURCES, SCENES) for shard in shards}

    def _define(self, releases: list[str]) -> None:
        con = self.con
        with _plainly(self.home):
            lake_views(con, self.home, self._read_anew())
            tombstone_table(con, self.home)
        release_views(con, self.home, [name for name in releases if self._is_fresh(name)])
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

    def _read_anew(self) -> frozenset[Identity] | None:
        """Of what the files themselves are read; None for all."""
        if self.cached:
            return self.changed
        if self.shards is None:
            return None
        return self.changed | {(SCENES, shard) for shard in self.shards}

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
