"""Randomness without a generator: keyed 64-bit hashes of what is drawn for, over single rows and whole arrays.

A draw depends on the seed, the dataset, the release, the scene, the task, the format and the identity of the frames
and objects that a row shows; never on a position, on other rows, on an order or on a process. `mix` is the only
mixing function; its twin in numba, `mix_columns`, ranks arrays of candidates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel

T = TypeVar("T")
Hashes = NDArray[np.uint64]
Float = NDArray[np.float64]

BITS, UNIT_BITS = 64, 53
"""Of a state, and of these the highest that a number below 1 is made of: a float's."""
MASK = (1 << BITS) - 1
ROTATION = 25
INCREMENT = 0x9E3779B97F4A7C15
"""The golden ratio's fraction, as in SplitMix64: keeps a state of zero from staying zero."""
MULTIPLIER_1, MULTIPLIER_2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""Of SplitMix64's finalizer (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014)."""


@lru_cache(maxsize=65536)
def hash_name(*parts: str) -> int:
    """64-bit hash of texts; the borders between them count."""
    digest = hashlib.blake2b(digest_size=BITS // 8)
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return int.from_bytes(digest.digest(), "little")


@cache
def _of_purpose(purpose: str) -> np.uint64:
    """A purpose as kernels take it."""
    return np.uint64(hash_name(purpose))


@lru_cache(maxsize=4096)
def _hashes_of(names: tuple[str, ...]) -> Hashes:
    return np.array([hash_name(name) for name in names], np.uint64)


def mix(state: int, value: int) -> int:
    """The state after taking in a value: order counts, every bit of either moves every bit of the result."""
    turned = ((state << ROTATION) | (state >> (BITS - ROTATION))) & MASK
    mixed = ((turned ^ value) + INCREMENT) & MASK
    mixed = ((mixed ^ (mixed >> 30)) * MULTIPLIER_1) & MASK
    mixed = ((mixed ^ (mixed >> 27)) * MULTIPLIER_2) & MASK
    return mixed ^ (mixed >> 31)


@kernel
def mix_pair(state: np.uint64, value: np.uint64) -> np.uint64:
    """`mix` inside kernels."""
    turned = (state << np.uint64(25)) | (state >> np.uint64(39))
    mixed = (turned ^ value) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@kernel
def _greatest(begun: np.uint64, purpose: np.uint64, values: Hashes) -> int:
    """The place of the value that mixes with the state for the purpose to the most."""
    state = mix_pair(begun, purpose)
    best, found = np.uint64(0), 0
    for place in range(len(values)):
        rank = mix_pair(state, values[place])
        if place == 0 or rank > best:
            best, found = rank, place
    return found


@kernel
def _greatest_each(begun: Hashes, purpose: np.uint64, values: Hashes) -> NDArray[np.int64]:
    out = np.empty(len(begun), np.int64)
    for row in range(len(begun)):
        out[row] = _greatest(begun[row], purpose, values)
    return out


@kernel
def _shuffle(begun: np.uint64, purpose: np.uint64, count: int) -> NDArray[np.int64]:
    """The places below `count`, sorted by what each mixes to with the state for the purpose."""
    state = mix_pair(begun, purpose)
    ranks = np.empty(count, np.uint64)
    order = np.empty(count, np.int64)
    # By insertion: they are few, and numpy's sorting takes numba a second to compile.
    for place in range(count):
        rank = mix_pair(state, np.uint64(place))
        at = place
        while at > 0 and ranks[at - 1] > rank:
            ranks[at], order[at] = ranks[at - 1], order[at - 1]
            at -= 1
        ranks[at], order[at] = rank, place
    return order


@kernel
def _shuffle_each(begun: Hashes, purpose: np.uint64, count: int) -> NDArray[np.int64]:
    out = np.empty((len(begun), count), np.int64)
    for row in range(len(begun)):
        order = _shuffle(begun[row], purpose, count)
        for place in range(count):
            out[row, place] = order[place]
    return out


@kernel
def _mix_columns(states: Hashes, columns: Hashes) -> Hashes:
    out = np.empty(len(columns), np.uint64)
    for row in range(len(columns)):
        state = states[row % len(states)]
        for column in range(columns.shape[1]):
            state = mix_pair(state, columns[row, column])
        out[row] = state
    return out


def mix_columns(states: int | Hashes, *columns: Hashes) -> Hashes:
    """`mix` of each row's values, in turn.

    Parameters
    ----------
    states : one state for all rows, or (N,). columns : each (N,) or (N, k), taken in from left to right.

    Returns
    -------
    (N,) states.
    """
    begun = np.array([states], np.uint64) if isinstance(states, int) else states
    parts = [column if column.ndim == 2 else column[:, None] for column in columns]
    # Most have one part, which a candidate's identities are; joining would copy it.
    joined = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    return _mix_columns(begun, np.ascontiguousarray(joined))


def units(states: Hashes) -> Float:
    """A number in [0, 1) of each state, (N,)."""
    return (states >> np.uint64(BITS - UNIT_BITS)).astype(np.float64) / float(1 << UNIT_BITS)


def coins(states: Hashes) -> NDArray[np.int64]:
    """0 or 1 of each state, (N,): its highest bit."""
    return (states >> np.uint64(BITS - 1)).astype(np.int64)


def below_each(states: Hashes, counts: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """An integer from 0 to count - 1 of each state, (N,): the rest of its upper half by the count, all one or (N,)."""
    return (states >> np.uint64(BITS // 2)).astype(np.int64) % counts


def choices(states: Hashes, purpose: str, names: Sequence[str]) -> list[str]:
    """What `Draw.choice` gives for each state, (N,)."""
    places = _greatest_each(states, _of_purpose(purpose), _hashes_of(tuple(names)))
    return [names[place] for place in places.tolist()]


class Draw:
    """The draws of one row or of one candidate, by purpose: equal states and purposes draw alike."""

    __slots__ = ("_ahead", "state")

    def __init__(self, state: int, ahead: Mapping[tuple[str, int], list[int]] = MappingProxyType({})) -> None:
        self.state, self._ahead = state, ahead

    @classmethod
    def of_all(cls, states: Hashes, purpose: str, count: int) -> list[Draw]:
        """Of each state, (N,); how so many items are shuffled for this purpose is drawn for all of them at once."""
        orders = _shuffle_each(states, _of_purpose(purpose), count).tolist()
        key = (purpose, count)
        return [cls(state, {key: order}) for state, order in zip(states.tolist(), orders, strict=True)]

    @classmethod
    def of(cls, *parts: str) -> Draw:
        return cls(hash_name(*parts))

    def rank(self, purpose: str) -> int:
        """An integer below 2**64; sorting by it is a shuffle."""
        return mix(self.state, hash_name(purpose))

    def unit(self, purpose: str) -> float:
        """A number in [0, 1)."""
        return (self.rank(purpose) >> (BITS - UNIT_BITS)) / float(1 << UNIT_BITS)

    def below(self, purpose: str, count: int) -> int:
        """An integer from 0 to count - 1."""
        return self.rank(purpose) * count >> BITS

    def choice(self, purpose: str, names: Sequence[str]) -> str:
        """One of the names. Adding or removing a name changes only the rows that go to or came from it."""
        return names[_greatest(np.uint64(self.state), _of_purpose(purpose), _hashes_of(tuple(names)))]

    def pick(self, purpose: str, identities: Hashes) -> int:
        """The place of one of the identities, (N,); the same holds for it as for `choice`."""
        return int(_greatest(np.uint64(self.state), _of_purpose(purpose), identities))

    def shuffled(self, purpose: str, items: Sequence[T]) -> list[T]:
        """The items in an order that depends on how many there are, not on what they are."""
        order = self._ahead.get((purpose, len(items)))
        if order is None:
            order = _shuffle(np.uint64(self.state), _of_purpose(purpose), len(items)).tolist()
        return [items[place] for place in order]

    def sample(self, purpose: str, among: int, count: int) -> list[int]:
        """`count` different integers below `among`, each selection equally likely; in no order.

        The first steps of Fisher and Yates' shuffle.
        """
        state = self.rank(purpose)
        moved: dict[int, int] = {}
        found = []
        for step in range(count):
            place = step + (mix(state, step) * (among - step) >> BITS)
            found.append(moved.get(place, place))
            moved[place] = moved.get(step, step)
        return found


class TurnedDraw(Draw):
    """The same draws, but for one purpose: of two the other, and in place of an order the next or the opposite one."""

    __slots__ = ("_mirrored", "_purpose")

    def __init__(self, draw: Draw, purpose: str, mirrored: bool = False) -> None:
        super().__init__(draw.state, draw._ahead)
        self._purpose, self._mirrored = purpose, mirrored

    def below(self, purpose: str, count: int) -> int:
        drawn = super().below(purpose, count)
        return count - 1 - drawn if purpose == self._purpose else drawn

    def shuffled(self, purpose: str, items: Sequence[T]) -> list[T]:
        drawn = super().shuffled(purpose, items)
        if purpose != self._purpose:
            return drawn
        return drawn[::-1] if self._mirrored else [*drawn[-1:], *drawn[:-1]]
