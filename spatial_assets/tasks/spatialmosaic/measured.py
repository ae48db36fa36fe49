"""How far objects of view sets are from cameras and from each other, and what any view of a set, whichever it is, shows
of one object or of two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Candidates, Indices, pairs_in_frames
from spatial_assets.tasks.core.draws import Hashes
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.spatialmosaic.referents import (
    MosaicReferents,
    alone,
    clear,
    seen_somewhere,
    shown_somewhere,
)
from spatial_assets.tasks.spatialmosaic.sets import SET, MosaicParameters, view_sets

NO_HASHES = (np.zeros(0, np.uint64), np.zeros(0, np.uint64))
"""What candidates with identities of their own are ranked by besides."""
NEAREST = "nearest"
Measure = Literal["nearest", "center"]
AMBIGUOUS, UNCLEAR = "ambiguous_name", "unclear"
NAMED_REASONS: Mapping[str, str] = {
    AMBIGUOUS: "the views show something else that a name may mean",
    UNCLEAR: "of an object every view shows too little",
}
NEAR: Mapping[str, str] = {"near": "nearer than boxes tell from touching"}


class MeasuredParameters(MosaicParameters):
    """What tasks have that ask for a distance."""

    referents: MosaicReferents = MosaicReferents()
    measure: Measure = Field(
        "nearest",
        description="nearest: to the nearest points of solid boxes, as VSI-Bench measures; center: to the boxes' "
        "centers. Which one SpatialMosaic means is not published; nearest, since nobody sees the middle of a wardrobe",
    )
    min_distance: float = Field(
        0.2,
        ge=0,
        description="meters, VSI-Bench's; of less, rounding is a quarter, and touching is no distance",
    )


def camera_distances(facts: SceneFacts, measure: Measure) -> Float:
    """(F, O), meters from each camera to each object's box or its center."""
    objects = facts.objects
    offsets = facts.frames.camera_to_world[:, None, :3, 3] - objects.centers[None]
    if measure == NEAREST:
        # Along the box's own axes, what lies beyond its faces.
        along = np.einsum("foi,oij->foj", offsets, objects.rotations)
        offsets = np.maximum(np.abs(along) - objects.sizes[None] / 2, 0.0)
    distances: Float = np.sqrt((offsets * offsets).sum(axis=2))
    return distances


def object_distances(facts: SceneFacts, measure: Measure) -> Float:
    """(O, O), meters between objects' boxes or their centers."""
    return facts.objects.distances if measure == NEAREST else facts.objects.center_distances


def named_objects(facts: SceneFacts, referents: MosaicReferents) -> Candidates:
    """Each set with each object of which some view shows something."""
    seen = facts.once(seen_somewhere) & ~facts.objects.structure
    rows, things = np.nonzero(seen)
    found = _of_sets(facts, rows, things[:, None])
    found.reject(AMBIGUOUS, ~facts.once(alone)[rows, things])
    found.reject(UNCLEAR, ~facts.once(shown_somewhere, referents.shown)[rows, things])
    return found.settle()


def named_pairs(facts: SceneFacts, referents: MosaicReferents) -> Candidates:
    """Each set with each two objects of which some view shows something, the same or another."""
    seen = facts.once(seen_somewhere) & ~facts.objects.structure
    named = seen & facts.once(alone)
    fit = named & facts.once(shown_somewhere, referents.shown)
    pairs = pairs_in_frames(fit, np.arange(len(fit)))
    found = _of_sets(facts, pairs.frames[:, 0], pairs.objects)
    found.count_out(AMBIGUOUS, _pairs_of(seen) - _pairs_of(named))
    found.count_out(UNCLEAR, _pairs_of(named) - _pairs_of(fit))
    return found


def _pairs_of(flags: Bools) -> int:
    counts = flags.sum(axis=1)
    return int((counts * (counts - 1) // 2).sum())


def _of_sets(facts: SceneFacts, rows: Indices, objects: Indices) -> Candidates:
    """Candidates about a set each, which the set tells apart, and no frame of it."""
    identities = [facts.once(view_sets).identities[rows]]
    identities += [facts.objects.identities[column] for column in objects.T]
    return Candidates(
        np.zeros((len(rows), 0), np.int64),
        objects,
        {SET: rows},
        identities=np.stack(identities, axis=1),
    )


def in_one_view(facts: SceneFacts, found: Candidates, referents: MosaicReferents) -> tuple[Bools, Bools]:
    """(N,) each: whether one view of the set shows something of both objects, and whether one shows both clearly."""
    frames = facts.once(view_sets).frames[found.values[SET]]
    first, second = found.objects.T
    shown = []
    for flags in (facts.observed.visible, facts.once(clear, referents.shown)):
        both = flags[frames, first[:, None]] & flags[frames, second[:, None]] & (frames != NOTHING)
        shown.append(both.any(axis=1))
    return shown[0], shown[1]


def turns(keys: Indices, ranks: Hashes) -> Indices:
    """(N,), how many candidates of the same key, (N,), come before each by rank, (N,)."""
    order = np.lexsort((ranks, keys))
    begins = np.flatnonzero(np.diff(keys[order], prepend=-1))
    out = np.empty(len(keys), np.int64)
    out[order] = np.arange(len(keys)) - np.repeat(begins, np.diff(begins, append=len(keys)))
    return out
