"""Splits: each physical place goes to one of them, by the hash of its name, or where its dataset's own lists put it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

SHARE_TOLERANCE = 1e-9
"""Shares are written in decimals, whose sum is one only nearly."""
SPAN = float(2**64)


OFFICIAL = "official"
"""Asks for the datasets' own splits."""
PUBLISHED = {"spatialmosaic": {"train": 679 / 849, "test": 170 / 849}}
"""Shares by the name of who published them: of SpatialMosaic's 849 scenes 170 are asked about in its benchmark alone.
https://arxiv.org/abs/2512.23365"""


def parse_splits(text: str) -> dict[str, float] | None:
    """`train:0.9,val:0.1` or the name of published ones as shares by name, None for `official`.

    Raises ValueError for what does not add up to one.
    """
    if text.strip() == OFFICIAL:
        return None
    if text.strip() in PUBLISHED:
        return dict(PUBLISHED[text.strip()])
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition(":")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            raise ValueError(
                f"--split {text!r}: give NAME:SHARE,..., as in train:0.9,val:0.1, or official, or "
                f"{', '.join(PUBLISHED)}"
            ) from None
        if not name.strip().isidentifier() or not 0 < shares[name.strip()] <= 1:
            raise ValueError(f"--split {text!r}: {part!r} is no name with a share between 0 and 1")
    if abs(sum(shares.values()) - 1) > SHARE_TOLERANCE or len(shares) != text.count(",") + 1:
        raise ValueError(f"--split {text!r}: the shares of different names must add up to 1")
    return shares


def assign(spaces: Iterable[str], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """The split of each place.

    A place's number in [0, 1) is the hash of the seed and its name, and the shares are laid end to end
    along it: places that come later move none of those that are there. Only where that leaves a split
    empty, while another has several places, does the place nearest to the empty split's stretch move
    into it.
    """
    place = {space: _unit(seed, space) for space in sorted(set(spaces))}
    stretches = _stretches(shares)
    found = {space: _where(number, stretches) for space, number in place.items()}
    counts = Counter(found.values())
    for name in shares:
        if counts[name]:
            continue
        movable = [space for space, split in found.items() if counts[split] > 1]
        if movable:
            low, high = stretches[name]
            nearest = min(movable, key=lambda s: (max(low - place[s], place[s] - high), s))
            counts.update({name: 1, found[nearest]: -1})
            found[nearest] = name
    return found


def _unit(seed: int, space: str) -> float:
    digest = hashlib.blake2b(f"{seed}\x1f{space}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / SPAN


def _stretches(shares: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    found, low = {}, 0.0
    for name, share in shares.items():
        found[name] = (low, low + share)
        low += share
    return found


def _where(number: float, stretches: Mapping[str, tuple[float, float]]) -> str:
    for name, (_, high) in stretches.items():
        if number < high:
            return name
    return list(stretches)[-1]


def shared_spaces(by_split: Mapping[str, Sequence[str]]) -> list[str]:
    """Places that stand in more than one split, which must be none."""
    seen: dict[str, str] = {}
    shared = set()
    for split, spaces in by_split.items():
        for space in spaces:
            if seen.setdefault(space, split) != split:
                shared.add(space)
    return sorted(shared)
