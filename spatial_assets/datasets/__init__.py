"""One reader per on-disk format: finds scenes under a root, names their files, reads them into a `Scene`.

A reader is a module with the names of `Reader`. It converts to the conventions of
`spatial_assets.scene` and says what it found; what is wrong with a file it raises as `InputError`.
Readers are imported by name, one at a time, so that an edit to one leaves the others' scenes alone.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from pydantic import BaseModel

from spatial_assets.scene import Scene

READERS = ("scannet", "structured3d", "posed_rgbd", "vsibench")
"""The on-disk formats that can be registered, which are also the layouts that the studio writes."""


@dataclass(frozen=True)
class SceneRef:
    """Where a scene stands under its dataset's root."""

    name: str
    path: str
    """Folder or file, relative to the root, with forward slashes."""


@dataclass(frozen=True)
class SourceFile:
    """One file that a scene is read from."""

    path: str
    """Relative to the dataset's root, with forward slashes."""
    role: str


class Reader(Protocol):
    """What a reader module offers."""

    RELEASE: str
    """The release assumed when `register` is given none."""
    LICENCE: str
    """Terms of the source."""
    HEAVY: bool
    """Whether reading a scene takes many seconds, and so is worth a process of its own."""
    Parameters: type[BaseModel]

    def find_scenes(self, root: Path) -> list[SceneRef]: ...

    def source_files(self, root: Path, ref: SceneRef) -> list[SourceFile]:
        """Every file that `read_scene` opens. Raises InputError where one that it needs is missing."""
        ...

    def read_scene(
        self, root: Path, ref: SceneRef, release: str, licence: str, parameters: BaseModel
    ) -> Scene:
        """Raises InputError, naming the file, for whatever the scene cannot be made from."""
        ...


def module_of(dataset: str) -> str:
    """Name of the module that reads `dataset`. Raises KeyError for an unknown one."""
    if dataset not in READERS:
        raise KeyError(f"no reader named {dataset!r}; there are: {', '.join(READERS)}")
    return f"spatial_assets.datasets.{dataset}"


def reader(dataset: str) -> Reader:
    return cast("Reader", importlib.import_module(module_of(dataset)))
