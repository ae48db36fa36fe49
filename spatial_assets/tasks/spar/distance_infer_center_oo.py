"""Which of two marked objects is closer to a third, or farther from it (SPAR, "Object center distance inference").

Distances are those between the centers of the 3D boxes. The anchor is red, the two are green and blue; which is which,
and whether the closer one is asked for or the farther, is drawn. With three images, each object is marked in the one
that shows the most of it, and those marked in different images come first.

Some things stand by each other in every home: of what the words alone suggest, some questions are left out (`priors`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Fact
from spatial_assets.tasks.core.answers import ObjectChoice
from spatial_assets.tasks.core.candidates import TIER, Candidates, Chosen, Indices
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import referents, shown
from spatial_assets.tasks.core.priors import keep_even
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import Ask, MarkedParameters, Question, Task, Twin
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar import views
from spatial_assets.tasks.spar.anchors import (
    ANCHOR_REASONS,
    PRIOR_FILE,
    Clearness,
    Compared,
    anchored_pairs,
    nearest_chances,
)
from spatial_assets.tasks.spar.centers import CenterParameters
from spatial_assets.tasks.spar.views import VIEW_REASONS, VIEWS, ViewsParameters, marked_in, points_in

SUITE, SINGLE, IN_VIEWS = "spar", "distance_infer_center_oo", "distance_infer_center_oo_mv"
NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY})
RELATIONS = ("closer", "farther")
"""What is asked for, the smaller distance or the larger: names of the wording's phrases."""
REASONS: Mapping[str, str] = {
    **ANCHOR_REASONS,
    "same_name": "the name that answers may mean either of the two",
}


class InferParameters(MarkedParameters, CenterParameters):
    clearness: Clearness = Clearness()
    even: bool = Field(True, description="leave out what words suggest, as often as it takes")


class InferInViewsParameters(InferParameters, ViewsParameters):
    pass


def find(facts: SceneFacts, parameters: InferParameters) -> Candidates:
    """Anchors and two other objects in a keyframe."""
    frames = facts.frames.keyframes[:, None]
    seen = shown(facts)[facts.frames.keyframes]
    fit = seen & (facts.once(referents, parameters.limits)[facts.frames.keyframes] == 0)
    found = anchored_pairs(
        facts,
        frames,
        np.where(fit, 0, -1),
        parameters.clearness,
        parameters.min_mark_gap,
        parameters.seed,
    )
    _count_unfit(found, seen.sum(axis=1), fit.sum(axis=1))
    return found


def find_in_views(facts: SceneFacts, parameters: InferInViewsParameters) -> Candidates:
    """The same in three views."""
    three = views.triples(facts, parameters)
    places = marked_in(facts, three.frames, parameters.limits)
    found = anchored_pairs(
        facts, three.frames, places, parameters.clearness, parameters.min_mark_gap, parameters.seed
    )
    found.rejected += three.rejected
    seen = np.any([shown(facts)[frames] for frames in three.frames.T], axis=0)
    _count_unfit(found, seen.sum(axis=1), (places >= 0).sum(axis=1))
    marked = np.sort(found.values[VIEWS], axis=1)
    # In three images, in two, in one.
    found.values[TIER] = (np.diff(marked, axis=1) == 0).sum(axis=1)
    return found


def _count_unfit(found: Candidates, seen: Indices, fit: Indices) -> None:
    """Anchors and objects, one of which does not show well, of so many that show (N,)."""
    found.count_out("unfit", int((seen * (seen - 1) - fit * (fit - 1)).sum()))


def named_apart(facts: SceneFacts, parameters: InferParameters) -> Candidates:
    """Those of which a name alone tells the one from the other."""
    return _named_apart(facts, facts.once(find, parameters))


def named_apart_in_views(facts: SceneFacts, parameters: InferInViewsParameters) -> Candidates:
    return _named_apart(facts, facts.once(find_in_views, parameters))


def _named_apart(facts: SceneFacts, found: Candidates) -> Candidates:
    apart = found.fresh()
    _, one, another = apart.objects.T
    may_mean = facts.objects.may_mean
    apart.reject("same_name", may_mean[one, another] | may_mean[another, one])
    return apart


class Posed(NamedTuple):
    """A candidate as it is asked about: which of the two is green, and which relation is asked for, is drawn."""

    roles: list[tuple[str, int]]
    views: list[int]
    """In which image each is marked."""
    distances: list[float]
    """Of the green one and the blue one from the anchor, meters."""
    relation: str
    right: str
    wrong: str
    """The colors of the one that answers and of the other."""


def posed(facts: SceneFacts, parameters: InferParameters, candidate: Chosen, draw: Draw) -> Posed:
    anchor, *pair = candidate.objects
    red_view, *pair_views = candidate.values[VIEWS].tolist()
    distances: list[float] = candidate.values["distances"].tolist()
    if parameters.even:
        keep_even(nearest_chances(facts, anchor, pair), int(distances[1] < distances[0]), draw)
    if draw.below("green", 2):
        pair, pair_views, distances = pair[::-1], pair_views[::-1], distances[::-1]
    relation = RELATIONS[draw.below("relation", 2)]
    green_right = (distances[0] < distances[1]) == (relation == RELATIONS[0])
    right, wrong = ("green", "blue") if green_right else ("blue", "green")
    roles = [("red", anchor), ("green", pair[0]), ("blue", pair[1])]
    return Posed(roles, [red_view, *pair_views], distances, relation, right, wrong)


def question(
    facts: SceneFacts,
    candidate: Chosen,
    one: Posed,
    texts: Mapping[str, str],
    margins: Sequence[float],
    words: Mapping[str, str],
) -> Question:
    """The question with what an answer calls each, by its color, and by how much each distance is clear, meters."""
    frames = candidate.frames
    return Question(
        Compared(texts[one.right], [texts[one.wrong]], one.distances, min(margins), METERS.unit, margins),
        frames=[("image", frames[0])] if len(frames) == 1 else views.shown_views(frames),
        objects=one.roles,
        slots={
            **facts.objects.named(one.roles),
            "relation": words[one.relation],
            "green_distance": METERS.text(one.distances[0]),
            "blue_distance": METERS.text(one.distances[1]),
        },
        marks=points_in(facts, frames, one.roles, one.views),
    )


def marked(facts: SceneFacts, one: Posed, words: Mapping[str, str]) -> dict[str, str]:
    """What tells the objects apart by their marks, by color."""
    names = facts.objects.named(one.roles)
    return {color: words["marked"].format(name=name, color=color) for color, name in names.items()}


def gaps(one: Posed) -> list[float]:
    """By how much the one is closer than the other, of both."""
    return [abs(one.distances[0] - one.distances[1])] * 2


def ask_name(
    facts: SceneFacts, parameters: InferParameters, candidate: Chosen, draw: Draw, *, name: str
) -> Question:
    one = posed(facts, parameters, candidate, draw)
    return question(facts, candidate, one, facts.objects.named(one.roles), gaps(one), phrases(SUITE, name))


def ask_marked(
    facts: SceneFacts, parameters: InferParameters, candidate: Chosen, draw: Draw, *, name: str
) -> Question:
    one, words = posed(facts, parameters, candidate, draw), phrases(SUITE, name)
    return question(facts, candidate, one, marked(facts, one, words), gaps(one), words)


def ask_with_distances(
    facts: SceneFacts, parameters: InferParameters, candidate: Chosen, draw: Draw, *, name: str
) -> Question:
    """What prints the distances too, so that each has its own margin."""
    one, words = posed(facts, parameters, candidate, draw), phrases(SUITE, name)
    margins = [METERS.margin(value) for value in one.distances]
    return question(facts, candidate, one, marked(facts, one, words), margins, words)


def ask_for(name: str) -> dict[str, Ask]:
    """By format: a name alone answers a blank, a sentence says the distances as well."""
    return {FILL: partial(ask_name, name=name), SENTENCE: partial(ask_with_distances, name=name)}


TASKS = (
    Task(
        module=__name__,
        name=SINGLE,
        level="high",
        images=1,
        summary="Which of two marked objects is closer to a third, or farther from it",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=ObjectChoice.kind,
        parameters=InferParameters,
        find=find,
        find_for={FILL: named_apart},
        ask=partial(ask_marked, name=SINGLE),
        ask_for=ask_for(SINGLE),
        reasons={**REASONS, "unfit": "the image does not show one of the objects well enough to be marked"},
        data=(PRIOR_FILE,),
        twins=(Twin("choice_swapped", "green"),),
    ),
    Task(
        module=__name__,
        name=IN_VIEWS,
        level="high",
        images=3,
        summary="Which of two objects marked in three images is closer to a third, or farther from it",
        needs={FILL: views.NEEDS, SELECT: views.NEEDS, SENTENCE: views.NEEDS},
        kind=ObjectChoice.kind,
        parameters=InferInViewsParameters,
        find=find_in_views,
        find_for={FILL: named_apart_in_views},
        ask=partial(ask_marked, name=IN_VIEWS),
        ask_for=ask_for(IN_VIEWS),
        reasons={**REASONS, **VIEW_REASONS},
        data=(PRIOR_FILE,),
        twins=(Twin("choice_swapped", "green"),),
    ),
)
