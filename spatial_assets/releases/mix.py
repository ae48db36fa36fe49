"""What a release's mix keeps: of each part that a recipe selects the share or the number that it asks for, drawn.

Those questions stay that come first by a hash of the seed and their id, so that a smaller share or number is part of a
larger one, and nothing depends on the order in which they come. SPAR's own script cuts off at a file's end, where the
last scenes would be missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spatial_assets.releases.recipe import Cell, Entry, Mix, suite_of
from spatial_assets.scene.english import plural

Ranks = NDArray[np.uint64]
"""(N, 2), of each question the two halves of its hash, by which they stand in line."""
Cutoff = tuple[int, int] | None
"""The first rank that is not kept; None where all are."""
NONE_KEPT = (0, 0)


class Wanted(NamedTuple):
    """What an entry asks for and got, of one task or over all."""

    entry: str
    task: str | None
    rate: float | None
    wanted: int | None
    """None where there is a rate: each part has its own share."""
    there: int
    kept: int


@dataclass(frozen=True)
class Mixed:
    """What a mix keeps of a lake's questions."""

    cutoffs: Mapping[Cell, Cutoff]
    """Of what an entry selects."""
    wanted: Sequence[Wanted]
    parts: Sequence[Mapping[str, Any]]
    """Of each cell that an entry selects, how many were there and are kept."""
    unselected: int
    """Questions that no entry selects."""

    def kept(self, cell: Cell, ranks: Ranks) -> NDArray[np.bool_]:
        """(N,), which questions of a cell stay."""
        if cell not in self.cutoffs:
            return np.zeros(len(ranks), np.bool_)
        return _before(ranks, self.cutoffs[cell])


def ranks_of(seed: int, ids: Sequence[str], twin_of: Sequence[str | None] = ()) -> Ranks:
    """(N, 2), where the questions of these ids stand in line; a twin stands by the question that it is a twin of.

    So a pair is kept or left out together, but for the one that a cut may go through.
    """
    ranks = _hashes(seed, ids)
    if any(twin_of):
        first = [asked or own for asked, own in zip(twin_of, ids, strict=True)]
        ranks[:, 0] = _hashes(seed, first)[:, 0]
    return ranks


def _hashes(seed: int, ids: Iterable[str]) -> Ranks:
    begun = hashlib.blake2b(f"mix\x1f{seed}\x1f".encode(), digest_size=16)
    digests = bytearray()
    for qa_id in ids:
        own = begun.copy()
        own.update(qa_id.encode())
        digests += own.digest()
    return np.frombuffer(bytes(digests), ">u8").reshape(-1, 2).astype(np.uint64)


def kept_of(rows: int, share: float) -> int:
    """So many of the rows, rounded down as SPAR's script does; exact, as the share is written."""
    return floor(rows * Fraction(str(share)))


def evenly(there: Mapping[str, int], wanted: int) -> dict[str, int]:
    """How many of each name make up the number: as many of each, and more of the others where one has no more.

    What does not go evenly goes to the first names. With a greater number none has fewer.
    """
    low, high = 0, max(there.values(), default=0)
    while low < high:
        level = (low + high + 1) // 2
        low, high = (
            (level, high)
            if sum(min(count, level) for count in there.values()) <= wanted
            else (low, level - 1)
        )
    found = {name: min(count, low) for name, count in sorted(there.items())}
    left = wanted - sum(found.values())
    for name in [name for name in found if there[name] > low][: max(left, 0)]:
        found[name] += 1
    return found


def mix(
    lake: Mapping[Cell, Ranks], asked: Mix, tasks: Sequence[str] = (), scale: float = 1.0, fewer: bool = False
) -> Mixed:
    """What the recipe keeps of a lake, given as the ranks (N,) of each cell's rows; of these tasks alone, where any
    are named.

    Counts are multiplied by `scale` and rounded down. Raises ValueError where a count cannot be met and fewer than it
    will not do.
    """
    recipe, names = asked.recipe, asked.recipe.names()
    place_of = {cell: recipe.place_of(cell) for cell in sorted(lake)}
    cutoffs: dict[Cell, Cutoff] = {}
    wanted: list[Wanted] = []
    for place, entry in enumerate(recipe.entries):
        own = {cell: lake[cell] for cell, found in place_of.items() if found == place}
        if entry.count is None:
            found, lines = _by_rate(names[place], entry, own)
        else:
            chosen = [name for name in recipe.tasks_of(place) if not tasks or name in tasks]
            count = kept_of(entry.count, scale)
            # A lake may hold questions of tasks that there are no more.
            chosen = sorted({*chosen, *(cell.task for cell in own)})
            found, lines = _by_count(names[place], entry, count, own, chosen)
        cutoffs |= found
        wanted += lines
    _check_short(asked, wanted, fewer)
    parts = [
        {
            "entry": names[place],
            "suite": suite_of(cell.task),
            **cell._asdict(),
            "before": len(lake[cell]),
            "kept": int(_before(lake[cell], cutoffs[cell]).sum()),
        }
        for cell, place in place_of.items()
        if place is not None
    ]
    left = sum(len(lake[cell]) for cell, place in place_of.items() if place is None)
    return Mixed(cutoffs, wanted, parts, left)


def _by_rate(name: str, entry: Entry, own: Mapping[Cell, Ranks]) -> tuple[dict[Cell, Cutoff], list[Wanted]]:
    rate = entry.rate
    assert rate is not None
    kept = {cell: kept_of(len(ranks), rate) for cell, ranks in own.items()}
    there = sum(map(len, own.values()))
    cutoffs = {cell: _cutoff([ranks], kept[cell]) for cell, ranks in own.items()}
    return cutoffs, [Wanted(name, None, rate, None, there, sum(kept.values()))]


def _by_count(
    name: str, entry: Entry, count: int, own: Mapping[Cell, Ranks], tasks: Sequence[str]
) -> tuple[dict[Cell, Cutoff], list[Wanted]]:
    by_task = {task: {cell: ranks for cell, ranks in own.items() if cell.task == task} for task in tasks}
    there = {task: sum(map(len, held.values())) for task, held in by_task.items()}
    if entry.per == "all" and not entry.even:
        kept = min(count, sum(there.values()))
        cutoff = _cutoff(list(own.values()), kept)
        return dict.fromkeys(own, cutoff), [Wanted(name, None, None, count, sum(there.values()), kept)]
    if entry.per == "all":
        each = evenly(there, count)
        lines = [Wanted(name, None, None, count, sum(there.values()), sum(each.values()))]
    else:
        each = {task: min(count, there[task]) for task in tasks}
        lines = [Wanted(name, task, None, count, there[task], each[task]) for task in tasks]
    cutoffs: dict[Cell, Cutoff] = {}
    for task, held in by_task.items():
        cutoffs |= dict.fromkeys(held, _cutoff(list(held.values()), each[task]))
    return cutoffs, lines


def _check_short(asked: Mix, wanted: Sequence[Wanted], fewer: bool) -> None:
    allowed = dict(zip(asked.recipe.names(), asked.recipe.entries, strict=True))
    short = [
        line
        for line in wanted
        if line.wanted is not None and line.there < line.wanted and not (fewer or allowed[line.entry].fewer)
    ]
    if not short:
        return
    first = short[0]
    of = "in all" if first.task is None else f"of {first.task}"
    others = (
        f"; {plural(len(short) - 1, 'more count falls', 'more counts fall')} short" if len(short) > 1 else ""
    )
    raise ValueError(
        f"mix {asked.name}: {first.entry} wants {plural(first.wanted or 0, 'question')} {of}, and the lake has "
        f"{first.there:,}{others}: build more, --scale the counts down, or take what there is with --fewer"
    )


def _cutoff(pools: Sequence[Ranks], kept: int) -> Cutoff:
    """Where the line of these questions is cut so that so many stand before."""
    ranks = np.concatenate(pools) if pools else np.zeros((0, 2), np.uint64)
    if kept >= len(ranks):
        return None
    if kept == 0:
        return NONE_KEPT
    # The one that has so many before it, found without sorting all: halves are equal once in a blue moon.
    high = np.partition(ranks[:, 0], kept)[kept]
    lows = np.sort(ranks[ranks[:, 0] == high, 1])
    low = lows[kept - np.count_nonzero(ranks[:, 0] < high)]
    return int(high), int(low)


def _before(ranks: Ranks, cutoff: Cutoff) -> NDArray[np.bool_]:
    if cutoff is None:
        return np.ones(len(ranks), np.bool_)
    high, low = (np.uint64(half) for half in cutoff)
    before: NDArray[np.bool_] = (ranks[:, 0] < high) | ((ranks[:, 0] == high) & (ranks[:, 1] < low))
    return before
