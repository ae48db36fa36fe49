"""How sure a share is, of rows that are not independent: those of one scene lean the same way.

Rows that share one answer, as several wordings of one count, count once together. A scene's rows are a cluster: their
scatter gives the design effect, and Wilson's interval is taken over as many rows as that leaves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float

Z = 1.959963984540054
"""Of a 95 % interval: the 97.5 % quantile of the normal distribution."""

NO_SCATTER = 1e-12


@dataclass(frozen=True)
class Share:
    """A weighted share with its interval."""

    value: float
    low: float
    high: float

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2


def weights(rows: Sequence[dict[str, Any]]) -> Float:
    """(N,) weight of each row: 1 over how many of its scene's rows have the same answer.

    Equal answers before rounding are one answer; where these are whole numbers, counts or places in a video, they
    must be about the same objects in the same images too.
    """
    keys = [_answer(row) for row in rows]
    seen: dict[Any, int] = {}
    for key in keys:
        seen[key] = seen.get(key, 0) + 1
    return np.array([1.0 / seen[key] for key in keys])


def _answer(row: dict[str, Any]) -> tuple[Any, ...]:
    values = tuple(row["value"])
    whole = all(value == round(value) for value in values)
    about = tuple(sorted(item["instance"] for item in row["objects"])) if whole else ()
    images = tuple(sorted(item["frame"] for item in row["frames"])) if whole else ()
    return row["dataset"], row["release"], row["scene"], values, about, images


def share(hits: Float, weight: Float, scenes: NDArray[np.int64]) -> Share:
    """The weighted mean of `hits` and its interval.

    Parameters
    ----------
    hits : (N,) array
        What each row scored, 0 to 1.
    weight : (N,) array
        What each row counts.
    scenes : (N,) array
        Number of each row's scene.

    Returns
    -------
    Share
        Wilson's interval over the effective number of rows: p (1 - p) over the variance of the mean by linearized
        clusters (Kish 1965), at most the sum of the weights; the number of scenes where all rows are hits, or none is.
    """
    whole = float(weight.sum())
    mean = float(hits @ weight) / whole
    residual = np.bincount(scenes, weight * (hits - mean))
    clusters = len(np.unique(scenes))
    spread = mean * (1 - mean)
    variance = float(residual @ residual) / whole**2 * clusters / max(clusters - 1, 1)
    if clusters > 1 and variance > NO_SCATTER:
        effective = min(whole, spread / variance)
    else:  # scenes agree: in shares of ties, which are no luck, or in all hits or none
        effective = whole if spread > NO_SCATTER else float(clusters)
    return Share(mean, *wilson(mean, effective))


def wilson(mean: float, count: float) -> tuple[float, float]:
    """Wilson's (1927) score interval of a share of `count` rows, at 95 %."""
    if count <= 0:
        return 0.0, 1.0
    scale = 1 + Z**2 / count
    middle = (mean + Z**2 / (2 * count)) / scale
    reach = Z / scale * math.sqrt(mean * (1 - mean) / count + Z**2 / (4 * count**2))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def folds(spaces: Sequence[str], order: Sequence[str], count: int) -> NDArray[np.int64]:
    """(N,) part of each row, out of `count`: all rows of a place in one, places dealt in the order given."""
    rank = {space: place % count for place, space in enumerate(order)}
    return np.array([rank[space] for space in spaces], np.int64)
