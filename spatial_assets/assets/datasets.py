"""The datasets that can be registered: one external asset a reader, materialized by registering."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from spatial_assets.assets import partitions
from spatial_assets.assets.keys import OWNERS
from spatial_assets.readers.registry import READERS, left_out, reader, summary
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import SceneRef
from spatial_assets.storage.mirrors import ObjectPath, shown
from spatial_assets.storage.shards import SCENES_PER_SHARD, Registered

GROUP = "datasets"
LICENSE_FILES = ("LICENCE.txt", "LICENSE.txt", "LICENCE", "LICENSE")
"""Where a root may state its own terms; their first line stands for them."""


MOST_TOLD = 50
"""Lines about what is left out that an asset's page shows; `spatial-assets register` says all."""


def asset_name(dataset: str) -> str:
    return f"dataset_{dataset}"


def _spec(dataset: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_name(dataset),
        group_name=GROUP,
        owners=list(OWNERS),
        kinds={"file"},
        description=f"{summary(dataset)}\n\nRegister one with `spatial-assets register {dataset} ROOT`.",
    )


SPECS = [_spec(dataset) for dataset in READERS]


def register(
    instance: dg.DagsterInstance,
    home: Path,
    dataset: str,
    root: Path,
    release: str | None = None,
    license: str | None = None,
    scenes_per_shard: int = SCENES_PER_SHARD,
) -> Registered:
    """Find the scenes under a root, open shards for the new ones, and tell Dagster of both.

    Raises InputError where the root is not there or holds no scene of that layout.
    """
    chosen = reader(dataset)
    check_given(root)
    found = chosen.find_scenes(root)
    if not found:
        raise InputError(shown(root), f"no scene in the layout of {dataset}")
    release = release or chosen.RELEASE
    license = license or own_license(root) or chosen.LICENSE
    return open_shards(instance, home, dataset, root, release, license, found, scenes_per_shard)


def check_given(root: Path) -> None:
    """Raises InputError for a root that is not there, or cannot be listed."""
    if isinstance(root, ObjectPath):
        root.mirror.check(anew=True)
    elif not root.is_dir():
        raise InputError(root, "no such directory")


def open_shards(
    instance: dg.DagsterInstance,
    home: Path,
    dataset: str,
    root: Path,
    release: str,
    license: str,
    found: Sequence[SceneRef],
    scenes_per_shard: int,
) -> Registered:
    """Assign the scenes that are new, open their partitions, report on the reader's asset."""
    registry = partitions.registry(home)
    result = registry.register(dataset, release, license, root, found, scenes_per_shard)
    partitions.open_partitions(instance, registry)
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            asset_name(dataset),
            metadata={
                "root": dg.MetadataValue.path(shown(root.resolve())),
                "release": release,
                "license": license,
                "scenes": len(found),
                "new_scenes": result.new_scenes,
                "new_shards": len(result.new_shards),
                **_told(dataset, root),
            },
        )
    )
    return result


def _told(dataset: str, root: Path) -> dict[str, dg.MetadataValue]:
    """What looks like a scene under the root and cannot be one, a line each, where there is any."""
    lines = [str(error) for error in left_out(dataset, root)]
    if not lines:
        return {}
    return {
        "left_out": dg.MetadataValue.int(len(lines)),
        "left_out_why": dg.MetadataValue.json(lines[:MOST_TOLD]),
    }


def own_license(root: Path) -> str | None:
    for name in LICENSE_FILES:
        if (root / name).is_file():
            lines = (root / name).read_text(encoding="utf-8", errors="replace").split("\n")
            return next((line.strip() for line in lines if line.strip()), None)
    return None
