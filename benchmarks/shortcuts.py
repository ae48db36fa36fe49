"""What can be answered without looking: the audit over studio scenes, a bar for every task with options.

    python -m benchmarks.shortcuts [SCENES [MORE]] [TASK ...]

Scenes are small, of few frames: questions are about geometry, and nobody looks at these pictures. Tasks with few rows
a scene are asked about more scenes than others, and those that need no geometry about homes that nobody films.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks import unfilmed
from benchmarks.bars import Bar
from benchmarks.seeds import (
    ALL_AUDITED,
    AUDITED,
    AUDITED_MORE,
    AUDITED_MOST,
    AUDITED_RAREST,
    AUDITED_UNFILMED,
    check_apart,
)
from spatial_assets.assets.build import build
from spatial_assets.assets.datasets import register
from spatial_assets.assets.instance import instance_of
from spatial_assets.audit.shortcuts import audit
from spatial_assets.audit.verdicts import ALLOWED
from spatial_assets.definitions import build_defs
from spatial_assets.engine.workers import in_processes
from spatial_assets.report.shortcuts import interval, percent, points
from spatial_assets.stages.pipeline import SETTINGS
from spatial_assets.storage.shortcut_table import PASSES, TOO_FEW, judged, lines
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.spar import distance_infer_center_oc
from spatial_assets.tasks.spatialmosaic import obj_attribute
from spatial_assets.tasks.spatialmosaic.sides import AB, FB
from spatial_assets.tasks.views import undetermined_attribute, undetermined_localization
from spatial_assets.tasks.vsi import object_size_estimation, route_planning
from spatial_assets.tasks.vsti import (
    camera_displacement,
    camera_movement_direction,
    camera_obj_rel_dist,
    obj_obj_relative_pos,
)

SCENES, ROWS = 96, 3000
"""Enough scenes for tasks with a dozen questions a scene. Rows of each task and format: intervals of about 1.7 points
each way where four options are fair."""
MORE, MOST, RAREST = 500, 3000, 3000
FEW_ROWS = (
    object_size_estimation.NAME,
    route_planning.NAME,
    *(version.name for version in camera_obj_rel_dist.VERSIONS),
    obj_obj_relative_pos.AXES[-1].name,
    *(task.name for task in camera_movement_direction.TASKS),
    camera_displacement.NAME,
    distance_infer_center_oc.TASKS[0].name,
    *obj_attribute.NAMES.values(),
    undetermined_attribute.NAMES[AB],
    undetermined_attribute.NAMES[FB],
    undetermined_localization.NAME,
)
"""Tasks with few rows with options a scene, that depend on what a video shows, or whose rows of a scene say much the
same, as those about one camera's path: asked about so many more."""
FEWEST_ROWS = tuple(
    names[axis] for names in (undetermined_attribute.NAMES, obj_attribute.NAMES) for axis in (AB, FB)
)
"""And about so many more again."""
RAREST_ROWS = (undetermined_attribute.NAMES[AB],)
"""And once more: of four in five homes nothing is asked, and of some a dozen things that say much the same."""
OF_A_SCENE, LUMPED = (
    12,
    (
        *(names[axis] for axis in (AB, FB) for names in (obj_attribute.NAMES, undetermined_attribute.NAMES)),
        undetermined_localization.NAME,
    ),
)
"""Questions of a scene at most, of tasks that few scenes have any of and some a hundred, which would outweigh them."""
LAYOUT, RELEASE, RELEASE_MORE, RELEASE_MOST, RELEASE_RAREST, FACES, SIZE = (
    "scannet",
    "studio",
    "more",
    "most",
    "rarest",
    20_000,
    (240, 180),
)
FRAMES = 63
"""Of a scene: a video shows every second one. Of 40 it would show two in a row here and leave one out there, and where
it leaves one out the camera moves farther: in all scenes at the same moments, which a reader could learn."""


def filmed(home: Path, release: str, seed: int, scenes: int, tasks: Sequence[str], workers: int) -> None:
    """Make scenes of a seed, and build these tasks on them, or all."""
    root = home / release
    spread = partial(in_processes, workers) if workers > 1 else None
    write_scenes(root, LAYOUT, scenes, seed, FACES, FRAMES, SIZE, lambda _: None, spread=spread)
    with instance_of(home) as instance:
        register(instance, home, LAYOUT, root, release)
    outcome = build(build_defs, home, tasks=tasks, workers=workers)
    if outcome.errors or outcome.failed_runs:
        raise RuntimeError(f"{outcome.errors or outcome.failed_runs}")


def made(home: Path, scenes: int, more: int, tasks: Sequence[str] = ()) -> pl.DataFrame:
    """The table of shortcuts of a new home: of all tasks about `scenes`, of those with few rows about `more` too."""
    check_apart(ALL_AUDITED)
    workers = os.cpu_count() or 1
    (home / SETTINGS).write_text("".join(f"[{name}]\nquota = {OF_A_SCENE}\n" for name in LUMPED), "utf-8")
    filmed(home, RELEASE, AUDITED, scenes, tasks, workers)
    for release, seed, count, few in (
        (RELEASE_MORE, AUDITED_MORE, more, FEW_ROWS),
        (RELEASE_MOST, AUDITED_MOST, MOST * more // MORE, FEWEST_ROWS),
        (RELEASE_RAREST, AUDITED_RAREST, RAREST * more // MORE, RAREST_ROWS),
    ):
        wanting = [name for name in few if not tasks or name in tasks]
        if wanting and count:
            filmed(home, release, seed, count, wanting, workers)
    unfilmed.add(home, AUDITED_UNFILMED, [it for it in unfilmed.HOMES if not tasks or it in tasks], workers)
    return audit(home, sample=ROWS)


def run(scenes: int = SCENES, more: int = MORE, tasks: Sequence[str] = ()) -> pl.DataFrame:
    """Measures and prints every attack; returns the same."""
    with tempfile.TemporaryDirectory() as folder:
        table = made(Path(folder).resolve(), scenes, more, tasks)
    for line in lines(table):
        for row in line.attacks:
            print(
                f"{row['task']:<28}{row['format']:<10}{row['attack']:<22}{percent(row['accuracy']):>6}"
                f"{interval(row):>16}{percent(row['frequency']):>7}{points(row['over']):>7}{row['rows']:>6}"
                f"  {row['verdict']}"
            )
    return table


def bars() -> Iterator[Bar]:
    for line in judged(lines(run())):
        row = line.strongest
        known = f"{points(row['over'])} by {row['attack']}, {row['rows']:,} rows of {row['scenes']} scenes"
        yield Bar(
            f"{line.task}, {line.format}, answered without looking: points above the most frequent letter",
            f"<= {100 * ALLOWED:g}",
            f"too few rows to say: {known}" if line.verdict == TOO_FEW else known,
            # What cannot be said is not shown to hold.
            line.verdict == PASSES,
        )


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    run(*numbers, tasks=[word for word in sys.argv[1:] if not word.isdigit()])
