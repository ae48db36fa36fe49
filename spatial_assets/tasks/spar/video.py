"""A video with marks on it: how its frames are called, and in which of them an object is marked.

Frames are called Frame-0, Frame-1, ... in the order of the video. Of the frames that show an object well, one is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.frames import VIDEO_FRAMES
from spatial_assets.scene.model import Fact
from spatial_assets.tasks.core.candidates import Bools, Indices
from spatial_assets.tasks.core.draws import Draw, Hashes, mix_pair
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits, referents, shown
from spatial_assets.tasks.core.recount import Points
from spatial_assets.tasks.core.rejections import Rejection
from spatial_assets.tasks.core.task import Roles
from spatial_assets.tasks.core.wording import notes_of, phrases

SUITE = "spar"
NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.SEQUENCE, Fact.OBJECTS, Fact.VISIBILITY})
IMAGES = VIDEO_FRAMES
FEW_FRAMES, UNFIT = "few_frames", "unfit"
VIDEO_REASONS: Mapping[str, str] = {
    UNFIT: "no frame of the video shows an object well enough to be marked",
    FEW_FRAMES: "too few frames show the objects well to mark each in another",
}


def images(facts: SceneFacts) -> Roles:
    """The frames shown, with their roles."""
    return facts.once(_images)


def _images(facts: SceneFacts) -> Roles:
    return tuple((f"frame-{index}", place) for index, place in enumerate(facts.frames.video.tolist()))


def label(index: int | str) -> str:
    """What questions call a frame of the video."""
    return phrases(SUITE, "video")["frame"].format(number=index)


CALLED = re.compile(rf"{label('')}(?<!\w{label('')})(\d+)", re.ASCII)
"""What `called_frames` looks for: a word of its own. Letters come first, since what begins by letters is found fast."""


def called_frames(rows: pl.DataFrame) -> list[list[int]]:
    """The numbers of the frames that each question names, those with marks among them."""
    return [list(map(int, CALLED.findall(question))) for question in rows["question"].to_list()]


def called_by(task: str) -> Points:
    """`called_frames` of a task whose notes name a frame to say how frames are numbered, and point at none."""
    return partial(_called_before_notes, task)


def _called_before_notes(task: str, rows: pl.DataFrame) -> list[list[int]]:
    noted = len(CALLED.findall(" ".join(notes_of(SUITE, task))))
    return [own[: len(own) - noted] for own in called_frames(rows)]


def shown_at_all(facts: SceneFacts) -> Bools:
    """(O,): objects that the video shows at all."""
    found: Bools = np.any(shown(facts)[facts.frames.video], axis=0)
    return found


def fit_frames(facts: SceneFacts, limits: ReferentLimits) -> Bools:
    """(V, O): which frames of the video an object can be marked in."""
    found: Bools = ((facts.once(referents, limits) == 0) & shown(facts))[facts.frames.video]
    return found


@kernel
def _frames_of(fit: Bools, things: Indices, state: np.uint64, identities: Hashes) -> Indices:
    """A frame for each object, all different; -1 for those that none is left to."""
    chosen = np.full(len(things), -1, np.int64)
    counts = np.zeros(len(things), np.int64)
    taken = np.zeros(len(fit), np.bool_)
    for place in range(len(things)):
        for frame in range(len(fit)):
            counts[place] += fit[frame, things[place]]
    for _ in range(len(things)):
        # The one with the fewest frames among those that have not chosen.
        place = -1
        for other in range(len(things)):
            if counts[other] >= 0 and (place < 0 or counts[other] < counts[place]):
                place = other
        counts[place] = -1
        own = mix_pair(state, np.uint64(place))
        best = np.uint64(0)
        for frame in range(len(fit)):
            if fit[frame, things[place]] and not taken[frame]:
                rank = mix_pair(own, identities[frame])
                if chosen[place] < 0 or rank > best:
                    chosen[place], best = frame, rank
        if chosen[place] >= 0:
            taken[chosen[place]] = True
    return chosen


def marked_frames(facts: SceneFacts, limits: ReferentLimits, things: Sequence[int], draw: Draw) -> list[int]:
    """A frame of the video for each object, all different, as places in the video. Raises Rejection.

    Objects that few frames show well choose first; each takes, of the frames that are left to it, the one with the
    greatest hash.
    """
    fit, identities = facts.once(fit_frames, limits), facts.once(_identities)
    state = np.uint64(draw.rank("frames"))
    chosen: list[int] = _frames_of(fit, np.array(things, np.int64), state, identities).tolist()
    if min(chosen) < 0:
        raise Rejection(FEW_FRAMES)
    return chosen


def _identities(facts: SceneFacts) -> Hashes:
    return facts.frames.identities[facts.frames.video]
