"""Which of four named objects is closest to the observer, or farthest away (SPAR, "Object center distance inference").

Distances are those of the 3D boxes' centers from the camera, of the first one where there are three images. Nothing
is marked: what answers is the box of what can be seen of an object, on the 0-1000 grid, in the image in which it
appears largest, if it clearly does. Each name means one object in all that is shown. Which four are compared is drawn,
and so is whether the closest or the farthest is asked for, where both are clear; wrong options are the boxes of the
other three.

What is low in an image is near. So that boxes alone do not answer, some questions are left out: see `priors`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.geometry.rectangles import iou
from spatial_assets.scene.model import Fact, Float
from spatial_assets.tasks.core.candidates import TIER, Bools, Candidates, Chosen, Indices, Strata, draw_key
from spatial_assets.tasks.core.draws import Draw, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits, referents, shown
from spatial_assets.tasks.core.marks import boxes
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.priors import EXPECTED, PRIOR_REASONS, keep_even, prior_file
from spatial_assets.tasks.core.quantities import GRID_STEPS, METERS
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import Question, Roles, Task
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar import views
from spatial_assets.tasks.spar.anchors import Clearness, ComparedBox
from spatial_assets.tasks.spar.box_hints import chances
from spatial_assets.tasks.spar.centers import CenterParameters
from spatial_assets.tasks.spar.fours import (
    FOUR_REASONS,
    NOT_CLEAR,
    UNCLEAR,
    fours,
    in_order,
    relations,
    right_of,
    superlatives,
)
from spatial_assets.tasks.spar.views import NONE_FIT, VIEW_REASONS, VIEWS, ViewLimits, marked_in

SUITE, SINGLE, IN_VIEWS = "spar", "distance_infer_center_oc", "distance_infer_center_oc_mv"
NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY})
BOXES = "boxes"
REASONS: Mapping[str, str] = {
    **FOUR_REASONS,
    "like_boxes": "two of the boxes are nearly the same",
    EXPECTED: PRIOR_REASONS[EXPECTED],
}


class NearestParameters(CenterParameters):
    limits: ReferentLimits = ReferentLimits()
    clearness: Clearness = Clearness(min_ratio=1.15)
    max_box_iou: float = Field(
        0.6, ge=0, le=1, description="of any two boxes in one image: above, one hardly tells which is meant"
    )
    even: bool = Field(True, description="leave out what boxes suggest, as often as it takes")


class NearestInViewsParameters(NearestParameters):
    views: ViewLimits = ViewLimits()
    min_larger: float = Field(
        1.25,
        ge=1,
        description="times as much of its image must an object fill where it is boxed as in each of the others: of "
        "less, nobody can say in which it appears largest",
    )


def named(facts: SceneFacts, frames: Indices) -> Bools:
    """(N, O): objects whose names mean nothing else in any of the images (N, a)."""
    found: Bools = ~np.any([facts.namesakes[column] for column in frames.T], axis=0)
    return found


def _clearly_largest(facts: SceneFacts, frames: Indices, places: Indices, ratio: float) -> Bools:
    """(N, O): objects that fill more of the image that they are boxed in, (N, O), than of any other of (N, a)."""
    filled = facts.observed.visible_px / facts.frames.pixels[:, None]
    boxed = filled[np.take_along_axis(frames, places.clip(0), axis=1), np.arange(places.shape[1])]
    clear = places >= 0
    for view in range(frames.shape[1]):
        clear &= (places == view) | (filled[frames[:, view]] * ratio <= boxed)
    return clear


@kernel
def _alike(corners: Float, places: Indices, most: float) -> Bools:
    """(M,): whether two boxes (M, 4, 4) in one image (M, 4) have more than `most` in common."""
    out = np.zeros(len(corners), np.bool_)
    for row in range(len(corners)):
        for first in range(4):
            for second in range(first):
                if places[row, first] == places[row, second]:
                    out[row] = out[row] or iou(corners[row, first], corners[row, second]) > most
    return out


def _find(
    facts: SceneFacts, parameters: NearestParameters, task: str, frames: Indices, places: Indices
) -> Candidates:
    """Four objects each of (N, a) images, by the places (N, O) among these where they show best, negative for none."""
    key = draw_key(facts.which, parameters.seed, task, "fours")
    fit = (places >= 0) & named(facts, frames)
    states = mix_columns(key, facts.frames.identities[frames])
    found = fours(fit, states, facts.objects.identities)
    row, things = found[:, 0], found[:, 1:]
    distances = np.linalg.norm(facts.camera_points[frames[row, :1], things], axis=2)
    spots = places[row[:, None], things]
    corners = facts.once(boxes)[frames[row[:, None], spots], things]
    sets = Candidates(frames[row], things, {VIEWS: spots, "distances": distances, BOXES: corners})
    sets.count_out("few_objects", int((fit.sum(axis=1) < 4).sum()))
    relation_key = draw_key(facts.which, parameters.seed, task, "relation")
    draws = sets.ranks(relation_key, facts.frames.identities, facts.objects.identities)
    chosen = relations(distances, parameters.clearness, draws)
    sets.reject(NOT_CLEAR, chosen == UNCLEAR)
    sets.values["relation"] = chosen
    # By the object that answers.
    right = np.where(chosen == 0, distances.argmin(axis=1), distances.argmax(axis=1))
    sets.strata = Strata.of_objects(things[np.arange(len(things)), right], facts.objects.identities)
    sets.reject("like_boxes", _alike(corners, spots, parameters.max_box_iou))
    return sets


def find(facts: SceneFacts, parameters: NearestParameters) -> Candidates:
    """Named objects of a keyframe."""
    keyframes = facts.frames.keyframes
    fit = (shown(facts) & (facts.once(referents, parameters.limits) == 0))[keyframes]
    return _find(facts, parameters, SINGLE, keyframes[:, None], np.where(fit, 0, -1))


def find_in_views(facts: SceneFacts, parameters: NearestInViewsParameters) -> Candidates:
    """Named objects of three views; those in several of them come first."""
    three = views.triples(facts, parameters)
    places = marked_in(facts, three.frames, parameters.limits)
    clear = _clearly_largest(facts, three.frames, places, parameters.min_larger)
    places = np.where(clear, places, NONE_FIT)
    found = _find(facts, parameters, IN_VIEWS, three.frames, places)
    found.rejected += three.rejected
    spots = found.values[VIEWS]
    found.values[TIER] = (spots == spots[:, :1]).all(axis=1).astype(np.int64)
    return found


def _asking(
    task: str, images: Callable[[Sequence[int]], Roles], *, shows_boxes: bool = False
) -> Callable[..., Question]:
    """How a format asks; one that prints boxes as options is kept even."""

    def ask(facts: SceneFacts, parameters: NearestParameters, candidate: Chosen, draw: Draw) -> Question:
        """In which order the four are named is drawn."""
        which = int(candidate.values["relation"])
        order = draw.shuffled("order", range(len(candidate.objects)))
        things = [candidate.objects[place] for place in order]
        distances: list[float] = in_order(candidate.values["distances"], order)
        right, other = right_of(distances, which)
        corners: list[list[float]] = in_order(candidate.values[BOXES], order)
        places: list[int] = in_order(candidate.values[VIEWS], order)
        if shows_boxes and parameters.even:
            # What is printed of a box tells as much without the image as with it.
            steps = GRID_STEPS.steps_of(np.array(corners))
            keep_even(chances(SUITE, task, which, steps.tolist(), places), right, draw)
        form, printed = phrases(SUITE, task), Printed(on_grid=True)
        texts = [
            form[f"image_{place}"].format(box=printed.box(candidate.frames[place], box))
            for place, box in zip(places, corners, strict=True)
        ]
        roles = [(f"object_{place}", thing) for place, thing in enumerate(things, 1)]
        gap = abs(other - distances[right])
        return Question(
            ComparedBox(
                texts[right],
                [text for place, text in enumerate(texts) if place != right],
                [distances[right], other],
                gap,
                METERS.unit,
                [gap, gap],
            ),
            frames=images(candidate.frames),
            objects=roles,
            slots={
                **facts.objects.named(roles),
                "relation": superlatives()[which],
                "right": facts.objects.words[things[right]],
            },
            printed=printed,
        )

    return ask


TASKS = (
    Task(
        module=__name__,
        name=SINGLE,
        level="high",
        images=1,
        summary="The box of the object closest to the observer, or farthest, of four named",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=ComparedBox.kind,
        parameters=NearestParameters,
        find=find,
        ask=_asking(SINGLE, lambda frames: [("image", frames[0])]),
        ask_for={SELECT: _asking(SINGLE, lambda frames: [("image", frames[0])], shows_boxes=True)},
        reasons=REASONS,
        data=(prior_file(SUITE, SINGLE),),
    ),
    Task(
        module=__name__,
        name=IN_VIEWS,
        level="high",
        images=3,
        summary="The box, in one of three images, of the object closest to the observer, or farthest, of four named",
        needs={FILL: views.NEEDS, SELECT: views.NEEDS, SENTENCE: views.NEEDS},
        kind=ComparedBox.kind,
        parameters=NearestInViewsParameters,
        find=find_in_views,
        ask=_asking(IN_VIEWS, views.shown_views),
        ask_for={SELECT: _asking(IN_VIEWS, views.shown_views, shows_boxes=True)},
        reasons={**REASONS, **VIEW_REASONS},
        data=(prior_file(SUITE, IN_VIEWS),),
    ),
)
