"""Floors, walks and outlines from above, against numpy and shapely."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from video_scenes import box

from spatial_assets.geometry.boxes import box_corners
from spatial_assets.geometry.floor_walk import (
    Floor,
    can_stand,
    convex_hulls,
    distance_to_hull,
    floor_for,
    stand_by,
    walk_to,
)
from spatial_assets.geometry.rooms import footprint_of
from spatial_assets.scene.model import Box, Float

CELL = 0.05


def hull_of(thing: Box) -> Float:
    found: Float = convex_hulls(box_corners(thing)[None, :, :2].copy())[0]
    return found


def floor_of(free: np.ndarray, radius: float = 0.2) -> Floor:
    return floor_for(free, np.zeros(2), CELL, radius)


def walk(floor: Floor, start: tuple[float, float], thing: Box, reach: float) -> tuple[float, float] | None:
    end: tuple[float, float] = walk_to(floor, *start, thing.center[:2], hull_of(thing), reach)
    return None if math.isnan(end[0]) else end


def place_by(floor: Floor, thing: Box, reach: float) -> tuple[float, float] | None:
    place: tuple[float, float] = stand_by(floor, thing.center[:2], hull_of(thing), reach)
    return None if math.isnan(place[0]) else place


@pytest.mark.every(3)
@pytest.mark.parametrize("flat", [(), (0,), (2,), (0, 1), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("upright", [True, False])
def test_distances_to_outlines_are_those_of_shapely(flat: tuple[int, ...], upright: bool) -> None:
    """Boxes of any rotation, some without thickness, far from the origin or not."""
    rng = np.random.default_rng(len(flat))
    for _ in range(40):
        size = rng.uniform(0.01, 3, 3)
        size[list(flat)] = 0.0
        turn = [rng.uniform(-180, 180), *([0, 0] if upright else rng.uniform(-180, 180, 2))]
        rotation = Rotation.from_euler("zyx", turn, degrees=True).as_matrix()
        thing = Box(rng.uniform(-1, 1, 3) * rng.choice([1, 100]), size, rotation)
        outline, hull = footprint_of(thing), hull_of(thing)
        # Points around, the corners themselves, and points between two of them.
        near = thing.center[:2] + rng.normal(0, 1.5, (40, 2))
        between = hull + rng.random() * (np.roll(hull, -1, axis=0) - hull)
        for x, y in np.vstack([near, hull, between, thing.center[:2]]):
            assert distance_to_hull(x, y, hull) == pytest.approx(
                shapely.distance(outline, shapely.Point(x, y)), abs=1e-12
            )
        assert distance_to_hull(*thing.center[:2], hull) <= 1e-12


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=1, max_size=9))
def test_hulls_are_those_of_shapely(points: list[tuple[int, int]]) -> None:
    """On a grid, where many points are equal or on one line."""
    hull = convex_hulls(np.array([points], np.float64))[0]
    assert hull.shape == (len(points), 2)
    expected = shapely.convex_hull(shapely.multipoints(points))
    corners = list(dict.fromkeys(map(tuple, hull.tolist())))
    assert set(corners) == set(map(tuple, shapely.get_coordinates(expected).tolist()))
    if len(corners) > 2:
        assert shapely.is_ccw(shapely.linearrings(corners))
        assert shapely.equals(shapely.polygons(corners), expected)


def test_many_hulls_are_each_ones_own() -> None:
    points = np.random.default_rng(1).normal(size=(20, 8, 2))
    together = convex_hulls(points)
    assert all(np.array_equal(together[i], convex_hulls(points[i : i + 1])[0]) for i in range(20))
    assert convex_hulls(points[:0]).shape == (0, 8, 2)


def test_a_robot_keeps_its_radius_from_what_is_taken() -> None:
    free = np.ones((60, 80), np.bool_)
    free[20:40, 30:50] = False
    floor = floor_of(free)
    x, y = np.meshgrid(np.arange(0.01, 4, 0.037), np.arange(0.01, 3, 0.041))
    places = np.column_stack([x.ravel(), y.ravel()])
    can = np.array([can_stand(floor, *place) for place in places])
    to_block = shapely.distance(shapely.box(1.5, 1.0, 2.5, 2.0), shapely.points(places))
    to_rim = np.minimum(
        np.minimum(places[:, 0], 4 - places[:, 0]), np.minimum(places[:, 1], 3 - places[:, 1])
    )
    room = np.minimum(to_block, to_rim)
    assert can[room > 0.2 + CELL].all() and not can[room < 0.2 - 1.5 * CELL].any()
    assert not can_stand(floor, -1.0, 1.0) and not can_stand(floor, 9.0, 1.0)
    assert not can_stand(floor, 1.0, -0.01) and not can_stand(floor, 1.0, 3.01)


def test_walks_end_at_what_they_lead_to() -> None:
    free = np.ones((60, 80), np.bool_)
    free[20:40, 60:70] = False
    floor = floor_of(free)
    shelf = box(3.25, 1.5, (0.5, 1.0, 1.0))
    end = walk(floor, (0.5, 1.5), shelf, 0.5)
    assert end is not None
    assert end[1] == pytest.approx(1.5) and 0.15 < 3.0 - end[0] < 0.3
    # Something else in between, nothing there at all, or too far from where the way ends.
    blocked = free.copy()
    blocked[25:35, 30:33] = False
    assert walk(floor_of(blocked), (0.5, 1.5), shelf, 0.5) is None
    assert walk(floor_of(np.ones((60, 80), np.bool_)), (0.5, 1.5), shelf, 0.5) is None
    assert walk(floor, (0.5, 1.5), shelf, 0.1) is None
    # From a place where it cannot stand there is no walk.
    assert walk(floor, (3.2, 1.5), box(0.0, 1.5), 0.5) is None
    # Nor to where it stands.
    assert walk(floor, (0.5, 1.5), box(0.5, 1.5), 0.5) is None


def test_one_stands_by_a_thing_as_near_as_one_can() -> None:
    free = np.ones((60, 80), np.bool_)
    free[20:40, 30:50] = False
    floor, block = floor_of(free), box(2.0, 1.5, (1.0, 1.0, 1.0))
    place = place_by(floor, block, 0.5)
    assert place is not None
    assert 0.1 < shapely.distance(footprint_of(block), shapely.Point(*place)) < 0.3
    assert place_by(floor, block, 0.1) is None
    assert place_by(floor_of(np.zeros((0, 0), np.bool_)), block, 1.0) is None
    assert place_by(floor_of(np.zeros((9, 9), np.bool_)), block, 9.0) is None


def test_the_nearest_cell_is_found_wherever_it_is() -> None:
    rng = np.random.default_rng(2)
    for _ in range(30):
        free = rng.random((30, 40)) < 0.9
        floor = floor_of(free, radius=0.06)
        rows, columns = np.nonzero(floor.standable)
        places = (np.column_stack([columns, rows]) + 0.5) * CELL
        thing = box(*rng.uniform(-1, 3, 2))
        best = np.linalg.norm(places - thing.center[:2], axis=1).min()
        place = place_by(floor, thing, 9.0)
        assert place is not None and math.dist(place, thing.center[:2]) == pytest.approx(best)
