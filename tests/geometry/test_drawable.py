"""Areas of faces, against the formula written out for one face at a time; which faces can be drawn at all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.geometry.drawable import COORDINATE_LIMIT, drawable, face_areas

LENGTHS = st.floats(-1e4, 1e4)
POINT = st.tuples(LENGTHS, LENGTHS, LENGTHS)


def _heron(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """By the lengths of the sides, in the order that keeps most digits (Kahan)."""
    z, y, x = sorted((math.dist(a, b), math.dist(b, c), math.dist(c, a)))
    product = (x + (y + z)) * (z - (x - y)) * (z + (x - y)) * (x + (y - z))
    return math.sqrt(max(product, 0.0)) / 4


@given(st.lists(POINT, min_size=3, max_size=12), st.data())
def test_areas_are_those_of_triangles_with_these_sides(
    points: list[tuple[float, ...]], data: st.DataObject
) -> None:
    places = st.integers(0, len(points) - 1)
    faces = data.draw(st.lists(st.tuples(places, places, places), min_size=1, max_size=8))
    vertices = np.array(points)
    found = face_areas(vertices, np.array(faces, np.int32))
    for area, corners in zip(found, vertices[np.array(faces)], strict=True):
        longest = max(math.dist(corners[i], corners[i - 1]) for i in range(3))
        # Of a sliver Heron's formula keeps half of the digits.
        assert area == pytest.approx(
            _heron(*corners), rel=1e-9, abs=1e-7 * longest * (1.0 + np.abs(corners).max())
        )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2 * COORDINATE_LIMIT, -2 * COORDINATE_LIMIT])
@pytest.mark.parametrize("axis", range(3))
def test_a_face_with_a_corner_that_cannot_be_drawn_has_no_area(bad: float, axis: int) -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    points[3, axis] = bad
    faces = np.array([[0, 1, 2], [1, 3, 2], [3, 0, 1]], np.int32)
    assert drawable(points, faces).tolist() == [True, False, False]
    assert face_areas(points, faces).tolist() == [0.5, 0.0, 0.0]


def test_nothing_has_no_areas() -> None:
    assert face_areas([], []).shape == (0,)
    assert drawable(np.zeros((0, 3)), np.zeros((0, 3), np.int32)).shape == (0,)
