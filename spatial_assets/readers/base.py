"""What a reader module offers. Types alone.

It may also offer `left_out`, `place_of` and `KEYFRAMES`, which the functions of `registry` speak of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pydantic import BaseModel

from spatial_assets.scene.model import Fact, Scene
from spatial_assets.scene.refs import SceneRef, SourceFile


class Reader(Protocol):
    """What a reader module offers."""

    RELEASE: str
    """The release assumed when `register` is given none."""
    LICENSE: str
    """Terms of the source."""
    HEAVY: bool
    """Whether reading a scene takes many seconds, and so is worth a process of its own."""
    FACTS: frozenset[Fact]
    """What its scenes can know at most; each scene says which of them it has."""
    Parameters: type[BaseModel]

    def find_scenes(self, root: Path) -> list[SceneRef]:
        """Raises InputError for a root that cannot be read; what is wrong with one scene never keeps others away."""
        ...

    def source_files(self, root: Path, ref: SceneRef) -> list[SourceFile]:
        """Every file that `read_scene` opens. Raises InputError where one that it needs is missing."""
        ...

    def read_scene(
        self, root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel
    ) -> Scene:
        """Raises InputError, naming the file, for whatever the scene cannot be made from."""
        ...
