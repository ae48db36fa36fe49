"""Where objects out of sight would be: outlines of boxes against points inside, and words for what is outside."""

from __future__ import annotations

import numpy as np
import pytest
from shapely import MultiPoint, Polygon, box

from spatial_assets.geometry.boxes import CORNER_SIGNS
from spatial_assets.report.outlines import NEAR, box_outline, outside

CAMERA = np.array([[100.0, 0.0, 80.0], [0.0, 100.0, 60.0], [0.0, 0.0, 1.0]])
IMAGE = box(0, 0, 160, 120)


def corners(
    center: tuple[float, float, float], size: tuple[float, float, float] = (0.4, 0.6, 0.8)
) -> np.ndarray:
    c, s = np.cos(0.4), np.sin(0.4)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return np.array(center) + CORNER_SIGNS * np.array(size) / 2 @ turn.T


@pytest.mark.parametrize("center", [(0.2, 0.1, 3.0), (0.5, 0.3, 0.3), (0.0, 0.0, 0.1), (-1.0, 0.2, 1.0)])
def test_an_outline_holds_what_is_before_the_camera_and_no_more(center: tuple[float, float, float]) -> None:
    """A box that the camera stands in or beside is cut off in front of it."""
    own = corners(center)
    random = np.random.default_rng(0)
    weights = random.dirichlet(np.full(8, 0.15), 50_000)
    points = weights @ own
    points = points[points[:, 2] >= NEAR] @ CAMERA.T
    seen = MultiPoint(points[:, :2] / points[:, 2:]).convex_hull.intersection(IMAGE)
    found = Polygon(box_outline(own, CAMERA)).intersection(IMAGE)
    assert seen.area > 100 and found.buffer(1e-6).contains(seen)
    assert found.area <= 1.06 * seen.area


@pytest.mark.parametrize(
    ("center", "where"),
    [
        ((0.0, 0.0, 3.0), ""),
        ((-4.0, 0.0, 3.0), "to the left"),
        ((4.0, 0.0, 3.0), "to the right"),
        ((0.0, -4.0, 3.0), "above"),
        ((0.0, 4.0, 3.0), "below"),
        ((0.0, 0.0, -3.0), "behind the camera"),
        ((3.0, 0.0, -0.1), "behind the camera"),
        ((-2.6, 0.0, 3.0), ""),
    ],
)
def test_what_is_outside_is_said_in_words(center: tuple[float, float, float], where: str) -> None:
    own = corners(center)
    assert outside(box_outline(own, CAMERA), own.mean(axis=0), 160, 120) == where
