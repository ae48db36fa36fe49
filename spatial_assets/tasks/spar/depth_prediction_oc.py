"""Depth of a marked object: the z of its box center in the camera (SPAR, appendix 7.5, "Depth prediction").

The depth of one more object is given in the question, so that the scale of the image is known. The marks' colors are
SPAR's: red for that reference, blue for what is asked.
"""

from __future__ import annotations

import math

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Fact
from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata, pairs_in_frames
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import REFERENT_REASONS, reject_unfit, shown
from spatial_assets.tasks.core.marks import marker_gaps, points
from spatial_assets.tasks.core.options import OPTION_REASONS
from spatial_assets.tasks.core.peers import category_strata, with_peers, wrong_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import MarkedParameters, Question, Task
from spatial_assets.tasks.spar.centers import CenterParameters

NAME = "depth_prediction_oc"
NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY})
"""What is hidden of an object need not be known: what shows of its box stands in for it (see ReferentLimits)."""


class DepthParameters(MarkedParameters, CenterParameters):
    like_given: float = Field(
        0.1,
        gt=0,
        description="by how much, as a share, the given depths of rows may differ whose answers are options of each "
        "other; at 0.15 a learner that reads the categories was 2.8 points better than chance, here 0.0",
    )


def find(facts: SceneFacts, parameters: DepthParameters) -> Candidates:
    """Ordered pairs of objects in a keyframe: the red one's depth is given, the blue one's is asked."""
    pairs = pairs_in_frames(shown(facts), facts.frames.keyframes, ordered=True)
    reject_unfit(facts, pairs, parameters.limits)
    pairs = pairs.settle()
    frames, (red, blue) = pairs.frames[:, 0], pairs.objects.T
    depths = facts.camera_points[frames[:, None], pairs.objects, 2]
    pairs.reject(ROUNDING, METERS.near_rounding_boundary(depths).any(axis=1))
    pairs.reject("marks_touch", marker_gaps(facts, frames, red, blue) < parameters.min_mark_gap)
    pairs.values["depths"] = depths
    pairs.strata = Strata.of_objects(blue, facts.objects.identities)
    return pairs


def find_with_options(facts: SceneFacts, parameters: DepthParameters) -> Candidates:
    return offer(facts, NAME, parameters, facts.once(find, parameters).settle(), "depths")


def offer(
    facts: SceneFacts, task: str, parameters: DepthParameters, found: Candidates, values: str
) -> Candidates:
    """Wrong options are what is true of objects of the blue one's category where a like number would be given.

    `values` names the candidates' numbers, (N, 2): the given ones and the asked ones.
    """
    found.strata = category_strata(facts, found.objects[:, 1])
    depths = found.values[values]
    given, asked = METERS.steps_of(depths).T
    return with_peers(
        facts,
        task,
        parameters.seed,
        found,
        found.strata.codes,
        asked,
        lambda sets: parameters.options.holds(METERS, asked[sets], given[sets[:, 0]]),
        np.log(depths[:, :1]),
        [math.log1p(parameters.like_given)],
    )


def ask(facts: SceneFacts, parameters: DepthParameters, candidate: Chosen, draw: Draw) -> Question:
    (frame,), (red, blue) = candidate.frames, candidate.objects
    reference, depth = candidate.values["depths"].tolist()
    roles = [("red", red), ("blue", blue)]
    return Question(
        Number(METERS, depth, wrong_of(candidate)),
        frames=[("image", frame)],
        objects=roles,
        slots={**facts.objects.named(roles), "reference": METERS.text(reference)},
        marks=points(frame, roles),
        given=[reference],
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="low",
        images=1,
        summary="Depth of a marked object's center, given the depth of another's",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Number.kind,
        parameters=DepthParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        reasons={**REFERENT_REASONS, **OPTION_REASONS, "marks_touch": "the two marks would touch"},
    ),
)
