"""Which readers there are, found in this folder, and a reader by name, imported only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

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


def summary(dataset: str) -> str:
    """What it reads, in one line: its docstring's first."""
    return discovery.summary(PACKAGE, dataset)
