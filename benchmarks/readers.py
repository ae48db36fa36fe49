"""What each reader costs: core seconds and peak memory of one scene from its files to the visibility table.

    python -m benchmarks.readers

The studio writes one room in every layout that has images, with as many frames of one size and a mesh of as many
faces. Every layout is a process of its own, which builds a small scene of the same layout first, so that neither
imports nor compiling are counted. ScanNet's scene is built in turn with it, in the same process: what else the machine
does slows down both, and the least of several builds is hardly slowed down. What is compared is a frame's share, since
some layouts hold fewer frames. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bars import Bar
from benchmarks.memory import status
from spatial_assets.assets.partitions import registry
from spatial_assets.engine.runner import Runner
from spatial_assets.readers.registry import READERS, reader
from spatial_assets.scene.model import Fact
from spatial_assets.scene.tables import FRAMES as FRAMES_TABLE
from spatial_assets.stages import pipeline
from spatial_assets.studio.layouts.registry import LAYOUTS
from spatial_assets.studio.write import write_scenes

STAGES = ("sources", "scenes", "keyframes", "visibility")
SEED, FACES, FRAMES, SIZE = 3, 60_000, 60, (640, 480)
SMALL = 3000, 6, (64, 48)
"""Faces, frames and their size of the scene that is built for warmth."""
BASE = "scannet"
WANTED_RATIO = 3.0
EVERY_FRAME = {"filter": False}
ROUNDS = 6
"""Of builds; the ratio of the least then comes out the same to a few percent, also beside other work."""


def reader_of(layout: str) -> str | None:
    """The reader of a layout: its own name's, or that whose name it goes on from."""
    names = [name for name in READERS if layout == name or layout.startswith(f"{name}_")]
    return max(names, key=len, default=None)


def layouts() -> list[str]:
    """Those that can be seen: with images and poses, and something that says what they show."""
    wanted = {Fact.IMAGES, Fact.POSES}
    return [name for name in LAYOUTS if (own := reader_of(name)) and wanted <= reader(own).FACTS]


def build(home: Path, root: Path, layout: str) -> float:
    """Core seconds of all stages."""
    name = reader_of(layout)
    assert name is not None
    module = reader(name)
    registry(home).register(name, module.RELEASE, module.LICENSE, root, module.find_scenes(root), 50)
    runner = Runner(home, pipeline.STAGES)
    begun = time.process_time()
    for shard in registry(home).shards():
        for stage_name in STAGES:
            stage = pipeline.STAGES[stage_name]
            own = EVERY_FRAME if stage_name == "keyframes" else None
            report = runner.run(stage, shard, pipeline.parameters(home, stage, shard.dataset, own))
            if report.errors or report.rejected:
                raise RuntimeError(f"{layout}: {report.errors or report.rejected}")
    return time.process_time() - begun


def frames_of(home: Path) -> int:
    lake = Runner(home, pipeline.STAGES).lake
    return sum(len(lake.read(FRAMES_TABLE, shard.key)) for shard in registry(home).shards())


def measured(folder: Path, layout: str) -> dict[str, Any]:
    """In this process: the fastest of several builds, and how far its memory rose in the first; and the fastest of as
    many builds of the scene that it is compared with, each after one of its own. What is written stays in the folder
    for the next layout."""
    faces, frames, size = SMALL
    roots = {}
    for name in {layout: None, BASE: None}:
        small, roots[name] = folder / f"{name}_small", folder / f"{name}_data"
        if not small.exists():
            write_scenes(small, name, 1, SEED, faces, frames, size)
            write_scenes(roots[name], name, 1, SEED, FACES, FRAMES, SIZE)
        build(folder / f"{layout}_warm_{name}", small, name)
    Path("/proc/self/clear_refs").write_text("5")
    before, peak = status("VmRSS"), 0.0
    seconds: dict[str, list[float]] = {name: [] for name in roots}
    counts = {}
    for _ in range(ROUNDS):
        for name, root in roots.items():
            home = folder / f"{layout}_home_{name}"
            seconds[name].append(build(home, root, name))
            peak = peak or status("VmHWM") - before
            counts[name] = frames_of(home)
            shutil.rmtree(home)
    return {
        "layout": layout,
        "seconds": min(seconds[layout]),
        "megabytes": peak,
        "frames": counts[layout],
        "ratio": min(seconds[layout]) / counts[layout] / (min(seconds[BASE]) / counts[BASE]),
    }


def run() -> list[dict[str, Any]]:
    """Measures and prints; returns the same as plain data."""
    found = []
    print(f"{'layout':<18} {'frames':>6} {'core s':>8} {'ms a frame':>11} {'ratio':>6} {'MB':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for layout in [BASE, *(name for name in layouts() if name != BASE)]:
            found.append(item := _by_itself(Path(folder), layout))
            each = item["seconds"] / item["frames"] * 1e3
            print(
                f"{layout:<18} {item['frames']:>6} {item['seconds']:>8.2f} {each:>11.1f} "
                f"{item['ratio']:>6.2f} {item['megabytes']:>6.0f}",
                flush=True,
            )
    return found


def _by_itself(folder: Path, layout: str) -> dict[str, Any]:
    """`measured`, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.readers", str(folder), layout],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    for written in folder.iterdir():
        if not written.name.startswith(f"{BASE}_"):
            shutil.rmtree(written)
    if done.returncode:
        raise RuntimeError(f"{layout}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def bars() -> Iterator[Bar]:
    for item in run():
        if item["layout"] == BASE:
            continue
        ratio = item["ratio"]
        yield Bar(
            f"{item['layout']}: core seconds a frame from files to visibility",
            f"<= {WANTED_RATIO:g} x ScanNet's",
            f"{ratio:.2f} x ({item['seconds']:.2f} s, {item['megabytes']:.0f} MB, {item['frames']} frames)",
            ratio <= WANTED_RATIO,
        )


def main(arguments: list[str]) -> None:
    if not arguments:
        run()
        return
    folder, layout = arguments
    print(json.dumps(measured(Path(folder), layout)))


if __name__ == "__main__":
    main(sys.argv[1:])
