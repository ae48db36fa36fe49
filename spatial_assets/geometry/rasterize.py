"""Which face each pixel shows, and how deep it lies: the rasterizer's public side.

The rules, which every function of the visibility engine shares:

- Pixel (x, y) is drawn where its center (x + 0.5, y + 0.5) lies inside a face's projection. A center on an
  edge belongs to the face for which the edge is a left or a top one (Direct3D's rule), so two faces that
  share an edge never both claim nor both miss it. Both sides of a face are drawn.
- The nearest face wins. Depths compare as inverse depths rounded to 26 bits of mantissa (about 1e-8 of the
  depth); those that are equal go to the lower face index. The order of the faces changes nothing else.
- Nothing nearer than `near` is drawn. Faces that cross the camera's plane are drawn as far as they lie
  beyond it (homogeneous edge functions, after Olano and Greer, "Triangle Scan Conversion using 2D
  Homogeneous Coordinates", 1997).
- Never drawn: faces with a vertex that is NaN, infinite or further than COORDINATE_LIMIT from the origin;
  faces without area; faces seen exactly edge-on. Their numbers still count.
- Coordinates and edges are float64 throughout: edges lie right to about 1e-12 pixels; those of faces that
  cross the camera's plane, or reach far beyond the image, lose digits in proportion to their coordinates.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_assets.geometry.clusters import Clusters, along_curve, make_clusters
from spatial_assets.geometry.drawable import checked_mesh, drawable
from spatial_assets.geometry.kernels.drawing import picture
from spatial_assets.geometry.kernels.lanes import LANES

DEFAULT_NEAR = 0.05
"""Meters. Nearer than any hand-held depth camera sees; cameras that brush a surface look through it."""


@dataclass(frozen=True)
class PreparedMesh:
    """A mesh laid out for the rasterizer; made by `prepare_mesh`, read only by this package."""

    vertices: NDArray[np.float64]
    """(V, 3), meters."""
    faces: NDArray[np.int32]
    """(F, 3), the caller's faces."""
    clusters: Clusters
    """Those faces that can be drawn."""


class Scratch(threading.local):
    """Each thread's image-sized buffers: allocating megabytes for every frame would cost more than filling
    them."""

    def __init__(self) -> None:
        self.buffers: dict[str, NDArray] = {}

    def take(self, name: str, size: int, dtype: type) -> NDArray:
        """A flat buffer, holding anything; valid until the thread's next call.

        Returns
        -------
        (size + LANES,)
        """
        size += LANES
        buffer = self.buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = self.buffers[name] = np.empty(size, dtype)
        return buffer[:size]


scratch = Scratch()


def checked_view(
    intrinsics: ArrayLike, world_to_camera: ArrayLike, width: int, height: int, near: float
) -> NDArray[np.float64]:
    """A view's projection, as the kernels take it.

    Parameters
    ----------
    intrinsics, world_to_camera, width, height, near : as of `rasterize`.

    Returns
    -------
    (3, 4) : from the world, meters, to pixels times depth, counted from the first pixel's center.

    Raises
    ------
    ValueError : the view cannot be drawn; see `rasterize`.
    """
    k = np.asarray(intrinsics, dtype=np.float64)
    pose = np.asarray(world_to_camera, dtype=np.float64)
    if k.shape != (3, 3) or not np.isfinite(k).all():
        raise ValueError("intrinsics must be a finite (3, 3) matrix")
    if k[0, 0] <= 0 or k[1, 1] <= 0:
        raise ValueError(f"focal lengths must be positive, not {k[0, 0]} and {k[1, 1]}")
    if k[1, 0] != 0 or k[2, 0] != 0 or k[2, 1] != 0 or k[2, 2] != 1:
        raise ValueError("intrinsics must be upper triangular with 1 in the last corner")
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        raise ValueError("world_to_camera must be a finite (4, 4) matrix")
    if width < 1 or height < 1:
        raise ValueError(f"the image must have at least one pixel, not {width} x {height}")
    if not (np.isfinite(near) and near > 0):
        raise ValueError(f"near must be a positive distance in meters, not {near}")
    # The kernels count from pixel centers.
    centered = k - np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    # Written out: BLAS may sum in another order on another machine.
    return np.stack(
        [(centered[i, 0] * pose[0] + centered[i, 1] * pose[1]) + centered[i, 2] * pose[2] for i in range(3)]
    )


def prepare_mesh(vertices: ArrayLike, faces: ArrayLike) -> PreparedMesh:
    """Lays a mesh out for `rasterize`, once per scene. A stable interface.

    Faces with NaN or infinite vertices are kept out of every image. An empty mesh is fine.

    Parameters
    ----------
    vertices : (V, 3), meters, world. faces : (F, 3) integers, vertex numbers.

    Raises
    ------
    ValueError : a shape is wrong, or a face index out of range.
    """
    points, corners = checked_mesh(vertices, faces)
    rows = np.flatnonzero(drawable(points, corners))
    order = rows[np.argsort(along_curve(points, corners, rows), kind="stable")]
    clusters = make_clusters(points, corners, order, np.zeros(len(corners), np.int32))
    return PreparedMesh(points, corners, clusters)


def rasterize(
    prepared: PreparedMesh,
    intrinsics: ArrayLike,
    world_to_camera: ArrayLike,
    width: int,
    height: int,
    near: float = DEFAULT_NEAR,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The face and the depth at every pixel. A stable interface.

    Releases the GIL, so frames may run side by side on threads.

    Parameters
    ----------
    intrinsics : (3, 3), pixels, principal point counted with pixel centers at integer + 0.5, skew allowed.
    world_to_camera : (4, 4), meters, OpenCV axes. width, height : pixels. near : meters.

    Returns
    -------
    (height, width) int32 : the caller's face numbers, -1 = none.
    (height, width) float32 : depth, meters along the camera's z, inf = none.

    Raises
    ------
    ValueError : a zero, negative or non-finite focal length, a non-finite pose, an empty image or a near distance that
        is not positive.
    """
    p = checked_view(intrinsics, world_to_camera, width, height, near)
    keys = scratch.take("keys", width * height, np.int64)
    c = prepared.clusters
    face_id = np.empty((height, width), np.int32)
    depth = np.empty((height, width), np.float32)
    picture(
        keys, c.vertex_starts, c.vertices, c.face_starts, c.corners, c.names, c.centers, c.extents,
        p, float(near), width, height, face_id, depth,
    )  # fmt: skip
    return face_id, depth
