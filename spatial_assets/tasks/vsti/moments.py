"""Moments of a video as VSTI-Bench names them, `frame 5 of 32`, and what an object's name means at one of them.

Numbers are those of the frames shown: among other frames the same moment has another. A name holds for the asked frame
alone: the frame shows one object that it may mean, and shows that one well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from spatial_assets.scene.frames import VIDEO_FRAMES
from spatial_assets.scene.model import Fact, Float
from spatial_assets.tasks.core.arrays import items_of
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Candidates, Codes, Indices
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import (
    REFERENT_CODES,
    REFERENT_REASONS,
    ReferentLimits,
    referents,
    shown,
)
from spatial_assets.tasks.core.task import Roles, ShownParameters
from spatial_assets.tasks.core.wording import phrases, stem_ids

SUITE = "vsti"
NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.SEQUENCE, Fact.OBJECTS, Fact.VISIBILITY})
IMAGES = VIDEO_FRAMES
PUBLISHED: Literal["official"] = "official"
"""The id of VSTI-Bench's own wording among a task's stems."""
AMBIGUOUS = "ambiguous_name"
MOMENT_REASONS: Mapping[str, str] = {
    **REFERENT_REASONS,
    AMBIGUOUS: "the frame shows another object that the name may mean",
}
VERDICTS = (*REFERENT_CODES, AMBIGUOUS)
"""What `verdicts` gives places in."""
MOMENT, START, END = "frame", "start", "end"
"""Slots of the wording."""
ASKED = "asked-"
"""How the role of a frame begins that is asked about."""


class MomentParameters(ShownParameters):
    """What all of its tasks have."""

    wording: Literal["official", "ours", "both"] = Field(
        "both", description="official: VSTI-Bench's, word for word; ours; both, half each"
    )


class NamedParameters(MomentParameters):
    """What tasks have that name objects."""

    limits: ReferentLimits = ReferentLimits()


def stems(parameters: MomentParameters, task: str, draw: Draw) -> tuple[str, ...]:
    """Ids of the stems to draw from. With `both`, half the questions are worded officially."""
    chosen = parameters.wording
    if chosen == "both":
        chosen = PUBLISHED if draw.below("wording", 2) == 0 else "ours"
    published = stem_ids(SUITE, task, published=True) if chosen == PUBLISHED else ()
    return published or stem_ids(SUITE, task, published=False)


def numbers(facts: SceneFacts) -> Mapping[int, int]:
    """The place of each frame of the video to its number, from 1; by `facts.once`."""
    return {place: number for number, place in enumerate(facts.frames.video.tolist(), 1)}


def frame_roles(facts: SceneFacts, asked: Sequence[int]) -> Roles:
    """All frames of the video by role: `frame-0`, ..., and `asked-4` for one that is asked about."""
    return facts.once(_frame_roles, tuple(asked))


def _frame_roles(facts: SceneFacts, asked: tuple[int, ...]) -> Roles:
    own, held = list(facts.once(_shown_roles)), facts.once(numbers)
    for place in asked:
        index = held[place] - 1
        own[index] = (f"{ASKED}{index}", place)
    return tuple(own)


def _shown_roles(facts: SceneFacts) -> Roles:
    return tuple((f"frame-{index}", place) for index, place in enumerate(facts.frames.video.tolist()))


def moment_slots(facts: SceneFacts, asked: Sequence[int]) -> dict[str, str]:
    """What the wording calls one moment, or the first and the last of two."""
    held = facts.once(numbers)
    count = len(facts.frames.video)
    if len(asked) == 1:
        roles: Sequence[str] = (MOMENT,)
    else:
        roles = START, END
    words = phrases(SUITE, "moments")
    return {
        role: words[role].format(number=held[place], count=count)
        for role, place in zip(roles, asked, strict=True)
    }


def verdicts(facts: SceneFacts, limits: ReferentLimits) -> Codes:
    """(F, O), what keeps a name from meaning an object in a frame, as a place in VERDICTS; by `facts.once`."""
    codes = facts.once(referents, limits)
    return np.where((codes == 0) & facts.namesakes, np.int16(VERDICTS.index(AMBIGUOUS)), codes)


def named(facts: SceneFacts, limits: ReferentLimits) -> Bools:
    """(F, O), which objects a question about a frame can name; by `facts.once`."""
    found: Bools = shown(facts) & (facts.once(verdicts, limits) == 0)
    return found


def reject_unnamed(facts: SceneFacts, found: Candidates, limits: ReferentLimits) -> None:
    """Reject candidates of one frame of which an object cannot be named there, for the first such reason."""
    codes = facts.once(verdicts, limits)
    for objects in found.objects.T:
        found.reject_coded(codes[found.frames[:, 0], objects], VERDICTS)


def video_index(facts: SceneFacts) -> Indices:
    """(F,), of each frame its place in the video; NOTHING for those that it does not show. By `facts.once`."""
    found = np.full(len(facts.frames), NOTHING, np.int64)
    found[facts.frames.video] = np.arange(len(facts.frames.video))
    return found


def asked_frames(rows: pl.DataFrame) -> list[list[int]]:
    """Among the frames that each row shows, the places of those that it asks about.

    What is so at a moment is so in any frames; a question holds where they call it as it does, `frame 5 of 32`.
    """
    items, ends = items_of(rows["frames"])
    roles = items.field("role")
    asked = np.flatnonzero(pc.starts_with(roles, ASKED).to_numpy(zero_copy_only=False))
    places = [int(role.removeprefix(ASKED)) for role in roles.take(pa.array(asked)).to_pylist()]
    return [places[begin:end] for begin, end in pairwise(np.searchsorted(asked, ends).tolist())]


def nearest_points(facts: SceneFacts) -> Float:
    """(V, O), meters from each camera of the video to the nearest point of each solid box, 0 inside of it.

    By `facts.once`.
    """
    objects = facts.objects
    cameras = facts.frames.camera_to_world[facts.frames.video, :3, 3]
    # Along the boxes' own axes.
    offsets = np.einsum("voi,oij->voj", cameras[:, None] - objects.centers[None], objects.rotations)
    beyond = np.maximum(np.abs(offsets) - objects.sizes / 2, 0.0)
    found: Float = np.sqrt(np.einsum("voj,voj->vo", beyond, beyond))
    return found
