"""The distance between two boxes as the published benchmarks took it: between points sampled on a 5 cm grid.

VSI-Bench's distances are not distances of boxes but of these points: 3 cm too long on average, 29 cm at most.
To recompute a published answer the same points are needed, and they depend on the last bit: a point on a face
of the box is turned into the world and back, and dropped if rounding has put it outside. So the arithmetic
below repeats, step by step, what NumPy's matrix product (fused multiply-add, in the order of the axes) and
Open3D's crop (plain products and sums) do. Measured on the published answers, no other order reproduces them
all. `boxes.box_distance` is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from spatial_assets.geometry.boxes import box_distance
from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Box, Float

SPACING = 0.05
"""Meters; an axis of the published grid has its extent over this, rounded up, as its number of samples."""

CORE_SHARE = 0.25
"""Samples whose every coordinate lies within this share of the box's extent from its center are left out."""

RELATIVE_SLACK = 1e-9
"""Share, and meters, by which a bound is widened before anything is discarded by it: far above rounding."""


@intrinsic
def _fused_multiply_add(typingctx, x, y, z):
    """x * y + z in float64, rounded once (IEEE 754 fusedMultiplyAdd), whatever the processor."""

    def codegen(context, builder, signature, args):
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), codegen


# Numba hands the intrinsic its typing context itself, which type checkers cannot know.
_fma: Any = _fused_multiply_add


@kernel
def _scan(
    xs: Float,
    ys: Float,
    zs: Float,
    core: Float,
    crop: Float,
    center: Float,
    rot: Float,
    other_center: Float,
    other_half: Float,
    other_rot: Float,
    limit: float,
    out: Float,
) -> tuple[int, int, float, Float]:
    """One pass over the samples of a box, none of which is stored unless it is wanted.

    xs, ys, zs: the grid's coordinates along the box's axes; core, crop (3,): half sizes of the hollow core
    and of the box. A sample within `limit` meters of the other box is written to `out` (M, 3) while there is
    room. Returns the number of samples, the number within the limit, the least distance from a sample to the
    other (solid) box and the first sample that has it.
    """
    kept = 0
    near = 0
    least = np.inf
    limit_squared = limit * limit
    nearest = np.full(3, np.nan)
    for i in range(xs.shape[0]):
        for j in range(ys.shape[0]):
            in_core = abs(xs[i]) <= core[0] and abs(ys[j]) <= core[1]
            for k in range(zs.shape[0]):
                if in_core and abs(zs[k]) <= core[2]:
                    continue
                px = _fma(zs[k], rot[0, 2], _fma(ys[j], rot[0, 1], xs[i] * rot[0, 0])) + center[0]
                py = _fma(zs[k], rot[1, 2], _fma(ys[j], rot[1, 1], xs[i] * rot[1, 0])) + center[1]
                pz = _fma(zs[k], rot[2, 2], _fma(ys[j], rot[2, 1], xs[i] * rot[2, 0])) + center[2]
                dx, dy, dz = px - center[0], py - center[1], pz - center[2]
                if (
                    abs(dx * rot[0, 0] + dy * rot[1, 0] + dz * rot[2, 0]) > crop[0]
                    or abs(dx * rot[0, 1] + dy * rot[1, 1] + dz * rot[2, 1]) > crop[1]
                    or abs(dx * rot[0, 2] + dy * rot[1, 2] + dz * rot[2, 2]) > crop[2]
                ):
                    continue
                kept += 1
                ox, oy, oz = px - other_center[0], py - other_center[1], pz - other_center[2]
                squared = 0.0
                for m in range(3):
                    along = ox * other_rot[0, m] + oy * other_rot[1, m] + oz * other_rot[2, m]
                    beyond = abs(along) - other_half[m]
                    if beyond > 0.0:
                        squared += beyond * beyond
                if squared < least:
                    least = squared
                    nearest[0], nearest[1], nearest[2] = px, py, pz
                if squared <= limit_squared:
                    if near < out.shape[0]:
                        out[near, 0], out[near, 1], out[near, 2] = px, py, pz
                    near += 1
    return kept, near, math.sqrt(least), nearest


class _Shell:
    """The samples of one box, as a recipe: generated whenever they are looked at, so that size costs no
    memory."""

    def __init__(self, box: Box, spacing: float) -> None:
        if not spacing > 0:
            raise ValueError(f"the spacing of samples must be positive, not {spacing}")
        size = np.asarray(box.size, dtype=np.float64)
        self.center = np.ascontiguousarray(box.center, dtype=np.float64)
        self.half = size / 2
        self.rotation = np.ascontiguousarray(box.rotation, dtype=np.float64)
        # A flat axis has no samples in the published code, which then halves the spacing for ever. Here it
        # has one, in the plane, which no rounding may drop.
        self.crop = np.where(size > 0, size / 2, np.inf)
        self.core = size * CORE_SHARE if size.any() else np.full(3, -1.0)
        while True:
            counts = np.maximum(np.ceil(size / spacing).astype(np.int64), 1)
            self.xs, self.ys, self.zs = (
                np.linspace(-extent / 2, extent / 2, int(count))
                for extent, count in zip(size, counts, strict=True)
            )
            if self.nearest_to_point(self.center)[0] > 0:
                return
            spacing *= 0.5

    def _scan(
        self, center: Float, half: Float, rotation: Float, limit: float, room: int
    ) -> tuple[int, int, float, Float, Float]:
        out = np.empty((room, 3))
        found = _scan(
            self.xs,
            self.ys,
            self.zs,
            self.core,
            self.crop,
            self.center,
            self.rotation,
            center,
            half,
            rotation,
            limit,
            out,
        )
        return (*found, out)

    def nearest_to_point(self, point: Float) -> tuple[int, float]:
        """Number of samples, and the least distance from one of them to a point (3,)."""
        kept, _, least, _, _ = self._scan(point, np.zeros(3), np.eye(3), 0.0, 0)
        return kept, least

    def nearest_to(self, other: _Shell) -> Float:
        """The sample (3,) nearest to the other shell's solid box."""
        return self._scan(other.center, other.half, other.rotation, 0.0, 0)[3]

    def within(self, other: _Shell, limit: float) -> Float:
        """The samples (M, 3) within `limit` meters of the other shell's solid box."""
        near = self._scan(other.center, other.half, other.rotation, limit, 0)[1]
        return self._scan(other.center, other.half, other.rotation, limit, near)[4]


def _widened(bound: float) -> float:
    return bound * (1 + RELATIVE_SLACK) + RELATIVE_SLACK


def _shell_distance(a: _Shell, b: _Shell) -> float:
    """Least distance between two sets of samples, equal to the least entry of their float64 distance
    matrix."""
    from scipy.spatial import cKDTree  # half a second, which few wait for

    # Any sample gives a bound. A pair within it has both ends within it of the other's solid box, for samples
    # lie inside their boxes; few do.
    bound = min(b.nearest_to_point(a.nearest_to(b))[1], a.nearest_to_point(b.nearest_to(a))[1])
    near_a, near_b = a.within(b, _widened(bound)), b.within(a, _widened(bound))
    tree = cKDTree(near_b)
    nearest = tree.query(near_a)[0]
    # The tree's own sums may be rounded otherwise than a distance matrix's: it names the pairs, no more.
    reach = _widened(float(nearest.min()))
    closest = near_a[nearest <= reach]
    pairs = tree.query_ball_point(closest, reach)
    first = np.repeat(closest, [len(found) for found in pairs], axis=0)
    second = near_b[np.concatenate([np.asarray(found, dtype=np.intp) for found in pairs])]
    squares = (first - second) ** 2
    return float(np.sqrt((squares[:, 0] + squares[:, 1]) + squares[:, 2]).min())


def box_samples(box: Box, spacing: float = SPACING) -> Float:
    """The published sampling of a box: a grid over its outer part.

    Along an axis of extent e stand ceil(e / spacing) points from face to face; a single one stands on the
    lower face. Points within a quarter of the extent from the center in all three axes are left out, then
    those that rounding has put outside the box. Where none is left, the spacing is halved until one is.

    Parameters
    ----------
    spacing : meters.

    Returns
    -------
    (M, 3) : M >= 1, meters, world. The order is x, y, z of the box's axes, with z fastest.

    Raises
    ------
    ValueError : the spacing is not positive.
    """
    shell = _Shell(box, spacing)
    return shell.within(shell, np.inf)


def sampled_box_distance(a: Box, b: Box, spacing: float = SPACING) -> float:
    """Distance between two boxes as published: the least between samples of each (see `box_samples`), meters.

    Equal, bit for bit, to the least entry of the float64 distance matrix of the two sample sets, without
    making either. Never below `box_distance`, but for rounding.

    Raises
    ------
    ValueError : the spacing is not positive.
    """
    return _shell_distance(_Shell(a, spacing), _Shell(b, spacing))


def least_sampled_distance(a: Sequence[Box], b: Sequence[Box], spacing: float = SPACING) -> float:
    """Least `sampled_box_distance` between a box of one group and a box of the other, meters.

    Raises
    ------
    ValueError : a group is empty, or the spacing is not positive.
    """
    if not a or not b:
        raise ValueError("a distance between groups of boxes needs a box in each")
    exact = sorted((box_distance(one, other), i, j) for i, one in enumerate(a) for j, other in enumerate(b))
    best = np.inf
    for lower, i, j in exact:
        if lower > _widened(best):
            break
        best = min(best, sampled_box_distance(a[i], b[j], spacing))
    return float(best)
