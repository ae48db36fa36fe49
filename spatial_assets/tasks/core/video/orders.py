"""Categories of which it is plain in which order a video first shows them.

The benchmarks' pixel thresholds are in no published code. Here a category has a first glimpse, the frame from which
someone may see it, and a first clear view, the frame from which everyone does. Of two categories the one must be clear
before the other can be glimpsed; so the order holds for every threshold between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.tasks.core.candidates import Bools, Candidates, Indices, Strata, about_video
from spatial_assets.tasks.core.draws import mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.video import shown
from spatial_assets.tasks.core.video.shown import VideoLimits, WatchedParameters, count_sets, video_of

CATEGORIES = 4
NEVER = -1
NEVER_CLEAR, TOGETHER = "never_clear", "together"
REASONS: Mapping[str, str] = {
    **shown.REASONS,
    NEVER_CLEAR: "no frame shows enough of it for a first view",
    TOGETHER: "two of them come into view too close together to be put in order",
}


class AppearanceParameters(WatchedParameters):
    """What tasks about first views have."""

    glimpse_area: float = Field(
        0.0001,
        gt=0,
        description="visible pixels, as a share of the image, that someone may notice: 31 of VGA",
    )
    clear_area: float = Field(
        0.002,
        gt=0,
        description="visible pixels, as a share of the image, that nobody overlooks: 25 x 25 of VGA",
    )
    min_gap: int = Field(
        1,
        ge=1,
        description="frames shown from one category's clear view to the next one's glimpse: two seconds of a minute",
    )


@dataclass(frozen=True)
class Appearances:
    """When each word is first seen, in positions among the frames shown."""

    glimpses: Indices
    """(W,), NEVER where there is none."""
    clears: Indices
    """(W,), of the first clear view, which is no earlier than the glimpse; NEVER where there is none."""
    places: Indices
    """(W,), the object that is seen clearly first; NEVER where none is."""


def appearances(
    facts: SceneFacts, limits: VideoLimits, glimpse_area: float, clear_area: float
) -> Appearances:
    """Of all words, in alphabetical order."""
    video = facts.once(video_of, limits)
    shares = video.shares()
    largest = np.zeros((len(shares), len(video.groups)))
    for column, group in enumerate(video.groups.values()):
        largest[:, column] = shares[:, group].max(axis=1)
    glimpsed = np.logical_or.accumulate(largest >= glimpse_area, axis=0)
    clears = _first(glimpsed & (largest >= clear_area))
    places = [
        group[shares[clear, group].argmax()] if clear != NEVER else NEVER
        for group, clear in zip(video.groups.values(), clears.tolist(), strict=True)
    ]
    return Appearances(_first(glimpsed), clears, np.array(places, np.int64))


def _first(flags: Bools) -> Indices:
    """(W,), of (V, W): the first row of each column that is true, NEVER where none is."""
    held = np.concatenate([flags, np.ones((1, flags.shape[1]), np.bool_)])
    first: Indices = held.argmax(axis=0)
    return np.where(first < len(flags), first, NEVER)


@kernel
def _in_order(glimpses: Indices, clears: Indices, gap: int) -> Indices:
    """(N, 4), all fours of (K,) that appear one after the other, each glimpsed `gap` after the one before is clear.

    Those given are in the order of their clear views, none of which comes before the same one's glimpse: so whatever
    may follow the second of three may follow the first.
    """
    count = len(glimpses)
    follows = np.zeros((count, count), np.bool_)
    for i in range(count):
        for j in range(i + 1, count):
            follows[i, j] = glimpses[j] - clears[i] >= gap
    # How many ways lead on from each, with so many still to come.
    ways = np.zeros((CATEGORIES, count), np.int64)
    total = 0
    for left in range(CATEGORIES):
        for i in range(count):
            if left == 0:
                ways[left, i] = 1
            else:
                for j in range(count):
                    ways[left, i] += ways[left - 1, j] if follows[i, j] else 0
            total += ways[left, i] if left == CATEGORIES - 1 else 0
    out = np.empty((total, CATEGORIES), np.int64)
    at = 0
    for i in range(count):
        for j in range(i + 1, count):
            if not follows[i, j] or ways[2, j] == 0:
                continue
            for k in range(j + 1, count):
                if not follows[j, k]:
                    continue
                for m in range(k + 1, count):
                    if follows[k, m]:
                        out[at, 0], out[at, 1], out[at, 2], out[at, 3] = i, j, k, m
                        at += 1
    return out


def find(facts: SceneFacts, parameters: AppearanceParameters) -> Candidates:
    """Every four words whose first views are clearly one after the other."""
    video = facts.once(video_of, parameters.limits)
    seen = facts.once(appearances, parameters.limits, parameters.glimpse_area, parameters.clear_area)
    verdicts = [
        reason or (NEVER_CLEAR if clear == NEVER else None)
        for reason, clear in zip(video.words.values(), seen.clears.tolist(), strict=True)
    ]
    known = np.array([index for index, reason in enumerate(verdicts) if reason is None], np.int64)
    known = known[np.lexsort((seen.glimpses[known], seen.clears[known]))]
    words = known[_in_order(seen.glimpses[known], seen.clears[known], parameters.min_gap)]
    found = about_video(seen.places[words])
    count_sets(found, verdicts, CATEGORIES)
    found.count_out(TOGETHER, comb(len(known), CATEGORIES) - len(found))
    # One of the four, drawn, takes its turn: by the first of them, what is seen late would come first too often.
    turn = mix_columns(0, video.identities[words]) % np.uint64(CATEGORIES)
    found.strata = Strata(words[np.arange(len(words)), turn.astype(np.int64)], video.identities)
    # Of the words, not of those that happen to be seen clearly first.
    found.identities = video.identities[words]
    return found
