"""Which datasets are registered, and which scenes stand in which shard.

One JSON file per dataset and release under `<home>/registry`. Assignment is append-only: a call that
registers sorts what it finds, opens shards for the scenes that are new and closes them when it ends;
scenes that arrive later open new shards. Nothing is ever reshuffled, so a shard's name stands for the
same scenes for good. A shard's key is made and taken apart in `partitions` alone.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import SceneRef, Shard
from spatial_assets.storage.atomic import replace_text
from spatial_assets.storage.damage import read_json_object
from spatial_assets.storage.locks import locked
from spatial_assets.storage.mirrors import ObjectPath, root_of, shown

WORD = re.compile(r"[A-Za-z0-9_.]+$")
"""Datasets and releases: the parts of a shard's key, which joins them with hyphens."""
SCENES_PER_SHARD = 50
"""A shard costs Dagster 15 to 30 ms an asset; fifty scenes make that negligible and a rerun still small."""

NO_ROOT_ADVICE = (
    "is the disk mounted? What was made of its scenes stands. If the dataset has moved, register it from its new "
    "place; to remove scenes from releases, see `spatial-assets release withdraw --help`"
)

DAMAGED_ADVICE = "put a copy of it back, or move it away and register the dataset again"
_EXPECTED = {str: "text", int: "a number", list: "a list"}


@dataclass(frozen=True)
class Source:
    """A root that scenes were registered from, with what they were registered under."""

    dataset: str
    release: str
    license: str
    root: Path
    scenes_per_shard: int


@dataclass(frozen=True)
class Registered:
    """What a call of `register` did."""

    new_shards: tuple[str, ...]
    new_scenes: int
    known_scenes: int


def check_root(root: Path, anew: bool = False) -> None:
    """Raises InputError where a dataset's root is not there, or has nothing in it but hidden files.

    That is how a disk looks that is not mounted. A dataset is not withdrawn by it: what was made of its
    scenes stands, unlike the rows of a scene that is gone from a root that is there. A root on object storage is
    listed where its last listing is old, or `anew`.
    """
    if isinstance(root, ObjectPath):
        root.mirror.check(anew)
        return
    try:
        with os.scandir(root) as entries:
            what = "" if any(not entry.name.startswith(".") for entry in entries) else "is empty"
    except (FileNotFoundError, NotADirectoryError):
        what = "is not there"
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
    if what:
        raise InputError(root, f"the dataset's root {what}; {NO_ROOT_ADVICE}", "missing_root")


def _is_there(root: Path) -> bool:
    try:
        check_root(root)
    except InputError:
        return False
    return True


def _entry(path: Path) -> dict[str, Any]:
    """A registration as it was kept. Raises InputError that says what is not as expected, and where."""
    entry = read_json_object(path, DAMAGED_ADVICE)
    expected: list[tuple[Any, str, type]] = [
        (entry, "dataset", str), (entry, "release", str), (entry, "scenes_per_shard", int), (entry, "shards", list),
    ]  # fmt: skip
    listed = entry.get("shards")
    shards: list[Any] = listed if isinstance(listed, list) else []
    for shard in shards:
        expected += [
            (shard, "key", str),
            (shard, "license", str),
            (shard, "root", str),
            (shard, "scenes", list),
        ]
    for holder, name, kind in expected:
        found = holder.get(name) if isinstance(holder, dict) else None
        if not isinstance(found, kind):
            place = f"shard {shards.index(holder) + 1}, {name}" if holder is not entry else name
            raise InputError(
                path, f"{place}: {_EXPECTED[kind]} is expected; {DAMAGED_ADVICE}", "damaged_file"
            )
    for number, shard in enumerate(shards, 1):
        for scene in shard["scenes"]:
            if not (
                isinstance(scene, list) and len(scene) == 2 and all(isinstance(part, str) for part in scene)
            ):
                raise InputError(
                    path,
                    f"shard {number}, scenes: pairs of name and path are expected; {DAMAGED_ADVICE}",
                    "damaged_file",
                )
    return entry


@dataclass(frozen=True)
class _Held:
    """One file of registrations, as it was read."""

    version: tuple[int, ...]
    """Inode, size and time: a file is never changed, only replaced."""
    shards: Mapping[str, Shard]
    """By key, in the order of batches."""
    sources: frozenset[Source]


_kept: dict[Path, _Held] = {}
"""Each step asks for each of its shards, and reading a hundred thousand scenes takes a second."""


def _held(path: Path) -> _Held:
    stat = path.stat()
    version = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    held = _kept.get(path)
    if held is None or held.version != version:
        entry = _entry(path)
        dataset, release, each = entry["dataset"], entry["release"], entry["scenes_per_shard"]
        shards = [
            Shard(
                shard["key"],
                dataset,
                release,
                shard["license"],
                root_of(path.parents[1], shard["root"]),
                tuple(SceneRef(name, place) for name, place in shard["scenes"]),
            )
            for shard in entry["shards"]
        ]
        sources = {Source(dataset, release, shard.license, shard.root, each) for shard in shards}
        held = _kept[path] = _Held(version, {shard.key: shard for shard in shards}, frozenset(sources))
    return held


class Registry:
    """The registrations under one home."""

    def __init__(self, home: Path, make_key: Callable[[str, str, int], str]) -> None:
        self.home = Path(home)
        self.folder = self.home / "registry"
        self.make_key = make_key

    def _file(self, dataset: str, release: str) -> Path:
        return self.folder / f"{dataset}-{release}.json"

    def _root(self, text: str) -> Path:
        return root_of(self.home, text)

    def _load(self) -> list[_Held]:
        return [_held(path) for path in sorted(self.folder.glob("*.json"))]

    def shards(self) -> list[Shard]:
        """All shards, by dataset, release and batch."""
        return [shard for held in self._load() for shard in held.shards.values()]

    def sources(self) -> list[Source]:
        """Every root that is registered, by dataset, release and root."""
        found = {source for held in self._load() for source in held.sources}
        return sorted(found, key=lambda source: (source.dataset, source.release, source.root))

    def shard(self, key: str) -> Shard:
        """Raises KeyError for a key that was never opened."""
        for held in self._load():
            if key in held.shards:
                return held.shards[key]
        raise KeyError(f"no shard {key!r} is registered under {self.folder.parent}")

    def register(
        self,
        dataset: str,
        release: str,
        license: str,
        root: Path,
        found: Sequence[SceneRef],
        scenes_per_shard: int = SCENES_PER_SHARD,
    ) -> Registered:
        """Open shards for the scenes that are new. A dataset that has moved as a whole gets its new root.

        Raises InputError where a scene of that name and release stands under another root that is
        still there, and ValueError for a release that cannot be part of a key.
        """
        for word, what in ((dataset, "dataset"), (release, "release")):
            if not WORD.match(word):
                raise ValueError(
                    f"{what} {word!r}: only letters, digits, '_' and '.' can stand in a shard's key"
                )
        if scenes_per_shard < 1:
            raise ValueError(f"scenes per shard: {scenes_per_shard}, needs at least 1")
        root = root.resolve()
        path = self._file(dataset, release)
        with locked(self.home, "registry", path):
            entry: dict[str, Any] = {"dataset": dataset, "release": release, "shards": []}
            if path.exists():
                entry = _entry(path)
            entry["scenes_per_shard"] = scenes_per_shard
            known = self._claim_known(entry, root, found)
            fresh = sorted((ref for ref in found if ref.name not in known), key=lambda ref: ref.name)
            opened = []
            for start in range(0, len(fresh), scenes_per_shard):
                key = self.make_key(dataset, release, len(entry["shards"]))
                batch = fresh[start : start + scenes_per_shard]
                entry["shards"].append(
                    {
                        "key": key,
                        "license": license,
                        "root": shown(root),
                        "scenes": [[ref.name, ref.path] for ref in batch],
                    }
                )
                opened.append(key)
            replace_text(path, json.dumps(entry, indent=1) + "\n")
        return Registered(tuple(opened), len(fresh), len(found) - len(fresh))

    def _claim_known(self, entry: dict[str, Any], root: Path, found: Sequence[SceneRef]) -> set[str]:
        """Names already assigned; shards whose old root is gone follow their scenes to the new one."""
        paths = {ref.name: ref.path for ref in found}
        known: set[str] = set()
        for shard in entry["shards"]:
            names = [name for name, _ in shard["scenes"]]
            known.update(names)
            here = [name for name in names if name in paths]
            if not here or self._root(shard["root"]) == root:
                continue
            if _is_there(self._root(shard["root"])):
                raise InputError(
                    shown(root / paths[here[0]]),
                    f"scene {here[0]} is registered already from {shard['root']}; give another --release",
                    "contradiction",
                )
            shard["root"] = shown(root)
            shard["scenes"] = [[name, paths.get(name, path)] for name, path in shard["scenes"]]
        return known
