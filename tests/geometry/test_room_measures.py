"""Rooms measured on shapes whose truth is known: their area, their walls, their floor and what is free of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from video_scenes import box

from spatial_assets.geometry.footprint import TooLarge
from spatial_assets.geometry.rooms import (
    floor_level,
    free_floor,
    measure_footprint,
    walled_share,
)
from spatial_assets.scene.rooms import FREE, TAKEN, read_room, write_free

CELL = 0.05


def grid_points(x0, x1, y0, y1, z, step=0.04):
    x, y = np.meshgrid(np.arange(x0, x1 + 1e-9, step), np.arange(y0, y1 + 1e-9, step))
    return np.column_stack([x.ravel(), y.ravel(), np.full(x.size, z)])


def walls(x0, x1, y0, y1, top=2.4, step=0.1):
    along = [(x, y) for x in np.arange(x0, x1 + 1e-9, step) for y in (y0, y1)]
    along += [(x, y) for y in np.arange(y0, y1 + 1e-9, step) for x in (x0, x1)]
    return np.array([(x, y, z) for x, y in along for z in np.arange(0, top, step)])


ROOM = np.vstack([grid_points(0, 4, 0, 3, 0.0), walls(0, 4, 0, 3)])


def test_a_closed_room_has_its_area_and_its_walls():
    outline, area, low, high = measure_footprint(ROOM)
    assert area == pytest.approx(12.0, rel=0.01)
    assert low <= area <= high and high - low < 0.05 * area
    assert walled_share(outline, ROOM, 1.0, 0.3) == 1.0
    # The same floor with two of its four walls; the share is of the outline's length.
    half = ROOM[(ROOM[:, 2] == 0) | (ROOM[:, 0] <= 0) | (ROOM[:, 1] <= 0)]
    assert walled_share(outline, half, 1.0, 0.3) == pytest.approx(0.5, abs=0.06)
    assert walled_share(outline, ROOM[ROOM[:, 2] == 0], 1.0, 0.3) == 0.0


def test_a_gap_that_an_outline_may_or_may_not_bridge_makes_the_area_doubtful():
    # Two strips, 0.5 m apart: the published alpha bridges 0.4 m, the smoother one 0.8 m.
    strips = np.vstack([grid_points(0, 4, 0, 1, 0.0), grid_points(0, 4, 1.5, 2.5, 0.0)])
    _, area, _, high = measure_footprint(strips)
    assert area == pytest.approx(8.0, rel=0.02) and high == pytest.approx(10.0, rel=0.02)


def test_the_floor_is_found_with_and_without_its_label():
    def slab(z, size):
        corners = np.array([[0, 0, z], [size, 0, z], [size, size, z], [0, size, z]], float)
        return corners, np.array([[0, 1, 2], [0, 2, 3]])

    # A floor, a table top, a larger ceiling.
    parts = [slab(0.02, 4), slab(0.75, 1), slab(2.5, 5)]
    vertices = np.vstack([v for v, _ in parts])
    faces = np.vstack([f + 4 * i for i, (_, f) in enumerate(parts)])
    nothing = np.zeros(len(faces), bool)
    assert floor_level(vertices, faces, nothing) == pytest.approx(0.02)
    assert floor_level(vertices, faces, np.arange(len(faces)) // 2 == 1) == pytest.approx(0.75)
    with pytest.raises(ValueError):
        floor_level(vertices, faces[:0], nothing[:0])


def test_free_floor_is_what_nothing_stands_on():
    outline = shapely.box(0, 0, 4, 3)
    table = grid_points(1, 2, 1, 2, 0.75)
    shade = grid_points(3, 3.5, 1, 2, 2.2)
    rug = grid_points(0, 1, 0, 1, 0.02)
    thing = box(3.0, 2.5, (0.6, 0.2, 0.4), yaw=0.5, z=0.2)
    origin, free = free_floor(outline, np.vstack([ROOM, table, shade, rug]), [thing], 0.1, 1.8, CELL)
    rows, columns = free.shape
    for row in range(0, rows, 3):
        for column in range(0, columns, 3):
            x, y = origin + (np.array([column, row]) + 0.5) * CELL
            c, s = math.cos(0.5), math.sin(0.5)
            along, across = c * (x - 3) + s * (y - 2.5), c * (y - 2.5) - s * (x - 3)
            on_table = 0.95 < x < 2.05 and 0.95 < y < 2.05
            beside_table = not (0.9 < x < 2.1 and 0.9 < y < 2.1)
            in_thing = abs(along) < 0.3 and abs(across) < 0.1
            inside = 0.06 < x < 3.94 and 0.06 < y < 2.94
            if on_table or in_thing or not (0 < x < 4 and 0 < y < 3):
                assert not free[row, column]
            elif inside and beside_table:
                assert free[row, column]
    assert read_room({**dict.fromkeys(
        ("floor", "area", "area_low", "area_high", "seen_area", "walled"), 1.0
    ), "low": [0, 0], "high": [1, 1], "cell": CELL, "origin": origin.tolist(),
        "free": write_free(free)}).free.tolist() == free.tolist()  # fmt: skip
    assert set("".join(write_free(free))) == {FREE, TAKEN}


def test_a_floor_without_end_is_rejected_before_memory_is_taken():
    with pytest.raises(TooLarge, match=r"a floor of 900 m by 700 m has more than 16000000 cells of 0.05 m"):
        free_floor(shapely.box(0, 0, 900, 700), ROOM, [], 0.1, 1.8, CELL)
