"""Which scenes show the same physical place, by their names: rescans of one room must never stand in two splits.

`joined` finds those that no name gives away. Also the guard against known benchmark scenes: a place that a benchmark
asks about is not trained on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).with_name("benchmark_scenes.json")
SCANNET_SCENE = re.compile(r"(scene\d{4})_\d{2}$")
"""ScanNet names a room by four digits and its scans by two more."""
SCANNETPP_SCENE = re.compile(r"[0-9a-f]{10}$")
ARKIT_SCENE = re.compile(r"\d{8}$")
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


def scannet(scene: str) -> str:
    found = SCANNET_SCENE.match(scene)
    return f"scannet/{found[1]}" if found else f"scannet/{scene}"


def vsibench(scene: str) -> str:
    """Its scenes are other datasets', so that they are the same places as theirs."""
    if SCANNET_SCENE.match(scene):
        return scannet(scene)
    if SCANNETPP_SCENE.match(scene):
        return f"scannetpp/{scene}"
    return f"arkitscenes/{scene}" if ARKIT_SCENE.match(scene) else f"vsibench/{scene}"


def three_rscan(scene: str) -> str:
    """A rescan is called by the first scan of its place, a dot, and its own name."""
    return f"three_rscan/{scene.partition('.')[0]}"


GROUPS: dict[str, Callable[[str], str]] = {
    "scannet": scannet,
    "three_rscan": three_rscan,
    "vsibench": vsibench,
}
"""By dataset. In a dataset that is not listed, every scene is a place of its own."""


def space_of(dataset: str, release: str, scene: str) -> str:
    """The physical place that a scene shows, the same for all of its scans in all datasets."""
    if release == PROCEDURAL:
        return f"{PROCEDURAL}/{dataset}/{scene}"
    return GROUPS[dataset](scene) if dataset in GROUPS else f"{dataset}/{scene}"


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
