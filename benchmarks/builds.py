"""Bars of building: kills at random moments, equal bytes, and that cost follows what changed."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from benchmarks import process_groups
from benchmarks.bars import Bar
from spatial_assets.assets import partitions
from spatial_assets.engine.runner import Runner
from spatial_assets.readers.registry import reader
from spatial_assets.stages import pipeline
from spatial_assets.storage.content_hash import content_hash
from spatial_assets.storage.lake import Lake, conform
from spatial_assets.studio.write import write_scenes

KILLS = 50
UNMOUNT_TRIES = 60
SEED = 20_000
PAIRS = 2
SHARES_OF_DISK = (0.2, 0.4, 0.6, 0.8, 3.0)
"""Sizes of a disk, in what a home takes that was built undisturbed."""
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
        "scannet", release, module.LICENSE, root, module.find_scenes(root), per_shard
    )


def build(home: Path, workers: int = 1, together: bool = False) -> float:
    """Everything, without Dagster, each stage by itself or those of a suite together; seconds."""
    begun = time.perf_counter()
    runner = Runner(home, pipeline.STAGES, workers)
    stages = pipeline.STAGES.values()
    suites = [list(own) for _, own in itertools.groupby(stages, key=lambda stage: stage.shared)]
    apart = [[stage] for stage in stages]
    # What shares nothing is not run together, though it may stand side by side.
    groups = [own for suite in suites for own in ([suite] if suite[0].shared else [[it] for it in suite])]
    for shard in partitions.registry(home).shards():
        for group in groups if together else apart:
            given = {stage.name: pipeline.parameters(home, stage, shard.dataset) for stage in group}
            for report in runner.run_together(group, shard, given).values():
                if report.errors:
                    raise RuntimeError(next(iter(report.errors.values())))
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
    """Kill -9 a build at random moments, many times; begin anew whenever all is done, and let the last finish."""
    with studio(4) as folder:
        register(folder / "calm", folder / "source", 2)
        begun = time.perf_counter()
        start_build(folder / "calm").wait()
        whole = time.perf_counter() - begun
        expected = digest(folder / "calm")
        moments = random.Random(SEED)
        half, ends = 0, []
        home = folder / "killed"
        for _ in range(KILLS):
            if not home.exists():
                register(home, folder / "source", 2)
            process = start_build(home)
            # Until then the process only imports.
            wait_for(home / "records", process)
            with suppress(subprocess.TimeoutExpired):
                process.wait(moments.uniform(0, whole))
            process_groups.kill(process)
            half += half_tables(home)
            same = digest(home) == expected
            if same or process.returncode == 0:
                ends.append(same)
                shutil.rmtree(home)
        if not home.exists():
            register(home, folder / "source", 2)
        ends.append(start_build(home).wait() == 0 and digest(home) == expected)
    yield Bar(
        f"kill -9 at {KILLS} random moments of a build",
        "no half table, the next build finishes, same bytes",
        f"{half} half tables; {len(ends)} lakes came to their end, {ends.count(True)} with equal bytes",
        half == 0 and all(ends),
    )


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Until there is such a file or folder, or the process has ended."""
    while not path.exists() and process.poll() is None:
        time.sleep(0.02)


def full_disk() -> Iterable[Bar]:
    """A disk that is too small and grows, until a build comes to its end on it."""
    with studio(4) as folder:
        register(folder / "calm", folder / "source", 2)
        start_build(folder / "calm").wait()
        expected = digest(folder / "calm")
        needed = sum(path.stat().st_size for path in (folder / "calm").rglob("*") if path.is_file())
        disk = folder / "disk"
        disk.mkdir()
        half, said, full, status = 0, 0, 0, 1
        mount = ["mount", "-t", "tmpfs", "-o", f"size={int(needed * SHARES_OF_DISK[0])}", "tmpfs", str(disk)]
        subprocess.run(mount, check=True)
        try:
            register(disk / "home", folder / "source", 2)
            for share in SHARES_OF_DISK:
                subprocess.run(["mount", "-o", f"remount,size={int(needed * share)}", str(disk)], check=True)
                process = start_build(disk / "home", subprocess.PIPE)
                _, errors = process.communicate()
                status = process.returncode
                if status == 0:
                    break
                full += 1
                said += errors.count(b"the disk is full") == 1 and b"Traceback" not in errors
                half += half_tables(disk / "home")
            same = status == 0 and digest(disk / "home") == expected
        finally:
            unmount(disk)
    yield Bar(
        "a disk that runs full while a build writes, and then has room",
        "no half table, one clear line, the next build finishes, same bytes",
        f"full {full} times, said {said} times, {half} half tables, bytes {'equal' if same else 'DIFFER'}",
        full > 0 and said == full and half == 0 and same,
    )


def unmount(disk: Path) -> None:
    """Waits for the last worker of a build that failed to be gone; raises CalledProcessError if it stays."""
    for _ in range(UNMOUNT_TRIES):
        if subprocess.run(["umount", str(disk)], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        time.sleep(0.5)
    subprocess.run(["umount", str(disk)], check=True)


def two_builds() -> Iterable[Bar]:
    """Two processes on one home at the same moment."""
    with studio(4) as folder:
        register(folder / "calm", folder / "source", 4)
        build(folder / "calm", 2)
        expected, scenes = digest(folder / "calm"), 4 * len(pipeline.STAGES)
        good = 0
        for turn in range(PAIRS):
            home = folder / f"home{turn}"
            register(home, folder / "source", 4)
            processes = [start_build(home, output=subprocess.PIPE) for _ in range(2)]
            done = sum(json.loads(process.communicate()[0] or "{}").get("done", 0) for process in processes)
            ended = all(process.returncode == 0 for process in processes)
            good += ended and done == scenes and digest(home) == expected
            shutil.rmtree(home)
    yield Bar(
        "two builds of one shard at once",
        "both end with status 0, nothing is done twice, same bytes",
        f"{good} of {PAIRS} pairs",
        good == PAIRS,
    )


def shard_sizes() -> Iterable[Bar]:
    """Eight scenes in one shard, in eight, and arriving one by one."""
    with studio(8) as folder:
        for name, per_shard in (("together", 8), ("apart", 1)):
            register(folder / name, folder / "source", per_shard)
            build(folder / name, 2)
        (folder / "growing").mkdir()
        for scene in sorted((folder / "source").glob("scene*"), reverse=True):
            scene.rename(folder / "growing" / scene.name)
            register(folder / "arriving", folder / "growing", 8)
            build(folder / "arriving", 2)
        together = all_rows(folder / "together")
        different = [name for name in ("apart", "arriving") if all_rows(folder / name) != together]
    yield Bar(
        "one shard of 8, eight shards of 1, scenes that arrive in separate calls: rows and ids",
        "equal",
        f"different: {different}" if different else "equal",
        not different,
    )


def all_rows(home: Path) -> dict[str, str]:
    """Hash of each table's rows, whatever shards they stand in."""
    lake = Lake(home)
    return {
        table.name: content_hash(
            conform(table, pl.concat([lake.read(table, shard) for shard in lake.shards(table)]))
        )
        for stage in pipeline.STAGES.values()
        for table in stage.tables
    }


def half_tables(home: Path) -> int:
    return sum(path.read_bytes()[-4:] != b"PAR1" for path in (home / "lake").rglob("data.parquet"))


def start_build(
    home: Path, errors: int = subprocess.DEVNULL, output: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "spatial_assets", "build", "--home", str(home), "--workers", "2", "--json"],
        stdout=output,
        stderr=errors,
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
        ways = {"each stage by itself": (1, False), "suite by suite, by two workers": (2, True)}
        times: dict[tuple[str, str], list[float]] = {}
        for turn, (way, how) in itertools.product(range(3), ways.items()):
            for home, root in (("of_fifty", folder / "source"), ("of_one", single)):
                relabel(root / "scene0007_00", f"sofa {turn}, {way}")
                times.setdefault((way, home), []).append(build(folder / home, *how))
    for way in ways:
        of_fifty, of_one = min(times[way, "of_fifty"]), min(times[way, "of_one"])
        yield Bar(
            f"build after editing one scene in a shard of 50, against a shard of 1: {way}",
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


MEASURES = {
    "equal bytes": equal_bytes,
    "shard sizes": shard_sizes,
    "two builds at once": two_builds,
    "a full disk": full_disk,
    "kills": kills,
    "one scene of fifty": one_scene_of_fifty,
}
