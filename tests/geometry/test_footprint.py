"""Room footprints: alpha shapes of point sets of known area, and VSI-Bench's recipe on top."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull, Delaunay
from shapely.ops import polygonize

from spatial_assets.geometry import footprint
from spatial_assets.geometry.footprint import (
    TooLarge,
    alpha_shape,
    alpha_shape_area,
    draw_points,
    draws_of_points,
    face_points,
    gather_faces,
    triangulate,
    vsibench_room_area,
)

CORNER = 0.2**2
"""Square meters that an inner right angle loses at most at alpha 5: half of legs 0.2 sqrt(2) squared."""


def lattice(width: float, depth: float, step: float) -> np.ndarray:
    x, y = np.meshgrid(np.arange(0, width + step / 2, step), np.arange(0, depth + step / 2, step))
    return np.column_stack([x.ravel(), y.ravel()])


def l_shape(step: float) -> np.ndarray:
    """A 4 x 3 m room without its 2 x 1.5 m corner: 9 square meters."""
    points = lattice(4.0, 3.0, step)
    return points[(points[:, 0] <= 2.0 + 1e-9) | (points[:, 1] <= 1.5 + 1e-9)]


def naive_area(points: np.ndarray, alpha: float) -> float:
    """Every triangle by itself: its edges, the faces that they bound, their union."""
    edges = set()
    for a, b, c in Delaunay(points).simplices.tolist():
        p, q, r = points[a], points[b], points[c]
        sides = [math.dist(p, q), math.dist(q, r), math.dist(r, p)]
        half = sum(sides) / 2
        area = math.sqrt(max(half * (half - sides[0]) * (half - sides[1]) * (half - sides[2]), 0.0))
        if area > 0 and math.prod(sides) / (4 * area) < 1 / alpha:
            edges |= {tuple(sorted(pair)) for pair in ((a, b), (b, c), (c, a))}
    lines = shapely.MultiLineString([points[list(edge)] for edge in sorted(edges)])
    return shapely.union_all(list(polygonize(lines))).area


class TestAlphaShape:
    @pytest.mark.parametrize("turn", [0.0, 0.3, 1.0])
    @pytest.mark.parametrize("offset", [0.0, 500.0])
    def test_rectangle(self, turn: float, offset: float) -> None:
        c, s = math.cos(turn), math.sin(turn)
        points = lattice(4.0, 3.0, 0.1) @ np.array([[c, s], [-s, c]]) + offset
        assert alpha_shape_area(points, 5.0) == pytest.approx(12.0, abs=1e-6)

    def test_l_shape_follows_the_corner(self) -> None:
        points = l_shape(0.1)
        assert 9.0 <= alpha_shape_area(points, 5.0) <= 9.0 + CORNER
        assert alpha_shape_area(points, 0.0) == pytest.approx(ConvexHull(points).volume, abs=1e-9)
        assert alpha_shape_area(points, 0.0) > 10.0

    def test_alpha_is_the_inverse_of_the_greatest_radius(self) -> None:
        # A right triangle of legs 0.6 and 0.8 has circumradius 0.5; at the bound it is left out.
        triangle = [[0, 0], [0.6, 0], [0, 0.8]]
        assert alpha_shape_area(triangle, 1.99) == pytest.approx(0.24)
        assert alpha_shape_area(triangle, 2.01) == 0.0

    def test_holes_are_filled_unless_told_not_to(self) -> None:
        points = lattice(4.0, 3.0, 0.1)
        ring = points[(np.abs(points - [2.0, 1.5]) >= [1.0 - 1e-9, 0.5 - 1e-9]).any(axis=1)]
        assert alpha_shape_area(ring, 5.0) == pytest.approx(12.0, abs=1e-9)
        assert 10.0 <= alpha_shape_area(ring, 5.0, fill_holes=False) <= 10.0 + 4 * CORNER

    def test_two_rooms_and_an_island_in_a_hole(self) -> None:
        points = lattice(4.0, 4.0, 0.1)
        away = np.abs(points - 2.0).max(axis=1)
        ring_and_island = points[(away >= 1.5 - 1e-9) | (away <= 0.5 + 1e-9)]
        other = lattice(1.0, 1.0, 0.1) + np.array([10.0, 0.0])
        both = np.vstack([ring_and_island, other])
        assert alpha_shape_area(both, 5.0) == pytest.approx(17.0, abs=1e-9)
        unfilled = 16.0 - 9.0 + 1.0 + 1.0
        assert unfilled <= alpha_shape_area(both, 5.0, fill_holes=False) <= unfilled + 4 * CORNER
        assert len(shapely.get_parts(alpha_shape(both, 5.0))) == 2

    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize("alpha", [2.0, 5.0, 12.0])
    def test_equals_the_naive_twin(self, seed: int, alpha: float) -> None:
        points = np.random.default_rng(seed).uniform(0, 2, (400, 2))
        assert alpha_shape_area(points, alpha) == pytest.approx(naive_area(points, alpha), abs=1e-9)

    @given(st.integers(0, 2**32 - 1), st.booleans())
    @settings(deadline=None, max_examples=30)
    def test_order_and_repeats_change_nothing(self, seed: int, on_lattice: bool) -> None:
        rng = np.random.default_rng(seed)
        points = rng.integers(-4, 5, (80, 2)) / 8.0 if on_lattice else rng.uniform(0, 1, (80, 2))
        expected = alpha_shape_area(points, 5.0)
        mixed = np.vstack([points, points[:7]])[rng.permutation(87)]
        assert alpha_shape_area(mixed, 5.0) == expected
        assert alpha_shape_area(np.where(mixed == 0, -0.0, mixed), 5.0) == expected

    def test_one_triangulation_serves_several_shapes(self) -> None:
        points = np.random.default_rng(0).uniform(0, 2, (400, 2)) + 50.0
        once = triangulate(points)
        for alpha in (0.0, 2.0, 5.0):
            for fill_holes in (True, False):
                assert alpha_shape_area(once, alpha, fill_holes) == alpha_shape_area(
                    points, alpha, fill_holes
                )
                assert alpha_shape(once, alpha, fill_holes).equals(alpha_shape(points, alpha, fill_holes))

    def test_the_shape_stands_where_the_points_are(self) -> None:
        bounds = alpha_shape(lattice(4.0, 3.0, 0.1) + np.array([7.0, -20.0]), 5.0).bounds
        assert bounds == pytest.approx((7.0, -20.0, 11.0, -17.0))

    @pytest.mark.parametrize(
        "points",
        [np.empty((0, 2)), [[1, 2]], [[0, 0], [1, 1]], [[0, 0], [1, 1], [2, 2], [3, 3]], [[5, 5]] * 9],
    )
    def test_what_has_no_area(self, points: object) -> None:
        assert alpha_shape_area(points, 5.0) == 0.0
        assert alpha_shape(points, 5.0).is_empty

    def test_points_too_far_apart_have_none(self) -> None:
        assert alpha_shape_area(lattice(4.0, 3.0, 1.0), 5.0) == 0.0

    def test_rejects_wrong_input(self) -> None:
        with pytest.raises(ValueError, match="alpha"):
            alpha_shape_area([[0, 0]], -1.0)
        with pytest.raises(ValueError, match="finite"):
            alpha_shape_area([[0, np.nan]], 5.0)
        with pytest.raises(ValueError, match="shape"):
            alpha_shape_area([0.0, 1.0], 5.0)


def room(step: float, height: float = 2.5) -> np.ndarray:
    """Vertices of an L-shaped room of 9 square meters: floor and a band of wall, z from 0."""
    floor = l_shape(step)
    levels = np.arange(0.0, height, 0.5)
    return np.vstack([np.column_stack([floor, np.full(len(floor), z)]) for z in levels])


def naive_keys(points: np.ndarray, seed: int) -> list[int]:
    """splitmix64 over the bits of x, y and z, in Python's own integers."""
    keys = []
    for point in points:
        key = seed
        for bits in np.ascontiguousarray(point).view(np.uint64).tolist():
            key = ((key ^ bits) + 0x9E3779B97F4A7C15) % 2**64
            key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
            key = (key ^ (key >> 27)) * 0x94D049BB133111EB % 2**64
            key ^= key >> 31
        keys.append(key)
    return keys


def naive_draw(points: np.ndarray, samples: int, seed: int) -> list[list[float]]:
    """All points sorted, then by their keys, then the first of them sorted again."""
    distinct = np.unique(points + 0.0, axis=0)
    expected = round(len(distinct) * (1 - (1 - 1 / len(distinct)) ** samples))
    keys = naive_keys(distinct, seed)
    order = sorted(range(len(distinct)), key=lambda i: keys[i])
    return sorted(distinct[order[:expected]].tolist())


class TestVsibench:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("samples", [1, 40, 400, 9000])
    def test_draws_equal_the_naive_twin(self, seed: int, samples: int) -> None:
        rng = np.random.default_rng(seed)
        # A third of the points are there twice, some zeros are negative.
        points = np.vstack([rng.integers(-9, 10, (300, 3)) / 8.0, rng.uniform(-1, 1, (300, 3))])
        points = np.vstack([points, np.where(points[:300] == 0, -0.0, points[:300])])
        points = points[rng.permutation(len(points))]
        for drawn, draw_seed in zip(draws_of_points(points, samples, (0, 1, 7)), (0, 1, 7), strict=True):
            assert drawn.tolist() == naive_draw(points, samples, draw_seed)

    @pytest.mark.parametrize("bits", [0, 2, 6])
    def test_points_that_share_a_key_by_chance_are_told_apart(
        self, monkeypatch: pytest.MonkeyPatch, bits: int
    ) -> None:
        rng = np.random.default_rng(0)
        points = np.unique(rng.integers(-9, 10, (500, 3)) / 8.0, axis=0)
        keys = footprint._shuffle_keys

        def few_keys(points: np.ndarray, seed: int) -> np.ndarray:
            return keys(points, seed) & np.uint64(2**bits - 1)

        monkeypatch.setattr(footprint, "_shuffle_keys", few_keys)
        count = round(len(points) * (1 - (1 - 1 / len(points)) ** 300))
        order = sorted(range(len(points)), key=lambda i: naive_keys(points[i : i + 1], 1)[0] % 2**bits)
        expected = sorted(points[order[:count]].tolist())
        mixed = np.vstack([points, points[:50]])[rng.permutation(len(points) + 50)]
        assert draw_points(mixed, 300, 1).tolist() == expected

    def test_known_area(self) -> None:
        rng = np.random.default_rng(0)
        points = rng.uniform([0, 0, 0], [4, 3, 2.5], (60_000, 3))
        points = points[(points[:, 0] <= 2) | (points[:, 1] <= 1.5)]
        # 10,000 of them lie some 3 cm apart; the outline runs that far inside, and the bay is followed.
        assert 8.8 < vsibench_room_area(points) < 9.1
        assert vsibench_room_area(points) == vsibench_room_area(points[rng.permutation(len(points))])

    def test_seed_changes_the_draw(self) -> None:
        points = np.random.default_rng(0).uniform(0, 2, (30_000, 3))
        areas = {vsibench_room_area(points, seed=seed) for seed in range(3)}
        assert len(areas) == 3
        assert max(areas) - min(areas) < 0.05

    def test_number_drawn_is_that_of_draws_with_replacement(self) -> None:
        rng = np.random.default_rng(4)
        for n in (50, 1000, 20_000):
            points = rng.uniform(size=(n, 3))
            expected = np.mean([len(np.unique(rng.integers(0, n, 1000))) for _ in range(50)])
            assert len(draw_points(points, 1000)) == pytest.approx(expected, rel=0.02)

    def test_draw_is_even_over_space_and_by_coordinates_only(self) -> None:
        rng = np.random.default_rng(5)
        points = rng.uniform(size=(40_000, 3))
        drawn = draw_points(points, 10_000)
        quarters = np.histogram2d(drawn[:, 0], drawn[:, 1], bins=4)[0] / len(drawn)
        # Sixteen cells of 1/16; the deviation of a fair draw is about 0.0026.
        assert np.abs(quarters - 1 / 16).max() < 0.012
        np.testing.assert_array_equal(drawn, draw_points(points[::-1], 10_000))
        fewer = draw_points(points[1:], 10_000)
        kept = set(map(tuple, drawn.tolist())) & set(map(tuple, fewer.tolist()))
        assert len(kept) >= len(drawn) - 2

    def test_edges(self) -> None:
        assert draw_points(np.empty((0, 3)), 10).shape == (0, 3)
        assert draw_points([[1, 2, 3]], 10).tolist() == [[1, 2, 3]]
        assert draw_points([[1, 2, 3], [0, 0, 0]], 0).shape == (0, 3)
        with pytest.raises(ValueError, match="negative"):
            draw_points([[1, 2, 3]], -1)
        with pytest.raises(ValueError, match="shape"):
            vsibench_room_area([[1.0, 2.0]])


def naive_points(vertices: np.ndarray, faces: np.ndarray, spacing: float) -> set[tuple[float, ...]]:
    """Every face by itself, every point of it by itself."""
    found = set()
    for face in faces.tolist():
        corners = vertices[face].tolist()
        n = max(1, math.ceil(max(math.dist(corners[i - 1], corners[i]) for i in range(3)) / spacing))
        for i in range(n + 1):
            for j in range(n + 1 - i):
                weights = ((n - i - j) / n, i / n, j / n)
                found.add(tuple(
                    weights[0] * a + weights[1] * b + weights[2] * c for a, b, c in zip(*corners, strict=True)
                ))  # fmt: skip
    return found


def surface_points(vertices: np.ndarray, faces: np.ndarray, spacing: float) -> np.ndarray:
    """(M, 3), the distinct points, ascending."""
    return np.unique(face_points(gather_faces(vertices, faces), spacing), axis=0)


class TestFacePoints:
    @pytest.mark.parametrize("seed", range(5))
    def test_equals_the_naive_twin(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        # The last vertices belong to no face, and may be anything.
        vertices = rng.uniform(-1, 1, (30, 3))
        vertices[25:] = np.nan
        faces = rng.integers(0, 25, (20, 3))
        for spacing in (0.2, 0.5, 4.0):
            expected = naive_points(vertices, faces, spacing)
            points = surface_points(vertices, faces, spacing)
            assert points.tolist() == sorted(map(list, expected))
            gathered = gather_faces(vertices, faces)
            assert {tuple(p) for p in face_points(gathered, spacing).tolist()} == expected
        np.testing.assert_array_equal(
            face_points(gathered.part(np.arange(20) >= 5), 0.2),
            face_points(gather_faces(vertices, faces[5:]), 0.2),
        )

    vertices = np.array([[0, 0, 0], [4, 0, 0], [4, 3, 0], [0, 3, 0]], dtype=float)
    faces = np.array([[0, 1, 2], [0, 2, 3]])

    def test_a_floor_of_two_triangles_has_its_area(self) -> None:
        points = surface_points(self.vertices, self.faces, 0.1)
        assert alpha_shape_area(points, 5.0) == pytest.approx(12.0, abs=1e-9)
        assert alpha_shape_area(self.vertices, 5.0) == 0.0

    def test_spacing_and_corners(self) -> None:
        points = surface_points(self.vertices, self.faces[:1], 0.3)
        assert {tuple(v) for v in self.vertices[:3].tolist()} <= {tuple(p) for p in points.tolist()}
        n = math.ceil(5.0 / 0.3)
        assert len(points) == (n + 1) * (n + 2) // 2
        for face in Delaunay(points[:, :2]).simplices[:50]:
            corners = points[face]
            assert min(math.dist(corners[i], corners[i - 1]) for i in range(3)) <= 0.3 + 1e-9

    def test_order_of_faces_changes_nothing(self) -> None:
        np.testing.assert_array_equal(
            surface_points(self.vertices, self.faces, 0.25),
            surface_points(self.vertices, self.faces[::-1], 0.25),
        )

    def test_edges(self) -> None:
        assert surface_points(self.vertices, np.empty((0, 3), int), 0.1).shape == (0, 3)
        with pytest.raises(ValueError, match="spacing"):
            surface_points(self.vertices, self.faces, 0.0)
        with pytest.raises(ValueError, match="shape"):
            surface_points(self.vertices[:, :2], self.faces, 0.1)
        with pytest.raises(ValueError, match="finite"):
            surface_points(np.where(self.vertices > 3, np.inf, self.vertices), self.faces, 0.1)


def test_faces_without_end_are_rejected_before_memory_is_taken():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [3000, 2000, 0]])
    assert len(face_points(gather_faces(vertices, [[0, 1, 2]]), 0.05)) > 100
    with pytest.raises(
        TooLarge, match=r"faces of up to 36\d\d m give .* points 0.05 m apart, more than 2e\+07"
    ):
        face_points(gather_faces(vertices, [[0, 1, 2], [1, 2, 3]]), 0.05)
