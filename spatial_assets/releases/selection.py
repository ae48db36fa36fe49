"""Which scenes go into a release: those registered that are not withdrawn and show no place of a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from spatial_assets.lineage import registrations, tombstones
from spatial_assets.releases.joined import Joined, join
from spatial_assets.releases.spaces import Member, benchmark_spaces, space_of
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import Shard
from spatial_assets.storage.lake import Lake


@dataclass
class Selection:
    members: list[Member] = field(default_factory=list)
    """Sorted by dataset, release and scene."""
    leaking: list[tuple[Member, str]] = field(default_factory=list)
    """Scenes of places that a benchmark asks about, with the benchmark's name."""
    withdrawn: list[tuple[Member, str]] = field(default_factory=list)
    """Scenes that were withdrawn or have disappeared from their source, with the kind of their tombstone."""
    joined: Joined = field(default_factory=Joined)
    """Which places are one though their names differ."""


def select(
    home: Path, datasets: Sequence[str] = (), allow_leaks: bool = False, names_only: bool = False
) -> Selection:
    """Sort scenes into members, leaks and withdrawn ones. Raises InputError for an unknown dataset.

    Scenes of all datasets are compared, whichever are asked for: two scans may show one room by a third, and a scene of
    a benchmark may stand in a dataset that is not.
    """
    shards = registrations.shards(home)
    unknown = sorted(set(datasets) - {shard.dataset for shard in shards})
    if unknown:
        raise InputError(home, f"no dataset {unknown[0]!r} is registered here")
    tombs = tombstones.standing(home)
    leaks = benchmark_spaces()
    everything = sorted(
        (member for shard in shards for member in _members(shard)),
        key=lambda member: (*member.which, member.shard),
    )
    standing = [member for member in everything if (member.shard, member.scene) not in tombs]
    found = Selection(joined=join(Lake(home), standing, names_only))
    joined = found.joined
    for member in everything:
        if datasets and member.dataset not in datasets:
            continue
        asked = [leaks[space] for space in joined.parts(member.space) if space in leaks]
        tomb = tombs.get((member.shard, member.scene))
        member = replace(member, space=joined.name(member.space))
        if tomb is not None:
            found.withdrawn.append((member, tomb.kind))
        elif asked:
            found.leaking.append((member, asked[0]))
            if allow_leaks:
                found.members.append(member)
        else:
            found.members.append(member)
    return found


def _members(shard: Shard) -> list[Member]:
    return [
        Member(
            shard.dataset,
            shard.release,
            ref.name,
            shard.key,
            shard.license,
            space_of(shard.dataset, shard.release, ref.name),
        )
        for ref in shard.scenes
    ]
