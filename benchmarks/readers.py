"""What each reader costs: core seconds and peak memory of one scene from its files to the visibility table.

    python -m benchmarks.readers

The studio writes one room in every layout that has images, with as many frames of one size and a mesh of as many
faces. Every layout is a process of its own, which builds a small scene of the same layout first, so that neither
imports nor compiling are counted. ScanNet's scene is built in turn with it, in the same process, and of each stage the
least of several builds counts: core seconds rise by up to a half with what else the machine does, but seldom in every
build. What is compared is a frame's share, since some layouts hold fewer frames. Linux only: memory is read from /proc.
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
ROUNDS = 10
"""Of builds: ratios then come out the same within 3 percent, also while the machine has twice as much to do as cores.
"""


def reader_of(layout: str) -> str | None:
    """The reader of a layout: its own name's, or that whose name it goes on from."""
    names = [name for name in READERS if layout == name or layout.startswith(f"{name}_")]
    return max(names, key=len, default=None)


def layouts() -> list[str]:
    """Those that can be seen: with images and poses, and something that says what they show."""
    wanted = {Fact.IMAGES, Fact.POSES}
    return [name for name in LAYOUTS if (own := reader_of(name)) and wanted <= reader(own).FACTS]


def build(home: Path, root: Path, layout: str) -> dict[str, float]:
    """Core seconds of each stage."""
    name = reader_of(layout)
    assert name is not None
    module = reader(name)
    registry(home).register(name, module.RELEASE, module.LICENSE, root, module.find_scenes(root), 50)
    runner = Runner(home, pipeline.STAGES)
    found = dict.fromkeys(STAGES, 0.0)
    for shard in registry(home).shards():
        for stage_name in STAGES:
            stage = pipeline.STAGES[stage_name]
            own = EVERY_FRAME if stage_name == "keyframes" else None
            begun = time.process_time()
            report = runner.run(stage, shard, pipeline.parameters(home, stage, shard.dataset, own))
            found[stage_name] += time.process_time() - begun
            if report.errors or report.rejected:
                raise RuntimeError(f"{layout}: {report.errors or report.rejected}")
    return found


def frames_of(home: Path) -> int:
    lake = Runner(home, pipeline.STAGES).lake
    return sum(len(lake.read(FRAMES_TABLE, shard.key)) for shard in registry(home).shards())


def write(folder: Path, layout: str) -> None:
    """The scenes that are built. In a process of its own: what it leaves in memory would hide what a build takes."""
    faces, frames, size = SMALL
    write_scenes(folder / f"{layout}_small", layout, 1, SEED, faces, frames, size)
    write_scenes(folder / f"{layout}_data", layout, 1, SEED, FACES, FRAMES, SIZE)


def measured(folder: Path, layout: str) -> dict[str, Any]:
    """In this process: core seconds, which are the least of each stage over several builds, and how far its memory rose
    in the first; and the ratio to the scene that it is compared with, of which a build follows each of its own."""
    roots = {name: folder / f"{name}_data" for name in (layout, BASE)}
    for name in roots:
        build(folder / f"{layout}_warm_{name}", folder / f"{name}_small", name)
    Path("/proc/self/clear_refs").write_text("5")
    before, peak = status("VmRSS"), 0.0
    builds: dict[str, list[dict[str, float]]] = {name: [] for name in roots}
    counts = {}
    for _ in range(ROUNDS):
        for name, root in roots.items():
            home = folder / f"{layout}_home_{name}"
            builds[name].append(build(home, root, name))
            peak = peak or status("VmHWM") - before
            counts[name] = frames_of(home)
            shutil.rmtree(home)
    seconds = {name: sum(min(one[stage] for one in builds[name]) for stage in STAGES) for name in roots}
    return {
        "layout": layout,
        "seconds": seconds[layout],
        "megabytes": peak,
        "frames": counts[layout],
        "ratio": seconds[layout] / counts[layout] / (seconds[BASE] / counts[BASE]),
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
    """`write` and `measured`, in processes of their own."""
    for step in STEPS:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.readers", step, str(folder), layout],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{layout}: {done.stderr[-2000:]}")
    for left in folder.iterdir():
        if left.name not in (f"{BASE}_small", f"{BASE}_data"):
            shutil.rmtree(left)
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


STEPS = {"write": write, "measure": measured}


def main(arguments: list[str]) -> None:
    if not arguments:
        run()
        return
    step, folder, layout = arguments
    print(json.dumps(STEPS[step](Path(folder), layout)))


if __name__ == "__main__":
    main(sys.argv[1:])
