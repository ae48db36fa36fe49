"""Euclidean distance of a marked object's box center from the camera (SPAR, appendix 7.5, "Distance infer").

The one object asked about is marked in red and there is no reference: so SPAR draws it, and its depth task alone has a
reference beside an asked object.
"""

from __future__ import annotations

import numpy as np

from spatial_assets.scene.model import Fact
from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata, objects_in_frames
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import REFERENT_REASONS, ReferentLimits, reject_unfit, shown
from spatial_assets.tasks.core.marks import points
from spatial_assets.tasks.core.options import OPTION_REASONS, Spacing
from spatial_assets.tasks.core.peers import category_strata, with_peers, wrong_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.spar.centers import CenterParameters

NAME = "distance_prediction_oc"
NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY})
"""What is hidden of an object need not be known: what shows of its box stands in for it (see ReferentLimits)."""


class CameraDistanceParameters(CenterParameters):
    limits: ReferentLimits = ReferentLimits()
    options: Spacing = Spacing()


def find(facts: SceneFacts, parameters: CameraDistanceParameters) -> Candidates:
    """Each object in each keyframe that shows it."""
    found = objects_in_frames(shown(facts), facts.frames.keyframes)
    frames, objects = found.frames[:, 0], found.objects[:, 0]
    distances = np.linalg.norm(facts.camera_points[frames, objects], axis=1)
    reject_unfit(facts, found, parameters.limits)
    found.reject(ROUNDING, METERS.near_rounding_boundary(distances))
    found.values["distance"] = distances
    found.strata = Strata.of_objects(objects, facts.objects.identities)
    return found


def find_with_options(facts: SceneFacts, parameters: CameraDistanceParameters) -> Candidates:
    """Wrong options are the distances of objects of that category in other images."""
    found = facts.once(find, parameters).settle()
    found.strata = category_strata(facts, found.objects[:, 0])
    steps = METERS.steps_of(found.values["distance"])
    return with_peers(
        facts,
        NAME,
        parameters.seed,
        found,
        found.strata.codes,
        steps,
        lambda sets: parameters.options.holds(METERS, steps[sets]),
    )


def ask(facts: SceneFacts, parameters: CameraDistanceParameters, candidate: Chosen, draw: Draw) -> Question:
    (frame,), (red,) = candidate.frames, candidate.objects
    roles = [("red", red)]
    return Question(
        Number(METERS, float(candidate.values["distance"]), wrong_of(candidate)),
        frames=[("image", frame)],
        objects=roles,
        slots=facts.objects.named(roles),
        marks=points(frame, roles),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="low",
        images=1,
        summary="Straight-line distance of a marked object's center from the camera",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Number.kind,
        parameters=CameraDistanceParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        reasons={**REFERENT_REASONS, **OPTION_REASONS},
    ),
)
