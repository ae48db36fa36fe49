"""Which frames of a video show most of a place: of the voxels that frames see, the frames that together see most.

Spatial-MLLM (arXiv 2505.23747, section 3.3) takes, of frames spread evenly over a video, one after another the frame
that adds most voxels. `choose` does so, and always gives as many frames as are asked for. `choose_as_released` is the
released code's rule, errors included, for whoever compares with its frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float

Bools = NDArray[np.bool_]
Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]
REACH = 1 << 20
"""Cells on either side of the middle that a voxel's number can tell apart, in each direction."""
SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""The golden ratio's fraction: multiplied by it, neighboring numbers differ in their highest bits (Knuth, "The Art of
Computer Programming" 3, 6.4)."""
FEW_UNUSED = 48
"""Bits of such a product that do not count in a table of 65,536 places, which holds most scenes' voxels."""
MOST_PLACES = 1 << 22
"""Cells of the box that holds a place, up to which each has a number of its own to be looked up by."""
LOOKED_AT = 4
"""Of so many points of a frame one is looked at to tell how large the place is."""
RELEASED_PARTS = 20
"""Voxels along the shortest side of what is seen, in the released code."""


class Grid(NamedTuple):
    """Voxels of one size that begin at the world's origin, so that no point moves their borders."""

    size: float
    low: Float
    """(3,); points beyond these ends are nobody's."""
    high: Float


class Seen(NamedTuple):
    """The voxels that frames see, numbered from 0: those of a frame stand together, each once."""

    starts: Indices
    """(N + 1,), where each frame's begin."""
    voxels: Indices
    total: int
    """Of different voxels."""

    def of(self, frame: int) -> Indices:
        """The voxels that a frame sees.

        Returns
        -------
        (V,) : their numbers.
        """
        return self.voxels[self.starts[frame] : self.starts[frame + 1]]


class Chosen(NamedTuple):
    """Frames in the order in which they were taken."""

    frames: Indices
    """(K,)."""
    gains: Indices
    """(K,), voxels that each added."""


def grid_of(points: Sequence[Float], parts: int, outside: float, most_parts: int, step: float) -> Grid | None:
    """The voxels for what frames see: `parts` along the shortest side of what holds most of their points.

    A stray point is outside, and moves an end by one place among all points at most; voxels then keep their size
    unless it stood at a border of the steps that sizes are rounded to.

    Parameters
    ----------
    points : of each frame (P, 3), meters, finite.
    outside : share of the points beyond each end of an axis that its length leaves out.
    most_parts : along the longest side, at most: of what is flat, voxels would become too many.
    step : sizes are whole powers of it.

    Returns
    -------
    None where there are no points, or all stand at one place.
    """
    some = np.concatenate([own[::LOOKED_AT] for own in points])
    if len(some) == 0:
        return None
    first = int(outside * len(some))
    ends = [first, len(some) - 1 - first]
    # Numpy sorts a whole axis sooner than it selects two of its numbers.
    ordered = np.sort(np.ascontiguousarray(some.T, np.float64), axis=1)
    low, high = ordered[:, ends[0]], ordered[:, ends[1]]
    lengths = high - low
    longest = float(lengths.max())
    if longest <= 0.0:
        return None
    size = max(float(lengths.min()) / parts, longest / most_parts)
    size = step ** round(float(np.log(size) / np.log(step)))
    # What is seen goes on beyond where its bulk ends; what is far away from it is stray.
    return Grid(size, low - longest, high + longest)


def seen_voxels(points: Sequence[Float], grid: Grid | None, least_points: int) -> Seen:
    """The voxels in which frames have points.

    Parameters
    ----------
    points : of each frame (P, 3), meters, finite.
    least_points : of all frames together, that a voxel must hold: a stray point by itself is none.

    Raises
    ------
    ValueError : voxels are too small for what is seen.
    """
    starts = _starts(points)
    if grid is None or not starts[-1]:
        return _nothing(len(points))
    joined = np.ascontiguousarray(np.concatenate(points), np.float64).reshape(-1, 3)
    own, total = _numbered(joined, grid.size, grid.low, grid.high, _middle(grid))
    return Seen(*_by_frame(own, np.zeros(0, np.int32), starts, total, least_points))


def seen_voxels_of(
    points: Float, looks: Sequence[NDArray[np.integer]], grid: Grid | None, least_points: int
) -> Seen:
    """`seen_voxels` where frames see some of one set of points: each is put into its voxel once, not once a frame.

    Parameters
    ----------
    points : (P, 3), meters, finite. looks : of each frame (L,), places among the points.
    least_points : as of `seen_voxels`; a point counts once for each frame that sees it.

    Raises
    ------
    ValueError : voxels are too small for what is seen.
    """
    starts = _starts(looks)
    if grid is None or not starts[-1]:
        return _nothing(len(looks))
    own, total = _numbered(
        np.ascontiguousarray(points, np.float64), grid.size, grid.low, grid.high, _middle(grid)
    )
    return Seen(*_by_frame(own, np.concatenate(looks).astype(np.int32), starts, total, least_points))


def _starts(parts: Sequence[NDArray[Any]]) -> Indices:
    return np.concatenate([[0], np.cumsum([len(own) for own in parts], dtype=np.int64)])


def _nothing(count: int) -> Seen:
    return Seen(np.zeros(count + 1, np.int64), np.zeros(0, np.int64), 0)


def _middle(grid: Grid) -> Float:
    """Cells are counted from the middle, so that they fit wherever in the world the place is."""
    middle: Float = np.floor((grid.low + grid.high) / 2 / grid.size)
    if np.abs(np.concatenate([grid.low, grid.high]) / grid.size - np.tile(middle, 2)).max() >= REACH:
        raise ValueError(f"voxels of {grid.size:g} are too small for what reaches {REACH} of them and more")
    return middle


@kernel
def _place(keys: Indices, key: int, unused: int) -> np.int64:
    """Where a number stands in a table of half as many, or would stand."""
    place = np.int64(np.uint64(key) * SPREAD >> np.uint64(unused))
    while keys[place] >= 0 and keys[place] != key:
        place = (place + 1) & (len(keys) - 1)
    return place


@kernel
def _grown(keys: Indices, numbers: NDArray[np.int32], unused: int) -> tuple[Indices, NDArray[np.int32], int]:
    """A table twice as long."""
    wider = np.full(2 * len(keys), -1, np.int64)
    held = np.full(2 * len(keys), -1, np.int32)
    for at in range(len(keys)):
        if keys[at] >= 0:
            place = _place(wider, keys[at], unused - 1)
            wider[place], held[place] = keys[at], numbers[at]
    return wider, held, unused - 1


@kernel
def _numbered(
    points: Float, size: float, low: Float, high: Float, middle: Float
) -> tuple[NDArray[np.int32], int]:
    """Of each point the voxel that it lies in, numbered as they come, -1 outside; and how many there are."""
    count = len(points)
    cells = np.empty((count, 3), np.int32)
    own = np.empty(count, np.int32)
    least, most = np.full(3, REACH), np.full(3, -REACH)
    for at in range(count):
        inside = True
        for axis in range(3):
            value = points[at, axis]
            inside = inside and low[axis] <= value <= high[axis]
        own[at] = 0 if inside else -1
        if inside:
            for axis in range(3):
                cell = np.int64(np.floor(points[at, axis] / size) - middle[axis])
                cells[at, axis] = cell
                least[axis], most[axis] = min(least[axis], cell), max(most[axis], cell)
    sides = np.maximum(most - least + 1, 0)
    # A room's cells all have a place of their own; where few of many are filled, they share a table.
    dense = sides[0] * sides[1] * sides[2] <= MOST_PLACES
    unused = FEW_UNUSED
    keys = np.full(0 if dense else 1 << (64 - unused), -1, np.int64)
    numbers = np.full(sides[0] * sides[1] * sides[2] if dense else len(keys), -1, np.int32)
    total = 0
    for at in range(count):
        if own[at] < 0:
            continue
        key = np.int64(0)
        for axis in range(3):
            key = key * sides[axis] + cells[at, axis] - least[axis]
        place = key if dense else _place(keys, key, unused)
        if numbers[place] < 0:
            if not dense:
                keys[place] = key
            numbers[place] = total
            total += 1
        own[at] = numbers[place]
        if not dense and 2 * total > len(keys):
            keys, numbers, unused = _grown(keys, numbers, unused)
    return own, total


@kernel
def _by_frame(
    own: NDArray[np.int32], looks: NDArray[np.int32], starts: Indices, total: int, least: int
) -> tuple[Indices, Indices, int]:
    """Each frame's voxels, each once, of those of (P,) points that its `looks` are; an empty `looks`: of all points in
    turn. Those that fewer than `least` looks of all frames hit are none."""
    in_turn = len(looks) == 0
    counts = np.zeros(total, np.int32)
    for at in range(starts[-1]):
        number = own[at if in_turn else looks[at]]
        if number >= 0:
            counts[number] += 1
    renumbered = np.full(total, -1, np.int64)
    held = 0
    for number in range(total):
        if counts[number] >= least:
            renumbered[number] = held
            held += 1
    begins = np.zeros(len(starts), np.int64)
    voxels = np.empty(starts[-1], np.int64)
    stamps = np.full(total, -1, np.int64)
    used = 0
    for frame in range(len(starts) - 1):
        for at in range(starts[frame], starts[frame + 1]):
            number = own[at if in_turn else looks[at]]
            if number >= 0 and stamps[number] != frame and renumbered[number] >= 0:
                stamps[number] = frame
                voxels[used] = renumbered[number]
                used += 1
        begins[frame + 1] = used
    return begins, voxels[:used].copy(), held


def choose(seen: Seen, identities: Hashes, wanted: int) -> Chosen:
    """Exactly `wanted` frames of N: each adds most voxels to those before it; where none adds any, the one that sees
    least of what the others see.

    Parameters
    ----------
    identities : (N,), hashes of the frames' names, all different: of equals the lowest is taken, wherever it stands in
        the video.
    wanted : at least 1. Of a video with fewer frames each is taken as often as any other, but for one.

    Raises
    ------
    ValueError : there is no frame, or two have one identity.
    """
    count = len(identities)
    if count == 0:
        raise ValueError("a video without frames has none to choose")
    if len(np.unique(identities)) != count:
        raise ValueError("two frames have one identity")
    frames, gains = _cover(seen.starts, seen.voxels, seen.total, identities, min(wanted, count))
    rounds = -(-wanted // count)
    repeated = np.tile(frames, rounds)[:wanted]
    return Chosen(repeated, np.concatenate([gains, np.zeros(wanted - len(gains), np.int64)]))


@kernel
def _cover(
    starts: Indices, voxels: Indices, total: int, identities: Hashes, wanted: int
) -> tuple[Indices, Indices]:
    count = len(identities)
    covered = np.zeros(total, np.bool_)
    taken = np.zeros(count, np.bool_)
    # Of each frame, the largest share of voxels in common with one that was taken, of which so many were looked at.
    alike = np.zeros(count)
    looked_at = 0
    last = np.zeros(total, np.bool_)
    frames = np.empty(wanted, np.int64)
    gains = np.zeros(wanted, np.int64)
    # What each frame would add at most: it never adds more than when that was last looked at.
    most = starts[1:] - starts[:-1]
    for turn in range(wanted):
        best, gain = -1, 0
        first = -1
        for frame in range(count):
            if not taken[frame] and (first < 0 or most[frame] > most[first]):
                first = frame
        for step in range(-1, count):
            frame = first if step < 0 else step
            if taken[frame] or (step == first):
                continue
            if best >= 0 and (
                most[frame] < gain or (most[frame] == gain and identities[frame] > identities[best])
            ):
                continue
            own = 0
            for at in range(starts[frame], starts[frame + 1]):
                own += not covered[voxels[at]]
            most[frame] = own
            if best < 0 or own > gain or (own == gain and identities[frame] < identities[best]):
                best, gain = frame, own
        if gain == 0:
            for place in range(looked_at, turn):
                _liken(starts, voxels, frames[place], last, alike)
            looked_at = turn
            best = -1
            for frame in range(count):
                if not taken[frame] and (
                    best < 0
                    or alike[frame] < alike[best]
                    or (alike[frame] == alike[best] and identities[frame] < identities[best])
                ):
                    best = frame
        frames[turn], gains[turn] = best, gain
        taken[best] = True
        for at in range(starts[best], starts[best + 1]):
            covered[voxels[at]] = True
    return frames, gains


@kernel
def _liken(starts: Indices, voxels: Indices, taken: int, among: Bools, alike: Float) -> None:
    """Note how much each frame has in common with one that was taken; `among` is False throughout, before and after."""
    begin, end = starts[taken], starts[taken + 1]
    for at in range(begin, end):
        among[voxels[at]] = True
    for frame in range(len(alike)):
        common = 0
        for at in range(starts[frame], starts[frame + 1]):
            common += among[voxels[at]]
        either = end - begin + starts[frame + 1] - starts[frame] - common
        # Two that see nothing are alike.
        alike[frame] = max(alike[frame], common / either if either > 0 else 1.0)
    for at in range(begin, end):
        among[voxels[at]] = False


def trusted(confidence: Sequence[Float], quantile: float, least: float) -> list[Bools]:
    """The points of a video that are known well: at least at this quantile of all its frames' confidence, and above
    `least`.

    Parameters
    ----------
    confidence : of each frame (P,), of its points. quantile : from 0 to 1.

    Returns
    -------
    (P,) of each frame, whether a point is one of them.
    """
    joined = np.concatenate(confidence) if len(confidence) else np.zeros(0)
    border = np.quantile(joined, quantile) if len(joined) else 0.0
    return [(own >= border) & (own > least) for own in confidence]


def choose_as_released(points: Sequence[Float], wanted: int) -> Indices:
    """Frames as Spatial-MLLM's released code takes them (`sa_sampling.py`).

    One point moves all voxels, since they are parts of what holds every point; where no frame adds a voxel it stops,
    with fewer frames than are asked for; of equals the earliest is taken.

    Parameters
    ----------
    points : of each frame (P, 3), meters, trusted.

    Returns
    -------
    (K,) : K <= wanted, ascending.
    """
    held = np.concatenate(points) if len(points) else np.zeros((0, 3))
    if len(held) == 0:
        return np.zeros(0, np.int64)
    low, high = held.min(axis=0), held.max(axis=0)
    size = (high - low).min() / RELEASED_PARTS
    if not size > 0:
        # Where the code divides by zero: all points are in one plane.
        return np.zeros(0, np.int64)
    sets = [set(map(tuple, np.floor((own - low) / size).astype(np.int64).tolist())) for own in points]
    covered: set[tuple[int, ...]] = set()
    chosen: list[int] = []
    while len(chosen) < min(wanted, len(sets)):
        gains = [-1 if frame in chosen else len(voxels - covered) for frame, voxels in enumerate(sets)]
        best = gains.index(max(gains))
        if gains[best] <= 0:
            break
        chosen.append(best)
        covered |= sets[best]
    return np.array(sorted(chosen), np.int64)
