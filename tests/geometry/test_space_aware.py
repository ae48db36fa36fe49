"""Space-aware frames against plain rules and brute force; what moves nothing; what the released rule gets wrong."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_assets.geometry.space_aware import (
    Seen,
    choose,
    choose_as_released,
    grid_of,
    seen_voxels,
    trusted,
)

PARTS, OUTSIDE, MOST_PARTS, STEP, LEAST = 20, 0.01, 200, 1.25, 2


def seen_of(sets: list[set[int]]) -> Seen:
    starts = np.concatenate([[0], np.cumsum([len(own) for own in sets])]).astype(np.int64)
    flat = np.array([voxel for own in sets for voxel in sorted(own)], np.int64)
    return Seen(starts, flat, int(flat.max(initial=-1)) + 1)


def plainly(sets: list[set[int]], identities: list[int], wanted: int) -> tuple[list[int], list[int]]:
    """The rule, as it is said."""
    taken: list[int] = []
    gains: list[int] = []
    covered: set[int] = set()

    def alike(frame: int) -> float:
        either = [(len(sets[frame] & sets[other]), len(sets[frame] | sets[other])) for other in taken]
        return max([common / all_ if all_ else 1.0 for common, all_ in either], default=0.0)

    while len(taken) < min(wanted, len(sets)):
        left = [frame for frame in range(len(sets)) if frame not in taken]
        best = min(left, key=lambda frame: (-len(sets[frame] - covered), identities[frame]))
        gain = len(sets[best] - covered)
        if gain == 0:
            best = min(left, key=lambda frame: (alike(frame), identities[frame]))
        taken.append(best)
        gains.append(gain)
        covered |= sets[best]
    return taken, gains


VOXELS = st.sets(st.integers(0, 25), max_size=12)


@settings(max_examples=100)
@given(st.lists(VOXELS, min_size=1, max_size=9), st.integers(1, 12), st.randoms(use_true_random=False))
def test_frames_are_those_of_the_rule(sets: list[set[int]], wanted: int, random: object) -> None:
    identities = list(range(100, 100 + len(sets)))
    random.shuffle(identities)  # type: ignore[attr-defined]
    found = choose(seen_of(sets), np.array(identities, np.uint64), wanted)
    frames, gains = plainly(sets, identities, wanted)
    assert len(found.frames) == wanted
    assert found.frames[: len(frames)].tolist() == frames
    assert found.gains.tolist() == gains + [0] * (wanted - len(gains))
    # Where there are fewer frames than are asked for, none is shown twice more often than another.
    shown = np.bincount(found.frames, minlength=len(sets))
    if wanted >= len(sets):
        assert shown.max() - shown.min() <= 1


@settings(max_examples=100)
@given(st.lists(VOXELS, min_size=1, max_size=8), st.integers(1, 4))
def test_frames_show_nearly_as_much_as_the_best_could(sets: list[set[int]], wanted: int) -> None:
    found = choose(seen_of(sets), np.arange(1, len(sets) + 1, dtype=np.uint64), wanted)
    shown = set().union(*(sets[frame] for frame in found.frames.tolist()))
    best = max(len(set().union(*chosen)) for chosen in combinations(sets, min(wanted, len(sets))))
    assert len(shown) >= (1 - 1 / np.e) * best - 1e-9


@given(st.lists(VOXELS, min_size=1, max_size=9), st.integers(1, 9), st.randoms(use_true_random=False))
def test_the_order_of_the_video_decides_nothing(sets: list[set[int]], wanted: int, random: object) -> None:
    identities = np.arange(1, len(sets) + 1, dtype=np.uint64)
    order = list(range(len(sets)))
    random.shuffle(order)  # type: ignore[attr-defined]
    one = choose(seen_of(sets), identities, wanted)
    other = choose(seen_of([sets[place] for place in order]), identities[order], wanted)
    assert [order[frame] for frame in other.frames.tolist()] == one.frames.tolist()


def room(seed: int, frames: int = 24, points: int = 300) -> list[np.ndarray]:
    """Points on the walls of a room of 5 x 4 x 2.5 m, of frames that each look at a part of it."""
    rng = np.random.default_rng(seed)
    size = np.array([5.0, 4.0, 2.5])
    found = []
    for _ in range(frames):
        middle = rng.uniform(0, 1, 3) * size
        own = np.clip(middle + rng.normal(0, 1.0, (points, 3)), 0, size)
        side = rng.integers(0, 3, points)
        own[np.arange(points), side] = np.where(rng.random(points) < 0.5, 0.0, size[side])
        found.append(own)
    return found


def chosen_of(points: list[np.ndarray], wanted: int = 8) -> list[int]:
    grid = grid_of(points, PARTS, OUTSIDE, MOST_PARTS, STEP)
    identities = np.arange(1, len(points) + 1, dtype=np.uint64)
    return choose(seen_voxels(points, grid, LEAST), identities, wanted).frames.tolist()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("away", [3.0, 40.0, 1e6])
def test_a_stray_point_changes_nothing(seed: int, away: float) -> None:
    points = room(seed)
    before = chosen_of(points)
    rng = np.random.default_rng(1000 + seed)
    direction = rng.normal(size=3)
    stray = np.array([2.5, 2.0, 1.25]) + away * direction / np.linalg.norm(direction)
    frame = int(rng.integers(len(points)))
    points[frame] = np.concatenate([points[frame], stray[None]])
    assert chosen_of(points) == before


def test_where_in_the_world_the_room_is_does_not_stop_it() -> None:
    away = np.array([4.5e5, 5.4e6, 300.0])
    assert len(chosen_of([own + away for own in room(3)])) == 8


@settings(max_examples=60)
@given(st.data())
def test_as_many_frames_as_asked_for_whatever_they_see(data: st.DataObject) -> None:
    kinds = st.sampled_from(["nothing", "one point", "one place", "a plane", "a room", "far apart"])
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    points = []
    for kind in data.draw(st.lists(kinds, min_size=1, max_size=12)):
        own = rng.uniform(-2, 2, (40, 3))
        points.append(
            {
                "nothing": own[:0],
                "one point": own[:1],
                "one place": np.repeat(own[:1], 40, axis=0),
                "a plane": own * [1, 1, 0],
                "a room": own,
                "far apart": own * 1e5,
            }[kind]
        )
    wanted = data.draw(st.integers(1, 20))
    frames = chosen_of(points, wanted)
    assert len(frames) == wanted and set(frames) <= set(range(len(points)))
    assert len(set(frames)) == min(wanted, len(points))


def test_voxels_are_those_of_the_points() -> None:
    points = room(7, frames=6, points=200)
    grid = grid_of(points, PARTS, OUTSIDE, MOST_PARTS, STEP)
    assert grid is not None
    cells = [[tuple(np.floor(point / grid.size).astype(int)) for point in own] for own in points]
    counts: dict[tuple[int, ...], int] = {}
    for own in cells:
        for cell in own:
            counts[cell] = counts.get(cell, 0) + 1
    held = {cell for cell, count in counts.items() if count >= LEAST}
    seen = seen_voxels(points, grid, LEAST)
    assert seen.total == len(held)
    wanted = [set(own) & held for own in cells]
    for frame, own in enumerate(wanted):
        assert len(seen.of(frame)) == len(own) == len(set(seen.of(frame).tolist()))
    for one, other in combinations(range(len(points)), 2):
        common = set(seen.of(one).tolist()) & set(seen.of(other).tolist())
        assert len(common) == len(wanted[one] & wanted[other])


def test_errors_say_what_is_wrong() -> None:
    nothing = Seen(np.zeros(1, np.int64), np.zeros(0, np.int64), 0)
    with pytest.raises(ValueError, match="without frames"):
        choose(nothing, np.zeros(0, np.uint64), 4)
    with pytest.raises(ValueError, match="one identity"):
        choose(seen_of([{1}, {2}]), np.array([5, 5], np.uint64), 1)


def released_plainly(points: np.ndarray, wanted: int) -> list[int]:
    """`sa_sampling.py` in other words: integers of each point's place in the box, one set a frame."""
    flat = points.reshape(-1, 3)
    low, size = flat.min(axis=0), (flat.max(axis=0) - flat.min(axis=0)).min() / 20
    sets = [
        {
            tuple(int((value - start) // size) for value, start in zip(point, low, strict=True))
            for point in own
        }
        for own in points
    ]
    taken: list[int] = []
    covered: set[tuple[int, ...]] = set()
    while len(taken) < wanted:
        best, most = -1, 0
        for frame, own in enumerate(sets):
            if frame not in taken and len(own - covered) > most:
                best, most = frame, len(own - covered)
        if best < 0:
            break
        taken.append(best)
        covered |= sets[best]
    return sorted(taken)


@pytest.mark.parametrize("seed", range(10))
def test_the_official_rule_is_the_released_one(seed: int) -> None:
    points = np.stack(room(seed, frames=10, points=120))
    assert choose_as_released(list(points), 6).tolist() == released_plainly(points, 6)


def test_the_official_rule_stops_early_and_one_point_moves_it() -> None:
    same = [room(1, frames=1)[0]] * 5
    assert choose_as_released(same, 4).tolist() == [0]
    assert len(chosen_of(same, 4)) == 4
    changed = 0
    for seed in range(10):
        points = room(seed)
        before = choose_as_released(points, 8).tolist()
        points[0] = np.concatenate([points[0], [[300.0, 300.0, 300.0]]])
        changed += choose_as_released(points, 8).tolist() != before
    assert changed >= 8


def test_points_of_little_confidence_are_not_trusted() -> None:
    confidence = [np.array([0.05, 0.2, 0.9]), np.array([0.3, 0.4, 0.95])]
    assert [own.tolist() for own in trusted(confidence, 0.5, 0.1)] == [
        [False, False, True],
        [False, True, True],
    ]
    assert not np.concatenate(trusted([np.full(4, 0.1)], 0.5, 0.1)).any()
