"""Space-aware frames: what choosing them costs, and how much more of made homes they show than uniform ones.

    python -m benchmarks.frames

What frames show is told from the mesh at the images' full size: the faces that own a pixel, and their objects.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks import scene
from benchmarks.bars import Bar, measure_all
from benchmarks.bars import table as table_of
from benchmarks.tasks import UPSTREAM
from spatial_assets.assets import partitions
from spatial_assets.engine.runner import Runner
from spatial_assets.geometry.drawable import face_areas
from spatial_assets.geometry.keyframes import uniform_indices
from spatial_assets.geometry.rasterize import prepare_mesh, rasterize
from spatial_assets.geometry.space_aware import choose, grid_of, seen_voxels
from spatial_assets.readers import scannet
from spatial_assets.scene import tables
from spatial_assets.scene.frames import View, views
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.stages import budgets, frame_sets, pipeline
from spatial_assets.stages.space_aware import Parameters, sample
from spatial_assets.storage import meshes
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.write import write_scenes

WANTED_SECONDS = 0.05
"""For choosing among 128 candidates, once it is known which points they see: one core."""
MORE = ("spar", "vsti")
WANTED_MICROSECONDS = 10.0
"""Core microseconds of each verdict on other suites' questions about the same scene, reading these included."""
WANTED_TOGETHER = 0.2
"""Core seconds of a scene's sets of frames and of what holds for each, on the scene of `benchmarks.scene`."""
SCENES, SEED, FACES, FRAMES, SIZE = 8, 41, 30_000, 200, (128, 96)
SHOWN = (8, 16, 32)
ROUNDS = 12
LOOKS, POINTS = 128, 64 * 48


def choosing() -> float:
    """Core seconds of choosing 32 of 128 frames that each see some walls of a hall; the fastest of some rounds."""
    random = np.random.default_rng(0)
    hall = np.array([8.0, 8.0, 2.6])
    points = []
    for _ in range(LOOKS):
        rays = random.normal(size=(POINTS, 3))
        rays *= 3.0 / np.linalg.norm(rays, axis=1)[:, None]
        points.append(np.clip(random.uniform(0, 1, 3) * hall + rays, 0, hall))
    names = random.permutation(LOOKS).astype(np.uint64)
    own = Parameters()
    taken = []
    for _ in range(ROUNDS + 1):
        begun = time.process_time()
        grid = grid_of(points, own.parts, own.outside, own.most_parts, own.step)
        choose(seen_voxels(points, grid, own.least_points), names, 32)
        taken.append(time.process_time() - begun)
    return min(taken[1:])


class Truth:
    """What frames of a scene show."""

    def __init__(self, inputs: SceneInputs) -> None:
        mesh, self._owners = meshes.from_ply(inputs.file(meshes.KIND))
        prepared, self._areas = prepare_mesh(mesh.vertices, mesh.faces), face_areas(mesh.vertices, mesh.faces)
        self.frames = list(views(inputs.table(tables.FRAMES)).values())
        self._seen = {
            view.frame: np.unique(
                rasterize(prepared, view.intrinsics, view.world_to_camera, view.width, view.height)[0]
            )
            for view in self.frames
        }

    def shown(self, frames: Sequence[View]) -> tuple[float, int]:
        """Square meters, and objects."""
        faces = np.unique(np.concatenate([self._seen[view.frame] for view in frames]))
        faces = faces[faces >= 0]
        owners = self._owners[faces]
        return float(self._areas[faces].sum()), len(np.unique(owners[owners >= 0]))


def shares(folder: Path) -> dict[int, np.ndarray]:
    """By number of frames, (SCENES, 2, 2): of the surface and the objects that all frames show, the shares that uniform
    and space-aware ones do."""
    home, root = folder / "home", folder / "root"
    root.mkdir()
    write_scenes(root, "scannet", SCENES, SEED, FACES, FRAMES, SIZE)
    registry = partitions.registry(home)
    registry.register("scannet", "bench", scannet.LICENSE, root, scannet.find_scenes(root), SCENES)
    (shard,) = registry.shards()
    for name in ("sources", "scenes"):
        stage = pipeline.STAGES[name]
        Runner(home, pipeline.STAGES, 2).run(stage, shard, pipeline.parameters(home, stage, shard.dataset))
    found: dict[int, list[list[list[float]]]] = {count: [] for count in SHOWN}
    for ref in shard.scenes:
        inputs = SceneInputs(Lake(home), shard, ref)
        truth = Truth(inputs)
        surface, objects = truth.shown(truth.frames)
        for count in SHOWN:
            uniform = [truth.frames[place] for place in uniform_indices(len(truth.frames), count)]
            chosen = sample(inputs, Parameters(), count).frames
            shown = [truth.shown(frames) for frames in (uniform, chosen)]
            found[count].append([[area / surface, things / objects] for area, things in shown])
    return {count: np.array(values) for count, values in found.items()}


def together() -> tuple[float, dict[str, tuple[float, int]]]:
    """Core seconds of the sets of frames of a scene of ScanNet's size, and by suite of what holds of its questions for
    each, tables read anew, the fastest of some rounds; and how many verdicts that are."""
    suites = ("vsi", *MORE)
    with scene.files() as root, tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shard = scene.registered(home, root)
        runner = Runner(home, pipeline.STAGES, 1)
        for name in (
            *UPSTREAM,
            frame_sets.NAME,
            *(task for suite in suites for task in budgets.recounted(suite)),
        ):
            stage = pipeline.STAGES[name]
            scene.check(runner.run(stage, shard, pipeline.parameters(home, stage, shard.dataset)))
        taken: dict[str, list[float]] = {name: [] for name in (frame_sets.NAME, *suites)}
        verdicts = {}
        for _ in range(ROUNDS + 1):
            inputs = SceneInputs(Lake(home), shard, shard.scenes[0])
            begun = time.process_time()
            frame_sets.choose_sets(inputs, frame_sets.Parameters())
            taken[frame_sets.NAME].append(time.process_time() - begun)
            for suite in suites:
                inputs = SceneInputs(Lake(home), shard, shard.scenes[0])
                begun = time.process_time()
                loaded = budgets.load(inputs)
                made = [
                    budgets.judge(task, loaded, judged.parameters(shard.dataset))
                    for task, judged in zip(
                        budgets.recounted(suite), budgets.SUITES[suite].values(), strict=True
                    )
                ]
                taken[suite].append(time.process_time() - begun)
                verdicts[suite] = sum(len(table) for own in made for table in own.tables.values())
    # What is done first compiles.
    fastest = {name: min(own[1:]) for name, own in taken.items()}
    return fastest[frame_sets.NAME], {suite: (fastest[suite], verdicts[suite]) for suite in suites}


def bars() -> Iterator[Bar]:
    choosing_sets, judged = together()
    judging, verdicts = judged["vsi"]
    yield Bar(
        f"sets of frames of a scene of {scene.FACES:,} faces, and {verdicts:,} verdicts for them",
        f"<= {WANTED_TOGETHER:g} s of one core",
        f"{choosing_sets + judging:.3f} s: {choosing_sets:.3f} s for the sets, {judging:.3f} s for the verdicts",
        choosing_sets + judging <= WANTED_TOGETHER,
    )
    for suite in MORE:
        judging, verdicts = judged[suite]
        each = judging / verdicts * 1e6
        yield Bar(
            f"{verdicts:,} verdicts on what {suite} asks of that scene's video",
            f"<= {WANTED_MICROSECONDS:g} microseconds of one core each",
            f"{each:.1f} microseconds, {judging:.3f} s together",
            each <= WANTED_MICROSECONDS,
        )
    seconds = choosing()
    yield Bar(
        f"32 of {LOOKS} candidates with {POINTS:,} points each are chosen",
        f"<= {WANTED_SECONDS * 1e3:g} ms of one core",
        f"{seconds * 1e3:.0f} ms",
        seconds <= WANTED_SECONDS,
    )
    with tempfile.TemporaryDirectory() as folder:
        found = shares(Path(folder))
    for count, values in found.items():
        (flat, things), (more, further) = values.mean(axis=0)
        yield Bar(
            f"{count} frames of {SCENES} homes, space-aware",
            "more of the surface than uniform ones, in the mean",
            f"{more:.1%} of the surface and {further:.1%} of the objects that {FRAMES} frames show, "
            f"uniform {flat:.1%} and {things:.1%}",
            bool(more > flat),
        )


if __name__ == "__main__":
    print("\n".join(table_of(measure_all({"frames": bars}))))
