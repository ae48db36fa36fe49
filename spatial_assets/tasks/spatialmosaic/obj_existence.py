"""Whether an object lies on a given side of another, judged from one frame of a view set (SpatialMosaic, "Object
Existence").

Its three published types differ in the axis: left or right, above or below, in front or behind. Half of the questions
name the side on which the object lies, and the others, about pairs of the same kind, the one across.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from spatial_assets.tasks.core.answers import YesNo
from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task, Twin
from spatial_assets.tasks.spatialmosaic.foreseen import (
    FORESEEN_REASONS,
    ForeseenParameters,
    even_out,
    law_files,
    side_odds,
    thin_out,
    turns,
)
from spatial_assets.tasks.spatialmosaic.pairs import SHARE_REASONS, share_out
from spatial_assets.tasks.spatialmosaic.referents import REFERENT_REASONS, noted, referred
from spatial_assets.tasks.spatialmosaic.sets import (
    ASKED,
    HIDDEN,
    OFFICIAL,
    POSED,
    READS,
    SET,
    diagnostics,
    frame_name,
    frame_roles,
    stems,
    view_sets,
)
from spatial_assets.tasks.spatialmosaic.sides import (
    AXES,
    DIFFERENCES,
    FB,
    SIDE_REASONS,
    SIDES,
    side_slots,
    sided_pairs,
)

NAMES = {axis: f"obj_existence_occ_{axis}" for axis in AXES}


def find(axis: str, facts: SceneFacts, parameters: ForeseenParameters) -> Candidates:
    """Every pair of which the side is clear; objects asked for take turns."""
    found = facts.once(sided_pairs, parameters.referents, parameters.sides).fresh()
    found.reject("unclear_side", found.values[SIDES][:, AXES.index(axis)] == 0)
    found = found.settle()
    sides = found.values[SIDES][:, AXES.index(axis)]
    thin_out(facts, parameters, NAMES[axis], found, side_odds(facts, axis, found, sides))
    found = found.settle()
    if axis == FB:
        farther = (found.values[SIDES][:, AXES.index(axis)] > 0).astype(np.int64)
        even_out(facts, parameters, NAMES[axis], found, farther, 2)
    share_out(facts, parameters, NAMES[axis], found, turns([axis], found.objects[:, 0]))
    return found


def ask(
    axis: str, facts: SceneFacts, parameters: ForeseenParameters, candidate: Chosen, draw: Draw
) -> Question:
    (thing, reference), values = candidate.objects, candidate.values
    row, view, hidden = values[SET], values[ASKED], values[HIDDEN]
    difference = float(values[DIFFERENCES][AXES.index(axis)])
    yes = draw.below("turned", 2) == 0
    sets = facts.once(view_sets)
    printed = Printed(on_grid=False)
    name, pixel = referred(facts, row, candidate.frames[0], reference, printed)
    return Question(
        YesNo(yes, [difference], abs(difference), METERS.unit),
        frames=frame_roles(sets, row, view),
        objects=[("target", thing), ("reference", reference)],
        slots={
            "frame": frame_name(facts, parameters, sets, row, view),
            "target": facts.objects.words[thing],
            "reference": name,
            **side_slots(axis, (difference > 0) == yes),
        },
        given=pixel,
        printed=printed,
        stems=stems(parameters, NAMES[axis], draw),
        noted=noted(pixel),
        diagnostics=diagnostics(facts, row, (thing, reference), view, hidden),
    )


TASKS = tuple(
    Task(
        module=__name__,
        name=NAMES[axis],
        level="medium",
        images=5,
        summary=f"Whether an object lies {words}, judged from one of two to five views that may not show it",
        needs={SELECT: POSED},
        kind=YesNo.kind,
        parameters=ForeseenParameters,
        find=partial(find, axis),
        ask=partial(ask, axis),
        reasons={**REFERENT_REASONS, **SIDE_REASONS, **SHARE_REASONS, **FORESEEN_REASONS},
        data=(OFFICIAL, *law_files(axis)),
        reads=READS,
        twins=(Twin("statement_mirrored", "turned"),),
    )
    for axis, words in (
        ("lr", "to the left or right of another"),
        ("ab", "above or below another"),
        ("fb", "in front of another or behind it"),
    )
)
