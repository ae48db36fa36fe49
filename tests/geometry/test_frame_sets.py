"""Frames nearest to even places, against all ways to choose them; what faces say of voxels, against their points."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.geometry.frame_sets import Plan, coarse_share, evenly_among, faces_of, seen_faces
from spatial_assets.geometry.keyframes import uniform_indices
from spatial_assets.geometry.space_aware import Grid, seen_voxels, seen_voxels_of

FIXED = st.sets(st.integers(0, 30), min_size=1, max_size=10).map(sorted)


@given(FIXED, st.integers(1, 8))
def test_frames_are_those_whose_distances_add_up_to_least(positions: list[int], samples: int) -> None:
    count = 31
    found = evenly_among(np.array(positions), count, samples)
    wanted = uniform_indices(count, samples).tolist()
    assert (np.diff(found) > 0).all() and len(found) == min(samples, len(positions))
    if samples >= len(positions):
        assert found.tolist() == list(range(len(positions)))
        return

    def cost(places: tuple[int, ...]) -> int:
        return sum(abs(positions[place] - want) for place, want in zip(places, wanted, strict=True))

    ways = {places: cost(places) for places in combinations(range(len(positions)), samples)}
    assert cost(tuple(found.tolist())) == min(ways.values())


@given(st.integers(1, 200), st.integers(1, 64))
def test_where_all_frames_are_known_they_are_the_uniform_ones(count: int, samples: int) -> None:
    every = np.arange(count)
    assert evenly_among(every, count, samples).tolist() == uniform_indices(count, samples).tolist()


@given(st.integers(0, 1000), st.integers(1, 3))
def test_voxels_of_chosen_points_are_those_of_the_points(seed: int, least: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(-3, 5, (200, 3))
    looks = [rng.choice(200, rng.integers(0, 60), replace=False) for _ in range(6)]
    grid = Grid(0.7, np.full(3, -2.5), np.full(3, 4.5))
    one = seen_voxels_of(points, looks, grid, least)
    other = seen_voxels([points[own] for own in looks], grid, least)
    assert one.total == other.total
    # The numbers differ; what is in common does not.
    for first in range(6):
        assert len(one.of(first)) == len(other.of(first))
        for second in range(6):
            shared = len(np.intersect1d(one.of(first), one.of(second)))
            assert shared == len(np.intersect1d(other.of(first), other.of(second)))


@given(st.integers(0, 1000))
def test_voxels_far_apart_are_numbered_as_those_close_together(seed: int) -> None:
    """Where a place's box has more cells than are looked up one by one, a table holds those that are filled."""
    rng = np.random.default_rng(seed)
    near = [rng.uniform(0, 2, (30, 3)) for _ in range(4)]
    ends = Grid(0.5, np.full(3, -500.0), np.full(3, 500.0))
    far = [np.concatenate([own, [[499.0, 499.0, 499.0], [-499.0, -499.0, -499.0]]]) for own in near]
    one, other = seen_voxels(near, ends, 1), seen_voxels(far, ends, 1)
    assert other.total == one.total + 2
    assert [len(other.of(frame)) for frame in range(4)] == [len(one.of(frame)) + 2 for frame in range(4)]


def test_faces_are_measured() -> None:
    vertices = np.array([[0, 0, 0], [3, 0, 0], [0, 4, 0], [0, 0, 1]], np.float32)
    faces = faces_of(vertices, np.array([[0, 1, 2], [0, 3, 3]], np.int32))
    assert faces.centers[0] == pytest.approx([1, 4 / 3, 0])
    assert faces.areas.tolist() == pytest.approx([6, 0]) and faces.longest.tolist() == pytest.approx([5, 1])
    assert coarse_share(faces, [np.array([0, 1])], 4.9) == 1.0
    assert coarse_share(faces, [np.array([1])], 0.1) == 0.0
    assert seen_faces([np.array([1]), np.array([], np.int32)], 2).tolist() == [False, True]


@given(st.integers(0, 1000), st.sampled_from([0.1, 0.25, 1.0]), st.booleans())
def test_cells_of_the_plan_are_counted(seed: int, cell: float, stray: bool) -> None:
    rng = np.random.default_rng(seed)
    centers = rng.uniform(-2, 3, (60, 3))
    if stray:
        centers[0] = [1e7, -1e7, 0]
        centers[1] = np.nan
    seen = rng.random(60) < 0.5
    expected = {tuple(np.floor(it[:2] / cell)) for it in centers[seen] if np.isfinite(it).all()}
    assert Plan(centers, cell).cells(seen) == len(expected)
