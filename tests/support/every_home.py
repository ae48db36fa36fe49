"""A small home whose release `every` every export format takes something of."""

from __future__ import annotations

from pathlib import Path

import lakes
from bench_homes import BenchHome, bench_home

from spatial_assets.lineage import planning
from spatial_assets.releases import create
from spatial_assets.stages import pipeline
from spatial_assets.tasks.registry import tasks

RELEASE = "every"
DESCRIBED = ("object_abs_distance", "object_size_estimation")
"""Tasks whose rows become descriptions of objects."""
OCCLUDED = ("obj_existence_occ_fb", "obj_size_occ_na", "obj_spatial_occ_lr")
"""Tasks of SpatialMosaic that ask something here."""
ANY = ("depth_prediction_oc", "distance_infer_center_oo")
"""Tasks of a number and of a choice, with marks."""
ROWS = 40
BENCHMARKS = ("spar-bench", "spatialmosaic-bench")
"""They choose among the questions themselves, and take few of many."""


def every_home(base: Path) -> Path:
    """The home of `bench_homes` with the tasks that other formats want besides, released once more."""
    return with_every_task(bench_home(base)).home


def with_every_task(made: BenchHome) -> BenchHome:
    mosaic = [name for name, task in tasks().items() if task.suite == "spatialmosaic"]
    wanted = [*DESCRIBED, *mosaic]
    lakes.build(made.home, stages=list(planning.needed_for(pipeline.STAGES, wanted)))
    create.create(made.home, RELEASE, create.Request({"train": 0.5, "test": 0.5}))
    return made


def words_of(form: str) -> list[str]:
    """Options of the command that give a format rows which it takes, and not too many."""
    if form in BENCHMARKS:
        return []
    only = {"scanrefer": DESCRIBED, "spatialmosaic": OCCLUDED}.get(form, ANY)
    return [*(word for task in only for word in ("--task", task)), "--limit", str(ROWS)]
