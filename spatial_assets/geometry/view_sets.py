"""Sets of a few frames of which every two share little: how many there are, which are drawn, what they show together.

Frames are numbered; whoever calls gives them an order that does not depend on the sequence, and no result does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.bits import ones, trailing_zeros
from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float

Bools = NDArray[np.bool_]
Numbers = NDArray[np.int64]

LARGEST = 5
"""Frames of a set, at most: the sets' number, which is counted one by one, grows by its power."""
NOBODY = -1
"""Fills the rows of sets smaller than others."""


def count_sets(fits: Bools, shares: Bools | None, largest: int) -> list[int]:
    """How many sets of 2 to `largest` frames there are, exactly.

    Parameters
    ----------
    fits : (N, N), symmetric: which two frames may stand in one set.
    shares : (N, N), symmetric: which two are connected. Sets count only where, over such pairs, every frame is reached
        from every other; None: all count.
    largest : 2 to LARGEST.

    Returns
    -------
    [sets of 2, sets of 3, ...].

    Raises
    ------
    ValueError : `largest` is none of these.
    """
    if not 2 <= largest <= LARGEST:
        raise ValueError(f"sets of up to {largest} frames; 2 to {LARGEST} can be counted")
    later = np.triu(fits, k=1)
    if shares is not None:
        chains: list[int] = _chains(_packed(later), _packed(shares), largest)[2:].tolist()
        return chains
    counts = np.zeros(LARGEST - 1, np.int64)
    for row in later:
        # Sets by their first frame: few follow it, and fewer words are quicker to go through.
        beside = np.flatnonzero(row)
        counts[0] += len(beside)
        counts[1:] += _within(_packed(later[np.ix_(beside, beside)]), largest - 2)
    found: list[int] = counts[: largest - 1].tolist()
    return found


def _packed(rows: Bools) -> NDArray[np.int64]:
    """(N, M) flags as (N, W) words of 64 bits."""
    words = -(-rows.shape[1] // 64)
    padded = np.zeros((len(rows), words * 64), np.bool_)
    padded[:, : rows.shape[1]] = rows
    return np.packbits(padded, axis=1, bitorder="little").view(np.int64)


@kernel
def _within(later, deepest):
    """Sets of 2, 3 and 4 frames; no larger ones than of `deepest` + 1. later: who comes after each and may join it."""
    frames, words = later.shape
    counts = np.zeros(3, np.int64)
    both = np.zeros(words, np.int64)
    for first in range(frames if deepest > 0 else 0):
        for start in range(words):
            seconds = later[first, start]
            counts[0] += ones(seconds)
            while seconds != 0 and deepest > 1:
                second = (start << 6) + trailing_zeros(seconds)
                seconds &= seconds - 1
                for word in range(start, words):
                    both[word] = later[first, word] & later[second, word]
                    counts[1] += ones(both[word])
                for begin in range(start, words if deepest > 2 else 0):
                    thirds = both[begin]
                    while thirds != 0:
                        third = (begin << 6) + trailing_zeros(thirds)
                        thirds &= thirds - 1
                        for word in range(begin, words):
                            counts[2] += ones(both[word] & later[third, word])
    return counts


@kernel
def _joining(among, at, words, members, count, joined, group):
    """How many of the frames in among[at : at + words] make one chain of themselves and the members.

    group: room for which members a chain of them reaches, by the first of these.
    """
    for i in range(count):
        group[i] = i
        for j in range(i):
            if (joined[members[i], members[j] >> 6] >> (members[j] & 63)) & 1:
                old, new = max(group[i], group[j]), min(group[i], group[j])
                for k in range(i + 1):
                    if group[k] == old:
                        group[k] = new
    total = 0
    for word in range(words):
        left = among[at + word]
        for first in range(count):
            if group[first] == first:
                # Whoever joins the chain must be connected to some member of each group.
                reached = np.int64(0)
                for i in range(first, count):
                    if group[i] == first:
                        reached |= joined[members[i], word]
                left &= reached
        total += ones(left)
    return total


@kernel
def _chains(later, joined, largest):
    """(largest + 1,) sets by size that are connected in a chain. later: who comes after each and may stand beside it;
    joined: who is connected to whom."""
    frames, words = later.shape
    counts = np.zeros(largest + 1, np.int64)
    group = np.zeros(largest, np.int64)
    # A stack of sets that grow, a row of words each: what may join, and what of it has not been tried.
    among = np.zeros(largest * words, np.int64)
    waiting = np.zeros(largest * words, np.int64)
    members = np.zeros(largest, np.int64)
    for first in range(frames):
        frame, size = first, 1
        while size > 0:
            # The set of `size` frames whose last is `frame`.
            at = (size - 1) * words
            members[size - 1] = frame
            for word in range(words):
                left = later[frame, word]
                if size > 1:
                    left &= among[at - words + word]
                among[at + word] = left
                waiting[at + word] = left
            counts[size + 1] += _joining(among, at, words, members, size, joined, group)
            if size == largest - 1:
                size -= 1
            # The next that waits to join this set, or a smaller one.
            frame = -1
            while size > 0 and frame < 0:
                at = (size - 1) * words
                for word in range(members[size - 1] >> 6, words):
                    left = waiting[at + word]
                    if left != 0:
                        waiting[at + word] = left & (left - 1)
                        frame = (word << 6) + trailing_zeros(left)
                        break
                size += 1 if frame >= 0 else -1
    return counts


def draw_sets(
    overlap: Float,
    fits: Bools,
    shares: Bools | None,
    levels: Sequence[tuple[float, float]],
    anchors: Numbers,
    sizes: Numbers,
    ranks: NDArray[np.uint64],
) -> NDArray[np.int64]:
    """Sets grown from a frame each, for every level of overlap: each step takes the frame of the greatest rank.

    Parameters
    ----------
    overlap : (N, N), symmetric. fits, shares : as in `count_sets`.
    levels : low (exclusive) and high (inclusive) of the average over all pairs in a set, which holds at every step.
    anchors, sizes : (R,), the frame that a set grows from and how many it shall have, 2 to LARGEST.
    ranks : (R, N), of each frame as a member of the set.

    Returns
    -------
    (K, LARGEST) different sets, their frames ascending, NOBODY behind them; draws that end before their size give none.

    Raises
    ------
    ValueError : N is so great that sets have no numbers of 64 bits.
    """
    lows = np.array([low for low, _ in levels])
    highs = np.array([high for _, high in levels])
    joined = shares if shares is not None else np.zeros((0, 0), np.bool_)
    grown = _grow(overlap, fits, joined, shares is not None, lows, highs, anchors, sizes, ranks)
    grown = np.sort(grown[grown[:, 0] >= 0], axis=1)
    # One number a set: sorting numbers is quicker than sorting rows. `NOBODY` sorts first, as 0.
    base = len(overlap) + 1
    if base**LARGEST >= 2**63:
        raise ValueError(f"{len(overlap)} frames are more than can be drawn from")
    powers = base ** np.arange(LARGEST - 1, -1, -1, dtype=np.int64)
    different = np.unique((grown + 1) @ powers)
    found = different[:, None] // powers % base - 1
    # Frames first, what fills the row behind them.
    return np.take_along_axis(found, np.argsort(found == NOBODY, axis=1, kind="stable"), axis=1)


@kernel
def _grow(overlap, fits, joined, chained, lows, highs, anchors, sizes, ranks):
    """(R * levels, LARGEST) sets in the order in which they grew; all NOBODY where none did."""
    frames, levels = len(overlap), len(lows)
    out = np.full((len(anchors) * levels, LARGEST), NOBODY, np.int64)
    among = np.empty(frames, np.int64)
    sums = np.empty(frames)
    linked = np.empty(frames, np.bool_)
    for draw in range(len(anchors)):
        anchor = anchors[draw]
        for level in range(levels):
            count = 0
            for frame in range(frames):
                if fits[anchor, frame]:
                    among[count] = frame
                    sums[count] = overlap[anchor, frame]
                    linked[count] = not chained or joined[anchor, frame]
                    count += 1
            row = draw * levels + level
            out[row, 0] = anchor
            total, size = 0.0, 1
            while size < sizes[draw]:
                best = -1
                pairs = size * (size + 1) // 2
                for at in range(count):
                    average = (total + sums[at]) / pairs
                    if (
                        linked[at]
                        and lows[level] < average <= highs[level]
                        and (best < 0 or ranks[draw, among[at]] > ranks[draw, among[best]])
                    ):
                        best = at
                if best < 0:
                    out[row] = NOBODY
                    break
                chosen = among[best]
                total += sums[best]
                out[row, size] = chosen
                size += 1
                kept = 0
                for at in range(count):
                    frame = among[at]
                    if fits[chosen, frame]:
                        among[kept] = frame
                        sums[kept] = sums[at] + overlap[chosen, frame]
                        linked[kept] = linked[at] or joined[chosen, frame]
                        kept += 1
                count = kept
    return out


def pair_overlaps(sets: Numbers, overlap: Float) -> Float:
    """The overlap of every two of a set's frames.

    Parameters
    ----------
    sets : (K, k), frames. overlap : (N, N), shares, as `overlap_matrices` gives them.

    Returns
    -------
    (K, k * (k - 1) / 2) : first with second, first with third, ...
    """
    first, second = np.triu_indices(sets.shape[1], k=1)
    return overlap[sets[:, first], sets[:, second]]


def spread(ranks: NDArray[np.uint64], *strata: NDArray[np.uint64]) -> Numbers:
    """An order in which strata take turns, and within each stratum those of the next, and so on.

    Parameters
    ----------
    ranks : (K,), by which the members of the finest strata stand in line, the least first.
    strata : each (K,), from the coarsest to the finest.

    Returns
    -------
    (K,) places, those whose turn it is first in front.
    """
    line = np.argsort(ranks, kind="stable")
    for depth in range(len(strata), 0, -1):
        # Within equal strata the line so far holds; who is how far along in it decides the next line.
        groups = [stratum[line] for stratum in strata[:depth]]
        order = np.lexsort((np.arange(len(line)), *groups))
        turn = np.empty(len(line), np.int64)
        same = np.ones(len(line), np.bool_)
        for group in groups:
            same[1:] &= group[order][1:] == group[order][:-1]
        same[:1] = False
        begun = np.flatnonzero(~same)
        lengths = np.diff(np.append(begun, len(line)))
        turn[order] = np.arange(len(line)) - np.repeat(begun, lengths)
        line = line[np.lexsort((ranks[line], turn))]
    return line


def shown_areas(
    visible_faces: Sequence[NDArray[np.int32]],
    face_slot: NDArray[np.int32],
    areas: Float,
    count: int,
    sets: Numbers,
) -> tuple[Float, Float]:
    """How much of each object's surface each frame shows, and which frames of each set show how much of it.

    Parameters
    ----------
    visible_faces : per frame (N) the faces that own a pixel.
    face_slot : (F,), which of `count` objects a face is of, negative for none. areas : (F,), square meters.
    sets : (K, LARGEST) frames, NOBODY behind them.

    Returns
    -------
    (N, count) and (K, count, 2 ** LARGEST), square meters: of the faces that certain frames of a set show and its
    others do not, at the number whose binary digits say which, the first frame's the lowest. All together are what the
    set shows.
    """
    owned = [faces[face_slot[faces] >= 0] for faces in visible_faces]
    starts = np.concatenate([[0], np.cumsum([len(faces) for faces in owned])]).astype(np.int64)
    flat = np.concatenate(owned) if owned else np.zeros(0, np.int32)
    alone = np.arange(len(owned), dtype=np.int64)[:, None]
    each = _parts(starts, flat, face_slot, areas, count, alone)[..., 1]
    return each, _parts(starts, flat, face_slot, areas, count, np.ascontiguousarray(sets, np.int64))


@kernel
def _parts(starts, faces, face_slot, areas, count, sets):
    views = sets.shape[1]
    out = np.zeros((len(sets), count, 1 << views))
    shown = np.zeros(len(areas), np.int64)
    for row in range(len(sets)):
        for place in range(views):
            frame = sets[row, place]
            if frame >= 0:
                for at in range(starts[frame], starts[frame + 1]):
                    shown[faces[at]] |= 1 << place
        for place in range(views):
            frame = sets[row, place]
            if frame >= 0:
                for at in range(starts[frame], starts[frame + 1]):
                    face = faces[at]
                    if shown[face] != 0:
                        out[row, face_slot[face], shown[face]] += areas[face]
                        shown[face] = 0
    return out
