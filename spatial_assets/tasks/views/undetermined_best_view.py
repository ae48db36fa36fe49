"""How many objects of a category a whole view set shows of which some views are withheld, and which view left shows
most of them, or whether no view tells.

As SpatialMosaic's type of the best view, with an option for where all views that show any of them are withheld.
"""

from __future__ import annotations

from spatial_assets.tasks.core.answers import ROUNDING_STEP, Choice
from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spatialmosaic.bestview_count import (
    BEST,
    LEAD,
    BestViewParameters,
    CountAndView,
    best_views,
)
from spatial_assets.tasks.spatialmosaic.counts import COUNT, COUNT_REASONS, OFFERED, PAIR_REASONS
from spatial_assets.tasks.spatialmosaic.referents import MosaicReferents
from spatial_assets.tasks.spatialmosaic.sets import NEEDS, READS, numbered
from spatial_assets.tasks.views.series import PAIR, offer
from spatial_assets.tasks.views.withheld import (
    PIXELS,
    SHOWN,
    SUITE,
    WITHHELD_REASONS,
    UndeterminedParameters,
    diagnostics,
    left_of,
    option,
)

NAME = "undetermined_best_view"


class UndeterminedBestViewParameters(UndeterminedParameters):
    referents: MosaicReferents = MosaicReferents()


def find(facts: SceneFacts, parameters: UndeterminedBestViewParameters) -> Candidates:
    """Words, how many views are left, and numbers take turns."""
    published = BestViewParameters(
        seed=parameters.seed, names=parameters.names, referents=parameters.referents
    )
    found = facts.once(best_views, published).fresh()
    return offer(facts, parameters, published, NAME, found, PAIR)


def ask(
    facts: SceneFacts, parameters: UndeterminedBestViewParameters, candidate: Chosen, draw: Draw
) -> Question:
    """Three of two numbers by two frames, and which is drawn; where all that show any are withheld, two of the rest."""
    group, values = candidate.objects, candidate.values
    left, count, lead = left_of(facts, candidate, group, draw), values[COUNT], float(values[LEAD])
    (number,) = (number for number in values[OFFERED] if number != count)
    order = draw.shuffled("views", range(len(left.views)))
    if not left.undetermined:
        # The best one and another.
        order.sort(key=lambda place: left.views[place] != values[BEST])
    best, view = order[:2]
    word, pattern = facts.objects.words[group[0]], phrases(SUITE, NAME)["option"]
    right, *wrong = (
        pattern.format(count=one, frame=numbered(place))
        for one, place in ((count, best), (count, view), (number, best), (number, view))
    )
    wrong = [wrong[place] for place in draw.sample("wrong", len(wrong), OPTIONS - 2)]
    unknown = option(NAME)
    return Question(
        Choice(unknown, [right, *wrong], [float(count)], 1.0, PIXELS)
        if left.undetermined
        else CountAndView(
            right, [*wrong, unknown], [float(count), best + 1.0], 1.0 - 1.0 / lead, ROUNDING_STEP, lead
        ),
        frames=left.roles(),
        objects=[(f"instance-{index + 1}", place) for index, place in enumerate(group)],
        slots={"category": word},
        diagnostics=diagnostics(facts, left, group, None, SHOWN),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=4,
        summary="How many objects of a category a set of views shows, of which two to four are left, and which of "
        "these shows most of them, if any does",
        needs={SELECT: NEEDS},
        kind=Choice.kind,
        parameters=UndeterminedBestViewParameters,
        find=find,
        ask=ask,
        reasons={
            **COUNT_REASONS,
            **PAIR_REASONS,
            **WITHHELD_REASONS,
            "even_views": "two views show them on nearly as many pixels",
            "two_best": "the view with most pixels of them is not the one that shows most of them",
        },
        reads=READS,
    ),
)
