"""How VSI-Bench asks about videos: in its own words or in ours."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.video.shown import WatchedParameters
from spatial_assets.tasks.core.wording import stem_ids

PUBLISHED: Literal["official"] = "official"
"""The id of VSI-Bench's own wording among a task's stems."""


class VideoParameters(WatchedParameters):
    """What all of its tasks have."""

    wording: Literal["official", "ours", "both"] = Field(
        "both", description="official: VSI-Bench's, word for word; ours; both, half each"
    )


class DistanceParameters(VideoParameters):
    """What tasks have that measure between boxes."""

    distance: Literal["exact", "sampled"] = Field(
        "exact",
        description="between solid boxes, or as published: between points on a 5 cm grid of their shells",
    )


def stems(parameters: VideoParameters, task: str, draw: Draw) -> tuple[str, ...]:
    """Ids of the stems to draw from. With `both`, half the questions are worded officially."""
    chosen = parameters.wording
    if chosen == "both":
        chosen = PUBLISHED if draw.below("wording", 2) == 0 else "ours"
    return stem_ids("vsi", task, published=chosen == PUBLISHED)
