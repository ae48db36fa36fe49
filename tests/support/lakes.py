"""Building homes in tests without Dagster, and comparing what stands in them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from spatial_assets.assets import partitions
from spatial_assets.engine.runner import Runner
from spatial_assets.engine.stage_run import ShardReport
from spatial_assets.readers.registry import reader
from spatial_assets.scene.frame_set_tables import BUDGETS
from spatial_assets.stages import pipeline
from spatial_assets.stages.budgets import recounted
from spatial_assets.storage.shards import Registered


def register(
    home: Path, dataset: str, root: Path, release: str | None = None, per_shard: int = 50
) -> Registered:
    module = reader(dataset)
    return partitions.registry(home).register(
        dataset, release or module.RELEASE, module.LICENSE, root, module.find_scenes(root), per_shard
    )


def build(
    home: Path,
    workers: int = 1,
    stages: Sequence[str] | None = None,
    scenes: Sequence[str] | None = None,
    rehash: bool = False,
    **overrides: dict[str, object],
) -> dict[str, list[ShardReport]]:
    """Run stages over all shards; `overrides` are parameters by stage. Reports by stage; errors fail."""
    runner = Runner(home, pipeline.STAGES, workers, rehash)
    reports: dict[str, list[ShardReport]] = {}
    for shard in partitions.registry(home).shards():
        for name in stages or list(pipeline.STAGES):
            stage = pipeline.STAGES[name]
            parameters = pipeline.parameters(home, stage, shard.dataset, overrides.get(name))
            report = runner.run(stage, shard, parameters, None if scenes is None else frozenset(scenes))
            assert not report.errors, report.errors
            reports.setdefault(name, []).append(report)
    return reports


def verdicts(home: Path, suite: str) -> pl.DataFrame:
    """What holds of all questions of a suite for other frames."""
    return pl.concat(rows(home, f"{BUDGETS.name}/{task}") for task in recounted(suite))


def done(reports: dict[str, list[ShardReport]]) -> dict[str, list[str]]:
    """Scenes that each stage computed, leaving out stages that computed none."""
    scenes = {name: sorted(s for report in found for s in report.done) for name, found in reports.items()}
    return {name: found for name, found in scenes.items() if found}


def digest(home: Path) -> dict[str, str]:
    """Hash of every file of a lake, by its path in it."""
    lake = home / "lake"
    return {
        path.relative_to(lake).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(lake.rglob("*"))
        if path.is_file()
    }


def rows(home: Path, table: str) -> pl.DataFrame:
    """All rows of a table, or of a family with `*`, over all shards."""
    return pl.concat(
        [
            pl.read_parquet(path, hive_partitioning=False)
            for path in sorted((home / "lake").glob(f"{table}/shard=*/data.parquet"))
        ]
    )
