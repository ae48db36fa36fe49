"""Numbers as answers print them, and how far a value is from printing differently."""

from __future__ import annotations

import math

METRE_STEP = 0.1
"""Distances and depths are printed in metres with one decimal."""
ANGLE_STEP = 5.0
"""Degrees, in view changes."""
METRE_TOLERANCE = 0.001
"""A value this near to where its printed form changes is not asked: no answer hangs on the sixth decimal."""
ANGLE_TOLERANCE = 0.05
"""The same for angles, in degrees: as small a part of the step as a millimetre is of a decimetre."""


def steps(value: float, step: float) -> int:
    """The nearest whole number of steps; halves, which `margin` keeps out of questions, go up."""
    return math.floor(value / step + 0.5)


def margin(value: float, step: float) -> float:
    """Smallest change of `value` that alters its rounding to whole steps, in the value's own unit."""
    return (0.5 - abs(value / step - steps(value, step))) * step


def metres(value: float) -> str:
    """One decimal, the trailing zero kept; never a minus sign before zero."""
    return f"{steps(value, METRE_STEP) / 10:.1f}"
