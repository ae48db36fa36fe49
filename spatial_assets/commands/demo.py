"""The demo: procedural scenes through every asset to a page that one can look at."""

from __future__ import annotations

import time
from concurrent.futures import Future
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import click

from spatial_assets.commands.terminal import BuildDisplay, Status, print_outcome, scenes_by_shard
from spatial_assets.engine.compiling import compile_for, compiled_ahead
from spatial_assets.engine.workers import in_processes
from spatial_assets.stages import pipeline
from spatial_assets.studio import photo_kernels
from spatial_assets.studio.picture_quality import FULL
from spatial_assets.studio.write import write_scenes

LAYOUT, RELEASE = "scannet", "studio"
LICENSE = "Apache-2.0 (procedural scenes made by spatial-assets)"
SEED, FACES, FRAMES, SIZE = 0, 50_000, 60, (640, 480)
"""Smaller than a scan, so that six scenes are made and built in a minute and a half."""
SCENES_PER_SHARD = 4
"""Six scenes are two partitions then, each of an even number, which two processes share evenly."""


KERNELS_IN_ORDER = (write_scenes.__module__, pipeline.__name__)
"""Whose kernels come first on a machine that has none: those of scenes, then of stages before questions."""


def run_demo(home: Path, scenes: int, workers: int, quality: str = FULL) -> int:
    """Make scenes, register, build, write the gallery. Returns the exit status."""
    begun = time.perf_counter()
    # On a fresh machine compiling is most of the work; much else of it leaves a core idle.
    ahead = compiled_ahead(workers, *KERNELS_IN_ORDER, without=_needless(quality))
    with ahead if workers > 1 else nullcontext():
        failed, page = _build_demo(home, scenes, workers, quality)
    click.echo(
        f"done in {time.perf_counter() - begun:.0f} s; look at {page}, or run `make ui` for the assets in Dagster"
    )
    return 1 if failed else 0


def _build_demo(home: Path, scenes: int, workers: int, quality: str) -> tuple[bool, Path]:
    """Whether something failed, and the gallery's page."""
    from spatial_assets.assets.build import build
    from spatial_assets.assets.datasets import register
    from spatial_assets.assets.instance import instance_of
    from spatial_assets.definitions import build_defs
    from spatial_assets.report.gallery import gallery_page, gallery_path
    from spatial_assets.storage.atomic import replace_text

    root = home / "studio" / LAYOUT
    if len(_existing(root)) < scenes:
        click.echo(f"making {scenes} furnished scenes of {FRAMES} frames", err=True)
        with Status() as status:
            if workers > 1:
                compile_for(workers, write_scenes.__module__, without=_needless(quality), say=status.say)
            spread = partial(in_processes, workers) if workers > 1 else None
            write_scenes(
                root, LAYOUT, scenes, SEED, FACES, FRAMES, SIZE, status.say, spread=spread, quality=quality
            )
    with instance_of(home) as instance:
        register(instance, home.resolve(), LAYOUT, root, RELEASE, LICENSE, SCENES_PER_SHARD)
    click.echo("building", err=True)
    drawn: list[Future] = []

    def draw() -> None:
        if workers > 1:
            drawn.extend(in_processes(workers, gallery_page, [(home,)]))

    with BuildDisplay(scenes_by_shard(home)) as display:
        outcome = build(build_defs, home, dataset=LAYOUT, workers=workers, shown=display, before_checks=draw)
    print_outcome(outcome, home, as_json=False)
    replace_text(gallery_path(home), drawn[0].result() if drawn else gallery_page(home))
    return bool(outcome.errors or outcome.failed_runs), gallery_path(home)


def _needless(quality: str) -> tuple[str, ...]:
    """Modules whose kernels pictures of this quality do not use."""
    return () if quality == FULL else (photo_kernels.__name__,)


def _existing(root: Path) -> list[str]:
    """Scenes that an earlier demo finished: the truth is written last."""
    return [path.stem for path in (root / "_truth").glob("*.json")] if root.is_dir() else []
