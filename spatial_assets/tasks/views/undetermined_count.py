"""How many objects of a category a whole view set shows of which some views are withheld, or whether no view tells.

As SpatialMosaic's type of counting, with an option for where all views that show any of them are withheld.
"""

from __future__ import annotations

from spatial_assets.tasks.core.answers import Choice
from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.quantities import COUNT as OBJECTS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.spatialmosaic.counts import (
    COUNT,
    COUNT_REASONS,
    EVEN_REASONS,
    OFFERED,
    CountParameters,
    counted,
)
from spatial_assets.tasks.spatialmosaic.referents import MosaicReferents
from spatial_assets.tasks.spatialmosaic.sets import NEEDS, READS
from spatial_assets.tasks.views.series import offer
from spatial_assets.tasks.views.withheld import (
    PIXELS,
    SHOWN,
    WITHHELD_REASONS,
    UndeterminedParameters,
    diagnostics,
    left_of,
    option,
)

NAME = "undetermined_count"


class UndeterminedCountParameters(UndeterminedParameters):
    referents: MosaicReferents = MosaicReferents()


def find(facts: SceneFacts, parameters: UndeterminedCountParameters) -> Candidates:
    """Numbers and how many views are left take turns."""
    published = CountParameters(seed=parameters.seed, names=parameters.names, referents=parameters.referents)
    found = facts.once(counted, published).fresh()
    return offer(facts, parameters, published, NAME, found, OPTIONS - 1)


def ask(
    facts: SceneFacts, parameters: UndeterminedCountParameters, candidate: Chosen, draw: Draw
) -> Question:
    group, count = candidate.objects, candidate.values[COUNT]
    left = left_of(facts, candidate, group, draw)
    others = [number for number in candidate.values[OFFERED] if number != count]
    numbers = [others[place] for place in draw.sample("options", len(others), OPTIONS - 2)]
    right, *wrong = (OBJECTS.text_of(number) for number in (count, *numbers))
    unknown = option(NAME)
    return Question(
        Choice(unknown, [right, *wrong], [float(count)], 1.0, PIXELS)
        if left.undetermined
        else Choice(right, [*wrong, unknown], [float(count)], 1.0, OBJECTS.unit),
        frames=left.roles(),
        objects=[(f"instance-{index + 1}", place) for index, place in enumerate(group)],
        slots={"category": facts.objects.words[group[0]]},
        diagnostics=diagnostics(facts, left, group, None, SHOWN),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=4,
        summary="How many objects of a category a set of views shows, of which two to four are left that may show none",
        needs={SELECT: NEEDS},
        kind=Choice.kind,
        parameters=UndeterminedCountParameters,
        find=find,
        ask=ask,
        reasons={**COUNT_REASONS, **EVEN_REASONS, **WITHHELD_REASONS},
        reads=READS,
    ),
)
