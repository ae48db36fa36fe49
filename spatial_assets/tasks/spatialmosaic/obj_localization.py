"""Whether and where one frame of a view set shows an object: the center of the box of what it shows (SpatialMosaic,
"Object Localization").

Its two published types differ in their form: three places and No to choose from, or the place itself. The object is
named by its category alone, and only where no view of the set shows anything else that this may mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from spatial_assets.tasks.core.answers import NO, Choice, Point
from spatial_assets.tasks.core.candidates import GROUP, Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.rendering import FILL, SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spatialmosaic.point_options import (
    NAME_REASONS,
    PLACE_REASONS,
    PLACES,
    ChoiceOfPlaceParameters,
    PlaceParameters,
    named_in_frames,
    with_places,
)
from spatial_assets.tasks.spatialmosaic.sets import (
    ASKED,
    HIDDEN,
    NEEDS,
    OFFICIAL,
    READS,
    SET,
    SUITE,
    diagnostics,
    frame_name,
    frame_roles,
    is_official,
    official,
    stems,
    view_sets,
)

CHOICE, NUMBER = "obj_localization_occ", "obj_localization_occ_na"
PIXELS = "px"
HALF = 0.5
"""Pixels: a box follows edges of pixels, so that its center moves by halves."""


@dataclass(frozen=True)
class Pixel:
    """The pixel that a place in an image, x and y, lies in."""

    value: Sequence[float]
    text: str
    kind: ClassVar[str] = Point.kind
    margin: ClassVar[float] = HALF
    margins: ClassVar[Sequence[float]] = (HALF, HALF)
    margin_unit: ClassVar[str] = PIXELS

    def options(self, draw: Draw) -> list[str]:
        raise ValueError("a pixel has no wrong options")


def find(facts: SceneFacts, parameters: PlaceParameters) -> Candidates:
    """What frames show; objects take turns."""
    found = facts.once(named_in_frames, parameters.referents).fresh()
    found.reject("hidden", found.values[HIDDEN])
    things = found.objects[:, 0]
    found.strata = Strata.of_objects(things, facts.objects.identities)
    # Two sets that ask the same of the same frame repeat each other.
    found.values[GROUP] = found.frames[:, 0] * len(facts.objects) + things
    return found


def find_with_options(facts: SceneFacts, parameters: ChoiceOfPlaceParameters) -> Candidates:
    return with_places(facts, parameters, CHOICE)


def ask(facts: SceneFacts, parameters: PlaceParameters, candidate: Chosen, draw: Draw) -> Question:
    (thing,), (frame,), values = candidate.objects, candidate.frames, candidate.values
    row, view, hidden, places = values[SET], values[ASKED], values[HIDDEN], values.get(PLACES)
    sets = facts.once(view_sets)
    name = frame_name(facts, parameters, sets, row, view)
    box = None if hidden else facts.observed.column("box")[frame, thing].tolist()
    chosen = stems(parameters, NUMBER if places is None else CHOICE, draw)
    printed = Printed(on_grid=False)
    return Question(
        _pixel(box, frame, printed)
        if places is None
        else _choice(places.tolist(), hidden, is_official(chosen), frame, printed),
        frames=frame_roles(sets, row, view),
        objects=[("target", thing)],
        slots={
            "category": facts.objects.words[thing],
            "frame": name,
            "official_frame": name[0].lower() + name[1:],
        },
        stems=chosen,
        diagnostics=diagnostics(facts, row, (thing,), view, hidden, box=box),
        printed=printed,
    )


def _pixel(box: Sequence[float] | None, frame: int, printed: Printed) -> Pixel:
    assert box is not None
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    across, down = printed.point(frame, x, y)
    return Pixel([x, y], f"({across},{down})")


def _choice(places: list[list[float]], hidden: bool, published: bool, frame: int, printed: Printed) -> Choice:
    """Three places and No. A place is another where it comes nearer to another option; nothing where a pixel shows."""
    option = official()["options"][CHOICE] if published else phrases(SUITE, CHOICE)["option"]
    texts = [option.format(x=x, y=y) for place in places for x, y in [printed.point(frame, *place)]]
    if hidden:
        return Choice(NO, texts, [0.0], 1.0, PIXELS)
    first, *others = places
    return Choice(texts[0], [*texts[1:], NO], first, min(math.dist(first, it) for it in others) / 2, PIXELS)


TASKS = (
    Task(
        module=__name__,
        name=CHOICE,
        level="medium",
        images=5,
        summary="Whether one of two to five views shows an object, and at which of three pixels",
        needs={SELECT: NEEDS},
        kind=Choice.kind,
        parameters=ChoiceOfPlaceParameters,
        find=find_with_options,
        ask=ask,
        reasons={**NAME_REASONS, **PLACE_REASONS},
        data=(OFFICIAL,),
        reads=READS,
    ),
    Task(
        module=__name__,
        name=NUMBER,
        level="medium",
        images=5,
        summary="The pixel at the center of what one of two to five views shows of an object",
        needs={FILL: NEEDS},
        kind=Point.kind,
        parameters=PlaceParameters,
        find=find,
        ask=ask,
        reasons={**NAME_REASONS, "hidden": "the asked frame does not show the object"},
        data=(OFFICIAL,),
        reads=READS,
    ),
)
