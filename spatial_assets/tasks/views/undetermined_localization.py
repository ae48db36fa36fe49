"""Where in a frame of a view set an object lies that is hidden there, or whether no view tells.

As SpatialMosaic's type of localization, of what the frame does not show: something hides all of it. Where it would be
seen follows from other views, unless none shows it either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Choice
from spatial_assets.tasks.core.candidates import NOTHING, Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import NO_OPTIONS, OPTIONS
from spatial_assets.tasks.core.peers import peers
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spatialmosaic.pairs import THING_REASONS, asked_objects
from spatial_assets.tasks.spatialmosaic.point_options import PLACES
from spatial_assets.tasks.spatialmosaic.referents import MosaicReferents
from spatial_assets.tasks.spatialmosaic.sets import HIDDEN, POSED, READS, SET
from spatial_assets.tasks.views.withheld import (
    ELSEWHERE,
    PIXELS,
    SUITE,
    WITHHELD_REASONS,
    UndeterminedParameters,
    diagnostics,
    left_of,
    option,
    reject_few_views,
    share_out,
    showing,
)

NAME = "undetermined_localization"
COUNT = OPTIONS - 1
"""Places beside the option that nothing can be told."""
PLACE_REASONS: Mapping[str, str] = {
    **THING_REASONS,
    **WITHHELD_REASONS,
    "shown": "the asked frame shows the object, so that nothing needs to be worked out",
    "outside": "the object's center is outside the asked frame's image, or too near to its edge or to the camera",
    NO_OPTIONS: "no other frames hide the object, or its places in them are nearly the same",
}


class LocalizationParameters(UndeterminedParameters):
    referents: MosaicReferents = MosaicReferents()
    min_gap: float = Field(
        0.15,
        ge=0,
        description="between any two places offered, as a share of the image's width: places that are worked out from "
        "another view are not exact",
    )
    min_edge: float = Field(
        0.03,
        ge=0,
        lt=0.5,
        description="from a place to the image's edges, as a share of its width and height",
    )
    min_depth: float = Field(0.3, gt=0, description="meters; nearer, the center is no pixel of its own")
    max_depth: float = Field(8.0, gt=0, description="meters; a room")


def places(facts: SceneFacts) -> Float:
    """(F, O, 3): where in each image the center of each object's box lies, as shares of width and height, and its depth
    in meters; NaN behind the camera."""
    points = facts.camera_points
    depth = np.where(points[..., 2] > 0, points[..., 2], np.nan)
    pixels = np.einsum("fij,foj->foi", facts.frames.intrinsics, points)[..., :2] / depth[..., None]
    sizes = np.stack([facts.frames.widths, facts.frames.heights], axis=1)[:, None]
    found: Float = np.concatenate([pixels / sizes, depth[..., None]], axis=2)
    return found


def find(facts: SceneFacts, parameters: LocalizationParameters) -> Candidates:
    """What a frame hides and others of its set show; objects take turns.

    What several sets ask of a frame comes once before any comes again: by one set's views it can be told, and by
    another's not. Wrong places are where the object lies in other frames that hide it.
    """
    found = facts.once(asked_objects, parameters.referents).fresh()
    found.reject("shown", ~found.values[HIDDEN])
    found = found.settle()
    reject_few_views(facts, found, showing(facts, found.values[SET], found.objects), one_asked=True)
    x, y, depth = facts.once(places)[found.frames[:, 0], found.objects[:, 0]].T
    low, high = parameters.min_edge, 1.0 - parameters.min_edge
    inside = (x >= low) & (x <= high) & (y >= low) & (y <= high)
    # A comparison with NaN is false.
    found.reject("outside", ~(inside & (depth >= parameters.min_depth) & (depth <= parameters.max_depth)))
    found = found.settle()
    same = found.frames[:, 0] * len(facts.objects) + found.objects[:, 0]
    _, first, number = np.unique(same, return_index=True, return_inverse=True)
    number = number.reshape(-1)
    # Each frame and object once, so that of a set of places each is as likely to be the right one.
    pool = Candidates(found.frames[first], found.objects[first])
    frames, things = pool.frames[:, 0], pool.objects[:, 0]
    members = peers(facts, NAME, parameters.seed, pool, things, count=COUNT - 1)
    sets = np.concatenate([np.arange(len(pool))[:, None], members], axis=1)
    offered = facts.once(places)[frames, things][sets][..., :2]
    good = (members != NOTHING).all(axis=1) & _apart(facts, parameters, pool, offered)
    found.reject(NO_OPTIONS, ~good[number])
    found.values[PLACES] = offered[number]
    found = found.settle()
    own = Strata.of_objects(found.objects[:, 0], facts.objects.identities)
    share_out(facts, parameters, NAME, found, own)
    return found


def _apart(
    facts: SceneFacts, parameters: LocalizationParameters, found: Candidates, offered: Float
) -> np.ndarray:
    """(N,): whether the places of each set, (N, COUNT, 2), keep apart."""
    frames = found.frames[:, 0]
    shape = np.ones((len(found), 1, 2))
    shape[:, 0, 1] = facts.frames.heights[frames] / facts.frames.widths[frames]
    own = offered * shape
    gaps = np.linalg.norm(own[:, :, None] - own[:, None], axis=3)[:, *np.triu_indices(COUNT, 1)]
    good: np.ndarray = (gaps >= parameters.min_gap).all(axis=1)
    return good


def ask(facts: SceneFacts, parameters: LocalizationParameters, candidate: Chosen, draw: Draw) -> Question:
    (thing,), (asked,) = candidate.objects, candidate.frames
    left = left_of(facts, candidate, (thing,), draw, asked)
    size = float(facts.frames.widths[asked]), float(facts.frames.heights[asked])
    spots = [(x * size[0], y * size[1]) for x, y in candidate.values[PLACES].tolist()]
    printed = Printed(on_grid=False)
    texts = [
        phrases(SUITE, NAME)["option"].format(x=x, y=y)
        for spot in spots
        for x, y in [printed.point(asked, *spot)]
    ]
    unknown, (first, *others) = option(NAME), spots
    return Question(
        Choice(unknown, texts, first, 1.0, PIXELS)
        if left.undetermined
        else Choice(
            texts[0], [*texts[1:], unknown], first, min(math.dist(first, it) for it in others) / 2, PIXELS
        ),
        frames=left.roles(asked),
        objects=[("target", thing)],
        slots={"category": facts.objects.words[thing], "frame": left.name(asked)},
        diagnostics=diagnostics(facts, left, (thing,), asked, ELSEWHERE),
        printed=printed,
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=4,
        summary="At which of three pixels of one of two to four views an object lies that it hides, of which none may "
        "show anything",
        needs={SELECT: POSED},
        kind=Choice.kind,
        parameters=LocalizationParameters,
        find=find,
        ask=ask,
        reasons=PLACE_REASONS,
        reads=READS,
    ),
)
