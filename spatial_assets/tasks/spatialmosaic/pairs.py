"""Enumerates what can be asked about one frame of a view set: an object by itself, or beside one that the frame shows.

The frame asked about shows the object clearly or shows nothing of it, and then another view of the set shows it
clearly. The second is the hard case, which the suite is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.tasks.core.candidates import GROUP, NOTHING, Bools, Candidates, Indices, Strata, draw_key
from spatial_assets.tasks.core.draws import Hashes, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.spatialmosaic.referents import (
    REFERENT_REASONS,
    MosaicReferents,
    alone,
    clear,
    pixel_tells,
    seen_somewhere,
    shown_somewhere,
)
from spatial_assets.tasks.spatialmosaic.sets import ASKED, HIDDEN, SET, MosaicParameters, view_sets

CODES = tuple(REFERENT_REASONS)
AMBIGUOUS, HALF_HIDDEN, ELSEWHERE = CODES[2:]
THING_REASONS: Mapping[str, str] = {name: REFERENT_REASONS[name] for name in CODES[2:]}
"""Of questions about an object by itself."""
TENTHS = 10
UNWANTED = "unwanted"
SHARE_REASONS: Mapping[str, str] = {
    UNWANTED: "whether the asked frame shows the object is set to be the other way in all questions"
}


class AskedParameters(MosaicParameters):
    """What tasks have that ask about one frame of a set."""

    referents: MosaicReferents = MosaicReferents()
    hidden_of_ten: int = Field(
        8,
        ge=0,
        le=TENTHS,
        description="of ten questions, those whose object the asked frame does not show and another view does: most, "
        "since carrying over what one view shows to another is what the dataset is for. Its own share is not published",
    )


@kernel
def _asked_pairs(
    frames: Indices,
    clear: Bools,
    visible: Bools,
    tells: Bools,
    alone: Bools,
    seen: Bools,
    shown: Bools,
) -> tuple[Indices, Indices]:
    rejected = np.zeros(5, np.int64)
    out = np.empty((0, 5), np.int64)
    # First counted, then filled.
    for turn in range(2):
        total = 0
        for row in range(len(frames)):
            things = np.flatnonzero(seen[row])
            for view in range(frames.shape[1]):
                frame = frames[row, view]
                if frame == NOTHING:
                    break
                for reference in things:
                    if not visible[frame, reference]:
                        continue
                    for thing in things:
                        if thing == reference:
                            continue
                        code = -1
                        if not clear[frame, reference]:
                            code = 0
                        elif not (alone[row, reference] or tells[frame, reference]):
                            code = 1
                        elif not alone[row, thing]:
                            code = 2
                        elif visible[frame, thing]:
                            if not clear[frame, thing]:
                                code = 3
                        elif not shown[row, thing]:
                            code = 4
                        if code >= 0:
                            if turn == 0:
                                rejected[code] += 1
                            continue
                        if turn == 1:
                            out[total, 0], out[total, 1] = row, view
                            out[total, 2], out[total, 3] = thing, reference
                            out[total, 4] = not visible[frame, thing]
                        total += 1
        if turn == 0:
            out = np.empty((total, 5), np.int64)
    return out, rejected


def asked_pairs(facts: SceneFacts, referents: MosaicReferents) -> Candidates:
    """Each set, frame of it, and two objects: one asked for, which some view shows, and one that the frame shows.

    Those that share a set, a frame and a reference stand together.
    """
    sets = facts.once(view_sets)
    building = facts.objects.structure
    found, rejected = _asked_pairs(
        sets.frames,
        facts.once(clear, referents.shown),
        facts.observed.visible & ~building,
        facts.once(pixel_tells, referents),
        facts.once(alone),
        facts.once(seen_somewhere) & ~building,
        facts.once(shown_somewhere, referents.shown),
    )
    candidates = _asked(facts, found[:, 0], found[:, 1], found[:, 2:4], found[:, 4] != 0)
    for reason, count in zip(CODES, rejected.tolist(), strict=True):
        candidates.count_out(reason, count)
    return candidates


def asked_objects(facts: SceneFacts, referents: MosaicReferents) -> Candidates:
    """Each set, frame of it, and object that some view shows: asked about by its name, or where the frame shows it
    beside others of the name, by its pixel there."""
    sets = facts.once(view_sets)
    seen = facts.once(seen_somewhere) & ~facts.objects.structure
    rows, views = np.nonzero(sets.frames != NOTHING)
    at, thing = np.nonzero(seen[rows])
    rows, views = rows[at], views[at]
    frame = sets.frames[rows, views]
    visible = facts.observed.visible[frame, thing]
    named = facts.once(alone)[rows, thing] | (visible & facts.once(pixel_tells, referents)[frame, thing])
    found = _asked(facts, rows, views, thing[:, None], ~visible)
    found.reject(AMBIGUOUS, ~named)
    found.reject(HALF_HIDDEN, visible & ~facts.once(clear, referents.shown)[frame, thing])
    found.reject(ELSEWHERE, ~visible & ~facts.once(shown_somewhere, referents.shown)[rows, thing])
    return found.settle()


def _asked(facts: SceneFacts, rows: Indices, views: Indices, objects: Indices, hidden: Bools) -> Candidates:
    """Candidates about a frame each of a set each, which the set and the frame tell apart, and no other frame."""
    sets = facts.once(view_sets)
    frames = sets.frames[rows, views]
    identities = np.stack(
        [
            sets.identities[rows],
            facts.frames.identities[frames],
            *(facts.objects.identities[column] for column in objects.T),
        ],
        axis=1,
    )
    values: dict[str, Any] = {SET: rows, ASKED: views, HIDDEN: hidden}
    return Candidates(frames[:, None], objects, values, identities=identities)


def share_out(
    facts: SceneFacts,
    parameters: AskedParameters,
    task: str,
    found: Candidates,
    by: Indices,
    identities: Hashes | None = None,
) -> None:
    """Fill the quota so that so many of ten are about a hidden object, and evenly by an object each, (N,), or by
    whatever else has the identities.

    Two sets that ask the same of the same frame repeat each other.
    """
    own = Strata(by, facts.objects.identities if identities is None else identities)
    share_by(facts, parameters.seed, task, found, found.values[HIDDEN], parameters.hidden_of_ten, own)
    group = found.frames[:, 0]
    for column in found.objects.T:
        group = group * len(facts.objects) + column
    found.values[GROUP] = group


def share_by(
    facts: SceneFacts,
    seed: int,
    task: str,
    found: Candidates,
    chosen: Bools,
    wanted: int,
    own: Strata,
    parts: int = TENTHS,
) -> None:
    """Fill the quota so that `wanted` of so many parts are of those chosen, (N,), and evenly by strata besides."""
    found.reject(UNWANTED, chosen if wanted == 0 else ~chosen if wanted == parts else np.zeros(len(found)))
    key = draw_key(facts.which, seed, task, "share")
    sets = facts.once(view_sets)
    states = mix_columns(
        key, sets.identities[found.values[SET]], *(facts.objects.identities[o] for o in found.objects.T)
    )
    # Parts of all strata are for the chosen, and who is in which of these is drawn.
    numbers = (states >> np.uint64(32)).astype(np.int64)
    buckets = np.where(chosen, numbers % max(wanted, 1), wanted + numbers % max(parts - wanted, 1))
    count = len(own.identities)
    found.strata = Strata(
        buckets * count + own.codes,
        mix_columns(
            0, np.repeat(np.arange(parts + 1, dtype=np.uint64), count), np.tile(own.identities, parts + 1)
        ),
    )
