"""How points lie to each other, or to the viewer: left or right, above or below, front or behind, nearer or farther
(SPAR, appendix 7.5, "Obj spatial relation").

A viewer's frame is meters to the right, up and to the front. Each slot of a relation is a difference in meters; below
SPAR's threshold, 0.1, it is empty. All functions take arrays; codes are signs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.answers import Relations
from spatial_assets.tasks.core.candidates import Bools, Indices
from spatial_assets.tasks.core.quantities import METERS

Signs = NDArray[np.int64]


@dataclass(frozen=True)
class Slot:
    """One way in which things lie to each other."""

    positive: str
    negative: str

    def word(self, sign: int) -> str:
        return self.positive if sign > 0 else self.negative if sign < 0 else ""

    def other(self, word: str) -> str:
        return self.negative if word == self.positive else self.positive


LEFT_RIGHT = Slot("right", "left")
ABOVE_BELOW = Slot("above", "below")
FRONT_BEHIND = Slot("front", "behind")
FARTHER_CLOSER = Slot("farther", "closer")
TO_VIEWER = (LEFT_RIGHT, ABOVE_BELOW, FRONT_BEHIND)
"""Of one object, relative to the viewer."""
BETWEEN = (LEFT_RIGHT, ABOVE_BELOW, FARTHER_CLOSER)
"""Of one object, relative to another."""
BETWEEN_AND_TO_VIEWER = (*BETWEEN, FRONT_BEHIND, FRONT_BEHIND)
"""The same, and where the first and the second are relative to the viewer."""
Slots = tuple[Slot, ...]
SIGNS = 3


class RelationLimits(Parameters):
    """When one thing lies to one side of another."""

    threshold: float = Field(
        0.1, gt=0, description="meters; of less, SPAR calls two things indistinguishable"
    )
    tolerance: float = Field(
        0.03,
        gt=0,
        description="meters; nearer to the threshold nothing is asked: centers of boxes are off by so much where the "
        "back of a thing was never scanned",
    )

    @property
    def stated(self) -> dict[str, str]:
        """The slot of notes that say of how much they speak."""
        return {"threshold": f"{self.threshold:g}"}

    def signs(self, values: Float) -> Signs:
        """Of values (...) in meters, 1, -1 or, within the threshold, 0."""
        found: Signs = (values > self.threshold).astype(np.int64) - (values < -self.threshold)
        return found

    def margins(self, values: ArrayLike) -> Float:
        """By how many meters each of (...) must change for another word."""
        found: Float = np.abs(np.abs(np.asarray(values, np.float64)) - self.threshold)
        return found

    def doubtful(self, values: Float, doubts: ArrayLike = 1.0) -> Bools:
        """(N,), of values (N, k): whether a word is in doubt; `doubts` (N, k) says how many times the tolerance."""
        near: Bools = np.less(self.margins(values), self.tolerance * np.asarray(doubts))
        # Column by column: much faster than along short rows.
        found: Bools = np.logical_or.reduce(near.T.copy(), axis=0)
        return found


def seen_from_camera(points: Float) -> Float:
    """Points (..., 3) in a camera's axes, which point right, down and forward, in its viewer's: right, up and
    forward.
    """
    found: Float = points * np.array([1.0, -1.0, 1.0])
    return found


def seen_level(eyes: Float, forward: Float, points: Float) -> Float:
    """World points (N, k, 3) in the frames of viewers at (N, 3) who look along (N, 3) with a level head.

    NaN where one looks straight up or down.
    """
    # Parts of other arrays would have the kernel compiled once more for their layout.
    level: Float = _seen_level(*map(np.ascontiguousarray, (eyes, forward, points)))
    return level


@kernel
def _seen_level(eyes: Float, forward: Float, points: Float) -> Float:
    out = np.full(points.shape, np.nan)
    for row in range(len(points)):
        east, north = forward[row, 0], forward[row, 1]
        length = np.hypot(east, north)
        if length == 0.0:
            continue
        east, north = east / length, north / length
        for place in range(points.shape[1]):
            across = points[row, place, 0] - eyes[row, 0]
            along = points[row, place, 1] - eyes[row, 1]
            out[row, place, 0] = across * north - along * east
            out[row, place, 1] = points[row, place, 2] - eyes[row, 2]
            out[row, place, 2] = across * east + along * north
    return out


def between(first: Float, second: Float) -> Float:
    """(N, 3): how points (N, 3) of a viewer's frame lie to others, in the order of BETWEEN."""
    found = first - second
    # Much faster along short axes than numpy's own norm.
    far, near = (np.sqrt(np.einsum("ni,ni->n", points, points)) for points in (first, second))
    found[:, 2] = far - near
    return found


def between_and_to_viewer(first: Float, second: Float) -> Float:
    """(N, 5), in the order of BETWEEN_AND_TO_VIEWER."""
    return np.concatenate([between(first, second), first[:, 2:], second[:, 2:]], axis=1)


def swapped(values: Sequence[float]) -> list[float]:
    """The relation of the second thing to the first: of 3 numbers or signs, or of 5."""
    back = [-value for value in values[: len(BETWEEN)]]
    return [*back, *reversed(values[len(BETWEEN) :])]


def codes_of(signs: Signs) -> Indices:
    """(N,), one number for the signs (N, k)."""
    powers = SIGNS ** np.arange(signs.shape[1])
    codes: Indices = (signs + 1) @ powers
    return codes


def code_of(signs: Sequence[int]) -> int:
    """The same of one."""
    return sum([(sign + 1) * SIGNS**place for place, sign in enumerate(signs)])


@lru_cache(maxsize=1024)
def signs_of(code: int, count: int) -> tuple[int, ...]:
    """The signs that a code stands for."""
    return tuple(code // SIGNS**place % SIGNS - 1 for place in range(count))


@lru_cache(maxsize=1024)
def printed(slots: Slots, signs: tuple[int, ...]) -> str:
    """`right, , front`: empty where things cannot be told apart."""
    return ", ".join([slot.word(sign) for slot, sign in zip(slots, signs, strict=True)])


def said(slots: Slots, signs: Sequence[int], words: Mapping[str, str]) -> str:
    """The slots that are not empty in a sentence: `to the left, above and in front`; `words` has phrases for them."""
    count = len(BETWEEN)
    parts = [words[slot.word(sign)] for slot, sign in zip(slots[:count], signs[:count], strict=True) if sign]
    text = parts.pop() if parts else ""
    if parts:
        text = f"{', '.join(parts)} {words['and']} {text}"
    if len(slots) == len(BETWEEN):
        return text
    first, second = (
        words[slot.word(sign) or "beside"] for slot, sign in zip(slots[3:], signs[3:], strict=True)
    )
    return text + words["with"].format(first=first, second=second)


def signs_of_one(limits: RelationLimits, values: Sequence[float]) -> tuple[int, ...]:
    """`RelationLimits.signs` of Python's numbers."""
    least = limits.threshold
    return tuple([1 if value > least else -1 if value < -least else 0 for value in values])


def answer_of(
    slots: Slots,
    limits: RelationLimits,
    asked: Sequence[float],
    wrong: Sequence[tuple[int, ...]] = (),
    before: Sequence[float] = (),
) -> Relations:
    """The answer for values in the slots' order; `before`, values of which a sentence speaks first."""
    value = [*before, *asked]
    return Relations(
        printed(slots, signs_of_one(limits, asked)),
        [printed(slots, signs) for signs in wrong],
        value,
        [abs(abs(number) - limits.threshold) for number in value],
        METERS.unit,
    )
