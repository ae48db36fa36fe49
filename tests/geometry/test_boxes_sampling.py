"""The published 5 cm sampling: point sets and distances equal, bit for bit, to plain twins of the published
rule."""

from __future__ import annotations

import math
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from spatial_assets.geometry.box_sampling import (
    SPACING,
    _fma,
    box_samples,
    least_sampled_distance,
    sampled_box_distance,
)
from spatial_assets.geometry.boxes import box_distance
from spatial_assets.scene.model import Box


def fused(x: float, y: float, z: float) -> float:
    """x * y + z, rounded once: exact rational arithmetic."""
    return float(Fraction(x) * Fraction(y) + Fraction(z))


@njit
def compiled_fma(x: float, y: float, z: float) -> float:
    return _fma(x, y, z)


def naive_samples(box: Box, spacing: float, crop: bool = True) -> np.ndarray:
    """The published rule, point by point."""
    e, r, c = box.size.tolist(), box.rotation.tolist(), box.center.tolist()
    axes = [np.linspace(-length / 2, length / 2, math.ceil(length / spacing)).tolist() for length in e]
    points = []
    for x in axes[0]:
        for y in axes[1]:
            for z in axes[2]:
                if not (abs(x) > e[0] / 4 or abs(y) > e[1] / 4 or abs(z) > e[2] / 4):
                    continue
                p = [fused(z, r[k][2], fused(y, r[k][1], x * r[k][0])) + c[k] for k in range(3)]
                d = [p[k] - c[k] for k in range(3)]
                inside = all(
                    abs(d[0] * r[0][k] + d[1] * r[1][k] + d[2] * r[2][k]) <= e[k] / 2 for k in range(3)
                )
                if inside or not crop:
                    points.append(p)
    return np.array(points).reshape(-1, 3) if points else naive_samples(box, spacing * 0.5, crop)


def random_box(rng: np.random.Generator, largest: float, spread: float = 2.0) -> Box:
    size = rng.uniform(0.01, largest, 3)
    rotation = Rotation.random(random_state=rng).as_matrix()
    if rng.random() < 0.3:
        rotation = Rotation.from_euler("z", rng.uniform(0, 6.3)).as_matrix()
    return Box(rng.uniform(-spread, spread, 3), size, rotation)


class TestSamples:
    @pytest.mark.parametrize("seed", range(12))
    def test_equal_the_naive_twin(self, seed: int) -> None:
        box = random_box(np.random.default_rng(seed), 0.45)
        np.testing.assert_array_equal(box_samples(box), naive_samples(box, SPACING))

    def test_rounding_drops_points_and_that_is_part_of_the_rule(self) -> None:
        box = random_box(np.random.default_rng(1), 0.45)
        assert len(box_samples(box)) < len(naive_samples(box, SPACING, crop=False))

    def test_open3d_crops_the_same_points(self) -> None:
        o3d = pytest.importorskip("open3d")
        for seed in range(8):
            box = random_box(np.random.default_rng(100 + seed), 0.4)
            cloud = o3d.geometry.PointCloud()
            cloud.points = o3d.utility.Vector3dVector(naive_samples(box, SPACING, crop=False))
            frame = o3d.geometry.OrientedBoundingBox(box.center, box.rotation, box.size)
            np.testing.assert_array_equal(box_samples(box), np.asarray(cloud.crop(frame).points))

    def test_axis_aligned_grid_is_hollow(self) -> None:
        samples = box_samples(Box(np.zeros(3), np.full(3, 0.5), np.eye(3)))
        # 10 points an axis, 4 of them within a quarter of the extent.
        assert len(samples) == 10**3 - 4**3
        np.testing.assert_allclose(np.unique(samples[:, 0]), np.linspace(-0.25, 0.25, 10))

    def test_a_thin_axis_has_its_lower_face_only(self) -> None:
        samples = box_samples(Box(np.zeros(3), np.array([0.5, 0.5, 0.04]), np.eye(3)))
        np.testing.assert_array_equal(samples[:, 2], -0.02)
        assert len(samples) == 100

    def test_halves_the_spacing_where_nothing_is_left(self) -> None:
        found = []
        for seed in range(60):
            box = random_box(np.random.default_rng(seed), 0.049)
            samples = box_samples(box)
            found.append(len(samples))
            np.testing.assert_array_equal(samples, naive_samples(box, SPACING))
        # One point where the single corner survives, more where rounding dropped it.
        assert min(found) == 1 < max(found)

    @pytest.mark.parametrize("size", [[0.3, 0.2, 0.0], [0.3, 0.0, 0.0], [0.0, 0.0, 0.0]])
    def test_flat_boxes_are_sampled_in_their_plane(self, size: list[float]) -> None:
        box = Box(
            np.array([1.0, 2.0, 3.0]), np.array(size), Rotation.from_euler("zy", [0.3, 0.2]).as_matrix()
        )
        samples = box_samples(box)
        assert len(samples) >= 1
        local = (samples - box.center) @ box.rotation
        assert (np.abs(local) <= box.size / 2 + 1e-12).all()

    @pytest.mark.parametrize("spacing", [0.0, -0.05, math.nan])
    def test_rejects_a_spacing_that_is_none(self, spacing: float) -> None:
        with pytest.raises(ValueError, match="spacing"):
            box_samples(Box(np.zeros(3), np.ones(3), np.eye(3)), spacing)

    @given(*[st.floats(-1e3, 1e3, allow_subnormal=False)] * 3)
    @settings(deadline=None, max_examples=200)
    def test_multiply_add_rounds_once(self, x: float, y: float, z: float) -> None:
        assert compiled_fma(x, y, z) == fused(x, y, z)


class TestDistance:
    @pytest.mark.parametrize("seed", range(30))
    def test_equals_the_distance_matrix(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        a, b = random_box(rng, 0.8, 1.0), random_box(rng, 0.8, 1.0)
        expected = cdist(box_samples(a), box_samples(b)).min()
        assert sampled_box_distance(a, b) == expected
        assert sampled_box_distance(b, a) == expected
        assert box_distance(a, b) <= expected + 1e-12

    @pytest.mark.parametrize("seed", range(6))
    def test_equals_the_distance_matrix_of_overlapping_boxes(self, seed: int) -> None:
        rng = np.random.default_rng(200 + seed)
        a, b = random_box(rng, 0.8, 0.05), random_box(rng, 0.8, 0.05)
        assert sampled_box_distance(a, b) == cdist(box_samples(a), box_samples(b)).min()

    def test_facing_boxes_whose_pairs_all_tie(self) -> None:
        # Coordinates without rounding, so that no face is dropped.
        a = Box(np.zeros(3), np.ones(3), np.eye(3))
        b = Box(np.array([2.0, 0, 0]), np.ones(3), np.eye(3))
        assert sampled_box_distance(a, b) == cdist(box_samples(a), box_samples(b)).min() == 1.0

    @pytest.mark.prove
    def test_equals_the_distance_matrix_thousands_of_pairs(self) -> None:
        for seed in range(3000):
            rng = np.random.default_rng(10_000 + seed)
            a, b = random_box(rng, 0.7, 0.8), random_box(rng, 0.7, 0.8)
            assert sampled_box_distance(a, b) == cdist(box_samples(a), box_samples(b)).min(), seed

    def test_room_sized_boxes_need_no_room_sized_memory(self) -> None:
        a = Box(np.zeros(3), np.array([9.0, 7.0, 3.0]), Rotation.from_euler("z", 0.3).as_matrix())
        b = Box(
            np.array([12.0, 1.0, 0.4]),
            np.array([8.0, 8.0, 3.0]),
            Rotation.from_euler("zx", [1, 0.1]).as_matrix(),
        )
        tracemalloc.start()
        distance = sampled_box_distance(a, b)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # Each has some 1.4 million samples, 33 MB; their matrix would take 15 TB.
        assert peak < 8e6
        assert box_distance(a, b) <= distance <= box_distance(a, b) + 2 * SPACING

    def test_groups(self) -> None:
        rng = np.random.default_rng(9)
        a = [random_box(rng, 0.5) for _ in range(4)]
        b = [random_box(rng, 0.5) for _ in range(5)]
        expected = min(sampled_box_distance(one, other) for one in a for other in b)
        assert least_sampled_distance(a, b) == expected
        with pytest.raises(ValueError, match="group"):
            least_sampled_distance(a, [])
