"""Euclidean distance between the box centers of two objects, marked in a video (SPAR, appendix 7.5, "Distance infer").

What is measured, and which pairs are skipped, is as with one image. The two are marked in red and blue, in two frames.
"""

from __future__ import annotations

import numpy as np

from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Candidates, Chosen, about_video
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.marks import points
from spatial_assets.tasks.core.options import OPTION_REASONS
from spatial_assets.tasks.core.peers import wrong_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import Question, ShownParameters, Task, Twin
from spatial_assets.tasks.core.video.named_frames import of_pointed
from spatial_assets.tasks.spar.distance_prediction_oo import (
    PAIR_REASONS,
    ObjectDistanceParameters,
    measure,
    offer,
)
from spatial_assets.tasks.spar.video import (
    FEW_FRAMES,
    IMAGES,
    NEEDS,
    UNFIT,
    VIDEO_REASONS,
    called_by,
    fit_frames,
    images,
    label,
    marked_frames,
    shown_at_all,
)

NAME = "distance_prediction_oo_video"
COLORS = ("red", "blue")


class DistanceInVideoParameters(ObjectDistanceParameters, ShownParameters):
    pass


def find(facts: SceneFacts, parameters: DistanceInVideoParameters) -> Candidates:
    """Every two objects that the video shows."""
    seen = np.flatnonzero(shown_at_all(facts))
    first, second = np.triu_indices(len(seen), 1)
    pairs = about_video(np.stack([seen[first], seen[second]], axis=1))
    fit = facts.once(fit_frames, parameters.limits)
    frames = fit.sum(axis=0)
    a, b = pairs.objects.T
    pairs.reject(UNFIT, (frames[a] == 0) | (frames[b] == 0))
    # Two frames that differ can be found but where both have the same single one.
    pairs.reject(FEW_FRAMES, (fit[:, a] | fit[:, b]).sum(axis=0) < len(COLORS))
    measure(facts, pairs, parameters.min_distance)
    return pairs


def find_with_options(facts: SceneFacts, parameters: DistanceInVideoParameters) -> Candidates:
    return offer(facts, NAME, parameters, facts.once(find, parameters).settle())


def ask(facts: SceneFacts, parameters: DistanceInVideoParameters, candidate: Chosen, draw: Draw) -> Question:
    """Which of the two is red, and in which frames they are marked, is drawn."""
    pair = candidate.objects if draw.below("red", 2) == 0 else candidate.objects[::-1]
    roles = list(zip(COLORS, pair, strict=True))
    shown = images(facts)
    frames = marked_frames(facts, parameters.limits, pair, draw)
    return Question(
        Number(METERS, candidate.values["distance"], wrong_of(candidate)),
        frames=shown,
        objects=roles,
        slots={
            **facts.objects.named(roles),
            **{f"{color}_frame": label(frame) for color, frame in zip(COLORS, frames, strict=True)},
        },
        marks=[points(shown[frame][1], [role])[0] for role, frame in zip(roles, frames, strict=True)],
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="low",
        images=IMAGES,
        summary="Straight-line distance between two objects' centers, marked in two frames of a video",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Number.kind,
        parameters=DistanceInVideoParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        recount=of_pointed,
        points=called_by(NAME),
        reasons={
            **VIDEO_REASONS,
            **OPTION_REASONS,
            **{reason: PAIR_REASONS[reason] for reason in ("boxes_overlap", "near")},
        },
        twins=(Twin("objects_swapped", "red"),),
    ),
)
