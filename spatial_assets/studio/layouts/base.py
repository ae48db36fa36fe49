"""What a layout module offers. Types alone.

It may also offer `shared_content`, which makes of the entries of all scenes, by name, what the file in SHARED holds:
a text is written as it is. And `VISITS`, where its dataset scans a home more than once: of so many scenes, one after
another, the first is a home and the others are the same one with some things moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the names of layouts are asked for by commands that must not wait for a renderer
    from spatial_assets.studio.files import Progress, Scanner
    from spatial_assets.studio.scene import StudioScene


@dataclass(frozen=True)
class Written:
    """A scene that was written."""

    name: str
    entry: object = None
    """What the file that all scenes share says of it, where the layout has one."""


class Layout(Protocol):
    """What a layout module offers."""

    IMAGES: bool
    """Whether it has images, for which a scene is lit and walked through."""
    SHARED: str | None
    """Name of a file, below the root, of all scenes' entries; None where scenes share no file. JSON holds them by the
    scene's name, or what the layout's `shared_content` makes of that; CSV as rows, of which each entry is one."""

    def write_scene(
        self, out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress
    ) -> Written:
        """Write one scene below `out`, and its truth, which comes last."""
        ...
