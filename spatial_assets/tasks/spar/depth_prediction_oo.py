"""By how much the depths of two marked objects differ (SPAR, appendix 7.5, "Depth prediction").

An object's depth is the z of its box center in the camera; pairs with overlapping boxes or similar depths are skipped.
The boxes meant there are taken to be the 3D ones, as SPAR's distance tasks say outright. The depth of a third object,
marked in red, is given, so that the scale of the image is known; the pair is marked in green and blue.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Fact, Float
from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Bools, Candidates, Chosen, Indices, Strata, pairs_in_frames
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import REFERENT_REASONS, ReferentLimits, referents, reject_unfit, shown
from spatial_assets.tasks.core.marks import GRID, marker_gaps, markers, points
from spatial_assets.tasks.core.options import NO_OPTIONS, OPTION_REASONS
from spatial_assets.tasks.core.peers import with_others_of_one, wrong_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING, Rejection
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import MarkedParameters, Question, Roles, Task, Twin
from spatial_assets.tasks.spar.centers import CenterParameters

NAME = "depth_prediction_oo"
NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY})
"""What is hidden of an object need not be known: what shows of its box stands in for it (see ReferentLimits)."""


class DepthDifferenceParameters(MarkedParameters, CenterParameters):
    min_difference: float = Field(
        0.3, ge=0, description="meters; of less, rounding alone is a sixth or more. SPAR's is not published"
    )


def references(facts: SceneFacts, limits: ReferentLimits) -> Bools:
    """(F, O): objects that can be marked in a frame and whose depth there can be stated."""
    stated = ~METERS.near_rounding_boundary(facts.camera_points[..., 2])
    return shown(facts) & (facts.once(referents, limits) == 0) & stated


@kernel
def _thirds(
    frames: Indices, pairs: Indices, fit: Bools, points: Float, aspects: Float, least: float
) -> Bools:
    """(N, O): which objects can be the third: shown and fit, their marks `least` widths from the pair's marks."""
    out = np.zeros((len(pairs), fit.shape[1]), np.bool_)
    for row in range(len(pairs)):
        frame = frames[row]
        for third in range(fit.shape[1]):
            if not fit[frame, third] or third == pairs[row, 0] or third == pairs[row, 1]:
                continue
            clear = True
            for side in range(2):
                across = points[frame, third, 0] - points[frame, pairs[row, side], 0]
                down = (points[frame, third, 1] - points[frame, pairs[row, side], 1]) * aspects[frame]
                clear = clear and np.hypot(across, down) / GRID >= least
            out[row, third] = clear
    return out


def thirds_of(
    facts: SceneFacts, limits: ReferentLimits, min_mark_gap: float, frames: Indices, pairs: Indices
) -> Bools:
    """(N, O), by frames (N,) and pairs of objects (N, 2)."""
    fit = facts.once(references, limits)
    aspects = facts.frames.heights / facts.frames.widths
    return _thirds(frames, pairs, fit, facts.once(markers), aspects, min_mark_gap)


def find(facts: SceneFacts, parameters: DepthDifferenceParameters) -> Candidates:
    """Pairs of objects in a keyframe that shows a third one whose depth can be given."""
    return in_keyframes(facts, parameters).fresh()


def in_keyframes(facts: SceneFacts, parameters: DepthDifferenceParameters) -> Candidates:
    """The same for all tasks with equal limits. Not to be changed."""
    return facts.once(_in_keyframes, parameters.limits, parameters.min_difference, parameters.min_mark_gap)


def _in_keyframes(
    facts: SceneFacts, limits: ReferentLimits, min_difference: float, min_mark_gap: float
) -> Candidates:
    pairs = pairs_in_frames(shown(facts), facts.frames.keyframes)
    reject_unfit(facts, pairs, limits)
    pairs = pairs.settle()
    frames, (a, b) = pairs.frames[:, 0], pairs.objects.T
    depths = facts.camera_points[..., 2]
    differences = np.abs(depths[frames, a] - depths[frames, b])
    pairs.reject("boxes_overlap", facts.objects.overlap[a, b])
    pairs.reject("similar_depth", differences < min_difference)
    pairs.reject(ROUNDING, METERS.near_rounding_boundary(differences))
    pairs.reject("marks_touch", marker_gaps(facts, frames, a, b) < min_mark_gap)
    thirds = thirds_of(facts, limits, min_mark_gap, frames, pairs.objects)
    pairs.reject("no_reference", ~thirds.any(axis=1))
    pairs.values["thirds"] = thirds
    pairs.values["difference"] = differences
    pairs.strata = Strata.of_pairs(a, b, facts.objects.identities)
    return pairs.settle()


def find_with_options(facts: SceneFacts, parameters: DepthDifferenceParameters) -> Candidates:
    return offer(facts, NAME, parameters, facts.once(find, parameters).settle())


def offer(
    facts: SceneFacts, task: str, parameters: DepthDifferenceParameters, found: Candidates
) -> Candidates:
    """Wrong options are the differences between one of the two and other objects, there or in other images."""
    return with_others_of_one(facts, task, parameters.seed, found, "difference", METERS, parameters.options)


def ask(facts: SceneFacts, parameters: DepthDifferenceParameters, candidate: Chosen, draw: Draw) -> Question:
    (frame,) = candidate.frames
    return ask_in(facts, parameters, candidate, draw, frame, [("image", frame)])


def ask_in(
    facts: SceneFacts,
    parameters: DepthDifferenceParameters,
    candidate: Chosen,
    draw: Draw,
    frame: int,
    images: Roles,
) -> Question:
    """What is marked in a frame, with the images shown; which is green, and which third one is red, is drawn."""
    pair = candidate.objects
    thirds = np.flatnonzero(candidate.values["thirds"])
    wrong = wrong_of(candidate)
    if wrong:
        # No option may be next to the given depth, right or wrong.
        right = METERS.steps(float(candidate.values["difference"]))
        stated = METERS.steps_of(facts.camera_points[frame, thirds, 2])
        sets = np.tile(np.array([right, *wrong]), (len(thirds), 1))
        thirds = thirds[parameters.options.holds(METERS, sets, stated)]
        if len(thirds) == 0:
            raise Rejection(NO_OPTIONS)
    red = int(thirds[draw.pick("red", facts.objects.identities[thirds])])
    blue, green = pair if draw.below("blue", 2) == 0 else pair[::-1]
    roles = [("red", red), ("blue", blue), ("green", green)]
    reference = float(facts.camera_points[frame, red, 2])
    return Question(
        Number(METERS, float(candidate.values["difference"]), wrong),
        frames=images,
        objects=roles,
        slots={**facts.objects.named(roles), "reference": METERS.text(reference)},
        marks=points(frame, roles),
        given=[reference],
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="low",
        images=1,
        summary="Difference in depth of two marked objects' centers, given the depth of a third's",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Number.kind,
        parameters=DepthDifferenceParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        reasons={
            **REFERENT_REASONS,
            **OPTION_REASONS,
            "boxes_overlap": "the two objects' boxes touch or overlap",
            "similar_depth": "the two objects are nearly equally deep",
            "marks_touch": "the two marks would touch",
            "no_reference": "no third object can be marked and has a depth that can be stated",
        },
        twins=(Twin("objects_swapped", "blue"),),
    ),
)
