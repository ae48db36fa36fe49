"""A map of marked objects, seen from above, told from three images (SPAR's cognitive map in the first image's frame).

The origin is where the first image's camera was, y goes along its viewing direction on the ground and x to the right
of that; meters to one decimal. Objects are named and marked with boxes, each in the image that shows the most of it.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Parts
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Candidates, Chosen, Indices, Strata
from spatial_assets.tasks.core.draws import Draw, Hashes, mix_columns, mix_pair
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import SENTENCE
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar.centers import CenterParameters
from spatial_assets.tasks.spar.imagination import frame_states
from spatial_assets.tasks.spar.relations import seen_level
from spatial_assets.tasks.spar.views import (
    NEEDS,
    NONE_FIT,
    VIEW_REASONS,
    VIEWS,
    ViewLimits,
    boxes_in,
    marked_in,
    shown_views,
    triples,
)

SUITE, NAME = "spar", "spatial_imagination_map_mv"
COLORS = ("red", "green", "blue", "yellow")
"""Of the objects' marks, in the order of their numbers; so many at most."""
FEWEST = 2


class MapParameters(CenterParameters):
    limits: ReferentLimits = ReferentLimits()
    views: ViewLimits = ViewLimits()
    draws: int = Field(
        3,
        ge=1,
        description="sets of objects of each three views: with one, scenes of 30 keyframes fill no quota",
    )
    min_level: float = Field(
        0.5,
        gt=0,
        le=1,
        description="share of the main view's direction that is level, the cosine of its tilt: of one who looks at "
        "the floor at his feet nobody sees where ahead is",
    )


@kernel
def _drawn(fit: Bools, states: Hashes, identities: Hashes, draws: int, most: int) -> Indices:
    """(N, 1 + most): of each row of fit, (R, O), its place and objects that are drawn, NOTHING where they are fewer."""
    out = np.full((len(fit) * draws, 1 + most), -1, np.int64)
    ranks = np.empty(most, np.uint64)
    at = 0
    for row in range(len(fit)):
        if fit[row].sum() < 2:
            continue
        for draw in range(draws):
            state = mix_pair(states[row], np.uint64(draw))
            wanted = 2 + int(state % np.uint64(most - 1))
            held = 0
            for place in range(fit.shape[1]):
                if not fit[row, place]:
                    continue
                rank = mix_pair(state, identities[place])
                if held < wanted:
                    slot = held
                    held += 1
                elif rank > ranks[wanted - 1]:
                    slot = wanted - 1
                else:
                    continue
                while slot > 0 and rank > ranks[slot - 1]:
                    ranks[slot], out[at, 1 + slot] = ranks[slot - 1], out[at, slot]
                    slot -= 1
                ranks[slot], out[at, 1 + slot] = rank, place
            out[at, 0] = row
            at += 1
    return out[:at]


def find(facts: SceneFacts, parameters: MapParameters) -> Candidates:
    """Two to four objects, drawn among those that each three views show well, in the order of their numbers."""
    shown_together = triples(facts, parameters)
    frames = shown_together.frames
    views = marked_in(facts, frames, parameters.limits)
    fit = views != NONE_FIT
    states = frame_states(facts, parameters.seed, frames)
    drawn = _drawn(fit, states, facts.objects.identities, parameters.draws, len(COLORS))
    rows, objects = drawn[:, 0], _numbered(facts, states[drawn[:, 0]], drawn[:, 1:])
    there = objects != NOTHING
    found = Candidates(
        frames[rows],
        objects,
        {VIEWS: views[rows[:, None], objects], "places": _places(facts, frames[rows, 0], objects)},
        Strata.of_objects(objects[:, 0], facts.objects.identities),
        rejected=shown_together.rejected.copy(),
    )
    found.count_out("few_objects", int((fit.sum(axis=1) < FEWEST).sum()))
    ahead = facts.frames.camera_to_world[found.frames[:, 0], :2, 2]
    found.reject("looking_down", np.hypot(ahead[:, 0], ahead[:, 1]) < parameters.min_level)
    found.reject("repeated", _repeated(found))
    boundary = METERS.near_rounding_boundary(found.values["places"])
    found.reject(ROUNDING, np.any(boundary & there[:, :, None], axis=(1, 2)))
    return found


def _numbered(facts: SceneFacts, states: Hashes, objects: Indices) -> Indices:
    """Each set's objects, (N, b), in the order of their numbers, which is the same for all draws of the set."""
    identities = facts.objects.identities
    ranks = np.stack([mix_columns(states, identities[column][:, None]) for column in objects.T], axis=1)
    ranks[objects == NOTHING] = np.iinfo(np.uint64).max
    found: Indices = np.take_along_axis(objects, np.argsort(ranks, axis=1, kind="stable"), axis=1)
    return found


def _places(facts: SceneFacts, cameras: Indices, objects: Indices) -> Float:
    """(N, b, 2): meters to the right and to the front of each camera, of objects (N, b)."""
    poses = facts.frames.camera_to_world[cameras]
    seen: Float = seen_level(poses[:, :3, 3], poses[:, :3, 2], facts.objects.centers[objects])
    return seen[..., [0, 2]]


def _repeated(found: Candidates) -> Bools:
    """(N,): whether the same images and objects were drawn before."""
    keys = np.concatenate([found.frames, found.objects], axis=1)
    repeated = np.ones(len(found), np.bool_)
    repeated[np.unique(keys, axis=0, return_index=True)[1]] = False
    return repeated


def ask(facts: SceneFacts, parameters: MapParameters, candidate: Chosen, draw: Draw) -> Question:
    count = len(candidate.objects)
    roles = list(zip(COLORS, candidate.objects, strict=False))
    places = candidate.values["places"][:count].tolist()
    words = phrases(SUITE, NAME)
    named = [
        words["named"].format(number=number, name=facts.objects.words[thing], color=color)
        for number, (color, thing) in enumerate(roles)
    ]
    printed = [
        words["place"].format(number=number, x=METERS.text(x), y=METERS.text(y))
        for number, (x, y) in enumerate(places)
    ]
    marks = boxes_in(facts, candidate.frames, roles, candidate.values[VIEWS][:count].tolist())
    return Question(
        Parts([(METERS, number) for place in places for number in place], " ".join(printed)),
        frames=shown_views(candidate.frames),
        objects=roles,
        slots={"objects": f"{', '.join(named[:-1])} {words['and']} {named[-1]}"},
        marks=marks,
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=3,
        summary="Where objects lie on a map in the first image's frame, marked in three images",
        needs={SENTENCE: NEEDS},
        kind=Parts.kind,
        parameters=MapParameters,
        find=find,
        ask=ask,
        reasons={
            **VIEW_REASONS,
            "few_objects": "the images show fewer than two objects well",
            "looking_down": "the main view looks down or up too steeply to say where ahead is",
            "repeated": "the same objects of the same images were drawn before",
        },
    ),
)
