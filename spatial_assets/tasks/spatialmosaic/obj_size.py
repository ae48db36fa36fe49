"""How long the longest side of an object's box is, of which most views of a set show a part or nothing (SpatialMosaic,
"Object Size").

What is measured was not published; here it is what VSI-Bench measures, which SpatialMosaic is evaluated like.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import GROUP, NOTHING, TIER, Bools, Candidates, Chosen, draw_key
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.laws import ORIGINS, law_of_origin, laws
from spatial_assets.tasks.core.quantities import CENTIMETERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL
from spatial_assets.tasks.core.task import Question, Task, Twin
from spatial_assets.tasks.core.twins import reordered
from spatial_assets.tasks.spatialmosaic.measured import NAMED_REASONS, NO_HASHES, named_objects, turns
from spatial_assets.tasks.spatialmosaic.pairs import TENTHS, UNWANTED
from spatial_assets.tasks.spatialmosaic.referents import MosaicReferents, clear
from spatial_assets.tasks.spatialmosaic.sets import (
    NEEDS,
    READS,
    SET,
    MosaicParameters,
    diagnostics,
    frame_roles,
    stems,
    view_sets,
    without_a_view,
)

NAME = "obj_size_occ_na"
LAWS = "tasks/vsi/object_size_laws.json"
"""How large things of a name are, by which VSI-Bench's questions on sizes go as well."""
SIZE, PART, WHOLE = "size", "part", "whole"
PER_METER = 100.0
SIZE_REASONS: Mapping[str, str] = {
    "truncated": "no view shows enough of it to see where it ends",
    UNWANTED: "whether one view shows all of the object is set to be the other way in all questions",
}


class SizeParameters(MosaicParameters):
    referents: MosaicReferents = MosaicReferents()
    max_truncation: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of its surface outside the image in the view that shows most: ends must be seen",
    )
    max_missing: float = Field(
        0.1,
        ge=0,
        le=1,
        description="a view shows all of an object if neither others hide more of it nor more lies outside the image",
    )
    part_of_ten: int = Field(
        7,
        ge=0,
        le=TENTHS,
        description="of ten questions, those whose object no view shows all of: most, since what is seen in part is "
        "what the dataset is about. Its own share is not published",
    )
    usual: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of a category's sizes, the middle ones, that a name suggests: asked about half as often as "
        "others, since whoever knows the name alone comes close",
    )


def least_missing(facts: SceneFacts, referents: MosaicReferents) -> tuple[Float, Float]:
    """(S, O) each, of what the views of a set show clearly: the least that lies outside one image, and the least that
    in one view is either outside it or hidden; infinite where no view shows the object clearly."""
    sets = facts.once(view_sets)
    shown = facts.once(clear, referents.shown)
    outside = np.where(shown, facts.observed.column("truncation"), np.inf)
    missing = np.where(shown, np.maximum(outside, facts.observed.column("occlusion")), np.inf)
    least = np.full((2, len(sets), len(facts.objects)), np.inf)
    for view in sets.frames.T:
        there = view != NOTHING
        for own, each in zip(least, (outside, missing), strict=True):
            own[there] = np.fmin(own[there], each[view[there]])
    return least[0], least[1]


def find(facts: SceneFacts, parameters: SizeParameters) -> Candidates:
    """Objects take turns, those of another size than usual twice."""
    found = facts.once(named_objects, parameters.referents).fresh()
    rows, things = found.values[SET], found.objects[:, 0]
    outside, missing = facts.once(least_missing, parameters.referents)
    found.reject("truncated", outside[rows, things] > parameters.max_truncation)
    sizes = PER_METER * facts.objects.sizes.max(axis=1, initial=0.0)
    found.reject(ROUNDING, CENTIMETERS.near_rounding_boundary(sizes)[things])
    found.values |= {SIZE: sizes[things], PART: missing[rows, things] > parameters.max_missing}
    found = found.settle()
    things = found.objects[:, 0]
    part, wanted = found.values[PART], parameters.part_of_ten
    found.reject(UNWANTED, part if wanted == 0 else ~part if wanted == TENTHS else np.zeros(len(found)))
    found = found.settle()
    things, part = found.objects[:, 0], found.values[PART]
    ranks = found.ranks(draw_key(facts.which, parameters.seed, NAME, "turn"), *NO_HASHES)
    usual = is_usual(facts, parameters, sizes)[things]
    rounds = turns(2 * things + part, ranks) // np.where(usual, 1, 2)
    # Rounds of ten, as long as there are both kinds: few rooms have many objects that are seen in part.
    order = np.lexsort((ranks, rounds, part))
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order)) - np.where(part[order], (~part).sum(), 0)
    found.values[GROUP] = things
    found.values[TIER] = places // np.where(part, max(wanted, 1), max(TENTHS - wanted, 1))
    return found


def is_usual(facts: SceneFacts, parameters: SizeParameters, sizes: Float) -> Bools:
    """(O,): whether objects of these sizes (O,) are as large as their names suggest; where there is no law of a
    category's sizes, a name suggests nothing."""
    held = laws(LAWS, law_of_origin(facts.made_by))
    out = np.zeros(len(sizes), np.bool_)
    for place, word in enumerate(facts.objects.categories):
        law = held.get(word)
        if law is not None and sizes[place] > 0:
            level = float(law.level(sizes[place : place + 1])[0])
            out[place] = abs(level - 0.5) < parameters.usual / 2
    return out


def ask(facts: SceneFacts, parameters: SizeParameters, candidate: Chosen, draw: Draw) -> Question:
    (thing,), values = candidate.objects, candidate.values
    return Question(
        Number(CENTIMETERS, values[SIZE]),
        frames=frame_roles(facts.once(view_sets), values[SET]),
        objects=[("target", thing)],
        slots={"target": facts.objects.words[thing]},
        stems=stems(parameters, NAME, draw),
        diagnostics=diagnostics(facts, values[SET], (thing,), answer_is=PART if values[PART] else WHOLE),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=5,
        summary="Length of the longest side of an object that two to five views show, mostly in part, in centimeters",
        needs={FILL: NEEDS},
        kind=Number.kind,
        parameters=SizeParameters,
        find=find,
        ask=ask,
        reasons={**NAMED_REASONS, **SIZE_REASONS},
        data=(LAWS, ORIGINS),
        reads=READS,
        twins=(Twin("images_swapped", change=reordered), Twin("view_dropped", change=without_a_view)),
    ),
)
