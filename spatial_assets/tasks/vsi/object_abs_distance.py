"""How far apart two objects are (VSI-Bench, "Absolute distance").

A distance is that of the nearest points of two solid boxes. VSI-Bench measured between points on a 5 cm grid of the
boxes' shells, which comes out 3 cm too long on average and 29 cm at most; `distance = "sampled"` repeats that.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata, about_video
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTION_REASONS, Spacing
from spatial_assets.tasks.core.peers import with_others_of_one, wrong_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SELECT
from spatial_assets.tasks.core.task import Question, Task, Twin
from spatial_assets.tasks.core.twins import swapped
from spatial_assets.tasks.core.video.recounts import of_objects
from spatial_assets.tasks.core.video.shown import IMAGES, NEAR, NEEDS, REASONS, count_sets, video_of
from spatial_assets.tasks.vsi.video import DistanceParameters, stems

NAME = "object_abs_distance"


class AbsoluteParameters(DistanceParameters):
    min_distance: float = Field(
        0.2,
        ge=0,
        description="meters, VSI-Bench's; of less, rounding is a quarter, and touching is no distance",
    )
    options: Spacing = Spacing()


def find(facts: SceneFacts, parameters: AbsoluteParameters) -> Candidates:
    """Every two words that name one object each, in alphabetical order."""
    video = facts.once(video_of, parameters.limits)
    named = np.array(list(video.named.values()), np.int64)
    first, second = np.triu_indices(len(named), 1)
    found = about_video(np.stack([named[first], named[second]], axis=1))
    count_sets(found, list(video.referents.values()), 2)
    distances = video.distances(parameters.distance)[named[first], named[second]]
    found.reject("near", distances < parameters.min_distance)
    found.reject(ROUNDING, METERS.near_rounding_boundary(distances))
    found.values["distance"] = distances
    # Every distance in turn: most pairs of a room are two to three meters apart.
    found.strata = Strata.of_numbers(METERS.steps_of(distances))
    return found


def find_with_options(facts: SceneFacts, parameters: AbsoluteParameters) -> Candidates:
    """Wrong options are the distances of other objects from one of the two."""
    found = facts.once(find, parameters).settle()
    return with_others_of_one(facts, NAME, parameters.seed, found, "distance", METERS, parameters.options)


def ask(facts: SceneFacts, parameters: AbsoluteParameters, candidate: Chosen, draw: Draw) -> Question:
    first, second = candidate.objects
    roles = [("first", first), ("second", second)]
    return Question(
        Number(METERS, float(candidate.values["distance"]), wrong_of(candidate)),
        frames=facts.once(video_of, parameters.limits).frames,
        objects=roles,
        slots=facts.objects.named(roles),
        stems=stems(parameters, NAME, draw),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="low",
        images=IMAGES,
        summary="Distance between the nearest points of two objects, in meters",
        needs={FILL: NEEDS, SELECT: NEEDS},
        kind=Number.kind,
        parameters=AbsoluteParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        recount=of_objects,
        reasons={**REASONS, **OPTION_REASONS, **NEAR},
        twins=(Twin("objects_swapped", change=swapped("first", "second")),),
    ),
)
