"""A home full of questions beside the truth of its scenes: what the task tests look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lakes
import polars as pl
from question_truth import Truth

from spatial_assets.assets import partitions
from spatial_assets.scene.frames import VIDEO_FRAMES
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.storage.lake import Lake
from spatial_assets.tasks.registry import tasks

UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap", "rooms")
FORMS = {name: task.formats for name, task in tasks().items() if task.suite == "spar"}
OF_IMAGES = {name: forms for name, forms in FORMS.items() if tasks()[name].images < VIDEO_FRAMES}
"""Those that choose which images they show; a scene has one video, and of some tasks about it few questions."""


@dataclass
class Asked:
    """A home, and the truth of its scenes."""

    name: str
    home: Path
    truths: dict[str, Truth]

    def rows(self, task: str, form: str | None = None) -> list[dict[str, Any]]:
        found = lakes.rows(self.home, f"questions/{task}")
        return (found if form is None else found.filter(pl.col("format") == form)).to_dicts()

    def inputs(self) -> Iterator[SceneInputs]:
        for shard in partitions.registry(self.home).shards():
            for ref in shard.scenes:
                yield SceneInputs(Lake(self.home), shard, ref)
