"""What a task says of its questions where other frames of a video are shown: what they ask about, and what holds.

A task declares how its questions are counted again (`Recount`); what is asked about must be seen well in the frames
that are shown, by the task's own limits, whatever the answer. One whose questions point at frames by their numbers
declares which these are (`Points`): such a question holds where each of them is shown under the number that it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from spatial_assets.tasks.core.candidates import NOTHING, Bools, Indices
from spatial_assets.tasks.core.facts import SceneFacts

NOT_OFFERED = "not_offered"
FRAME_UNSEEN, RENUMBERED = "frame_unseen", "renumbered"


@dataclass(frozen=True)
class Pointed:
    """Frames that questions (N,) point at by their numbers, as a frame in which something is marked."""

    numbers: Indices
    """(N, m), of each among the frames that the question shows, from 0; NOTHING after the last."""
    frames: Indices
    """(N, m), their places among the scene's frames."""
    shown: Indices
    """(N,), how many frames each question shows."""


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
    forms: Sequence[str] = ()
    templates: Sequence[str] = ()
    """Of each its format, and the wording used."""
    pointed: Pointed | None = None
    """Of a task whose questions point at frames."""

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def own(self) -> NDArray[np.object_]:
        """(N,), the texts."""
        return np.array([*self.texts, None], object)[:-1]


class Held:
    """What holds of questions (N,) for some frames: reasons why they cannot be answered, and other answers."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self.reasons: NDArray[np.object_] = np.full(len(asked), None)
        """(N,), of those that cannot be answered from the frames, else None."""
        self.texts: NDArray[np.object_] = asked.own.copy()
        """(N,), the answers that hold where there is one."""

    def reject(self, reason: str, where: ArrayLike) -> None:
        """Give a reason to those, (N,), that have none yet."""
        self.reasons[np.asarray(where, np.bool_) & (self.reasons == None)] = reason  # noqa: E711

    def answer(self, texts: Sequence[str]) -> None:
        """What holds of each, (N,). Those whose options have it not cannot be answered."""
        self.texts[:] = texts
        absent = [
            options is not None and text not in options
            for text, options in zip(texts, self._asked.options, strict=True)
        ]
        self.reject(NOT_OFFERED, absent)

    @property
    def answerable(self) -> Bools:
        """(N,), which can be answered from the frames."""
        found: Bools = self.reasons == None  # noqa: E711
        return found

    @property
    def same(self) -> Bools:
        """(N,), which answers hold as they are."""
        found: Bools = self.answerable & (self.texts == self._asked.own)
        return found


Points = Callable[[pl.DataFrame], Sequence[Sequence[int]]]
"""Rows of questions, with the columns `question, frames`, to the numbers of the frames that each points at, among those
that it shows, from 0."""


Recount = Callable[[SceneFacts, Any, Asked], Held]
"""(facts that show the frames, the task's parameters, questions) to what holds of these."""


def members(flags: Bools, objects: Indices) -> Bools:
    """(N, k), of flags (O,) each row's objects'; false where there is none."""
    found: Bools = np.append(flags, False)[objects] & (objects != NOTHING)
    return found
