"""How the camera of a video moved from one of its moments to a later one, and whether the video shows it.

Where a camera stands is the translation of its pose to the world; that of the inverse, negated and turned, is the same
place only if it is taken of the inverse. Two moments are linked if frames of the video lead from one to the other of
which each shares some of what it sees with the next.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Fact, Float
from spatial_assets.tasks.core.candidates import Bools, Candidates, Indices, frame_pairs
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.recount import Asked, Held
from spatial_assets.tasks.core.video.named_frames import numbers_now, of_numbered
from spatial_assets.tasks.vsti.moments import MomentParameters, video_index

NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.SEQUENCE, Fact.OVERLAP})
UNLINKED = "unlinked"
PATH_REASONS: Mapping[str, str] = {
    "apart": "too few or too many frames lie between the two moments",
    UNLINKED: "no frames of the video that share what they see lead from one moment to the other",
}


class PathParameters(MomentParameters):
    """What tasks about two moments have."""

    min_frames: int = Field(5, ge=1, description="frames from the first moment to the second, VSTI-Bench's")
    max_frames: int = Field(30, ge=1, description="the same at most, VSTI-Bench's")
    min_overlap: float = Field(
        0.1, ge=0, le=1, description="share of the surface seen in two frames that link; less shows no link"
    )


def moment_pairs(facts: SceneFacts, min_frames: int, max_frames: int, min_overlap: float) -> Candidates:
    """Every two moments of the video, the earlier first, with `apart`, frames from one to the other; by `facts.once`.

    `moved` (N, 3) is the way from the first to the second in a straight line, `walked` (N,) along all frames between
    them, meters of the world.
    """
    pairs = frame_pairs(facts.frames.video, ordered=False)
    index = facts.once(video_index)
    first, second = index[pairs.frames].T
    pairs.values["apart"] = second - first
    pairs.reject("apart", (second - first < min_frames) | (second - first > max_frames))
    pairs.reject(UNLINKED, ~facts.once(_linked, min_overlap)[first, second])
    pairs.values["moved"], pairs.values["walked"] = ways(facts, first, second)
    return pairs.settle()


def ways(facts: SceneFacts, first: Indices, second: Indices) -> tuple[Float, Float]:
    """(N, 3) and (N,), by numbers of frames from 0: from one to the other straight, and along those between."""
    places = facts.frames.camera_to_world[facts.frames.video, :3, 3]
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    return places[second] - places[first], along[second] - along[first]


def pairs_of(facts: SceneFacts, parameters: PathParameters) -> Candidates:
    """`moment_pairs`, to be rejected for more."""
    return facts.once(
        moment_pairs, parameters.min_frames, parameters.max_frames, parameters.min_overlap
    ).fresh()


def of_ways(facts: SceneFacts, parameters: PathParameters, asked: Asked) -> Held:
    """The frames between the two moments must lead from one to the other too."""
    held = of_numbered(facts, parameters, asked)
    if held.answerable.any():
        assert asked.pointed is not None
        linked = facts.once(_linked, parameters.min_overlap)
        first, second = numbers_now(facts, asked.pointed.frames).T
        held.reject(UNLINKED, ~linked[first, second])
    return held


def _linked(facts: SceneFacts, least: float) -> Bools:
    """(V, V), which frames of the video are linked."""
    video = facts.frames.video
    reach = (facts.overlap[np.ix_(video, video)] >= least) | np.eye(len(video), dtype=np.bool_)
    # Each product doubles how many links lead on.
    for _ in range(max(len(video) - 1, 1).bit_length()):
        reach = reach.astype(np.float32) @ reach.astype(np.float32) > 0
    return reach


def level_axes(facts: SceneFacts) -> Float:
    """(F, 2, 2), of each camera the level directions forward and to the right, unit vectors of the world's x and y.

    Forward is where the camera looks, seen from above. Zeros where it looks straight up or down.
    """
    looks = facts.frames.camera_to_world[:, :2, 2]
    lengths = np.hypot(looks[:, 0], looks[:, 1])
    forward = np.divide(looks, lengths[:, None], out=np.zeros_like(looks), where=lengths[:, None] > 0)
    right = np.stack([forward[:, 1], -forward[:, 0]], axis=1)
    return np.stack([forward, right], axis=1)


def pitches(facts: SceneFacts) -> Float:
    """(F,), degrees by which each camera looks above or below the horizon, without sign."""
    found: Float = np.degrees(np.arcsin(np.clip(np.abs(facts.frames.camera_to_world[:, 2, 2]), 0.0, 1.0)))
    return found


def rolls(facts: SceneFacts) -> Float:
    """(F,), degrees by which each camera's own right is off the level, or its own down off the lower half.

    That is the angle between the image's horizontal and the level line across the view: 0 of a camera held upright, 90
    of one on its side, 180 of one upside down.
    """
    turned = facts.frames.camera_to_world
    # Of the camera's right and of its down, how far they go up; the image's share of the vertical is both together.
    found: Float = np.degrees(np.abs(np.arctan2(turned[:, 2, 0], -turned[:, 2, 1])))
    return found
