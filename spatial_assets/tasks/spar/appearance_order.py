"""In which order four categories are first seen in a video (SPAR, appendix 7.5, "Appearance order").

A sentence also says in which frame each is first seen, so it is asked only where a category's first glimpse is a clear
view: of what creeps into view nobody can say since when.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from spatial_assets.tasks.core.answers import Order
from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.recount import Asked, Held
from spatial_assets.tasks.core.rendering import FILL, SENTENCE
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video.orders import REASONS, AppearanceParameters, appearances, find
from spatial_assets.tasks.core.video.recounts import by_format, in_order, of_orders
from spatial_assets.tasks.core.video.shown import IMAGES, NEEDS, video_of
from spatial_assets.tasks.core.wording import cast

SUITE, NAME = "spar", "appearance_order"
CREEPS = "creeps_into_view"
SEPARATOR = ", "


def find_sudden(facts: SceneFacts, parameters: AppearanceParameters) -> Candidates:
    """Those of which each is seen clearly as soon as it is seen at all."""
    found = facts.once(find, parameters).settle().fresh()
    video = facts.once(video_of, parameters.limits)
    seen = facts.once(appearances, parameters.limits, parameters.glimpse_area, parameters.clear_area)
    words = video.word_of[found.objects]
    found.reject(CREEPS, (seen.glimpses[words] != seen.clears[words]).any(axis=1))
    return found


def ask(facts: SceneFacts, parameters: AppearanceParameters, candidate: Chosen, draw: Draw) -> Question:
    """The order in which the question names the four is drawn."""
    video = facts.once(video_of, parameters.limits)
    seen = facts.once(appearances, parameters.limits, parameters.glimpse_area, parameters.clear_area)
    things = candidate.objects
    clears = seen.clears[video.word_of[list(things)]].tolist()
    names = [facts.objects.words[place] for place in things]
    roles = [(f"object_{index + 1}", place) for index, place in enumerate(draw.shuffled("question", things))]
    slots = {role: facts.objects.words[place] for role, place in roles} | _in_turn(names, clears)
    return Question(
        Order(
            SEPARATOR.join(names),
            (),
            clears,
            min(later - earlier for earlier, later in pairwise(clears)),
            "frame",
        ),
        frames=video.frames,
        objects=roles,
        slots=slots,
    )


def _in_turn(names: Sequence[str], clears: Sequence[int]) -> dict[str, str]:
    """What sentences call the four, and the frames that show them first."""
    slots: dict[str, str] = {}
    for index, (name, clear) in enumerate(zip(names, clears, strict=True)):
        slots |= {f"name_{index + 1}": name, f"frame_{index + 1}": str(clear)}
    return slots


def recount_told(facts: SceneFacts, parameters: AppearanceParameters, asked: Asked) -> Held:
    """A sentence also says in which of the frames shown each is first seen."""
    held = of_orders(facts, parameters, asked)
    video = facts.once(video_of, parameters.limits)
    seen = facts.once(appearances, parameters.limits, parameters.glimpse_area, parameters.clear_area)
    words = video.word_of[asked.objects]
    held.reject(CREEPS, (seen.glimpses[words] != seen.clears[words]).any(axis=1))
    names, ordered = list(video.groups), in_order(seen, words)
    for row in np.flatnonzero(held.answerable).tolist():
        places = ordered[row].tolist()
        turns = _in_turn([names[place] for place in places], seen.clears[places].tolist())
        slots = {"answer": held.texts[row], **turns}
        held.texts[row] = cast(SUITE, NAME, asked.templates[row], slots)
    return held


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=IMAGES,
        summary="The order in which a video first shows four categories, and in which frames",
        needs={FILL: NEEDS, SENTENCE: NEEDS},
        kind=Order.kind,
        parameters=AppearanceParameters,
        find=find,
        find_for={SENTENCE: find_sudden},
        ask=ask,
        recount=by_format(of_orders, {SENTENCE: recount_told}),
        reasons={
            **REASONS,
            CREEPS: "one is glimpsed before it is seen clearly, so that nobody can say in which frame first",
        },
    ),
)
