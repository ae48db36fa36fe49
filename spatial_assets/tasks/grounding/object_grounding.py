"""Where a described object is, told by one of three images: the frame, a point, a depth and a size (SPAR, section 3.5).

The three images are those of SPAR's tasks with three views. The box comes back through the frame's pose.
"""

from __future__ import annotations

from spatial_assets.scene import optional_tables
from spatial_assets.tasks.core.answers import Parts
from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.rendering import FILL, SENTENCE
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.grounding.located import REASONS, LocatedParameters, ask_where, located
from spatial_assets.tasks.spar.views import NEEDS, VIEW_REASONS, ViewLimits, triples

NAME = "object_grounding"


class GroundingParameters(LocatedParameters):
    views: ViewLimits = ViewLimits()


def find(facts: SceneFacts, parameters: GroundingParameters) -> Candidates:
    """Every description of every object that three views show."""
    views = triples(facts, parameters)
    found = located(facts, parameters, views.frames, video=False)
    found.rejected += views.rejected
    return found


def ask(facts: SceneFacts, parameters: GroundingParameters, candidate: Chosen, draw: Draw) -> Question:
    frames = [(f"frame-{index}", place) for index, place in enumerate(candidate.frames)]
    return ask_where(facts, parameters, candidate, draw, frames, NAME)


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=3,
        summary="Where a described object is, by a frame, a point, a depth and a size, told from three images",
        needs={FILL: NEEDS, SENTENCE: NEEDS},
        kind=Parts.kind,
        places="box",
        parameters=GroundingParameters,
        find=find,
        ask=ask,
        reads=(optional_tables.DESCRIPTIONS,),
        reasons={
            **REASONS,
            **{name: text for name, text in VIEW_REASONS.items() if name != "unfit"},
        },
    ),
)
