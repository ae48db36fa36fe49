"""Quantities: what a number in an answer measures, how it prints, and how far it is from printing differently."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Quantity:
    """A kind of number. It is rounded to whole steps; a step prints as `decimals` after the point."""

    unit: str
    step: float
    """In its unit, as small as it is printed."""
    tolerance: float
    """In its unit: nearer than this to where its printed form changes, nothing is asked or stated."""
    decimals: int = 0
    exact: bool = False
    """Counted, not measured: its values are whole steps, and the smallest change is one more or one fewer."""

    def steps(self, value: float) -> int:
        """The nearest whole number of steps; halves, which `margin` keeps out of questions, go up."""
        return math.floor(value / self.step + 0.5)

    def text(self, value: float) -> str:
        """As printed; never a minus sign before zero."""
        return self.text_of(math.floor(value / self.step + 0.5))

    def text_of(self, count: int) -> str:
        """So many steps, as printed."""
        if not self.decimals:
            return str(round(count * self.step))
        # One division of whole numbers: a product with a step like 0.1 is not the nearest float.
        whole, parts, form = self._fraction
        return form % (count * whole / parts)

    @cached_property
    def _fraction(self) -> tuple[int, int, str]:
        """The step as a fraction, and how a number is printed."""
        parts: int = 10**self.decimals
        return round(self.step * parts), parts, f"%.{self.decimals}f"

    def margin(self, value: float) -> float:
        """Smallest change of the value, in its own unit, that alters its rounding to whole steps."""
        if self.exact:
            return self.step
        scaled = value / self.step
        return (0.5 - abs(scaled - math.floor(scaled + 0.5))) * self.step

    def near_rounding_boundary(self, values: Reals) -> NDArray[np.bool_]:
        """Which values (...) are too near to where their printed form changes to be asked or stated."""
        scaled = np.asarray(values, np.float64) / self.step
        margins = (0.5 - np.abs(scaled - np.floor(scaled + 0.5))) * self.step
        near: NDArray[np.bool_] = margins < self.tolerance
        return near

    def steps_of(self, values: Reals) -> NDArray[np.int64]:
        """`steps` of values (...)."""
        return np.floor(np.asarray(values, np.float64) / self.step + 0.5).astype(np.int64)


METERS = Quantity("m", 0.1, 0.001, 1)
"""Distances and depths. A millimeter of doubt: no answer depends on the sixth decimal."""
DEGREES = Quantity("degree", 5.0, 0.05)
"""Turns of the camera, in SPAR's steps. The doubt is as small a part of the step as a millimeter is of a decimeter."""
GRID_STEPS = Quantity("grid step", 1.0, 0.01)
"""Image coordinates, whole numbers from 0 to 1000; the doubt is the same part of the step."""
CENTIMETERS = Quantity("cm", 1.0, 0.1)
"""Sizes of objects: a millimeter of doubt."""
SQUARE_METERS = Quantity("m2", 0.1, 0.001, 1)
"""Areas; the doubt is the same part of the step as for lengths."""
COUNT = Quantity("1", 1.0, 0.0, exact=True)
"""Whole objects."""
