"""Which of three objects lies on a given side of another, judged from one frame of a view set, or whether no view
tells.

As SpatialMosaic's types of attribute, of objects that the asked frame does not show. So few views show any of the three
that all of these can be withheld together, and then nothing is left that tells of any of them.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from pydantic import Field

from spatial_assets.tasks.core.answers import Choice
from spatial_assets.tasks.core.candidates import NOTHING, Candidates, Chosen, Indices, Strata, draw_key
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.spatialmosaic.foursomes import ALIKE, ALIKE_MEANT, Across
from spatial_assets.tasks.spatialmosaic.measured import NO_HASHES, turns
from spatial_assets.tasks.spatialmosaic.obj_attribute import (
    BY_NAMES_MEANT,
    NEAREST,
    OTHERS,
    Law,
    data_of,
    sets_of,
)
from spatial_assets.tasks.spatialmosaic.obj_attribute import (
    LAWS as OF_FOUR,
)
from spatial_assets.tasks.spatialmosaic.referents import noted, referred
from spatial_assets.tasks.spatialmosaic.sets import ASKED, POSED, READS, SET, view_sets
from spatial_assets.tasks.spatialmosaic.sides import AB, AXES, DIFFERENCES, SIDES, side_phrase
from spatial_assets.tasks.views.sided import NEEDED, SIDED_REASONS, SidedParameters, hidden_pairs
from spatial_assets.tasks.views.withheld import ELSEWHERE, PIXELS, diagnostics, left_of, option, share_out

NAMES = {axis: f"undetermined_attribute_{axis}" for axis in AXES}
LAWS = {**OF_FOUR, AB: Law("views", NAMES[AB])}
"""Which of three things hangs above is another matter than of four: a law of both leaves more than one of three alone,
from fewer questions. Of closer and farther the common one does."""


class AttributeParameters(SidedParameters):
    alike: int = Field(ALIKE, ge=1, le=OPTIONS - 1, description=ALIKE_MEANT)
    by_names: bool = Field(True, description=BY_NAMES_MEANT)


def find(axis: str, facts: SceneFacts, parameters: AttributeParameters) -> Candidates:
    """Every three of which one alone lies on its side of a fourth: see `foursomes`."""
    found = facts.once(hidden_pairs, parameters.referents, parameters.sides).fresh()
    place = AXES.index(axis)
    found.reject("unclear_side", found.values[SIDES][:, place] == 0)
    found, groups = _in_views_withheld_together(facts, found.settle())
    size = OPTIONS - 1
    across = Across(
        NAMES[axis],
        size,
        parameters.sides.min_gap,
        parameters.even * (parameters.alike if axis == AB else size),
    )
    law = LAWS.get(axis) if parameters.by_names else None
    found = sets_of(axis, facts, parameters.seed, across, law, found, groups)
    # The same objects may be in several choices of views.
    content = np.concatenate(
        [
            found.values[SET][:, None],
            found.frames,
            found.objects[:, :2],
            np.sort(found.values[OTHERS], axis=1),
        ],
        axis=1,
    )
    same = np.unique(content, axis=0, return_inverse=True)[1].reshape(-1)
    ranks = found.ranks(draw_key(facts.which, parameters.seed, NAMES[axis], "same"), *NO_HASHES)
    found.reject("repeated", turns(same, ranks) > 0)
    found = found.settle()
    # Nothing takes turns: of what names nearly tell few sets are left, and these few are not even.
    all_alike = Strata.of_objects(found.objects[:, 1] * 0, facts.objects.identities)
    share_out(facts, parameters, NAMES[axis], found, all_alike)
    return found


def _in_views_withheld_together(facts: SceneFacts, found: Candidates) -> tuple[Candidates, Indices]:
    """Each candidate once for every choice of as many views as can be withheld, the asked one not among them, that has
    all in it that show the object; and (N,), equal for those of one choice, frame and reference."""
    sets, rows = facts.once(view_sets), found.values[SET]
    views = sets.frames.shape[1]
    needed, asked, sizes = found.values[NEEDED], found.values[ASKED], sets.sizes[rows]
    choices = np.arange(1, 1 << views)
    digits = (choices[:, None] >> np.arange(views)) & 1
    fits = ((choices & needed[:, None]) == needed[:, None]) & (choices < (1 << sizes)[:, None])
    fits &= (choices >> asked[:, None] & 1) == 0
    fits &= digits.sum(axis=1) == ((sizes - 1) // 2)[:, None]
    at, choice = np.nonzero(fits)
    rows, asked = rows[at], asked[at]
    # By the frames and not by their places in the sequence.
    there = np.where(sets.frames == NOTHING, np.uint64(0), facts.frames.identities[sets.frames])
    withheld = (there[rows] * digits[choice].astype(np.uint64)).sum(axis=1, dtype=np.uint64)
    assert found.identities is not None
    apart = Candidates(
        found.frames[at],
        found.objects[at],
        {name: values[at] for name, values in found.values.items()},
        identities=np.concatenate([found.identities[at], withheld[:, None]], axis=1),
        rejected=found.rejected.copy(),
    )
    groups = ((rows * views + asked) * len(facts.objects) + apart.objects[:, 1]) << views
    return apart, groups + choices[choice]


def ask(
    axis: str, facts: SceneFacts, parameters: AttributeParameters, candidate: Chosen, draw: Draw
) -> Question:
    (thing, reference, *_), (asked,), values = candidate.objects, candidate.frames, candidate.values
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
            "side": side_phrase(axis, difference > 0),
        },
        given=pixel,
        noted=noted(pixel),
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
        parameters=AttributeParameters,
        find=partial(find, axis),
        ask=partial(ask, axis),
        reasons={
            **SIDED_REASONS,
            "few_others": "fewer than two others, in views that can be withheld with its own, lie clearly on the "
            "other side",
        },
        data=data_of(axis, LAWS),
        reads=READS,
    )
    for axis, words in (
        ("lr", "to the left or right of another"),
        ("ab", "above or below another"),
        ("fb", "in front of another or behind it"),
    )
)
