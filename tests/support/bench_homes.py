"""A small home with questions of SPAR-Bench's tasks and a release that holds a scene back, for tests to cut from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import lakes
import tiny
from asked_homes import UPSTREAM

from spatial_assets.exports.core.base import Question
from spatial_assets.exports.core.scene_truth import SceneTruth
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.spar_bench.tasks import bench_tasks
from spatial_assets.releases import create

RELEASE = "v1"


@dataclass
class BenchHome:
    home: Path
    root: Path

    @cached_property
    def source(self) -> ReleaseRows:
        return ReleaseRows(self.home, RELEASE)

    @cached_property
    def questions(self) -> dict[str, list[Question]]:
        """Those of the held-out scene by task, in the task's format, by id."""
        found: dict[str, list[Question]] = {}
        for task in bench_tasks().values():
            own = self.source.columns("test", task.task, ("qa_id", "format"))
            ids = [row["qa_id"] for table in own for row in table.to_pylist() if row["format"] == task.format]
            named = self.source.named("test", task.task, ids)
            found[task.task] = [named[qa_id] for qa_id in sorted(named)]
        return found

    def truth(self, question: Question) -> SceneTruth:
        return self.source.truth(question.row)


def bench_home(base: Path) -> BenchHome:
    for number in range(2):
        tiny.write_scannet(base / "source", f"scene000{number}_00", seed=number)
    lakes.register(base / "home", "scannet", base / "source")
    lakes.build(base / "home", stages=[*UPSTREAM, *bench_tasks()])
    create.create(base / "home", RELEASE, create.Request({"train": 0.5, "test": 0.5}))
    return BenchHome(base / "home", base / "source")
