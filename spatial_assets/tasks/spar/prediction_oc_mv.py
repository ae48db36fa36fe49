"""How far a marked object is from the camera of the first of three views (SPAR, appendix 7.5): in depth, or straight.

Depth is the z of the box center in the first image's camera, distance that of the center from it. A red object, marked
in the first image, has its own number given, so that the scale is known. What is asked about is marked in blue in
another image; objects that the first image does not show well come first, since they need the others. SPAR's depth task
has the two marks too; which its distance task has is not known, and with three views both are asked alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTION_REASONS
from spatial_assets.tasks.core.peers import wrong_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.spar.depth_prediction_oc import DepthParameters, offer
from spatial_assets.tasks.spar.views import (
    NEEDS,
    VIEW_REASONS,
    VIEWS,
    ViewsParameters,
    pairs_with_main,
    points_in,
    shown_views,
)

DEPTH, DISTANCE = "depth_prediction_oc_mv", "distance_prediction_oc_mv"
NUMBERS = "numbers"
REASONS: Mapping[str, str] = {
    **VIEW_REASONS,
    **OPTION_REASONS,
    "out_of_range": "seen from the first image, the blue object is behind the camera, too near or too far",
}


class FromMainParameters(DepthParameters, ViewsParameters):
    pass


def _find(
    facts: SceneFacts, parameters: FromMainParameters, measured: Callable[[Float], Float]
) -> Candidates:
    """Each object in a main view, whose number is given, with each in the other two; `measured` of (N, 2, 3) points."""
    pairs = pairs_with_main(facts, parameters)
    points = facts.camera_points[pairs.frames[:, :1], pairs.objects]
    limits, depths = parameters.limits, points[:, 1, 2]
    pairs.reject("out_of_range", ~((depths >= limits.min_depth) & (depths <= limits.max_depth)))
    numbers = measured(points)
    pairs.reject(ROUNDING, METERS.near_rounding_boundary(numbers).any(axis=1))
    pairs.values[NUMBERS] = numbers
    pairs.strata = Strata.of_objects(pairs.objects[:, 1], facts.objects.identities)
    return pairs


def find_depths(facts: SceneFacts, parameters: FromMainParameters) -> Candidates:
    return _find(facts, parameters, lambda points: points[..., 2])


def find_distances(facts: SceneFacts, parameters: FromMainParameters) -> Candidates:
    return _find(facts, parameters, lambda points: np.linalg.norm(points, axis=2))


def depths_with_options(facts: SceneFacts, parameters: FromMainParameters) -> Candidates:
    return offer(facts, DEPTH, parameters, facts.once(find_depths, parameters).settle(), NUMBERS)


def distances_with_options(facts: SceneFacts, parameters: FromMainParameters) -> Candidates:
    return offer(facts, DISTANCE, parameters, facts.once(find_distances, parameters).settle(), NUMBERS)


def ask(facts: SceneFacts, parameters: FromMainParameters, candidate: Chosen, draw: Draw) -> Question:
    reference, number = candidate.values[NUMBERS].tolist()
    roles = list(zip(("red", "blue"), candidate.objects, strict=True))
    return Question(
        Number(METERS, number, wrong_of(candidate)),
        frames=shown_views(candidate.frames),
        objects=roles,
        slots={**facts.objects.named(roles), "reference": METERS.text(reference)},
        marks=points_in(facts, candidate.frames, roles, candidate.values[VIEWS].tolist()),
        given=[reference],
    )


TASKS = (
    Task(
        module=__name__,
        name=DEPTH,
        level="low",
        images=3,
        summary="Depth, seen from the first image, of an object marked in another, given the depth of one marked there",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Number.kind,
        parameters=FromMainParameters,
        find=find_depths,
        find_for={SELECT: depths_with_options},
        ask=ask,
        reasons=REASONS,
    ),
    Task(
        module=__name__,
        name=DISTANCE,
        level="low",
        images=3,
        summary="Distance from the first image's camera of an object marked in another, given that of one marked there",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Number.kind,
        parameters=FromMainParameters,
        find=find_distances,
        find_for={SELECT: distances_with_options},
        ask=ask,
        reasons=REASONS,
    ),
)
