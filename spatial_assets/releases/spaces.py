"""Which scenes show the same physical place, by their names: rescans of one room must never stand in two splits.

What names tell is the readers' to say (`place_of`); `joined` finds those that no name gives away. Also the guard
against known benchmark scenes: a place that a benchmark asks about is not trained on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from spatial_assets.readers import registry

BENCHMARKS = Path(__file__).with_name("benchmark_scenes.json")
PROCEDURAL = "studio"
"""The release that procedural scenes are registered under; they borrow a dataset's names, not its rooms."""


@dataclass(frozen=True)
class Member:
    """A scene that may be released."""

    dataset: str
    release: str
    scene: str
    shard: str
    license: str
    space: str
    """The place that it shows."""

    @property
    def which(self) -> tuple[str, str, str]:
        return (self.dataset, self.release, self.scene)

    @property
    def named(self) -> dict[str, str]:
        """The same, as manifests write it."""
        return {"dataset": self.dataset, "release": self.release, "scene": self.scene}


def space_of(dataset: str, release: str, scene: str) -> str:
    """The physical place that a scene shows, the same for all of its scans in all datasets."""
    if release == PROCEDURAL:
        return f"{PROCEDURAL}/{dataset}/{scene}"
    return "/".join(registry.place_of(dataset, scene))


@cache
def benchmarks() -> list[dict[str, Any]]:
    """Known benchmarks: name, source, license, and their scenes by the dataset they come from."""
    found: list[dict[str, Any]] = json.loads(BENCHMARKS.read_text(encoding="utf-8"))["benchmarks"]
    return found


@cache
def benchmark_spaces() -> dict[str, str]:
    """Places that benchmarks ask about, by place the name of the benchmark."""
    return {
        space_of(dataset, "", scene): benchmark["name"]
        for benchmark in benchmarks()
        for dataset, scenes in benchmark["scenes"].items()
        for scene in scenes
    }
