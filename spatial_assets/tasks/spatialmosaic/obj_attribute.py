"""Which of four objects lies on a given side of another, judged from one frame of a view set (SpatialMosaic, "Object
Attribute").

Its three published types differ in the axis. All four objects lie clearly on one side or the other, and one alone on
the side asked for. The asked frame shows all four or none of them, so that what it shows does not tell the one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from pydantic import Field

from spatial_assets.tasks.core.answers import ObjectChoice
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Indices
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.even import category_codes
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.priors import prior_file, prior_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.spatialmosaic.around import from_frames, in_directions
from spatial_assets.tasks.spatialmosaic.foreseen import FORESEEN_REASONS, ForeseenParameters
from spatial_assets.tasks.spatialmosaic.foursomes import ALIKE, ALIKE_MEANT, Across, Expected, sets_across
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
BY_NAMES_MEANT = (
    "but for left and right, leave out by what names say too, not only by where the things stand or how high such "
    "things are: rooms are not filmed from all sides alike, and what belongs together stands on one table; without, as "
    "what the law of names is fitted on"
)


class AttributeParameters(ForeseenParameters):
    alike: int = Field(ALIKE, ge=1, le=OPTIONS, description=ALIKE_MEANT)
    by_names: bool = Field(True, description=BY_NAMES_MEANT)


class Law(NamedTuple):
    """Of names: whose it is."""

    suite: str
    task: str


LAWS: Mapping[str, Law] = {axis: Law(SUITE, NAMES[axis]) for axis in (AB, FB)}
"""By axis; to the left and right of what, no name tells."""


def data_of(axis: str, laws: Mapping[str, Law]) -> tuple[str, ...]:
    """The data files by which an axis' questions are thinned out, relative to the package."""
    if axis == LR:
        return ()
    return (*((LAW_FILE,) if axis == AB else ()), prior_file(*laws[axis]))


def find(axis: str, facts: SceneFacts, parameters: AttributeParameters) -> Candidates:
    """Every four of which one alone lies on its side of a fifth: see `foursomes`."""
    found = facts.once(sided_pairs, parameters.referents, parameters.sides).fresh()
    sets = facts.once(view_sets)
    groups = (found.values[SET] * sets.frames.shape[1] + found.values[ASKED]) * len(
        facts.objects
    ) + found.objects[:, 1]
    found.reject("unclear_side", found.values[SIDES][:, AXES.index(axis)] == 0)
    found.values[GROUPS] = groups * 2 + found.values[HIDDEN]
    found = found.settle()
    # Of heights, that names tell of none of the four is too much to ask.
    alike = parameters.even * (parameters.alike if axis == AB else OPTIONS)
    across = Across(NAMES[axis], OPTIONS, parameters.sides.min_gap, alike)
    own = found.values.pop(GROUPS)
    law = LAWS.get(axis) if parameters.by_names else None
    found = sets_of(axis, facts, parameters.seed, across, law, found, own)
    # Nothing takes turns: of what names nearly tell few sets are left, and these few are not even.
    share_out(facts, parameters, NAMES[axis], found, found.objects[:, 1] * 0)
    return found


def sets_of(
    axis: str,
    facts: SceneFacts,
    seed: int,
    across: Across,
    law: Law | None,
    pairs: Candidates,
    groups: Indices,
) -> Candidates:
    """All sets of so many of which one alone lies on its side, that neither names nor where things stand tell of;
    `groups` of the pairs, (N,), are equal where objects may be offered together.
    """
    place = AXES.index(axis)
    signs = pairs.values[SIDES][:, place].astype(np.int64)
    standing = {LR: in_directions, FB: from_frames}.get(axis)
    expected = (
        facts.once(_expected, axis, law)
        if law is not None and across.alike
        else Expected.nothing(len(facts.objects))
    )
    found, members = sets_across(
        facts, seed, across, pairs, groups, signs, standing and facts.once(standing), expected
    )
    apart = np.abs(pairs.values[DIFFERENCES][:, place])
    found.values |= {OTHERS: found.objects[:, 2:], NEAREST: apart[members].min(axis=1)}
    return found


def hints(side: str, words: Sequence[str]) -> list[list[str]]:
    """What speaks for each of the things of these names where the one on that side is looked for."""
    return [
        [_hint(side, word), *(_hint(side, word, other) for k, other in enumerate(words) if k != place)]
        for place, word in enumerate(words)
    ]


def _hint(side: str, word: str, other: str | None = None) -> str:
    return f"{side}: {word}" if other is None else f"{side}: {word} | {other}"


def _expected(facts: SceneFacts, axis: str, whose: Law) -> Expected:
    law = prior_of(*whose)
    codes, _ = facts.once(category_codes)
    words = sorted(set(facts.objects.categories))
    scores = np.array([[law.score(_hint(side, word)) for word in words] for side in WORDS[axis]], np.float64)
    pairs = [
        [[law.score(_hint(side, word, other)) for other in words] for word in words] for side in WORDS[axis]
    ]
    shape = (2, len(words), len(words))
    return Expected(codes, scores.reshape(shape[:2])[:, codes], np.array(pairs, np.float64).reshape(shape))


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
        data=(OFFICIAL, *data_of(axis, LAWS)),
        reads=READS,
    )
    for axis, words in (
        ("lr", "to the left or right of another"),
        ("ab", "above or below another"),
        ("fb", "in front of another or behind it"),
    )
)
