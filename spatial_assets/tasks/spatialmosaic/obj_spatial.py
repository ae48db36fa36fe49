"""Where an object lies relative to another, judged from one frame of a view set, in words for several axes
(SpatialMosaic, "Object Relation").

Its three published types differ in the axis of the right answer. The published options are single words for sides, of
all three axes. Where all sides are clear, one word of each axis is wrong, so that four options are the right word and
these three: the axis of which both words are offered is the right one's, and whoever sees that guesses right in half of
the rows. So an option here names a side of the type's axis and one of another: four of equal standing.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Relations
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Indices
from spatial_assets.tasks.core.draws import Draw, coins, hash_name
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.spatialmosaic.foreseen import (
    FORESEEN_REASONS,
    ForeseenParameters,
    even_out,
    law_files,
    lots,
    side_odds,
    thin_out,
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
    is_official,
    official,
    stems,
    view_sets,
)
from spatial_assets.tasks.spatialmosaic.sides import (
    AXES,
    DIFFERENCES,
    SIDE_REASONS,
    SIDES,
    WORDS,
    side_phrases,
    sided_pairs,
)

NAMES = {axis: f"obj_spatial_occ_{axis}" for axis in AXES}
SECOND = "second"
"""Among the values of candidates, (N,): the other axis that options name a side of."""
ANSWERS = np.array([hash_name("answer", str(number)) for number in range(4 * len(AXES))], np.uint64)
"""Identities of the answers that take turns."""


class SpatialParameters(ForeseenParameters):
    options: Literal["pairs", "single"] = Field(
        "pairs",
        description="pairs: a side of the type's axis and one of another, four of equal standing; single: as "
        "published, of which half of the answers can be told without an image. The official wording has them single",
    )

    @property
    def single(self) -> bool:
        return self.options == "single" or self.wording == "official"


def find(axis: str, facts: SceneFacts, parameters: SpatialParameters) -> Candidates:
    """Every pair of which the side is clear, and that of another axis, or of all; answers take turns.

    Else one would be the commonest: what the asked view does not show is mostly lower than what it shows, or closer.
    """
    found = facts.once(sided_pairs, parameters.referents, parameters.sides).fresh()
    place = AXES.index(axis)
    sides = found.values[SIDES]
    found.reject("unclear_side", sides[:, place] == 0)
    others = [other for other in range(len(AXES)) if other != place]
    clear = sides[:, others] != 0
    found.reject("unclear_others", ~(clear.all(axis=1) if parameters.single else clear.any(axis=1)))
    found = found.settle()
    found.values[SECOND] = second_axes(facts, parameters, axis, found, others)
    thin_out(facts, parameters, NAMES[axis], found, option_odds(facts, parameters, axis, found))
    found = found.settle()
    offered = 2 if parameters.single else OPTIONS
    even_out(facts, parameters, NAMES[axis], found, answers_named(parameters, axis, found), offered)
    share_out(facts, parameters, NAMES[axis], found, answers_named(parameters, axis, found), ANSWERS)
    return found


def second_axes(
    facts: SceneFacts, parameters: SpatialParameters, axis: str, found: Candidates, others: list[int]
) -> Indices:
    """(N,), of the two other axes the clear one; where both are, one of them by lot."""
    states = lots(facts, parameters.seed, NAMES[axis], SECOND, found)
    clear = found.values[SIDES][:, others] != 0
    by_lot = coins(states)
    chosen = np.where(clear.all(axis=1), by_lot, clear.argmax(axis=1))
    second: Indices = np.array(others, np.int64)[chosen]
    return second


def answers_named(parameters: SpatialParameters, axis: str, found: Candidates) -> Indices:
    """(N,), places among ANSWERS: on which sides the object lies, of the axes that are named."""
    sides = (found.values[SIDES] > 0).astype(np.int64)
    first = sides[:, AXES.index(axis)]
    if parameters.single:
        return first
    second = found.values[SECOND]
    answers: Indices = (2 * second + sides[np.arange(len(second)), second]) * 2 + first
    return answers


def option_odds(facts: SceneFacts, parameters: SpatialParameters, axis: str, found: Candidates) -> Float:
    """What names say of the options, the right one first: (N, 4), or (N, 2) where single words are offered, of which
    only the two of the type's axis can be right."""
    sides = found.values[SIDES].astype(np.int64)
    own = side_odds(facts, axis, found, sides[:, AXES.index(axis)])[:, 0]
    none = np.zeros(len(own))
    if parameters.single:
        return np.stack([own, none], axis=1)
    other = none.copy()
    for place, name in enumerate(AXES):
        here = found.values[SECOND] == place
        other[here] = side_odds(facts, name, found, sides[:, place])[here, 0]
    odds: Float = np.stack([own + other, other, own, none], axis=1)
    return odds


def ask(
    axis: str, facts: SceneFacts, parameters: SpatialParameters, candidate: Chosen, draw: Draw
) -> Question:
    (thing, reference), values = candidate.objects, candidate.values
    row, view, hidden = values[SET], values[ASKED], values[HIDDEN]
    differences = [float(number) for number in values[DIFFERENCES]]
    sets = facts.once(view_sets)
    printed = Printed(on_grid=False)
    name, pixel = referred(facts, row, candidate.frames[0], reference, printed)
    chosen = stems(parameters, NAMES[axis], draw)
    place = AXES.index(axis)
    own, *others = (place, *(other for other in range(len(AXES)) if other != place))
    # (axis, which side is said of it), the right one first.
    if parameters.single:
        said = [
            [(own, differences[own] > 0)],
            *([(other, differences[other] < 0)] for other in (own, *others)),
        ]
        value = [differences[own]]
        margins = [min(map(abs, differences))]
    else:
        second = values[SECOND]
        first_side, second_side = differences[own] > 0, differences[second] > 0
        said = [
            [(own, first_side == turned), (second, second_side == other)]
            for turned in (True, False)
            for other in (True, False)
        ]
        value = [differences[own], differences[second]]
        margins = list(map(abs, value))
    texts = [option_text(option, name, is_official(chosen)) for option in said]
    return Question(
        Relations(texts[0], texts[1:], value, margins, METERS.unit),
        frames=frame_roles(sets, row, view),
        objects=[("target", thing), ("reference", reference)],
        slots={
            "frame": frame_name(facts, parameters, sets, row, view),
            "target": facts.objects.words[thing],
            "reference": name,
        },
        given=pixel,
        printed=printed,
        stems=chosen,
        noted=noted(pixel),
        diagnostics=diagnostics(facts, row, (thing, reference), view, hidden),
    )


def option_text(said: list[tuple[int, bool]], reference: str, published: bool) -> str:
    words, held = [WORDS[AXES[place]][positive] for place, positive in said], side_phrases()
    if len(words) > 1:
        text = held["and"].join(held[f"{word}_alone"] for word in words)
    elif published:
        text = official()["options"][words[0]].format(reference=reference)
    else:
        text = held["option"].format(side=held[words[0]], reference=reference)
    return text[0].upper() + text[1:]


TASKS = tuple(
    Task(
        module=__name__,
        name=NAMES[axis],
        level="high",
        images=5,
        summary=f"Where an object lies relative to another, {words} and so on, judged from one of two to five views "
        "that may not show it",
        needs={SELECT: POSED},
        kind=Relations.kind,
        parameters=SpatialParameters,
        find=partial(find, axis),
        ask=partial(ask, axis),
        reasons={
            **REFERENT_REASONS,
            **SIDE_REASONS,
            **SHARE_REASONS,
            **FORESEEN_REASONS,
            "unclear_others": "on no other axis is it clear where the one lies, or on one of them where all are named",
        },
        data=(OFFICIAL, *law_files("ab"), *law_files("fb")),
        reads=READS,
    )
    for axis, words in (("lr", "left or right"), ("ab", "higher or lower"), ("fb", "closer or farther"))
)
