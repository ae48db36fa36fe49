"""Where frames show objects, and wrong places beside the right one: pixels that say nothing to who sees no image.

A carpet is low in an image and a lamp is high in it. So wrong places are where other frames show the same object: of a
set of places drawn so each is right equally often, whatever its name. Where the frame shows nothing of the object, a
set is offered that is offered where it does, of one of the other frames. And of each object's questions the same share
has No for its answer, so that no name says that the object is there, or is not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Candidates, Indices, Strata, draw_key
from spatial_assets.tasks.core.draws import mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import NO_OPTIONS, OPTIONS
from spatial_assets.tasks.core.peers import peers
from spatial_assets.tasks.spatialmosaic.measured import NO_HASHES, turns
from spatial_assets.tasks.spatialmosaic.pairs import (
    THING_REASONS,
    UNWANTED,
    asked_objects,
    share_by,
)
from spatial_assets.tasks.spatialmosaic.referents import MosaicReferents, alone, box_centers
from spatial_assets.tasks.spatialmosaic.sets import HIDDEN, SET, MosaicParameters

PLACES = "places"
"""Among the values of candidates, (N, 3, 2), pixels: the right place first, where there is one."""
COUNT = OPTIONS - 1
"""Places beside No."""
NAME_REASONS: Mapping[str, str] = {
    **THING_REASONS,
    "ambiguous_name": "the views show something else that the name may mean",
}
PLACE_REASONS: Mapping[str, str] = {
    NO_OPTIONS: "no other frames show the object, or they show it at nearly the same place",
    "repeated": "another set asks for the same object in the same frame",
    "uneven": "left out by lot, so that an object is there equally often, whatever its name",
    UNWANTED: "whether the frame shows the object is set to be the other way in all questions",
}


class PlaceParameters(MosaicParameters):
    """What tasks have that ask where a frame shows an object."""

    referents: MosaicReferents = MosaicReferents()


class ChoiceOfPlaceParameters(PlaceParameters):
    absent_of_four: int = Field(
        1,
        ge=0,
        le=OPTIONS,
        description="of four questions, those whose answer is No: one, so that No is right as often as any other "
        "option. SpatialMosaic's own share is not published",
    )
    min_gap: float = Field(
        0.5,
        ge=0,
        description="between any two places offered, as a share of the longest diagonal of the boxes that they are "
        "centers of: by half of it, the one lies outside the other's box",
    )
    min_width_gap: float = Field(
        0.08,
        ge=0,
        description="the same as a share of the image's width: of a mug, half a diagonal is nothing",
    )


def named_in_frames(facts: SceneFacts, referents: MosaicReferents) -> Candidates:
    """Each set, frame of it, and object that its name alone tells among all that the set shows."""
    found = facts.once(asked_objects, referents).fresh()
    # Its pixel would give the answer away.
    found.reject("ambiguous_name", ~facts.once(alone)[found.values[SET], found.objects[:, 0]])
    return found.settle()


def with_places(facts: SceneFacts, parameters: ChoiceOfPlaceParameters, task: str) -> Candidates:
    """What can be asked with places to choose from, with PLACES."""
    found = facts.once(named_in_frames, parameters.referents).fresh()
    ranks = found.ranks(draw_key(facts.which, parameters.seed, task, "places"), *NO_HASHES)
    same = found.frames[:, 0] * len(facts.objects) + found.objects[:, 0]
    found.reject("repeated", turns(same, ranks) > 0)
    found.values["rank"] = ranks
    found = found.settle()
    found.values[PLACES] = _drawn(facts, parameters, task, found)
    found.reject(NO_OPTIONS, np.isnan(found.values[PLACES]).any(axis=(1, 2)))
    found = found.settle()
    hidden, thing, ranks = found.values[HIDDEN], found.objects[:, 0], found.values.pop("rank")
    absent = parameters.absent_of_four
    if 0 < absent < OPTIONS:
        counts = [np.bincount(thing[own], minlength=len(facts.objects)) for own in (~hidden, hidden)]
        times = np.minimum(counts[0] // (OPTIONS - absent), counts[1] // absent)
        limits = times[thing] * np.where(hidden, absent, OPTIONS - absent)
        found.reject("uneven", turns(2 * thing + hidden, ranks) >= limits)
        found = found.settle()
    own = Strata.of_objects(found.objects[:, 0], facts.objects.identities)
    share_by(facts, parameters.seed, task, found, found.values[HIDDEN], absent, own, OPTIONS)
    return found


def _drawn(facts: SceneFacts, parameters: ChoiceOfPlaceParameters, task: str, found: Candidates) -> Float:
    """(N, COUNT, 2), places for each; NaN where there are none."""
    frames, things, hidden = found.frames[:, 0], found.objects[:, 0], found.values[HIDDEN]
    places = np.full((len(found), COUNT, 2), np.nan)
    there = np.flatnonzero(~hidden)
    pool = Candidates(found.frames[there], found.objects[there])
    members = peers(facts, task, parameters.seed, pool, pool.objects[:, 0], count=COUNT - 1)
    sets = np.concatenate([np.arange(len(there))[:, None], members], axis=1)
    centers = facts.once(box_centers)[frames[there], things[there]]
    good = (members[:, 0] != NOTHING) & _apart(facts, parameters, centers, frames[there], things[there], sets)
    there, sets = there[good], sets[good]
    places[there] = centers[sets]
    # What is not there is offered the set of a frame drawn among those in which it is.
    order = np.argsort(things[there], kind="stable")
    begins = np.searchsorted(things[there][order], np.arange(len(facts.objects) + 1))
    counts = np.diff(begins)[things]
    absent = np.flatnonzero(hidden & (counts > 0))
    numbers = mix_columns(
        draw_key(facts.which, parameters.seed, task, "elsewhere"),
        facts.frames.identities[frames[absent]],
        facts.objects.identities[things[absent]],
    )
    drawn = begins[things[absent]] + (numbers >> np.uint64(33)).astype(np.int64) % counts[absent]
    places[absent] = places[there[order[drawn]]]
    return places


def _apart(
    facts: SceneFacts,
    parameters: ChoiceOfPlaceParameters,
    centers: Float,
    frames: Indices,
    things: Indices,
    sets: Indices,
) -> Bools:
    """(N,): whether all places of each set, (N, COUNT), keep apart."""
    boxes = facts.observed.column("box")[frames, things]
    diagonals = np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])[sets].max(axis=1)
    widths = facts.frames.widths[frames][sets].max(axis=1)
    least = np.maximum(parameters.min_gap * diagonals, parameters.min_width_gap * widths)
    own = centers[sets]
    gaps = np.linalg.norm(own[:, :, None] - own[:, None], axis=3)[:, *np.triu_indices(COUNT, 1)]
    found: Bools = (gaps >= least[:, None]).all(axis=1)
    return found
