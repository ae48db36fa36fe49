"""Laws: how a task's right answers are distributed, as data files say, and sets of options that follow from them.

They serve where a scene has one answer alone, or one of each category, so that no other candidate of it prints the
same. A set holds one value of each of several equal parts of a law, all at the same place within their part. So the
right answer is in each part equally often, and its set is the same whichever part it is in. Nothing is rejected to
bring that about, and the options are as far apart as the law allows.

All this is exact only as far as the law is that of the rows kept: by the ratio of the two densities at two options one
is likelier than the other. Laws are measured by `benchmarks/laws.py`, never computed from the lake.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.options import OPTIONS

PACKAGE = Path(__file__).resolve().parents[2]
ORIGINS = "tasks/core/law_origins.json"
"""Which kind of scenes a scene is of, by the program that made its images; relative to the package."""

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Law:
    """A distribution of positive numbers: between its quantiles the logarithm of a number is spread evenly."""

    levels: Float
    """(K,), shares from 0 to 1, ascending."""
    quantiles: Float
    """(K,), the numbers below which these shares of the answers lie."""

    def level(self, values: Float) -> Float:
        """The share of answers below each value (...); NaN of those that the law does not reach."""
        found: Float = np.interp(
            np.log(values), np.log(self.quantiles), self.levels, left=np.nan, right=np.nan
        )
        return found

    def number(self, levels: Float) -> Float:
        """The inverse, of shares (...)."""
        found: Float = np.exp(np.interp(levels, self.levels, np.log(self.quantiles)))
        return found

    def wrong(self, values: Float, bands: int = 1) -> Float:
        """What stands beside each of (N,) right answers, (N, OPTIONS - 1); NaN of those that the law does not reach.

        A set lies within one of the bands, equal shares of the law: narrower sets depend less on how good it is.
        """
        levels = self.level(values) * bands
        band = np.minimum(np.floor(levels), bands - 1)
        places = (levels - band) * OPTIONS
        part = np.minimum(np.floor(places), OPTIONS - 1)
        others = (part[:, None] + np.arange(1, OPTIONS)) % OPTIONS
        beside = (others + (places - part)[:, None]) / OPTIONS
        found: Float = np.where(
            np.isnan(levels)[:, None], np.nan, self.number((band[:, None] + beside) / bands)
        )
        return found


@dataclass(frozen=True)
class CountLaw:
    """A distribution of whole numbers, of which a few are so common that most of their rows must go.

    Four options are four different numbers: no number can be right in more than a quarter of the rows kept, since it
    would be right more often than offered. So a common one's rows are thinned, and each number is offered as often as
    four times its share of what remains; which go together follows from one even draw (systematic sampling).
    """

    numbers: Indices
    """(K,), ascending."""
    shares: Float
    """(K,), of the answers."""

    @property
    def offered(self) -> Float:
        """(K,), in which share of the sets each number is; zeros where there are too few numbers for any set."""
        ordered = np.sort(self.shares)[::-1]
        for common in range(OPTIONS if len(ordered) >= OPTIONS else 0):
            most = ordered[common:].sum() / (OPTIONS - common)
            if ordered[common] <= most:
                found: Float = np.minimum(self.shares / most, 1.0)
                return found
        return np.zeros(len(self.shares))

    @property
    def kept(self) -> Float:
        """(K,), the share of each number's rows that are kept."""
        offered = self.offered
        thinned = np.divide(offered, self.shares, out=np.zeros(len(offered)), where=self.shares > 0)
        found: Float = thinned / max(float(thinned.max(initial=0.0)), np.finfo(float).tiny)
        return found

    def wrong(self, number: int, thinning: float, start: float) -> list[int]:
        """What stands beside a number, by two even draws in [0, 1); nothing if its row goes."""
        place = int(np.searchsorted(self.numbers, number))
        if place == len(self.numbers) or self.numbers[place] != number or thinning >= self.kept[place]:
            return []
        ends = np.cumsum(self.offered)
        # Rounded, since the sum of all is a whole number that adding up may miss.
        ends[-1] = OPTIONS
        begins = np.concatenate([[0.0], ends[:-1]])
        first = (begins[place] + start * (ends[place] - begins[place])) % 1.0
        held = np.searchsorted(ends, first + np.arange(OPTIONS), side="right")
        wrong = [int(self.numbers[it]) for it in held if it != place]
        return wrong if len(set(wrong)) == OPTIONS - 1 else []


@cache
def _read(path: str) -> Mapping[str, Any]:
    held: Mapping[str, Any] = json.loads((PACKAGE / path).read_text(encoding="utf-8"))
    return held


def law_of_origin(made_by: str | None) -> str:
    """The kind of scenes by whose laws a scene is asked about, given what its images say they were made by."""
    origins: Mapping[str, str] = _read(ORIGINS)["made_by"]
    kind: str = _read(ORIGINS)["others"]
    return kind if made_by is None else origins.get(made_by, kind)


@cache
def laws(path: str, kind: str) -> Mapping[str, Law]:
    """By category, or by "" where a task has one law: of a data file, relative to the package, a kind of scenes."""
    held = _read(path)
    levels = np.array(held["levels"], np.float64)
    return {word: Law(levels, np.array(quantiles)) for word, quantiles in held["laws"][kind].items()}


@cache
def count_laws(path: str, kind: str) -> Mapping[str, CountLaw]:
    """The same of whole numbers."""
    found = {}
    for word, rows in _read(path)["laws"][kind].items():
        counts = np.array(list(rows.values()), np.float64)
        numbers = np.array([int(number) for number in rows], np.int64)
        found[word] = CountLaw(numbers, counts / counts.sum())
    return found
