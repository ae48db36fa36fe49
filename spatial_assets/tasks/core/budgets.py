"""What a video's questions ask about, from their rows, and frames that show nothing of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.tasks.core.arrays import items_of, places_of
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Indices
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import LETTERS
from spatial_assets.tasks.core.recount import (
    Asked,
    Pointed,
    Points,
)

NO_EVIDENCE = "no_evidence"
"""The budget of frames that show nothing of what is asked about."""
OTHER = "other_answer"
WORDS = "tasks/core/budgets.json"


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
    places = facts.objects.places(items.field("instance").to_numpy())
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


def without_evidence(facts: SceneFacts, asked: Asked, frames: int) -> list[Indices | None]:
    """Of each question `frames` of the scene's frames, (frames,) places, spread evenly over those that have no pixel
    of what it names.

    What it names are its objects and all that their words may mean, so that no other one stands in for them. None
    where there are too few such frames, and where it names nothing: what is asked about is then in every frame.
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
