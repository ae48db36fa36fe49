"""How far an object is from the camera at a moment of the video (VSTI-Bench, "Camera-object absolute distance").

From where the camera stands, the translation of its pose to the world, to the nearest point of the object's solid box.
The released code first took that pose for its inverse, which is 4 m off in a room, and measures to points on a grid.
"""

from __future__ import annotations

from pydantic import Field

from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Candidates, Chosen, objects_in_frames
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import shown
from spatial_assets.tasks.core.options import OPTION_REASONS, Spacing
from spatial_assets.tasks.core.peers import category_strata, with_peers, wrong_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video.named_frames import of_numbered
from spatial_assets.tasks.vsti.moments import (
    IMAGES,
    MOMENT_REASONS,
    NEEDS,
    NamedParameters,
    asked_frames,
    frame_roles,
    moment_slots,
    nearest_points,
    reject_unnamed,
    stems,
    video_index,
)

NAME = "camera_obj_abs_dist"


class AbsoluteParameters(NamedParameters):
    min_distance: float = Field(0.2, ge=0, description="meters, VSTI-Bench's; of less, rounding is a quarter")
    max_distance: float = Field(10.0, gt=0, description="meters, VSTI-Bench's; a large room")
    options: Spacing = Spacing()


def find(facts: SceneFacts, parameters: AbsoluteParameters) -> Candidates:
    """Every object that a frame of the video shows."""
    found = objects_in_frames(shown(facts), facts.frames.video)
    reject_unnamed(facts, found, parameters.limits)
    found = found.settle()
    things = found.objects[:, 0]
    index = facts.once(video_index)[found.frames[:, 0]]
    distances = facts.once(nearest_points)[index, things]
    found.reject("near", distances < parameters.min_distance)
    found.reject("far", distances > parameters.max_distance)
    found.reject(ROUNDING, METERS.near_rounding_boundary(distances))
    found.values["distance"] = distances
    # Every kind of thing in turn: else what is large, and so in most frames, would be most of what is asked about.
    found.strata = category_strata(facts, things)
    return found


def find_with_options(facts: SceneFacts, parameters: AbsoluteParameters) -> Candidates:
    """Wrong options are how far what is called the same is from the camera in other frames."""
    found = facts.once(find, parameters).settle()
    assert found.strata is not None
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


def ask(facts: SceneFacts, parameters: AbsoluteParameters, candidate: Chosen, draw: Draw) -> Question:
    roles = [("object", candidate.objects[0])]
    return Question(
        Number(METERS, float(candidate.values["distance"]), wrong_of(candidate)),
        frames=frame_roles(facts, candidate.frames),
        objects=roles,
        slots={**facts.objects.named(roles), **moment_slots(facts, candidate.frames)},
        stems=stems(parameters, NAME, draw),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="low",
        images=IMAGES,
        summary="Distance from the camera to the nearest point of an object at a moment of the video, in meters",
        needs={FILL: NEEDS, SELECT: NEEDS},
        kind=Number.kind,
        parameters=AbsoluteParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        recount=of_numbered,
        points=asked_frames,
        reasons={
            **MOMENT_REASONS,
            **OPTION_REASONS,
            "near": "nearer to the camera than its distance can be told",
            "far": "farther from the camera than a room is long",
        },
    ),
)
