"""Scenes that have appeared under a registered root and are there to the end.

Only names, sizes and times are listed; hashing is the work of `sources`. A scene counts as arrived when
two looks in a row find it the same, so one that is still being copied is left alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from spatial_assets.readers.registry import reader
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import SceneRef
from spatial_assets.storage.hashing import hash_text
from spatial_assets.storage.mirrors import ObjectPath, shown
from spatial_assets.storage.shards import Registry, check_root

Look = dict[str, str]
"""What a look saw: `<dataset>/<release>/<scene>` to the state of its files."""


@dataclass(frozen=True)
class Arrival:
    """New scenes of one registered dataset, ready to be given shards."""

    dataset: str
    release: str
    license: str
    root: Path
    scenes_per_shard: int
    scenes: tuple[SceneRef, ...]


def look(registry: Registry, before: Look) -> tuple[list[Arrival], Look, list[str]]:
    """What has arrived since `before`, what this look saw, and one line for whatever cannot be looked at.

    A root or a scene that cannot be looked at keeps no other from arriving, and arrives when it can.
    """
    arrivals: list[Arrival] = []
    seen: Look = {}
    errors: list[str] = []
    known: dict[tuple[str, str], set[str]] = {}
    for shard in registry.shards():
        known.setdefault((shard.dataset, shard.release), set()).update(ref.name for ref in shard.scenes)
    for source in registry.sources():
        try:
            if isinstance(source.root, ObjectPath) and not source.root.mirror.refresh():
                # No second look: what the first saw of it waits for the next listing.
                begins = f"{source.dataset}/{source.release}/"
                seen.update({name: state for name, state in before.items() if name.startswith(begins)})
                continue
            check_root(source.root)
            found = reader(source.dataset).find_scenes(source.root)
        except (InputError, OSError) as error:
            errors.append(str(error))
            continue
        except Exception as error:  # whatever a reader fails on, the other roots are looked at
            errors.append(
                f"{shown(source.root)}: cannot be searched for scenes: {type(error).__name__}: {error}"
            )
            continue
        ready = []
        for ref in found:
            if ref.name in known.get((source.dataset, source.release), ()):
                continue
            name = f"{source.dataset}/{source.release}/{ref.name}"
            try:
                seen[name] = state(source.root / ref.path)
            except OSError as error:
                errors.append(
                    f"{error.filename or source.root / ref.path}: {error.strerror}; the scene waits"
                )
                continue
            if before.get(name) == seen[name]:
                ready.append(ref)
        if ready:
            arrivals.append(
                Arrival(
                    source.dataset, source.release, source.license, source.root,
                    source.scenes_per_shard, tuple(ready),
                )
            )  # fmt: skip
    return arrivals, seen, errors


def state(path: Path) -> str:
    """Hash of the names, sizes and times of a file, or of all files below a folder, links followed.

    Times are compared for equality alone, so that no clock needs to be right. Nothing is opened: a pipe counts by
    its name. Raises OSError for a folder that cannot be listed, or that is gone meanwhile.
    """
    if not path.is_dir():
        return hash_text(_stated(path, path.name))
    parts: list[str] = []
    folders, visited = [path], set[tuple[int, int]]()
    while folders:
        folder = folders.pop()
        stat = folder.stat()
        if (stat.st_dev, stat.st_ino) in visited:
            continue  # a link to a folder that it stands in
        visited.add((stat.st_dev, stat.st_ino))
        with os.scandir(folder) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
        for entry in inside:
            below = folder / entry.name
            if entry.is_dir():
                folders.append(below)
            parts.append(_stated(below, str(below.relative_to(path))))
    return hash_text(*parts)


def _stated(path: Path, name: str) -> str:
    """A file's name and state; of a link that leads nowhere, where it leads."""
    shown = os.fsencode(name).hex()
    try:
        stat = path.stat()
    except FileNotFoundError:
        return f"{shown} -> {os.fsencode(path.readlink()).hex()}"
    if S_ISDIR(stat.st_mode):
        return shown
    return f"{shown} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"
