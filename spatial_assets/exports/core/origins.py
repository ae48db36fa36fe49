"""Where the records of a published layout come from: `ids.parquet` beside them, and what no longer fits it.

Such a layout has no room for all that is ours, and a reader of it finds nothing wrong with an answer that is another
question's. The table has of each record its file or folder, its id there, our own row's id, origin and answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from spatial_assets.exports.core.base import Question
from spatial_assets.exports.core.files import sound
from spatial_assets.exports.core.ids import IDS
from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import naming

FROM_THE_ROW = ("dataset", "release", "scene", "license", "task", "format", "answer")
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("file", "id", "qa_id", "split", *FROM_THE_ROW)),
        ("images", pa.int32()),
    ]
)
ROWS = 512
"""Held before they are written."""
COMPRESSION = {"compression": "zstd", "compression_level": 1}
ID = re.compile(r"[0-9a-f]{16,}")
DIGITS = 16
"""Hexadecimal, of a row's id: what is compared by. Two of a million share them in 1 of 10^7 releases."""
SHOWN, TOLD = 60, 100
"""Characters of an answer that a line shows, and problems that are told one by one."""


class Origins:
    """Writes the table while records are written."""

    def __init__(self, out: Path) -> None:
        self._path = out / IDS
        self._held: list[tuple[Any, ...]] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, question: Question, file: str, own: str) -> None:
        """A question whose record has its `own` id in a file, or among those of a folder, below the export's."""
        row = question.row
        names = [row[name] for name in FROM_THE_ROW]
        self._held.append((file, own, row["qa_id"], question.split, *names, len(question.shots)))
        if len(self._held) == ROWS:
            self._flush()

    def _flush(self) -> None:
        columns = zip(*self._held, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
        self._held.clear()
        with naming(self._path):
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._path, SCHEMA, **COMPRESSION)
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))

    def __enter__(self) -> Origins:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._held:
                self._flush()
        finally:
            if self._writer is not None:
                # What stopped the block may stop this too, and is the one to be told of.
                with suppress(OSError) if kind else naming(self._path):
                    self._writer.close()


class Looked(Protocol):
    """What is wrong with a tree, and what could not be looked at."""

    problems: list[str]
    notes: list[str]


def compare(path: Path, rows: Iterable[Mapping[str, Any]], found: Looked) -> None:
    """Adds to what was found of a tree what `problems` says of its rows.

    Only where all else fits: a broken file's rows do not come back.
    """
    if found.problems or not path.is_dir():
        return
    try:
        found.problems += problems(path, rows)
    except InputError:
        # Readers of the layout need no field of ours, and without it nothing says which row a record is.
        found.notes.append(f"answers were not compared with {IDS}: not all records say whose they are")


def problems(root: Path, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each row that came back with another answer than the table has, or that it does not have, and how many
    did not come back. Nothing where there is no table.

    A row that is written in two layouts comes back from both, and is one.
    """
    path = root / IDS
    if not path.is_file():
        return
    try:
        keys, answers = _known(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        yield str(InputError(path, f"not as this export writes it: {error}", "malformed_file"))
        return
    met = np.zeros(len(keys), np.bool_)
    count = 0
    for row in rows:
        key = _key(row["qa_id"])
        place = len(keys) if key is None else int(np.searchsorted(keys, key))
        if place == len(keys) or keys[place] != key:
            what = f"{row['qa_id']}: is not in {IDS}"
        elif answers[place] != _hash(row["answer"]):
            met[place] = True
            what = f"{row['qa_id']}: answers {str(row['answer'])[:SHOWN]!r}, which is not what {IDS} has"
        else:
            met[place] = True
            continue
        count += 1
        if count <= TOLD:
            yield what
    if count > TOLD:
        yield f"{count - TOLD:,} more differ from {IDS}"
    if not met.all():
        yield f"{int((~met).sum()):,} of {len(met):,} questions that {IDS} has are not there"


def _known(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Keys of the rows in ascending order, (N,), and hashes of their answers, (N,). Raises ValueError for none."""
    held = pq.read_schema(path)
    for name in ("qa_id", "answer"):
        if name not in held.names or held.field(name).type != pa.string():
            raise ValueError(f"it has no texts {name}")
    keys, answers = [], []
    for batch in pq.ParquetFile(path).iter_batches(ROWS, columns=["qa_id", "answer"]):
        own = [_key(qa_id) for qa_id in batch.column("qa_id").to_pylist()]
        if None in own:
            raise ValueError("its column qa_id is not of ids")
        keys.append(np.array(own, np.uint64))
        answers.append(np.array([_hash(answer) for answer in batch.column("answer").to_pylist()], np.uint64))
    if not keys:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint64)
    found, first = np.unique(np.concatenate(keys), return_index=True)
    return found, np.concatenate(answers)[first]


def _key(qa_id: Any) -> np.uint64 | None:
    """None for what is no id of a row."""
    if not isinstance(qa_id, str) or not ID.fullmatch(qa_id):
        return None
    return np.uint64(int(qa_id[:DIGITS], 16))


def _hash(text: str | None) -> np.uint64:
    data = sound(text or "").encode()
    return np.frombuffer(hashlib.blake2b(data, digest_size=8).digest(), np.uint64)[0]
