"""What it takes to register ten thousand scene folders and to know their files: what is opened, what is hashed again.

    python -m benchmarks.registration

Every folder holds a ScanNet scene's four files and six exported frames, of a few kilobytes each. Registration may look
at names, sizes and times; it opens nothing that belongs to a scene. `sources` hashes every file once, and after that
only what has changed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from benchmarks.bars import Bar
from spatial_assets.assets.datasets import register
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.partitions import registry
from spatial_assets.engine.runner import Runner
from spatial_assets.stages import pipeline, sources

SCENES, FRAMES = 10_000, 3
FILE_BYTES = 4096
CHANGED = 7
"""Scenes of which one file is touched and another rewritten."""
_opened: set[str] | None = None
"""What is opened while it is watched."""


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is not None and event == "open" and isinstance(arguments[0], str):
        _opened.add(arguments[0])


sys.addaudithook(_listen)


@contextmanager
def opened_under(root: Path) -> Iterator[set[str]]:
    """Paths below a folder that Python opens meanwhile."""
    global _opened
    found: set[str] = set()
    _opened = set()
    try:
        yield found
        found.update(path for path in _opened if path.startswith(f"{root}/"))
    finally:
        _opened = None


def write(root: Path) -> None:
    """What is in the files does not matter to registering and hashing; the metadata is read to find the frames."""
    filling = bytes(range(256)) * (FILE_BYTES // 256)
    for number in range(SCENES):
        name = f"scene{number % 10_000:04d}_00"
        folder = root / "scans" / name
        (folder / "color").mkdir(parents=True)
        (folder / "pose").mkdir()
        (folder / "intrinsic").mkdir()
        for ending in ("_vh_clean_2.ply", "_vh_clean_2.0.010000.segs.json", ".aggregation.json"):
            (folder / f"{name}{ending}").write_bytes(name.encode() + filling)
        (folder / f"{name}.txt").write_text("colorWidth = 640\ncolorHeight = 480\n")
        (folder / "intrinsic" / "intrinsic_color.txt").write_text(
            "500 0 320 0\n0 500 240 0\n0 0 1 0\n0 0 0 1\n"
        )
        for frame in range(FRAMES):
            (folder / "color" / f"{frame}.jpg").write_bytes(filling)
            (folder / "pose" / f"{frame}.txt").write_text("1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n")


@dataclass(frozen=True)
class Hashed:
    """One run of `sources` over all shards."""

    seconds: float
    files: int
    size: int
    scenes: int
    """Done, not skipped."""


def hash_all(home: Path) -> Hashed:
    files, size, scenes = 0, 0, 0
    real = sources.hash_file

    def counting(path: Path) -> str:
        nonlocal files, size
        files += 1
        size += path.stat().st_size
        return real(path)

    begun = time.perf_counter()
    runner = Runner(home, pipeline.STAGES)
    with mock.patch.object(sources, "hash_file", counting):
        for shard in registry(home).shards():
            report = runner.run(sources.STAGE, shard, pipeline.parameters(home, sources.STAGE, shard.dataset))
            if report.errors or report.rejected:
                raise RuntimeError(str(report.errors or report.rejected))
            scenes += len(report.done)
    return Hashed(time.perf_counter() - begun, files, size, scenes)


def bars() -> Iterator[Bar]:
    with tempfile.TemporaryDirectory() as folder:
        root, home = Path(folder) / "data", Path(folder) / "home"
        write(root)
        begun = time.perf_counter()
        with opened_under(root) as opened, instance_of(home) as instance:
            done = register(instance, home, "scannet", root)
        taken = time.perf_counter() - begun
        print(
            f"registered {done.new_scenes:,} scenes in {taken:.1f} s, {done.new_scenes / taken:,.0f} a second"
        )
        yield Bar(
            f"files of scenes opened while {SCENES:,} folders are registered",
            "0",
            f"{len(opened)} ({taken:.1f} s)",
            not opened and done.new_scenes == SCENES,
        )
        first = hash_all(home)
        print(
            f"hashed {first.files:,} files, {first.size / 1e6:,.0f} MB, in {first.seconds:.1f} s: "
            f"{first.files / first.seconds:,.0f} files and {first.size / first.seconds / 1e6:,.0f} MB a second"
        )
        again = hash_all(home)
        print(f"looked at them again in {again.seconds:.1f} s")
        yield Bar(
            "files hashed again where nothing changed",
            "0",
            f"{again.files} of {first.files:,} ({again.seconds:.1f} s)",
            again.files == again.scenes == 0,
        )
        for number in range(CHANGED):
            path = root / "scans" / f"scene{number * 997:04d}_00"
            (path / "color" / "0.jpg").touch()
            (path / "color" / "1.jpg").write_bytes(b"other")
        changed = hash_all(home)
        yield Bar(
            f"files hashed after {2 * CHANGED} were touched, half of them with other bytes; scenes done again",
            f"{2 * CHANGED} files, {CHANGED} scenes",
            f"{changed.files} files, {changed.scenes} scenes",
            (changed.files, changed.scenes) == (2 * CHANGED, CHANGED),
        )


if __name__ == "__main__":
    for bar in bars():
        print(bar)
