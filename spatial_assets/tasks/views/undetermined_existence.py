"""Whether an object lies on a given side of another, judged from one frame of a view set, or whether no view tells.

As SpatialMosaic's types of existence, of objects that the asked frame does not show, with a third option.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from pydantic import Field

from spatial_assets.tasks.core.answers import NO, YES, Choice
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task, Twin
from spatial_assets.tasks.spatialmosaic.foreseen import LAWS, law_files, side_odds, thin_out
from spatial_assets.tasks.spatialmosaic.referents import noted, referred
from spatial_assets.tasks.spatialmosaic.sets import POSED, READS
from spatial_assets.tasks.spatialmosaic.sides import AXES, DIFFERENCES, SIDES, side_phrase
from spatial_assets.tasks.views.sided import SIDED_REASONS, SidedParameters, hidden_pairs
from spatial_assets.tasks.views.withheld import (
    ELSEWHERE,
    PIXELS,
    TWELFTHS,
    diagnostics,
    left_of,
    option,
    settle_evenly,
    share_out,
)

NAMES = {axis: f"undetermined_existence_{axis}" for axis in AXES}


class ExistenceParameters(SidedParameters):
    undetermined_of_twelve: int = Field(
        4,
        ge=0,
        le=TWELFTHS,
        description="of twelve questions, those that cannot be answered: four, so that of three options this one is "
        "right as often as any other",
    )


def find(axis: str, facts: SceneFacts, parameters: ExistenceParameters) -> Candidates:
    """Every pair of which the side is clear; objects asked for take turns where names say nothing, else the sides."""
    found = facts.once(hidden_pairs, parameters.referents, parameters.sides).fresh()
    found.reject("unclear_side", found.values[SIDES][:, AXES.index(axis)] == 0)
    found = found.settle()
    sides = found.values[SIDES][:, AXES.index(axis)]
    thin_out(facts, parameters.published, NAMES[axis], found, side_odds(facts, axis, found, sides))
    found = found.settle()
    signs = (found.values[SIDES][:, AXES.index(axis)] > 0).astype(np.int64)
    found = settle_evenly(facts, parameters, NAMES[axis], found, signs, 2, parameters.even)
    if axis in LAWS:
        own = Strata.of_numbers(found.values[SIDES][:, AXES.index(axis)])
    else:
        own = Strata.of_objects(found.objects[:, 0], facts.objects.identities)
    share_out(facts, parameters, NAMES[axis], found, own)
    return found


def ask(
    axis: str, facts: SceneFacts, parameters: ExistenceParameters, candidate: Chosen, draw: Draw
) -> Question:
    (thing, reference), (asked,) = candidate.objects, candidate.frames
    left = left_of(facts, candidate, (thing,), draw, asked)
    difference = float(candidate.values[DIFFERENCES][AXES.index(axis)])
    yes = draw.below("turned", 2) == 0
    printed = Printed(on_grid=False)
    name, pixel = referred(facts, left.row, asked, reference, printed)
    unknown = option(NAMES[axis])
    right, wrong = (YES, NO) if yes else (NO, YES)
    return Question(
        Choice(unknown, [YES, NO], [difference], 1.0, PIXELS)
        if left.undetermined
        else Choice(right, [wrong, unknown], [difference], abs(difference), METERS.unit),
        frames=left.roles(asked),
        objects=[("target", thing), ("reference", reference)],
        slots={
            "frame": left.name(asked),
            "target": facts.objects.words[thing],
            "reference": name,
            "side": side_phrase(axis, (difference > 0) == yes),
        },
        given=pixel,
        noted=noted(pixel),
        printed=printed,
        diagnostics=diagnostics(facts, left, (thing, reference), asked, ELSEWHERE),
    )


def decided(facts: SceneFacts, parameters: ExistenceParameters, question: Question) -> Question | None:
    """What cannot be told stays so when the opposite is asked."""
    return question if question.answer.text in (YES, NO) else None


TASKS = tuple(
    Task(
        module=__name__,
        name=NAMES[axis],
        level="high",
        images=4,
        summary=f"Whether an object lies {words}, judged from one of two to four views of which none may show it",
        needs={SELECT: POSED},
        kind=Choice.kind,
        parameters=ExistenceParameters,
        find=partial(find, axis),
        ask=partial(ask, axis),
        reasons=SIDED_REASONS,
        data=law_files(axis),
        reads=READS,
        twins=(Twin("statement_mirrored", "turned", change=decided),),
    )
    for axis, words in (
        ("lr", "to the left or right of another"),
        ("ab", "above or below another"),
        ("fb", "in front of another or behind it"),
    )
)
