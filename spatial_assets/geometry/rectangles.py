"""Rectangles in an image: how far two of them are the same."""

from __future__ import annotations

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float


@kernel
def iou(a: Float, b: Float) -> float:
    """Intersection over union of two rectangles.

    Parameters
    ----------
    a, b : (4,), x0, y0, x1, y1 in pixels.

    Returns
    -------
    From 0 to 1; 0 where both are empty.
    """
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / both if both > 0 else 0.0
