"""The lake: Parquet tables and scene files by shard, written whole or not at all.

    <home>/lake/<table>/shard=<key>/data.parquet      sorted rows, row groups of whole scenes
    <home>/lake/<kind>/shard=<key>/<scene>.<suffix>   one file a scene (meshes, visible faces)

What is in the lake is a function of the inputs alone: byte-identical for equal inputs, whatever the
order, the number of workers or the machine's clock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spatial_assets.scene.outputs import Rows
from spatial_assets.scene.tables import Table
from spatial_assets.storage.atomic import DamagedTable, replacing

KEPT_TABLES = 64
"""Tables of single scenes kept in memory: what all tasks read of the ten scenes read last."""
ROWS_PER_GROUP = 5000
"""A row group takes whole scenes until it has so many: a group costs more to write than fewer rows cost to
read past, and one for a whole shard would cost each of its scenes the reading of all."""
DAMAGED_ADVICE = "`build --rehash` sets it aside and makes it again"
COMPRESSION_LEVEL = 1
"""Of zstd: questions, budgets and visibility take no more room than at level 3, and less time."""
SAMPLED = 32
"""Places, evenly spaced over a column of texts, at each of which two values are looked at: where all differ, a
dictionary would save little."""
SMALL_TABLE = 1_000_000
"""Bytes of values. Below it LZ4 takes the place of zstd, which sets itself up for every column and needs longer for
that than for compressing a small table; shards of many scenes are larger."""


@contextmanager
def undamaged(path: Path) -> Iterator[None]:
    """Turns what Arrow says of a file that it cannot read into a DamagedTable that names the file."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's own
        what = " ".join(str(error).split())
        raise DamagedTable(f"{path}: cannot be read ({what}); {DAMAGED_ADVICE}") from error


class SchemaError(Exception):
    """Rows do not fit their table's declaration: an error of ours."""


def file_name(scene: str) -> str:
    """A scene's name as a file name: everything but letters, digits and `_.-~` is percent-encoded."""
    return quote(scene, safe="")


class Lake:
    """The tables and scene files under one home."""

    def __init__(self, home: Path) -> None:
        self.home = Path(home)
        self.root = self.home / "lake"
        self._kept: OrderedDict[tuple[object, ...], pl.DataFrame] = OrderedDict()

    def __reduce__(self) -> tuple[Callable[[Path], Lake], tuple[Path]]:
        """Another process gets what it kept of the lake itself, not a copy of what this one keeps."""
        return lake_of_process, (self.home,)

    def table_path(self, table: Table | str, shard: str) -> Path:
        return _table_path(self.root, table if isinstance(table, str) else table.name, shard)

    def file_path(self, kind: str, shard: str, scene: str) -> Path:
        """`kind` is a folder and a suffix, as in `meshes.ply`."""
        folder, suffix = kind.split(".", 1)
        return self.root / folder / f"shard={shard}" / f"{file_name(scene)}.{suffix}"

    def read(
        self, table: Table, shard: str, scene: str | None = None, columns: tuple[str, ...] | None = None
    ) -> pl.DataFrame:
        """Rows of a shard, or of one of its scenes; no rows where the table does not exist yet. All columns, or those
        named, in their order."""
        path = self.table_path(table, shard)
        try:
            stat = path.stat()
        except FileNotFoundError:
            return table.empty() if columns is None else table.empty().select(columns)
        key = (path, scene, columns, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if scene is not None and key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        with undamaged(path):
            rows = (
                pq.read_table(path, schema=table.schema, partitioning=None, columns=columns and list(columns))
                if scene is None
                else _read_scene(path, table.schema, scene, columns)
            )
        frame = pl.from_arrow(rows)
        assert isinstance(frame, pl.DataFrame)
        if scene is not None:
            self._kept[key] = frame
            if len(self._kept) > KEPT_TABLES:
                self._kept.popitem(last=False)
        return frame

    def shards(self, table: Table | str) -> list[str]:
        name = table if isinstance(table, str) else table.name
        found = (self.root / name).glob("shard=*/data.parquet")
        return sorted(path.parent.name.removeprefix("shard=") for path in found)


@lru_cache(maxsize=4096)
def _table_path(root: Path, name: str, shard: str) -> Path:
    return root / name / f"shard={shard}" / "data.parquet"


@cache
def lake_of_process(home: Path) -> Lake:
    """The one lake over a home that all work in a worker process shares."""
    return Lake(home)


def conform(table: Table, rows: Rows) -> pa.Table:
    """Rows as an Arrow table of the declared schema, sorted in the declared order.

    Raises SchemaError where a column is missing or surplus, a value does not convert, a null stands
    where none may, a number is NaN, or two rows share the key that orders them.
    """
    schema = table.schema
    try:
        if isinstance(rows, pl.DataFrame | pa.Table):
            given = list(rows.columns) if isinstance(rows, pl.DataFrame) else rows.column_names
            if sorted(given) != sorted(schema.names):
                raise SchemaError(_columns_differ(table, given))
            chosen = rows.select(schema.names)
            arrow = chosen.to_arrow() if isinstance(chosen, pl.DataFrame) else chosen
            arrow = arrow if arrow.schema == schema else arrow.cast(schema)
        elif rows:
            if sorted(rows[0]) != sorted(schema.names):
                raise SchemaError(_columns_differ(table, rows[0]))
            arrow = pa.Table.from_pylist(_sorted_rows(rows, table.order), schema=schema)
        else:
            return schema.empty_table()
        arrow = arrow.combine_chunks()
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise SchemaError(f"{table.name}: {error}") from error
    for field, column in zip(schema, arrow.columns, strict=True):
        if not field.nullable and column.null_count:
            raise SchemaError(f"{table.name}.{field.name}: null in a column that allows none")
        if _has_nan(column):
            raise SchemaError(f"{table.name}.{field.name}: NaN; write null for an unknown number")
    if arrow.num_rows > 1:
        places = pc.sort_indices(arrow, [(name, "ascending") for name in table.order]).to_numpy()
        if (places[1:] < places[:-1]).any():  # moving nested columns costs more than finding out
            arrow = arrow.take(places).combine_chunks()
        if _has_equal_neighbors(arrow.select(list(table.order))):
            raise SchemaError(f"{table.name}: two rows share {', '.join(table.order)}")
    return arrow


def _sorted_rows(rows: Sequence[Mapping[str, Any]], order: Sequence[str]) -> list[Mapping[str, Any]]:
    """Rows as Arrow would sort them, which moves nested columns at several times the cost; nulls are left to it."""
    keys = [[row[name] for name in order] for row in rows]
    if any(None in key for key in keys):
        return list(rows)
    return [rows[place] for place in sorted(range(len(rows)), key=keys.__getitem__)]


def _has_equal_neighbors(keys: pa.Table) -> bool:
    """Whether two rows that stand next to each other are equal in all columns."""
    equal: pa.Array | None = None
    for column in reversed(
        keys.columns
    ):  # the last tells most rows apart, and then nothing else is looked at
        values = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        one, other = values.slice(0, len(values) - 1), values.slice(1)
        same = pc.equal(one, other)
        if values.null_count:
            same = pc.fill_null(same, False)
            same = pc.or_(same, pc.and_(one.is_null(), other.is_null()))
        equal = same if equal is None else pc.and_(equal, same)
        if not pc.any(equal).as_py():
            return False
    return True


def _columns_differ(table: Table, given: Iterable[str]) -> str:
    declared, found = set(table.schema.names), set(given)
    return f"{table.name}: columns missing {sorted(declared - found)}, surplus {sorted(found - declared)}"


def _has_nan(column: pa.ChunkedArray | pa.Array) -> bool:
    kind = column.type
    if pa.types.is_floating(kind):
        return bool(pc.any(pc.is_nan(column)).as_py())
    if pa.types.is_list(kind):
        chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        return any(_has_nan(chunk.flatten()) for chunk in chunks)
    return False


def write_parquet(path: Path, arrow: pa.Table) -> None:
    """Write a table under a temporary name, in row groups of whole scenes, and rename it into place."""
    small = _is_small(arrow)
    codec: dict[str, Any] = (
        {"compression": "lz4", "use_dictionary": False}
        if small
        else {
            "compression": "zstd",
            "compression_level": COMPRESSION_LEVEL,
            "use_dictionary": _repeating(arrow),
        }
    )
    # What finds a scene's row groups. Whoever looks for something else reads all of a shard.
    codec["write_statistics"] = [name for name in ("scene",) if name in arrow.schema.names]
    with replacing(path) as temporary:
        # Arrow takes longer to open a file than to encode a small table, so those are encoded in memory.
        memory = pa.BufferOutputStream()
        with pq.ParquetWriter(memory if small else temporary, arrow.schema, **codec) as writer:
            for start, length in _runs(arrow):
                # In one piece: where Arrow begins a page depends on where the pieces of a column begin.
                group = arrow.slice(start, length).combine_chunks()
                writer.write_table(group, row_group_size=max(length, 1))
        if small:
            temporary.write_bytes(memory.getvalue())


def _is_small(arrow: pa.Table) -> bool:
    """Whether a table's values take little room.

    `nbytes` would not do: it tells equal tables apart by their pieces, and by bitmaps that say that nothing is null.
    """
    size = 0
    for column in arrow.columns:
        size += sum(map(_bytes_of_values, column.chunks))
        if size >= SMALL_TABLE:
            return False
    return True


def _bytes_of_values(array: pa.Array) -> int:
    kind = array.type
    if pa.types.is_struct(kind):
        return sum(map(_bytes_of_values, array.flatten()))
    if pa.types.is_map(kind):
        ends = array.offsets
        begin, count = (ends[0].as_py(), ends[-1].as_py() - ends[0].as_py()) if len(array) else (0, 0)
        return 4 * len(array) + sum(
            _bytes_of_values(part.slice(begin, count)) for part in (array.keys, array.items)
        )
    if pa.types.is_list(kind):
        return 4 * len(array) + _bytes_of_values(array.flatten())
    if pa.types.is_string(kind):
        return 4 * len(array) + int(pc.sum(pc.binary_length(array)).as_py() or 0)
    return len(array) * int(kind.bit_width) // 8


def _repeating(arrow: pa.Table) -> list[str]:
    """Paths of the Parquet columns of texts that repeat, which a dictionary makes smaller; of numbers it seldom does.

    Texts in lists stand for roles, frames and the like, and are taken to repeat.
    """
    return [
        path
        for field, column in zip(arrow.schema, arrow.columns, strict=True)
        if not (pa.types.is_string(field.type) and _all_differ(column))
        for path in _texts(field.name, field.type)
    ]


def _all_differ(column: pa.ChunkedArray) -> bool:
    seen: set[str | None] = set()
    for begin in range(0, len(column), max(2, -(-len(column) // SAMPLED))):
        # Two neighbors, since where rows are sorted by a column, equal ones stand side by side.
        for place in range(begin, min(begin + 2, len(column))):
            if (value := column[place].as_py()) in seen:
                return False
            seen.add(value)
    return True


def _texts(path: str, kind: pa.DataType) -> Iterator[str]:
    """Paths, as Parquet names them, of the texts in a column."""
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _texts(f"{path}.{field.name}", field.type)
    elif pa.types.is_list(kind):
        yield from _texts(f"{path}.list.element", kind.value_type)
    elif pa.types.is_string(kind):
        yield path


def read_small(path: Path) -> pa.Table:
    """A whole file, by the reader that takes least to set up and uses one thread."""
    with pq.ParquetFile(path) as file:
        return file.read(use_threads=False)


def _read_scene(
    path: Path, schema: pa.Schema, scene: str, columns: tuple[str, ...] | None = None
) -> pa.Table:
    """A scene's rows of a table sorted by scene, of the row groups that may hold them."""
    wanted = None if columns is None else list(dict.fromkeys((*columns, "scene")))
    with pq.ParquetFile(path) as file:
        if file.schema_arrow != schema:
            rows = pq.read_table(
                path, filters=[("scene", "==", scene)], schema=schema, partitioning=None, columns=wanted
            )
            return rows if columns is None else rows.select(list(columns))
        column = schema.get_field_index(
            "scene"
        )  # all before it are plain, so it is the same among the leaves
        groups = []
        for group in range(file.num_row_groups):
            ends = file.metadata.row_group(group).column(column).statistics
            if ends is None or not ends.has_min_max or ends.min <= scene <= ends.max:
                groups.append(group)
        rows = (
            file.read_row_groups(groups, columns=wanted, use_threads=False)
            if groups
            else schema.empty_table()
        )
    places = np.flatnonzero(pc.equal(rows.column("scene"), scene).to_numpy())
    if columns is not None:
        rows = rows.select(list(columns))
    return rows.slice(places[0], len(places)) if len(places) else rows.slice(0, 0)


def _runs(arrow: pa.Table) -> list[tuple[int, int]]:
    """Start and length of each row group: of whole scenes, so that one reads past few rows of its neighbors."""
    if "scene" not in arrow.schema.names or arrow.num_rows == 0:
        return [(0, arrow.num_rows)]
    runs: list[tuple[int, int]] = []
    for start, length in _scene_runs(arrow):
        if runs and runs[-1][1] < ROWS_PER_GROUP:
            runs[-1] = (runs[-1][0], runs[-1][1] + length)
        else:
            runs.append((start, length))
    return runs


def _scene_runs(arrow: pa.Table) -> list[tuple[int, int]]:
    """Start and length of each run of equal scenes, of a table sorted by scene."""
    scenes = arrow.column("scene")
    if scenes[0].equals(scenes[-1]):
        return [(0, len(scenes))]
    ends = pc.run_end_encode(scenes.combine_chunks()).run_ends.to_pylist()
    return [(start, end - start) for start, end in pairwise([0, *ends])]


def with_scenes(arrow: pa.Table, pieces: Mapping[str, pa.Table | None]) -> pa.Table:
    """A table sorted by scene with its rows of some scenes replaced: None where a scene has none any more."""
    scenes = arrow.column("scene")
    parts, copied = [arrow.slice(0, 0)], 0
    for scene, piece in sorted(pieces.items()):
        start, end = (_place(scenes, scene, after) for after in (False, True))
        parts += [arrow.slice(copied, start - copied), arrow.slice(0, 0) if piece is None else piece]
        copied = end
    return pa.concat_tables([*parts, arrow.slice(copied)])


def _place(scenes: pa.ChunkedArray, scene: str, after: bool) -> int:
    """Where a scene's rows begin, or end, in a sorted column."""
    find = bisect_right if after else bisect_left
    return find(range(len(scenes)), scene, key=lambda place: scenes[place].as_py())


def by_scene(arrow: pa.Table) -> dict[str, pa.Table]:
    """A table's rows by scene, of a table sorted by scene."""
    return {
        arrow.column("scene")[start].as_py(): arrow.slice(start, length)
        for start, length in (_scene_runs(arrow) if arrow.num_rows else [])
    }
