"""Which scenes may show one room, and by which motion: those where many pairs of objects stand alike.

Two objects of a scene are looked up by their categories, their distance and how much higher one is. What is looked up
stands in one sorted list for all scenes, and of what is too common nothing is taken, so that the cost grows with the
number of scenes and not with its square.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float

Indices = NDArray[np.int64]

DISTANCE_STEP = 0.2
"""Meters, of the distance and of the difference of height by which pairs of objects are looked up: what differs by less
falls into the same step or the next."""
LEAST_APART = 0.5
"""Meters between the two objects of a pair: nearer ones leave the turn between two scenes open."""
MOST_TAKEN = 40_000
"""Like pairs in all other scenes that are taken for a scene, those first that fewest are like: what is common says
little about a room. This bounds what each scene costs."""
LEAST_ALIKE = 6
"""Pairs that two scenes must have alike: four objects that stand alike are six pairs."""
MOST_LIKE_SCENES = 12
"""For each scene, those with most pairs alike are compared with it, where common ones count less: a hall of chairs has
pairs like those of any other room. Twelve leave place for rooms that were scanned again and again."""


@dataclass(frozen=True)
class Standing:
    """A scene's objects, sorted by category."""

    codes: Indices
    """(N,), ascending: a number for each category."""
    centers: Float
    """(N, 3), meters, z up."""
    scales: Float
    """(N,), meters: the cube root of each one's volume."""


@dataclass(frozen=True)
class Like:
    """Two scenes that may show one room."""

    first: int
    second: int
    """The later of the two."""
    pairs: Indices
    """(M, 4): two objects of the first scene, and the two of the second that they may be."""


@dataclass(frozen=True)
class _Pairs:
    """Every two objects of every scene, by scene and key."""

    begins: Indices
    """(S + 1,): where each scene's pairs begin."""
    objects: NDArray[np.int32]
    """(P, 2)"""
    keys: Indices
    """(P,), ascending within a scene."""
    order: Indices
    """(P,): places of the pairs by key."""
    sorted_keys: Indices
    owners: NDArray[np.int32]
    """(P,): whose the pair at each place of the order is."""
    across: int
    """What a step of distance adds to a key; a step of height adds 1."""


def like_scenes(scenes: Sequence[Standing], categories: int) -> Iterator[Like]:
    """All two scenes that are worth comparing, each two once, in an order that depends on the scenes alone."""
    pairs = _all_pairs(scenes, categories)
    counts, weights = np.zeros(len(scenes), np.int64), np.zeros(len(scenes))
    chosen_by: list[list[int]] = []
    most: list[int] = []
    for scene in range(len(scenes)):
        ranges = _ranges(pairs.begins, scene, pairs.keys, pairs.sorted_keys, pairs.across)
        most.append(_most_alike(ranges))
        _count(ranges, most[scene], pairs.owners, counts, weights)
        counts[scene] = 0
        worth = np.flatnonzero(counts >= LEAST_ALIKE)
        chosen_by.append(worth[np.argsort(-weights[worth], kind="stable")][:MOST_LIKE_SCENES].tolist())
    chosen = np.zeros(len(scenes), np.bool_)
    for scene, others in enumerate(chosen_by):
        # Of two scenes that chose each other, the pairs are those of the one that could take more common ones.
        own = sorted(
            other
            for other in others
            if scene not in chosen_by[other] or (most[scene], other) > (most[other], scene)
        )
        if not own:
            continue
        chosen[:] = False
        chosen[own] = True
        ranges = _ranges(pairs.begins, scene, pairs.keys, pairs.sorted_keys, pairs.across)
        found = _collect(ranges, most[scene], pairs.owners, pairs.order, chosen)
        found[:, 1] += pairs.begins[scene]
        found = found[np.argsort(found[:, 0], kind="stable")]
        borders = np.searchsorted(found[:, 0], [*own, len(scenes)])
        for other, begin, end in zip(own, borders[:-1], borders[1:], strict=True):
            here, there = (pairs.objects[found[begin:end, place]].astype(np.int64) for place in (1, 2))
            if scene < other:
                yield Like(scene, other, np.concatenate([here, there], axis=1))
            else:
                yield Like(other, scene, np.concatenate([there, here], axis=1))


def _most_alike(ranges: NDArray[np.int32]) -> int:
    """How many pairs may be like one of a scene's, so that all that are taken are no more than `MOST_TAKEN`."""
    alike = np.sort((ranges[..., 1] - ranges[..., 0]).ravel())
    taken = int(np.searchsorted(np.cumsum(alike), MOST_TAKEN, side="right"))
    if taken == len(alike):
        return int(alike.max(initial=0))
    # Of those that are equally common all are taken or none.
    return int(alike[taken]) - 1


def _all_pairs(scenes: Sequence[Standing], categories: int) -> _Pairs:
    tables = [_pairs_of(scene) for scene in scenes]
    begins = np.cumsum([0, *(len(table) for table in tables)])
    rows = np.concatenate([*tables, np.zeros((0, 6), np.int64)])
    steps = rows[:, 4:] - rows[:, 4:].min(axis=0, initial=0) + 1
    spans = (steps.max(axis=0, initial=0) + 2).tolist()
    keys = ((rows[:, 2] * categories + rows[:, 3]) * spans[0] + steps[:, 0]) * spans[1] + steps[:, 1]
    whose = np.repeat(np.arange(len(tables)), np.diff(begins))
    within = np.lexsort((keys, whose))
    keys = keys[within]
    order = np.argsort(keys, kind="stable")
    return _Pairs(
        begins,
        rows[within, :2].astype(np.int32),
        keys,
        order,
        keys[order],
        whose[order].astype(np.int32),
        spans[1],
    )


def _pairs_of(scene: Standing) -> Indices:
    """(P, 6): two objects, the lower category first, their categories, and their distance and rise in steps.

    Of two objects of one category the pair stands both ways.
    """
    codes = scene.codes
    first, second = np.nonzero(~np.eye(len(codes), dtype=np.bool_) & (codes[:, None] <= codes[None]))
    offsets = scene.centers[second] - scene.centers[first]
    distances = np.hypot(offsets[:, 0], offsets[:, 1])
    steps = np.floor(np.stack([distances, offsets[:, 2]], axis=1) / DISTANCE_STEP).astype(np.int64)
    rows = np.concatenate([np.stack([first, second, codes[first], codes[second]], axis=1), steps], axis=1)
    return rows[distances >= LEAST_APART]


@kernel
def _ranges(
    begins: Indices, scene: int, keys: Indices, sorted_keys: Indices, across: int
) -> NDArray[np.int32]:  # fmt: skip
    """(P, 3, 2): for each of a scene's pairs and each step of distance, from where to where the pairs that are like it
    stand in the order of all."""
    begin = begins[scene]
    found = np.empty((begins[scene + 1] - begin, 3, 2), np.int32)
    for row in range(len(found)):
        for step in range(3):
            key = keys[begin + row] + (step - 1) * across
            found[row, step, 0] = np.searchsorted(sorted_keys, key - 1, side="left")
            found[row, step, 1] = np.searchsorted(sorted_keys, key + 1, side="right")
    return found


@kernel
def _count(
    ranges: NDArray[np.int32], most: int, owners: NDArray[np.int32], counts: Indices, weights: Float
) -> None:
    """Sets how many pairs each scene has that are like one of this scene's, of those that no more than `most` are.

    In its weight each counts the less, the more pairs of all scenes are like that one.
    """
    counts[:] = 0
    weights[:] = 0.0
    for row in range(len(ranges)):
        for step in range(3):
            low, high = ranges[row, step]
            if high - low <= most:
                for place in range(low, high):
                    counts[owners[place]] += 1
                    weights[owners[place]] += 1.0 / (high - low)


@kernel
def _collect(
    ranges: NDArray[np.int32], most: int, owners: NDArray[np.int32], order: Indices, chosen: NDArray[np.bool_]
) -> Indices:
    """(M, 3): a chosen scene, the row of one of this scene's pairs, and a pair of the other's that is like it."""
    found = np.empty((1024, 3), np.int64)
    count = 0
    for row in range(len(ranges)):
        for step in range(3):
            low, high = ranges[row, step]
            if high - low > most:
                continue
            for place in range(low, high):
                if not chosen[owners[place]]:
                    continue
                if count == len(found):
                    longer = np.empty((2 * count, 3), np.int64)
                    for kept in range(count):
                        for part in range(3):
                            longer[kept, part] = found[kept, part]
                    found = longer
                found[count, 0], found[count, 1], found[count, 2] = owners[place], row, order[place]
                count += 1
    return found[:count]
