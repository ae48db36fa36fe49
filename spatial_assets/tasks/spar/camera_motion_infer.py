"""Where in the first image, and how deep, the camera of the second one stands (SPAR, appendix 7.5, "Camera pose").

The second camera's position is projected into the first image, on the 0-1000 grid; kept only inside the image and in
front of it. Something may stand before that position: the images show where it is all the same, by what both of them
show, and the question says that it may be hidden.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Fact, Float
from spatial_assets.scene.tables import VISIBILITY
from spatial_assets.tasks.core.answers import Point
from spatial_assets.tasks.core.candidates import Bools, Candidates, Chosen, Indices, Strata, frame_pairs
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import OVERLAP_REASONS, reject_unlinked, share_an_object
from spatial_assets.tasks.core.marks import GRID, on_grid
from spatial_assets.tasks.core.options import OPTION_REASONS
from spatial_assets.tasks.core.peers import with_peers, wrong_of
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.quantities import GRID_STEPS, METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import PairParameters, Question, Task
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar.thirds import ninth

SUITE, NAME = "spar", "camera_motion_infer"
POSED = frozenset({Fact.IMAGES, Fact.POSES, Fact.OVERLAP})
"""Of a mesh only the overlap is used; objects, where they are known, make sure that not bare walls alone are shared."""


class CameraMotionParameters(PairParameters):
    min_depth: float = Field(
        0.3, gt=0, description="meters; nearer, a centimeter moves the point by a thirtieth of the image"
    )
    option_distance: float = Field(
        100.0, gt=0, description="grid steps between the options' points: a tenth of the image is easily seen"
    )


def find(facts: SceneFacts, parameters: CameraMotionParameters) -> Candidates:
    """Ordered pairs of keyframes that share some of what they see, the second camera in the first's view."""
    pairs = frame_pairs(facts.frames.keyframes)
    reject_unlinked(facts, pairs, parameters.min_overlap, parameters.max_overlap)
    pairs = pairs.settle()
    points = cameras_in_images(facts, pairs)
    x, y, depth = points.T
    pairs.reject("behind", depth < parameters.min_depth)
    pairs.reject("outside", ~((x >= 0) & (x < GRID) & (y >= 0) & (y < GRID)))
    near = GRID_STEPS.near_rounding_boundary(points[:, :2]).any(axis=1) | METERS.near_rounding_boundary(depth)
    pairs.reject(ROUNDING, near)
    pairs.reject("no_shared_object", ~share_an_object(facts, pairs, parameters.limits))
    pairs.values["point"] = points
    pairs.strata = Strata.of_numbers(ninth(x / GRID, y / GRID))
    return pairs


def find_with_options(facts: SceneFacts, parameters: CameraMotionParameters) -> Candidates:
    """Wrong options are where other pairs' second cameras stand in their first images, and how deep."""
    found = facts.once(find, parameters).settle()
    # Of few pairs most are asked, whatever stratum they are in, and so must be what is drawn.
    found.strata = None
    points = found.values["point"]
    steps = np.concatenate([GRID_STEPS.steps_of(points[:, :2]), METERS.steps_of(points[:, 2:])], axis=1)
    everywhere = np.zeros(len(found), np.int64)

    def apart(sets: Indices) -> Bools:
        first, second = np.triu_indices(sets.shape[1], 1)
        places = steps[sets, :2]
        offsets = places[:, first] - places[:, second]
        clear: Bools = (np.hypot(offsets[..., 0], offsets[..., 1]) >= parameters.option_distance).all(axis=1)
        return clear

    return with_peers(facts, NAME, parameters.seed, found, everywhere, points, apart)


def cameras_in_images(facts: SceneFacts, pairs: Candidates) -> Float:
    """(N, 3): where the second camera stands in the first image, x and y on the grid, and how deep, meters.

    x and y are NaN in the plane of the first camera.
    """
    first, second = pairs.frames.T
    poses = facts.frames.world_to_camera[first]
    places = np.einsum("nij,nj->ni", poses[:, :3, :3], facts.frames.camera_to_world[second, :3, 3])
    places += poses[:, :3, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = np.einsum("nij,nj->ni", facts.frames.intrinsics[first], places)
        pixels = pixels[:, :2] / places[:, 2:]
    return np.concatenate([on_grid(facts, first, pixels), places[:, 2:]], axis=1)


def ask(facts: SceneFacts, parameters: CameraMotionParameters, candidate: Chosen, draw: Draw) -> Question:
    first, second = candidate.frames
    x, y, depth = candidate.values["point"].tolist()
    option = phrases(SUITE, NAME)["option"]
    printed = Printed(on_grid=True)
    (across, down), deep = printed.point(first, x, y), METERS.text(depth)
    return Question(
        Point(
            [(GRID_STEPS, x), (GRID_STEPS, y), (METERS, depth)],
            f"({across},{down}),{deep}",
            wrong=[
                option.format(x=x, y=y, depth=METERS.text(other[2]))
                for other in wrong_of(candidate)
                for x, y in [printed.point(first, *other[:2])]
            ],
            option=option.format(x=across, y=down, depth=deep),
        ),
        frames=[("first", first), ("second", second)],
        objects=(),
        slots={"x": across, "y": down, "depth": deep},
        printed=printed,
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=2,
        summary="Where in the first image, and how deep, the camera of the second image stands",
        needs={FILL: POSED, SELECT: POSED, SENTENCE: POSED},
        kind=Point.kind,
        parameters=CameraMotionParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        reads=(VISIBILITY,),
        reasons={
            **OVERLAP_REASONS,
            **OPTION_REASONS,
            "no_shared_object": "no object is seen well in both images",
            "behind": "the second camera is behind the first image, or too near to it",
            "outside": "the second camera's position falls outside the first image",
        },
    ),
)
