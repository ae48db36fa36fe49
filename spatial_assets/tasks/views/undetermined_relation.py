"""Where an object lies relative to another, judged from one frame of a view set, or whether no view tells.

As SpatialMosaic's types of relation, of objects that the asked frame does not show: three of the four descriptions, the
right one among them where it can be told, and a fourth option.
"""

from __future__ import annotations

from functools import partial

from spatial_assets.tasks.core.answers import Choice
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.spatialmosaic.foreseen import law_files, thin_out
from spatial_assets.tasks.spatialmosaic.obj_spatial import (
    ANSWERS,
    SECOND,
    answers_named,
    option_odds,
    option_text,
    second_axes,
)
from spatial_assets.tasks.spatialmosaic.referents import noted, referred
from spatial_assets.tasks.spatialmosaic.sets import POSED, READS
from spatial_assets.tasks.spatialmosaic.sides import AXES, DIFFERENCES, SIDES
from spatial_assets.tasks.views.sided import SIDED_REASONS, SidedParameters, hidden_pairs
from spatial_assets.tasks.views.withheld import (
    ELSEWHERE,
    PIXELS,
    diagnostics,
    left_of,
    option,
    settle_evenly,
    share_out,
)

SIDES_BY_TWO = 4
"""Answers of two axes."""
NAMES = {axis: f"undetermined_relation_{axis}" for axis in AXES}


def find(axis: str, facts: SceneFacts, parameters: SidedParameters) -> Candidates:
    """Every pair of which the side is clear, and that of another axis; answers take turns."""
    found = facts.once(hidden_pairs, parameters.referents, parameters.sides).fresh()
    published, place = parameters.published, AXES.index(axis)
    others = [other for other in range(len(AXES)) if other != place]
    sides = found.values[SIDES]
    found.reject("unclear_side", sides[:, place] == 0)
    found.reject("unclear_others", ~(sides[:, others] != 0).any(axis=1))
    found = found.settle()
    found.values[SECOND] = second_axes(facts, published, axis, found, others)
    thin_out(facts, published, NAMES[axis], found, option_odds(facts, published, axis, found))
    found = found.settle()
    answers = answers_named(published, axis, found)
    found = settle_evenly(facts, parameters, NAMES[axis], found, answers, SIDES_BY_TWO, parameters.even)
    share_out(facts, parameters, NAMES[axis], found, Strata(answers_named(published, axis, found), ANSWERS))
    return found


def ask(axis: str, facts: SceneFacts, parameters: SidedParameters, candidate: Chosen, draw: Draw) -> Question:
    """Which two of the three wrong descriptions are offered is drawn; where none can be told, what would be right is
    offered as well."""
    (thing, reference), (asked,), values = candidate.objects, candidate.frames, candidate.values
    left = left_of(facts, candidate, (thing,), draw, asked)
    own, second = AXES.index(axis), values[SECOND]
    first, other = (float(values[DIFFERENCES][place]) for place in (own, second))
    printed = Printed(on_grid=False)
    name, pixel = referred(facts, left.row, asked, reference, printed)
    right, *wrong = (
        option_text([(own, (first > 0) == turned), (second, (other > 0) == too)], name, published=False)
        for turned in (True, False)
        for too in (True, False)
    )
    wrong = [wrong[place] for place in draw.sample("wrong", len(wrong), OPTIONS - 2)]
    unknown = option(NAMES[axis])
    return Question(
        Choice(unknown, [right, *wrong], [first, other], 1.0, PIXELS)
        if left.undetermined
        else Choice(right, [*wrong, unknown], [first, other], min(abs(first), abs(other)), METERS.unit),
        frames=left.roles(asked),
        objects=[("target", thing), ("reference", reference)],
        slots={"frame": left.name(asked), "target": facts.objects.words[thing], "reference": name},
        given=pixel,
        noted=noted(pixel),
        printed=printed,
        diagnostics=diagnostics(facts, left, (thing, reference), asked, ELSEWHERE),
    )


TASKS = tuple(
    Task(
        module=__name__,
        name=NAMES[axis],
        level="high",
        images=4,
        summary=f"Where an object lies relative to another, {words} and so on, judged from one of two to four views "
        "of which none may show it",
        needs={SELECT: POSED},
        kind=Choice.kind,
        parameters=SidedParameters,
        find=partial(find, axis),
        ask=partial(ask, axis),
        reasons={**SIDED_REASONS, "unclear_others": "on no other axis is it clear where the one lies"},
        data=(*law_files("ab"), *law_files("fb")),
        reads=READS,
    )
    for axis, words in (("lr", "left or right"), ("ab", "higher or lower"), ("fb", "closer or farther"))
)
