"""What a computation over one scene is given: the scene's tables and files, from wherever they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from spatial_assets.scene.refs import SceneRef, Shard
from spatial_assets.scene.tables import Table


class Store(Protocol):
    """Where tables and scene files are kept; the lake is one."""

    def read(
        self, table: Table, shard: str, scene: str | None = None, columns: tuple[str, ...] | None = None
    ) -> pl.DataFrame:
        """Rows of a shard, or of one of its scenes; all columns, or those named, in their order."""
        ...

    def file_path(self, kind: str, shard: str, scene: str) -> Path:
        """Where a scene's file of a kind is, or would be."""
        ...


@dataclass(frozen=True)
class SceneInputs:
    """What may be read of one scene."""

    lake: Store
    shard: Shard
    ref: SceneRef
    threads: int = 1

    @property
    def which(self) -> dict[str, str]:
        """The columns that say which scene a row is of."""
        return {"dataset": self.shard.dataset, "release": self.shard.release, "scene": self.ref.name}

    def table(self, table: Table, columns: tuple[str, ...] | None = None) -> pl.DataFrame:
        """The scene's rows: all columns, or those named, which costs what they take."""
        return self.lake.read(table, self.shard.key, self.ref.name, columns)

    def file(self, kind: str) -> Path:
        return self.lake.file_path(kind, self.shard.key, self.ref.name)
