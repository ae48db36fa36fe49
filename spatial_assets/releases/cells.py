"""Even filling of cells: how many rows each of several kinds gets, of each answer, when some have too few.

Every cell has the same share. What a cell lacks goes evenly to those that have more than their share, and what is left
over, row by row, to cells in the order of a salted hash. Answers have limits of their own, over all cells together:
within them no cell gets more while one with fewer rows could still get one.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from typing import Generic, TypeVar

Cell = TypeVar("Cell", bound=Hashable)


def shares(cells: Sequence[Cell], count: int, salt: str) -> dict[Cell, int]:
    """Of each cell if it had enough: the same for all, and one more for the first by hash where it does not go even."""
    each, over = divmod(count, len(cells))
    first = set(_by_hash(cells, salt)[:over])
    return {cell: each + (cell in first) for cell in cells}


def fill(
    there: Mapping[Cell, Mapping[str, int]], count: int, limits: Mapping[str, int], salt: str
) -> dict[Cell, dict[str, int]]:
    """How many rows are taken of each cell and answer.

    `there` says how many rows there are, `count` how many are wanted in all, `limits` the most of each answer. As many
    are taken as the limits allow, up to `count`, and cells are as even as that leaves them.
    """
    flow = _Flow(there, limits)
    waiting = _by_hash(list(there), salt)
    place = {cell: number for number, cell in enumerate(waiting)}
    left = count
    while left and waiting:
        cell = min(waiting, key=lambda one: (flow.of_cell(one), place[one]))
        if flow.add(cell):
            left -= 1
        else:
            # What cannot grow now never can: the limits that hold it back are used up.
            waiting.remove(cell)
    return flow.taken


def _by_hash(cells: Sequence[Cell], salt: str) -> list[Cell]:
    return sorted(cells, key=lambda cell: hashlib.blake2b(f"{salt}\x1f{cell!r}".encode()).digest())


class _Flow(Generic[Cell]):
    """Rows taken so far; one more is found by moving others from answer to answer where that makes room."""

    def __init__(self, there: Mapping[Cell, Mapping[str, int]], limits: Mapping[str, int]) -> None:
        self.there, self.limits = there, limits
        self.answers = sorted(limits)
        self.taken: dict[Cell, dict[str, int]] = {cell: dict.fromkeys(self.answers, 0) for cell in there}
        self.used = dict.fromkeys(self.answers, 0)

    def of_cell(self, cell: Cell) -> int:
        return sum(self.taken[cell].values())

    def add(self, cell: Cell) -> bool:
        """Take one more row of a cell, if there is a way."""
        came: dict[str, tuple[Cell, str | None]] = {}
        queue: deque[str] = deque()
        self._reach(cell, None, came, queue)
        while queue:
            answer = queue.popleft()
            if self.used[answer] < self.limits[answer]:
                self.used[answer] += 1
                self._move(answer, came)
                return True
            for other, own in self.taken.items():
                if own[answer]:
                    self._reach(other, answer, came, queue)
        return False

    def _reach(
        self, cell: Cell, instead: str | None, came: dict[str, tuple[Cell, str | None]], queue: deque[str]
    ) -> None:
        """Answers of which the cell has another row, the least used first; `instead` is given up for it."""
        for answer in sorted(self.answers, key=lambda name: (self.used[name], self.taken[cell][name], name)):
            if answer not in came and self.taken[cell][answer] < self.there[cell].get(answer, 0):
                came[answer] = (cell, instead)
                queue.append(answer)

    def _move(self, last: str, came: Mapping[str, tuple[Cell, str | None]]) -> None:
        answer: str | None = last
        while answer is not None:
            cell, instead = came[answer]
            self.taken[cell][answer] += 1
            if instead is not None:
                self.taken[cell][instead] -= 1
            answer = instead
