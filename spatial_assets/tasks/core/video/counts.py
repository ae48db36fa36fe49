"""Categories of which a room has several, all of them seen well, so that they can be counted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from spatial_assets.scene.categories import is_countable
from spatial_assets.tasks.core.candidates import NOTHING, Candidates, Strata, about_video
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.video import shown
from spatial_assets.tasks.core.video.shown import VERDICTS, WatchedParameters, codes_of, video_of

REASONS: Mapping[str, str] = {
    **shown.REASONS,
    "uncountable": "people do not agree on how many of them there are",
    "few": "too few of them to be counted",
    "many": "too many of them to be counted",
}


class CountParameters(WatchedParameters):
    """What tasks have that count."""

    min_count: int = Field(2, ge=1, description="VSI-Bench's and SPAR's; of one there is nothing to count")
    max_count: int = Field(20, ge=1, description="more, and even people lose count")


def find(facts: SceneFacts, parameters: CountParameters) -> Candidates:
    """Every word that stands for several objects."""
    video = facts.once(video_of, parameters.limits)
    counts = np.array([len(group) for group in video.groups.values()], np.int64)
    objects = np.full((len(counts), counts.max(initial=0)), NOTHING, np.int64)
    for row, group in enumerate(video.groups.values()):
        objects[row, : len(group)] = group
    found = about_video(objects)
    found.reject_coded(codes_of(list(video.words.values())), VERDICTS)
    found.reject("uncountable", np.array([not is_countable(word) for word in video.categories], np.bool_))
    found.reject("few", counts < parameters.min_count)
    found.reject("many", counts > parameters.max_count)
    # Every count in turn, so that "two" is not most of the answers.
    found.strata = Strata.of_numbers(counts)
    # The rows are as long as the largest group; a hash of their objects would depend on it.
    found.identities = video.identities[:, None]
    return found
