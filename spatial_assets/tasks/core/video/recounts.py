"""What holds of questions about a video where other frames of it are shown: of objects, counts, orders and rooms.

Where a format says more than others, `by_format` counts its questions again in a way of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from spatial_assets.scene.tables import ROOMS
from spatial_assets.tasks.core.candidates import NOTHING, Indices
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.recount import Asked, Held, Pointed, Recount, members
from spatial_assets.tasks.core.video.counts import CountParameters
from spatial_assets.tasks.core.video.orders import (
    NEVER,
    NEVER_CLEAR,
    TOGETHER,
    AppearanceParameters,
    Appearances,
    appearances,
)
from spatial_assets.tasks.core.video.rooms import RoomParameters, seen_area
from spatial_assets.tasks.core.video.shown import HALF_SEEN, UNSEEN, Video, WatchedParameters, video_of


def by_format(common: Recount, own: Mapping[str, Recount]) -> Recount:
    """A recount that counts questions of the formats named each in its own way, and all others in common."""

    def recount(facts: SceneFacts, parameters: Any, asked: Asked) -> Held:
        held = Held(asked)
        forms = np.array(asked.forms, object)
        for form in sorted(set(asked.forms)):
            rows = np.flatnonzero(forms == form)
            found = own.get(form, common)(facts, parameters, _some(asked, rows))
            held.reasons[rows], held.texts[rows] = found.reasons, found.texts
        return held

    return recount


def _some(asked: Asked, rows: Indices) -> Asked:
    """The questions at these places, (M,), alone."""
    places, pointed = rows.tolist(), asked.pointed
    return replace(
        asked,
        objects=asked.objects[rows],
        roles=[asked.roles[place] for place in places],
        texts=[asked.texts[place] for place in places],
        options=[asked.options[place] for place in places],
        forms=[asked.forms[place] for place in places],
        templates=[asked.templates[place] for place in places],
        pointed=pointed and Pointed(pointed.numbers[rows], pointed.frames[rows], pointed.shown[rows]),
    )


def of_objects(facts: SceneFacts, parameters: WatchedParameters, asked: Asked) -> Held:
    """What a scene's geometry answers holds wherever all its objects are seen well."""
    video = facts.once(video_of, parameters.limits)
    held = Held(asked)
    absent = asked.objects == NOTHING
    held.reject(UNSEEN, ~(members(video.glimpsed, asked.objects) | absent).all(axis=1))
    held.reject(HALF_SEEN, ~(members(video.ever_well, asked.objects) | absent).all(axis=1))
    return held


def of_counts(facts: SceneFacts, parameters: CountParameters, asked: Asked) -> Held:
    """As many as are seen well; of one that is half seen nobody can say whether it counts."""
    video = facts.once(video_of, parameters.limits)
    held = Held(asked)
    well = members(video.ever_well, asked.objects)
    glimpsed = members(video.glimpsed, asked.objects)
    held.reject(UNSEEN, ~glimpsed.any(axis=1))
    held.reject(HALF_SEEN, (glimpsed & ~well).any(axis=1))
    held.answer([str(count) for count in well.sum(axis=1).tolist()])
    return held


def of_orders(facts: SceneFacts, parameters: AppearanceParameters, asked: Asked) -> Held:
    """The order of the first clear views among the frames shown."""
    video = facts.once(video_of, parameters.limits)
    seen = facts.once(appearances, parameters.limits, parameters.glimpse_area, parameters.clear_area)
    words = video.word_of[asked.objects]
    held = Held(asked)
    held.reject(UNSEEN, (seen.glimpses[words] == NEVER).any(axis=1))
    held.reject(NEVER_CLEAR, (seen.clears[words] == NEVER).any(axis=1))
    held.reject(HALF_SEEN, ~_some_well(video)[words].all(axis=1))
    ordered = in_order(seen, words)
    gaps = [
        seen.glimpses[later] - seen.clears[earlier] < parameters.min_gap
        for earlier, later in pairwise(ordered.T)
    ]
    held.reject(TOGETHER, np.any(gaps, axis=0))
    names = list(video.groups)
    held.answer([", ".join([names[word] for word in row]) for row in ordered.tolist()])
    return held


def in_order(seen: Appearances, words: Indices) -> Indices:
    """(N, k), words in the order of their first clear views."""
    ordered: Indices = np.take_along_axis(
        words, np.lexsort((seen.glimpses[words], seen.clears[words])), axis=1
    )
    return ordered


def _some_well(video: Video) -> np.ndarray:
    """(W,), which words stand for something that is seen well."""
    return np.array([video.ever_well[group].any() for group in video.groups.values()], np.bool_)


def of_rooms(facts: SceneFacts, parameters: RoomParameters, asked: Asked) -> Held:
    """A room's area, where the frames show as much of it as the task asks of a video."""
    held = Held(asked)
    measured = facts.read(ROOMS)["area"].to_numpy()
    shown = bool(len(measured)) and bool((seen_area(facts) >= parameters.min_seen * measured).all())
    held.reject("room_unseen", np.full(len(asked), not shown))
    return held
