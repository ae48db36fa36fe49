"""Whether two points, marked in two views of a set, lie on one object or on two of a kind.

Both objects have the same name and are seen clearly where they are marked. Every "Yes" has a "No" that is like it: by
how much the two views share, how large what is marked shows, where the points lie and how many views there are, so that
only the images tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.answers import YesNo
from spatial_assets.tasks.core.candidates import (
    NOTHING,
    Bools,
    Candidates,
    Chosen,
    Indices,
    Strata,
    draw_key,
)
from spatial_assets.tasks.core.draws import Draw, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits
from spatial_assets.tasks.core.marks import GRID, markers, points
from spatial_assets.tasks.core.quantities import COUNT
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import UNDER_A_DISC, Question, Task, TaskParameters, Twin
from spatial_assets.tasks.spatialmosaic.counts import words_of
from spatial_assets.tasks.spatialmosaic.measured import turns
from spatial_assets.tasks.spatialmosaic.referents import PARTLY, clear
from spatial_assets.tasks.spatialmosaic.sets import (
    POSED,
    READS,
    SET,
    ViewSets,
    diagnostics,
    frame_roles,
    numbered,
    view_sets,
)
from spatial_assets.tasks.views.alike import pair_up

NAME = "same_object"
RED, BLUE = "red", "blue"
RANK = "rank"
VIEWS, SAME = "views", "same"
"""Among the values of candidates: (N, 2), the two views' places in the set, counted from 0; and (N,), whether both
marks are on one object."""
ONE, TWO = "one", "two"
MARKED = PARTLY.model_copy(
    update={"min_area": UNDER_A_DISC.min_area, "min_marker_radius": UNDER_A_DISC.min_marker_radius}
)
"""Objects may be seen in part, as everywhere in view sets; yet a disc must lie on them and leave enough to see."""
SAME_REASONS: Mapping[str, str] = {
    "close": "two objects so near to each other that they may be parts of one",
    "overlapping_boxes": "two objects whose boxes overlap, so that they may be parts of one",
    "repeated": "another set has the same marks in the same two frames",
    "no_like": "left out, so that no name, place, size or overlap of the views tells the answer: nothing of the other "
    "answer is like it",
}


class Likeness(Parameters):
    """By how much a question whose answer is Yes may differ from its like, whose answer is No."""

    overlap: float = Field(1.5, gt=1, description="ratio of the overlaps of the two views")
    size: float = Field(2.0, gt=1, description="ratio of the visible pixels of what is marked, in each view")
    place: float = Field(
        0.25, gt=0, description="between the two marks in each view, across and down, as shares of the image"
    )


class SameObjectParameters(TaskParameters):
    limits: ReferentLimits = MARKED
    likeness: Likeness = Likeness()
    min_distance: float = Field(
        0.3, ge=0, description="meters between the centers of two objects; nearer, one may take them for one"
    )


@kernel
def _marked_pairs(frames: Indices, clear: Bools, words: Indices) -> Indices:
    """(N, 5): set, the two views, and an object that each shows clearly, the same or another of its name."""
    out = np.empty((0, 5), np.int64)
    # First counted, then filled.
    for turn in range(2):
        total = 0
        for row in range(len(frames)):
            for first in range(frames.shape[1]):
                if frames[row, first] == NOTHING:
                    break
                things = np.flatnonzero(clear[frames[row, first]])
                for second in range(first + 1, frames.shape[1]):
                    if frames[row, second] == NOTHING:
                        break
                    others = np.flatnonzero(clear[frames[row, second]])
                    for thing in things:
                        for other in others:
                            if words[thing] == words[other] and words[thing] >= 0:
                                if turn == 1:
                                    out[total, 0], out[total, 1], out[total, 2] = row, first, second
                                    out[total, 3], out[total, 4] = thing, other
                                total += 1
        if turn == 0:
            out = np.empty((total, 5), np.int64)
    return out


def find(facts: SceneFacts, parameters: SameObjectParameters) -> Candidates:
    """Every two views of a set and two marks on things of one name; names and answers take turns."""
    sets, objects = facts.once(view_sets), facts.objects
    words = facts.once(words_of)
    rows, first, second, one, other = _marked_pairs(
        sets.frames, facts.once(clear, parameters.limits), words.own
    ).T
    frames = np.stack([sets.frames[rows, first], sets.frames[rows, second]], axis=1)
    found = Candidates(
        frames,
        np.stack([one, other], axis=1),
        {SET: rows, VIEWS: np.stack([first, second], axis=1), SAME: one == other},
        identities=np.stack(
            [
                sets.identities[rows],
                *facts.frames.identities[frames].T,
                objects.identities[one],
                objects.identities[other],
            ],
            axis=1,
        ),
    )
    apart = one != other
    found.reject("close", apart & (objects.center_distances[one, other] < parameters.min_distance))
    found.reject("overlapping_boxes", apart & objects.overlap[one, other])
    assert found.identities is not None
    ranks = mix_columns(draw_key(facts.which, parameters.seed, NAME, "likes"), found.identities)
    places = np.concatenate([found.frames, found.objects], axis=1)
    found.reject("repeated", turns(np.unique(places, axis=0, return_inverse=True)[1].reshape(-1), ranks) > 0)
    found.values[RANK] = ranks
    found = found.settle()
    word, same, ranks = words.own[found.objects[:, 0]], found.values[SAME], found.values.pop(RANK)
    liked = pair_up(word, same, _features(facts, sets, parameters.likeness, found), ranks)
    found.reject("no_like", ~liked)
    found = found.settle()
    word, same = words.own[found.objects[:, 0]], found.values[SAME]
    codes = 2 * word + same
    found.strata = Strata(
        codes,
        mix_columns(
            0,
            np.repeat(words.identities, 2),
            np.tile(np.arange(2, dtype=np.uint64), len(words.identities)),
        )
        if len(words.identities)
        else np.zeros(1, np.uint64),
    )
    return found


def _features(facts: SceneFacts, sets: ViewSets, likeness: Likeness, found: Candidates) -> Float:
    """(N, 10), each in units of what likes may differ by."""
    frames, things = found.frames, found.objects
    places = facts.once(markers)[frames, things] / GRID
    shares = facts.observed.visible_px[frames, things] / facts.frames.pixels[frames]
    rows, views = found.values[SET], found.values[VIEWS]
    sizes = sets.sizes[rows]
    shared = pair_overlap(sets, rows, views)
    columns = [
        np.log(np.maximum(shared, LEAST_OVERLAP))[:, None] / np.log(likeness.overlap),
        np.log(shares) / np.log(likeness.size),
        places.reshape(len(found), 4) / likeness.place,
        # Of as many views, at the same places or the next.
        sizes[:, None],
        views / 2.0,
    ]
    features: Float = np.concatenate(columns, axis=1)
    return features


LEAST_OVERLAP = 0.1
"""Percent: of less, nobody sees how much less."""


def pair_overlap(sets: ViewSets, rows: Indices, views: Indices) -> Float:
    """(N,), percent, of two views of a set, (N, 2) ascending places in it."""
    first, second = views.T
    sizes = sets.sizes[rows]
    places = first * (2 * sizes - first - 1) // 2 + second - first - 1
    width = max(map(len, sets.overlap_pairs), default=0)
    table = np.array([pairs + [np.nan] * (width - len(pairs)) for pairs in sets.overlap_pairs])
    overlap: Float = table.reshape(len(sets), width)[rows, places]
    return overlap


def _angle(facts: SceneFacts, frame: int, other: int) -> float:
    """Degrees between the directions in which two cameras look."""
    one, two = (facts.frames.camera_to_world[place, :3, 2] for place in (frame, other))
    return math.degrees(math.acos(min(1.0, max(-1.0, float(one @ two)))))


def ask(facts: SceneFacts, parameters: SameObjectParameters, candidate: Chosen, draw: Draw) -> Question:
    """Which of the two marks is red, and so named first, is drawn. How far the camera turned stands beside how many
    objects are marked, since by that it is hard to tell."""
    row, same = candidate.values[SET], candidate.values[SAME]
    marked = list(zip(candidate.values[VIEWS].tolist(), candidate.frames, candidate.objects, strict=True))
    if draw.below("first", 2):
        marked.reverse()
    (view, frame, thing), (next_view, next_frame, other) = marked
    things = (thing,) if same else (thing, other)
    return Question(
        YesNo(same, [float(len(things)), _angle(facts, frame, next_frame)], 1.0, COUNT.unit),
        frames=frame_roles(facts.once(view_sets), row),
        objects=[(RED, thing), (BLUE, other)],
        slots={
            "category": facts.objects.words[thing],
            "first": numbered(view),
            "second": numbered(next_view),
        },
        marks=[*points(frame, [(RED, thing)]), *points(next_frame, [(BLUE, other)])],
        diagnostics=diagnostics(facts, row, things, answer_is=ONE if same else TWO),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=5,
        summary="Whether two points marked in two of two to five views lie on one object or on two of a kind",
        needs={SELECT: POSED},
        kind=YesNo.kind,
        parameters=SameObjectParameters,
        find=find,
        ask=ask,
        reasons=SAME_REASONS,
        reads=READS,
        twins=(Twin("objects_swapped", "first"),),
    ),
)
