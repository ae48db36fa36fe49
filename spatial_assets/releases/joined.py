"""Which places of a home are one by what stands in them, read from the lake, and under which name they are joined.

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

from spatial_assets.geometry.rooms import read_room
from spatial_assets.releases.same_rooms import LEAST_OBJECTS, Floor, Furniture, Match, find
from spatial_assets.releases.spaces import PROCEDURAL, Member
from spatial_assets.scene import tables
from spatial_assets.scene.categories import is_structure
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

    def __post_init__(self) -> None:
        self.by_space = {space: group for group in self.groups for space in group.spaces}

    def parts(self, space: str) -> tuple[str, ...]:
        """All names of a place."""
        return self.by_space[space].spaces if space in self.by_space else (space,)

    def name(self, space: str) -> str:
        return self.by_space[space].space if space in self.by_space else space


def join(lake: Lake, members: Sequence[Member]) -> Joined:
    """Compare all scenes that are in the lake. Members must be sorted, so that equal homes are joined equally."""
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
        _groups([match for match in matches if match[0].space != match[1].space]),
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


def _groups(matches: Sequence[tuple[Member, Member, Match]]) -> list[Group]:
    """Places that are one by any of the matches, or one after another."""
    name: dict[str, str] = {}

    def root(space: str) -> str:
        while name.setdefault(space, space) != space:
            name[space] = space = name[name[space]]
        return space

    for first, second, _ in matches:
        # The first of the names is the root of the joined places, so that no order of matches changes it.
        one, other = sorted((root(first.space), root(second.space)))
        name[other] = one
    spaces: dict[str, list[str]] = {}
    for space in sorted(name):
        spaces.setdefault(root(space), []).append(space)
    return [
        Group(space, tuple(own), tuple(match for match in matches if root(match[0].space) == space))
        for space, own in spaces.items()
    ]


def entry(joined: Joined, spaces: frozenset[str]) -> dict[str, Any]:
    """What a manifest says of it, of the places that have one of the names given."""
    return {
        "compared": joined.compared,
        "bare": joined.bare,
        "unbuilt": joined.unbuilt,
        "procedural": joined.procedural,
        "joined": [
            {
                "space": group.space,
                "spaces": list(group.spaces),
                "matches": [
                    {"first": first.named, "second": second.named, "objects": match.objects,
                     "likeness": round(match.likeness, DIGITS)}
                    for first, second, match in group.matches
                ],
            }
            for group in joined.groups
            if group.space in spaces
        ],
    }  # fmt: skip


def names_in(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A manifest's joined places by each of their names; none in one that was made by names alone."""
    held = manifest.get("same_rooms") or {"joined": []}
    return {space: group for group in held["joined"] for space in group["spaces"]}
