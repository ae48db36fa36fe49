"""The studio's own truth: boxes of noise-free vertices, by code that shares nothing with `geometry`."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial import ConvexHull

from spatial_assets.scene.model import Float

CLEAR_MARGIN = 1e-4
"""Least share by which the smallest rectangle must beat every differently turned one, and by which a
footprint's sides must differ: files store float32, and its rounding must not decide between two answers."""
SAME_DIRECTION = math.radians(0.05)
"""Rectangles turned by less than this are one rectangle."""
SEAM = math.radians(0.05)
"""Footprints keep this far from the yaw at which the canonical description jumps."""
SHRINK = 0.985
"""What the first attempts leave of a width; later ones take more."""
ATTEMPTS = 40
GOLDEN = 0.381966
"""Attempts' directions are spread by the golden angle."""


def _candidates(xy: Float) -> tuple[Float, Float, Float]:
    """For each direction of the hull's edges: angle, extent along it, extent across it."""
    hull = xy[ConvexHull(xy).vertices]
    edges = np.roll(hull, -1, axis=0) - hull
    angles = np.arctan2(edges[:, 1], edges[:, 0]) % (math.pi / 2)
    c, s = np.cos(angles)[:, None], np.sin(angles)[:, None]
    along = hull[:, 0] * c + hull[:, 1] * s
    across = -hull[:, 0] * s + hull[:, 1] * c
    return angles, np.ptp(along, axis=1), np.ptp(across, axis=1)


def footprint(xy: Float) -> tuple[Float, Float, float]:
    """The smallest rectangle around points (N, 2): center (2,), size (2,), yaw.

    The longer side comes first and yaw, its direction, lies in [-45, 135) degrees.
    """
    angles, along, across = _candidates(xy)
    best = int(np.argmin(along * across))
    yaw = float(angles[best])
    if across[best] > along[best]:
        yaw += math.pi / 2
    if yaw >= 3 * math.pi / 4:
        yaw -= math.pi
    c, s = math.cos(yaw), math.sin(yaw)
    u, v = xy[:, 0] * c + xy[:, 1] * s, -xy[:, 0] * s + xy[:, 1] * c
    mu, mv = (float(u.max()) + float(u.min())) / 2, (float(v.max()) + float(v.min())) / 2
    center = np.array([c * mu - s * mv, s * mu + c * mv])
    return center, np.array([float(np.ptp(u)), float(np.ptp(v))]), yaw


def true_box(vertices: Float) -> tuple[Float, Float, float]:
    """Gravity-aligned box of vertices (N, 3): center (3,), size (3,), yaw in radians."""
    center, size, yaw = footprint(vertices[:, :2])
    low, high = float(vertices[:, 2].min()), float(vertices[:, 2].max())
    return np.append(center, (low + high) / 2), np.append(size, high - low), yaw


def is_clear(xy: Float) -> bool:
    """Whether the smallest rectangle around points (N, 2) is so by a margin that float32 cannot overturn."""
    angles, along, across = _candidates(xy)
    area = along * across
    best = int(np.argmin(area))
    apart = np.abs((angles - angles[best] + math.pi / 4) % (math.pi / 2) - math.pi / 4)
    others = area[apart > SAME_DIRECTION]
    if len(others) and float(others.min()) < area[best] * (1 + CLEAR_MARGIN):
        return False
    longest = max(along[best], across[best])
    if abs(along[best] - across[best]) < 10 * CLEAR_MARGIN * longest:
        return False
    # Yaw jumps where the longer side runs at 135 degrees.
    return abs(footprint(xy)[2] - 3 * math.pi / 4) > SEAM and abs(footprint(xy)[2] + math.pi / 4) > SEAM


def clarified(vertices: Float, offset: float) -> Float:
    """The vertices (N, 3), squeezed by a few percent along one horizontal direction if their box was ambiguous.

    A round or a square thing has no one smallest rectangle. Nothing real is quite round, so these lose a
    little of one width, along a direction that `offset` in [0, 1) chooses; more on one side than on the other,
    because some shapes, such as a regular pentagon, keep their ties under every affine squeeze. Where nothing
    helps (every triangle has three equal rectangles) the vertices come back unchanged.
    """
    if is_clear(vertices[:, :2]):
        return vertices
    middle = vertices[:, :2].mean(axis=0)
    away = vertices[:, :2] - middle
    for attempt in range(ATTEMPTS):
        angle = math.pi * ((offset + GOLDEN * attempt) % 1.0)
        loss = 1 - SHRINK ** (1 + attempt // 8)
        axis = np.array([math.cos(angle), math.sin(angle)])
        along = away[:, 0] * axis[0] + away[:, 1] * axis[1]
        lean = 1 + 0.5 * along / float(np.abs(along).max())
        out = vertices.copy()
        out[:, :2] = middle + away - (loss * lean * along)[:, None] * axis
        if is_clear(out[:, :2]):
            return out
    return vertices
