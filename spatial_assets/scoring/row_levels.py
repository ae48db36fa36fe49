"""Scores by how hard rows say they are: of each level of a field, what the profile makes of the rows that have it.

Levels are not asked of all question types alike, so that each stands beside the chance level of its own types.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scoring.chance import Guessed
from spatial_assets.scoring.profile import Profile, Row, Scores, Summary, TaskIndex

NONE = -1


def level_order(known: Sequence[str], found: Sequence[str]) -> list[str]:
    """Known levels in their order, then others by name."""
    return sorted(found, key=lambda name: (known.index(name) if name in known else len(known), name))


class RowLevels:
    """The levels of the rows seen so far, by the profile's fields."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._codes = {name: array("l") for name in profile.row_levels}
        self._names: dict[str, dict[str, int]] = {name: {} for name in profile.row_levels}

    def add(self, row: Row) -> None:
        for field, codes in self._codes.items():
            value = row.get(field)
            # Rows of other generators may have anything there; what is no text is no level.
            known = self._names[field]
            codes.append(known.setdefault(value, len(known)) if isinstance(value, str) and value else NONE)

    def of_rows(self, field: str) -> list[str | None]:
        """The level of each row, in their order."""
        names = list(self._names[field])
        return [None if code == NONE else names[code] for code in self._codes[field]]

    def summary(
        self,
        counted: NDArray[np.bool_],
        scores: Scores,
        tasks: TaskIndex,
        names: Sequence[str],
        guesses: Guessed,
    ) -> Summary:
        """By field and level: rows, errors, overall, means by question type, and what guessing gets of these types.

        Parameters
        ----------
        counted : (M,) array
            Which of the rows that were added count.
        scores, tasks : (N,) arrays
            Of the rows that count; NaN where a row has no score.
        names : sequence of str
            The question types that `tasks` are places of.
        guesses : Guessed
            What guessing scores of each question type of the file.
        """
        found: Summary = {}
        for field, codes in self._codes.items():
            own = np.array(codes, dtype=np.int64)[counted]
            known = level_order(self._profile.row_levels[field], list(self._names[field]))
            if known:
                places = self._names[field]
                found[field] = {
                    name: self._one(own == places[name], scores, tasks, names, guesses)
                    for name in known
                    if (own == places[name]).any()
                }
        return found

    def _one(
        self,
        here: NDArray[np.bool_],
        scores: Scores,
        tasks: TaskIndex,
        names: Sequence[str],
        guesses: Guessed,
    ) -> Summary:
        scored = here & ~np.isnan(scores)
        made = self._profile.aggregate(scores[scored], tasks[scored], names)
        types = sorted({names[place] for place in np.unique(tasks[here]).tolist()})
        return {
            "rows": int(here.sum()),
            "errors": int((here & ~scored).sum()),
            "overall": made["overall"],
            "tasks": made["tasks"],
            "chance": {
                "random": self._guessed(guesses.random, types),
                "most_frequent": self._guessed(guesses.frequent, types),
            },
        }

    def _guessed(self, means: Mapping[str, float], types: Sequence[str]) -> float | None:
        present = [name for name in types if name in means]
        if not present:
            return None
        values = np.array([means[name] for name in present])
        overall: float = self._profile.aggregate(values, np.arange(len(present)), present)["overall"]
        return overall
