"""Words that mean one object of a scene: its name, what it is extreme in among those that the name may mean, what it is
next to; and words that people wrote, where the source has a collection of them.

That nothing else is meant is told by trying all objects of the scene, seen or not. An object that is extreme among all
is so among those that the images show, and what it is told by needs to be shown alone. Both sides of an extreme have a
margin: the next one must be clearly less so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene import optional_tables
from spatial_assets.scene.model import Float
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Indices
from spatial_assets.tasks.core.draws import Draw, Hashes, hash_name, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.wording import phrases

SUITE, WORDS = "grounding", "object_grounding"
WORDS_FILE = f"tasks/{SUITE}/{WORDS}.json"
"""Holds the phrases of all tasks that describe objects."""
PLAIN, NEAREST, FARTHEST, COLLECTED = "plain", "nearest", "farthest", "collected"
KINDS = (
    PLAIN, "tallest", "least_tall", "largest", "smallest", "longest", "highest", "lowest", NEAREST, FARTHEST, COLLECTED,
)  # fmt: skip


class DescriptionLimits(Parameters):
    """When words mean one object and no other."""

    source: Literal["collected first", "own", "both"] = Field(
        "collected first",
        description="whose words: people's where the scene has any, else ours; ours alone; or both",
    )
    most_alike: int = Field(
        8, ge=2, description="objects among which one is told by an extreme: of more nobody compares all"
    )
    length_ratio: float = Field(
        1.25, gt=1, description="of a length to the next one's: a quarter more is seen at a glance"
    )
    least_length: float = Field(0.1, gt=0, description="meters of such a difference, which scans blur")
    volume_ratio: float = Field(
        1.6, gt=1, description="of a volume to the next one's: some sixth more along each side"
    )
    area_ratio: float = Field(
        1.3, gt=1, description="the same of the largest faces' areas, by which one goes where things are flat"
    )
    least_rise: float = Field(0.3, gt=0, description="meters by which one center lies above the next one's")
    distance_ratio: float = Field(
        1.3, gt=1, description="of a distance to the next one's, by centers and between boxes alike"
    )
    least_distance: float = Field(0.3, gt=0, description="meters of such a difference: half a chair's width")


@dataclass(frozen=True)
class Told:
    """Descriptions of a scene's objects, each of which means one of them."""

    targets: Indices
    """(D,), places of the objects that are meant."""
    kinds: Indices
    """(D,), places in KINDS."""
    anchors: Indices
    """(D,), places of the objects that these are told by; NOTHING for most."""
    texts: tuple[str, ...]
    """(D,), of collected ones what was written; empty for ours."""
    sources: tuple[str, ...]
    """(D,), of collected ones the collection and its id; empty for ours."""
    licenses: tuple[str, ...]
    """(D,), of collected ones their terms."""

    def __len__(self) -> int:
        return len(self.targets)

    def identities(self, facts: SceneFacts) -> Hashes:
        """(D,), of the objects and of what is said of them; never of places."""
        own = facts.objects.identities
        if not len(self):
            return np.zeros(0, np.uint64)
        words = np.array(
            [
                hash_name(KINDS[kind], source)
                for kind, source in zip(self.kinds.tolist(), self.sources, strict=True)
            ],
            np.uint64,
        )
        anchors = np.where(self.anchors == NOTHING, np.uint64(0), own[self.anchors])
        return mix_columns(0, own[self.targets], anchors, words)


def told(facts: SceneFacts, limits: DescriptionLimits) -> Told:
    """All descriptions of the scene's objects: `facts.once(told, limits)`."""
    collected = None if limits.source == "own" else _collected(facts)
    if collected is not None and len(collected) and limits.source == "collected first":
        return collected
    own = _own(facts, limits)
    if collected is None or not len(collected):
        return own
    return Told(
        np.concatenate([own.targets, collected.targets]),
        np.concatenate([own.kinds, collected.kinds]),
        np.concatenate([own.anchors, collected.anchors]),
        own.texts + collected.texts,
        own.sources + collected.sources,
        own.licenses + collected.licenses,
    )


def _collected(facts: SceneFacts) -> Told:
    """What people wrote of objects that the scene has; parts of the building are none that are asked about."""
    rows = facts.read(optional_tables.DESCRIPTIONS).sort("collection", "instance", "description_id")
    places = facts.objects.find(rows["instance"].to_numpy())
    known = places >= 0
    known[known] = ~facts.objects.structure[places[known]]
    kept = np.flatnonzero(known)
    held = rows[kept]
    count = len(held)
    return Told(
        places[kept],
        np.full(count, KINDS.index(COLLECTED)),
        np.full(count, NOTHING, np.int64),
        tuple(held["description"].to_list()),
        tuple(
            f"{collection} {instance} {name}"
            for collection, instance, name in held.select(
                "collection", "instance", "description_id"
            ).iter_rows()
        ),
        tuple(held["collection_license"].to_list()),
    )


def _own(facts: SceneFacts, limits: DescriptionLimits) -> Told:
    objects = facts.objects
    meant = objects.may_mean.copy()
    np.fill_diagonal(meant, True)
    count = meant.sum(axis=1)
    asked = ~objects.structure
    alone = asked & (count == 1)
    several = asked & (count > 1) & (count <= limits.most_alike)
    others = meant & ~np.eye(len(meant), dtype=np.bool_)
    lengths = np.abs(objects.rotations) * objects.sizes[:, None, :]
    tall = lengths[:, 2].sum(axis=1)
    level = (np.hypot(objects.rotations[:, 0], objects.rotations[:, 1]) * objects.sizes).max(
        axis=1, initial=0.0
    )
    volumes = objects.sizes.prod(axis=1)
    faces = np.sort(objects.sizes, axis=1)[:, 1:].prod(axis=1)
    heights = objects.centers[:, 2]

    def most(values: Float, ratio: float, gap: float) -> Bools:
        next_one = np.where(others, values[None], -np.inf).max(axis=1, initial=-np.inf)
        return several & (values >= ratio * next_one) & (values - next_one >= gap)

    def least(values: Float, ratio: float, gap: float) -> Bools:
        next_one = np.where(others, values[None], np.inf).min(axis=1, initial=np.inf)
        return several & (next_one >= ratio * values) & (next_one - values >= gap)

    by_length, by_volume = (limits.length_ratio, limits.least_length), (limits.volume_ratio, 0.0)
    holds = {
        PLAIN: alone,
        "tallest": most(tall, *by_length),
        "least_tall": least(tall, *by_length),
        "largest": most(volumes, *by_volume) & most(faces, limits.area_ratio, 0.0),
        "smallest": least(volumes, *by_volume) & least(faces, limits.area_ratio, 0.0),
        "longest": most(level, *by_length),
        # Heights may be below zero, where ratios mean nothing.
        "highest": most(heights - heights.min(initial=0.0), 1.0, limits.least_rise),
        "lowest": least(heights - heights.min(initial=0.0), 1.0, limits.least_rise),
    }
    targets = [np.flatnonzero(where) for where in holds.values()]
    kinds = [np.full(len(found), KINDS.index(name)) for name, found in zip(holds, targets, strict=True)]
    anchors = [np.full(len(found), NOTHING, np.int64) for found in targets]
    nearest, farthest = _by_distance(
        others,
        np.flatnonzero(several),
        np.flatnonzero(alone),
        objects.distances,
        objects.center_distances,
        limits.distance_ratio,
        limits.least_distance,
    )
    for name, pairs in ((NEAREST, nearest), (FARTHEST, farthest)):
        targets.append(pairs[:, 0])
        anchors.append(pairs[:, 1])
        kinds.append(np.full(len(pairs), KINDS.index(name)))
    total = sum(map(len, targets))
    empty = ("",) * total
    return Told(np.concatenate(targets), np.concatenate(kinds), np.concatenate(anchors), empty, empty, empty)


@kernel
def _by_distance(
    others: Bools, several: Indices, alone: Indices, gaps: Float, centers: Float, ratio: float, least: float
) -> tuple[Indices, Indices]:
    """(N, 2) twice: targets with anchors that they are clearly nearest to, and farthest from, of all that their name
    may mean: by the gaps between boxes and by centers alike."""
    nearest = np.empty((len(several) * len(alone), 2), np.int64)
    farthest = np.empty((len(several) * len(alone), 2), np.int64)
    near, far = 0, 0
    for target in several:
        for anchor in alone:
            if others[target, anchor]:
                continue
            is_near, is_far = True, True
            for table in (gaps, centers):
                own = table[target, anchor]
                for other in range(len(others)):
                    if others[target, other]:
                        away = table[other, anchor]
                        is_near = is_near and away >= ratio * own and away - own >= least
                        is_far = is_far and own >= ratio * away and own - away >= least
            if is_near:
                nearest[near, 0], nearest[near, 1] = target, anchor
                near += 1
            if is_far:
                farthest[far, 0], farthest[far, 1] = target, anchor
                far += 1
    return nearest[:near], farthest[:far]


def described(facts: SceneFacts, found: Told, place: int, draw: Draw) -> tuple[str, str]:
    """A description in words, and the id of the phrase or of the collected one."""
    if found.sources[place]:
        return found.texts[place], found.sources[place]
    names, forms = _forms(KINDS[found.kinds[place]])
    chosen = draw.choice("description", names)
    words, anchor = facts.objects.words, found.anchors[place]
    slots = {"name": words[found.targets[place]]}
    if anchor != NOTHING:
        slots["anchor"] = words[anchor]
    return forms[chosen].format(**slots), chosen


@cache
def _forms(kind: str) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Ids of the phrases of a kind, which are the kind and a number; and the phrases by them."""
    held = {name: text for name, text in phrases(SUITE, WORDS).items() if name.rpartition("-")[0] == kind}
    return tuple(held), held
