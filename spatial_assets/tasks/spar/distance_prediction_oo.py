"""Euclidean distance between the box centers of two marked objects (SPAR, appendix 7.5, "Distance infer").

Pairs whose boxes overlap, or that are nearer than a threshold, are skipped. The two are marked in red and blue.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pydantic import Field

from spatial_assets.scene.model import Fact
from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata, pairs_in_frames
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import REFERENT_REASONS, reject_unfit, shown
from spatial_assets.tasks.core.marks import marker_gaps, points
from spatial_assets.tasks.core.options import OPTION_REASONS
from spatial_assets.tasks.core.peers import with_others_of_one, wrong_of
from spatial_assets.tasks.core.priors import EXPECTED, PRIOR_REASONS, keep_even, prior_file, prior_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import MarkedParameters, Question, Task, Twin
from spatial_assets.tasks.spar.centers import CenterParameters

SUITE, NAME = "spar", "distance_prediction_oo"
NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY})
"""The answer is that of the boxes; from the poses follow how far off the two are, and how much of their boxes shows."""


PAIR_REASONS: Mapping[str, str] = {
    "boxes_overlap": "the two objects' boxes touch or overlap",
    "near": "the two objects' centers are very near each other",
    "marks_touch": "the two marks would touch",
}
STEPS = (-4, 6)
"""Of distances in hints, where the square root of two is one step: from a quarter of a meter to eight."""


class ObjectDistanceParameters(MarkedParameters, CenterParameters):
    min_distance: float = Field(
        0.3, ge=0, description="meters; of less, rounding alone is a sixth or more. SPAR's is not published"
    )


class InOneImageParameters(ObjectDistanceParameters):
    even: bool = Field(
        True, description="of choices, leave out what the two names suggest: what an image shows stands near"
    )


def hints(meters: float, words: Sequence[str]) -> list[str]:
    """What speaks for things of these two names being so far apart, whichever is named first."""
    step = min(max(math.floor(2 * math.log2(meters)), STEPS[0]), STEPS[1])
    first, second = sorted(words)
    return [f"{step}: {first}", f"{step}: {second}", f"{step}: {first} ~ {second}"]


def measure(facts: SceneFacts, pairs: Candidates, least: float) -> None:
    """Each pair carries its distance, those rejected whose distance is small, or prints either of two numbers."""
    a, b = pairs.objects.T
    distances = facts.objects.center_distances[a, b]
    pairs.reject("boxes_overlap", facts.objects.overlap[a, b])
    pairs.reject("near", distances < least)
    pairs.reject(ROUNDING, METERS.near_rounding_boundary(distances))
    pairs.values["distance"] = distances
    # A pair is equally far apart in every image: once each before any twice.
    pairs.strata = Strata.of_pairs(a, b, facts.objects.identities)


def find(facts: SceneFacts, parameters: ObjectDistanceParameters) -> Candidates:
    """Pairs of objects in a keyframe."""
    pairs = pairs_in_frames(shown(facts), facts.frames.keyframes)
    reject_unfit(facts, pairs, parameters.limits)
    pairs = pairs.settle()
    measure(facts, pairs, parameters.min_distance)
    gaps = marker_gaps(facts, pairs.frames[:, 0], *pairs.objects.T)
    pairs.reject("marks_touch", gaps < parameters.min_mark_gap)
    return pairs


def offer(
    facts: SceneFacts, task: str, parameters: ObjectDistanceParameters, found: Candidates
) -> Candidates:
    """Wrong options are the distances of other objects from one of the two."""
    return with_others_of_one(facts, task, parameters.seed, found, "distance", METERS, parameters.options)


def find_with_options(facts: SceneFacts, parameters: InOneImageParameters) -> Candidates:
    return offer(facts, NAME, parameters, facts.once(find, parameters).settle())


def ask(facts: SceneFacts, parameters: InOneImageParameters, candidate: Chosen, draw: Draw) -> Question:
    """Which of the two is red is drawn."""
    (frame,), pair = candidate.frames, candidate.objects
    distance, wrong = float(candidate.values["distance"]), wrong_of(candidate)
    if wrong and parameters.even:
        words = [facts.objects.categories[thing] for thing in pair]
        offered = [hints(METERS.step * steps, words) for steps in (METERS.steps(distance), *wrong)]
        keep_even(prior_of(SUITE, NAME).chances(offered), 0, draw)
    red, blue = pair if draw.below("red", 2) == 0 else pair[::-1]
    roles = [("red", red), ("blue", blue)]
    return Question(
        Number(METERS, distance, wrong),
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
        summary="Straight-line distance between two marked objects' centers",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Number.kind,
        parameters=InOneImageParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        reasons={
            **REFERENT_REASONS,
            **OPTION_REASONS,
            **PAIR_REASONS,
            EXPECTED: PRIOR_REASONS[EXPECTED],
        },
        data=(prior_file(SUITE, NAME),),
        twins=(Twin("objects_swapped", "red"),),
    ),
)
