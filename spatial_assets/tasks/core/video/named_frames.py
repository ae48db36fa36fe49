"""What holds of questions that call frames of a video by their numbers, where other frames of it are shown."""

from __future__ import annotations

import numpy as np

from spatial_assets.tasks.core.candidates import NOTHING, Indices
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.recount import FRAME_UNSEEN, RENUMBERED, Asked, Held


def of_pointed(facts: SceneFacts, parameters: object, asked: Asked) -> Held:
    """What is said of frames, or of what is marked in them, holds where each is shown under the number by which the
    question calls it: where they are shown under others, its words mean other frames."""
    held, pointed = Held(asked), asked.pointed
    assert pointed is not None
    now = numbers_now(facts, pointed.frames)
    called = pointed.numbers != NOTHING
    held.reject(FRAME_UNSEEN, (called & (now == NOTHING)).any(axis=1))
    held.reject(RENUMBERED, (called & (now != pointed.numbers)).any(axis=1))
    return held


def of_numbered(facts: SceneFacts, parameters: object, asked: Asked) -> Held:
    """The same where the question also says how many frames there are."""
    held = of_pointed(facts, parameters, asked)
    assert asked.pointed is not None
    held.reject(RENUMBERED, asked.pointed.shown != len(facts.frames.video))
    return held


def numbers_now(facts: SceneFacts, frames: Indices) -> Indices:
    """Of places (...) of frames the numbers that the frames shown have, from 0; NOTHING for what is not shown."""
    numbers = np.full(len(facts.frames) + 1, NOTHING, np.int64)
    video = facts.frames.video
    numbers[video] = np.arange(len(video))
    found: Indices = numbers[frames]
    return found
