"""Where marked objects are after a move in the mind, told from one image (SPAR, appendix 7.5, "Spatial imagination").

Two tasks: how the red object lies to the viewer, and how it lies to the yellow one. Green is where the viewer goes,
blue what is faced. Of SPAR's marks only boxes come in yellow, so all are boxes.
"""

from __future__ import annotations

from functools import partial

from spatial_assets.scene.model import Fact
from spatial_assets.tasks.core.answers import Relation
from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import referents, shown
from spatial_assets.tasks.core.marks import box_mark
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
from spatial_assets.tasks.spar.relations import BETWEEN, TO_VIEWER

SUITE = "spar"
OC, OO = "spatial_imagination_oc", "spatial_imagination_oo"
SLOTS = {OC: TO_VIEWER, OO: BETWEEN}
NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY})


def find(facts: SceneFacts, parameters: MoveLimits, *, name: str) -> Candidates:
    """Every two objects of a keyframe to move to and to face, with others drawn among those that it shows well."""
    slots, frames = SLOTS[name], facts.frames.keyframes
    seen = shown(facts)[frames]
    fit = seen & (facts.once(referents, parameters.limits) == 0)[frames]
    states = frame_states(facts, parameters.seed, frames[:, None])
    drawn = moves(facts, parameters, fit, states, slots)
    found = Candidates(frames[drawn.rows][:, None], drawn.objects)
    count_failed(found, drawn.failed, seen, fit)
    found = imagined(facts, parameters, found, found.frames[:, 0], slots)
    return with_strata(facts, parameters, name, found, slots)


def find_with_options(facts: SceneFacts, parameters: MoveLimits, *, name: str) -> Candidates:
    found = facts.once(FIND[name], parameters).settle()
    return with_options(facts, parameters, name, found, SLOTS[name])


def ask(facts: SceneFacts, parameters: MoveLimits, candidate: Chosen, draw: Draw, *, name: str) -> Question:
    return _shown(facts, parameters, candidate, name, told(parameters, candidate, SLOTS[name], draw))


def ask_from_before(
    facts: SceneFacts, parameters: MoveLimits, candidate: Chosen, draw: Draw, *, name: str
) -> Question:
    slots = SLOTS[name]
    asked = told(parameters, candidate, slots, draw)
    made = _shown(facts, parameters, candidate, name, asked)
    return from_before(made, parameters, slots, asked, phrases(SUITE, name))


def _shown(facts: SceneFacts, parameters: MoveLimits, candidate: Chosen, name: str, asked: Told) -> Question:
    (frame,) = candidate.frames
    return question(
        facts,
        parameters,
        SLOTS[name],
        asked,
        [("image", frame)],
        lambda roles: [box_mark(frame, role, thing) for role, thing in roles],
    )


FIND = {name: partial(find, name=name) for name in SLOTS}
SUMMARIES = {
    OC: "Where a marked object is for one who goes to another and faces a third",
    OO: "How a marked object lies to another for one who goes to a third and faces a fourth",
}
TASKS = tuple(
    Task(
        module=__name__,
        name=name,
        level="high",
        images=1,
        summary=SUMMARIES[name],
        needs={SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Relation.kind,
        parameters=MoveLimits,
        find=FIND[name],
        find_for={SELECT: partial(find_with_options, name=name)},
        ask=partial(ask, name=name),
        ask_for={SENTENCE: partial(ask_from_before, name=name)},
        reasons=MOVE_REASONS,
        twins=turned_in(SLOTS[name]),
    )
    for name in SLOTS
)
