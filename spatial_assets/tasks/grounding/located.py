"""Where an object is, told by one of the frames shown: the frame, a point in it, a depth, a size and a turn.

What `geometry.grounding.recover_box` makes the box of again. The frame is the one that shows the most of the object,
and clearly more than the next one. The point is where the box's center appears, which must lie in the image; the depth
is that of the center. Sizes are told as the view sees the box, across, along and up, with the turn between the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
from pydantic import Field

from spatial_assets.geometry.grounding import sizes_in_views
from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Parts
from spatial_assets.tasks.core.candidates import (
    GROUP,
    NOTHING,
    Candidates,
    Chosen,
    Codes,
    Indices,
    Strata,
)
from spatial_assets.tasks.core.draws import Draw, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import (
    REFERENT_CODES,
    REFERENT_REASONS,
    ReferentLimits,
    referents,
    shown,
)
from spatial_assets.tasks.core.marks import GRID, on_grid
from spatial_assets.tasks.core.printed import Printed
from spatial_assets.tasks.core.quantities import GRID_STEPS, METERS, Quantity
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.task import Question, Roles, TaskParameters
from spatial_assets.tasks.core.wording import phrases, stem_ids
from spatial_assets.tasks.grounding.descriptions import SUITE, WORDS, DescriptionLimits, described, told

LENGTHS: Mapping[int, Quantity] = {1: METERS, 2: Quantity("m", 0.01, 0.0001, 2)}
"""By decimals; the doubt is the same part of the step."""
TURN = Quantity("degree", 1.0, 0.01)
DESCRIPTION = "description"
"""Among the values of candidates, (N,): the description's place among the scene's."""
SAYS = "says-"
"""How ids of stems begin that quote the description."""
REASONS: Mapping[str, str] = {
    **REFERENT_REASONS,
    "not_told": "no words mean it and nothing else of the scene",
    "frames_alike": "another of the frames shows nearly as much of it",
    "center_outside": "the middle of its box lies outside the image that shows the most of it",
    "looking_down": "that image looks down or up too steeply to say where ahead is",
    "tilted": "its box leans, so that it has no height",
    "thin": "one of its sides would be printed as zero",
    "diagonal": "its box is turned so that which side is across the view cannot be told",
    "anchor_unseen": "no image shows well what it is told by",
}
CODES = (
    "",
    *REFERENT_REASONS,
    "frames_alike",
    "looking_down",
    "tilted",
    "center_outside",
    "thin",
    "diagonal",
    ROUNDING,
)


class LocatedParameters(TaskParameters):
    limits: ReferentLimits = ReferentLimits()
    descriptions: DescriptionLimits = DescriptionLimits()
    axes: Literal["view", "world"] = Field(
        "view",
        description="what sizes are told along: the box's own axes as the frame sees them, with a turn; or the "
        "world's, without one, as ScanRefer's boxes lie, though no image shows these axes",
    )
    decimals: int = Field(
        1,
        ge=1,
        le=2,
        description="of meters: one, as SPAR prints, costs small objects much of their box; two cost little",
    )
    min_lead: float = Field(
        1.05,
        ge=1,
        description="of the pixels that the frame shows of the object to those of the next one: a twentieth more",
    )
    min_level: float = Field(
        0.5,
        gt=0,
        le=1,
        description="share of a view's direction that is level, the cosine of its tilt: of one who looks at the floor "
        "at his feet nobody sees where ahead is",
    )
    max_tilt: float = Field(
        2.0,
        ge=0,
        description="degrees by which a box's upright axis may lean; more, and its height is another",
    )
    diagonal: float = Field(
        1.0, ge=0, description="degrees from halfway between two axes, where across and along change places"
    )


def located(facts: SceneFacts, parameters: LocatedParameters, sets: Indices, video: bool) -> Candidates:
    """Every description of every object that a set of frames shows.

    Parameters
    ----------
    sets : (T, k), places of the frames that are shown together, in order. video : whether they are all that is shown of
    the scene, so that candidates show no frames of their own.
    """
    descriptions = facts.once(told, parameters.descriptions)
    shares = facts.once(_shares)
    best, lead = _best_frames(sets, shares)
    row, thing = np.nonzero((best >= 0) & ~facts.objects.structure)
    frames = sets[row, best[row, thing]]
    numbers, points = told_numbers(facts, parameters, frames, thing)
    codes = _codes(facts, parameters, frames, thing, numbers, points, lead[row, thing])
    # Each with all that is said of its object.
    order = np.argsort(descriptions.targets, kind="stable")
    begin = np.searchsorted(descriptions.targets[order], thing)
    counts = np.searchsorted(descriptions.targets[order], thing, side="right") - begin
    own = np.repeat(np.arange(len(row)), counts)
    said = order[np.arange(len(own)) - np.repeat(np.cumsum(counts) - counts, counts) + begin[own]]
    anchors = descriptions.anchors[said]
    found = Candidates(
        np.zeros((len(own), 0), np.int64) if video else sets[row[own]],
        np.stack([thing[own], anchors], axis=1),
        {
            DESCRIPTION: said,
            "frame": best[row, thing][own],
            "numbers": np.concatenate([points, numbers], axis=1)[own],
            GROUP: said,
        },
        Strata.of_objects(thing[own], facts.objects.identities),
    )
    of_sets = mix_columns(0, facts.frames.identities[sets]) if sets.size else np.zeros(len(sets), np.uint64)
    of_words = descriptions.identities(facts)
    found.identities = np.stack([of_sets[row[own]], of_words[said]], axis=1)
    found.count_out("not_told", int((counts == 0).sum()))
    found.reject_coded(codes[own], CODES)
    fit = (facts.once(referents, parameters.limits) == 0) & shown(facts)
    needs = anchors != NOTHING
    found.reject("anchor_unseen", needs & ~fit[sets].any(axis=1)[row[own], np.where(needs, anchors, 0)])
    return found


def _shares(facts: SceneFacts) -> Float:
    """(F, O), of each image what an object fills."""
    found: Float = facts.observed.visible_px / facts.frames.pixels[:, None]
    return found


@kernel
def _best_frames(sets: Indices, shares: Float) -> tuple[Indices, Float]:
    """(T, O) twice: the place in its set of the frame that shows most of an object, -1 where none does; and how many
    times as much that is as what the next one shows."""
    best = np.full((len(sets), shares.shape[1]), -1, np.int64)
    lead = np.zeros((len(sets), shares.shape[1]))
    for row in range(len(sets)):
        for thing in range(shares.shape[1]):
            most, second = 0.0, 0.0
            for place in range(sets.shape[1]):
                share = shares[sets[row, place], thing]
                if share > most:
                    second, most = most, share
                    best[row, thing] = place
                elif share > second:
                    second = share
            if best[row, thing] >= 0:
                lead[row, thing] = most / second if second > 0.0 else np.inf
    return best, lead


def told_numbers(
    facts: SceneFacts, parameters: LocatedParameters, frames: Indices, things: Indices
) -> tuple[Float, Float]:
    """(N, 4 or 5), depth, the three sizes and, as the view sees them, the turn; and (N, 2), points on the grid."""
    objects = facts.objects
    centers = facts.camera_points[frames, things]
    pixels = np.einsum("nij,nj->ni", facts.frames.intrinsics[frames], centers)
    ahead = centers[:, 2:] > 0
    pixels = np.divide(pixels[:, :2], pixels[:, 2:], out=np.full((len(frames), 2), np.nan), where=ahead)
    points = on_grid(facts, frames, pixels)
    depths = centers[:, 2:]
    if parameters.axes == "world":
        sizes = np.einsum("nij,nj->ni", np.abs(objects.rotations[things]), objects.sizes[things])
        return np.concatenate([depths, sizes], axis=1), points
    poses = facts.frames.camera_to_world[frames]
    sizes, turns = sizes_in_views(
        objects.sizes[things], objects.rotations[things], poses, parameters.max_tilt
    )
    return np.concatenate([depths, sizes, turns[:, None]], axis=1), points


def _codes(
    facts: SceneFacts,
    parameters: LocatedParameters,
    frames: Indices,
    things: Indices,
    numbers: Float,
    points: Float,
    lead: Float,
) -> Codes:
    """(N,), what keeps an object from being told by its frame, as a place in CODES; 0 for nothing."""
    length = LENGTHS[parameters.decimals]
    codes = facts.once(referents, parameters.limits)[frames, things].copy()
    ahead = facts.frames.camera_to_world[frames, :2, 2]
    with_turn = parameters.axes == "view"
    sizes = numbers[:, 1:4]
    # A comparison with NaN is false.
    failed: dict[str, Any] = {
        "frames_alike": ~(lead >= parameters.min_lead),
        "looking_down": np.hypot(ahead[:, 0], ahead[:, 1]) < parameters.min_level,
        "tilted": np.isnan(sizes).any(axis=1),
        "center_outside": ~((points >= 0) & (points <= GRID)).all(axis=1),
        "thin": ~(sizes >= length.step / 2).all(axis=1),
        ROUNDING: length.near_rounding_boundary(numbers[:, :4]).any(axis=1)
        | GRID_STEPS.near_rounding_boundary(points).any(axis=1),
    }
    if with_turn:
        turns = numbers[:, 4]
        failed["diagonal"] = np.abs(turns) > 45.0 - parameters.diagonal
        failed[ROUNDING] |= TURN.near_rounding_boundary(turns)
    for reason in CODES[len(REFERENT_CODES) :]:
        if reason in failed:
            codes[(codes == 0) & failed[reason]] = CODES.index(reason)
    return codes


def ask_where(
    facts: SceneFacts,
    parameters: LocatedParameters,
    candidate: Chosen,
    draw: Draw,
    frames: Roles,
    task: str,
) -> Question:
    """Where the object is that is described, by the frames shown, which are called by their numbers."""
    descriptions = facts.once(told, parameters.descriptions)
    place = candidate.values[DESCRIPTION]
    words, quoted = described(facts, descriptions, place, draw)
    frame, numbers = candidate.values["frame"], candidate.values["numbers"].tolist()
    printed = Printed(on_grid=True)
    license = descriptions.licenses[place]
    return Question(
        answer_of(numbers, frame, printed, frames[frame][1], parameters),
        frames=frames,
        objects=list(zip(("target", "anchor"), candidate.objects, strict=False)),
        slots={"description": words},
        stems=_quoting(task) if license else None,
        noted=(parameters.axes, f"{parameters.decimals} decimals"),
        quoted=quoted,
        quoted_license=license or None,
        printed=printed,
    )


@cache
def _quoting(task: str) -> tuple[str, ...]:
    """Ids of the stems for collected words, which may be whole sentences and so stand after a colon alone."""
    return tuple(name for name in stem_ids(SUITE, task, published=False) if name.startswith(SAYS))


def answer_of(
    numbers: Sequence[float], frame: int, printed: Printed, place: int, parameters: LocatedParameters
) -> Parts:
    """The answer of x, y, depth, three sizes and, where there is one, a turn."""
    length = LENGTHS[parameters.decimals]
    x, y, depth, *others = numbers
    across, down = printed.point(place, x, y)
    sizes, turn = others[:3], others[3:]
    words = phrases(SUITE, WORDS)
    text = words["answer"].format(
        frame=frame,
        point=f"({across}, {down})",
        depth=length.text(depth),
        size=words["by"].join(map(length.text, sizes)),
    )
    parts = [(GRID_STEPS, x), (GRID_STEPS, y), *((length, number) for number in (depth, *sizes))]
    for angle in turn:
        text += words["turn"].format(turn=TURN.text(angle))
        parts.append((TURN, angle))
    return Parts(parts, text)
