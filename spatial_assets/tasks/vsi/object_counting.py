"""How many objects of a category a room has (VSI-Bench, "Object count").

Every object that the word stands for must be seen well in some frame: of one that is half seen nobody can say whether
it counts.
"""

from __future__ import annotations

import numpy as np

from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import NOTHING, Candidates, Chosen, draw_key
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.laws import ORIGINS, count_laws
from spatial_assets.tasks.core.options import NO_OPTIONS, OPTION_REASONS, OPTIONS
from spatial_assets.tasks.core.peers import wrong_of
from spatial_assets.tasks.core.quantities import COUNT
from spatial_assets.tasks.core.rendering import FILL, SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video.by_law import LawParameters
from spatial_assets.tasks.core.video.counts import REASONS, CountParameters, find
from spatial_assets.tasks.core.video.recounts import of_counts
from spatial_assets.tasks.core.video.shown import IMAGES, NEEDS, video_of
from spatial_assets.tasks.vsi.video import VideoParameters, stems

NAME = "object_counting"
LAWS = "tasks/vsi/object_counting_laws.json"


NO_HASHES = np.zeros(0, np.uint64)
"""Words have identities of their own; those of frames and objects are not looked at."""


class CountingParameters(VideoParameters, LawParameters, CountParameters):
    pass


def find_with_options(facts: SceneFacts, parameters: CountingParameters) -> Candidates:
    """Wrong options are counts that other rooms have of the category; most twos are let go."""
    found = facts.once(find, parameters).settle().fresh()
    held = count_laws(LAWS, parameters.law_for(facts))
    states = found.ranks(draw_key(facts.which, parameters.seed, NAME, "options"), NO_HASHES, NO_HASHES)
    wrong = np.zeros((len(found), OPTIONS - 1), np.int64)
    for row, (group, state) in enumerate(zip(found.objects, states.tolist(), strict=True)):
        law, draw = held.get(facts.objects.categories[group[0]]), Draw(state)
        if law is not None:
            count = int((group != NOTHING).sum())
            wrong[row] = law.wrong(count, draw.unit("thinning"), draw.unit("start")) or 0
    found.reject(NO_OPTIONS, (wrong == 0).any(axis=1))
    found.values["wrong"] = wrong
    return found


def ask(facts: SceneFacts, parameters: CountingParameters, candidate: Chosen, draw: Draw) -> Question:
    group = candidate.objects
    return Question(
        Number(COUNT, len(group), wrong_of(candidate)),
        frames=facts.once(video_of, parameters.limits).frames,
        objects=[(f"instance-{index}", place) for index, place in enumerate(group)],
        slots={"category": facts.objects.words[group[0]]},
        stems=stems(parameters, NAME, draw),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=IMAGES,
        summary="How many objects of a category the room has",
        needs={FILL: NEEDS, SELECT: NEEDS},
        kind=Number.kind,
        parameters=CountingParameters,
        find=find,
        find_for={SELECT: find_with_options},
        data=(LAWS, ORIGINS),
        ask=ask,
        recount=of_counts,
        reasons={**REASONS, **OPTION_REASONS},
    ),
)
