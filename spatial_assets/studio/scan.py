"""What a scanner does to a perfect mesh and to perfect depth: noise and holes. Off unless asked for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float
from spatial_assets.studio.light import vertex_normals

WAVES = 24
"""Random waves that make up the part of the noise that neighbors share."""
WAVE_LENGTHS = (0.12, 0.6)
"""Meters."""
SHARED = 0.8
"""Share of the noise's deviation that neighbors share: a fused scan undulates more than it bristles."""
HOLE_RADII = (0.03, 0.22)
"""Meters."""
MOST_HOLES = 100_000


def noisy(vertices: Float, faces: NDArray[np.int32], deviation: float, rng: np.random.Generator) -> Float:
    """Vertices (V, 3) moved along their normals by noise of a standard deviation in meters."""
    if deviation <= 0:
        return vertices
    waves = np.zeros(len(vertices))
    for _ in range(WAVES):
        axis = rng.standard_normal(3)
        length = WAVE_LENGTHS[0] + (WAVE_LENGTHS[1] - WAVE_LENGTHS[0]) * rng.random()
        k = 2 * math.pi / length * axis / np.linalg.norm(axis)
        waves += np.sin(np.einsum("ij,j->i", vertices, k) + 2 * math.pi * rng.random())
    waves /= math.sqrt(WAVES / 2)
    own = rng.standard_normal(len(vertices))
    height = deviation * (SHARED * waves + math.sqrt(1 - SHARED**2) * own)
    return vertices + height[:, None] * vertex_normals(vertices, faces)


def with_holes(
    vertices: Float, faces: NDArray[np.int32], share: float, rng: np.random.Generator
) -> NDArray[np.int32]:
    """The faces (M, 3) that are left of (F, 3) once round holes have taken about `share` of the surface's area;
    vertices are (V, 3), meters.

    Vertices keep their numbers; those of a hole's inside are left without faces.
    """
    if share <= 0:
        return faces
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    middle = (a + b + c) / 3
    kept = np.ones(len(faces), np.bool_)
    wanted = share * float(area.sum())
    for _ in range(MOST_HOLES):
        if float(area[~kept].sum()) >= wanted:
            break
        at = middle[int(rng.random() * len(middle))]
        radius = HOLE_RADII[0] + (HOLE_RADII[1] - HOLE_RADII[0]) * rng.random() ** 2
        kept &= ((middle - at) ** 2).sum(axis=1) > radius**2
    return faces[kept]


def noisy_depth(
    depth: NDArray[np.float32], deviation: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Depth (H, W) in meters with noise whose standard deviation is `deviation` at one meter and grows with
    depth."""
    if deviation <= 0:
        return depth
    noise = rng.standard_normal(depth.shape).astype(np.float32) * np.float32(deviation)
    return np.where(np.isfinite(depth), depth * (1 + noise), depth)
