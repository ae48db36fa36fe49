"""In which order four categories are first seen in the video (VSI-Bench, "Appearance order").

The benchmark's pixel threshold is in no published code. Here a category has a first glimpse, the frame from which
someone may see it, and a first clear view, the frame from which everyone does. Of two categories the one must be clear
before the other can be glimpsed; so the order holds for every threshold between the two.

Large things come into view before small ones. Wrong orders are drawn from the law that orders of those words follow
(`priors`), so that what is known of the words fits all four options alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise, permutations
from math import comb

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Order
from spatial_assets.tasks.core.candidates import Bools, Candidates, Chosen, Indices, Strata, about_video
from spatial_assets.tasks.core.draws import Draw, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.priors import PRIOR_REASONS, TWICE, draw_others, prior_file, prior_of, weighed
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.vsi.video import (
    IMAGES,
    NEEDS,
    REASONS,
    VideoLimits,
    VideoParameters,
    count_sets,
    stems,
    video_of,
)

SUITE, NAME = "vsi", "obj_appearance_order"
CATEGORIES = 4
ORDERS = tuple(permutations(range(CATEGORIES)))
"""All orders of four things, by their places in another row."""
PLACED = np.array(ORDERS), np.arange(CATEGORIES)
"""(24, 4) places of each order, and (4,) where in it they come."""
FOLLOWED = tuple(np.moveaxis(np.array([list(combinations(order, 2)) for order in ORDERS]), 2, 0))
"""Of each order the pairs of an earlier one, (24, 6), and a later one, (24, 6)."""
NEVER = -1
NEVER_CLEAR, TOGETHER = "never_clear", "together"


class OrderParameters(VideoParameters):
    glimpse_area: float = Field(
        0.0001,
        gt=0,
        description="visible pixels, as a share of the image, that someone may notice: 31 of VGA",
    )
    clear_area: float = Field(
        0.002,
        gt=0,
        description="visible pixels, as a share of the image, that nobody overlooks: 25 x 25 of VGA",
    )
    min_gap: int = Field(
        1,
        ge=1,
        description="frames shown from one category's clear view to the next one's glimpse: two seconds of a minute",
    )
    even: bool = Field(True, description="draw wrong orders by the law of their words, not blindly")


@dataclass(frozen=True)
class Appearances:
    """When each word is first seen, in positions among the frames shown."""

    glimpses: Indices
    """(W,), NEVER where there is none."""
    clears: Indices
    """(W,), of the first clear view, which is no earlier than the glimpse; NEVER where there is none."""
    places: Indices
    """(W,), the object that is seen clearly first; NEVER where none is."""


def appearances(
    facts: SceneFacts, limits: VideoLimits, glimpse_area: float, clear_area: float
) -> Appearances:
    """Of all words, in alphabetical order."""
    video = facts.once(video_of, limits)
    shares = video.shares()
    largest = np.zeros((len(shares), len(video.groups)))
    for column, group in enumerate(video.groups.values()):
        largest[:, column] = shares[:, group].max(axis=1)
    glimpsed = np.logical_or.accumulate(largest >= glimpse_area, axis=0)
    clears = _first(glimpsed & (largest >= clear_area))
    places = [
        group[shares[clear, group].argmax()] if clear != NEVER else NEVER
        for group, clear in zip(video.groups.values(), clears.tolist(), strict=True)
    ]
    return Appearances(_first(glimpsed), clears, np.array(places, np.int64))


def _first(flags: Bools) -> Indices:
    """(W,), of (V, W): the first row of each column that is true, NEVER where none is."""
    held = np.concatenate([flags, np.ones((1, flags.shape[1]), np.bool_)])
    first: Indices = held.argmax(axis=0)
    return np.where(first < len(flags), first, NEVER)


@kernel
def _in_order(glimpses: Indices, clears: Indices, gap: int) -> Indices:
    """(N, 4), all fours of (K,) that appear one after the other, each glimpsed `gap` after the one before is clear.

    Those given are in the order of their clear views, none of which comes before the same one's glimpse: so whatever
    may follow the second of three may follow the first.
    """
    count = len(glimpses)
    follows = np.zeros((count, count), np.bool_)
    for i in range(count):
        for j in range(i + 1, count):
            follows[i, j] = glimpses[j] - clears[i] >= gap
    # How many ways lead on from each, with so many still to come.
    ways = np.ones((CATEGORIES, count), np.int64)
    for left in range(1, CATEGORIES):
        for i in range(count):
            ways[left, i] = (follows[i] * ways[left - 1]).sum()
    out = np.empty((ways[CATEGORIES - 1].sum(), CATEGORIES), np.int64)
    at = 0
    for i in range(count):
        for j in range(i + 1, count):
            if not follows[i, j] or ways[2, j] == 0:
                continue
            for k in range(j + 1, count):
                if not follows[j, k]:
                    continue
                for m in range(k + 1, count):
                    if follows[k, m]:
                        out[at, 0], out[at, 1], out[at, 2], out[at, 3] = i, j, k, m
                        at += 1
    return out


def find(facts: SceneFacts, parameters: OrderParameters) -> Candidates:
    """Every four words whose first views are clearly one after the other."""
    video = facts.once(video_of, parameters.limits)
    seen = facts.once(appearances, parameters.limits, parameters.glimpse_area, parameters.clear_area)
    verdicts = [
        reason or (NEVER_CLEAR if clear == NEVER else None)
        for reason, clear in zip(video.words.values(), seen.clears.tolist(), strict=True)
    ]
    known = np.array([index for index, reason in enumerate(verdicts) if reason is None], np.int64)
    known = known[np.lexsort((seen.glimpses[known], seen.clears[known]))]
    words = known[_in_order(seen.glimpses[known], seen.clears[known], parameters.min_gap)]
    found = about_video(seen.places[words])
    count_sets(found, verdicts, CATEGORIES)
    found.count_out(TOGETHER, comb(len(known), CATEGORIES) - len(found))
    # One of the four, drawn, takes its turn: by the first of them, what is seen late would come first too often.
    turn = mix_columns(0, video.identities[words]) % np.uint64(CATEGORIES)
    found.strata = Strata(words[np.arange(len(words)), turn.astype(np.int64)], video.identities)
    # Of the words, not of those that happen to be seen clearly first.
    found.identities = video.identities[words]
    return found


def ask(facts: SceneFacts, parameters: OrderParameters, candidate: Chosen, draw: Draw) -> Question:
    """The order in which the question names the four is drawn, and so are the wrong orders."""
    video = facts.once(video_of, parameters.limits)
    seen = facts.once(appearances, parameters.limits, parameters.glimpse_area, parameters.clear_area)
    things = candidate.objects
    names = [facts.objects.categories[place] for place in things]
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
        reasons={
            **REASONS,
            NEVER_CLEAR: "no frame shows enough of it for a first view",
            TOGETHER: "two of them come into view too close together to be put in order",
            TWICE: PRIOR_REASONS[TWICE],
        },
        data=(prior_file(SUITE, NAME),),
    ),
)
