"""Which of three objects lies on a given side of another, judged from one frame of a view set, or whether no view
tells.

As SpatialMosaic's types of attribute, of objects that the asked frame does not show. The same views show all three, so
that where these are withheld, nothing is left that tells of any of them.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from spatial_assets.tasks.core.answers import Choice
from spatial_assets.tasks.core.candidates import NOTHING, Candidates, Chosen, Strata, draw_key
from spatial_assets.tasks.core.draws import Draw, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.spatialmosaic.foreseen import law_files, scores, thin_out, turns
from spatial_assets.tasks.spatialmosaic.obj_attribute import LEVEL, NEAREST, OTHERS, others_across
from spatial_assets.tasks.spatialmosaic.referents import referred
from spatial_assets.tasks.spatialmosaic.sets import ASKED, HIDDEN, POSED, READS, SET, view_sets
from spatial_assets.tasks.spatialmosaic.sides import AXES, DIFFERENCES, SIDES, side_slots
from spatial_assets.tasks.views.sided import NEEDED, SIDED_REASONS, SidedParameters, hidden_pairs
from spatial_assets.tasks.views.withheld import ELSEWHERE, PIXELS, diagnostics, left_of, option, share_out

NAMES = {axis: f"undetermined_attribute_{axis}" for axis in AXES}


def find(axis: str, facts: SceneFacts, parameters: SidedParameters) -> Candidates:
    """Every pair of which the side is clear, with two others across that the same views show; references take turns."""
    found = facts.once(hidden_pairs, parameters.referents, parameters.sides).fresh()
    place = AXES.index(axis)
    found.reject("unclear_side", found.values[SIDES][:, place] == 0)
    found = found.settle()
    sets, own = facts.once(view_sets), facts.objects.identities
    things, references = found.objects.T
    views = sets.frames.shape[1]
    groups = (found.values[SET] * views + found.values[ASKED]) * len(facts.objects) + references
    groups = (groups << views) + found.values[NEEDED]
    assert found.identities is not None
    states = mix_columns(draw_key(facts.which, parameters.seed, NAMES[axis], "others"), found.identities)
    # On either side names say the same of a thing.
    levels = np.floor(np.tile(facts.once(scores, axis), (2, 1)) / LEVEL).astype(np.int64)
    sides = found.values[SIDES][:, place].astype(np.int64)
    # What is asked of the same views stands together.
    order = np.argsort(groups, kind="stable")
    drawn = others_across(
        groups[order],
        found.values[HIDDEN][order],
        sides[order],
        things[order],
        states[order],
        own,
        levels,
        OPTIONS - 2,
    )
    others = np.empty_like(drawn)
    others[order] = np.where(drawn == NOTHING, NOTHING, order[drawn]) if len(order) else drawn
    apart = np.abs(found.values[DIFFERENCES][:, place])
    found.values |= {
        OTHERS: things[others],
        NEAREST: np.minimum(apart, apart[others].min(axis=1)) if len(found) else apart,
    }
    found.reject("few_others", others[:, 0] == NOTHING)
    found = found.settle()
    offered = np.concatenate([found.objects[:, :1], found.values[OTHERS]], axis=1)
    odds = found.values[SIDES][:, place].astype(np.int64)[:, None] * facts.once(scores, axis)[offered]
    thin_out(facts, parameters.published, NAMES[axis], found, odds)
    taking_turns = Strata.of_objects(turns([axis], found.objects[:, 1]), own)
    share_out(facts, parameters, NAMES[axis], found, taking_turns)
    return found


def ask(axis: str, facts: SceneFacts, parameters: SidedParameters, candidate: Chosen, draw: Draw) -> Question:
    (thing, reference), (asked,), values = candidate.objects, candidate.frames, candidate.values
    others = values[OTHERS].tolist()
    left = left_of(facts, candidate, (thing, *others), draw, asked)
    difference = float(values[DIFFERENCES][AXES.index(axis)])
    words = facts.objects.words
    printed = Printed(on_grid=False)
    name, pixel = referred(facts, left.row, asked, reference, printed)
    unknown, rest = option(NAMES[axis]), [words[other] for other in others]
    return Question(
        Choice(unknown, [words[thing], *rest], [difference], 1.0, PIXELS)
        if left.undetermined
        else Choice(words[thing], [*rest, unknown], [difference], values[NEAREST], METERS.unit),
        frames=left.roles(asked),
        objects=[
            ("answer", thing),
            ("reference", reference),
            *((f"other-{place + 1}", other) for place, other in enumerate(others)),
        ],
        slots={
            "frame": left.name(asked),
            "reference": name,
            "side": side_slots(axis, difference > 0)["side"],
        },
        given=pixel,
        printed=printed,
        diagnostics=diagnostics(facts, left, (thing, reference, *others), asked, ELSEWHERE),
    )


TASKS = tuple(
    Task(
        module=__name__,
        name=NAMES[axis],
        level="high",
        images=4,
        summary=f"Which of three objects lies {words}, judged from one of two to four views of which none may show it",
        needs={SELECT: POSED},
        kind=Choice.kind,
        parameters=SidedParameters,
        find=partial(find, axis),
        ask=partial(ask, axis),
        reasons={
            **SIDED_REASONS,
            "few_others": "fewer than two others, in the same views as it, lie clearly on the other side",
        },
        data=law_files(axis),
        reads=READS,
    )
    for axis, words in (
        ("lr", "to the left or right of another"),
        ("ab", "above or below another"),
        ("fb", "in front of another or behind it"),
    )
)
