"""What runs tell of their work while they are at it, for whoever requested them on another machine.

    <home>/cluster/told/<run>.jsonl          a line for each asset and shard

Only the run's process writes its file, a line at a time; a line that is not whole is read when it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import dagster as dg

from spatial_assets.assets.workspace import Listener
from spatial_assets.engine.lake_quality import Problem
from spatial_assets.engine.stage_run import ShardReport

BUILD_TAG = "spatial_assets/build"
"""Of all runs that a build requested, and of their retries."""


def path_of(home: Path, run_id: str) -> Path:
    return home / "cluster" / "told" / f"{run_id}.jsonl"


class Telling(Listener):
    """Writes each report down; scenes and checks are told of by nobody's leave."""

    def __init__(self, home: Path, run: dg.DagsterRun) -> None:
        self.path = path_of(home, run.run_id)
        self.is_asked = BUILD_TAG in run.tags
        if not self.is_asked:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            with self.path.open("a", encoding="utf-8") as file:
                file.write("\n")  # a process that was killed may have left half a line

    def scene(self, stage: str, shard: str, scene: str, outcome: str) -> None:
        """Too many to write down."""

    def shard(self, report: ShardReport) -> None:
        if not self.is_asked:
            return
        # Closed each time: only then do other machines see it on a network file system.
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(report)) + "\n")

    def problems(self, asset: str, found: list[Problem]) -> None:
        """Checks run where they are asked for."""


class Hearing:
    """Reads what runs tell, each line once."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._read: dict[str, int] = {}

    def new(self, run_id: str) -> Iterator[ShardReport]:
        begin = self._read.get(run_id, 0)
        try:
            with path_of(self.home, run_id).open("rb") as file:
                file.seek(begin)
                data = file.read()
        except FileNotFoundError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._read[run_id] = begin + len(whole)
        for line in whole.splitlines():
            try:
                yield ShardReport(**json.loads(line))
            except (ValueError, TypeError):
                continue  # of a process that was killed as it wrote

    def has_found(self, run_id: str) -> bool:
        """Whether a run's file has been there; a network file system may show it late."""
        return run_id in self._read

    def forget(self) -> None:
        """Remove what has been heard."""
        for run_id in self._read:
            path_of(self.home, run_id).unlink(missing_ok=True)


def merged(earlier: ShardReport, later: ShardReport) -> ShardReport:
    """Two reports of one asset and shard as one: what the first computed the second found unchanged."""
    done = sorted({*earlier.done, *later.done})
    adopted = sorted({*earlier.adopted, *later.adopted} - {*done})
    skipped = [scene for scene in later.skipped if scene not in {*done, *adopted}]
    told = asdict(later) | {"done": done, "adopted": adopted, "skipped": skipped}
    return ShardReport(**told | {"seconds": earlier.seconds + later.seconds})
