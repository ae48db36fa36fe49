"""Where a described object is, told by one of a video's frames: the frame, a point, a depth and a size (SPAR, section
3.5). The box comes back through the frame's pose.
"""

from __future__ import annotations

from spatial_assets.scene import optional_tables
from spatial_assets.tasks.core.answers import Parts
from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.rendering import FILL, SENTENCE
from spatial_assets.tasks.core.task import Question, ShownParameters, Task
from spatial_assets.tasks.grounding.descriptions import WORDS_FILE
from spatial_assets.tasks.grounding.located import REASONS, LocatedParameters, ask_where, located
from spatial_assets.tasks.spar.video import IMAGES, NEEDS, images

NAME = "object_grounding_video"


class LocatedInVideoParameters(LocatedParameters, ShownParameters):
    pass


def find(facts: SceneFacts, parameters: LocatedInVideoParameters) -> Candidates:
    """Every description of every object that the video shows."""
    return located(facts, parameters, facts.frames.video[None], video=True)


def ask(facts: SceneFacts, parameters: LocatedInVideoParameters, candidate: Chosen, draw: Draw) -> Question:
    return ask_where(facts, parameters, candidate, draw, images(facts), NAME)


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=IMAGES,
        summary="Where a described object is, by a frame, a point, a depth and a size, told from a video",
        needs={FILL: NEEDS, SENTENCE: NEEDS},
        kind=Parts.kind,
        places="box",
        parameters=LocatedInVideoParameters,
        find=find,
        ask=ask,
        reads=(optional_tables.DESCRIPTIONS,),
        data=(WORDS_FILE,),
        reasons=REASONS,
    ),
)
