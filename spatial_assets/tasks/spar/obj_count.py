"""How many objects of a category a room has (SPAR, appendix 7.5, "Obj count").

Labels with fewer than two objects are left out, as SPAR has it; what can be counted at all is VSI-Bench's question too.
"""

from __future__ import annotations

from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.quantities import COUNT
from spatial_assets.tasks.core.recount import Asked, Held
from spatial_assets.tasks.core.rendering import FILL, SENTENCE
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video.counts import REASONS, CountParameters, find
from spatial_assets.tasks.core.video.recounts import by_format, of_counts
from spatial_assets.tasks.core.video.shown import IMAGES, NEEDS, video_of
from spatial_assets.tasks.core.wording import cast

SUITE, NAME = "spar", "obj_count"


def ask(facts: SceneFacts, parameters: CountParameters, candidate: Chosen, draw: Draw) -> Question:
    group = candidate.objects
    return Question(
        Number(COUNT, len(group)),
        frames=facts.once(video_of, parameters.limits).frames,
        objects=[(f"instance-{index}", place) for index, place in enumerate(group)],
        slots={"category": facts.objects.words[group[0]]},
    )


def recount_told(facts: SceneFacts, parameters: CountParameters, asked: Asked) -> Held:
    """What a sentence would say of as many as are shown."""
    held = of_counts(facts, parameters, asked)
    words = facts.objects.words
    for row, template in enumerate(asked.templates):
        slots = {"category": words[asked.objects[row, 0]], "answer": held.texts[row]}
        held.texts[row] = cast(SUITE, NAME, template, slots)
    return held


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=IMAGES,
        summary="How many objects of a category the video's room has",
        needs={FILL: NEEDS, SENTENCE: NEEDS},
        kind=Number.kind,
        parameters=CountParameters,
        find=find,
        ask=ask,
        recount=by_format(of_counts, {SENTENCE: recount_told}),
        reasons=REASONS,
    ),
)
