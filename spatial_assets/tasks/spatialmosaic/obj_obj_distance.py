"""How far apart two objects are that a view set shows, mostly in different views (SpatialMosaic, "Object-Object
Distance").

Two objects are apart where no view shows anything of both: then where they stand to each other must be put together
from two views. They are together where one view shows both well; what is between the two is not asked.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import GROUP, Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL
from spatial_assets.tasks.core.task import Question, Task, Twin
from spatial_assets.tasks.core.twins import reordered
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spatialmosaic.measured import (
    NAMED_REASONS,
    NEAR,
    MeasuredParameters,
    in_one_view,
    named_pairs,
    object_distances,
)
from spatial_assets.tasks.spatialmosaic.pairs import TENTHS, UNWANTED, share_by
from spatial_assets.tasks.spatialmosaic.sets import (
    NEEDS,
    READS,
    SET,
    SUITE,
    diagnostics,
    frame_roles,
    stems,
    view_sets,
    without_a_view,
)

NAME = "obj_obj_distance_occ_na"
DISTANCE, APART = "distance", "apart"
TOGETHER = "together"
PAIR_REASONS: Mapping[str, str] = {
    "half_together": "one view shows something of both objects, and none shows both well",
    UNWANTED: "whether one view shows both objects is set to be the other way in all questions",
}


class ObjectDistanceParameters(MeasuredParameters):
    apart_of_ten: int = Field(
        7,
        ge=0,
        le=TENTHS,
        description="of ten questions, those whose two objects no view shows together: most, since putting views "
        "together is what the dataset is for. Its own share is not published",
    )

    @property
    def said(self) -> str:
        """What is measured."""
        return phrases(SUITE, NAME)[self.measure]


def find(facts: SceneFacts, parameters: ObjectDistanceParameters) -> Candidates:
    """Distances take turns, since most pairs of a room are two to three meters apart."""
    found = facts.once(named_pairs, parameters.referents).fresh()
    first, second = found.objects.T
    distances = facts.once(object_distances, parameters.measure)[first, second]
    found.reject("near", distances < parameters.min_distance)
    found.reject(ROUNDING, METERS.near_rounding_boundary(distances))
    found.values[DISTANCE] = distances
    found = found.settle()
    glimpsed, shown = in_one_view(facts, found, parameters.referents)
    found.reject("half_together", glimpsed & ~shown)
    found.values[APART] = ~glimpsed
    found = found.settle()
    own = Strata.of_numbers(METERS.steps_of(found.values[DISTANCE]))
    share_by(facts, parameters.seed, NAME, found, found.values[APART], parameters.apart_of_ten, own)
    # Every two objects once apart and once together before any again.
    first, second = found.objects.T
    found.values[GROUP] = 2 * (first * len(facts.objects) + second) + found.values[APART]
    return found


def ask(facts: SceneFacts, parameters: ObjectDistanceParameters, candidate: Chosen, draw: Draw) -> Question:
    """Which of the two is named first is drawn."""
    pair, values = candidate.objects, candidate.values
    if draw.below("first", 2):
        pair = pair[::-1]
    roles = list(zip(("first", "second"), pair, strict=True))
    answer_is = APART if values[APART] else TOGETHER
    return Question(
        Number(METERS, values[DISTANCE]),
        frames=frame_roles(facts.once(view_sets), values[SET]),
        objects=roles,
        slots=facts.objects.named(roles),
        stems=stems(parameters, NAME, draw),
        diagnostics=diagnostics(facts, values[SET], pair, answer_is=answer_is),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=5,
        summary="Distance between two objects that two to five views show, mostly in different views, in meters",
        needs={FILL: NEEDS},
        kind=Number.kind,
        parameters=ObjectDistanceParameters,
        find=find,
        ask=ask,
        reasons={**NAMED_REASONS, **NEAR, **PAIR_REASONS},
        reads=READS,
        twins=(
            Twin("objects_swapped", "first"),
            Twin("images_swapped", change=reordered),
            Twin("view_dropped", change=without_a_view),
        ),
    ),
)
