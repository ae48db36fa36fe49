"""What holds of a video's questions where other frames of it are shown, and frames that show nothing they ask about.

A task declares how its questions are counted again (`Recount`); what is asked about must be seen well in the frames
that are shown, by the task's own limits, whatever the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_assets.tasks.core.candidates import NOTHING, Bools, Indices
from spatial_assets.tasks.core.facts import SceneFacts

NO_EVIDENCE = "no_evidence"
"""The budget of frames that show nothing of what is asked about."""
OTHER, NOT_OFFERED = "other_answer", "not_offered"
REASONS: Mapping[str, str] = {
    OTHER: "the frames show it, and another answer is the right one",
    NOT_OFFERED: "the answer that holds for the frames is none of the options",
    NO_EVIDENCE: "the frames show nothing of what is asked about",
}
WORDS = "tasks/core/budgets.json"


@dataclass(frozen=True)
class Asked:
    """Questions of a task about one scene."""

    objects: Indices
    """(N, k), places of the objects that each is about, in the order of its roles; NOTHING after the last."""
    roles: Sequence[Sequence[str]]
    """Of each, as many as it has objects."""
    texts: Sequence[str]
    """Their answers as printed; an option's text, not its letter."""
    options: Sequence[Sequence[str] | None]

    def __len__(self) -> int:
        return len(self.texts)


class Held:
    """What holds of questions (N,) for some frames: reasons why they cannot be answered, and other answers."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self.reasons: NDArray[np.object_] = np.full(len(asked), None)
        """(N,), of those that cannot be answered from the frames, else None."""
        self.texts: NDArray[np.object_] = np.array([*asked.texts, None], object)[:-1]
        """(N,), the answers that hold where there is one."""

    def refuse(self, reason: str, where: ArrayLike) -> None:
        """Give a reason to those, (N,), that have none yet."""
        self.reasons[np.asarray(where, np.bool_) & (self.reasons == None)] = reason  # noqa: E711

    def answer(self, texts: Sequence[str]) -> None:
        """What holds of each, (N,). Those whose options have it not cannot be answered."""
        self.texts[:] = texts
        absent = [
            options is not None and text not in options
            for text, options in zip(texts, self._asked.options, strict=True)
        ]
        self.refuse(NOT_OFFERED, absent)

    @property
    def answerable(self) -> Bools:
        found: Bools = self.reasons == None  # noqa: E711
        return found

    @property
    def same(self) -> Bools:
        """(N,), which answers hold as they are."""
        own = np.array([*self._asked.texts, None], object)[:-1]
        found: Bools = self.answerable & (self.texts == own)
        return found


Recount = Callable[[SceneFacts, Any, Asked], Held]
"""(facts that show the frames, the task's parameters, questions) to what holds of these."""


def members(flags: Bools, objects: Indices) -> Bools:
    """(N, k), of flags (O,) each row's objects'; false where there is none."""
    found: Bools = np.append(flags, False)[objects] & (objects != NOTHING)
    return found


def without_evidence(facts: SceneFacts, asked: Asked, frames: int) -> list[Indices | None]:
    """Of each question `frames` of the scene's frames, spread evenly over those that have no pixel of what it names.

    What it names are its objects and all that their words may mean, so that no other one stands in for them. None where
    there are too few such frames, and where it names nothing: what is asked about is then in every frame.
    """
    named = np.zeros((len(asked), len(facts.objects) + 1), np.bool_)
    for column in asked.objects.T:
        named[np.arange(len(asked)), column] |= column != NOTHING
    named = named[:, :-1]
    patterns, which = np.unique(named, axis=0, return_inverse=True)
    meant = (patterns.astype(np.float32) @ facts.objects.may_mean.astype(np.float32)) > 0
    seen = (meant.astype(np.float32) @ facts.observed.visible.T.astype(np.float32)) > 0
    chosen: list[Indices | None] = []
    for pattern, own in zip(patterns, seen, strict=True):
        free = np.flatnonzero(~own)
        enough = pattern.any() and len(free) >= frames
        chosen.append(free[_spread(len(free), frames)] if enough else None)
    return [chosen[place] for place in which.ravel().tolist()]


def _spread(count: int, frames: int) -> Indices:
    """So many places of 0 to count - 1, all different, evenly."""
    return (np.arange(frames) * count + count // 2) // frames


@cache
def words() -> Mapping[str, str]:
    """How it is said that something cannot be determined."""
    held: dict[str, str] = json.loads((Path(__file__).parent / "budgets.json").read_text(encoding="utf-8"))
    return held
