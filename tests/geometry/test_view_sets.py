"""View sets against plain loops: how many there are, which are drawn, who takes a turn, what is shown together."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_assets.geometry.view_sets import (
    LARGEST,
    count_sets,
    draw_sets,
    pair_overlaps,
    shown_areas,
    spread,
)

SEEDS = st.integers(0, 2**32 - 1)
LEVELS = ((-1.0, 0.1), (0.1, 0.2), (0.2, 1.0))


def made_overlap(random, frames):
    """Overlaps of which some are nothing, some fit and some are too much; no two alike."""
    values = random.exponential(0.12, (frames, frames)) * (random.random((frames, frames)) < random.random())
    upper = np.triu(np.minimum(values, 1.0), k=1)
    return upper + upper.T + np.eye(frames)


def pairs_of(overlap, chain):
    apart = ~np.eye(len(overlap), dtype=bool)
    little, shares = (overlap <= 0.3) & apart, (overlap > 0) & apart
    return (little, shares) if chain else (little & shares, None)


def is_one_chain(members, shares):
    reached, waiting = {members[0]}, [members[0]]
    while waiting:
        here = waiting.pop()
        for other in members:
            if other not in reached and shares[here, other]:
                reached.add(other)
                waiting.append(other)
    return len(reached) == len(members)


def all_sets(fits, shares, size):
    return [
        members
        for members in combinations(range(len(fits)), size)
        if all(fits[a, b] for a, b in combinations(members, 2))
        and (shares is None or is_one_chain(members, shares))
    ]


@pytest.mark.prove
@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(0, 11), st.integers(2, LARGEST), st.booleans())
def test_sets_are_counted_one_by_one(seed, frames, largest, chain):
    fits, shares = pairs_of(made_overlap(np.random.default_rng(seed), frames), chain)
    wanted = [len(all_sets(fits, shares, size)) for size in range(2, largest + 1)]
    assert count_sets(fits, shares, largest) == wanted


@pytest.mark.every(3)
@pytest.mark.parametrize("chain", [False, True])
@pytest.mark.parametrize("frames", [63, 64, 65, 130])
def test_sets_of_more_frames_than_a_word_has_bits(frames, chain):
    """Only a few fit, here and there, so that plain loops come to an end."""
    random = np.random.default_rng(frames)
    fits = np.triu(random.random((frames, frames)) < 0.12, k=1)
    some = random.choice(frames, 9, replace=False)
    fits[np.ix_(some, some)] = np.triu(np.ones((9, 9), bool), k=1)
    fits = fits | fits.T
    np.fill_diagonal(fits, False)
    drawn = random.random((frames, frames)) < 0.5
    shares = (drawn | drawn.T) & ~np.eye(frames, dtype=bool) if chain else None
    # Grown a frame at a time from those that fit already.
    found = [(frame,) for frame in range(frames)]
    for size in range(2, LARGEST + 1):
        found = [
            (*members, frame)
            for members in found
            for frame in range(members[-1] + 1, frames)
            if all(fits[frame, member] for member in members)
        ]
        wanted = sum(1 for members in found if shares is None or is_one_chain(members, shares))
        assert count_sets(fits, shares, size)[-1] == wanted > 0


def test_all_that_can_be_is_counted_where_everything_fits():
    fits = ~np.eye(40, dtype=bool)
    assert count_sets(fits, None, 5) == [780, 9880, 91390, 658008]
    assert count_sets(fits, fits, 5) == [780, 9880, 91390, 658008]
    assert count_sets(fits, ~fits & fits, 5) == [0, 0, 0, 0]


def test_sizes_that_cannot_be_counted_are_rejected():
    for largest in (1, LARGEST + 1):
        with pytest.raises(ValueError, match="can be counted"):
            count_sets(np.zeros((3, 3), bool), None, largest)


def grown(overlap, fits, shares, level, anchor, size, ranks):
    """One draw: the set, or None where it ends before its size."""
    members = [anchor]
    while len(members) < size:
        best = None
        for frame in range(len(overlap)):
            if frame in members or not all(fits[frame, member] for member in members):
                continue
            if shares is not None and not any(shares[frame, member] for member in members):
                continue
            pairs = list(combinations([*members, frame], 2))
            if not level[0] < sum(overlap[a, b] for a, b in pairs) / len(pairs) <= level[1]:
                continue
            if best is None or ranks[frame] > ranks[best]:
                best = frame
        if best is None:
            return None
        members.append(best)
    return tuple(sorted(members))


def drawing(seed, frames, chain):
    random = np.random.default_rng(seed)
    overlap = made_overlap(random, frames)
    anchors = random.integers(0, frames, 12)
    sizes = random.integers(2, LARGEST + 1, 12)
    ranks = random.integers(0, 2**63, (12, frames)).astype(np.uint64)
    return overlap, *pairs_of(overlap, chain), anchors, sizes, ranks


def as_tuples(sets):
    return [tuple(frame for frame in row if frame >= 0) for row in sets.tolist()]


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(1, 14), st.booleans())
def test_draws_take_the_greatest_rank_among_those_that_fit(seed, frames, chain):
    overlap, fits, shares, anchors, sizes, ranks = drawing(seed, frames, chain)
    wanted = {
        found
        for anchor, size, line in zip(anchors, sizes, ranks, strict=True)
        for level in LEVELS
        if (found := grown(overlap, fits, shares, level, anchor, size, line))
    }
    found = as_tuples(draw_sets(overlap, fits, shares, LEVELS, anchors, sizes, ranks))
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert all(members in all_sets(fits, shares, len(members)) for members in found)


@settings(max_examples=50, deadline=None)
@given(SEEDS, st.integers(2, 14), st.booleans())
def test_numbering_frames_otherwise_draws_the_same_sets(seed, frames, chain):
    overlap, fits, shares, anchors, sizes, ranks = drawing(seed, frames, chain)
    order = np.random.default_rng(seed + 1).permutation(frames)
    place = np.argsort(order)
    at = np.ix_(order, order)
    found = draw_sets(overlap, fits, shares, LEVELS, anchors, sizes, ranks)
    other = draw_sets(
        overlap[at], fits[at], None if shares is None else shares[at], LEVELS, place[anchors], sizes,
        np.ascontiguousarray(ranks[:, order]),
    )  # fmt: skip
    assert set(as_tuples(found)) == {tuple(sorted(order[list(row)])) for row in as_tuples(other)}


def test_more_frames_than_sets_can_be_told_apart_by_are_rejected():
    frames = 7000
    nothing = np.broadcast_to(np.zeros(1), (frames, frames))
    none = np.zeros(0, np.int64)
    with pytest.raises(ValueError, match="7000 frames"):
        draw_sets(nothing, nothing > 0, None, LEVELS, none, none, np.zeros((0, frames), np.uint64))


def test_pairs_are_listed_first_with_second_first():
    overlap = np.arange(16.0).reshape(4, 4)
    assert pair_overlaps(np.array([[0, 2, 3]]), overlap).tolist() == [[2.0, 3.0, 11.0]]
    assert pair_overlaps(np.array([[3, 1]]), overlap).tolist() == [[13.0]]


def turns(members, depth):
    """Taking turns by hand: of each group's own line the next, whoever of these has the least rank first."""
    if depth == len(members[0][1]) if members else True:
        return sorted(members)
    groups = {}
    for member in members:
        groups.setdefault(member[1][depth], []).append(member)
    lines = [turns(group, depth + 1) for group in groups.values()]
    line = []
    while any(lines):
        line += sorted(waiting.pop(0) for waiting in lines if waiting)
    return line


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(0, 40))
def test_strata_take_turns(seed, count):
    random = np.random.default_rng(seed)
    ranks = random.permutation(count).astype(np.uint64)
    levels, cells = random.integers(0, 3, (2, count)).astype(np.uint64)
    members = [(int(ranks[i]), (int(levels[i]), int(cells[i])), i) for i in range(count)]
    assert spread(ranks, levels, cells).tolist() == [member[2] for member in turns(members, 0)]
    assert spread(ranks).tolist() == np.argsort(ranks).tolist()


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(0, 7), st.integers(1, 40), st.integers(0, 4))
def test_a_face_that_several_views_show_counts_once_among_those_that_these_alone_show(
    seed, frames, faces, objects
):
    random = np.random.default_rng(seed)
    areas = random.uniform(0, 1, faces)
    slots = random.integers(-1, objects, faces).astype(np.int32) if objects else np.full(faces, -1, np.int32)
    visible = [np.flatnonzero(random.random(faces) < 0.4).astype(np.int32) for _ in range(frames)]
    picks = [random.permutation(frames)[: random.integers(1, LARGEST + 1)] for _ in range(6 if frames else 0)]
    sets = np.full((len(picks), LARGEST), -1, np.int64)
    for row, pick in enumerate(picks):
        sets[row, : len(pick)] = pick
    each, parts = shown_areas(visible, slots, areas, objects, sets)
    union = parts.sum(axis=2)

    def area(shown, thing):
        return sum(areas[face] for face in sorted(shown) if slots[face] == thing)

    assert each.shape == (frames, objects) and union.shape == (len(picks), objects)
    for frame, thing in np.ndindex(each.shape):
        assert each[frame, thing] == pytest.approx(area(visible[frame].tolist(), thing))
    for row, thing in np.ndindex(union.shape):
        together = set().union(*(visible[frame].tolist() for frame in picks[row]))
        assert union[row, thing] == pytest.approx(area(together, thing))
        for views in range(1 << LARGEST):
            named = [frame for place, frame in enumerate(picks[row]) if views >> place & 1]
            others = [frame for frame in picks[row] if frame not in named]
            if views >= 1 << len(picks[row]) or not named:
                assert parts[row, thing, views] == 0
                continue
            shared = set.intersection(*(set(visible[frame].tolist()) for frame in named))
            shared -= set().union(*(visible[frame].tolist() for frame in others))
            assert parts[row, thing, views] == pytest.approx(area(shared, thing))
