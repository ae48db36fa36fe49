"""An object marked in one image, to be found in another.

The box of an object in an image is that of its visible pixels, as SPAR's image records have it (appendix 7.4: the
bounds of the object's visible vertices): it is what a person sees and can draw. Where others hide part of an object,
one may also box what it would cover by itself; objects whose two boxes differ much are skipped, so the answer is good
on either reading. The object is pointed out by a red box in the first image, so its name need not be unique; but no
other object that the name may mean may fill the same box. Wrong options are boxes of the same object in other images
that could be asked about after the same first image: so its name, its box there and all of that image agree with each.
Boxes follow the edges of pixels and so are exact: what lies halfway between two grid steps is rounded up.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.geometry.rectangles import iou
from spatial_assets.scene.model import Fact, Float
from spatial_assets.tasks.core.answers import Rectangle
from spatial_assets.tasks.core.candidates import (
    GROUP,
    Bools,
    Candidates,
    Chosen,
    Codes,
    Strata,
    frame_pairs,
    with_shared_objects,
)
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import (
    OVERLAP_REASONS,
    REFERENT_CODES,
    REFERENT_REASONS,
    ReferentLimits,
    referents,
    reject_unlinked,
    shared_counts,
    shown,
)
from spatial_assets.tasks.core.marks import GRID, box_mark, boxes
from spatial_assets.tasks.core.options import NO_OPTIONS
from spatial_assets.tasks.core.peers import with_peers, wrong_of
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import PairParameters, Question, Task

NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY, Fact.AMODAL, Fact.OVERLAP})
"""Without amodal pixels the two readings of a box cannot be compared; without overlap, nobody can say whether the
images show how they belong together, by which an object is told from others like it."""

NAME = "position_matching"
PARTLY_HIDDEN = "partly_hidden"
VERDICTS = (*REFERENT_CODES, PARTLY_HIDDEN)


class MatchingParameters(PairParameters):
    min_box_agreement: float = Field(
        0.75,
        ge=0,
        le=1,
        description="intersection over union of the visible and the unhidden box: less, and it matters which",
    )
    max_namesake_iou: float = Field(
        0.5, ge=0, le=1, description="with the red box; above, the box may mean another object of that name"
    )
    max_option_iou: float = Field(
        0.3, ge=0, le=1, description="of any two options: above, a loosely drawn box fits both"
    )


@kernel
def _agreements(fit: Bools, visible: Float, amodal: Float) -> Float:
    """(F, O): intersection over union of two boxes (F, O, 4) of each object that is fit, else 0."""
    out = np.zeros(fit.shape)
    for frame in range(fit.shape[0]):
        for thing in range(fit.shape[1]):
            if fit[frame, thing] and not np.isnan(amodal[frame, thing, 0]):
                out[frame, thing] = iou(visible[frame, thing], amodal[frame, thing])
    return out


@kernel
def _ambiguous(fit: Bools, visible: Bools, may_mean: Bools, corners: Float, most: float) -> Bools:
    """(F, O): whether another visible object that the name may mean fills more than `most` of a fit object's box."""
    out = np.zeros(fit.shape, np.bool_)
    for frame in range(fit.shape[0]):
        for thing in range(fit.shape[1]):
            if not fit[frame, thing]:
                continue
            for other in range(fit.shape[1]):
                if (
                    other != thing
                    and visible[frame, other]
                    and may_mean[thing, other]
                    and iou(corners[frame, thing], corners[frame, other]) > most
                ):
                    out[frame, thing] = True
                    break
    return out


def verdicts(facts: SceneFacts, limits: ReferentLimits, min_agreement: float) -> Codes:
    """(F, O): what keeps an object from being asked about in a frame, as a place in VERDICTS; 0 for nothing."""
    codes = facts.once(referents, limits).copy()
    seen = facts.observed
    fit = codes == 0
    agreements = _agreements(fit, seen.column("box"), seen.column("amodal_box"))
    codes[fit & (agreements < min_agreement)] = VERDICTS.index(PARTLY_HIDDEN)
    return codes


def find(facts: SceneFacts, parameters: MatchingParameters) -> Candidates:
    """Ordered pairs of keyframes that share some of what they see, with each object that both show."""
    visible = shown(facts)
    pairs = frame_pairs(facts.frames.keyframes)
    reject_unlinked(facts, pairs, parameters.min_overlap, parameters.max_overlap)
    shared = shared_counts(visible)
    found = with_shared_objects(pairs.settle(shared[pairs.frames[:, 0], pairs.frames[:, 1]]), visible)
    first, second = found.frames.T
    things = found.objects[:, 0]
    codes = facts.once(verdicts, parameters.limits, parameters.min_box_agreement)
    found.reject_coded(codes[first, things], VERDICTS)
    found.reject_coded(codes[second, things], VERDICTS)
    fit = (codes == 0) & visible
    corners = facts.once(boxes)
    ambiguous = _ambiguous(
        fit, facts.observed.visible, facts.objects.may_mean, corners, parameters.max_namesake_iou
    )
    found.reject("ambiguous_box", ambiguous[first, things])
    # The same box, asked about from another first image.
    found.values[GROUP] = second * len(facts.objects) + things
    found.strata = Strata.of_objects(things, facts.objects.identities)
    return found


@kernel
def _apart(sets: Float, most: float) -> Bools:
    """(N,): whether no two boxes of a set (N, k, 4) have more than `most` in common."""
    out = np.ones(len(sets), np.bool_)
    for row in range(len(sets)):
        for first in range(sets.shape[1]):
            for second in range(first):
                out[row] = out[row] and iou(sets[row, first], sets[row, second]) <= most
    return out


def find_with_options(facts: SceneFacts, parameters: MatchingParameters) -> Candidates:
    """Wrong options are the object's boxes in other images, those that the same first image is asked about with."""
    found = facts.once(find, parameters).settle()
    first, second = found.frames.T
    things = found.objects[:, 0]
    corners = facts.once(boxes)[second, things]
    return with_peers(
        facts,
        NAME,
        parameters.seed,
        found,
        things * len(facts.frames) + first,
        corners,
        lambda sets: _apart(corners[sets], parameters.max_option_iou),
    )


def ask(facts: SceneFacts, parameters: MatchingParameters, candidate: Chosen, draw: Draw) -> Question:
    first, second = candidate.frames
    (thing,) = candidate.objects
    roles = [("red", thing)]
    printed = Printed(on_grid=True)
    return Question(
        Rectangle(
            facts.once(boxes)[second, thing].tolist(),
            wrong_of(candidate),
            pixel=(GRID / float(facts.frames.widths[second]), GRID / float(facts.frames.heights[second])),
            show=partial(printed.box, second),
        ),
        frames=[("first", first), ("second", second)],
        objects=roles,
        slots=facts.objects.named(roles),
        marks=[box_mark(first, "red", thing)],
        printed=printed,
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=2,
        summary="The box, in the second image, of an object boxed in the first",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Rectangle.kind,
        parameters=MatchingParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        reasons={
            **REFERENT_REASONS,
            **OVERLAP_REASONS,
            PARTLY_HIDDEN: "its box would be another if what hides part of it were not there",
            "ambiguous_box": "another object of that name fills the red box too",
            NO_OPTIONS: "too few other images show it, or its boxes drawn from them overlap",
        },
    ),
)
