"""What directions on the ground are called, at the three levels of VSI-Bench's question about them.

Angles are degrees in [0, 360), counter-clockwise from the direction faced, seen from above. The sectors are VSI-Bench's
(Yang et al., Thinking in Space, 2025), as its published generator scripts state them.
"""

from __future__ import annotations

from spatial_assets.geometry.directions import HALF_TURN, QUARTER_TURN

BACK_FROM, BACK_TO = 135.0, 225.0
"""Degrees between which something is at one's back."""


def easy(turn: float) -> str:
    """Left or right of the direction faced; the benchmark asks nothing that is at one's back."""
    return "left" if turn < HALF_TURN else "right"


def medium(turn: float) -> str:
    """Left, right or back."""
    if turn < BACK_FROM:
        return "left"
    return "back" if turn < BACK_TO else "right"


def hard(turn: float) -> str:
    """The quadrant."""
    return ("front-left", "back-left", "back-right", "front-right")[int(turn // QUARTER_TURN)]
