"""What assets are partitioned by: shards of scenes, and releases. The only place that knows what keys look like.

A key is `<dataset>-<release>-<batch>`; a shard holds up to fifty scenes by default. The task is never a
partition dimension: one asset per task. Which scenes a shard holds is the registry's to say.
https://docs.dagster.io/guides/build/partitions-and-backfills/partitioning-assets
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.locks import locked
from spatial_assets.storage.shards import Registry

scene_shard = dg.DynamicPartitionsDefinition(name="scene_shard")
release = dg.DynamicPartitionsDefinition(name="release")
"""A key is a release's name. Exports are made of releases, never of shards, so the two never meet in one run."""


def make_key(dataset: str, release: str, batch: int) -> str:
    return f"{dataset}-{release}-{batch:04d}"


def registry(home: Path) -> Registry:
    return Registry(home, make_key)


def open_partitions(instance: dg.DagsterInstance, registered: Registry) -> list[str]:
    """Tell Dagster of the shards it does not know yet; keys are added, never removed. Returns the new ones."""
    assert scene_shard.name is not None
    # Dagster looks what is there before it adds, and fails where another process adds the same meanwhile.
    with locked(registered.home, "partitions"):
        known = set(instance.get_dynamic_partitions(scene_shard.name))
        new = [shard.key for shard in registered.shards() if shard.key not in known]
        if new:
            instance.add_dynamic_partitions(scene_shard.name, new)
    return new


def open_releases(instance: dg.DagsterInstance, home: Path) -> list[str]:
    """Tell Dagster of the releases it does not know yet; releases never go. Returns the new ones."""
    assert release.name is not None
    with locked(home, "release-partitions"):
        known = set(instance.get_dynamic_partitions(release.name))
        new = [name for name in manifest.names(home) if name not in known]
        if new:
            instance.add_dynamic_partitions(release.name, new)
    return new


def contiguous_ranges(instance: dg.DagsterInstance, keys: set[str], most: int) -> list[tuple[str, str, int]]:
    """The wanted keys as ranges (first, last, how many) in Dagster's own order, none longer than `most`."""
    assert scene_shard.name is not None
    ranges: list[tuple[str, str, int]] = []
    current: list[str] = []
    for key in [*instance.get_dynamic_partitions(scene_shard.name), ""]:
        if current and (key not in keys or len(current) == most):
            ranges.append((current[0], current[-1], len(current)))
            current = []
        if key in keys:
            current.append(key)
    return ranges
