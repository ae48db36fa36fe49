"""How much of their space two gravity-aligned boxes share: intersection over union, exact, turned boxes included.

Boxes are rows of seven numbers: center x, y, z and edge lengths along their own axes, in meters, and the angle of the
first axis, in radians counter-clockwise from the world's x.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Box, Float

PARTS = 7
MOST_CORNERS = 12
"""Of two rectangles' intersection eight; a few more for corners that fall together."""


def upright_parts(boxes: Sequence[Box]) -> Float:
    """Boxes as rows of numbers; of one that is tilted the upright box around it, turned as its longest level axis is.

    Returns
    -------
    (N, 7) : center x, y, z and edge lengths along the box's own axes, meters; yaw, radians counter-clockwise from the
        world's x.
    """
    out = np.empty((len(boxes), PARTS))
    for place, box in enumerate(boxes):
        rotation, size = np.asarray(box.rotation, np.float64), np.asarray(box.size, np.float64)
        lengths = size * np.hypot(rotation[0], rotation[1])
        axis = rotation[:2, int(lengths.argmax())] if lengths.any() else np.array([1.0, 0.0])
        yaw = float(np.arctan2(axis[1], axis[0]))
        c, s = np.cos(yaw), np.sin(yaw)
        own = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) @ rotation
        out[place, :3] = box.center
        out[place, 3:6] = np.abs(own) @ size
        out[place, 6] = yaw
    return out


def aligned_parts(boxes: Sequence[Box]) -> Float:
    """Around each box the one along the world's axes, as ScanRefer's results are compared.

    Returns
    -------
    (N, 7) : as of `upright_parts`; yaw 0.
    """
    out = np.zeros((len(boxes), PARTS))
    for place, box in enumerate(boxes):
        out[place, :3] = box.center
        out[place, 3:6] = np.abs(np.asarray(box.rotation, np.float64)) @ np.asarray(box.size, np.float64)
    return out


def iou_matrix(own: Float, others: Float) -> Float:
    """Shared volume over joint volume of boxes that stand upright, turned or not.

    Parameters
    ----------
    own, others : (N, 7) and (M, 7), meters and radians, as `upright_parts` gives them.

    Returns
    -------
    (N, M) : from 0 to 1; 0 where both are flat.
    """
    found: Float = _iou_matrix(np.ascontiguousarray(own), np.ascontiguousarray(others))
    return found


@kernel
def _iou_matrix(own: Float, others: Float) -> Float:
    out = np.zeros((len(own), len(others)))
    for i in range(len(own)):
        for j in range(len(others)):
            out[i, j] = _iou(own[i], others[j])
    return out


@kernel
def _iou(a: Float, b: Float) -> float:
    high = min(a[2] + a[5] / 2, b[2] + b[5] / 2) - max(a[2] - a[5] / 2, b[2] - b[5] / 2)
    if high <= 0.0:
        return 0.0
    apart = np.hypot(a[0] - b[0], a[1] - b[1])
    if apart >= (np.hypot(a[3], a[4]) + np.hypot(b[3], b[4])) / 2:
        return 0.0
    shared = _shared_area(a, b) * high
    joint = a[3] * a[4] * a[5] + b[3] * b[4] * b[5] - shared
    return min(shared / joint, 1.0) if joint > 0.0 else 0.0


@kernel
def _shared_area(a: Float, b: Float) -> float:
    """Of two turned rectangles: b in a's axes, clipped at a's four edges (Sutherland and Hodgman, 1974)."""
    points = np.empty((MOST_CORNERS, 2))
    held = np.empty((MOST_CORNERS, 2))
    ca, sa = np.cos(a[6]), np.sin(a[6])
    cb, sb = np.cos(b[6] - a[6]), np.sin(b[6] - a[6])
    x, y = b[0] - a[0], b[1] - a[1]
    middle_x, middle_y = x * ca + y * sa, y * ca - x * sa
    for corner in range(4):
        along = b[3] / 2 if corner in (0, 3) else -b[3] / 2
        across = b[4] / 2 if corner < 2 else -b[4] / 2
        points[corner, 0] = middle_x + along * cb - across * sb
        points[corner, 1] = middle_y + along * sb + across * cb
    count = 4
    for edge in range(4):
        axis = edge % 2
        sign = 1.0 if edge < 2 else -1.0
        limit = a[3 + axis] / 2
        kept = 0
        for place in range(count):
            after = (place + 1) % count
            inside = limit - sign * points[place, axis]
            next_inside = limit - sign * points[after, axis]
            if inside >= 0.0:
                held[kept] = points[place]
                kept += 1
            if (inside > 0.0 and next_inside < 0.0) or (inside < 0.0 and next_inside > 0.0):
                share = inside / (inside - next_inside)
                held[kept, 0] = points[place, 0] + share * (points[after, 0] - points[place, 0])
                held[kept, 1] = points[place, 1] + share * (points[after, 1] - points[place, 1])
                kept += 1
        count = kept
        for place in range(count):
            points[place] = held[place]
        if count < 3:
            return 0.0
    twice = 0.0
    for place in range(count):
        after = (place + 1) % count
        twice += points[place, 0] * points[after, 1] - points[after, 0] * points[place, 1]
    return abs(twice) / 2
