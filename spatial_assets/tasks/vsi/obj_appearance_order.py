"""In which order four categories are first seen in the video (VSI-Bench, "Appearance order").

Large things come into view before small ones. Wrong orders are drawn from the law that orders of those words follow
(`priors`), so that what is known of the words fits all four options alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations, pairwise, permutations

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Order
from spatial_assets.tasks.core.candidates import Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.priors import PRIOR_REASONS, TWICE, draw_others, prior_file, prior_of, weighed
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video.orders import (
    CATEGORIES,
    REASONS,
    AppearanceParameters,
    appearances,
    find,
)
from spatial_assets.tasks.core.video.recounts import of_orders
from spatial_assets.tasks.core.video.shown import IMAGES, NEEDS, video_of
from spatial_assets.tasks.vsi.video import VideoParameters, stems

SUITE, NAME = "vsi", "obj_appearance_order"
ORDERS = tuple(permutations(range(CATEGORIES)))
"""All orders of four things, by their places in another row."""
PLACED = np.array(ORDERS), np.arange(CATEGORIES)
"""(24, 4) places of each order, and (4,) where in it they come."""
FOLLOWED = tuple(np.moveaxis(np.array([list(combinations(order, 2)) for order in ORDERS]), 2, 0))
"""Of each order the pairs of an earlier one, (24, 6), and a later one, (24, 6)."""


class OrderParameters(VideoParameters, AppearanceParameters):
    even: bool = Field(True, description="draw wrong orders by the law of their words, not blindly")


def ask(facts: SceneFacts, parameters: OrderParameters, candidate: Chosen, draw: Draw) -> Question:
    """The order in which the question names the four is drawn, and so are the wrong orders."""
    video = facts.once(video_of, parameters.limits)
    seen = facts.once(appearances, parameters.limits, parameters.glimpse_area, parameters.clear_area)
    things = candidate.objects
    names = [facts.objects.words[place] for place in things]
    clears = seen.clears[video.word_of[list(things)]].tolist()
    roles = [(f"option_{index + 1}", place) for index, place in enumerate(draw.shuffled("question", things))]
    right, *wrong = (", ".join(order) for order in orders(names, draw, parameters.even))
    return Question(
        Order(right, wrong, clears, min(later - earlier for earlier, later in pairwise(clears)), "frame"),
        frames=video.frames,
        objects=roles,
        slots=facts.objects.named(roles),
        stems=stems(parameters, NAME, draw),
    )


def orders(words: Sequence[str], draw: Draw, even: bool = True) -> list[tuple[str, ...]]:
    """The right order, then three drawn by the law of such orders. Raises Rejection where one comes twice."""
    named = tuple(sorted(words))
    right = ORDERS.index(tuple([named.index(word) for word in words]))
    law = chances(named) if even else np.full(len(ORDERS), 1 / len(ORDERS))
    drawn = draw_others(law, right, OPTIONS - 1, draw)
    return [tuple([named[index] for index in ORDERS[place]]) for place in (right, *drawn)]


@cache
def chances(words: tuple[str, ...]) -> Float:
    """(24,), how likely each of `ORDERS` of four words is: by all of its `hints`."""
    score = prior_of(SUITE, NAME).score
    # Each hint is looked up once, not once an order.
    at = np.array([[score(_at(word, place)) for place in range(CATEGORIES)] for word in words])
    before = np.array([[score(_before(first, later)) for later in words] for first in words])
    return weighed(at[PLACED].sum(axis=1) + before[FOLLOWED].sum(axis=1))


def hints(order: Sequence[str]) -> list[str]:
    """`sofa@0`, and `sofa<bed` for what comes before what."""
    return [
        *(_at(word, place) for place, word in enumerate(order)),
        *(_before(first, later) for first, later in combinations(order, 2)),
    ]


def _at(word: str, place: int) -> str:
    return f"{word}@{place}"


def _before(first: str, later: str) -> str:
    return f"{first}<{later}"


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=IMAGES,
        summary="The order in which four categories are first seen in the video",
        needs={SELECT: NEEDS},
        kind=Order.kind,
        parameters=OrderParameters,
        find=find,
        ask=ask,
        recount=of_orders,
        reasons={**REASONS, TWICE: PRIOR_REASONS[TWICE]},
        data=(prior_file(SUITE, NAME),),
    ),
)
