"""Whether the area of a room, or of several together, can be asked about, and areas that other rooms have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from spatial_assets.scene.frame_set_tables import FRAME_SETS_SHOWN
from spatial_assets.scene.frames import VIDEO
from spatial_assets.scene.model import Fact, Float
from spatial_assets.scene.tables import ROOMS
from spatial_assets.tasks.core.candidates import Candidates, about_video
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.laws import laws
from spatial_assets.tasks.core.options import NO_OPTIONS, OPTION_REASONS, Spacing
from spatial_assets.tasks.core.quantities import SQUARE_METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.video.by_law import LawParameters

LAWS = "tasks/core/video/room_size_laws.json"
SAME_AS_VIDEO = "uniform_32"
"""The set that has the frames of the 32-frame video."""
BANDS = 2
"""Four areas are all among the smaller half of rooms or all among the larger."""
NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.SEQUENCE, Fact.MESH})
"""Of the mesh the room is measured; only with the poses can one say how much of it the video shows."""
REASONS: Mapping[str, str] = {
    **OPTION_REASONS,
    "no_footprint": "the scene's rooms have not been measured",
    "unlikely_area": "too small or too large for a room",
    "open": "the scan ends where no wall stands",
    "doubtful": "the area depends on how it is measured",
    "room_unseen": "the video shows too little of the room",
}


class RoomParameters(LawParameters):
    """What tasks about a room's area have."""

    options: Spacing = Spacing(least_difference=0.5, least_share=0.05)
    min_area: float = Field(2.0, ge=0, description="square meters; less is no room but a scrap of a scan")
    max_area: float = Field(
        300.0, gt=0, description="square meters; more is no home but an error of the scan"
    )
    min_seen: float = Field(
        0.9, ge=0, le=1, description="area that the video's frames show, as a share of the room's"
    )
    max_doubt: float = Field(
        0.05,
        ge=0,
        description="spread of the area over draws and a smoother outline, as a share; no more than the method",
    )
    min_walled: float = Field(
        0.8, ge=0, le=1, description="share of the outline with a wall: the scan must end where the room does"
    )


def find(facts: SceneFacts, parameters: RoomParameters) -> Candidates:
    """The one question, if the area is what the source states or can be measured, and the video shows it."""
    room = facts.read(ROOMS)
    found = about_video(np.zeros((len(room), 0), np.int64))
    if len(room) == 0:
        found.count_out("no_footprint", 1)
        return found
    measured, low, high, walled = (
        room[name].to_numpy() for name in ("area", "area_low", "area_high", "walled")
    )
    seen = seen_area(facts)
    stated = facts.room_size
    areas = measured if stated is None else np.array([stated])
    found.reject("unlikely_area", ~((areas >= parameters.min_area) & (areas <= parameters.max_area)))
    if stated is None:
        found.reject("open", walled < parameters.min_walled)
        found.reject("doubtful", high - low > parameters.max_doubt * areas)
    # Against the mesh's own footprint: what a source states may be defined otherwise.
    found.reject("room_unseen", seen < parameters.min_seen * measured)
    found.reject(ROUNDING, SQUARE_METERS.near_rounding_boundary(areas))
    found.values["area"] = areas
    return found


def seen_area(facts: SceneFacts) -> Float:
    """(N,) of the rooms' rows, square meters of the surfaces that the video shows.

    Of other frames than the 32 that the room was measured by: as many more or fewer as cells of the plan show some.
    """
    seen: Float = facts.read(ROOMS)["seen_area"].to_numpy()
    if facts.frame_set == VIDEO:
        return seen
    rows = facts.read(FRAME_SETS_SHOWN)
    cells = dict(zip(rows["name"].to_list(), rows["cells"].to_list(), strict=True))
    own, measured = cells.get(facts.frame_set), cells.get(SAME_AS_VIDEO)
    return seen * (own / measured) if own and measured else np.zeros(len(seen))


def find_with_options(facts: SceneFacts, parameters: RoomParameters) -> Candidates:
    """Wrong options are areas that rooms have."""
    found = facts.once(find, parameters).settle().fresh()
    areas = found.values.get("area", np.zeros(0))
    wrong = laws(LAWS, parameters.law_for(facts))[""].wrong(areas, BANDS)
    known = ~np.isnan(wrong).any(axis=1)
    sets = SQUARE_METERS.steps_of(np.nan_to_num(np.concatenate([areas[:, None], wrong], axis=1)))
    found.reject(NO_OPTIONS, ~(known & parameters.options.holds(SQUARE_METERS, sets)))
    found.values["wrong"] = sets[:, 1:]
    return found
