"""Whether single points are visible in a depth image."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.geometry.rasterize import DEFAULT_NEAR, checked_view


@kernel
def test_points(points, p, depth, near, tolerance, relative, visible, pixels, z):
    """Projects points (P, 3) by p (3, 4), as of `checked_view`, and compares their z with the depth image (H, W) at
    the pixel they fall in. Fills visible (P,), pixels (P, 2) and z (P,).
    """
    height, width = depth.shape
    for i in range(points.shape[0]):
        x, y, t = points[i, 0], points[i, 1], points[i, 2]
        u = (p[0, 0] * x + p[0, 1] * y) + (p[0, 2] * t + p[0, 3])
        v = (p[1, 0] * x + p[1, 1] * y) + (p[1, 2] * t + p[1, 3])
        w = (p[2, 0] * x + p[2, 1] * y) + (p[2, 2] * t + p[2, 3])
        z[i] = w
        visible[i] = False
        if not w >= near:
            pixels[i, 0] = pixels[i, 1] = np.nan
            continue
        px, py = u / w + 0.5, v / w + 0.5
        pixels[i, 0], pixels[i, 1] = px, py
        if px >= 0.0 and py >= 0.0 and px < width and py < height:
            surface = depth[int(py), int(px)]
            visible[i] = surface > 0.0 and w - tolerance <= surface * (1.0 + relative)


def point_visibility(
    points: ArrayLike,
    depth: ArrayLike,
    intrinsics: ArrayLike,
    world_to_camera: ArrayLike,
    tolerance: float,
    relative: float = 0.0,
    near: float = DEFAULT_NEAR,
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Which points a depth image shows: those that lie at most the tolerance behind the surface at their
    pixel. Keep points in mesh order: random order costs several times as much.

    Parameters
    ----------
    points : (P, 3), meters, world.
    depth : (H, W), meters along z; inf = nothing there, 0 or nan = not measured (such pixels show no point).
    intrinsics, world_to_camera, near : as of `rasterize`.
    tolerance : meters. relative : a share of the surface's depth, added to it.

    Returns
    -------
    (P,), (P, 2), (P,) : visible; pixels, nan for points nearer than `near` or not finite; z, meters.

    Raises
    ------
    ValueError : depth has another shape, a tolerance is negative, or as `rasterize`.
    """
    image = np.ascontiguousarray(depth)
    if image.ndim != 2:
        raise ValueError(f"depth must have shape (H, W), not {image.shape}")
    p = checked_view(intrinsics, world_to_camera, image.shape[1], image.shape[0], near)
    if not (tolerance >= 0 and relative >= 0):
        raise ValueError("tolerances must not be negative")
    where = np.ascontiguousarray(points, dtype=np.float64).reshape(-1, 3)
    visible = np.empty(len(where), np.bool_)
    pixels, z = np.empty((len(where), 2)), np.empty(len(where))
    test_points(where, p, image, float(near), float(tolerance), float(relative), visible, pixels, z)
    return visible, pixels, z
