"""How much memory the visibility stage takes, for few frames and for many of the same scene.

    python -m benchmarks.memory

Every measurement is a process of its own, which prepares everything else first; what is counted is how far its
resident size rises while the stage runs. Linux only: it is read from /proc.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks import scene
from benchmarks.bars import Bar
from spatial_assets.engine.runner import Runner
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.stages import keyframes, pipeline, scenes, sources, visibility
from spatial_assets.storage.lake import Lake

FEW, MANY = 10, 300
THREADS = 2
WANTED_EACH = 0.1
"""Megabytes that each further frame may add: its rows, PNG and visible faces, which have to be held until the scene is
written, and once more while they are packed. A frame's images, were they held, would be 1.2 megabytes each."""


@dataclass(frozen=True)
class Peak:
    frames: int
    megabytes: float
    """That the stage added at most to what a pass over one frame had left."""
    process: float
    """Megabytes of the whole process at that moment."""


def status(key: str) -> float:
    """Megabytes, from the process's own status."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(key)


def measured(home: Path, root: Path, count: int) -> Peak:
    """In this process: the stage on the first `count` frames of the sets, after one frame for warmth."""
    shard = scene.registered(home, root)
    runner = Runner(home, pipeline.STAGES)
    for stage in (sources.STAGE, scenes.STAGE, keyframes.STAGE):
        runner.run(stage, shard, pipeline.parameters(home, stage, shard.dataset))
    inputs = SceneInputs(Lake(home), shard, shard.scenes[0], THREADS)
    whole = visibility.wanted_frames(inputs)
    seen = 0
    for take in (1, count):
        views = dict(list(whole.views.items())[:take])
        visibility.wanted_frames = lambda _, views=views: replace(whole, views=views, full=frozenset(views))
        # The kernel then starts the high-water mark anew.
        Path("/proc/self/clear_refs").write_text("5")
        before = status("VmRSS")
        outputs = visibility.see(inputs, visibility.Parameters())
        seen = outputs.tallies[0].kept
        peak = status("VmHWM")
        del outputs
    return Peak(seen, peak - before, peak)


def run() -> dict:
    """Measures and prints; returns the same as plain data."""
    peaks = []
    with scene.files() as root:
        for count in (FEW, MANY):
            with tempfile.TemporaryDirectory() as home:
                done = subprocess.run(
                    [sys.executable, "-m", "benchmarks.memory", home, str(root), str(count)],
                    capture_output=True, text=True, check=True,
                )  # fmt: skip
            frames, megabytes, process = (float(word) for word in done.stdout.split())
            peaks.append(Peak(int(frames), megabytes, process))
            print(f"{frames:.0f} frames: {megabytes:.0f} MB, {process:.0f} MB with the process")
    return {"peaks": [asdict(peak) for peak in peaks]}


def bars() -> Iterator[Bar]:
    few, many = run()["peaks"]
    each = (many["megabytes"] - few["megabytes"]) / (many["frames"] - few["frames"])
    yield Bar(
        f"memory that a frame more takes in the visibility stage, {many['frames']} frames against {few['frames']}",
        f"<= {WANTED_EACH:g} MB",
        f"{each:.3f} MB ({many['megabytes']:.0f} MB, {few['megabytes']:.0f} MB; "
        f"process {many['process']:.0f} MB, {few['process']:.0f} MB)",
        each <= WANTED_EACH,
    )


def main(arguments: list[str]) -> None:
    if not arguments:
        run()
        return
    home, root, count = arguments
    peak = measured(Path(home), Path(root), int(count))
    print(peak.frames, peak.megabytes, peak.process)


if __name__ == "__main__":
    main(sys.argv[1:])
