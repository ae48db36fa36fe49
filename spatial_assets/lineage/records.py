"""The record of how each scene's rows came about, per asset and shard.

    <home>/records/<asset>/shard=<key>.parquet

Beside hashes it holds run id, host, times and versions, so it is exempt from the lake's rule of equal
bytes for equal inputs. Rows reach it by joining on asset, shard and scene.
"""

from __future__ import annotations

import json
import subprocess
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from platform import node, python_version
from typing import Any, TypeAlias, cast

import pyarrow as pa

from spatial_assets.lineage import tombstones
from spatial_assets.scene.model import InputError
from spatial_assets.storage.hashing import hash_text
from spatial_assets.storage.lake import read_small, write_parquet

VERSIONED = ("spatial-assets", "dagster", "duckdb", "numba", "numpy", "open3d-cpu", "open3d", "polars",
             "pyarrow", "scipy", "shapely")  # fmt: skip
"""Packages whose versions are recorded, where they are installed."""
CHECKOUT = Path(__file__).resolve().parents[2]
GIT_SECONDS = 5.0
"""Asking git takes milliseconds; on a file system that does not answer, the record goes without a commit."""

SCHEMA = pa.schema(
    [
        ("asset", pa.string()),
        ("shard", pa.string()),
        ("scene", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("input_hash", pa.string()),
        ("output_hash", pa.string()),
        ("inputs", pa.map_(pa.string(), pa.string())),
        ("outputs", pa.map_(pa.string(), pa.string())),
        ("rows", pa.map_(pa.string(), pa.int64())),
        ("code_version", pa.string()),
        ("parameters", pa.string()),
        ("seconds", pa.float64()),
        ("started", pa.string()),
        ("ended", pa.string()),
        ("run_id", pa.string()),
        ("host", pa.string()),
        ("versions", pa.map_(pa.string(), pa.string())),
        ("commit", pa.string()),
        ("lease", pa.string()),
    ]
)

KEPT_FILES = 128
"""Of records, in memory: of all stages of one shard."""
PENDING_SUFFIX = ".scene"
"""Of the file that holds a scene which is finished and not in its shard's tables yet; its first line is the record."""

DONE, REJECTED, BLOCKED = "done", "rejected", "blocked"
"""Finished; rejected for what its input is; blocked, since an asset upstream rejected the scene."""


@cache
def package_versions() -> dict[str, str]:
    found = {"python": python_version()}
    for name in VERSIONED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def checkout_commit() -> str:
    """The commit that this package stands at, with a `+` where its files differ from it."""
    # A wheel may be installed somewhere inside another project's repository, whose commit says nothing.
    if not (CHECKOUT / ".git").exists():
        return ""
    try:
        commit = _git("rev-parse", "HEAD").strip()
        changed = _git("status", "--porcelain", "--", "spatial_assets", "sql").strip()
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{commit}+" if changed else commit


def _git(*words: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(CHECKOUT), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=GIT_SECONDS)
    return done.stdout


@dataclass(frozen=True)
class Record:
    asset: str
    shard: str
    scene: str
    status: str
    input_hash: str
    output_hash: str
    inputs: Mapping[str, str]
    """Table or kind of file read, to its content hash."""
    outputs: Mapping[str, str]
    """Table or kind of file written, to its content hash."""
    rows: Mapping[str, int]
    code_version: str
    parameters: str
    """JSON."""
    seconds: float
    started: str
    ended: str
    run_id: str
    reason: str = ""
    detail: str = ""
    host: str = field(default_factory=node)
    versions: Mapping[str, str] = field(default_factory=package_versions)
    commit: str = field(default_factory=checkout_commit)
    """Of the checkout that the code ran from; `+` behind it where files differed; empty for a wheel."""
    lease: str = ""
    """Under which it was committed (see `storage.leases`); records of before there were leases name none."""


Kept: TypeAlias = tuple[tuple[int, ...], dict[str, Record]]
"""Inode, size and time of a file, and what it holds by scene."""


def output_hash(outputs: Mapping[str, str]) -> str:
    """One hash of everything a scene's computation wrote."""
    return hash_text(*(part for name in sorted(outputs) for part in (name, outputs[name])))


def to_line(record: Record, **more: Any) -> bytes:
    """The line of JSON that a scene's pending file begins with; `more` stands beside the record."""
    return json.dumps({"record": _row(record), **more}).encode() + b"\n"


def from_line(line: bytes) -> tuple[Record, dict[str, Any]]:
    """The record, and what stands beside it. Raises ValueError, TypeError or KeyError for another line."""
    if not line.endswith(b"\n"):
        raise ValueError("the line is cut short")
    held = json.loads(line)
    return _record(held.pop("record")), held


def _row(record: Record) -> dict[str, Any]:
    """A record's fields by name."""
    # Not `dataclasses.asdict`, which copies every mapping in it, entry by entry.
    return dict(vars(record))


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    columns = [_values(column.combine_chunks()) for column in table.columns]
    return [dict(zip(table.column_names, values, strict=True)) for values in zip(*columns, strict=True)]


def _values(array: pa.Array) -> list[Any]:
    """A column as Python has it, maps as dictionaries: Arrow makes an object of every entry first."""
    if not pa.types.is_map(array.type) or array.null_count:
        return cast("list[Any]", array.to_pylist(maps_as_pydicts="strict"))
    keys, values, ends = array.keys.to_pylist(), array.items.to_pylist(), array.offsets.to_pylist()
    return [dict(zip(keys[a:b], values[a:b], strict=True)) for a, b in pairwise(ends)]


def _record(row: dict[str, Any]) -> Record:
    """Records of before there were commits have none, which is not the commit of today."""
    return Record(**{"commit": "", **{name: value for name, value in row.items() if value is not None}})


def record_path(home: Path, asset: str, shard: str) -> Path:
    return Path(home) / "records" / asset / f"shard={shard}.parquet"


def load(home: Path, asset: str, shard: str) -> dict[str, Record]:
    """Records of a shard by scene; none where the asset has not run on it."""
    path = record_path(home, asset, shard)
    try:
        version = _version(path)
    except FileNotFoundError:
        return {}
    # A file is never changed, only replaced: each stage of a suite reads those of what is upstream.
    held = _kept.get(path)
    if held is None or held[0] != version:
        try:
            rows = _rows(read_small(path))
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's own
            what = " ".join(str(error).split())
            raise InputError(
                path, f"cannot be read ({what}); `build` sets it aside and makes it again"
            ) from None
        held = _keep(path, version, {row["scene"]: _record(row) for row in rows})
    return dict(held[1])


_kept: OrderedDict[Path, Kept] = OrderedDict()


def _version(path: Path) -> tuple[int, ...]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _keep(path: Path, version: tuple[int, ...], records: dict[str, Record]) -> Kept:
    kept = version, records
    # In steps that each hold by themselves: stages of a suite save theirs in several threads.
    _kept.pop(path, None)
    _kept[path] = kept
    if len(_kept) > KEPT_FILES:
        _kept.popitem(last=False)
    return kept


def written_since(home: Path, path: Path) -> list[str]:
    """Shards of which something was recorded after a file was made, sorted; none where it was never made."""
    if not path.exists():
        return []
    made = path.stat().st_mtime_ns
    found = (Path(home) / "records").glob("*/shard=*.parquet")
    return sorted({item.stem.removeprefix("shard=") for item in found if item.stat().st_mtime_ns > made})


def save(home: Path, asset: str, shard: str, records: Mapping[str, Record]) -> None:
    """Replace the records of a shard. A scene whose files were there before and are no more leaves a tombstone."""
    if asset == tombstones.SOURCES:
        before = {scene: record.status == DONE for scene, record in load(home, asset, shard).items()}
        tombstones.note(home, shard, before, [_row(records[scene]) for scene in sorted(records)], DONE)
    rows = [_row(records[scene]) for scene in sorted(records)]
    path = record_path(home, asset, shard)
    write_parquet(path, pa.Table.from_pylist(rows, schema=SCHEMA))
    _keep(path, _version(path), {scene: records[scene] for scene in sorted(records)})
