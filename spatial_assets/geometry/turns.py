"""Directions of many things at once: the kernels of what `directions` states for one.

Places are x, y in meters; angles are degrees, counter-clockwise seen from above.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.directions import FULL_TURN, HALF_TURN
from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float

Indices = NDArray[np.int64]

JUST_BELOW_FULL = math.nextafter(FULL_TURN, 0.0)
SURE = 1e-9
"""A corner whose distance from a border's line is below this share of its distance from the place is looked at
again, by its angle: what lies on a border belongs to the sector that the rounded angle says."""


class Sectors(NamedTuple):
    """Where the third thing of each triple lies among sectors."""

    own: Indices
    """(N,), the sector of its center."""
    clearance: Float
    """(N,), degrees from its direction to the nearest border, either way round."""
    stray: Indices
    """(N,), how many corners of its box lie in another sector."""


@kernel
def turn_between(forward_x: float, forward_y: float, aside_x: float, aside_y: float) -> float:
    """Degrees in [0, 360) from one offset to another; NaN where one of them is zero."""
    if (forward_x == 0.0 and forward_y == 0.0) or (aside_x == 0.0 and aside_y == 0.0):
        return np.nan
    cross = forward_x * aside_y - forward_y * aside_x
    dot = forward_x * aside_x + forward_y * aside_y
    turn = math.degrees(math.atan2(cross, dot))
    # A tiny negative angle rounds up to a full turn; it belongs just below.
    return turn if turn >= 0.0 else min(turn + FULL_TURN, JUST_BELOW_FULL)


@kernel
def _sector(turn: float, borders: Float) -> int:
    own = len(borders) - 1
    while turn < borders[own]:
        own -= 1
    return own


@kernel
def triple_turns(triples: Indices, centers: Float) -> Float:
    """Where the third thing of each triple lies for one who stands by the first and faces the second.

    Parameters
    ----------
    triples : (N, 3), places among the centers. centers : (O, 2), meters, seen from above.

    Returns
    -------
    (N,), degrees in [0, 360); NaN where the second or the third has the first one's center.
    """
    out = np.empty(len(triples), np.float64)
    for row in range(len(triples)):
        here, faced, asked = triples[row, 0], triples[row, 1], triples[row, 2]
        x, y = centers[here, 0], centers[here, 1]
        out[row] = turn_between(
            centers[faced, 0] - x, centers[faced, 1] - y, centers[asked, 0] - x, centers[asked, 1] - y
        )
    return out


@kernel
def _sectors(
    triples: Indices, turns: Float, centers: Float, corners: Float, borders: Float
) -> tuple[Indices, Float, Indices]:
    count = len(triples)
    own, clearance, stray = np.empty(count, np.int64), np.empty(count, np.float64), np.zeros(count, np.int64)
    cosines, sines = np.cos(np.radians(borders)), np.sin(np.radians(borders))
    for row in range(count):
        here, faced, asked = triples[row, 0], triples[row, 1], triples[row, 2]
        turn = turns[row]
        low = _sector(turn, borders)
        high = (low + 1) % len(borders)
        nearest = FULL_TURN
        for border in borders:
            way = abs(turn - border)
            nearest = min(nearest, way, FULL_TURN - way)
        own[row], clearance[row] = low, nearest
        x, y = centers[here, 0], centers[here, 1]
        forward_x, forward_y = centers[faced, 0] - x, centers[faced, 1] - y
        # The sector's two borders as directions; it is narrower than half a turn, so that its inside is what lies
        # left of the one and right of the other.
        low_x = forward_x * cosines[low] - forward_y * sines[low]
        low_y = forward_x * sines[low] + forward_y * cosines[low]
        high_x = forward_x * cosines[high] - forward_y * sines[high]
        high_y = forward_x * sines[high] + forward_y * cosines[high]
        reach = SURE * (abs(forward_x) + abs(forward_y))
        for corner in range(corners.shape[1]):
            aside_x, aside_y = corners[asked, corner, 0] - x, corners[asked, corner, 1] - y
            from_low = low_x * aside_y - low_y * aside_x
            from_high = high_x * aside_y - high_y * aside_x
            if min(abs(from_low), abs(from_high)) > reach * (abs(aside_x) + abs(aside_y)):
                inside = from_low > 0.0 and from_high < 0.0
            else:
                other = turn_between(forward_x, forward_y, aside_x, aside_y)
                inside = other == other and _sector(other, borders) == low
            stray[row] += not inside
    return own, clearance, stray


def triple_sectors(
    triples: Indices, turns: Float, centers: Float, corners: Float, borders: tuple[float, ...]
) -> Sectors:
    """Sector, clearance and stray corners of the third thing of each triple.

    Parameters
    ----------
    triples : (N, 3), places among centers and corners. turns : (N,), of `triple_turns`, none of them NaN.
    centers, corners : (O, 2) and (O, 8, 2), of boxes seen from above, meters.
    borders : degrees, ascending from 0; sectors begin at them.

    Raises
    ------
    ValueError : the borders do not begin at 0, or a sector is half a turn wide or more.
    """
    widths = np.diff([*borders, FULL_TURN])
    if borders[0] != 0.0 or not ((widths > 0) & (widths < HALF_TURN)).all():
        raise ValueError(f"borders must ascend from 0, less than half a turn apart: {borders}")
    return Sectors(*_sectors(triples, turns, centers, corners, np.array(borders)))
