"""Columns of marks and of coordinates in texts: where in pixels of their images, and in which text they stand where."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from string import ascii_uppercase
from typing import Any

import numpy as np
import pyarrow as pa

from spatial_assets.scene.tables import QUESTIONS
from spatial_assets.tasks.core.candidates import Bools, Indices
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.marks import GRID, Mark, placed
from spatial_assets.tasks.core.printed import Places, taken_out

OnGrid = tuple[bool, Places]
"""Whether places are printed as thousandths, and the places."""
QUESTION, STEM, ANSWER, OPTIONS = "question", "stem", "answer", "options"
SINGLE = (QUESTION, STEM, ANSWER)
DECIMALS = 9
"""Of pixels that are made of thousandths: what dividing and multiplying errs by lies beyond them."""


def sizes(facts: SceneFacts, values: Sequence[tuple[int, ...] | None]) -> pa.Array:
    """The column `sizes` of images that are these of the scene's frames, null for None."""
    missing = np.array([value is None for value in values])
    counts = np.array([0 if value is None else len(value) for value in values])
    frames = np.fromiter(chain.from_iterable(value or () for value in values), np.int64, counts.sum())
    pairs = np.stack([facts.frames.widths[frames], facts.frames.heights[frames]], axis=1).astype(np.int32)
    return lists_of(counts, lists_of(np.full(len(pairs), 2), pa.array(pairs.ravel())), missing)


def marks(facts: SceneFacts, values: Sequence[Sequence[Mark]]) -> tuple[pa.Array, pa.Array]:
    """The columns `marks` and `mark_pixels`."""
    kind, pixels = (QUESTIONS.schema.field(name).type for name in ("marks", "mark_pixels"))
    flat = [mark for held in values for mark in held]
    if not flat:
        return pa.array([()] * len(values), kind), pa.nulls(len(values), pixels)
    roles, shapes, colors, frames, things = zip(*flat, strict=True)
    found = placed(facts, shapes, np.array(frames), np.array(things))
    names = facts.frames.names
    words = (roles, shapes, colors, [names[frame] for frame in frames])
    on_grid = pa.array(found.on_grid.astype(np.int32))
    arrays = [*(pa.array(part, pa.string()) for part in words), lists_of(found.counts, on_grid)]
    counts = np.array(list(map(len, values)))
    return (
        lists_of(counts, pa.StructArray.from_arrays(arrays, fields=list(kind.value_type))),
        lists_of(counts, lists_of(found.counts, pa.array(found.pixels)), counts == 0),
    )


def coordinates(
    facts: SceneFacts, columns: dict[str, Sequence[Any]], printed: Sequence[OnGrid | None]
) -> tuple[pa.Array, dict[str, Sequence[Any]]]:
    """The column of what rows print, None for nothing, and the columns of texts without its signs."""
    kind = QUESTIONS.schema.field("coordinates").type
    rows = [row for row, held in enumerate(printed) if held is not None]
    if not rows:
        return pa.nulls(len(printed), kind), {}
    texts, owners, named = _texts(columns, rows)
    clean, spots = taken_out(texts)
    # The stem is the question's beginning, and says nothing more.
    begins, ends, found, owner, frames, name = [], [], [], [], [], []
    scaled = []
    for text, begin, end, place in zip(*map(np.ndarray.tolist, spots), strict=True):
        if named[text] != STEM:
            row = owners[text]
            on_grid, places = printed[row] or (False, ())
            image, xy = places[place]
            begins.append(begin)
            ends.append(end)
            name.append(named[text])
            owner.append(row)
            found.append((image, xy))
            frames.append(columns["frames"][row].places[image])
            scaled.append(on_grid)
    numbers = np.array([len(xy) for _, xy in found], np.int64)
    flat = np.fromiter(chain.from_iterable(xy for _, xy in found), np.float64, numbers.sum())
    own = np.stack([facts.frames.widths[frames], facts.frames.heights[frames]], axis=1)
    # x, y, x, y, ...
    pixels = np.round(
        flat * own[np.repeat(np.arange(len(own)), numbers), np.arange(len(flat)) % 2] / GRID, DECIMALS
    )
    arrays = [
        pa.array(name, pa.string()),
        pa.array(begins, pa.int32()),
        pa.array(ends, pa.int32()),
        pa.array([image for image, _ in found], pa.int32()),
        lists_of(numbers, pa.array(np.where(np.repeat(scaled, numbers), pixels, flat))),
    ]
    counts = np.bincount(np.array(owner, np.int64), minlength=len(printed))
    records = pa.StructArray.from_arrays(arrays, fields=list(kind.value_type))
    return lists_of(counts, records, counts == 0), _put_back(columns, rows, clean)


def _texts(columns: dict[str, Sequence[Any]], rows: Sequence[int]) -> tuple[list[str], list[int], list[str]]:
    """All texts of the rows, in turn; of each its row, and its name."""
    texts, owners, named = [], [], []
    for row in rows:
        options = columns[OPTIONS][row] or ()
        texts += [*(columns[name][row] for name in SINGLE), *options]
        named += [*SINGLE, *ascii_uppercase[: len(options)]]
        owners += [row] * (len(SINGLE) + len(options))
    return texts, owners, named


def _put_back(
    columns: dict[str, Sequence[Any]], rows: Sequence[int], clean: Sequence[str]
) -> dict[str, Sequence[Any]]:
    """The columns of the texts with those of `_texts` in their places."""
    made: dict[str, list[Any]] = {name: list(columns[name]) for name in (*SINGLE, OPTIONS)}
    at = 0
    for row in rows:
        for name in SINGLE:
            made[name][row] = clean[at]
            at += 1
        if made[OPTIONS][row] is not None:
            count = len(made[OPTIONS][row])
            made[OPTIONS][row] = clean[at : at + count]
            at += count
    return {**made}


def lists_of(counts: Indices, flat: pa.Array, missing: Bools | None = None) -> pa.Array:
    """So many, (N,), in turn of the flat values as lists, null where they are missing, (N,)."""
    ends = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=ends[1:])
    mask = None if missing is None or not missing.any() else np.append(missing, False)
    return pa.ListArray.from_arrays(pa.array(ends, mask=mask), flat)
