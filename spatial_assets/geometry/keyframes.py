"""Which frames of a sequence to keep: the redundancy filter and uniform samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float

CELL_ROOM = 1.001
"""Size of a grid cell in units of the translation threshold."""


def keyframe_indices(camera_to_world: Float, translation: float, rotation: float) -> NDArray[np.int64]:
    """Frames that are not redundant; the first is always kept.

    A frame is redundant if any retained earlier frame is nearer than both thresholds: the distance of the
    camera positions below `translation`, and the angle of R1' R2, arccos((trace - 1) / 2), below `rotation` (SPAR,
    appendix 7.3).

    Parameters
    ----------
    camera_to_world : (N, 4, 4), meters, in the order of the video. translation : meters. rotation : degrees.

    Returns
    -------
    (K,) : places among the poses, ascending.
    """
    # trace(R1' R2) is the sum of the elementwise products, so the angle's test needs no matrix product.
    least_trace = 1.0 + 2.0 * np.cos(np.radians(rotation))
    positions = np.ascontiguousarray(camera_to_world[:, :3, 3])
    rotations = np.ascontiguousarray(camera_to_world[:, :3, :3].reshape(-1, 9))
    # A little more than the threshold, so that rounding cannot put two near frames two cells apart.
    cell = translation * CELL_ROOM
    squared = translation * translation
    return np.flatnonzero(_not_redundant(positions, rotations, squared, least_trace, cell))


@kernel
def _bucket(x, y, z, mask):
    """Place of a grid cell in a table of mask + 1 lists: the bits of three integers, mixed."""
    mixed = x * np.int64(73856093) ^ y * np.int64(19349663) ^ z * np.int64(83492791)
    return (mixed ^ (mixed >> np.int64(17))) & mask


@kernel
def _not_redundant(positions, rotations, squared, least_trace, cell):
    """(N,) bool. Retained frames lie in lists by grid cell; a nearer one can only be in a neighboring cell.

    Cells may share a list: every member is tested for its own distance, so that costs time, nothing else.
    """
    count = positions.shape[0]
    keep = np.zeros(count, np.bool_)
    size = 1
    while size < 2 * count:
        size *= 2
    first, following = np.full(size, -1, np.int64), np.empty(count, np.int64)
    for frame in range(count):
        x, y, z = positions[frame, 0], positions[frame, 1], positions[frame, 2]
        cx, cy, cz = np.int64(np.floor(x / cell)), np.int64(np.floor(y / cell)), np.int64(np.floor(z / cell))
        redundant = False
        for neighbor in range(27):
            dx, dy, dz = neighbor % 3 - 1, neighbor // 3 % 3 - 1, neighbor // 9 - 1
            other = first[_bucket(cx + dx, cy + dy, cz + dz, size - 1)]
            while other >= 0 and not redundant:
                px, py, pz = positions[other, 0] - x, positions[other, 1] - y, positions[other, 2] - z
                if px * px + py * py + pz * pz < squared:
                    trace = 0.0
                    for entry in range(9):
                        trace += rotations[other, entry] * rotations[frame, entry]
                    redundant = trace > least_trace
                other = following[other]
            if redundant:
                break
        if not redundant:
            keep[frame] = True
            place = _bucket(cx, cy, cz, size - 1)
            following[frame] = first[place]
            first[place] = frame
    return keep


def uniform_indices(count: int, samples: int) -> NDArray[np.int64]:
    """Indices spread evenly over 0 to count - 1, ends included.

    Returns
    -------
    (min(count, samples),) : ascending; all of them where there are no more than asked for.
    """
    if count <= samples:
        return np.arange(count)
    return np.linspace(0, count - 1, samples).astype(np.int64)


def dense_indices(timestamps: Float | None, count: int, per_second: float, stride: int) -> NDArray[np.int64]:
    """The first frame of each 1 / per_second seconds; every `stride`-th frame where there are no timestamps.

    Parameters
    ----------
    timestamps : (count,), seconds, ascending.

    Returns
    -------
    (K,) : ascending.
    """
    if timestamps is None:
        return np.arange(0, count, stride)
    ticks = np.floor((timestamps - timestamps[0]) * per_second).astype(np.int64)
    return np.sort(np.unique(ticks, return_index=True)[1])
