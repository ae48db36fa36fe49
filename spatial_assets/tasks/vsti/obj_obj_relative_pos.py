"""How one object lies to another at a moment of the video: nearer or farther, left or right, up or down (VSTI-Bench,
"Object-object relative position").

Along the axis the two boxes keep apart, as published. Near and far are by depth, and must be so by distance too; left
and right are along the image, and must be so in the image and in space; up and down are along gravity, where the
released code takes the tilted image's own vertical.

What is small is seen from nearby, and lamps hang: what the words suggest would be right more often than the other
answer, so that of such questions some are left out (`priors`). Left and right follow from no word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.answers import Relation
from spatial_assets.tasks.core.candidates import Bools, Candidates, Chosen, Strata, pairs_in_frames
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.even import in_name_order
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits, shown
from spatial_assets.tasks.core.priors import EXPECTED, PRIOR_REASONS, keep_even, prior_file, prior_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task, Twin
from spatial_assets.tasks.core.video.named_frames import of_numbered
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.vsti.moments import (
    IMAGES,
    MOMENT_REASONS,
    NEEDS,
    SUITE,
    NamedParameters,
    asked_frames,
    frame_roles,
    moment_slots,
    nearest_points,
    reject_unnamed,
    stems,
    video_index,
)
from spatial_assets.tasks.vsti.walked import rolls

NF, LR, UD = "nf", "lr", "ud"
"""Suffixes of the published types."""
FIRST = "first"
"""What it is drawn for which of two objects is named first."""
NEAR_PLANE = 0.1
"""Meters in front of a camera: what reaches nearer has no left and right end in its image."""


@dataclass(frozen=True)
class Axis:
    """One of the three question types."""

    suffix: str
    summary: str
    answers: tuple[str, str]
    """Keys of the wording's phrases, of the first object being on the lower side and on the upper."""
    has_prior: bool

    @property
    def name(self) -> str:
        return f"obj_obj_relative_pos_{self.suffix}"


AXES = (
    Axis(NF, "Which of two objects is nearer to the camera", ("near", "far"), has_prior=True),
    Axis(LR, "Whether an object is left or right of another", ("left", "right"), has_prior=False),
    Axis(UD, "Whether an object is higher up or lower down than another", ("down", "up"), has_prior=True),
)


class MomentSideLimits(Parameters):
    """When one object lies clearly on one side of another."""

    min_gap: float = Field(
        0.15, gt=0, description="meters between the two boxes along the axis, VSTI-Bench's"
    )
    min_turn: float = Field(
        1.0, ge=0, description="degrees across the image between the two boxes, for left and right"
    )
    max_roll: float = Field(
        30.0,
        gt=0,
        lt=90,
        description="degrees that the camera is tilted sideways; beyond, its image has another left",
    )


class SideParameters(NamedParameters):
    sides: MomentSideLimits = MomentSideLimits()
    even: bool = Field(True, description="leave out what words suggest, as often as it takes")


class Extents(NamedTuple):
    """Of each object in each camera of the video, the ends of its box."""

    depths: Float
    """(V, O, 2), meters along the view, and (V, O, 2) of the others:"""
    rights: Float
    """meters to the right,"""
    bearings: Float
    """degrees to the right, NaN where the box reaches up to the camera,"""
    heights: Float
    """(O, 2), meters of the world."""


def extents(facts: SceneFacts) -> Extents:
    """By `facts.once`."""
    video, corners = facts.frames.video, facts.objects.corners
    poses = facts.frames.world_to_camera[video]
    # (V, O, 8) of each axis that is wanted: far faster than with a last axis of three.
    across, depth = (
        np.einsum("vj,ocj->voc", poses[:, row, :3], corners) + poses[:, row, 3][:, None, None]
        for row in (0, 2)
    )
    behind = depth.min(axis=2, initial=np.inf) < NEAR_PLANE
    bearing = np.degrees(np.arctan2(across, np.maximum(depth, NEAR_PLANE)))
    bearings = _ends(bearing)
    bearings[behind] = np.nan
    return Extents(_ends(depth), _ends(across), bearings, _ends(corners[:, :, 2]))


def _ends(values: Float) -> Float:
    """(..., 2), the least and the greatest of (..., 8)."""
    return np.stack([values.min(axis=-1), values.max(axis=-1)], axis=-1)


def gaps(first: Float, second: Float) -> Float:
    """(N,), from the second's ends (N, 2) up to the first's; below zero from the second's down to the first's.

    NaN where the two overlap.
    """
    above, below = first[:, 0] - second[:, 1], second[:, 0] - first[:, 1]
    found: Float = np.where(above > 0, above, np.where(below > 0, -below, np.nan))
    return found


def find(facts: SceneFacts, parameters: SideParameters, *, axis: Axis) -> Candidates:
    """Every two objects that a frame of the video shows, that of the earlier name first."""
    pairs = facts.once(_named_pairs, parameters.limits).fresh()
    frames, (a, b) = pairs.frames[:, 0], pairs.objects.T
    index, held, limits = facts.once(video_index)[frames], facts.once(extents), parameters.sides
    match axis.suffix:
        case "nf":
            gap = gaps(held.depths[index, a], held.depths[index, b])
            read_otherwise = ~_also_by_distance(facts, pairs, gap, limits.min_gap)
        case "lr":
            pairs.reject("rolled", facts.once(rolls)[frames] > limits.max_roll)
            gap = gaps(held.rights[index, a], held.rights[index, b])
            turn = gaps(held.bearings[index, a], held.bearings[index, b])
            read_otherwise = ~((turn * np.sign(gap)) >= limits.min_turn)
        case _:
            gap = gaps(held.heights[a], held.heights[b])
            read_otherwise = np.zeros(len(pairs), np.bool_)
    # A comparison with NaN is false.
    pairs.reject("overlap", ~(np.abs(gap) >= limits.min_gap))
    pairs.reject("two_readings", read_otherwise)
    pairs.values["gap"] = gap
    # Every moment in turn. By the objects, what is left of a lamp's questions would come as often as others.
    pairs.strata = Strata.of_numbers(index)
    return pairs


def _named_pairs(facts: SceneFacts, limits: ReferentLimits) -> Candidates:
    """Pairs that can be named; the same for all axes."""
    pairs = pairs_in_frames(shown(facts), facts.frames.video)
    reject_unnamed(facts, pairs, limits)
    pairs = pairs.settle()
    pairs.objects = in_name_order(facts, pairs.objects)
    return pairs


def _also_by_distance(facts: SceneFacts, pairs: Candidates, gap: Float, least: float) -> Bools:
    """(N,), whether the nearest points and the centers are as far apart in the camera's distance, in the same order."""
    video, index = facts.frames.video, facts.once(video_index)[pairs.frames[:, 0]]
    points = facts.camera_points[video]
    nearest, centers = facts.once(nearest_points), np.sqrt(np.einsum("voi,voi->vo", points, points))
    a, b = pairs.objects.T
    sign = np.sign(gap)
    found: Bools = np.ones(len(pairs), np.bool_)
    for distances in (nearest, centers):
        found &= (distances[index, a] - distances[index, b]) * sign >= least
    return found


def ask(
    facts: SceneFacts, parameters: SideParameters, candidate: Chosen, draw: Draw, *, axis: Axis
) -> Question:
    """Which of the two is named first is drawn, so that each word is right in half of the rows."""
    pair, gap = candidate.objects, float(candidate.values["gap"])
    if draw.below(FIRST, 2):
        pair, gap = pair[::-1], -gap
    if axis.has_prior and parameters.even:
        categories = [facts.objects.categories[place] for place in pair]
        keep_even(prior_of(SUITE, axis.name).chances(hints(axis.suffix, *categories)), int(gap < 0), draw)
    said = phrases(SUITE, axis.name)
    lower, upper = (said[key] for key in axis.answers)
    right, wrong = (upper, lower) if gap > 0 else (lower, upper)
    roles = list(zip(("first", "second"), pair, strict=True))
    return Question(
        Relation(right, [wrong], [gap], abs(gap), METERS.unit),
        frames=frame_roles(facts, candidate.frames),
        objects=roles,
        slots={**facts.objects.named(roles), **moment_slots(facts, candidate.frames)},
        stems=stems(parameters, axis.name, draw),
    )


def hints(suffix: str, first: str, second: str) -> list[list[str]]:
    """What speaks for the first's being on the upper side of the second, and what for the second's.

    How far off things are follows from each one's size. How high they are does not add up so: of a picture and a table
    it is known, however often either is above or below other things.
    """
    if suffix != UD:
        return [[first], [second]]
    return [[first, f"{first}>{second}"], [second, f"{second}>{first}"]]


REASONS: Mapping[str, Mapping[str, str]] = {
    NF: {"two_readings": "by distance the two are not as clearly nearer and farther as by depth"},
    LR: {
        "rolled": "the camera is tilted so far sideways that its image has another left",
        "two_readings": "in the image the two are not as clearly left and right as in space",
    },
    UD: {},
}

TASKS = tuple(
    Task(
        module=__name__,
        name=axis.name,
        level="medium",
        images=IMAGES,
        summary=f"{axis.summary} at a moment of the video",
        needs={SELECT: NEEDS},
        kind=Relation.kind,
        parameters=SideParameters,
        find=partial(find, axis=axis),
        ask=partial(ask, axis=axis),
        recount=of_numbered,
        points=asked_frames,
        reasons={
            **MOMENT_REASONS,
            "overlap": "along the axis the two objects overlap, or nearly",
            **REASONS[axis.suffix],
            **({EXPECTED: PRIOR_REASONS[EXPECTED]} if axis.has_prior else {}),
        },
        data=(prior_file(SUITE, axis.name),) if axis.has_prior else (),
        twins=(Twin("relation_turned", FIRST),),
    )
    for axis in AXES
)
