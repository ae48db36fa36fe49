"""What objects of a view set can be asked about, and what the text calls them.

A view shows an object clearly, or nothing of it, or too little to say; what shows too little is asked about nowhere. A
category is enough of a name where no view of the set shows another object that it may mean. Where one does, the name
is followed by the center of the object's box in the frame asked about, in pixels, as published: `suitcase(280,201)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Indices
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits, referents
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.spatialmosaic.sets import view_sets

PARTLY = ReferentLimits(
    min_area=0.001, min_vertex_fraction=0.03, max_occlusion=0.75, max_truncation=0.75, min_marker_radius=0.003
)
"""SpatialMosaic is about objects that are seen in part: three quarters may be hidden or outside the image. The least
area is 18 x 18 pixels of 640 x 480, of which a clear square of 4 x 4 makes sure that it is more than an outline."""


class MosaicReferents(Parameters):
    """What objects must show, and when a pixel tells two of a kind apart."""

    shown: ReferentLimits = PARTLY
    min_pixel_gap: float = Field(
        0.04,
        ge=0,
        description="from an object's pixel to the box of another of its kind, at least, as a share of the image's "
        "width: nearer, the pixel may mean either",
    )


PIXEL_NOTED = ("pixel",)
"""Notes of a question whose text states a pixel."""

REFERENT_REASONS: Mapping[str, str] = {
    "unclear_reference": "the asked frame shows too little of the object that is referred to",
    "ambiguous_reference": "the frames show another object that the reference's name may mean, and no pixel tells",
    "ambiguous_name": "the frames show another object that the name asked for may mean",
    "half_hidden": "the asked frame shows something of the object asked for, but too little",
    "unclear_elsewhere": "the asked frame does not show the object asked for, and no other frame shows enough of it",
}


def clear(facts: SceneFacts, limits: ReferentLimits) -> Bools:
    """(F, O): which objects each frame shows well enough; what hides them is known."""
    known = ~np.isnan(facts.observed.column("occlusion"))
    found: Bools = (facts.once(referents, limits) == 0) & known & ~facts.objects.structure
    return found


def alone(facts: SceneFacts) -> Bools:
    """(S, O): whether no view of a set shows another object that the object's name may mean."""
    sets = facts.once(view_sets)
    return _none_of(sets.frames, facts.namesakes)


def shown_somewhere(facts: SceneFacts, limits: ReferentLimits) -> Bools:
    """(S, O): whether some view of a set shows an object well enough."""
    sets = facts.once(view_sets)
    return ~_none_of(sets.frames, facts.once(clear, limits))


def seen_somewhere(facts: SceneFacts) -> Bools:
    """(S, O): whether some view of a set shows anything of an object."""
    sets = facts.once(view_sets)
    return ~_none_of(sets.frames, facts.observed.visible)


@kernel
def _none_of(frames: Indices, flags: Bools) -> Bools:
    out = np.ones((len(frames), flags.shape[1]), np.bool_)
    for row in range(len(frames)):
        for view in range(frames.shape[1]):
            frame = frames[row, view]
            if frame != NOTHING:
                for thing in range(flags.shape[1]):
                    if flags[frame, thing]:
                        out[row, thing] = False
    return out


def box_centers(facts: SceneFacts) -> Float:
    """(F, O, 2), pixels, the centers of what is visible of each object; NaN where nothing is."""
    boxes = facts.observed.column("box")
    centers: Float = (boxes[..., :2] + boxes[..., 2:]) / 2
    return centers


def pixel_tells(facts: SceneFacts, referents: MosaicReferents) -> Bools:
    """(F, O): whether a frame has no other object near the object's pixel that its name may mean."""
    boxes = facts.observed.column("box")
    gaps = referents.min_pixel_gap * facts.frames.widths
    centers = np.floor(facts.once(box_centers))
    return _tells(boxes, centers, gaps, facts.observed.visible, facts.objects.may_mean)


@kernel
def _tells(boxes: Float, centers: Float, gaps: Float, visible: Bools, may_mean: Bools) -> Bools:
    out = np.zeros(visible.shape, np.bool_)
    for frame in range(len(visible)):
        places = np.flatnonzero(visible[frame])
        for thing in places:
            x, y = centers[frame, thing, 0], centers[frame, thing, 1]
            good = True
            for other in places:
                if other != thing and may_mean[thing, other]:
                    box = boxes[frame, other]
                    across = max(box[0] - x, 0.0, x - box[2])
                    down = max(box[1] - y, 0.0, y - box[3])
                    good = good and np.hypot(across, down) >= gaps[frame]
            out[frame, thing] = good
    return out


def noted(pixel: Sequence[float]) -> tuple[str, ...]:
    """Notes of a question that names an object by a pixel, or by none: how to read it is said only where it stands."""
    return PIXEL_NOTED if pixel else ()


def referred(
    facts: SceneFacts, row: int, frame: int, thing: int, printed: Printed
) -> tuple[str, list[float]]:
    """What a set's question calls an object by way of a frame, and the pixel that it states, where it states one."""
    word = facts.objects.words[thing]
    if facts.once(alone)[row, thing]:
        return word, []
    x, y = facts.once(box_centers)[frame, thing].tolist()
    across, down = printed.point(frame, x, y)
    return f"{word}({across},{down})", [x, y]
