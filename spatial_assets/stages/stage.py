"""What a stage is: how the rows of one scene are made from other tables of that scene, and by which code.

A stage is the core of an asset, without Dagster: it says what it reads, what it writes, its parameters,
and a function from one scene's inputs to its outputs. Running it, shard by shard and only where something
changed, is the engine's work. Types alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.outputs import SceneOutputs
from spatial_assets.scene.refs import SceneRef, Shard
from spatial_assets.scene.tables import QUALITY, REJECTS, Table, of


class External(Protocol):
    """The state of something outside the lake that a stage reads, over one shard."""

    def fingerprint(self, ref: SceneRef) -> str:
        """Changes exactly when what the stage would read of the scene changes."""
        ...

    def compute(self, inputs: SceneInputs, parameters: BaseModel) -> SceneOutputs: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Shared:
    """What several stages make a scene's rows from, loaded once for all of them that are run together.

    Whoever gets it may keep in it what they derive, and must not change what is there.
    """

    name: str
    """As in `spar/facts`: under it the records hold the seconds that loading took."""
    load: Callable[[SceneInputs], Any]


@dataclass(frozen=True)
class Stage:
    name: str
    reads: tuple[Table | str, ...]
    """Tables, and kinds of scene files."""
    writes: tuple[Table, ...]
    parameters: Callable[[str], BaseModel]
    """By dataset, the defaults."""
    compute: Callable[[Any, Any], SceneOutputs] | None
    """From a scene's inputs, or from what `shared` loads of them, and the parameters."""
    modules: Callable[[str], tuple[str, ...]]
    """By dataset, the modules whose code makes the rows."""
    files: tuple[str, ...] = ()
    """Kinds of scene files it writes."""
    data: tuple[str, ...] = ()
    """Data files that the code reads, relative to the package."""
    external: Callable[[Path, Shard, bool], External] | None = None
    """In place of `compute`: (home, shard, rehash) to something that reads outside the lake."""
    opens_files: bool = False
    """Whether it opens files under the dataset's root, and so can do nothing while that is not there."""
    shared: Shared | None = None
    """Stages with an equal one can be run together."""
    unread: Callable[[Any], frozenset[str]] = lambda parameters: frozenset()
    """By parameters, names of what it reads that it then does without: it neither waits for these nor is stale by
    them."""
    heavy: Callable[[str], bool] = lambda dataset: False
    """By dataset, whether a scene is worth handing to another process: from some tens of milliseconds it is."""

    def read_with(self, parameters: BaseModel) -> tuple[Table | str, ...]:
        """What it reads with such parameters."""
        without = self.unread(parameters)
        return tuple(read for read in self.reads if name_of(read) not in without)

    @property
    def rejects(self) -> Table:
        return of(REJECTS, self.name)

    @property
    def quality(self) -> Table:
        return of(QUALITY, self.name)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of all tables and kinds of files that it writes."""
        return (*(table.name for table in self.tables), *self.files)

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables it writes: its own, its rejects and its counts."""
        return (*self.writes, self.rejects, self.quality)


def writers(stages: Mapping[str, Stage]) -> dict[str, str]:
    """The stage that writes each table and kind of file."""
    return {output: stage.name for stage in stages.values() for output in stage.outputs}


def upstream_of(stage: Stage, stages: Mapping[str, Stage]) -> list[str]:
    """Names of the stages whose outputs it reads, sorted."""
    writer = writers(stages)
    return sorted({writer[name_of(read)] for read in stage.reads})


def name_of(read: Table | str) -> str:
    return read if isinstance(read, str) else read.name
