"""A home as it is found at a later visit: some loose things stand elsewhere, and one is gone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from spatial_assets.scene.model import Float, rigid_inverse
from spatial_assets.studio.layout import Layout, Placed

LOOSE = frozenset(
    {
        "armchair", "backpack", "bag", "ball", "basket", "box", "chair", "fan", "floor_lamp", "laundry_hamper",
        "office_chair", "ottoman", "plant", "stool", "stuffed_animal", "suitcase", "trash_can",
    }
)  # fmt: skip
"""Kinds of models that people push about."""
MOST_MOVED = 3
ATTEMPTS = 60
"""Places tried for one thing."""
REACH = (0.3, 1.5)
"""Meters by which a thing is moved, at least and at most."""


@dataclass(frozen=True)
class Rearranged:
    """What was done to a home."""

    motions: dict[int, Float]
    """Rigid (4, 4) from where a thing stood to where it stands, in the home's world, by its index among those placed
    now."""
    removed: int | None
    """The index that the thing that is gone had among those placed before."""


def rearrange(layout: Layout, rng: np.random.Generator) -> Rearranged:
    """Changes the layout itself."""
    moved = _move(layout, rng)
    removed = _remove(layout, rng)
    if removed is not None:
        moved = {number - (number > removed): motion for number, motion in moved.items()}
    return Rearranged(moved, removed)


def _free(layout: Layout) -> list[int]:
    """Things on which nothing stands and to which nothing belongs."""
    parents = {thing.parent for thing in layout.placed}
    return [number for number in range(len(layout.placed)) if number not in parents]


def _move(layout: Layout, rng: np.random.Generator) -> dict[int, Float]:
    loose = [
        number
        for number in _free(layout)
        if layout.placed[number].z == 0.0 and layout.placed[number].model.kind in LOOSE
    ]
    found: dict[int, Float] = {}
    for number in rng.permutation(loose).tolist():
        if len(found) == MOST_MOVED:
            break
        before = layout.placed[number]
        for reach, way, turn in rng.random((ATTEMPTS, 3)).tolist():
            away, angle = REACH[0] + (REACH[1] - REACH[0]) * reach, math.tau * way
            after = replace(
                before,
                x=before.x + away * math.cos(angle),
                y=before.y + away * math.sin(angle),
                yaw=before.yaw + math.tau * turn,
                parent=None,
            )
            if layout.move(number, after):
                found[number] = _pose(after) @ rigid_inverse(_pose(before))
                break
    return found


def _pose(thing: Placed) -> Float:
    """From the model's own frame to the home's world."""
    c, s = math.cos(thing.yaw), math.sin(thing.yaw)
    return np.array(
        [[c, -s, 0.0, thing.x], [s, c, 0.0, thing.y], [0.0, 0.0, 1.0, thing.z], [0.0, 0.0, 0.0, 1.0]]
    )


def _remove(layout: Layout, rng: np.random.Generator) -> int | None:
    """Takes away something that stands on something else; which, or None where nothing does."""
    found = [
        number
        for number in _free(layout)
        if layout.placed[number].parent is not None
        and layout.placed[number].z > 0
        and layout.placed[number].model.label is not None
    ]
    if not found:
        return None
    gone = found[int(rng.integers(len(found)))]
    layout.placed[:] = [
        thing if thing.parent is None else replace(thing, parent=thing.parent - (thing.parent > gone))
        for number, thing in enumerate(layout.placed)
        if number != gone
    ]
    return gone
