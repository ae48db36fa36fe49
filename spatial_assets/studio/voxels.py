"""A coarse grid of what is solid: for shade in corners, and for what can be seen from where."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float

VOXEL = 0.035
"""Meters; about the edge of a default scene's triangles."""


@dataclass(frozen=True)
class Voxels:
    """Occupied cells of a regular grid."""

    origin: Float
    """(3,), the grid's lower corner, meters."""
    solid: NDArray[np.bool_]
    """(X, Y, Z)."""


@kernel
def _fill(
    vertices: Float, faces: NDArray[np.int32], origin: Float, cell: float, solid: NDArray[np.bool_]
) -> None:
    """Marks the cells that triangles pass through, by points on them less than a cell apart."""
    for f in range(faces.shape[0]):
        a, b, c = vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]]
        longest = 0.0
        for k in range(3):
            longest = max(longest, abs(b[k] - a[k]), abs(c[k] - a[k]), abs(c[k] - b[k]))
        n = int(longest / (0.7 * cell)) + 1
        for i in range(n + 1):
            for j in range(n + 1 - i):
                s, t = i / n, j / n
                x = int((a[0] + s * (b[0] - a[0]) + t * (c[0] - a[0]) - origin[0]) / cell)
                y = int((a[1] + s * (b[1] - a[1]) + t * (c[1] - a[1]) - origin[1]) / cell)
                z = int((a[2] + s * (b[2] - a[2]) + t * (c[2] - a[2]) - origin[2]) / cell)
                solid[x, y, z] = True


def voxelize(vertices: Float, faces: NDArray[np.int32]) -> Voxels:
    """The cells that a mesh passes through: vertices (V, 3) in meters, faces (F, 3)."""
    origin = vertices.min(axis=0) - VOXEL
    shape = np.ceil((vertices.max(axis=0) - origin) / VOXEL).astype(np.int64) + 2
    solid = np.zeros(tuple(shape.tolist()), np.bool_)
    _fill(vertices, faces, origin, VOXEL, solid)
    return Voxels(origin, solid)


@kernel
def _openness(
    vertices: Float,
    normals: Float,
    directions: Float,
    origin: Float,
    cell: float,
    solid: NDArray[np.bool_],
    reach: float,
) -> Float:
    """(V,) share of the nearby half space that is open; near obstacles count more than far ones."""
    out = np.empty(vertices.shape[0])
    steps = int(reach / cell)
    for v in range(vertices.shape[0]):
        nx, ny, nz = normals[v, 0], normals[v, 1], normals[v, 2]
        # A frame about the normal (Duff et al., "Building an orthonormal basis, revisited", 2017).
        sign = 1.0 if nz >= 0.0 else -1.0
        a = -1.0 / (sign + nz)
        b = nx * ny * a
        tx, ty, tz = 1.0 + sign * nx * nx * a, sign * b, -sign * nx
        bx, by, bz = b, sign + ny * ny * a, -ny
        shaded = 0.0
        for d in range(directions.shape[0]):
            p, q, r = directions[d, 0], directions[d, 1], directions[d, 2]
            dx, dy, dz = p * tx + q * bx + r * nx, p * ty + q * by + r * ny, p * tz + q * bz + r * nz
            # The first cells along the way are the surface's own.
            for s in range(steps):
                far = (s + 0.5) * cell
                x = int((vertices[v, 0] + 1.5 * cell * nx + far * dx - origin[0]) / cell)
                y = int((vertices[v, 1] + 1.5 * cell * ny + far * dy - origin[1]) / cell)
                z = int((vertices[v, 2] + 1.5 * cell * nz + far * dz - origin[2]) / cell)
                if (
                    x < 0
                    or y < 0
                    or z < 0
                    or x >= solid.shape[0]
                    or y >= solid.shape[1]
                    or z >= solid.shape[2]
                ):
                    break
                if solid[x, y, z]:
                    shaded += 1.0 - far / reach
                    break
        out[v] = 1.0 - shaded / directions.shape[0]
    return out


def openness(vertices: Float, normals: Float, voxels: Voxels, reach: float, rays: int) -> Float:
    """(V,) how open the half space above each vertex is, 0 to 1, within `reach` meters (ambient occlusion)."""
    # Cosine-weighted directions on a golden spiral.
    k = np.arange(rays) + 0.5
    radius, angle = np.sqrt(k / rays), k * math.pi * (3.0 - math.sqrt(5.0))
    directions = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - radius**2)], axis=1)
    return np.asarray(_openness(vertices, normals, directions, voxels.origin, VOXEL, voxels.solid, reach))


@kernel
def _sight(
    eye: Float, targets: Float, spare: Float, origin: Float, cell: float, solid: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    out = np.ones(targets.shape[0], np.bool_)
    for k in range(targets.shape[0]):
        dx, dy, dz = targets[k, 0] - eye[0], targets[k, 1] - eye[1], targets[k, 2] - eye[2]
        far = math.sqrt(dx * dx + dy * dy + dz * dz)
        steps = int((far - spare[k]) / cell)
        for s in range(1, steps):
            t = s * cell / far
            x = int((eye[0] + t * dx - origin[0]) / cell)
            y = int((eye[1] + t * dy - origin[1]) / cell)
            z = int((eye[2] + t * dz - origin[2]) / cell)
            if solid[x, y, z]:
                out[k] = False
                break
    return out


def in_sight(eye: Float, targets: Float, spare: Float, voxels: Voxels) -> NDArray[np.bool_]:
    """(N,) whether nothing solid lies between the eye (3,) and targets (N, 3) but the last `spare` (N,)
    meters."""
    return np.asarray(_sight(eye, targets, spare, voxels.origin, VOXEL, voxels.solid))
