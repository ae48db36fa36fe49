"""A whole scene of ScanNet's size from its files to all its tables on one core, and where the time goes.

    python -m benchmarks.scene

The scene is furnished by the studio and written in ScanNet's layout: 150 thousand faces, 2,000 frames of which
the redundancy filter keeps about 200, 640 x 480. Its images are one photograph-sized JPEG under 2,000 names, so
that listing, hashing and reading headers cost what they cost; no image is ever decoded on the way. Every
part is timed in one thread, warm: what a first process pays for imports and for loading compiled kernels, and
what the PNGs of instance ids cost, is measured apart and printed beside.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
from PIL import Image

from benchmarks.bars import Bar
from benchmarks.rooms import jpeg_like_photograph
from spatial_assets.assets import partitions
from spatial_assets.engine.runner import Runner
from spatial_assets.engine.stage_run import ShardReport
from spatial_assets.readers import cameras, scannet, scannet_frames
from spatial_assets.scene import tables
from spatial_assets.scene.frames import KEYFRAMES, selections
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.refs import Shard
from spatial_assets.stages import (
    keyframes,
    overlap,
    pipeline,
    rooms,
    scenes,
    sources,
    visibility,
)
from spatial_assets.stages.budgets import STAGES as BUDGETS
from spatial_assets.stages.questions import STAGES as TASKS
from spatial_assets.stages.questions import SUITES
from spatial_assets.storage import instance_images, meshes
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.files import write_matrix, write_mesh
from spatial_assets.studio.scene import StudioScene, make_scene

FACES, FRAMES, SIZE = 150_000, 2_000, (640, 480)
SEED, INDEX = 0, 1
"""Of the studio's homes one of two rooms with a hundred objects, whose walk leaves about 200 keyframes."""
NAME = "scene0001_00"
WANTED_SECONDS = 3.0
"""For the keyframes alone, on one core."""
WANTED_ROOMS_SECONDS = 0.3
LATER = tuple(
    stage
    for name, stage in pipeline.STAGES.items()
    if name not in (*TASKS, *BUDGETS, "sources", "scenes", "keyframes", "visibility", "overlap")
)
"""What follows the visibility table and the overlap, before the suites of tasks."""
ROUNDS = 3
FIRST_PROCESS = """
import time; begun = time.process_time()
import sys; from pathlib import Path
from benchmarks import scene
imported = time.process_time()
home, root = Path(sys.argv[1]), Path(sys.argv[2])
scene.process(home, root, True)
first = time.process_time()
import shutil; shutil.rmtree(home)
again = time.process_time(); scene.process(home, root, True)
print(imported - begun, (first - imported) - (time.process_time() - again))
"""


@dataclass(frozen=True)
class Run:
    """Seconds of each part of one pass over the scene, in the order in which they run."""

    parts: dict[str, float]
    png: float
    """Encoding and packing instance images; in none of the parts."""
    faces: int
    keyframes: int
    frames: int
    """Rendered."""
    rows: int

    @property
    def seconds(self) -> float:
        return sum(self.parts.values())


@contextmanager
def files() -> Iterator[Path]:
    """A folder with the scene in ScanNet's layout; removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        write_scene(Path(folder), make_scene(SEED, INDEX, FACES, FRAMES, SIZE))
        yield Path(folder)


def write_scene(root: Path, scene: StudioScene, name: str = NAME) -> None:
    """What the reader needs of ScanNet's layout, without rendering anything."""
    folder = root / name
    for part in ("color", "pose", "intrinsic"):
        (folder / part).mkdir(parents=True)
    mesh = scene.mesh
    write_mesh(
        folder / f"{name}_vh_clean_2.ply",
        mesh.vertices,
        np.full((len(mesh.vertices), 3), meshes.GRAY, np.uint8),
        mesh.faces,
    )
    groups = [
        {
            "id": thing.instance,
            "objectId": thing.instance,
            "label": thing.category,
            "segments": np.unique(mesh.patch[mesh.owner == thing.body]).tolist(),
        }
        for thing in scene.objects
    ]
    (folder / f"{name}_vh_clean_2.0.010000.segs.json").write_text(
        json.dumps({"segIndices": mesh.patch.tolist()})
    )
    (folder / f"{name}.aggregation.json").write_text(json.dumps({"segGroups": groups}))
    (folder / f"{name}.txt").write_text(f"colorWidth = {scene.width}\ncolorHeight = {scene.height}\n")
    camera = np.eye(4)
    camera[:3, :3] = scene.intrinsics
    camera[:2, 2] -= 0.5
    write_matrix(folder / "intrinsic/intrinsic_color.txt", camera)
    Image.fromarray(jpeg_like_photograph(*SIZE)).save(folder / "photograph", "JPEG", quality=90)
    for number, pose in enumerate(scene.poses):
        write_matrix(folder / f"pose/{number}.txt", pose)
        os.link(folder / "photograph", folder / f"color/{number}.jpg")


def check(report: ShardReport) -> None:
    if report.errors or report.rejected:
        raise RuntimeError(str(report.errors or report.rejected))


def process(home: Path, root: Path, keyframes_only: bool, everything: bool = False) -> Run:
    """All stages from the scene's files to its visibility table and the overlap of its frames, or to all its tables."""
    shard = registered(home, root)
    runner = Runner(home, pipeline.STAGES, workers=1)
    clock = Clock()
    with clock.watching(keyframes_only):
        for stage in (sources.STAGE, scenes.STAGE, keyframes.STAGE, visibility.STAGE, overlap.STAGE):
            with clock.part(f"{stage.name}: bookkeeping"):
                report = runner.run(stage, shard, pipeline.parameters(home, stage, shard.dataset))
            check(report)
        groups = {stage.name: {stage.name: stage} for stage in LATER} | pipeline.TOGETHER
        for name, group in groups.items() if everything else ():
            parameters = {
                stage.name: pipeline.parameters(home, stage, shard.dataset) for stage in group.values()
            }
            with clock.part(name):
                reports = runner.run_together(list(group.values()), shard, parameters)
            for report in reports.values():
                check(report)
    lake = Lake(home)
    seen = lake.read(tables.VISIBILITY, shard.key)
    chosen = lake.read(tables.KEYFRAMES, shard.key)
    mesh, _ = meshes.from_ply(lake.file_path(meshes.KIND, shard.key, NAME))
    with instance_images.ImageArchive(lake.file_path(instance_images.KIND, shard.key, NAME)) as images:
        frames = len(images.frames)
    png = clock.seconds.pop("instance images")
    return Run(
        {name: clock.seconds[name] for name in clock.order if name in clock.seconds},
        png,
        len(mesh.faces),
        chosen.filter(pl.col("set") == KEYFRAMES).height,
        frames,
        seen.height,
    )


def registered(home: Path, root: Path) -> Shard:
    registry = partitions.registry(home)
    registry.register("scannet", "bench", scannet.LICENSE, root, scannet.find_scenes(root), 1)
    (shard,) = registry.shards()
    return shard


class Clock:
    """Seconds by part; a part that runs inside another is taken out of it. For one thread at a time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.order: list[str] = []
        self.inner = [0.0]

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        if name not in self.order:
            self.order.append(name)
        self.inner.append(0.0)
        begun = time.process_time()
        try:
            yield
        finally:
            taken = time.process_time() - begun
            own = taken - self.inner.pop()
            self.inner[-1] += taken
            self.seconds[name] = self.seconds.get(name, 0.0) + own

    def timed(self, name: str, call: Callable) -> Callable:
        def measured(*arguments, **named):
            with self.part(name):
                return call(*arguments, **named)

        return measured

    @contextmanager
    def watching(self, keyframes_only: bool) -> Iterator[None]:
        """Puts the clock around the calls that the parts are named after."""
        with mock.patch.multiple(
            visibility,
            ThreadPoolExecutor=SameThread,
            prepare_mesh=self.timed("visibility: preparing mesh and instances", visibility.prepare_mesh),
            prepare_instances=self.timed(
                "visibility: preparing mesh and instances", visibility.prepare_instances
            ),
            frame_visibility=self.timed("visibility: rendering and counting", visibility.frame_visibility),
            rows_of=self.timed("visibility: building rows", visibility.rows_of),
            wanted_frames=(lambda inputs, real=visibility.wanted_frames: only_keyframes(real(inputs), inputs))
            if keyframes_only
            else visibility.wanted_frames,
        ), mock.patch.multiple(
            instance_images,
            to_png=self.timed("instance images", instance_images.to_png),
            pack=self.timed("instance images", instance_images.pack),
        ), mock.patch.multiple(
            overlap,
            overlap_matrices=self.timed("overlap: matrices", overlap.overlap_matrices),
        ), mock.patch.multiple(
            keyframes,
            keyframe_indices=self.timed("keyframes: filter", keyframes.keyframe_indices),
        ), mock.patch.object(
            scannet, "read_ply", self.timed("scenes: reading the mesh", scannet.read_ply)
        ), mock.patch.object(
            scannet.files, "read_json", self.timed("scenes: reading the instances", scannet.files.read_json)
        ), mock.patch.object(
            scannet_frames.source_images,
            "image_size",
            self.timed("scenes: headers of images", scannet_frames.source_images.image_size),
        ), mock.patch.object(
            cameras, "parse_pose", self.timed("scenes: reading poses", cameras.parse_pose)
        ), mock.patch.object(
            sources, "hash_file", self.timed("sources: hashing", sources.hash_file)
        ):  # fmt: skip
            yield


class SameThread:
    """Stands in for a pool of one thread, so that the clock sees what it does."""

    def __init__(self, threads: int) -> None:
        del threads

    def __enter__(self) -> SameThread:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(function(*arguments))
        return done


def only_keyframes(wanted: visibility.Wanted, inputs: SceneInputs) -> visibility.Wanted:
    sets = selections(inputs.table(tables.KEYFRAMES))
    chosen = frozenset(sets[KEYFRAMES])
    return replace(wanted, views={name: v for name, v in wanted.views.items() if name in chosen}, full=chosen)


def best(root: Path, keyframes_only: bool, everything: bool = False, rounds: int = ROUNDS) -> Run:
    """The fastest of several passes, each into a home of its own; one before them is not counted."""
    runs = []
    for _ in range(rounds + 1):
        with tempfile.TemporaryDirectory() as home:
            runs.append(process(Path(home), root, keyframes_only, everything))
    return min(runs[1:], key=lambda run: run.seconds)


def first_process(root: Path) -> tuple[float, float]:
    """Processor seconds that a fresh process pays for imports, and on its first scene beyond a later one."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-c", FIRST_PROCESS, str(Path(home) / "home"), str(root)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    imports, rest = (float(word) for word in done.stdout.split())
    return imports, rest


def bars() -> Iterator[Bar]:
    found = run()
    alone, union = found["keyframes"], found["union"]
    yield Bar(
        f"a scene of {FACES:,} faces and {FRAMES:,} frames, files to visibility table, {alone['frames']} keyframes",
        f"<= {WANTED_SECONDS:g} s of one core",
        f"{alone['seconds']:.2f} s (beside: PNGs {alone['png']:.2f} s, imports {found['imports']:.2f} s, "
        f"first use of the kernels {found['loading']:.2f} s)",
        alone["seconds"] <= WANTED_SECONDS,
    )
    yield Bar(
        f"the same, union of the frame sets, {union['frames']} frames",
        "reported",
        f"{union['seconds']:.2f} s, PNGs {union['png']:.2f} s",
        True,
    )
    whole = found["whole"]
    yield Bar(
        "the same, to all tables",
        "reported",
        f"{whole['seconds']:.2f} s, of them rooms {whole['parts'][rooms.NAME]:.2f} s and "
        f"tasks {sum(whole['parts'][suite] for suite in SUITES):.2f} s",
        True,
    )
    yield Bar(
        "rooms of that scene",
        f"<= {WANTED_ROOMS_SECONDS:g} s of one core",
        f"{whole['parts'][rooms.NAME]:.2f} s",
        whole["parts"][rooms.NAME] <= WANTED_ROOMS_SECONDS,
    )


def run() -> dict:
    """Measures and prints; returns the same as plain data."""
    with files() as root:
        alone, union, whole = best(root, True), best(root, False), best(root, False, everything=True)
        imports, loading = first_process(root)
    for title, found in (
        ("keyframes alone", alone),
        ("union of the frame sets", union),
        ("union of the frame sets, to all tables", whole),
    ):
        print(
            f"whole scene, {title}: {found.faces} faces, {FRAMES} frames in, {found.keyframes} keyframes, "
            f"{found.frames} frames rendered, {found.rows} rows: {found.seconds:.2f} s of one core"
        )
        for name, seconds in found.parts.items():
            print(f"  {name:<44} {seconds:>7.3f} s {seconds / found.seconds:>6.1%}")
        print(f"  {'beside: PNGs of instance ids':<44} {found.png:>7.3f} s")
    print(f"  beside, once per process: imports {imports:.2f} s, first use of the kernels {loading:.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "keyframes": {
            "seconds": alone.seconds,
            "parts": alone.parts,
            "png": alone.png,
            "frames": alone.frames,
        },
        "union": {"seconds": union.seconds, "parts": union.parts, "png": union.png, "frames": union.frames},
        "whole": {"seconds": whole.seconds, "parts": whole.parts, "png": whole.png, "frames": whole.frames},
        "imports": imports,
        "loading": loading,
        "peak_mb": peak,
        "wanted_seconds": WANTED_SECONDS,
    }


if __name__ == "__main__":
    run()
