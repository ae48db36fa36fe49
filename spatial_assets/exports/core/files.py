"""Files that several formats write alike: one file a split or numbered shards of it, lists of JSON records, tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import naming

T = TypeVar("T")
LARGEST = 1e15
"""Of numbers in JSON that are taken for meant: neither infinite nor beyond what a float holds exactly."""


def write_shards(
    out: Path,
    stem: str,
    suffix: str,
    items: Iterable[T],
    count: int,
    shards: int,
    write: Callable[[Path, Iterator[T]], None],
) -> None:
    """Write `count` items to `<stem><suffix>`, or evenly and in order to `<stem>-00000-of-00004<suffix>` and so on.

    `write` gets a file's path and its items, all of which it takes. There are never more files than items.
    """
    left = iter(items)
    shards = max(1, min(shards, count))
    for number in range(shards):
        name = stem if shards == 1 else f"{stem}-{number:05d}-of-{shards:05d}"
        size = (number + 1) * count // shards - number * count // shards
        write(out / f"{name}{suffix}", islice(left, size))


def write_json_list(path: Path, records: Iterable[Any]) -> None:
    """A JSON list, a record a line, written as the records come."""
    with naming(path), path.open("w", encoding="utf-8", newline="\n") as file:
        between = "[\n"
        for record in records:
            file.write(between + json.dumps(record, ensure_ascii=False, separators=(",", ":")))
            between = ",\n"
        file.write("[]\n" if between == "[\n" else "\n]\n")


class Table:
    """A Parquet file that is written as rows come. What stops it names it."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path, self._schema = path, schema
        with naming(path):
            self._writer = pq.ParquetWriter(path, schema, compression="zstd")

    def __enter__(self) -> Table:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What stopped the block may stop this too, and is the one to be told of.
        with suppress(OSError) if kind else naming(self._path):
            self._writer.close()

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        with naming(self._path):
            self._writer.write_table(pa.Table.from_pylist(list(rows), self._schema))


def read_json(path: Path) -> Any:
    """Raises InputError for a file that is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}", "unreadable_file") from None
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"not JSON: {str(error).splitlines()[0]}", "malformed_file") from None


def sound(text: str) -> str:
    """A text with `?` for halves of characters, which JSON can say and no file can hold; any other as it is."""
    return text.encode("utf-8", "replace").decode("utf-8")


def is_number(value: Any, least: float = -LARGEST) -> bool:
    """Whether a value of JSON is a number that one can compute with, and not less."""
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value < LARGEST


def found(path: Path, suffix: str) -> list[Path]:
    """The files of an export: the path itself, or those with the suffix in the folder, sorted.

    Raises InputError where there is none.
    """
    if path.is_file():
        return [path]
    files = sorted(path.glob(f"*{suffix}"))
    if not files:
        raise InputError(path, f"no {suffix} file is there" if path.is_dir() else "not there", "missing_file")
    return files
