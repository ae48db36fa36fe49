"""How large the floor of the room is (SPAR, appendix 7.5, "Room size").

SPAR outlines the scan's points by an alpha shape whose parameters are not published; how a room is measured here stands
in `geometry.rooms`. A scene has one such question.
"""

from __future__ import annotations

from pydantic import Field

from spatial_assets.scene.tables import ROOMS
from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.laws import ORIGINS
from spatial_assets.tasks.core.peers import wrong_of
from spatial_assets.tasks.core.quantities import SQUARE_METERS
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
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


class RoomSizeParameters(RoomParameters):
    quota: int = Field(20, ge=0, description="questions per scene and format, SPAR's; a scene has one")


def ask(facts: SceneFacts, parameters: RoomSizeParameters, candidate: Chosen, draw: Draw) -> Question:
    return Question(
        Number(SQUARE_METERS, float(candidate.values["area"]), wrong_of(candidate)),
        frames=facts.once(video_of, parameters.limits).frames,
        objects=[],
    )


TASKS = (
    Task(
        module=__name__,
        name="room_size",
        level="high",
        images=IMAGES,
        summary="Floor area of the room that a video shows, in square meters",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
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
