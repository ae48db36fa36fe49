"""Where marked objects are after a move in the mind, told from three images (SPAR, appendix 7.5, "Spatial
imagination").

Before the move the observer is the camera of the first image. Each object is marked with a box in the image that shows
the most of it. Of two that are compared it is asked, too, which of them are in front.
"""

from __future__ import annotations

from functools import partial

from pydantic import Field

from spatial_assets.tasks.core.answers import Relation
from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.rendering import SELECT, SENTENCE
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar.imagination import (
    MOVE_REASONS,
    MoveLimits,
    Told,
    count_failed,
    frame_states,
    from_before,
    imagined,
    moves,
    question,
    told,
    turned_in,
    with_options,
    with_strata,
)
from spatial_assets.tasks.spar.relations import BETWEEN_AND_TO_VIEWER, TO_VIEWER
from spatial_assets.tasks.spar.views import (
    NEEDS,
    NONE_FIT,
    VIEW_REASONS,
    VIEWS,
    ViewLimits,
    boxes_in,
    marked_in,
    seen_in_views,
    shown_views,
    triples,
)

SUITE = "spar"
OC, OO = "spatial_imagination_oc_mv", "spatial_imagination_oo_mv"
SLOTS = {OC: TO_VIEWER, OO: BETWEEN_AND_TO_VIEWER}


class MoveInViewsParameters(MoveLimits):
    views: ViewLimits = ViewLimits()
    draws: int = Field(
        2, ge=1, description="questions about a move: with one, two small rooms of three had too few options"
    )


def find(facts: SceneFacts, parameters: MoveInViewsParameters, *, name: str) -> Candidates:
    """Every object of three views to move to, with one to face and others that are drawn among those they show well."""
    slots, shown_together = SLOTS[name], triples(facts, parameters)
    frames = shown_together.frames
    views = marked_in(facts, frames, parameters.limits)
    fit = views != NONE_FIT
    states = frame_states(facts, parameters.seed, frames)
    drawn = moves(facts, parameters, fit, states, slots, one_faced=True, draws=parameters.draws)
    found = Candidates(
        frames[drawn.rows], drawn.objects, {"row": drawn.rows}, rejected=shown_together.rejected.copy()
    )
    count_failed(found, drawn.failed, seen_in_views(facts, frames), fit)
    found = imagined(facts, parameters, found, found.frames[:, 0], slots)
    found.values[VIEWS] = views[found.values.pop("row")[:, None], found.objects]
    return with_strata(facts, parameters, name, found, slots)


def find_with_options(facts: SceneFacts, parameters: MoveInViewsParameters, *, name: str) -> Candidates:
    found = facts.once(FIND[name], parameters).settle()
    return with_options(facts, parameters, name, found, SLOTS[name])


def ask(
    facts: SceneFacts,
    parameters: MoveInViewsParameters,
    candidate: Chosen,
    draw: Draw,
    *,
    name: str,
) -> Question:
    return _shown(facts, parameters, candidate, name, told(parameters, candidate, SLOTS[name], draw))


def ask_from_before(
    facts: SceneFacts,
    parameters: MoveInViewsParameters,
    candidate: Chosen,
    draw: Draw,
    *,
    name: str,
) -> Question:
    slots = SLOTS[name]
    asked = told(parameters, candidate, slots, draw)
    made = _shown(facts, parameters, candidate, name, asked)
    return from_before(made, parameters, slots, asked, phrases(SUITE, name))


def _shown(facts: SceneFacts, parameters: MoveLimits, candidate: Chosen, name: str, asked: Told) -> Question:
    frames = candidate.frames
    return question(
        facts,
        parameters,
        SLOTS[name],
        asked,
        shown_views(frames),
        lambda roles: boxes_in(facts, frames, roles, asked.views),
    )


FIND = {name: partial(find, name=name) for name in SLOTS}
SUMMARIES = {
    OC: "Where an object is for one who goes to another and faces a third, marked in three images",
    OO: "How an object lies to another for one who goes to a third and faces a fourth, marked in three images",
}
TASKS = tuple(
    Task(
        module=__name__,
        name=name,
        level="high",
        images=3,
        summary=SUMMARIES[name],
        needs={SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Relation.kind,
        parameters=MoveInViewsParameters,
        find=FIND[name],
        find_for={SELECT: partial(find_with_options, name=name)},
        ask=partial(ask, name=name),
        ask_for={SENTENCE: partial(ask_from_before, name=name)},
        reasons={**VIEW_REASONS, **MOVE_REASONS},
        twins=turned_in(SLOTS[name]),
    )
    for name in SLOTS
)
