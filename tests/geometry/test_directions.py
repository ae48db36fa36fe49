"""Angles on the ground and their sectors."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.geometry.directions import FULL_TURN, clearance, sector, turn_degrees
from spatial_assets.scene.model import Box


def at(x: float, y: float) -> Box:
    return Box(np.array([x, y, 0.0]), np.ones(3), np.eye(3))


@given(st.floats(0, 359.9), st.floats(0, 359.9), st.floats(0.1, 10), st.floats(0.1, 10))
def test_turning_from_what_is_faced_to_what_is_asked(
    faced: float, turn: float, near: float, far: float
) -> None:
    def around(degrees: float, distance: float) -> Box:
        angle = math.radians(degrees)
        return at(2 + distance * math.cos(angle), 3 + distance * math.sin(angle))

    found = turn_degrees(at(2, 3), around(faced, near), around(faced + turn, far))
    assert found is not None and 0 <= found < FULL_TURN
    assert abs((found - turn + 180) % 360 - 180) < 1e-6


def test_sectors_begin_at_their_borders_and_clearance_goes_the_shorter_way_round() -> None:
    borders = (0.0, 135.0, 225.0)
    assert [sector(turn, borders) for turn in (0.0, 134.9, 135.0, 225.0, 359.9)] == [0, 0, 1, 2, 2]
    assert clearance(350.0, borders) == 10.0
    assert clearance(140.0, borders) == 5.0
