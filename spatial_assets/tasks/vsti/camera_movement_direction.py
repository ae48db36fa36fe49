"""In which direction the camera moved between two moments of the video (VSTI-Bench, "Camera movement direction"), and
in which two at once, which VSTI-Bench has no task for.

Directions are level: forward is where the camera looked at the start, seen from above, however far down it was tilted.
What leads along one axis and along the other by less than a share of that is one direction; what leads along the second
by nearly as much is two, and between the two nothing is asked. What rises or falls is neither. The released code takes
the larger of two axes of a tilted camera, be it by a millimeter, and leaves out what is vertical.

A camera moves forward more often than backward. Of the answers that a video has, each is asked about as often as the
others that the question offers: a question's options are those of which the video has as many as of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Relation
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Indices, Strata, draw_key
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import letter_order
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.recount import Asked, Held
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video.named_frames import numbers_now
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.vsti.moments import (
    IMAGES,
    SUITE,
    asked_frames,
    frame_roles,
    moment_slots,
    stems,
)
from spatial_assets.tasks.vsti.walked import (
    NEEDS,
    PATH_REASONS,
    PathParameters,
    level_axes,
    of_ways,
    pairs_of,
    pitches,
    rolls,
    ways,
)

LEAST_OPTIONS = 2
WINDING = "winding"
OFFERED = "offered"
"""Among the values of candidates, (N, 4): which of the answers are its options."""


@dataclass(frozen=True)
class Kind:
    """One direction, or two at once."""

    name: str
    summary: str
    answers: tuple[str, ...]
    """Keys of the wording's phrases, in the order of the codes that `_codes` gives."""
    two: bool


ONE = Kind(
    "camera_movement_direction",
    "In which direction the camera moved between two moments of the video",
    answers=("forward", "backward", "right", "left"),
    two=False,
)
TWO = Kind(
    "camera_movement_direction_two_axis",
    "In which two directions at once the camera moved between two moments of the video",
    answers=("forward_right", "forward_left", "backward_right", "backward_left"),
    two=True,
)


class DirectionParameters(PathParameters):
    min_frames: int = Field(1, ge=1, description="frames from the first moment to the second")
    max_frames: int = Field(31, ge=1, description="the same at most: the whole video")
    min_movement: float = Field(
        0.5,
        gt=0,
        description="meters along each direction that the answer names, VSTI-Bench's; less is swaying",
    )
    max_minor: float = Field(
        0.4,
        ge=0,
        lt=1,
        description="of the way along one axis, what may lead along the other and still be one direction",
    )
    min_minor: float = Field(
        0.6,
        gt=0,
        le=1,
        description="of the way along one axis, what must lead along the other to be two directions",
    )
    max_rise: float = Field(
        0.4, ge=0, description="of the shortest way that the answer names, what may lead up or down"
    )
    max_walked: float = Field(
        2.5,
        ge=1,
        description="the way along all frames between, as a multiple of the straight line; of more, no direction is "
        "the one in which the camera moved",
    )
    max_pitch: float = Field(
        60.0,
        gt=0,
        lt=90,
        description="degrees that the camera looks up or down; beyond, nobody says what is forward",
    )
    max_roll: float = Field(
        30.0,
        gt=0,
        lt=90,
        description="degrees that the camera is tilted sideways; beyond, its image has another left",
    )


def find(facts: SceneFacts, parameters: DirectionParameters, *, kind: Kind) -> Candidates:
    """Every two moments between which the camera moved clearly so, with as many of each answer that it offers."""
    found = clear_ways(facts, parameters, kind).settle()
    _offer(facts, parameters, kind, found)
    return found


def clear_ways(facts: SceneFacts, parameters: DirectionParameters, kind: Kind) -> Candidates:
    """Every two moments, those rejected between which the camera did not clearly move in one direction, or two.

    `level` (N, 2) are meters forward and to the right, `code` (N,) the answers' places among the kind's.
    """
    found = pairs_of(facts, parameters)
    starts, moved = found.frames[:, 0], found.values["moved"]
    level = np.einsum("nij,nj->ni", facts.once(level_axes)[starts], moved[:, :2])
    ways = np.abs(level)
    minor, major = ways.min(axis=1), ways.max(axis=1)
    least = minor if kind.two else major
    found.reject("steep", facts.once(pitches)[starts] > parameters.max_pitch)
    found.reject("rolled", facts.once(rolls)[starts] > parameters.max_roll)
    found.reject("still", major < parameters.min_movement)
    ratio = minor / np.maximum(major, parameters.min_movement)
    if kind.two:
        found.reject("one_axis", ratio <= parameters.max_minor)
        found.reject("between", ratio < parameters.min_minor)
        found.reject("still", minor < parameters.min_movement)
    else:
        found.reject("two_axes", ratio >= parameters.min_minor)
        found.reject("between", ratio > parameters.max_minor)
    found.reject("vertical", np.abs(moved[:, 2]) > parameters.max_rise * least)
    straight = np.linalg.norm(moved, axis=1)
    found.reject(WINDING, found.values["walked"] > parameters.max_walked * straight)
    found.values["level"] = level
    found.values["margin"] = minor if kind.two else major - minor
    found.values["code"] = _codes(level, kind.two)
    return found


def _codes(level: Float, two: bool) -> Indices:
    """(N,), of ways forward and to the right, (N, 2), the answer's place among the kind's."""
    back, left = (level < 0).T.astype(np.int64)
    if two:
        return 2 * back + left
    ahead = np.abs(level[:, 0]) > np.abs(level[:, 1])
    codes: Indices = np.where(ahead, back, 2 + left)
    return codes


def _offer(facts: SceneFacts, parameters: DirectionParameters, kind: Kind, found: Candidates) -> None:
    """Give each candidate its options, and reject those that no other answer can be set against.

    The candidates of an answer are numbered by their hashes. Options are the answers that have one of the same number:
    of those of one number that offer the same, each answer is right once.
    """
    count = len(kind.answers)
    codes = found.values["code"]
    key = draw_key(facts.which, parameters.seed, kind.name, "options")
    ranks = found.ranks(key, facts.frames.identities, facts.objects.identities)
    order = np.lexsort((ranks, codes))
    sizes = np.bincount(codes, minlength=count)
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    turn = np.empty(len(codes), np.int64)
    turn[order] = np.arange(len(codes)) - begins[codes[order]]
    offered = sizes[None] > turn[:, None]
    found.values[OFFERED] = offered
    found.reject("one_sided", offered.sum(axis=1) < LEAST_OPTIONS)
    # Those of one number take turns, so that a quota cuts off none of its answers more than another.
    found.strata = Strata.of_numbers(turn)


def ask(
    facts: SceneFacts, parameters: DirectionParameters, candidate: Chosen, draw: Draw, *, kind: Kind
) -> Question:
    said = phrases(SUITE, kind.name)
    values = candidate.values
    right = kind.answers[values["code"]]
    texts = [
        said[right],
        *(
            said[name]
            for name, offered in zip(kind.answers, values[OFFERED].tolist(), strict=True)
            if offered and name != right
        ),
    ]
    slots = moment_slots(facts, candidate.frames)
    if not kind.two:
        # VSTI-Bench's wording lists the options, in the order of their letters.
        lettered = [texts[index] for index in letter_order(len(texts), draw)]
        last = said["last" if len(lettered) > LEAST_OPTIONS else "last_of_two"]
        slots["listed"] = last.join([said["between"].join(lettered[:-1]), lettered[-1]])
    return Question(
        Relation(texts[0], texts[1:], values["level"].tolist(), values["margin"], METERS.unit),
        frames=frame_roles(facts, candidate.frames),
        objects=(),
        slots=slots,
        stems=stems(parameters, kind.name, draw),
    )


def recount(facts: SceneFacts, parameters: DirectionParameters, asked: Asked) -> Held:
    """Along the frames shown the way must be as straight too."""
    held = of_ways(facts, parameters, asked)
    if held.answerable.any():
        assert asked.pointed is not None
        moved, walked = ways(facts, *numbers_now(facts, asked.pointed.frames).T)
        held.reject(WINDING, walked > parameters.max_walked * np.linalg.norm(moved, axis=1))
    return held


TASKS = tuple(
    Task(
        module=__name__,
        name=kind.name,
        level="medium",
        images=IMAGES,
        summary=kind.summary,
        needs={SELECT: NEEDS},
        kind=Relation.kind,
        parameters=DirectionParameters,
        find=partial(find, kind=kind),
        ask=partial(ask, kind=kind),
        recount=recount,
        points=asked_frames,
        reasons={
            **PATH_REASONS,
            "steep": "at the start the camera looks so far up or down that nobody says what is forward",
            "rolled": "at the start the camera is tilted so far sideways that its image has another left",
            "still": "the camera moved too little along a direction that the answer would name",
            "between": "neither clearly one direction nor clearly two",
            **(
                {"one_axis": "the camera moved in one direction"}
                if kind.two
                else {"two_axes": "the camera moved in two directions at once"}
            ),
            "vertical": "the camera rose or sank too much beside it",
            WINDING: "the way between is so long that no direction is the one in which the camera moved",
            "one_sided": "the video has no other answer left to set against it",
        },
    )
    for kind in (ONE, TWO)
)
