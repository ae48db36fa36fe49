"""What share of answers of the published kind holds for the frames that a model is shown.

The published sets ask about whatever an annotation has, whether or not the frames that a model gets show it. Here
each task asks so of a scene, about all that any of its frames shows at all; then each answer is held against the frames
of a set, by the task's own limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from spatial_assets.lineage import registrations
from spatial_assets.scene import tables
from spatial_assets.scene.frame_set_tables import FRAME_SETS
from spatial_assets.scene.frames import ALL, FRAME_SET_NAMES
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import InputError
from spatial_assets.stages.questions import facts_of
from spatial_assets.storage.lake import Lake
from spatial_assets.tasks.core.budgets import asked_of
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.core.task import Task
from spatial_assets.tasks.core.video.shown import VideoLimits
from spatial_assets.tasks.registry import tasks
from spatial_assets.tasks.vsi.video import VideoParameters

ANYHOW = VideoLimits(min_area=0.0, max_occlusion=1.0, max_truncation=1.0, min_vertex_fraction=0.0)
"""An object counts that shows a pixel: the published sets know no limits."""


@dataclass
class Shares:
    """Of one task, or of all."""

    questions: int = 0
    held: Counter[str] = field(default_factory=Counter)
    """By set of frames, how many of their answers hold."""
    why: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By set and reason, how many do not."""

    def share(self, name: str) -> float | None:
        return self.held[name] / self.questions if self.questions else None


def published() -> dict[str, Task]:
    """Tasks that ask about a whole video as a published set does, in its words too, and other frames can answer."""
    return {
        name: task
        for name, task in tasks().items()
        if issubclass(task.parameters, VideoParameters) and task.recount is not None
    }


def shares(home: Path, dataset: str | None = None, scenes: Sequence[str] = ()) -> dict[str, Shares]:
    """By task, in their order. Raises InputError where no scene has sets of frames."""
    asked = published()
    found = {name: Shares() for name in asked}
    count = 0
    for facts in _scenes(home, dataset, scenes):
        count += 1
        for name, task in asked.items():
            _add(found[name], task, facts)
    if not count:
        raise InputError(home, "no scene here has sets of frames; build first", "not_built")
    return found


def _scenes(home: Path, dataset: str | None, scenes: Sequence[str]) -> Iterator[SceneFacts]:
    lake = Lake(home)
    for shard in registrations.shards(home):
        for ref in shard.scenes:
            if dataset in (None, shard.dataset) and (not scenes or ref.name in scenes):
                inputs = SceneInputs(lake, shard, ref)
                if len(inputs.table(FRAME_SETS)) and len(inputs.table(tables.SCENES)):
                    yield facts_of(inputs)


def _add(found: Shares, task: Task, facts: SceneFacts) -> None:
    anyhow: Any = task.parameters().model_copy(update={"frames": ALL, "limits": ANYHOW})
    rows = pl.from_arrow(generate(task, facts, anyhow).table)
    assert isinstance(rows, pl.DataFrame) and task.recount is not None
    if not len(rows):
        return
    asked = asked_of(facts, rows)
    found.questions += len(asked)
    for name in FRAME_SET_NAMES:
        held = task.recount(facts.showing(name), task.parameters(), asked)
        found.held[name] += int(held.same.sum())
        found.why.update((name, reason) for reason in held.reasons.tolist() if reason is not None)
