"""How the camera moved from one image to another (SPAR, appendix 7.5, "View change infer").

With T = inv(C1) C2 the translation is T's, in the first camera's frame; the turn is that of the viewing direction, T's
third column, as yaw to the right and pitch upward; roll is dropped. Translations are printed in steps of 0.1 m, or as
`move_step` has it, angles in steps of 5 degrees. The sentence also says in which ninth of each image an object stands.
The values behind those words are the center of its visible box, as shares of the width and the height; they follow the
five numbers of the motion, and the margin counts their distance to the borders between thirds as it counts the others,
in their own steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from spatial_assets.geometry.cameras import relative_motion, yaw_pitch
from spatial_assets.scene.model import Fact, Float
from spatial_assets.tasks.core.answers import Pose
from spatial_assets.tasks.core.candidates import GROUP, Bools, Candidates, Chosen, Strata, frame_pairs
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import (
    OVERLAP_REASONS,
    ReferentLimits,
    referents,
    reject_unlinked,
    share_an_object,
    shown,
)
from spatial_assets.tasks.core.quantities import DEGREES, METERS, Quantity
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SENTENCE
from spatial_assets.tasks.core.task import PairParameters, Question, Task, Twin
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar.thirds import THIRDS, place_in_image, to_border

SUITE, NAME = "spar", "view_change_infer"
POSED = frozenset({Fact.IMAGES, Fact.POSES, Fact.OVERLAP})
"""Of a mesh only the overlap is used; objects, where they are known, make sure that not bare walls alone are shared.
The sentence, which names one of them, needs them besides."""


@dataclass(frozen=True)
class Axis:
    """One of the five numbers of a view change."""

    verb: str
    positive: str
    """Which a zero takes, too, unless it is drawn."""
    negative: str
    quantity: Quantity

    def printed(self, value: float, zero: str = "") -> tuple[str, str]:
        """Verb and direction, and the amount: `move_right`, `1.6`. `zero` is the direction of one."""
        count = self.quantity.steps(value)
        if count == 0:
            return f"{self.verb}_{zero or self.positive}", "0"
        return f"{self.verb}_{self.negative if count < 0 else self.positive}", self.quantity.text_of(
            abs(count)
        )


AXES = (
    Axis("move", "right", "left", METERS),
    Axis("move", "up", "down", METERS),
    Axis("move", "forward", "backward", METERS),
    Axis("rotate", "up", "down", DEGREES),
    Axis("rotate", "right", "left", DEGREES),
)
"""In the order in which they are printed and stored."""
PITCH, YAW = 3, 4
MIXED = "mixed"


class ViewChangeParameters(PairParameters):
    max_pitch: float = Field(
        75.0,
        gt=0,
        le=90,
        description="degrees; nearer to straight up or down, yaw follows the hand's tremble",
    )
    max_yaw: float = Field(
        170.0,
        gt=0,
        le=177.5,
        description="degrees; nearer to opposite, turning right and turning left are one answer, worded twice",
    )
    zeros: Literal["canonical", "mixed"] = Field(
        "canonical",
        description="where a zero is said to go: right, up and forward; or, mixed, either way, as in SPAR's release, "
        "which has `move_down:0` and `move_backward:0` as well",
    )
    move_step: float = Field(
        METERS.step,
        ge=METERS.step,
        le=1,
        multiple_of=METERS.step,
        description="meters to which movements are rounded; all that SPAR has published are multiples of 0.2",
    )
    grid_tolerance: float = Field(
        0.01, gt=0, description="share of the image by which a center must clear the borders between thirds"
    )


@cache
def axes_of(move_step: float) -> tuple[Axis, ...]:
    """`AXES`, movements rounded to so many meters."""
    moves = replace(METERS, step=move_step)
    return tuple(
        replace(axis, quantity=moves) if axis.quantity is METERS and move_step != METERS.step else axis
        for axis in AXES
    )


def find(facts: SceneFacts, parameters: ViewChangeParameters) -> Candidates:
    """Ordered pairs of keyframes that share some of what they see."""
    pairs = frame_pairs(facts.frames.keyframes)
    reject_unlinked(facts, pairs, parameters.min_overlap, parameters.max_overlap)
    pairs = pairs.settle()
    changes = view_changes(facts, pairs)
    pairs.reject("steep", np.abs(changes[:, PITCH]) > parameters.max_pitch)
    pairs.reject("opposite", np.abs(changes[:, YAW]) > parameters.max_yaw)
    axes = axes_of(parameters.move_step)
    near = [
        axis.quantity.near_rounding_boundary(column) for axis, column in zip(axes, changes.T, strict=True)
    ]
    pairs.reject(ROUNDING, np.any(near, axis=0))
    counts = [axis.quantity.steps_of(column) for axis, column in zip(axes, changes.T, strict=True)]
    pairs.reject("no_motion", ~np.any(counts, axis=0))
    pairs.reject("no_shared_object", ~share_an_object(facts, pairs, parameters.limits))
    pairs.values["change"] = changes
    # The same two images the other way round.
    pairs.values[GROUP] = pairs.frames.min(axis=1) * len(facts.frames) + pairs.frames.max(axis=1)
    # Turns fill the quota evenly, so that standing still does not crowd out the rest.
    pairs.strata = Strata.of_numbers(counts[YAW])
    return pairs.settle()


def view_changes(facts: SceneFacts, pairs: Candidates) -> Float:
    """(N, 5): meters to the right, up and forward, degrees up and to the right."""
    poses = facts.frames.camera_to_world
    motions = relative_motion(poses[pairs.frames[:, 0]], poses[pairs.frames[:, 1]])
    yaw, pitch = yaw_pitch(motions)
    return np.stack([motions[:, 0, 3], -motions[:, 1, 3], motions[:, 2, 3], pitch, yaw], axis=-1)


def ask(facts: SceneFacts, parameters: ViewChangeParameters, candidate: Chosen, draw: Draw) -> Question:
    first, second = candidate.frames
    change: list[float] = candidate.values["change"].tolist()
    axes = axes_of(parameters.move_step)
    zeros = [
        draw.choice(f"zero {axis.verb} {axis.positive}", (axis.positive, axis.negative))
        if parameters.zeros == MIXED
        else axis.positive
        for axis in axes
    ]
    return Question(
        Pose(_parts(axes, change), print_change(axes, change, zeros)),
        frames=[("first", first), ("second", second)],
        objects=(),
    )


def reversed_motion(
    facts: SceneFacts, parameters: ViewChangeParameters, question: Question
) -> Question | None:
    """The way back, where it can be asked about as well."""
    (_, first), (_, second) = question.frames
    found = facts.once(find, parameters)
    places = np.flatnonzero((found.frames == (second, first)).all(axis=1))
    if len(places) == 0:
        return None
    change: list[float] = found.values["change"][places[0]].tolist()
    axes = axes_of(parameters.move_step)
    zeros = [axis.positive for axis in axes]
    return question._replace(
        answer=Pose(_parts(axes, change), print_change(axes, change, zeros)),
        frames=[("first", second), ("second", first)],
    )


def _parts(axes: Sequence[Axis], change: Sequence[float]) -> list[tuple[Quantity, float]]:
    return [(axis.quantity, value) for axis, value in zip(axes, change, strict=True)]


def print_change(axes: Sequence[Axis], change: Sequence[float], zeros: Sequence[str]) -> str:
    """`move_right:1.6,move_up:0,move_forward:0,rotate_up:15,rotate_left:75`."""
    return ",".join(
        ":".join(axis.printed(value, zero)) for axis, value, zero in zip(axes, change, zeros, strict=True)
    )


def motion_sentence(axes: Sequence[Axis], change: Sequence[float], wording: Mapping[str, str]) -> str:
    """The parts of the motion that are not zero, one short sentence each."""
    printed = [axis.printed(value) for axis, value in zip(axes, change, strict=True)]
    return " ".join(
        wording[direction].format(amount=amount) for direction, amount in printed if amount != "0"
    )


@dataclass(frozen=True)
class SeenPose(Pose):
    """A view change of which the sentence says, too, where an object appears in both images."""

    shares: Sequence[float] = ()
    """x, y of the object's visible box in the first image, then in the second, as shares of width and height."""
    kind: ClassVar[str] = Pose.kind

    @property
    def value(self) -> Sequence[float]:
        return [*super().value, *self.shares]

    @property
    def margin(self) -> float:
        # A share is rounded to thirds.
        return min(super().margin, *(to_border(share) * len(THIRDS[0]) for share in self.shares))

    @property
    def margins(self) -> Sequence[float]:
        return [*super().margins, *map(to_border, self.shares)]


def find_with_object(facts: SceneFacts, parameters: ViewChangeParameters) -> Candidates:
    """Pairs of which both images show an object that its name finds and that is clear of the grid's borders."""
    pairs = facts.once(find, parameters).fresh()
    first, second = pairs.frames.T
    named = named_objects(facts, parameters.limits)
    clear = facts.once(good_objects, parameters.limits, parameters.grid_tolerance)
    pairs.reject("ambiguous_name", ~(named[first] & named[second]).any(axis=1))
    pairs.reject("grid_border", ~(clear[first] & clear[second]).any(axis=1))
    return pairs


def named_objects(facts: SceneFacts, limits: ReferentLimits) -> Bools:
    """(F, O): objects that a frame shows well, and no other that their name may mean.

    An object that is so in two frames is named uniquely in the union of what they show.
    """
    return shown(facts) & (facts.once(referents, limits) == 0) & ~facts.namesakes


def good_objects(facts: SceneFacts, limits: ReferentLimits, tolerance: float) -> Bools:
    """(F, O): those whose visible box is, besides, centered clearly in one ninth of the image."""
    clear: Bools = np.all(to_border(facts.once(centers_in_images)) >= tolerance, axis=2)
    return named_objects(facts, limits) & clear


def centers_in_images(facts: SceneFacts) -> Float:
    """(F, O, 2): centers of the visible boxes, as shares of width and height."""
    box = facts.observed.column("box")
    sizes = np.stack([facts.frames.widths, facts.frames.heights], axis=1)[:, None]
    return (box[..., :2] + box[..., 2:]) / 2 / sizes


def ask_with_object(
    facts: SceneFacts, parameters: ViewChangeParameters, candidate: Chosen, draw: Draw
) -> Question:
    """The object is drawn among those that fit."""
    first, second = candidate.frames
    good = facts.once(good_objects, parameters.limits, parameters.grid_tolerance)
    things = np.flatnonzero(good[first] & good[second])
    thing = int(things[draw.pick("object", facts.objects.identities[things])])
    shares = facts.once(centers_in_images)[[first, second], thing]
    places = [place_in_image(*pair) for pair in shares.tolist()]
    wording = phrases(SUITE, NAME)
    shift = wording["stays" if places[0] == places[1] else "moves"].format(first=places[0], second=places[1])
    change: list[float] = candidate.values["change"].tolist()
    axes = axes_of(parameters.move_step)
    motion = motion_sentence(axes, change, wording)
    return Question(
        SeenPose(_parts(axes, change), motion, shares=shares.ravel().tolist()),
        frames=[("first", first), ("second", second)],
        objects=[("object", thing)],
        slots={
            "object": facts.objects.words[thing],
            "shift": shift,
            "motion": motion,
        },
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=2,
        summary="How the camera moves and turns from the first image to the second",
        needs={FILL: POSED, SENTENCE: POSED | {Fact.OBJECTS, Fact.VISIBILITY}},
        kind=Pose.kind,
        parameters=ViewChangeParameters,
        find=find,
        ask=ask,
        find_for={SENTENCE: find_with_object},
        ask_for={SENTENCE: ask_with_object},
        reasons={
            **OVERLAP_REASONS,
            "no_shared_object": "no object is seen well in both images",
            "steep": "the second view is nearly straight up or down, where yaw is not defined well",
            "opposite": "the second view is nearly opposite, where a turn to either side leads",
            "no_motion": "every number would be zero",
            "ambiguous_name": "every shared object has a namesake in one of the images",
            "grid_border": "every shared object is centered on a border between thirds of an image",
        },
        twins=(Twin("motion_reversed", change=reversed_motion, formats=(FILL,)),),
    ),
)
