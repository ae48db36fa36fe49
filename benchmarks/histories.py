"""Dagster's history of many shards, written by Dagster itself: real runs of the real assets, computing left out.

What a run tells of each asset and shard is as large as a real one's: counts, hashes, a picture, columns with their
lineage. Only the reports are made up, so that what is left of a run's time is Dagster's own.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dagster as dg

from spatial_assets.assets import partitions, shell
from spatial_assets.assets.build import QUIET, RANGE_END, RANGE_START
from spatial_assets.assets.keys import keys_of
from spatial_assets.assets.workspace import Workspace
from spatial_assets.definitions import build_defs
from spatial_assets.engine.stage_run import ShardReport
from spatial_assets.report.pictures import Picture
from spatial_assets.scene.refs import SceneRef, Shard
from spatial_assets.stages.pipeline import STAGES
from spatial_assets.stages.stage import Stage

DATASET, RELEASE, LICENSE = "scannet", "made", "made up"
SCENES_PER_SHARD = 50
PICTURE_BYTES = 13_300
"""Of a picture, the mean of those of a build of made scenes."""
ROWS = 5_000
"""Told of each asset and shard."""


class MadeRunner:
    """Says at once that every scene has been made."""

    def run_together(
        self, stages: Sequence[Stage], shard: Shard, _parameters: Any, _scenes: Any
    ) -> dict[str, ShardReport]:
        names = [ref.name for ref in shard.scenes]
        return {stage.name: _report(stage, shard, names) for stage in stages}


def _report(stage: Stage, shard: Shard, scenes: list[str]) -> ShardReport:
    digest = hashlib.blake2b(f"{stage.name}/{shard.key}".encode(), digest_size=32).hexdigest()
    rows = {table.name: ROWS for table in stage.writes}
    return ShardReport(
        stage.name, shard.key, done=scenes, rows=rows, output_hash=digest, seconds=len(scenes) * 0.05
    )


class MadeWorkspace(Workspace):
    """A home whose assets are told of and never computed."""

    def runner(self, rehash: bool, run_id: str) -> Any:
        return MadeRunner()


def _drawn(
    pictures: Mapping[str, Picture], shard: Shard, reports: Mapping[str, ShardReport], _runner: Any
) -> dict[str, dict[str, Any]]:
    """A picture's room, filled with what compresses no better than one."""
    return {name: {"picture": dg.MetadataValue.md(_picture(f"{name}/{shard.key}"))} for name in pictures}


def _picture(seed: str) -> str:
    text = base64.b64encode(random.Random(seed).randbytes(PICTURE_BYTES)).decode("ascii")
    return f"![scene](data:image/webp;base64,{text})"


def register(home: Path, shards: int, scenes: int = SCENES_PER_SHARD) -> None:
    """Register made-up scenes; their root is there, with one small file that stands for each of them."""
    root = home / "source"
    root.mkdir(parents=True, exist_ok=True)
    (root / "scene").write_text("made up\n")
    refs = [SceneRef(f"scene{number:06d}_00", "scene") for number in range(shards * scenes)]
    partitions.registry(home).register(DATASET, RELEASE, LICENSE, root, refs, scenes)


@contextlib.contextmanager
def made_definitions(home: Path) -> Iterator[dg.Definitions]:
    """The project's definitions over a home in which nothing is computed."""
    with patch.object(shell, "draw_all", _drawn):
        yield build_defs(workspace=MadeWorkspace(home=str(home), workers=1))


def run(
    instance: dg.DagsterInstance,
    defs: dg.Definitions,
    keys: Sequence[str],
    names: Sequence[str] = tuple(STAGES),
) -> dg.ExecuteInProcessResult:
    """One run of every asset over shards that follow each other, as a build makes it."""
    assets = [item for item in defs.assets or [] if isinstance(item, (dg.AssetsDefinition, dg.AssetSpec))]
    done = dg.materialize(
        assets,
        instance=instance,
        resources=defs.resources,
        selection=dg.AssetSelection.assets(*keys_of(names)),
        tags={RANGE_START: keys[0], RANGE_END: keys[-1]},
        run_config=QUIET,
    )
    if not done.success:
        raise RuntimeError(f"run {done.run_id} failed")
    return done


def cpu() -> float:
    """Seconds of processor time of this process so far, which others at work on the machine do not lengthen."""
    spent = os.times()
    return spent.user + spent.system
