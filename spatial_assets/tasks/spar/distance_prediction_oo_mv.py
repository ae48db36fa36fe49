"""Euclidean distance between the box centers of two objects, marked in three views (SPAR, 7.5, "Distance infer").

What is measured, and which pairs are skipped, is as with one image. The two are marked in red and blue, in different
images wherever that can be; pairs that no image shows together come first, since they need more than one.
"""

from __future__ import annotations

from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTION_REASONS
from spatial_assets.tasks.core.peers import wrong_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import Question, Task, Twin
from spatial_assets.tasks.core.twins import reordered
from spatial_assets.tasks.spar.distance_prediction_oo import (
    PAIR_REASONS,
    ObjectDistanceParameters,
    measure,
    offer,
)
from spatial_assets.tasks.spar.views import (
    NEEDS,
    VIEW_REASONS,
    VIEWS,
    ViewsParameters,
    marks_touch,
    pairs_in_views,
    points_in,
    shown_views,
)

NAME = "distance_prediction_oo_mv"


class ObjectDistanceInViewsParameters(ObjectDistanceParameters, ViewsParameters):
    pass


def find(facts: SceneFacts, parameters: ObjectDistanceInViewsParameters) -> Candidates:
    """Pairs of objects in three views."""
    pairs = pairs_in_views(facts, parameters)
    measure(facts, pairs, parameters.min_distance)
    pairs.reject("marks_touch", marks_touch(facts, pairs, parameters.min_mark_gap))
    return pairs


def find_with_options(facts: SceneFacts, parameters: ObjectDistanceInViewsParameters) -> Candidates:
    return offer(facts, NAME, parameters, facts.once(find, parameters).settle())


def ask(
    facts: SceneFacts, parameters: ObjectDistanceInViewsParameters, candidate: Chosen, draw: Draw
) -> Question:
    """Which of the two is red is drawn."""
    things, views = candidate.objects, candidate.values[VIEWS].tolist()
    if draw.below("red", 2):
        things, views = things[::-1], views[::-1]
    roles = list(zip(("red", "blue"), things, strict=True))
    return Question(
        Number(METERS, candidate.values["distance"], wrong_of(candidate)),
        frames=shown_views(candidate.frames),
        objects=roles,
        slots=facts.objects.named(roles),
        marks=points_in(facts, candidate.frames, roles, views),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="low",
        images=3,
        summary="Straight-line distance between two objects' centers, marked in three images",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Number.kind,
        parameters=ObjectDistanceInViewsParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        reasons={**VIEW_REASONS, **OPTION_REASONS, **PAIR_REASONS},
        twins=(Twin("objects_swapped", "red"), Twin("images_swapped", change=reordered)),
    ),
)
