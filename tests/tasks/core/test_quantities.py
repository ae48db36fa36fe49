"""Printing, margins and rounding boundaries of quantities, against their definitions."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.tasks.core.printed import grid_box
from spatial_assets.tasks.core.quantities import (
    CENTIMETERS,
    DEGREES,
    GRID_STEPS,
    METERS,
    SQUARE_METERS,
    Quantity,
)

MEASURED = (CENTIMETERS, DEGREES, GRID_STEPS, METERS, SQUARE_METERS)


@pytest.mark.parametrize("quantity", MEASURED)
@given(value=st.floats(-500, 500))
def test_rounding_and_how_far_it_is(quantity: Quantity, value: float) -> None:
    count = quantity.steps(value)
    assert abs(count * quantity.step - value) <= quantity.step / 2 + 1e-9
    # The boundaries are the half steps.
    base = math.floor(value / quantity.step)
    border = min(abs(value - (base + half) * quantity.step) for half in (-0.5, 0.5, 1.5))
    assert quantity.margin(value) == pytest.approx(border, abs=1e-9)
    near = quantity.near_rounding_boundary(np.array([[value]]))
    assert near.shape == (1, 1) and bool(near[0, 0]) == (quantity.margin(value) < quantity.tolerance)
    assert quantity.steps_of(np.array([value])).tolist() == [count]


@pytest.mark.parametrize("quantity", MEASURED)
@given(count=st.integers(-20_000, 20_000))
def test_whole_steps_print_exactly(quantity: Quantity, count: int) -> None:
    exact = Decimal(count) * Decimal(str(quantity.step))
    assert Decimal(quantity.text_of(count)) == exact.quantize(
        Decimal(10) ** -quantity.decimals, ROUND_HALF_UP
    )
    assert not quantity.text_of(0).startswith("-")


def test_texts() -> None:
    assert [METERS.text(value) for value in (0.0, -0.04, 0.96, 12.34)] == ["0.0", "0.0", "1.0", "12.3"]
    assert DEGREES.text(37.6) == "40" and CENTIMETERS.text(199.6) == "200"
    assert grid_box([330.4, 547.6, 387.0, 999.9]) == "[330, 548, 387, 1000]"
