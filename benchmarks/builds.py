"""Bars of building: kills at random moments, equal bytes, and that cost follows what changed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bars import Bar
from spatial_assets import partitions, pipeline
from spatial_assets.datasets import reader
from spatial_assets.datasets.studio import write_scenes
from spatial_assets.incremental import Runner

KILLS = 50
SEED = 20_000
SMALL = {"faces": 15_000, "frames": 40, "size": (160, 120)}
"""Scenes small enough to build many times; what is measured does not depend on their size."""


@contextmanager
def studio(scenes: int) -> Iterator[Path]:
    """A folder with `source`, small procedural scenes; removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        write_scenes(Path(folder) / "source", "scannet", scenes, seed=3, **SMALL)
        yield Path(folder)


def register(home: Path, root: Path, per_shard: int, release: str = "studio") -> None:
    module = reader("scannet")
    partitions.registry(home).register(
        "scannet", release, module.LICENCE, root, module.find_scenes(root), per_shard
    )


def build(home: Path, workers: int = 1) -> float:
    """Everything, without Dagster; seconds."""
    begun = time.perf_counter()
    runner = Runner(home, pipeline.STAGES, workers)
    for shard in partitions.registry(home).shards():
        for stage in pipeline.STAGES.values():
            report = runner.run(stage, shard, pipeline.parameters(home, stage, shard.dataset))
            if report.faults:
                raise RuntimeError(next(iter(report.faults.values())))
    return time.perf_counter() - begun


def digest(home: Path) -> str:
    total = hashlib.sha256()
    for path in sorted((home / "lake").rglob("*")):
        if path.is_file():
            total.update(str(path.relative_to(home)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def equal_bytes() -> Iterable[Bar]:
    with studio(4) as folder:
        lakes = {}
        for name, workers, order in (
            ("1 worker", 1, ("a", "b")),
            ("2 workers", 2, ("a", "b")),
            ("registered in the other order", 1, ("b", "a")),
        ):
            home = folder / name.replace(" ", "_")
            for release in order:
                register(home, folder / "source", 3, release)
            build(home, workers)
            lakes[name] = digest(home)
    different = [name for name, value in lakes.items() if value != lakes["1 worker"]]
    yield Bar(
        "byte-identical lakes: 1 and 2 workers, datasets in either order",
        "equal",
        f"different: {different}" if different else "equal",
        not different,
    )


def kills() -> Iterable[Bar]:
    """Kill -9 a build at random moments, many times, and let the last one finish."""
    with studio(6) as folder:
        register(folder / "calm", folder / "source", 3)
        seconds = build(folder / "calm", 2)
        expected = digest(folder / "calm")
        moments = random.Random(SEED)
        half, finished = 0, 0
        home = folder / "killed"
        for _ in range(KILLS):
            if not home.exists():
                register(home, folder / "source", 3)
            process = start_build(home)
            try:
                # Starting takes a second or two; the rest of the range is the work itself.
                process.wait(moments.uniform(1.0, 4.0 + seconds))
                finished += 1
                if digest(home) != expected:
                    half += 1
                shutil.rmtree(home)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                half += sum(p.read_bytes()[-4:] != b"PAR1" for p in (home / "lake").rglob("data.parquet"))
        if not home.exists():
            register(home, folder / "source", 3)
        status = start_build(home).wait()
        same = status == 0 and digest(home) == expected
    yield Bar(
        f"kill -9 at {KILLS} random moments of a build",
        "no half table, the next build finishes, same bytes",
        f"{half} half tables, {finished} builds ended before the kill, bytes {'equal' if same else 'DIFFER'}",
        half == 0 and same,
    )


def start_build(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "spatial_assets", "build", "--home", str(home), "--workers", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def one_scene_of_fifty() -> Iterable[Bar]:
    """An edited scene costs what it costs, not what its shard holds."""
    with studio(50) as folder:
        single = folder / "single"
        single.mkdir()
        shutil.copytree(folder / "source/scene0007_00", single / "scene0007_00")
        register(folder / "of_fifty", folder / "source", 50)
        register(folder / "of_one", single, 1)
        build(folder / "of_fifty", 2)
        build(folder / "of_one", 2)
        idle = build(folder / "of_fifty")
        times: dict[str, list[float]] = {"of_fifty": [], "of_one": []}
        for turn in range(3):
            for home, root in (("of_fifty", folder / "source"), ("of_one", single)):
                relabel(root / "scene0007_00", f"sofa {turn}")
                times[home].append(build(folder / home))
    of_fifty, of_one = min(times["of_fifty"]), min(times["of_one"])
    yield Bar(
        "build after editing one scene in a shard of 50, against a shard of 1",
        "<= 2 x",
        f"{of_fifty / of_one:.2f} x ({of_fifty:.2f} s, {of_one:.2f} s)",
        of_fifty <= 2 * of_one,
    )
    yield Bar(
        "a no-op run of one shard of 50 over all assets, beyond imports",
        "<= 5 s",
        f"{idle:.2f} s",
        idle <= 5,
    )


def relabel(scene: Path, label: str) -> None:
    file = next(scene.glob("*.aggregation.json"))
    content = json.loads(file.read_text())
    content["segGroups"][-1]["label"] = label
    file.write_text(json.dumps(content))


MEASURES = {"equal bytes": equal_bytes, "kills": kills, "one scene of fifty": one_scene_of_fifty}
