"""How large the floor of the room, or of several together, is (VSI-Bench, "Room size")."""

from __future__ import annotations

from spatial_assets.scene.tables import ROOMS
from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.laws import ORIGINS
from spatial_assets.tasks.core.peers import wrong_of
from spatial_assets.tasks.core.quantities import SQUARE_METERS
from spatial_assets.tasks.core.rendering import FILL, SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video.recounts import of_rooms
from spatial_assets.tasks.core.video.rooms import (
    LAWS,
    NEEDS,
    REASONS,
    RoomParameters,
    find,
    find_with_options,
)
from spatial_assets.tasks.core.video.shown import IMAGES, video_of
from spatial_assets.tasks.vsi.video import VideoParameters, stems

NAME = "room_size_estimation"


class RoomSizeParameters(VideoParameters, RoomParameters):
    pass


def ask(facts: SceneFacts, parameters: RoomSizeParameters, candidate: Chosen, draw: Draw) -> Question:
    return Question(
        Number(SQUARE_METERS, float(candidate.values["area"]), wrong_of(candidate)),
        frames=facts.once(video_of, parameters.limits).frames,
        objects=[],
        stems=stems(parameters, NAME, draw),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="low",
        images=IMAGES,
        summary="Floor area of the room or rooms, in square meters",
        needs={FILL: NEEDS, SELECT: NEEDS},
        kind=Number.kind,
        parameters=RoomSizeParameters,
        find=find,
        find_for={SELECT: find_with_options},
        data=(LAWS, ORIGINS),
        ask=ask,
        recount=of_rooms,
        reads=(ROOMS,),
        reasons=REASONS,
    ),
)
