"""The datasets' own splits of the places that are released, as the lake's scenes tell them."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.parquet as pq

from spatial_assets.releases.spaces import Member
from spatial_assets.scene import tables
from spatial_assets.scene.english import plural
from spatial_assets.scene.model import InputError
from spatial_assets.storage.lake import Lake

ORDER = ("train", "val", "test")


def official(lake: Lake, members: Sequence[Member]) -> dict[str, str]:
    """The split of each place of which a scene was built.

    Raises InputError where a scene is in none, and where two scenes of a place are in different ones.
    """
    said = {
        (shard, scene): split
        for shard in sorted({member.shard for member in members})
        for scene, split in _splits(lake, shard)
    }
    built = [member for member in members if (member.shard, member.scene) in said]
    without = [member for member in built if said[member.shard, member.scene] is None]
    if without:
        first = without[0]
        raise InputError(
            f"{first.dataset}/{first.scene}",
            f"is in no split of its dataset, as {plural(len(without), 'scene')} of {len(built)} here: put the "
            "dataset's lists of splits into its root and build, leave the dataset out, or ask for shares",
            "no_split",
        )
    found: dict[str, str] = {}
    for member in built:
        split = said[member.shard, member.scene]
        assert split is not None
        other = found.setdefault(member.space, split)
        if other != split:
            raise InputError(
                f"{member.dataset}/{member.scene}",
                f"is of {split}, and another scene of the place {member.space} is of {other}: ask for shares",
                "contradiction",
            )
    return found


def _splits(lake: Lake, shard: str) -> list[tuple[str, str | None]]:
    path = lake.table_path(tables.SCENES, shard)
    if not path.exists():
        return []
    table = pq.read_table(path, schema=tables.SCENES.schema, partitioning=None)
    return list(zip(table.column("scene").to_pylist(), table.column("split").to_pylist(), strict=True))
