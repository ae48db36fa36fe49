"""Fusing posed depth images into a mesh, in an order that does not vary from run to run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float, Mesh, rigid_inverse

BLOCK_RESOLUTION = 16
BLOCK_COUNT = 2_000
"""Blocks reserved at first, 80 kilobytes each: a room's, at voxels of centimeters. The grid grows by itself."""


def fuse(
    views: Iterable[tuple[NDArray[np.float32], NDArray[np.uint8], Float, Float]],
    voxel: float,
    depth_max: float,
    truncation_voxels: float,
    min_weight: float,
) -> Mesh:
    """A mesh from views of (depth (H, W) meters, 0 = none; color (H, W, 3); intrinsics; camera_to_world).

    Open3D's truncated signed distance fusion. `voxel`, `depth_max` in meters; `truncation_voxels` is the
    width of the band around a surface; a voxel needs `min_weight` observations. Intrinsics are ours, with
    pixel centers at integer + 0.5: Open3D takes the pixel of a voxel by rounding its projection down.
    """
    import open3d  # takes a second, for few readers

    # Any, because its type stubs do not know that tensors are made from arrays.
    o3d: Any = open3d
    core = o3d.core
    grid = o3d.t.geometry.VoxelBlockGrid(
        ("tsdf", "weight", "color"),
        (core.float32, core.float32, core.float32),
        ((1,), (1,), (3,)),
        voxel,
        BLOCK_RESOLUTION,
        BLOCK_COUNT,
        core.Device("CPU:0"),
    )
    fused = 0
    for depth, color, intrinsics, camera_to_world in views:
        if not ((depth > 0) & (depth < depth_max)).any():
            continue  # Open3D raises where an image touches no block
        k = core.Tensor(np.ascontiguousarray(intrinsics, np.float64))
        extrinsic = core.Tensor(rigid_inverse(camera_to_world))
        depth_image = o3d.t.geometry.Image(core.Tensor(np.ascontiguousarray(depth, np.float32)))
        color_image = o3d.t.geometry.Image(core.Tensor(color.astype(np.float32) / 255))
        blocks = grid.compute_unique_block_coordinates(
            depth_image, k, extrinsic, 1.0, depth_max, truncation_voxels
        )
        grid.integrate(blocks, depth_image, color_image, k, k, extrinsic, 1.0, depth_max, truncation_voxels)
        fused += 1
    if fused == 0:
        return _empty()
    mesh = grid.extract_triangle_mesh(min_weight)
    if "positions" not in mesh.vertex or "indices" not in mesh.triangle:
        return _empty()
    colors = np.clip(mesh.vertex["colors"].numpy() * 255.0 + 0.5, 0, 255).astype(np.uint8)
    return canonical_order(
        Mesh(mesh.vertex["positions"].numpy(), mesh.triangle["indices"].numpy().astype(np.int32), colors)
    )


def _empty() -> Mesh:
    return Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((0, 3), np.uint8))


def canonical_order(mesh: Mesh) -> Mesh:
    """The same surface with vertices and faces in an order that depends on the surface alone.

    Vertices sort by position, equal positions merge (keeping the least color), faces start at their
    least vertex without a change of winding and sort, and faces without area are dropped.
    """
    colors = mesh.colors if mesh.colors is not None else np.zeros((len(mesh.vertices), 3), np.uint8)
    vertices = mesh.vertices + np.float32(0)  # -0.0 becomes 0.0, so equal positions are equal bytes
    order = np.lexsort((*colors.T[::-1], *vertices.T[::-1]))
    ordered = vertices[order]
    first = np.ones(len(ordered), bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    renumbered = np.empty(len(order), np.int32)
    renumbered[order] = np.cumsum(first) - 1
    faces = renumbered[mesh.faces] if len(mesh.faces) else mesh.faces
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])
    faces = faces[distinct]
    start = faces.argmin(axis=1)[:, None] if len(faces) else np.zeros((0, 1), np.intp)
    faces = np.take_along_axis(faces, (start + np.arange(3)) % 3, axis=1)
    faces = np.unique(faces, axis=0) if len(faces) else faces
    kept = order[first]
    return Mesh(
        np.ascontiguousarray(vertices[kept]),
        np.ascontiguousarray(faces.astype(np.int32)),
        np.ascontiguousarray(colors[kept]) if mesh.colors is not None else None,
    )
