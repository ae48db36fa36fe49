"""Camera tasks: how the camera moved from one image to another.

With T = inv(C1) C2 the translation is T's, in the first camera's frame; the turn is that of the viewing
direction, T's third column, as yaw to the right and pitch upwards; roll is dropped. Translations are
printed in steps of 0.1 m, angles in steps of 5 degrees (SPAR, appendix 7.5, "View change infer").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from spatial_assets.geometry.cameras import relative_motion, yaw_pitch
from spatial_assets.scene import Fact
from spatial_assets.tasks.draw import Draw
from spatial_assets.tasks.printing import (
    ANGLE_STEP,
    ANGLE_TOLERANCE,
    METRE_STEP,
    METRE_TOLERANCE,
    margin,
    metres,
    steps,
)
from spatial_assets.tasks.task import FILL, SENTENCE, Answer, Candidate, Found, Task, TaskParameters, phrases
from spatial_assets.tasks.view import ReferentLimits, SceneView

POSED = frozenset({Fact.IMAGES, Fact.POSES, Fact.MESH})

AXES = (
    # name, word for positive, word for negative, step
    ("move", "right", "left", METRE_STEP),
    ("move", "up", "down", METRE_STEP),
    ("move", "forward", "backward", METRE_STEP),
    ("rotate", "up", "down", ANGLE_STEP),
    ("rotate", "right", "left", ANGLE_STEP),
)
"""The five numbers of a view change, in the order in which they are printed and stored. A zero takes the
word for positive."""
TOLERANCES = {METRE_STEP: METRE_TOLERANCE, ANGLE_STEP: ANGLE_TOLERANCE}

THIRDS = ("left", "center", "right"), ("top", "middle", "bottom")


class ViewChangeParameters(TaskParameters):
    limits: ReferentLimits = ReferentLimits()
    min_overlap: float = Field(0.1, description="share of the surface seen in both images; less shows no link")
    max_overlap: float = Field(0.9, description="more, and the images are nearly the same")
    max_pitch: float = Field(
        75.0, description="degrees; nearer to straight up or down, yaw hangs on the hand's tremble"
    )
    grid_tolerance: float = Field(
        0.01, description="share of the image by which a centre must clear the borders between thirds"
    )


def find_view_change(view: SceneView, parameters: ViewChangeParameters, form: str) -> Found:
    """Ordered pairs of keyframes that share some of what they see."""
    found = Found()
    names = view.keyframes
    if len(names) < 2:
        return found
    poses = np.stack([view.cameras[name].camera_to_world for name in names])
    motions = relative_motion(poses[:, None], poses[None])
    yaw, pitch = yaw_pitch(motions)
    values = np.stack(
        [motions[..., 0, 3], -motions[..., 1, 3], motions[..., 2, 3], pitch, yaw], axis=-1
    ).tolist()
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            if i == j:
                continue
            overlap = view.overlap(first, second)
            change = values[i][j]
            if not overlap >= parameters.min_overlap:
                found.refuse("low_overlap")
            elif overlap > parameters.max_overlap:
                found.refuse("high_overlap")
            elif abs(change[3]) > parameters.max_pitch:
                found.refuse("steep")
            elif any(
                margin(value, step) < TOLERANCES[step]
                for value, (*_, step) in zip(change, AXES, strict=True)
            ):
                found.refuse("rounding")
            elif not any(steps(value, step) for value, (*_, step) in zip(change, AXES, strict=True)):
                found.refuse("no_motion")
            elif form == FILL:
                found.candidates.append(_candidate((first, second), (), change))
            else:
                _find_object(view, parameters, (first, second), change, found)
    return found


def _candidate(
    frames: tuple[str, str], objects: tuple[tuple[str, int], ...], change: Sequence[float]
) -> Candidate:
    # Turns fill the quota evenly, so that standing still does not crowd out the rest.
    return Candidate(
        (("first", frames[0]), ("second", frames[1])),
        objects,
        stratum=f"{steps(change[4], ANGLE_STEP):+04d}",
        facts=change,
    )


def _find_object(
    view: SceneView,
    parameters: ViewChangeParameters,
    frames: tuple[str, str],
    change: Sequence[float],
    found: Found,
) -> None:
    """The pair with one object that both images show, that its name finds, and that is clear of the grid."""
    verdicts = [view.referents(frame, parameters.limits) for frame in frames]
    shared = [i for i, reason in verdicts[0].items() if reason is None and verdicts[1].get(i, "") is None]
    if not shared:
        return found.refuse("no_shared_object")
    named = [i for i in shared if view.is_named_uniquely(i, list(frames))]
    if not named:
        return found.refuse("ambiguous_name")
    clear = [
        i
        for i in named
        if all(_third(view, frame, i, parameters.grid_tolerance) is not None for frame in frames)
    ]
    if not clear:
        return found.refuse("grid_border")
    draw = Draw(parameters.seed, "view_change_infer", *frames)
    instance = clear[draw.below("object", len(clear))]
    found.candidates.append(_candidate(frames, (("object", instance),), change))
    return None


def _third(view: SceneView, frame: str, instance: int, tolerance: float) -> str | None:
    """Which ninth of the image the object's visible box is centred in; None too near to a border."""
    box = view.in_frame(frame)[instance].box
    assert box is not None
    camera = view.cameras[frame]
    shares = ((box[0] + box[2]) / 2 / camera.width, (box[1] + box[3]) / 2 / camera.height)
    if any(abs(share - border) < tolerance for share in shares for border in (1 / 3, 2 / 3)):
        return None
    across, down = (THIRDS[axis][min(int(share * 3), 2)] for axis, share in enumerate(shares))
    if down == "middle":
        return across
    return down if across == "center" else f"{down}-{across}"


def ask_view_change(
    view: SceneView, parameters: ViewChangeParameters, form: str, candidate: Candidate, draw: Draw
) -> Answer:
    change: Sequence[float] = candidate.facts
    slots: dict[str, str] = {}
    if form == SENTENCE:
        ((_, instance),) = candidate.objects
        slots["object"] = view.objects[instance].category
        for role, frame in candidate.frames:
            place = _third(view, frame, instance, parameters.grid_tolerance)
            assert place is not None
            slots[role] = place
        slots["motion"] = motion_sentence(change)
    return Answer(
        print_change(change),
        value=change,
        margin=min(margin(value, step) for value, (*_, step) in zip(change, AXES, strict=True)),
        slots=slots,
    )


def print_change(change: Sequence[float]) -> str:
    """`move_right:1.6,move_up:0,move_forward:0,rotate_up:15,rotate_left:75`."""
    parts = []
    for value, (verb, positive, negative, step) in zip(change, AXES, strict=True):
        count = steps(value, step)
        parts.append(f"{verb}_{negative if count < 0 else positive}:{_amount(count, step)}")
    return ",".join(parts)


def _amount(count: int, step: float) -> str:
    if count == 0:
        return "0"
    return metres(abs(count) * METRE_STEP) if step == METRE_STEP else str(round(abs(count) * ANGLE_STEP))


def motion_sentence(change: Sequence[float]) -> str:
    """The parts of the motion that are not zero, one short sentence each."""
    wording = phrases("view_change_infer", SENTENCE)
    parts = []
    for value, (verb, positive, negative, step) in zip(change, AXES, strict=True):
        count = steps(value, step)
        if count:
            key = f"{verb}_{negative if count < 0 else positive}"
            parts.append(wording[key].format(amount=_amount(count, step)))
    return " ".join(parts)


REASONS = {
    "low_overlap": "the images share too little to show how the camera moved",
    "high_overlap": "the images are nearly the same",
    "steep": "the second view is nearly straight up or down, where yaw is not defined well",
    "rounding": "a millimetre or a twentieth of a degree would change a printed number",
    "no_motion": "every number would be zero",
    "no_shared_object": "no object is seen well in both images",
    "ambiguous_name": "every shared object has a namesake in one of the images",
    "grid_border": "every shared object is centred on a border between thirds of an image",
}

TASKS = {
    "view_change_infer": Task(
        name="view_change_infer",
        level="medium",
        images=2,
        summary="How the camera moves and turns from the first image to the second",
        needs={FILL: POSED, SENTENCE: POSED | {Fact.OBJECTS, Fact.SURFACES}},
        parameters=ViewChangeParameters,
        find=find_view_change,
        ask=ask_view_change,
        reasons=REASONS,
    ),
}
