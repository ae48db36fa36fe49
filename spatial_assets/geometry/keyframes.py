"""Which frames of a sequence to keep: the redundancy filter and uniform samples."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spatial_assets.scene import Float


def keyframe_indices(camera_to_world: Float, translation: float, rotation: float) -> NDArray[np.int64]:
    """Frames that are not redundant, of poses (N, 4, 4), ascending; the first is always kept.

    A frame is redundant if any retained earlier frame is nearer than both thresholds: the distance of the
    camera positions below `translation` metres, and the angle of R1' R2, arccos((trace - 1) / 2), below
    `rotation` degrees (SPAR, appendix 7.3).
    """
    # trace(R1' R2) is the sum of the elementwise products, so the angle's test needs no matrix product.
    least_trace = 1.0 + 2.0 * np.cos(np.radians(rotation))
    positions = np.ascontiguousarray(camera_to_world[:, :3, 3])
    rotations = np.ascontiguousarray(camera_to_world[:, :3, :3].reshape(-1, 9))
    return np.flatnonzero(_not_redundant(positions, rotations, translation * translation, least_trace))


@njit(cache=True, nogil=True)
def _not_redundant(positions, rotations, squared, least_trace):
    count = positions.shape[0]
    keep = np.zeros(count, np.bool_)
    kept_positions = np.empty((count, 3))
    kept_rotations = np.empty((count, 9))
    kept = 0
    for frame in range(count):
        x, y, z = positions[frame]
        redundant = False
        # The newest retained frames are the likeliest to be near.
        for other in range(kept - 1, -1, -1):
            dx = kept_positions[other, 0] - x
            dy = kept_positions[other, 1] - y
            dz = kept_positions[other, 2] - z
            if dx * dx + dy * dy + dz * dz < squared:
                trace = 0.0
                for entry in range(9):
                    trace += kept_rotations[other, entry] * rotations[frame, entry]
                if trace > least_trace:
                    redundant = True
                    break
        if not redundant:
            kept_positions[kept] = positions[frame]
            kept_rotations[kept] = rotations[frame]
            kept += 1
            keep[frame] = True
    return keep


def uniform_indices(count: int, samples: int) -> NDArray[np.int64]:
    """`samples` indices spread evenly over 0 to count - 1, ends included; all of them where there are fewer."""
    if count <= samples:
        return np.arange(count)
    return np.linspace(0, count - 1, samples).astype(np.int64)


def dense_indices(timestamps: Float | None, count: int, per_second: float, stride: int) -> NDArray[np.int64]:
    """The first frame of each 1 / per_second seconds; every `stride`-th frame where there are no timestamps."""
    if timestamps is None:
        return np.arange(0, count, stride)
    ticks = np.floor((timestamps - timestamps[0]) * per_second).astype(np.int64)
    return np.sort(np.unique(ticks, return_index=True)[1])
