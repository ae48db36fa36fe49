"""The exports that a home keeps, each at `<home>/exports/<format>/<release>` until a newer one takes its place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from spatial_assets.exports.core.base import Options
from spatial_assets.exports.core.export_images import FOLDER
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import Made, export
from spatial_assets.storage.hashing import hash_file, hash_text

EXPORTS = "exports"
IMAGE_STORE = ".images"
"""Folder beside a home's exports that keeps the images which they share."""


@dataclass(frozen=True)
class Kept:
    """An export that stands in its place."""

    path: Path
    made: Made
    files: int
    """Of those that are no images."""
    version: str
    """A hash of those files' names and bytes."""


def export_path(home: Path, form: str, name: str) -> Path:
    """Where a home's own export of a release stands."""
    return home / EXPORTS / form / name


def image_store(home: Path) -> Path:
    return home / EXPORTS / IMAGE_STORE


def renew(form: str, source: ReleaseRows, options: Options) -> Kept:
    """Write a release's export anew; what stood there gives way when this one is whole and valid.

    Raises what `export` raises, and then leaves what stood there.
    """
    out = export_path(source.home, form, source.name)
    made = export(form, source, out, options, replace=True)
    files = _files(out)
    parts = (part for file in files for part in (file.relative_to(out).as_posix(), hash_file(file)))
    return Kept(out, made, len(files), hash_text(*parts))


def _files(out: Path) -> list[Path]:
    """The files of an export that are no images; of images there may be millions."""
    found: list[Path] = []
    for folder, below, names in os.walk(out):
        below[:] = sorted(set(below) - {FOLDER})
        found += [Path(folder, name) for name in sorted(names)]
    return found
