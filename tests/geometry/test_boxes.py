"""Gravity-aligned boxes of point sets, corners, yaw and overlap, against brute force and by construction."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial.transform import Rotation

from spatial_assets.geometry.box_fit import gravity_aligned_box
from spatial_assets.geometry.boxes import (
    CORNER_SIGNS,
    box_corners,
    boxes_overlap,
    yaw_of,
)
from spatial_assets.scene.model import Box

QUARTER = math.pi / 4


def bytes_of(box: Box) -> tuple[bytes, bytes, bytes]:
    return box.center.tobytes(), box.size.tobytes(), box.rotation.tobytes()


def turned(yaw: float) -> np.ndarray:
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def naive_minimum_area(xy: np.ndarray) -> float:
    """Least area over every direction through two of the points: a superset of the hull's edges."""
    best = np.inf
    for i, j in itertools.combinations(range(len(xy)), 2):
        d = xy[j] - xy[i]
        length = np.hypot(*d)
        if length == 0:
            continue
        u = d / length
        v = np.array([-u[1], u[0]])
        best = min(best, float(np.ptp(xy @ u) * np.ptp(xy @ v)))
    return best


def random_box(rng: np.random.Generator, spread: float = 3.0, yaw_only: bool = False) -> Box:
    rotation = (
        turned(rng.uniform(0, 2 * math.pi)) if yaw_only else Rotation.random(random_state=rng).as_matrix()
    )
    return Box(rng.uniform(-spread, spread, 3), rng.uniform(0.05, 2.5, 3), rotation)


def share_a_point(a: Box, b: Box) -> bool:
    """Linear feasibility: a point p with |R_a^T (p - c_a)| <= h_a and the same for b."""
    rows, limits = [], []
    for box in (a, b):
        for sign in (1.0, -1.0):
            rows.append(sign * box.rotation.T)
            limits.append(box.size / 2 + sign * box.rotation.T @ box.center)
    found = linprog(np.zeros(3), A_ub=np.vstack(rows), b_ub=np.concatenate(limits), bounds=(None, None))
    return bool(found.status == 0)


class TestGravityAlignedBox:
    @pytest.mark.parametrize("yaw", [0.0, 0.3, -0.7, 1.2, 2.2, math.pi / 2, 3.0, -2.5])
    def test_recovers_a_known_box(self, yaw: float) -> None:
        truth = Box(np.array([1.5, -20.25, 0.75]), np.array([2.0, 0.5, 1.25]), turned(yaw))
        found = gravity_aligned_box(box_corners(truth))
        np.testing.assert_allclose(found.center, truth.center, atol=1e-12)
        np.testing.assert_allclose(found.size, truth.size, atol=1e-12)
        # The same axis up to direction.
        assert abs(found.rotation[:, 0] @ truth.rotation[:, 0]) == pytest.approx(1.0, abs=1e-12)

    @pytest.mark.parametrize("seed", range(40))
    def test_area_is_minimal_and_all_points_are_inside(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        points = rng.normal(size=(int(rng.integers(3, 60)), 3)) * rng.uniform(0.1, 4.0, 3) + rng.uniform(
            -50, 50, 3
        )
        if seed % 3 == 0:
            points = np.round(points, 1)
        box = gravity_aligned_box(points)
        area = box.size[0] * box.size[1]
        assert area == pytest.approx(naive_minimum_area(points[:, :2]), rel=1e-9, abs=1e-12)
        local = (points - box.center) @ box.rotation
        assert (np.abs(local) <= box.size / 2 + 1e-12).all()
        assert box.size[2] == np.ptp(points[:, 2])

    def test_many_points_on_a_circle(self) -> None:
        angles = np.linspace(0, 2 * math.pi, 20_000, endpoint=False)
        points = np.column_stack([3 + np.cos(angles), 2 + np.sin(angles), angles * 0])
        np.testing.assert_allclose(gravity_aligned_box(points).size, [2, 2, 0], atol=1e-6)

    @given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.booleans())
    @settings(deadline=None, max_examples=150)
    def test_same_bytes_in_any_order_and_with_repeats(self, seed: int, n: int, lattice: bool) -> None:
        rng = np.random.default_rng(seed)
        points = rng.integers(-3, 4, (n, 3)) / 2.0 if lattice else rng.normal(size=(n, 3))
        expected = bytes_of(gravity_aligned_box(points))
        shuffled = points[rng.permutation(n)]
        assert bytes_of(gravity_aligned_box(shuffled)) == expected
        assert bytes_of(gravity_aligned_box(np.vstack([shuffled, points[rng.integers(0, n, 5)]]))) == expected
        assert bytes_of(gravity_aligned_box(np.asfortranarray(shuffled))) == expected
        negative_zeros = np.where(shuffled == 0, -0.0, shuffled)
        assert bytes_of(gravity_aligned_box(negative_zeros)) == expected

    @given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.booleans())
    @settings(deadline=None, max_examples=200)
    def test_canonical_form(self, seed: int, n: int, lattice: bool) -> None:
        rng = np.random.default_rng(seed)
        points = rng.integers(-2, 3, (n, 3)).astype(float) if lattice else rng.normal(size=(n, 3))
        box = gravity_aligned_box(points)
        assert box.size[0] >= box.size[1] * (1 - 1e-12)
        yaw = yaw_of(box)
        square = box.size[0] - box.size[1] <= 1e-12 * box.size[0]
        assert -QUARTER - 1e-15 <= yaw < (QUARTER if square else 3 * QUARTER)
        np.testing.assert_allclose(box.rotation @ box.rotation.T, np.eye(3), atol=1e-14)
        assert np.linalg.det(box.rotation) == pytest.approx(1.0)
        np.testing.assert_array_equal(box.rotation[:, 2], [0, 0, 1])
        np.testing.assert_array_equal(box.rotation[2], [0, 0, 1])

    def test_equal_rectangles_take_the_smallest_yaw(self) -> None:
        # A regular hexagon has three minimum rectangles, 60 degrees apart.
        for turn in (0.0, 0.2, 0.5, 0.9):
            angles = turn + np.arange(6) * math.pi / 3
            box = gravity_aligned_box(np.column_stack([np.cos(angles), np.sin(angles), angles * 0]))
            # A long side runs along an edge, and so along the diagonal beside it.
            long_axis = angles % math.pi
            canonical = np.where(long_axis >= 3 * QUARTER, long_axis - math.pi, long_axis)
            assert yaw_of(box) == pytest.approx(canonical.min(), abs=1e-9)
            np.testing.assert_allclose(box.size[:2], [2, math.sqrt(3)], atol=1e-12)

    def test_one_point(self) -> None:
        box = gravity_aligned_box([[1.0, 2.0, 3.0]])
        np.testing.assert_array_equal(box.center, [1, 2, 3])
        np.testing.assert_array_equal(box.size, [0, 0, 0])
        np.testing.assert_array_equal(box.rotation, np.eye(3))

    def test_points_above_one_another(self) -> None:
        box = gravity_aligned_box([[1.0, 2.0, 3.0], [1.0, 2.0, 5.0]])
        np.testing.assert_array_equal(box.center, [1, 2, 4])
        np.testing.assert_array_equal(box.size, [0, 0, 2])
        np.testing.assert_array_equal(box.rotation, np.eye(3))

    @pytest.mark.parametrize("steps", [1, 2, 7])
    def test_points_on_a_vertical_plane(self, steps: int) -> None:
        t = np.linspace(0, 1, steps + 1)
        box = gravity_aligned_box(np.column_stack([1 + 3 * t, 5 + 4 * t, t * 2]))
        np.testing.assert_allclose(box.center, [2.5, 7, 1], atol=1e-14)
        np.testing.assert_allclose(box.size, [5, 0, 2], atol=1e-14)
        assert yaw_of(box) == pytest.approx(math.atan2(4, 3))

    def test_points_in_a_horizontal_plane(self) -> None:
        box = gravity_aligned_box([[0, 0, 1], [4, 0, 1], [4, 2, 1], [0, 2, 1]])
        np.testing.assert_array_equal(box.size, [4, 2, 0])
        np.testing.assert_array_equal(box.center, [2, 1, 1])

    @pytest.mark.parametrize(
        "points",
        [np.empty((0, 3)), [[0, 0, np.nan]], [[np.inf, 0, 0]], [[0.0, 0.0]], [0.0, 0.0, 0.0]],
    )
    def test_rejects_what_has_no_box(self, points: object) -> None:
        with pytest.raises(ValueError, match="point"):
            gravity_aligned_box(points)


class TestCornersAndYaw:
    def test_corners_stand_where_the_signs_say(self) -> None:
        box = Box(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]), turned(math.pi / 2))
        corners = box_corners(box)
        assert corners.shape == (8, 3)
        # The box's x axis points along world y, its y axis along world -x.
        np.testing.assert_allclose(corners[7], [1 - 2, 2 + 1, 3 + 3])
        np.testing.assert_allclose(corners[0], [1 + 2, 2 - 1, 3 - 3])
        np.testing.assert_allclose((corners - box.center) @ box.rotation, CORNER_SIGNS * box.size / 2)

    @pytest.mark.parametrize("yaw", [0.0, 0.5, -0.5, 3.0, -3.0])
    def test_yaw(self, yaw: float) -> None:
        assert yaw_of(Box(np.zeros(3), np.ones(3), turned(yaw))) == pytest.approx(yaw)

    def test_yaw_of_a_half_turn_is_positive(self) -> None:
        assert yaw_of(Box(np.zeros(3), np.ones(3), np.diag([-1.0, -0.0, 1.0]))) == math.pi
        assert (
            yaw_of(Box(np.zeros(3), np.ones(3), np.array([[-1.0, 0, 0], [-0.0, -1, 0], [0, 0, 1]])))
            == math.pi
        )

    def test_a_vertical_axis_has_no_yaw(self) -> None:
        with pytest.raises(ValueError, match="vertical"):
            yaw_of(Box(np.zeros(3), np.ones(3), np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])))


class TestOverlap:
    @pytest.mark.parametrize("seed", range(60))
    def test_agrees_with_linear_feasibility(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        a, b = random_box(rng, 1.2, seed % 2 == 0), random_box(rng, 1.2, seed % 3 == 0)
        assert boxes_overlap(a, b) == share_a_point(a, b)
        assert boxes_overlap(b, a) == boxes_overlap(a, b)

    def test_the_random_pairs_hold_both_answers(self) -> None:
        seen = set()
        for seed in range(60):
            rng = np.random.default_rng(seed)
            seen.add(boxes_overlap(random_box(rng, 1.2, seed % 2 == 0), random_box(rng, 1.2, seed % 3 == 0)))
        assert seen == {True, False}

    def test_crossed_edges_need_the_cross_axes(self) -> None:
        # Two long bars, each turned about its own length an edge toward the other: no face parts them.
        bar = np.array([4.0, 0.5, 0.5])
        tilt = Rotation.from_euler("x", 45, degrees=True).as_matrix()
        across = turned(math.pi / 2) @ tilt
        reach = math.sqrt(0.5) / 2
        lower = Box(np.zeros(3), bar, tilt)
        assert boxes_overlap(lower, Box(np.array([0, 0, 2 * reach - 1e-6]), bar, across))
        assert not boxes_overlap(lower, Box(np.array([0, 0, 2 * reach + 1e-6]), bar, across))

    def test_touching_counts(self) -> None:
        # On paper both faces stand at 0.3; in float64 they differ by a rounding.
        a = Box(np.array([0.15, 0, 0]), np.array([0.3, 1, 1]), np.eye(3))
        b = Box(np.array([0.45, 0, 0]), np.array([0.3, 1, 1]), np.eye(3))
        assert boxes_overlap(a, b)
        assert boxes_overlap(a, Box(np.array([0.45, 1.0, 1.0]), np.array([0.3, 1, 1]), np.eye(3)))
        assert not boxes_overlap(a, Box(np.array([0.4500001, 0, 0]), np.array([0.3, 1, 1]), np.eye(3)))

    def test_one_inside_the_other_and_flat_boxes(self) -> None:
        big = Box(np.zeros(3), np.full(3, 4.0), turned(0.3))
        assert boxes_overlap(big, Box(np.array([0.1, 0.2, 0.3]), np.full(3, 0.1), turned(1.0)))
        assert boxes_overlap(big, Box(np.zeros(3), np.zeros(3), np.eye(3)))
        flat = Box(np.array([0, 0, 2.5]), np.array([1.0, 1.0, 0.0]), np.eye(3))
        assert not boxes_overlap(big, flat)
        assert boxes_overlap(flat, Box(np.array([0.5, 0.5, 2.5]), np.array([1.0, 0.0, 1.0]), turned(0.5)))
