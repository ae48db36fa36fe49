"""Depth tasks: how far along the viewing direction an object's centre lies.

An object's depth is the z of its box centre in the camera (SPAR, appendix 7.5, "Depth prediction").
"""

from __future__ import annotations

import math

from pydantic import Field

from spatial_assets.scene import Fact
from spatial_assets.tasks.draw import Draw
from spatial_assets.tasks.options import metre_options
from spatial_assets.tasks.printing import METRE_STEP, METRE_TOLERANCE, margin, metres
from spatial_assets.tasks.task import (
    FILL,
    SELECT,
    SENTENCE,
    Answer,
    Candidate,
    Found,
    Mark,
    Task,
    TaskParameters,
)
from spatial_assets.tasks.view import GRID, ReferentLimits, SceneView

NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.SURFACES})


class DepthParameters(TaskParameters):
    limits: ReferentLimits = ReferentLimits()
    min_mark_gap: float = Field(
        0.04, description="between two points, as a share of the width: SPAR's discs are 0.031 wide"
    )


def find_oc(view: SceneView, parameters: DepthParameters, form: str) -> Found:
    """Ordered pairs of objects in a keyframe: the red one's depth is given, the blue one's is asked."""
    found = Found()
    for frame in view.keyframes:
        verdicts = view.referents(frame, parameters.limits)
        good = [instance for instance, reason in verdicts.items() if reason is None]
        for reason in verdicts.values():
            if reason is not None:
                # As the red object with any other as the blue one, or as the blue one with a good red one.
                found.refuse(reason, len(verdicts) - 1 + len(good))
        depths = dict(zip(good, view.camera_points(frame, good)[:, 2].tolist(), strict=True))
        spots = {instance: view.marker(frame, instance) for instance in good}
        for red in good:
            for blue in good:
                if red == blue:
                    continue
                if min(margin(depths[i], METRE_STEP) for i in (red, blue)) < METRE_TOLERANCE:
                    found.refuse("rounding")
                elif _gap(view, frame, spots[red], spots[blue]) < parameters.min_mark_gap:
                    found.refuse("marks_touch")
                else:
                    found.candidates.append(
                        Candidate(
                            (("image", frame),),
                            (("red", red), ("blue", blue)),
                            stratum=f"{blue:08d}",
                            facts=(depths[red], depths[blue]),
                        )
                    )
    return found


def _gap(view: SceneView, frame: str, a: tuple[int, int], b: tuple[int, int]) -> float:
    """Distance of two grid points as a share of the image's width."""
    aspect = view.cameras[frame].height / view.cameras[frame].width
    return math.hypot(a[0] - b[0], (a[1] - b[1]) * aspect) / GRID


def ask_oc(
    view: SceneView, parameters: DepthParameters, form: str, candidate: Candidate, draw: Draw
) -> Answer:
    ((_, frame),) = candidate.frames
    reference, depth = candidate.facts
    answer, options = metres(depth), None
    if form == SELECT:
        options, answer = metre_options(depth, draw)
    names = {role: view.objects[instance].category for role, instance in candidate.objects}
    return Answer(
        answer,
        value=[depth],
        margin=margin(depth, METRE_STEP),
        slots={**names, "reference": metres(reference), "depth": metres(depth)},
        marks=[
            Mark(role, "point", role, frame, view.marker(frame, instance))
            for role, instance in candidate.objects
        ],
        options=options,
        given=[reference],
    )


REASONS = {
    "unseen": "nothing of the object is visible",
    "too_small": "too few visible pixels to be found at a glance",
    "occluded": "too much of the object is hidden by others",
    "truncated": "too much of the object lies outside the image",
    "few_vertices": "too small a part of the object's surface is seen",
    "too_thin": "no marker fits on what is visible of it",
    "depth_range": "the object's centre is too near or too far",
    "rounding": "a millimetre would change a printed number",
    "marks_touch": "the two marks would touch",
    "no_options": "no room for wrong options",
}

TASKS = {
    "depth_prediction_oc": Task(
        name="depth_prediction_oc",
        level="low",
        images=1,
        summary="Depth of a marked object's centre, given the depth of another's",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        parameters=DepthParameters,
        find=find_oc,
        ask=ask_oc,
        reasons=REASONS,
    ),
}
