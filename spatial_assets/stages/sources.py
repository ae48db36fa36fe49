"""The files that scenes are read from: paths, sizes and hashes of their bytes.

A file is hashed again only if its size, mtime or ctime differs from what was recorded when it was last
hashed, or if rehashing is asked for. Of an object its version takes their place (see `storage.fetched_paths`).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from stat import S_ISREG
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from spatial_assets.readers import descriptions
from spatial_assets.readers.registry import module_of, reader
from spatial_assets.scene import tables
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import InputError
from spatial_assets.scene.outputs import SceneOutputs, Tally
from spatial_assets.scene.parameters import NoParameters
from spatial_assets.scene.refs import SceneRef, Shard, SourceFile
from spatial_assets.stages.stage import Stage
from spatial_assets.storage.fetched_paths import NOWHERE, FetchedPath
from spatial_assets.storage.hashing import hash_file, hash_text
from spatial_assets.storage.lake import write_parquet

NAME = "sources"
FILES = pa.schema(
    [("path", pa.string()), ("bytes", pa.int64()), ("mtime_ns", pa.int64()), ("ctime_ns", pa.int64()),
     ("sha256", pa.string()), ("version", pa.string())]
)  # fmt: skip
"""Records of files, which are exempt from the lake's equal bytes because they hold times."""

LOOKS = 3
"""How often a file is read that is another when it has been read: one replacement is no reason to reject a scene."""
State = tuple[int, int, int, str]
"""Size, mtime and ctime of a file, as the operating system says, and the version of what is an object."""


def files_path(home: Path, shard: str) -> Path:
    return home / "records" / "files" / f"shard={shard}.parquet"


class SourceWatch:
    """The state of a shard's files, against what is recorded of them."""

    def __init__(self, home: Path, shard: Shard, rehash: bool) -> None:
        self.path = files_path(home, shard.key)
        self.shard = shard
        self.reader = reader(shard.dataset)
        self.known: dict[str, tuple[State, str]] = {}
        self.trusted = not rehash
        for row in _kept_states(self.path):
            state = (row["bytes"], row["mtime_ns"], row["ctime_ns"], row.get("version") or "")
            self.known[row["path"]] = (state, row["sha256"])
        self.checked: dict[str, tuple[State, str]] = {}
        self.listings: dict[str, list[SourceFile] | InputError] = {}

    @cached_property
    def _descriptions(self) -> list[SourceFile]:
        """The same of all scenes."""
        return descriptions.source_files(self.shard.root)

    def fingerprint(self, ref: SceneRef) -> str:
        listing = self._list(ref)
        if isinstance(self.shard.root, FetchedPath):
            self.shard.root.tell_trouble()
        self.listings[ref.name] = listing
        if isinstance(listing, InputError):
            return hash_text("rejected", listing.reason, str(listing))
        return hash_text(
            *(part for file in listing for part in (file.path, file.role, self._hash(file.path)))
        )

    def _list(self, ref: SceneRef) -> list[SourceFile] | InputError:
        try:
            own = self.reader.source_files(self.shard.root, ref)
            listing = sorted([*own, *self._descriptions], key=lambda file: file.path)
            if isinstance(self.shard.root, FetchedPath):
                self._bring(self.shard.root, listing)
            for file in listing:
                if not file.path.isascii():
                    _check_name(file.path)
                self._hash(file.path)
        except InputError as error:
            if error.reason == NOWHERE:
                raise
            return error
        return listing

    def _bring(self, root: FetchedPath, listing: list[SourceFile]) -> None:
        """Have here, many at once, the objects whose hash is not known."""
        paths = [file.path for file in listing if file.path not in self.checked]
        new = [path for path in paths if self._recorded(path, _state(path, root / path)) is None]
        root.fetch(path for path in new if not self.trusted or not (root / path).is_hashed)

    def _hash(self, path: str) -> str:
        if path not in self.checked:
            try:
                self.checked[path] = self._state_and_hash(path)
            except OSError as error:
                raise InputError(path, f"cannot be read: {error.strerror}", "unreadable_file") from None
        return self.checked[path][1]

    def _state_and_hash(self, path: str) -> tuple[State, str]:
        """A file's hash, with the state that it had before and after it was read."""
        file = self.shard.root / path
        state = _state(path, file)
        known = self._recorded(path, state)
        if known is not None:
            return known
        for _ in range(LOOKS):
            found = file.content_hash(not self.trusted) if isinstance(file, FetchedPath) else hash_file(file)
            before, state = state, _state(path, file)
            if before == state:
                return state, found
        raise InputError(path, "changes while it is read; is it still being copied?", "unreadable_file")

    def _recorded(self, path: str, state: State) -> tuple[State, str] | None:
        """What is recorded of a file, if it is as it was then."""
        known = self.known.get(path)
        return known if self.trusted and known is not None and known[0] == state else None

    def compute(self, inputs: SceneInputs, parameters: BaseModel) -> SceneOutputs:
        listing = self.listings[inputs.ref.name]
        if isinstance(listing, InputError):
            raise listing
        rows = [
            {
                **inputs.which,
                "license": self.shard.license,
                "path": file.path,
                "role": file.role,
                "bytes": self.checked[file.path][0][0],
                "sha256": self.checked[file.path][1],
            }
            for file in listing
        ]
        return SceneOutputs({tables.SOURCES.name: rows}, tallies=[Tally("files", len(rows), len(rows))])

    def close(self) -> None:
        merged = {**self.known, **self.checked}
        if merged != self.known:
            rows = [
                {"path": path, "bytes": state[0], "mtime_ns": state[1], "ctime_ns": state[2], "sha256": sha,
                 "version": state[3] or None}
                for path, (state, sha) in sorted(merged.items())
            ]  # fmt: skip
            write_parquet(self.path, pa.Table.from_pylist(rows, schema=FILES))


def _kept_states(path: Path) -> list[dict[str, Any]]:
    """What is recorded of files; nothing where that is cut off, and all of them are hashed again."""
    try:
        rows: list[dict[str, Any]] = (
            pq.read_table(path, partitioning=None).to_pylist() if path.exists() else []
        )
    except (pa.ArrowException, OSError):
        return []
    return rows


def _state(path: str, file: Path) -> State:
    """Raises InputError for what is no file, such as a pipe, which would be waited for."""
    stat = file.stat()
    if not S_ISREG(stat.st_mode):
        raise InputError(path, "neither a file nor a link to one", "unreadable_file")
    version = file.version if isinstance(file, FetchedPath) else ""
    return (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, version)


def _check_name(path: str) -> None:
    """Raises InputError for a name that no table can hold: bytes that are not UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        shown = path.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise InputError(shown, "the file's name is not UTF-8", "unreadable_file") from None


STAGE = Stage(
    name=NAME,
    reads=(),
    writes=(tables.SOURCES,),
    parameters=lambda dataset: NoParameters(),
    compute=None,
    external=SourceWatch,
    opens_files=True,
    modules=lambda dataset: (__name__, module_of(dataset)),
)
