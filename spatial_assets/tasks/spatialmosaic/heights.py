"""How high things of each category mostly stand, and so how likely names make it that one lies above another.

The law is a list of boxes' bottoms and tops of each category, measured on made homes (`benchmarks/heights.py`); nothing
of it is computed from what is asked about. A category that it does not know is as high as anything may be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import Indices
from spatial_assets.tasks.core.even import category_codes
from spatial_assets.tasks.core.facts import SceneFacts

PACKAGE = Path(__file__).resolve().parents[2]
LAW_FILE = "tasks/spatialmosaic/height_laws.json"
"""Relative to the package."""
SAMPLES = 24
"""Heights that stand for what an object is compared with."""
LEVELS = np.linspace(0, 1, SAMPLES)


@cache
def _heights() -> Mapping[str, Float]:
    """(K, 2) by category, bottoms and tops in meters above the floor, by the heights of the centers."""
    held = json.loads((PACKAGE / LAW_FILE).read_text(encoding="utf-8"))
    return {word: np.array(boxes, np.float64) for word, boxes in held["heights"].items()}


@cache
def _of_any() -> Float:
    every = np.concatenate(list(_heights().values()))
    found: Float = every[np.argsort(every.sum(axis=1), kind="stable")]
    return found


def _boxes(word: str) -> Float:
    """(SAMPLES, 2), bottoms and tops."""
    own = _heights().get(word, _of_any())
    found: Float = own[np.round(LEVELS * (len(own) - 1)).astype(np.int64)]
    return found


def usual(facts: SceneFacts) -> Float:
    """(O,), meters above the floor at which the middle of such an object mostly is."""
    return np.array(
        [np.median(_boxes(word).mean(axis=1)) for word in facts.objects.categories], np.float64
    ).reshape(len(facts.objects))


@cache
def clear_of(word: str, other: str, gap: float) -> Float:
    """(2, SAMPLES), how likely names make it that the one is lower, and that it is higher, by more than the gap, than
    the other as it stands in each of the samples."""
    own, beside = _boxes(word), _boxes(other)
    lower = (own[None, :, 1] + gap <= beside[:, None, 0]).mean(axis=1)
    higher = (own[None, :, 0] - gap >= beside[:, None, 1]).mean(axis=1)
    return np.stack([lower, higher])


class Clear(NamedTuple):
    """How likely names make it that objects of a scene lie on either side of each other."""

    words: Indices
    """(O,), of each object its category's place in the table."""
    chances: Float
    """(C, C, 2, SAMPLES), of a thing of the first category, as in `clear_of`."""

    @classmethod
    def nothing(cls) -> Clear:
        """Of no objects."""
        return cls(np.zeros(0, np.int64), np.zeros((0, 0, 2, SAMPLES)))


def clear_sides(facts: SceneFacts, gap: float) -> Clear:
    """By `facts.once`."""
    codes, _ = facts.once(category_codes)
    words = sorted(set(facts.objects.categories))
    found = [[clear_of(word, other, gap) for other in words] for word in words]
    return Clear(codes, np.array(found, np.float64).reshape(len(words), len(words), 2, SAMPLES))
