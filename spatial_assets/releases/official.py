"""The datasets' own splits of the scenes that are released, as the lake's scenes tell them."""

from __future__ import annotations

from collections.abc import Sequence

from spatial_assets.releases.joined import scene_column
from spatial_assets.releases.spaces import Member, space_of
from spatial_assets.scene.english import plural
from spatial_assets.scene.model import InputError
from spatial_assets.storage.lake import Lake

ORDER = ("train", "val", "test")
SHOWN = 40
"""Characters of a word that is none of them."""


def official(lake: Lake, members: Sequence[Member]) -> dict[tuple[str, str], str]:
    """The split of each scene that was built, by shard and scene.

    Scenes of a place that only its visits or its furniture give away stay where the lists put them, in several splits
    too. Raises InputError where a scene is in none, and where two whose names are of one place are in different ones.
    """
    known = {
        shard: scene_column(lake, shard, "split") for shard in sorted({member.shard for member in members})
    }
    built = [member for member in members if member.scene in known[member.shard]]
    found: dict[tuple[str, str], str] = {}
    without: list[Member] = []
    places: dict[str, str] = {}
    for member in built:
        split = known[member.shard][member.scene]
        if split is None:
            without.append(member)
            continue
        if split not in ORDER:
            raise InputError(
                f"{member.dataset}/{member.scene}",
                f"is of the split {split[:SHOWN]!r}, which is none of {', '.join(ORDER)}: its reader has to say which "
                "of them is meant",
                "unknown_split",
            )
        found[member.shard, member.scene] = split
        place = space_of(*member.which)
        other = places.setdefault(place, split)
        if other != split:
            raise InputError(
                f"{member.dataset}/{member.scene}",
                f"is of {split}, and another scene of the place {place} is of {other}: ask for shares",
                "contradiction",
            )
    if without:
        first = without[0]
        raise InputError(
            f"{first.dataset}/{first.scene}",
            f"is in no split of its dataset, as {plural(len(without), 'scene')} of {len(built)} here: put the "
            "dataset's lists of splits into its root and build, leave the dataset out, or ask for shares",
            "no_split",
        )
    return found
