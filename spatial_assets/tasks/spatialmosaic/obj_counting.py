"""How many objects of a category a view set shows, each counted once (SpatialMosaic, "Object Count").

Its two published types differ in their form: four numbers to choose from, or the number itself.
"""

from __future__ import annotations

from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.quantities import COUNT as OBJECTS
from spatial_assets.tasks.core.rendering import FILL, SELECT
from spatial_assets.tasks.core.task import Question, Task, Twin
from spatial_assets.tasks.core.twins import reordered
from spatial_assets.tasks.spatialmosaic.counts import (
    COUNT,
    COUNT_REASONS,
    EVEN_REASONS,
    OFFERED,
    SPREAD,
    CountParameters,
    counted,
    offer_evenly,
)
from spatial_assets.tasks.spatialmosaic.sets import (
    NEEDS,
    OFFICIAL,
    READS,
    SET,
    diagnostics,
    frame_roles,
    stems,
    view_sets,
    without_a_view,
)

CHOICE, NUMBER = "obj_count_occ", "obj_count_occ_na"


def find(facts: SceneFacts, parameters: CountParameters) -> Candidates:
    """Numbers take turns and, of one number, those that several views must be put together for and the others."""
    found = facts.once(counted, parameters).fresh()
    found.strata = Strata.of_numbers(2 * found.values[COUNT] + found.values[SPREAD])
    return found


def find_with_options(facts: SceneFacts, parameters: CountParameters) -> Candidates:
    found = facts.once(counted, parameters).fresh()
    offer_evenly(facts, parameters, CHOICE, found, OPTIONS, facts.once(view_sets).sizes[found.values[SET]])
    return found


def ask(facts: SceneFacts, parameters: CountParameters, candidate: Chosen, draw: Draw) -> Question:
    group, row, count = candidate.objects, candidate.values[SET], candidate.values[COUNT]
    others = [number for number in candidate.values.get(OFFERED, ()) if number != count]
    wrong = [others[place] for place in draw.sample("options", len(others), OPTIONS - 1)] if others else []
    return Question(
        Number(OBJECTS, count, wrong),
        frames=frame_roles(facts.once(view_sets), row),
        objects=[(f"instance-{index + 1}", place) for index, place in enumerate(group)],
        slots={"category": facts.objects.words[group[0]]},
        stems=stems(parameters, CHOICE if others else NUMBER, draw),
        diagnostics=diagnostics(facts, row, group),
    )


TASKS = (
    Task(
        module=__name__,
        name=CHOICE,
        level="medium",
        images=5,
        summary="How many objects of a category two to five views show together, as a choice",
        needs={SELECT: NEEDS},
        kind=Number.kind,
        parameters=CountParameters,
        find=find_with_options,
        ask=ask,
        reasons={**COUNT_REASONS, **EVEN_REASONS},
        data=(OFFICIAL,),
        reads=READS,
        twins=(Twin("images_swapped", change=reordered), Twin("view_dropped", change=without_a_view)),
    ),
    Task(
        module=__name__,
        name=NUMBER,
        level="medium",
        images=5,
        summary="How many objects of a category two to five views show together",
        needs={FILL: NEEDS},
        kind=Number.kind,
        parameters=CountParameters,
        find=find,
        ask=ask,
        reasons=COUNT_REASONS,
        data=(OFFICIAL,),
        reads=READS,
        twins=(Twin("images_swapped", change=reordered), Twin("view_dropped", change=without_a_view)),
    ),
)
