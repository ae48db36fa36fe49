"""Where a home's shards and scenes are registered, read without Dagster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from spatial_assets.lineage import planning
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import Shard
from spatial_assets.stages import pipeline
from spatial_assets.storage.shards import Registry


def _no_new_keys(dataset: str, release: str, batch: int) -> str:
    raise RuntimeError("lineage reads the registry and never registers")


def shards(home: Path) -> list[Shard]:
    """All shards of a home, by dataset, release and batch."""
    return Registry(home, _no_new_keys).shards()


def find_scenes(home: Path, scene: str, dataset: str | None = None) -> list[Shard]:
    """The shards that hold a scene of that name, each narrowed to it.

    Raises InputError where no dataset knows the scene.
    """
    found = [
        replace(shard, scenes=(ref,))
        for shard in shards(home)
        for ref in shard.scenes
        if ref.name == scene and dataset in (None, shard.dataset)
    ]
    if not found:
        raise InputError(home, f"no scene {scene!r} is registered here")
    return found


def needed_in(home: Path, tasks: Iterable[str]) -> list[str]:
    """The tasks and all that they need by what the home has settled on for its datasets, in the order of stages."""
    datasets = sorted({shard.dataset for shard in shards(home)})
    return planning.needed_for(
        pipeline.STAGES,
        tasks,
        lambda stage: [pipeline.parameters(home, stage, dataset) for dataset in datasets],
    )
