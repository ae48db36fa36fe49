"""Directions on the ground: the angle of one thing from another that is faced, and its sector.

Angles are degrees in [0, 360), counter-clockwise from the direction faced, seen from above.
"""

from __future__ import annotations

import math
from bisect import bisect_right

from spatial_assets.scene.model import Box

FULL_TURN, HALF_TURN, QUARTER_TURN = 360.0, 180.0, 90.0


def turn_degrees(position: Box, orientation: Box, query: Box) -> float | None:
    """Angle from position -> orientation to position -> query.

    By the boxes' centers in xy; None where one of the two stands exactly above or below the position.
    """
    forward = (orientation.center - position.center)[:2].tolist()
    aside = (query.center - position.center)[:2].tolist()
    if not any(forward) or not any(aside):
        return None
    cross = forward[0] * aside[1] - forward[1] * aside[0]
    dot = forward[0] * aside[0] + forward[1] * aside[1]
    turn = math.degrees(math.atan2(cross, dot)) % FULL_TURN
    # The remainder of a tiny negative angle rounds up to a full turn; it belongs just below.
    return min(turn, math.nextafter(FULL_TURN, 0.0))


def sector(turn: float, borders: tuple[float, ...]) -> int:
    """Index of the sector that begins at the last border not beyond the turn; borders ascend from 0."""
    return bisect_right(borders, turn) - 1


def clearance(turn: float, borders: tuple[float, ...]) -> float:
    """Degrees from a turn to the nearest of the borders, either way round."""
    ways = (abs(turn - border) for border in borders)
    return min(min(way, FULL_TURN - way) for way in ways)
