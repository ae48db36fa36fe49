"""Grounding and layouts: what the suite costs, and what rounding and errors in depth cost boxes that are told as text.

    python -m benchmarks.grounding

The first is of the scene of `benchmarks.scene`, by core calls alone. The tables are of made homes: every object in the
frame that shows the most of it, told as the tasks tell it, unrounded, rounded part by part, or with an error.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import scene, tasks
from benchmarks.bars import Bar, measure_all, table
from spatial_assets.assets import partitions
from spatial_assets.engine.runner import Runner
from spatial_assets.evaluation.grounding import THRESHOLDS, noisy
from spatial_assets.geometry.box_overlap import iou_matrix, upright_parts
from spatial_assets.geometry.grounding import match_boxes, recover_box
from spatial_assets.readers import scannet
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import Box, Float
from spatial_assets.stages import pipeline
from spatial_assets.stages.questions import facts_of
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits, referents, shown
from spatial_assets.tasks.grounding.located import LocatedParameters, told_numbers

SUITE = "grounding"
WANTED_SECONDS = 0.15
WANTED_IOU = 0.95
"""Median, of boxes told with the point and the turn rounded alone."""
ROUNDS = 12
SCENES, SEED, FACES, FRAMES, SIZE = 8, 43, 30_000, 80, (320, 240)
STAGES = ("sources", "scenes", "keyframes", "visibility")
EDGES = (0.0, 0.3, 0.6, 1.0, 2.0)
"""Meters of an object's longest side, between which lines of the first table stand."""
DISTANCES = (0.0, 1.5, 2.5, 4.0)
"""Meters of an object's depth, likewise of the second."""
DEPTH_ERRORS = (0.0, 0.05, 0.1, 0.2)
"""Standard deviations, as shares of the depth."""
NOISE = 0.1
"""Of proposals, as a share of each edge."""
PARTS = ("point", "turn", "depth 0.1 m", "size 0.1 m", "depth and size 0.1 m", "depth and size 0.01 m")


@dataclass(frozen=True)
class Told:
    """An object as its best frame tells it."""

    scene: str
    box: Box
    numbers: Sequence[float]
    """x, y, depth, across, along, up and turn."""
    intrinsics: Float
    pose: Float
    size: tuple[float, float]

    def back(self, numbers: Sequence[float]) -> Box | None:
        x, y, depth, *sizes, turn = numbers
        if min(depth, *sizes) <= 0:
            return None
        return recover_box((x, y), depth, sizes, self.intrinsics, self.pose, self.size, turn)


def told_of(facts: SceneFacts) -> Iterator[Told]:
    """Each object that some keyframe shows well, by the one that shows the most of it."""
    parameters = LocatedParameters()
    fit = (facts.once(referents, ReferentLimits()) == 0) & shown(facts)
    pixels = np.where(fit, facts.observed.visible_px, 0.0)
    things = np.flatnonzero(pixels.max(axis=0, initial=0.0) > 0)
    frames = pixels[:, things].argmax(axis=0)
    numbers, points = told_numbers(facts, parameters, frames, things)
    for frame, thing, own, point in zip(frames.tolist(), things.tolist(), numbers, points, strict=True):
        if np.isfinite(own).all():
            yield Told(
                facts.which["scene"],
                facts.objects.boxes[thing],
                [*point.tolist(), *own.tolist()],
                facts.frames.intrinsics[frame],
                facts.frames.camera_to_world[frame],
                (float(facts.frames.widths[frame]), float(facts.frames.heights[frame])),
            )


def rounded(numbers: Sequence[float], part: str) -> list[float]:
    """The same numbers with a part of them as it is printed; point and turn always."""
    found = list(numbers)
    step = 0.01 if "0.01" in part else 0.1
    for place in range(7):
        is_point, is_depth, is_size, is_turn = place < 2, place == 2, 3 <= place < 6, place == 6
        if part == "point" and is_turn:
            continue
        if part == "turn" and is_point:
            continue
        if is_point or is_turn:
            found[place] = float(np.floor(found[place] + 0.5))
        elif (is_depth and "depth" in part) or (is_size and "size" in part):
            found[place] = float(np.floor(found[place] / step + 0.5) * step)
    return found


def iou(told: Told, numbers: Sequence[float]) -> float:
    """0 where a side is rounded to nothing."""
    back = told.back(numbers)
    return 0.0 if back is None else float(iou_matrix(upright_parts([back]), upright_parts([told.box]))[0, 0])


def homes(folder: Path) -> list[SceneFacts]:
    home, root = folder / "home", folder / "root"
    root.mkdir()
    write_scenes(root, "scannet", SCENES, SEED, FACES, FRAMES, SIZE)
    registry = partitions.registry(home)
    registry.register("scannet", "bench", scannet.LICENSE, root, scannet.find_scenes(root), SCENES)
    (shard,) = registry.shards()
    for name in STAGES:
        stage = pipeline.STAGES[name]
        Runner(home, pipeline.STAGES, 2).run(stage, shard, pipeline.parameters(home, stage, shard.dataset))
    return [facts_of(SceneInputs(Lake(home), shard, ref)) for ref in shard.scenes]


def cost_of_rounding(found: Sequence[Told]) -> Iterator[str]:
    """Lines: by objects' longest side, the median IoU and the share at 0.5 after rounding each part."""
    yield f"{'longest side':<16} {'objects':>8}  " + "  ".join(f"{part:>22}" for part in PARTS)
    longest = np.array([max(told.box.size) for told in found])
    ious = {part: np.array([iou(told, rounded(told.numbers, part)) for told in found]) for part in PARTS}
    for place, low in enumerate((*EDGES, -1.0)):
        high = EDGES[place + 1] if place + 1 < len(EDGES) else np.inf
        own = (longest >= low) & (longest < high) if low >= 0 else np.ones(len(found), np.bool_)
        name = "all" if low < 0 else f"{low:g} to {high:g} m" if np.isfinite(high) else f"{low:g} m and more"
        cells = (
            f"{np.median(ious[part][own]):>12.3f} {(ious[part][own] >= 0.5).mean():>9.1%}" for part in PARTS
        )
        if own.any():
            yield f"{name:<16} {own.sum():>8}  " + "  ".join(cells)


def cost_of_depth(found: Sequence[Told], boxes: dict[str, dict[int, Box]]) -> Iterator[str]:
    """Lines: by depth and by its error, accuracy without refinement and with it."""
    heads = [f"acc@{least:g}{how}" for how in ("", " refined") for least in THRESHOLDS]
    yield f"{'depth':<16} {'error':>7} {'objects':>8}  " + "  ".join(f"{head:>16}" for head in heads)
    depths = np.array([told.numbers[2] for told in found])
    proposals = {name: noisy(own, name, NOISE) for name, own in boxes.items()}
    for error in DEPTH_ERRORS:
        random = np.random.default_rng(0)
        plain, refined = np.zeros(len(found)), np.zeros(len(found))
        for place, told in enumerate(found):
            numbers = rounded(told.numbers, "depth and size 0.1 m")
            numbers[2] *= float(np.exp(random.normal(0.0, error)))
            # A side that is printed as nothing still has some width.
            numbers[3:6] = [max(side, 0.05) for side in numbers[3:6]]
            back = told.back(numbers)
            if back is None:
                continue
            (best,) = match_boxes([back], proposals[told.scene])
            own = upright_parts([told.box])
            plain[place] = iou_matrix(upright_parts([back]), own)[0, 0]
            refined[place] = iou_matrix(upright_parts([proposals[told.scene][best]]), own)[0, 0]
        for at, low in enumerate(DISTANCES):
            high = DISTANCES[at + 1] if at + 1 < len(DISTANCES) else np.inf
            own_ones = (depths >= low) & (depths < high)
            name = f"{low:g} to {high:g} m" if np.isfinite(high) else f"{low:g} m and more"
            cells = [
                f"{(values[own_ones] >= least).mean():>16.1%}"
                for values in (plain, refined)
                for least in THRESHOLDS
            ]
            yield f"{name:<16} {error:>7.0%} {own_ones.sum():>8}  " + "  ".join(cells)


def seconds() -> float:
    """Core seconds of the suite's tasks in all formats, of the scene of 200 keyframes; the fastest of some rounds."""
    taken = []
    with scene.files() as root, tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shard = tasks.build(home, root, tasks.MEASURED)
        for number in range(ROUNDS + 1):
            gc.collect()
            taken.append(tasks.write_all(home, shard, home / "calls", number, SUITE))
    return min(taken[1:])


def bars() -> Iterator[Bar]:
    with tempfile.TemporaryDirectory() as folder:
        facts = homes(Path(folder))
        found = [told for own in facts for told in told_of(own)]
        boxes = {
            own.which["scene"]: dict(zip(own.objects.instances.tolist(), own.objects.boxes, strict=True))
            for own in facts
        }
        print(f"what rounding costs, median IoU and share of at least 0.5, {len(found)} objects:")
        print("\n".join(cost_of_rounding(found)))
        print(f"\nwhat an error in depth costs, proposals off by {NOISE:.0%} of each edge:")
        print("\n".join(cost_of_depth(found, boxes)))
        unrounded = [iou(told, rounded(told.numbers, "point and turn")) for told in found]
        median = float(np.median(unrounded))
    yield Bar(
        f"boxes of {len(found)} objects come back from text before depth and size are rounded",
        f"median IoU >= {WANTED_IOU:g}",
        f"{median:.3f}",
        median >= WANTED_IOU,
    )
    taken = seconds()
    yield Bar(
        "all tasks of grounding in all formats by core calls, of a scene of 200 keyframes",
        f"<= {WANTED_SECONDS:g} s of one core",
        f"{taken:.3f} s",
        taken <= WANTED_SECONDS,
    )


if __name__ == "__main__":
    lines = table(measure_all({"grounding": bars}))
    sys.stdout.write("\n".join(lines) + "\n")
