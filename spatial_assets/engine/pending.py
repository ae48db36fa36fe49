"""Finished scenes that are not in their shard's tables yet, so that whoever is killed loses at most one.

`<home>/pending/<stage>/<shard>/<scene>.scene` is one file, which comes there by one rename and goes by one
removal: a line of JSON (the record, and how many bytes each part has), then the parts, which are tables as Arrow
streams and scene files as they are. A suite commits dozens of small tables a scene; as a Parquet file each they
would cost more than the questions in them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from spatial_assets.lineage import records
from spatial_assets.lineage.records import Record
from spatial_assets.storage.atomic import check_fences, naming, remove, removing_in, replacing
from spatial_assets.storage.lake import file_name

_log = logging.getLogger(__name__)


def packed(table: pa.Table) -> bytes:
    """A table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@dataclass(frozen=True)
class Entry:
    """A finished scene, as far as it is read at once."""

    record: Record
    loading: float | None
    """Seconds that loading what it shared with its suite took; None where nothing was shared."""
    places: Mapping[str, tuple[int, int]]
    """Where each part begins in the file, and its bytes."""


class Pending:
    """What is pending for one stage of one shard; that stage's lock on the shard must be held."""

    def __init__(self, home: Path, stage: str, shard: str) -> None:
        self.root = home / "pending" / stage / shard
        self._entries: dict[str, Entry] = {}

    def load(self) -> dict[str, Entry]:
        """The finished scenes; whatever else lies there, as an interrupted call may leave it, is removed."""
        self._entries = {}
        if self.root.is_dir():
            check_fences()
            for path in sorted(self.root.iterdir()):
                if path == removing_in(self.root):
                    continue
                entry = (
                    _read(path)
                    if path.suffix == records.PENDING_SUFFIX and not path.name.startswith(".")
                    else None
                )
                if entry is None or path != self._path(entry.record.scene):
                    _log.warning("%s is not whole and is removed", path)
                    _remove(path)
                else:
                    self._entries[entry.record.scene] = entry
        return dict(self._entries)

    def table(self, scene: str, table: str) -> pa.Table | None:
        """A table of a scene that `load` found; None where it wrote none."""
        data = self._part(scene, table)
        return None if data is None else pa.ipc.open_stream(data).read_all()

    def place_file(self, scene: str, kind: str, target: Path) -> None:
        """Put a file of a scene that `load` found where it belongs, or remove what stands there if it wrote none."""
        data = self._part(scene, kind)
        if data is None:
            if target.exists():
                remove(target)
            return
        with replacing(target) as temporary:
            temporary.write_bytes(data)

    def put(self, record: Record, parts: Mapping[str, bytes], loading: float | None = None) -> None:
        """Put down a finished scene. Raises OSError that names its file where the disk does not take it."""
        lengths = {name: len(data) for name, data in parts.items()}
        with replacing(self._path(record.scene)) as temporary, temporary.open("wb") as file:
            file.write(records.to_line(record, loading=loading, parts=lengths))
            for data in parts.values():
                file.write(data)

    def drop(self, scene: str) -> None:
        if (path := self._path(scene)).exists():
            remove(path, keep=True)

    def tidy(self) -> None:
        """Remove the folders that hold nothing any more."""
        check_fences()
        for folder in (removing_in(self.root), self.root, self.root.parent, self.root.parent.parent):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _part(self, scene: str, name: str) -> bytes | None:
        place = self._entries[scene].places.get(name)
        if place is None:
            return None
        with self._path(scene).open("rb") as file:
            file.seek(place[0])
            return file.read(place[1])

    def _path(self, scene: str) -> Path:
        return self.root / f"{file_name(scene)}{records.PENDING_SUFFIX}"


def _read(path: Path) -> Entry | None:
    """None for a file that is not whole, or of another making."""
    try:
        with path.open("rb") as file:
            line = file.readline()
            record, header = records.from_line(line)
            places: dict[str, tuple[int, int]] = {}
            begin = len(line)
            for name, length in header["parts"].items():
                places[name] = (begin, length)
                begin += length
            whole = begin == os.fstat(file.fileno()).st_size
            return Entry(record, header["loading"], places) if whole else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _remove(path: Path) -> None:
    with naming(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
