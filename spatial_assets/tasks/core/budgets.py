"""What holds of a video's questions where other frames of it are shown, and frames that show nothing they ask about.

A task declares how its questions are counted again (`Recount`); what is asked about must be seen well in the frames
that are shown, by the task's own limits, whatever the answer. One whose questions point at frames by their numbers
declares which these are (`Points`): such a question holds where each of them is shown under the number that it has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Indices
from spatial_assets.tasks.core.facts import SceneFacts, places_of
from spatial_assets.tasks.core.options import LETTERS

NO_EVIDENCE = "no_evidence"
"""The budget of frames that show nothing of what is asked about."""
OTHER, NOT_OFFERED = "other_answer", "not_offered"
FRAME_UNSEEN, RENUMBERED = "frame_unseen", "renumbered"
REASONS: Mapping[str, str] = {
    OTHER: "the frames show it, and another answer is the right one",
    NOT_OFFERED: "the answer that holds for the frames is none of the options",
    NO_EVIDENCE: "the frames show nothing of what is asked about",
    FRAME_UNSEEN: "a frame that the question names is not among those shown",
    RENUMBERED: "they are shown under other numbers, so that the question's words mean other frames",
}
WORDS = "tasks/core/budgets.json"


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
        found: Bools = self.answerable & (self.texts == self._asked.own)
        return found


Points = Callable[[pl.DataFrame], Sequence[Sequence[int]]]
"""Rows of questions, with the columns `question, frames`, to the numbers of the frames that each points at, among those
that it shows, from 0."""


def asked_of(facts: SceneFacts, rows: pl.DataFrame, points: Points | None = None) -> Asked:
    """Rows of a task's questions about the scene, with the columns `format, template, answer, options, objects`, and of
    a task whose questions point at frames `question, frames`."""
    options = rows["options"].to_list()
    texts = [
        answer if own is None else own[LETTERS.index(answer)]
        for answer, own in zip(rows["answer"].to_list(), options, strict=True)
    ]
    # Field by field: lists of dictionaries would take most of the time.
    items, ends = items_of(rows["objects"])
    places = np.searchsorted(facts.objects.instances, items.field("instance").to_numpy())
    counts = np.diff(ends)
    out = np.full((len(counts), int(counts.max(initial=0))), NOTHING, np.int64)
    columns = np.arange(len(items)) - np.repeat(ends[:-1], counts)
    out[np.repeat(np.arange(len(counts)), counts), columns] = places
    roles = items.field("role").to_pylist()
    return Asked(
        out,
        [roles[begin:end] for begin, end in pairwise(ends.tolist())],
        texts,
        options,
        rows["format"].to_list(),
        rows["template"].to_list(),
        None if points is None else _pointed(facts, rows["frames"], points(rows)),
    )


def items_of(series: pl.Series) -> tuple[pa.StructArray, Indices]:
    """The items of a column of lists of structures one after the other, and (N + 1,) where each row's begin."""
    lists = series.to_arrow()
    ends = lists.offsets.to_numpy().astype(np.int64)
    return lists.flatten(), ends - ends[0]


def _pointed(facts: SceneFacts, frames: pl.Series, numbers: Sequence[Sequence[int]]) -> Pointed:
    """Frames by their numbers among those of each row's list of roles and names."""
    items, begins = items_of(frames)
    shown = np.diff(begins)
    places = places_of(items.field("frame"), facts.frames.names)
    held = np.full((len(numbers), max(map(len, numbers), default=0)), NOTHING, np.int64)
    for row, own in enumerate(numbers):
        held[row, : len(own)] = own
    found = np.full(held.shape, NOTHING, np.int64)
    # A number beyond those that are shown is no frame's.
    rows, columns = np.nonzero((held != NOTHING) & (held < shown[:, None]))
    found[rows, columns] = places[begins[rows] + held[rows, columns]]
    return Pointed(held, found, shown)


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
    free = _free(named, facts.objects.may_mean, facts.observed.visible)
    enough = named.any(axis=1) & (free.sum(axis=1) >= frames)
    return [
        _evenly(np.flatnonzero(own), frames) if good else None
        for own, good in zip(free, enough.tolist(), strict=True)
    ]


@kernel
def _free(named: Bools, may_mean: Bools, visible: Bools) -> Bools:
    """(N, F), which frames show nothing that one of the named (N, O) may be taken for; visible (F, O)."""
    count, objects = named.shape
    frames = len(visible)
    out = np.ones((count, frames), np.bool_)
    meant = np.empty(objects, np.int64)
    for row in range(count):
        many = 0
        for thing in range(objects):
            for other in range(objects):
                if named[row, other] and may_mean[other, thing]:
                    meant[many] = thing
                    many += 1
                    break
        for frame in range(frames):
            for at in range(many):
                if visible[frame, meant[at]]:
                    out[row, frame] = False
                    break
    return out


def _evenly(places: Indices, count: int) -> Indices:
    """So many of the places, all different, spread evenly over them."""
    total = len(places)
    return places[(np.arange(count) * total + total // 2) // count]


@cache
def words() -> Mapping[str, str]:
    """How it is said that something cannot be determined."""
    held: dict[str, str] = json.loads((Path(__file__).parent / "budgets.json").read_text(encoding="utf-8"))
    return held
