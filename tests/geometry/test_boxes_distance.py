"""The exact distance between oriented boxes: against an optimizer, dense sampling, and by construction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from spatial_assets.geometry.boxes import (
    box_corners,
    box_distance,
    box_distance_matrix,
    box_distances,
    boxes_overlap,
    stack_boxes,
)
from spatial_assets.scene.model import Box

KINDS = ["free", "yaw", "lattice", "nearly parallel", "flat", "thin", "far away"]


def turned(yaw: float) -> np.ndarray:
    return Rotation.from_euler("z", yaw).as_matrix()


def random_box(rng: np.random.Generator, kind: str) -> Box:
    center, size = rng.uniform(-2.5, 2.5, 3), rng.uniform(0.05, 2.5, 3)
    rotation = Rotation.random(random_state=rng).as_matrix()
    if kind == "yaw":
        rotation = turned(rng.uniform(0, 2 * math.pi))
    elif kind == "lattice":
        center, size = rng.integers(-6, 7, 3) / 2.0, rng.integers(1, 5, 3) / 2.0
        rotation = turned(math.pi / 4 * rng.integers(0, 8))
    elif kind == "nearly parallel":
        rotation = Rotation.from_rotvec(rng.normal(size=3) * 10.0 ** rng.uniform(-13, -3)).as_matrix()
    elif kind == "flat":
        size[rng.permutation(3)[: rng.integers(1, 4)]] = 0.0
    elif kind == "thin":
        size = np.array([rng.uniform(1, 6), 1e-3, 1e-3])
    elif kind == "far away":
        center += [1000.0, -500.0, 30.0]
    return Box(center, size, rotation)


def optimum(a: Box, b: Box) -> float:
    """Least |(c_a + R_a u) - (c_b + R_b v)| over |u| <= h_a, |v| <= h_b, by bounded least squares."""
    half = np.concatenate([a.size, b.size]) / 2
    # The solver wants an interior, so a flat axis keeps a width that moves the answer by less than its
    # tolerance.
    half = np.maximum(half, 1e-12)
    matrix = np.hstack([a.rotation, -b.rotation])
    found = lsq_linear(matrix, b.center - a.center, (-half, half), method="bvls", tol=1e-15, max_iter=1000)
    return float(np.linalg.norm(matrix @ found.x - (b.center - a.center)))


def surface_samples(box: Box, rng: np.random.Generator, n: int) -> np.ndarray:
    """Corners, points on the edges and points on the faces: n of each of the last two."""
    local = rng.uniform(-0.5, 0.5, (2 * n, 3))
    rows = np.arange(2 * n)
    for axis in (rng.integers(0, 3, 2 * n), np.where(rows < n, rng.integers(0, 3, 2 * n), -1)):
        chosen = axis >= 0
        local[rows[chosen], axis[chosen]] = rng.choice([-0.5, 0.5], int(chosen.sum()))
    return np.vstack([box_corners(box), box.center + (local * box.size) @ box.rotation.T])


def check_against_optimum(seed: int, kind: str) -> float:
    rng = np.random.default_rng(seed)
    a, b = random_box(rng, kind), random_box(rng, kind)
    exact = box_distance(a, b)
    assert abs(exact - optimum(a, b)) < 1e-6, (seed, kind)
    return exact


class TestAgainstOptimizer:
    @pytest.mark.parametrize("kind", KINDS)
    def test_within_a_micrometer(self, kind: str) -> None:
        distances = [check_against_optimum(seed, kind) for seed in range(80)]
        assert max(distances) > 0.5

    @pytest.mark.prove
    @pytest.mark.parametrize("kind", KINDS)
    def test_within_a_micrometer_thousands_of_pairs(self, kind: str) -> None:
        for seed in range(2000):
            check_against_optimum(1_000_000 + seed, kind)

    @given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS), st.sampled_from(KINDS))
    @settings(deadline=None, max_examples=150)
    def test_boxes_of_different_kinds(self, seed: int, kind_a: str, kind_b: str) -> None:
        rng = np.random.default_rng(seed)
        a, b = random_box(rng, kind_a), random_box(rng, kind_b)
        assert box_distance(a, b) == pytest.approx(optimum(a, b), abs=1e-6)

    @pytest.mark.parametrize("angle", [1e-15, 1e-13, 1e-12, 1e-11, 1e-9, 1e-8, 1e-7, 1e-5])
    def test_bars_that_cross_at_a_tiny_angle(self, angle: float) -> None:
        # The shortest segment runs between the inner parts of two edges, whose directions hardly differ.
        on_edge = Rotation.from_euler("x", 45, degrees=True).as_matrix()
        a = Box(np.zeros(3), np.array([8.0, 0.1, 0.1]), on_edge)
        b = Box(np.array([0.3, 0.0, 1.0]), a.size, turned(angle) @ a.rotation)
        assert box_distance(a, b) == pytest.approx(1.0 - 0.1 * math.sqrt(2), abs=1e-9)


class TestAgainstSampling:
    @staticmethod
    def check(seed: int, kind: str, n: int) -> None:
        rng = np.random.default_rng(seed)
        a, b = random_box(rng, kind), random_box(rng, kind)
        sampled = cdist(surface_samples(a, rng, n), surface_samples(b, rng, n)).min()
        assert box_distance(a, b) <= sampled + 1e-12

    @pytest.mark.parametrize("kind", KINDS)
    def test_never_above(self, kind: str) -> None:
        for seed in range(25):
            self.check(seed, kind, 400)

    @pytest.mark.prove
    @pytest.mark.parametrize("kind", KINDS)
    def test_never_above_thousands_of_pairs(self, kind: str) -> None:
        for seed in range(1000):
            self.check(2_000_000 + seed, kind, 400)


class TestKnownDistances:
    cube = Box(np.zeros(3), np.full(3, 2.0), np.eye(3))

    def other(self, center: list[float], size: float = 1.0, rotation: np.ndarray | None = None) -> Box:
        return Box(np.array(center), np.full(3, size), np.eye(3) if rotation is None else rotation)

    def test_face_to_face(self) -> None:
        assert box_distance(self.cube, self.other([3.0, 0.2, -0.3])) == 1.5

    def test_edge_to_edge_that_is_parallel(self) -> None:
        assert box_distance(self.cube, self.other([1.5 + 3, 1.5 + 4, 0.0])) == 5.0

    def test_corner_to_corner(self) -> None:
        assert box_distance(self.cube, self.other([1.5 + 2, 1.5 + 3, 1.5 + 6])) == 7.0

    def test_corner_to_face(self) -> None:
        # A cube on its corner: the axis through two opposite corners is vertical.
        rotation = Rotation.align_vectors([[0, 0, 1]], [[1, 1, 1]])[0].as_matrix()
        assert box_distance(self.cube, self.other([0.1, 0.2, 4.0], 1.0, rotation)) == pytest.approx(
            3.0 - math.sqrt(3) / 2, abs=1e-14
        )

    def test_crossed_edges(self) -> None:
        tilt = Rotation.from_euler("x", 45, degrees=True).as_matrix()
        bar = np.array([4.0, 0.5, 0.5])
        a, b = Box(np.zeros(3), bar, tilt), Box(np.array([0.2, 0.1, 2.0]), bar, turned(math.pi / 2) @ tilt)
        assert box_distance(a, b) == pytest.approx(2.0 - math.sqrt(0.5), abs=1e-14)

    @pytest.mark.parametrize(
        "center", [[1.5, 0.3, 0.1], [1.5, 1.5, 0.0], [1.5, 1.5, 1.5], [0.2, 0, 0], [0, 0, 0]]
    )
    def test_touching_and_overlapping_is_zero(self, center: list[float]) -> None:
        assert box_distance(self.cube, self.other(center)) == 0.0

    def test_touching_up_to_rounding_is_zero(self) -> None:
        a = Box(np.array([0.15, 0, 0]), np.array([0.3, 1, 1]), np.eye(3))
        assert box_distance(a, Box(np.array([0.45, 0, 0]), np.array([0.3, 1, 1]), np.eye(3))) == 0.0

    def test_points_and_plates(self) -> None:
        point = Box(np.array([0.0, 0.0, 3.0]), np.zeros(3), np.eye(3))
        plate = Box(np.array([0.0, 0.0, -2.0]), np.array([4.0, 4.0, 0.0]), turned(0.4))
        assert box_distance(point, self.cube) == 2.0
        assert box_distance(plate, self.cube) == 1.0
        assert box_distance(point, plate) == 5.0
        assert box_distance(point, point) == 0.0


class TestProperties:
    @given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS))
    @settings(deadline=None, max_examples=100)
    def test_zero_exactly_where_they_overlap(self, seed: int, kind: str) -> None:
        rng = np.random.default_rng(seed)
        a, b = random_box(rng, kind), random_box(rng, kind)
        assert (box_distance(a, b) == 0.0) == boxes_overlap(a, b)

    @given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS))
    @settings(deadline=None, max_examples=100)
    def test_symmetric_to_the_byte(self, seed: int, kind: str) -> None:
        rng = np.random.default_rng(seed)
        a, b = random_box(rng, kind), random_box(rng, kind)
        assert box_distance(a, b) == box_distance(b, a)

    @given(st.integers(0, 2**32 - 1))
    @settings(deadline=None, max_examples=100)
    def test_a_rigid_motion_changes_nothing_and_a_shift_no_more_than_itself(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        a, b = random_box(rng, "free"), random_box(rng, "free")
        turn, shift = Rotation.random(random_state=rng).as_matrix(), rng.uniform(-5, 5, 3)
        moved = [Box(turn @ box.center + shift, box.size, turn @ box.rotation) for box in (a, b)]
        assert box_distance(*moved) == pytest.approx(box_distance(a, b), abs=1e-12)
        shifted = Box(b.center + shift, b.size, b.rotation)
        assert abs(box_distance(a, shifted) - box_distance(a, b)) <= np.linalg.norm(shift) + 1e-12

    def test_memory_order_of_the_rotation_does_not_matter(self) -> None:
        rng = np.random.default_rng(5)
        a, b = random_box(rng, "free"), random_box(rng, "free")
        fortran = Box(b.center, b.size, np.asfortranarray(b.rotation))
        assert box_distance(a, fortran) == box_distance(a, b)


class TestBatches:
    def test_pairs_and_matrix_equal_the_single_call(self) -> None:
        rng = np.random.default_rng(3)
        boxes = [random_box(rng, KINDS[k % 3]) for k in range(12)]
        matrix = box_distance_matrix(boxes)
        expected = np.array([[box_distance(a, b) if a is not b else 0.0 for b in boxes] for a in boxes])
        np.testing.assert_array_equal(matrix, expected)
        np.testing.assert_array_equal(box_distances(boxes[:-1], boxes[1:]), np.diag(expected, 1))

    def test_empty(self) -> None:
        assert box_distances([], []).shape == (0,)
        assert box_distance_matrix([]).shape == (0, 0)
        assert [part.shape for part in stack_boxes([])] == [(0, 3), (0, 3), (0, 3, 3)]

    def test_rejects_unequal_lengths(self) -> None:
        box = Box(np.zeros(3), np.ones(3), np.eye(3))
        with pytest.raises(ValueError, match="paired"):
            box_distances([box], [box, box])
