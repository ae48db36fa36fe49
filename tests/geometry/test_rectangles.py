"""Rectangles: how far two are the same."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_assets.geometry.rectangles import iou


def test_intersection_over_union() -> None:
    def of(a: list[float], b: list[float]) -> float:
        return iou(np.array(a, float), np.array(b, float))

    assert of([0, 0, 2, 2], [0, 0, 2, 2]) == 1
    assert of([0, 0, 2, 2], [1, 0, 3, 2]) == pytest.approx(1 / 3)
    assert of([0, 0, 2, 2], [2, 0, 3, 2]) == 0 == of([0, 0, 1, 1], [5, 5, 6, 6])
    assert of([1, 1, 1, 1], [1, 1, 1, 1]) == 0
