"""Directions between viewpoints, and the simulator's views, against what its documentation says in words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.geometry import viewpoints

NORTH, EAST, UP = [0.0, 1, 0], [1.0, 0, 0], [0.0, 0, 1]


def test_headings_begin_at_y_and_grow_to_the_right() -> None:
    steps = np.array([NORTH, EAST, [0, -1, 0], [-1, 0, 0], [1, 1, 0], [0, 0, 0], [-1e-300, 1, 0]])
    found = viewpoints.headings_of(steps)
    np.testing.assert_allclose(found, [0, math.pi / 2, math.pi, 1.5 * math.pi, math.pi / 4, 0, 0], atol=1e-12)
    assert (found < 2 * math.pi).all()


def test_elevations_grow_upwards() -> None:
    steps = np.array([NORTH, UP, [0, 0, -2], [3, 4, 5]])
    np.testing.assert_allclose(
        viewpoints.elevations_of(steps), [0, math.pi / 2, -math.pi / 2, math.pi / 4], atol=1e-12
    )


@pytest.mark.parametrize(
    ("view", "forward"),
    [
        (12, NORTH), (15, EAST), (18, [0, -1, 0]), (21, [-1, 0, 0]), (13, [0.5, math.sqrt(0.75), 0]),
        (0, [0, math.sqrt(0.75), -0.5]), (24, [0, math.sqrt(0.75), 0.5]), (27, [math.sqrt(0.75), 0, 0.5]),
    ],
)  # fmt: skip
def test_where_views_look(view: int, forward: list[float]) -> None:
    pose = viewpoints.view_poses(np.array([1.0, 2, 3]))[view]
    np.testing.assert_allclose(pose[:3, 2], forward, atol=1e-12)
    assert pose[:3, 3].tolist() == [1, 2, 3] and pose[2, 0] == 0
    # Held level: the lower side of the image is the lower side of the world.
    assert pose[2, 1] < 0 and np.linalg.det(pose[:3, :3]) == pytest.approx(1)


def test_a_view_s_camera() -> None:
    """A point 30 degrees above the middle is on the upper side of the image, which is 480 pixels high."""
    matrix = viewpoints.view_intrinsics()
    assert matrix[0, 0] == matrix[1, 1] == pytest.approx(415.692, abs=1e-3)
    pixel = matrix @ [0, -math.tan(math.radians(30)), 1]
    np.testing.assert_allclose(pixel, [320, 0, 1], atol=1e-9)


@given(st.floats(0, 2 * math.pi), st.floats(-math.pi / 2, math.pi / 2))
def test_the_nearest_view_is_the_one_whose_angles_are(heading: float, elevation: float) -> None:
    view = int(viewpoints.nearest_views(np.array([heading]), np.array([elevation]))[0])
    aside = (heading - view % 12 * viewpoints.VIEW_STEP + math.pi) % (2 * math.pi) - math.pi
    assert abs(aside) <= viewpoints.VIEW_STEP / 2 + 1e-9
    levels = [abs(elevation - level * viewpoints.VIEW_STEP) for level in (-1, 0, 1)]
    assert levels[view // 12] <= min(levels) + 1e-9


def test_shortest_ways() -> None:
    """Three in a row 1 and 2 m apart, one 10 m aside that a detour leads to, and one that nothing does."""
    positions = np.array([[0, 0, 0], [1, 0, 0], [3, 0, 0], [3, 10, 0], [0, 1, 0.0]])
    edges = np.zeros((5, 5), bool)
    for i, j in ((0, 1), (1, 2), (2, 3)):
        edges[i, j] = edges[j, i] = True
    found = viewpoints.shortest_ways(positions, edges)
    assert found[0].tolist() == [0, 1, 3, 13, math.inf]
    assert (found == found.T).all()


def test_viewpoints_at_one_place_are_joined_all_the_same() -> None:
    found = viewpoints.shortest_ways(np.zeros((2, 3)), np.array([[False, True], [True, False]]))
    np.testing.assert_allclose(found, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("target", "forward"),
    [
        ((1, 5, 1.5), (0, 1, 0)),
        ((4, 2, 9), (1, 0, 0)),
        ((1, 0, 0), (0, -1, 0)),
        ((0, 3, 1.5), (-(0.5**0.5), 0.5**0.5, 0)),
    ],
)
def test_facing_another_place(target: tuple[float, ...], forward: tuple[float, ...]) -> None:
    """From (1, 2, 1.5), level wherever the other stands; what lies ahead is in the image's middle column."""
    position = np.array([1, 2, 1.5])
    pose = viewpoints.facing(position, np.array(target, float))
    np.testing.assert_allclose(pose[:3, 2], forward, atol=1e-12)
    np.testing.assert_allclose(pose[:3, 1], [0, 0, -1], atol=1e-12)
    local = pose[:3, :3].T @ (np.array(target) - position)
    assert local[0] == pytest.approx(0, abs=1e-9) and local[2] > 0
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)


def test_facing_up_and_nowhere() -> None:
    up = viewpoints.facing(np.zeros(3), np.array([0, 2.0, 0]), math.radians(30))
    np.testing.assert_allclose(up[:3, 2], [0, math.cos(math.radians(30)), 0.5], atol=1e-12)
    with pytest.raises(ValueError, match="no heading"):
        viewpoints.facing(np.zeros(3), np.array([0, 0, 2.0]))


def test_the_views_are_level_cameras() -> None:
    views = viewpoints.view_poses(np.array([3, 4, 1.5]))
    for number in (0, 14, 35):
        heading, elevation = (number % 12) * math.radians(30), (number // 12 - 1) * math.radians(30)
        np.testing.assert_allclose(
            viewpoints.looking(np.array([3, 4, 1.5]), np.array([heading]), np.array([elevation]))[0],
            views[number],
        )
    np.testing.assert_allclose(
        views[15], viewpoints.facing(np.array([3, 4, 1.5]), np.array([9, 4, 0])), atol=1e-12
    )
