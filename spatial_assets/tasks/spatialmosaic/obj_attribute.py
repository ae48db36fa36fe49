"""Which of four objects lies on a given side of another, judged from one frame of a view set (SpatialMosaic, "Object
Attribute").

Its three published types differ in the axis. All four objects lie clearly on one side or the other, and one alone on
the side asked for. The asked frame shows all four or none of them, so that what it shows does not tell the one.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import ObjectChoice
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Candidates, Chosen, Indices, draw_key
from spatial_assets.tasks.core.draws import Draw, Hashes, mix_columns, mix_pair
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.priors import prior_file, prior_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.spatialmosaic.foreseen import (
    FORESEEN_REASONS,
    ForeseenParameters,
    law_files,
    scores,
    thin_out,
    turns,
)
from spatial_assets.tasks.spatialmosaic.foursomes import ALIKE, ALIKE_MEANT, Across, sets_across
from spatial_assets.tasks.spatialmosaic.heights import LAW_FILE
from spatial_assets.tasks.spatialmosaic.pairs import SHARE_REASONS, share_out
from spatial_assets.tasks.spatialmosaic.referents import REFERENT_REASONS, noted, referred
from spatial_assets.tasks.spatialmosaic.sets import (
    ASKED,
    HIDDEN,
    OFFICIAL,
    POSED,
    READS,
    SET,
    SUITE,
    diagnostics,
    frame_name,
    frame_roles,
    stems,
    view_sets,
)
from spatial_assets.tasks.spatialmosaic.sides import (
    AB,
    AXES,
    DIFFERENCES,
    FB,
    LR,
    SIDE_REASONS,
    SIDES,
    WORDS,
    side_slots,
    sided_pairs,
)

NAMES = {axis: f"obj_attribute_occ_{axis}" for axis in AXES}
OTHERS, NEAREST = "others", "nearest"
"""Among the values of candidates: (N, 3), the objects on the other side, and (N,), the least distance in meters that
any of the four lies to its side."""
GROUPS = "groups"
"""Of candidates for a while, (N,): equal where objects may be offered together."""
MEASURED = (FB, LR)
"""Axes of which a law says which of four is the one: see `benchmarks/priors.py`. Of heights there is one of how high
things stand: see `heights`."""
ASIDE = "left or right"
"""In hints, for either: an image may be mirrored."""
LEVEL = 0.5
"""Of what names say of a side, so much is one level. Others are taken of the nearest: of a lamp among three mats hardly
any question would be left."""


@kernel
def others_across(
    groups: Indices,
    hidden: Bools,
    sides: Indices,
    things: Indices,
    states: Hashes,
    identities: Hashes,
    levels: Indices,
    count: int,
) -> Indices:
    """(N, count), of each row others of its group, equal numbers beside each other, that are hidden or shown like it
    and lie on the other side: those of the nearest levels, (2, O) by side, among equals of the greatest hashes; NOTHING
    where there are too few."""
    out = np.full((len(groups), count), NOTHING, np.int64)
    best = np.zeros(count, np.uint64)
    begin = 0
    for row in range(len(groups)):
        if groups[row] != groups[begin]:
            begin = row
        if sides[row] == 0:
            continue
        held, other = 0, begin
        while other < len(groups) and groups[other] == groups[row]:
            if hidden[other] == hidden[row] and sides[other] == -sides[row]:
                side = int(sides[row] > 0)
                away = min(abs(levels[side, things[other]] - levels[side, things[row]]), 63)
                lot = mix_pair(states[row], identities[things[other]]) >> np.uint64(6)
                rank = (np.uint64(63 - away) << np.uint64(58)) | lot
                slot = -1
                if held < count:
                    slot = held
                    held += 1
                elif rank > best[count - 1]:
                    slot = count - 1
                if slot >= 0:
                    while slot > 0 and rank > best[slot - 1]:
                        best[slot], out[row, slot] = best[slot - 1], out[row, slot - 1]
                        slot -= 1
                    best[slot], out[row, slot] = rank, other
            other += 1
        if held < count:
            out[row] = NOTHING
    return out


class AttributeParameters(ForeseenParameters):
    alike: int = Field(ALIKE, ge=1, le=OPTIONS, description=ALIKE_MEANT)


def own_law(axis: str) -> tuple[str, ...]:
    """The data file by which an axis' questions are thinned out, relative to the package."""
    if axis == AB:
        return (LAW_FILE,)
    return (prior_file(SUITE, NAMES[axis]),) if axis in MEASURED else law_files(axis)


def find(axis: str, facts: SceneFacts, parameters: AttributeParameters) -> Candidates:
    """Every pair of which the side is clear, with three others; references take turns.

    Were it those asked for, an object that is often offered and rarely right would tell so. Of heights, every four of
    which one alone lies on its side: see `foursomes`.
    """
    found = facts.once(sided_pairs, parameters.referents, parameters.sides).fresh()
    place = AXES.index(axis)
    sides = found.values[SIDES][:, place].astype(np.int64)
    sets = facts.once(view_sets)
    # Candidates of a set, a frame and a reference stand together.
    groups = (found.values[SET] * sets.frames.shape[1] + found.values[ASKED]) * len(
        facts.objects
    ) + found.objects[:, 1]
    found.reject("unclear_side", sides == 0)
    if axis == AB:
        found.values[GROUPS] = groups * 2 + found.values[HIDDEN]
        found = found.settle()
        across = Across(NAMES[AB], OPTIONS, parameters.sides.min_gap, parameters.even * parameters.alike)
        found = sets_by_heights(facts, parameters.seed, across, found, found.values.pop(GROUPS))
    else:
        found = _one_of_each(axis, facts, parameters, found, groups)
    share_out(facts, parameters, NAMES[axis], found, turns([axis], found.objects[:, 1]))
    return found


def sets_by_heights(
    facts: SceneFacts, seed: int, across: Across, pairs: Candidates, groups: Indices
) -> Candidates:
    """All sets of so many whose heights names do not tell."""
    place = AXES.index(AB)
    signs = pairs.values[SIDES][:, place].astype(np.int64)
    found, members = sets_across(facts, seed, across, pairs, groups, signs)
    apart = np.abs(pairs.values[DIFFERENCES][:, place])
    found.values |= {OTHERS: found.objects[:, 2:], NEAREST: apart[members].min(axis=1)}
    return found


def _one_of_each(
    axis: str, facts: SceneFacts, parameters: AttributeParameters, found: Candidates, groups: Indices
) -> Candidates:
    """Each pair with three others drawn."""
    place = AXES.index(axis)
    sides = found.values[SIDES][:, place].astype(np.int64)
    own = facts.objects.identities
    things = np.ascontiguousarray(found.objects[:, 0])
    assert found.identities is not None
    states = mix_columns(draw_key(facts.which, parameters.seed, NAMES[axis], "others"), found.identities)
    levels = np.floor(facts.once(chosen_scores, axis) / LEVEL).astype(np.int64)
    others = others_across(groups, found.values[HIDDEN], sides, things, states, own, levels, OPTIONS - 1)
    apart = np.abs(found.values[DIFFERENCES][:, place])
    found.values["drawn"] = others
    found.reject("few_others", others[:, 0] == NOTHING)
    found = found.settle()
    others = found.values.pop("drawn")
    nearest = np.abs(found.values[DIFFERENCES][:, place])
    for drawn in others.T:
        nearest = np.minimum(nearest, apart[drawn])
    found.values |= {OTHERS: things[others], NEAREST: nearest}
    signs = found.values[SIDES][:, place].astype(np.int64)
    thin_out(facts, parameters, NAMES[axis], found, _odds(facts, axis, found, signs))
    return found


def hint(side: str, word: str) -> str:
    """What speaks for a thing of this name where one on that side is looked for; what is left is right in a mirror."""
    return f"{ASIDE if side in WORDS[LR] else side}: {word}"


def chosen_scores(facts: SceneFacts, axis: str) -> Float:
    """(2, O), how likely it is that each object is the one on the negative side, or on the positive, and three others
    are not; zeros for what no name says anything of."""
    if axis not in MEASURED:
        own = facts.once(scores, axis)
        return np.stack([-own, own])
    law = prior_of(SUITE, NAMES[axis])
    words = facts.objects.categories
    found = [[law.score(hint(side, word)) for word in words] for side in WORDS[axis]]
    return np.array(found, np.float64).reshape(2, len(words))


def _odds(facts: SceneFacts, axis: str, found: Candidates, signs: Indices) -> Float:
    """(N, 4), how likely names make it that each of the four lies on the side asked for: the reference is in all."""
    offered = np.concatenate([found.objects[:, :1], found.values[OTHERS]], axis=1)
    odds: Float = facts.once(chosen_scores, axis)[(signs > 0).astype(np.int64)[:, None], offered]
    return odds


def ask(
    axis: str, facts: SceneFacts, parameters: AttributeParameters, candidate: Chosen, draw: Draw
) -> Question:
    (thing, reference, *_), values = candidate.objects, candidate.values
    row, view, hidden = values[SET], values[ASKED], values[HIDDEN]
    others = values[OTHERS].tolist()
    difference = float(values[DIFFERENCES][AXES.index(axis)])
    sets, words = facts.once(view_sets), facts.objects.words
    printed = Printed(on_grid=False)
    name, pixel = referred(facts, row, candidate.frames[0], reference, printed)
    return Question(
        ObjectChoice(
            words[thing], [words[other] for other in others], [difference], values[NEAREST], METERS.unit
        ),
        frames=frame_roles(sets, row, view),
        objects=[
            ("answer", thing),
            ("reference", reference),
            *((f"other-{place + 1}", other) for place, other in enumerate(others)),
        ],
        slots={
            "frame": frame_name(facts, parameters, sets, row, view),
            "reference": name,
            **side_slots(axis, difference > 0),
        },
        given=pixel,
        printed=printed,
        stems=stems(parameters, NAMES[axis], draw),
        noted=noted(pixel),
        diagnostics=diagnostics(facts, row, (thing, reference, *others), view, hidden),
    )


TASKS = tuple(
    Task(
        module=__name__,
        name=NAMES[axis],
        level="high",
        images=5,
        summary=f"Which of four objects lies {words}, judged from one of two to five views that may not show it",
        needs={SELECT: POSED},
        kind=ObjectChoice.kind,
        parameters=AttributeParameters,
        find=partial(find, axis),
        ask=partial(ask, axis),
        reasons={
            **REFERENT_REASONS,
            **SIDE_REASONS,
            **SHARE_REASONS,
            **FORESEEN_REASONS,
            "few_others": "fewer than three others, hidden or shown like it, lie clearly on the other side",
        },
        data=(OFFICIAL, *own_law(axis)),
        reads=READS,
    )
    for axis, words in (
        ("lr", "to the left or right of another"),
        ("ab", "above or below another"),
        ("fb", "in front of another or behind it"),
    )
)
