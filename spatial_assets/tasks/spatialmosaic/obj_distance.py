"""How far an object is from the camera of one frame of a view set (SpatialMosaic, "Camera-Object Distance").

In most questions the frame does not show the object, and another of the set does: so where the object stands must be
carried over from one camera to the other.
"""

from __future__ import annotations

from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import GROUP, Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spatialmosaic.measured import (
    NEAR,
    MeasuredParameters,
    camera_distances,
)
from spatial_assets.tasks.spatialmosaic.pairs import (
    SHARE_REASONS,
    THING_REASONS,
    AskedParameters,
    asked_objects,
    share_by,
)
from spatial_assets.tasks.spatialmosaic.referents import noted, referred
from spatial_assets.tasks.spatialmosaic.sets import (
    ASKED,
    HIDDEN,
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

NAME = "obj_distance_occ_na"
DISTANCE = "distance"


class CameraDistanceParameters(MeasuredParameters, AskedParameters):
    @property
    def said(self) -> str:
        """What is measured."""
        return phrases(SUITE, NAME)[self.measure]


def find(facts: SceneFacts, parameters: CameraDistanceParameters) -> Candidates:
    """Distances take turns, since most things of a room are two to three meters off."""
    found = facts.once(asked_objects, parameters.referents).fresh()
    frame, thing = found.frames[:, 0], found.objects[:, 0]
    distances = facts.once(camera_distances, parameters.measure)[frame, thing]
    found.reject("near", distances < parameters.min_distance)
    found.reject(ROUNDING, METERS.near_rounding_boundary(distances))
    found.values[DISTANCE] = distances
    found = found.settle()
    own = Strata.of_numbers(METERS.steps_of(found.values[DISTANCE]))
    share_by(facts, parameters.seed, NAME, found, found.values[HIDDEN], parameters.hidden_of_ten, own)
    # Two sets that ask the same of the same frame repeat each other.
    found.values[GROUP] = found.frames[:, 0] * len(facts.objects) + found.objects[:, 0]
    return found


def ask(facts: SceneFacts, parameters: CameraDistanceParameters, candidate: Chosen, draw: Draw) -> Question:
    (thing,), values = candidate.objects, candidate.values
    row, view = values[SET], values[ASKED]
    sets = facts.once(view_sets)
    printed = Printed(on_grid=False)
    name, pixel = referred(facts, row, candidate.frames[0], thing, printed)
    return Question(
        Number(METERS, values[DISTANCE]),
        frames=frame_roles(sets, row, view),
        objects=[("target", thing)],
        slots={"target": name, "frame": frame_name(facts, parameters, sets, row, view)},
        given=pixel,
        printed=printed,
        stems=stems(parameters, NAME, draw),
        noted=noted(pixel),
        diagnostics=diagnostics(facts, row, (thing,), view, values[HIDDEN]),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=5,
        summary="Distance of an object from the camera of one of two to five views, which may not show it, in meters",
        needs={FILL: POSED},
        kind=Number.kind,
        parameters=CameraDistanceParameters,
        find=find,
        ask=ask,
        reasons={**THING_REASONS, **NEAR, **SHARE_REASONS},
        reads=READS,
    ),
)
