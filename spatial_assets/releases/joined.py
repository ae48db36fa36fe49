"""Which places of a home are one by what stands in them or by when they were visited, as the lake tells it.

A visit is its dataset's own word for scenes that were taken of the same rooms.

Procedural scenes are not compared: each is made as a room of its own, ten thousand of them draw on one catalog, and
nothing could come of it but what is slow and wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from spatial_assets.releases.same_rooms import LEAST_OBJECTS, Floor, Furniture, Match, find
from spatial_assets.releases.spaces import PROCEDURAL, Member
from spatial_assets.scene import tables
from spatial_assets.scene.categories import is_structure
from spatial_assets.scene.rooms import read_room
from spatial_assets.storage.lake import Lake

DIGITS = 3
"""Of a likeness, as manifests keep it."""


@dataclass(frozen=True)
class Group:
    """Places with different names that are one."""

    space: str
    """The first of their names, whatever the order in which they were found."""
    spaces: tuple[str, ...]
    """All of them, sorted."""
    matches: tuple[tuple[Member, Member, Match], ...]
    """The scenes of different places that show it."""
    visits: tuple[str, ...] = ()
    """Those that its scenes were taken at, as `arkitscenes/369709`, where they are of several places by their names."""


@dataclass
class Joined:
    groups: list[Group] = field(default_factory=list)
    """By name."""
    compared: int = 0
    """Scenes."""
    bare: int = 0
    """Scenes that hold too little to be known by it."""
    unbuilt: int = 0
    """Scenes whose objects are not in the lake, or that have none."""
    procedural: int = 0
    names_only: bool = False
    """Whether nothing was compared."""

    def __post_init__(self) -> None:
        self.by_space = {space: group for group in self.groups for space in group.spaces}

    def parts(self, space: str) -> tuple[str, ...]:
        """All names of a place."""
        return self.by_space[space].spaces if space in self.by_space else (space,)

    def name(self, space: str) -> str:
        return self.by_space[space].space if space in self.by_space else space


def join(lake: Lake, members: Sequence[Member], names_only: bool = False) -> Joined:
    """Compare all scenes that are in the lake. Members must be sorted, so that equal homes are joined equally.

    `names_only`: places are joined by their visits alone, which are names.
    """
    visits = _visits(lake, members)
    if names_only:
        return Joined(_groups([], visits), names_only=True)
    furniture: list[Furniture] = []
    known: list[Member] = []
    counts = Joined()
    for shard, own in groupby(sorted(members, key=lambda m: (m.shard, m.which)), key=lambda m: m.shard):
        held = list(own)
        if held[0].release == PROCEDURAL:
            counts.procedural += len(held)
            continue
        objects = _by_scene(lake.read(tables.OBJECTS, shard))
        rooms = _by_scene(lake.read(tables.ROOMS, shard))
        for member in held:
            if member.scene not in objects:
                counts.unbuilt += 1
                continue
            found = furniture_of(str(len(known)), objects[member.scene], rooms.get(member.scene))
            if len(found.categories) < LEAST_OBJECTS:
                counts.bare += 1
                continue
            furniture.append(found)
            known.append(member)
    matches = [(known[int(match.first)], known[int(match.second)], match) for match in find(furniture)]
    return Joined(
        _groups([match for match in matches if match[0].space != match[1].space], visits),
        len(known),
        counts.bare,
        counts.unbuilt,
        counts.procedural,
    )


def furniture_of(name: str, objects: pl.DataFrame, room: pl.DataFrame | None) -> Furniture:
    """What a scene is known by, from its rows of the tables."""
    objects = objects.filter([not is_structure(word) for word in objects["category"].to_list()])
    floor = None
    if room is not None:
        found = read_room(room.row(0, named=True))
        floor = Floor(found.origin, found.cell, found.free) if found.free.any() else None
    return Furniture(
        name,
        tuple(objects["category"].to_list()),
        np.array(objects["center"].to_list(), np.float64).reshape(-1, 3),
        np.array(objects["size"].to_list(), np.float64).reshape(-1, 3),
        floor,
    )


def _by_scene(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {str(key[0]): own for key, own in rows.partition_by("scene", as_dict=True).items()}


def _visits(lake: Lake, members: Sequence[Member]) -> dict[str, list[str]]:
    """Places by visit, of those visits that are of several."""
    known = {
        shard: scene_column(lake, shard, "visit")
        for shard in sorted({member.shard for member in members if member.release != PROCEDURAL})
    }
    found: dict[str, set[str]] = {}
    for member in members:
        visit = known.get(member.shard, {}).get(member.scene)
        if visit is not None:
            found.setdefault(f"{member.dataset}/{visit}", set()).add(member.space)
    return {visit: sorted(spaces) for visit, spaces in sorted(found.items()) if len(spaces) > 1}


def scene_column(lake: Lake, shard: str, column: str) -> dict[str, str | None]:
    """A column of the scenes that were built, by scene; null in what was built before there was such a column."""
    rows = lake.read(tables.SCENES, shard)
    return dict(zip(rows["scene"].to_list(), rows[column].to_list(), strict=True))


def _groups(
    matches: Sequence[tuple[Member, Member, Match]], visits: Mapping[str, Sequence[str]]
) -> list[Group]:
    """Places that are one by any of the matches or visits, or one after another."""
    name: dict[str, str] = {}

    def root(space: str) -> str:
        while name.setdefault(space, space) != space:
            name[space] = space = name[name[space]]
        return space

    pairs = [(first.space, second.space) for first, second, _ in matches]
    pairs += [(spaces[0], other) for spaces in visits.values() for other in spaces[1:]]
    for first, second in pairs:
        # The first of the names is the root of the joined places, so that no order of matches changes it.
        one, other = sorted((root(first), root(second)))
        name[other] = one
    spaces: dict[str, list[str]] = {}
    for space in sorted(name):
        spaces.setdefault(root(space), []).append(space)
    return [
        Group(
            space,
            tuple(own),
            tuple(match for match in matches if root(match[0].space) == space),
            tuple(visit for visit, held in visits.items() if root(held[0]) == space),
        )
        for space, own in spaces.items()
    ]


def entry(joined: Joined, spaces: frozenset[str]) -> dict[str, Any] | None:
    """What a manifest says of it, of the places that have one of the names given; None where names alone tell them."""
    groups = [group for group in joined.groups if group.space in spaces]
    if joined.names_only and not groups:
        return None
    return {
        "names_only": joined.names_only,
        "compared": joined.compared,
        "bare": joined.bare,
        "unbuilt": joined.unbuilt,
        "procedural": joined.procedural,
        "joined": [
            {
                "space": group.space,
                "spaces": list(group.spaces),
                "visits": list(group.visits),
                "matches": [
                    {"first": first.named, "second": second.named, "objects": match.objects,
                     "likeness": round(match.likeness, DIGITS)}
                    for first, second, match in group.matches
                ],
            }
            for group in groups
        ],
    }  # fmt: skip


def names_in(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A manifest's joined places by each of their names; none in earlier ones that were made by names alone."""
    held = manifest.get("same_rooms") or {"joined": []}
    return {space: group for group in held["joined"] for space in group["spaces"]}
