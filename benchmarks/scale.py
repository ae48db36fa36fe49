"""Many scenes from their files to SPAR's folders, by the commands that a user gives: core seconds a scene, by part.

    python -m benchmarks.scale

Four rooms of ScanNet's size (`benchmarks.scene`) stand under ten names each, as files of their own, so that nothing but
the disk's cache knows that they are alike. They are registered, built through Dagster by as many workers as there are
cores, made a release and exported without images. What each command and the processes it waits for take of a core is
counted; the parts of the build are what its records say of each scene by the clock, which is processor time where
nothing else runs; the rest of it is Dagster, committing and starting up.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import scene
from benchmarks.bars import Bar
from spatial_assets.assets.partitions import registry
from spatial_assets.lineage import records
from spatial_assets.stages.pipeline import STAGES
from spatial_assets.stages.questions import SUITES
from spatial_assets.studio.scene import make_scene

ROOMS, NAMES = 4, 10
PER_SHARD = 20
WANTED_SECONDS = 5.0
"""Core seconds a scene, with the tasks of `SUITES_ASKED`, each with what it is made from and no more."""
SUITES_ASKED = ("spar", "spatialmosaic", "views", "vsi")
"""Whose tasks the bar is over; what else a build makes is measured apart, and told beside it."""
PUBLISHED_SCENES, PUBLISHED_ROWS = 4_500, 16_300_000
"""Of SPAR-7M."""
SPAR = "spar"
RELEASE = "scale"
REST = "build of the rest"
"""Whatever is made after what the bar is over: sets of frames, what holds for them, later suites."""


@dataclass(frozen=True)
class Command:
    """What one command took."""

    cores: float
    """Seconds of processor time, of all its processes."""
    clock: float
    megabytes: float
    """The greatest resident size that a process of any command so far reached."""


@dataclass(frozen=True)
class Scale:
    scenes: int
    rows: int
    """In SPAR's folders."""
    commands: dict[str, Command]
    parts: dict[str, float]
    """Core seconds of both builds, by stage or suite."""

    @property
    def each(self) -> float:
        """Core seconds a scene, of what the bar is over."""
        return self.whole - self.commands[REST].cores / self.scenes

    @property
    def whole(self) -> float:
        """Core seconds a scene of everything."""
        return sum(command.cores for command in self.commands.values()) / self.scenes


def write(root: Path, folder: Path) -> int:
    """Write the scenes; how many."""
    count = 0
    for room in range(ROOMS):
        made = make_scene(scene.SEED, scene.INDEX + room, scene.FACES, scene.FRAMES, scene.SIZE)
        for _ in range(NAMES):
            name = f"scene{count:04d}_00"
            count += 1
            first = folder / f"{room}"
            if not first.exists():
                scene.write_scene(first, made, name)
                source, own = first / name, name
            copied(source, own, root / name, name)
    return count


def copied(source: Path, old: str, target: Path, new: str) -> None:
    """A scene under another name; its bytes stay where they are on the disk."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / str(path.relative_to(source)).replace(old, new)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, place)


def command(*words: str) -> Command:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "spatial_assets", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cores = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Command(cores, time.perf_counter() - begun, after.ru_maxrss / 1024)


def measured(folder: Path) -> Scale:
    root, home = folder / "source", str(folder / "home")
    scenes = write(root, folder / "rooms")
    workers = str(os.cpu_count() or 1)
    commands = {
        "register": command(
            "register", "scannet", str(root), "--home", home, "--scenes-per-shard", str(PER_SHARD)
        ),
        "build": command("build", "--home", home, "--workers", workers, *asked()),
        "release": command("release", "create", RELEASE, "--home", home),
        "export": command("export", SPAR, RELEASE, str(folder / "out"), "--home", home, "--images", "none"),
        REST: command("build", "--home", home, "--workers", workers),
    }
    rows = sum(sum(1 for _ in path.open("rb")) for path in sorted((folder / "out").rglob("*.jsonl")))
    return Scale(scenes, rows, commands, parts(Path(home)))


def asked() -> list[str]:
    """The tasks of the suites that the bar is over, as options of a build."""
    return [word for suite in SUITES_ASKED for name in SUITES[suite] for word in ("--task", name)]


def parts(home: Path) -> dict[str, float]:
    """Seconds of a core by stage or suite, as the records have them."""
    shards = [shard.key for shard in registry(home).shards()]
    suites = {name: suite for suite, stages in SUITES.items() for name in stages}
    found: dict[str, float] = {}
    for name in [*STAGES, *SUITES]:
        seconds = sum(
            record.seconds for shard in shards for record in records.load(home, name, shard).values()
        )
        part = suites.get(name, name)
        found[part] = found.get(part, 0.0) + seconds
    return found


def run() -> Scale:
    """Measures and prints; returns the same."""
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder).resolve())
    print(
        f"{found.scenes} scenes of {scene.FACES:,} faces and {scene.FRAMES:,} frames, {found.rows:,} rows of SPAR's"
    )
    build = found.commands["build"].cores + found.commands[REST].cores
    lines = [(f"build: {part}", seconds) for part, seconds in found.parts.items()]
    lines.append(("build: Dagster, committing, starting up", build - sum(found.parts.values())))
    lines += [(name, made.cores) for name, made in found.commands.items() if name not in ("build", REST)]
    for name, seconds in lines:
        print(f"  {name:<44} {seconds / found.scenes:>7.3f} s of a core a scene")
    print(f"  {'together':<44} {found.whole:>7.3f}")
    rest = found.commands[REST].cores / found.scenes
    print(f"  {'of it ' + REST:<44} {rest:>7.3f}")
    print(f"  {'what the bar is over':<44} {found.each:>7.3f}")
    for name, made in found.commands.items():
        print(
            f"  {name}: {made.clock:.0f} s by the clock, {made.megabytes:.0f} MB at most in a process so far"
        )
    print(f"  {projected(found)}")
    return found


def projected(found: Scale) -> str:
    cores = os.cpu_count() or 1
    hours = found.each * PUBLISHED_SCENES / cores / 3600
    millions = found.rows / found.scenes * PUBLISHED_SCENES / 1e6
    of_rows = found.each * found.scenes / found.rows * PUBLISHED_ROWS / cores / 3600
    return (
        f"on {cores} cores: {PUBLISHED_SCENES:,} scenes in {hours:.1f} h with {millions:.1f} million rows of SPAR's; "
        f"its {PUBLISHED_ROWS / 1e6:.1f} million rows in {of_rows:.1f} h"
    )


def bars() -> Iterator[Bar]:
    found = run()
    yield Bar(
        f"{found.scenes} scenes of ScanNet's size through Dagster, files to SPAR's folders, {', '.join(SUITES_ASKED)}",
        f"<= {WANTED_SECONDS:g} core s a scene",
        f"{found.each:.2f} s, with all else that is built {found.whole:.2f}; {projected(found)}",
        found.each <= WANTED_SECONDS,
    )


if __name__ == "__main__":
    run()
