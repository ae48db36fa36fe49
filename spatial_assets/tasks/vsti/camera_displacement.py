"""How far the camera moved between two moments of the video (VSTI-Bench, "Camera displacement").

In a straight line from where it stood to where it stands, whatever way it took between; the question says so.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTION_REASONS, Spacing
from spatial_assets.tasks.core.peers import with_peers, wrong_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.vsti.moments import IMAGES, asked_frames, frame_roles, moment_slots, stems
from spatial_assets.tasks.vsti.walked import NEEDS, PATH_REASONS, PathParameters, of_ways, pairs_of

NAME = "camera_displacement"


class DisplacementParameters(PathParameters):
    min_distance: float = Field(0.2, ge=0, description="meters, VSTI-Bench's; of less, rounding is a quarter")
    max_distance: float = Field(10.0, gt=0, description="meters, VSTI-Bench's")
    options: Spacing = Spacing()


def find(facts: SceneFacts, parameters: DisplacementParameters) -> Candidates:
    """Every two moments of the video that are neither too near in it nor too far."""
    found = pairs_of(facts, parameters)
    distances = np.linalg.norm(found.values["moved"], axis=1)
    found.reject("still", distances < parameters.min_distance)
    found.reject("far", distances > parameters.max_distance)
    found.reject(ROUNDING, METERS.near_rounding_boundary(distances))
    found.values["distance"] = distances
    # The question says how many frames lie between; cells of options must be strata, and these are the same.
    found.strata = Strata.of_numbers(found.values["apart"])
    return found


def find_with_options(facts: SceneFacts, parameters: DisplacementParameters) -> Candidates:
    """Wrong options are how far the camera moved in as many frames elsewhere in the video."""
    found = facts.once(find, parameters).settle()
    steps = METERS.steps_of(found.values["distance"])
    return with_peers(
        facts,
        NAME,
        parameters.seed,
        found,
        found.values["apart"],
        steps,
        lambda sets: parameters.options.holds(METERS, steps[sets]),
    )


def ask(facts: SceneFacts, parameters: DisplacementParameters, candidate: Chosen, draw: Draw) -> Question:
    return Question(
        Number(METERS, float(candidate.values["distance"]), wrong_of(candidate)),
        frames=frame_roles(facts, candidate.frames),
        objects=(),
        slots=moment_slots(facts, candidate.frames),
        stems=stems(parameters, NAME, draw),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=IMAGES,
        summary="How far the camera moved between two moments of the video, in meters",
        needs={FILL: NEEDS, SELECT: NEEDS},
        kind=Number.kind,
        parameters=DisplacementParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        recount=of_ways,
        points=asked_frames,
        reasons={
            **PATH_REASONS,
            **OPTION_REASONS,
            "still": "the camera stands at nearly the same place",
            "far": "farther apart than a room is long",
        },
    ),
)
