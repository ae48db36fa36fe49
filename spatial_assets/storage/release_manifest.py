"""Where a release stands, and the manifest that says all of it: hashes, counts, parameters, licenses.

    <home>/releases/<name>/manifest.json                what the release is; its id is the hash of this
    <home>/releases/<name>/README.md                    the same for people: a data card
    <home>/releases/<name>/scenes.parquet               rows by split, task and scene
    <home>/releases/<name>/data/<split>/<task>.parquet  the questions, sorted by dataset, release and scene
    <home>/releases/<name>/provenance.json              code versions, commits, runs, hosts: not part of the id

Everything but the provenance is a function of the lake and of what was asked for, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa

from spatial_assets.scene.model import InputError
from spatial_assets.scene.suggestions import instead
from spatial_assets.storage.plain_paths import plain

FORMAT = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*$")
MANIFEST, CARD, SCENES, PROVENANCE = "manifest.json", "README.md", "scenes.parquet", "provenance.json"
SCENE_ROWS = pa.schema(
    [(name, pa.string()) for name in ("split", "task", "dataset", "release", "scene", "space")]
    + [("rows", pa.int64())]
)
NOT_HASHED = ("name", "id", "files")
"""A release under another name is the same release; the files' hashes stand in for them, card aside."""


def folder(home: Path, name: str) -> Path:
    """Raises ValueError for what cannot be a release's name."""
    if not NAME.match(name):
        raise ValueError(f"release {name!r}: only letters, digits, '_', '.' and '-' can stand in a name")
    return Path(home) / "releases" / name


def scenes_path(home: Path, name: str) -> Path:
    return folder(home, name) / SCENES


def data_files(home: Path, name: str) -> list[str]:
    """The files of its questions, sorted, as DuckDB takes them."""
    return [str(path) for path in sorted((folder(plain(home), name) / "data").glob("*/*.parquet"))]


def data_path(split: str, task: str) -> str:
    """Relative to the release."""
    return f"data/{split}/{task}.parquet"


def names(home: Path) -> list[str]:
    """Finished releases, sorted."""
    root = Path(home) / "releases"
    return sorted(path.parent.name for path in root.glob(f"*/{MANIFEST}") if NAME.match(path.parent.name))


def newest(home: Path) -> Path:
    """The manifest that was written last; a path with nothing there where there is no release."""
    made = [folder(home, name) / MANIFEST for name in names(home)]
    return max(made, key=lambda path: path.stat().st_mtime_ns, default=Path(home) / "releases" / MANIFEST)


def load(home: Path, name: str) -> dict[str, Any]:
    """A release's manifest. Raises InputError where there is none, or none that can be read."""
    path = folder(home, name) / MANIFEST
    if not path.exists():
        raise InputError(path, f"no release {name!r}; {instead(name, names(home))}")
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(path, f"not a manifest: {error}") from None
    return found


def identity(manifest: dict[str, Any]) -> str:
    """Hash of what the release holds, whatever it is called. sha256, hexadecimal."""
    held = {key: value for key, value in manifest.items() if key not in NOT_HASHED}
    held["data"] = [entry for entry in manifest["files"] if entry["path"] != CARD]
    return hashlib.sha256(to_bytes(held)).hexdigest()


def to_bytes(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
