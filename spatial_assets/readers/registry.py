"""Which readers there are, found in this folder, and a reader by name, imported only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from spatial_assets.readers.base import Reader
from spatial_assets.scene import discovery
from spatial_assets.scene.model import InputError

PACKAGE = "spatial_assets.readers"
READERS = discovery.modules(PACKAGE, "read_scene")
"""The on-disk formats that can be registered: the modules here that define `read_scene`."""


def module_of(dataset: str) -> str:
    """Name of the module that reads `dataset`. Raises KeyError for an unknown one."""
    if dataset not in READERS:
        raise KeyError(f"no reader named {dataset!r}; there are: {', '.join(READERS)}")
    return f"{PACKAGE}.{dataset}"


def reader(dataset: str) -> Reader:
    """Raises KeyError for an unknown one, TypeError for a module that lacks a part of `Reader`."""
    module_of(dataset)
    return cast("Reader", discovery.module(PACKAGE, dataset, Reader))


def left_out(dataset: str, root: Path) -> list[InputError]:
    """A line for each thing under a root that looks like a scene and cannot be one, where the reader says so."""
    say: Callable[[Path], list[InputError]] = getattr(reader(dataset), "left_out", lambda root: [])
    return say(root)


def place_of(dataset: str, scene: str) -> tuple[str, str]:
    """The physical place that a scene shows, as its name tells: whose dataset's it is, and what it is called there.

    The same for all scans of it in all datasets. A scene is a place of its own where the reader says nothing else, or
    where there is no such reader.
    """
    if dataset not in READERS:
        return dataset, scene
    say: Callable[[str], tuple[str, str]] | None = getattr(reader(dataset), "place_of", None)
    if say is None:
        return dataset, scene
    home, place = say(scene)
    # What scene of another dataset it is the one knows, and which place that scene shows the other.
    return (home, place) if home == dataset else place_of(home, place)


def keyframes_of(dataset: str) -> Mapping[str, Any]:
    """What holds for keyframes of a dataset's scenes in place of the stage's own defaults, where the reader says so."""
    found: Mapping[str, Any] = getattr(reader(dataset), "KEYFRAMES", {}) if dataset in READERS else {}
    return found


def summary(dataset: str) -> str:
    """What it reads, in one line: its docstring's first."""
    return discovery.summary(PACKAGE, dataset)
