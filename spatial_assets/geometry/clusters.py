"""Meshes cut into small clusters of neighboring faces, so that a renderer can leave out many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel

CLUSTERS = 8192
"""How many full clusters a mesh is to have, about: more cost more tests than they hide faces."""
LEAST_FACES, MOST_FACES = 16, 128
"""Bounds of the faces in a full cluster. Small ones are hidden sooner by what stands before them, as every large
face in vain is many pixels; of small faces it takes more to be worth a test."""
CLUSTER_VERTICES = 256
"""The most vertices a cluster may have: its faces count them in one byte."""
CURVE_BITS = 16
"""Bits per axis of the space-filling curve: cells of a tenth of a millimeter in a room."""
SAMPLE = 4096
"""Vertices looked at to find where the mesh lies; a few stray ones must not spoil the curve for all others.
"""


@dataclass(frozen=True)
class Clusters:
    """Faces in clusters of at most MOST_FACES, each with its own copy of its vertices."""

    vertex_starts: NDArray[np.int64]
    """(C + 1,)"""
    vertices: NDArray[np.float64]
    """(N, 3), meters; a vertex on the border of several clusters stands in each."""
    face_starts: NDArray[np.int64]
    """(C + 1,)"""
    corners: NDArray[np.uint8]
    """(D, 3), counted from the cluster's first vertex."""
    names: NDArray[np.int32]
    """(D,), the caller's face numbers."""
    centers: NDArray[np.float64]
    """(C, 3), of the clusters' bounding boxes, meters."""
    extents: NDArray[np.float64]
    """(C, 3), half their sizes."""


@kernel
def morton_codes(points, faces, low, scale, codes):
    """Fills codes (F,) with the position of each face's centroid along a Z-order curve of CURVE_BITS per axis.

    points (V, 3), meters; faces (F, 3); low (3,), meters, and scale (3,), cells a meter, of the curve's cells.
    """
    top = (1 << CURVE_BITS) - 1
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        code = np.uint64(0)
        for k in range(3):
            at = ((points[a, k] + points[b, k] + points[c, k]) / 3.0 - low[k]) * scale[k]
            cell = np.uint64(min(max(at, 0.0), float(top)))
            # Spreads the bits of a cell three apart.
            cell = (cell | (cell << np.uint64(32))) & np.uint64(0x1F00000000FFFF)
            cell = (cell | (cell << np.uint64(16))) & np.uint64(0x1F0000FF0000FF)
            cell = (cell | (cell << np.uint64(8))) & np.uint64(0x100F00F00F00F00F)
            cell = (cell | (cell << np.uint64(4))) & np.uint64(0x10C30C30C30C30C3)
            cell = (cell | (cell << np.uint64(2))) & np.uint64(0x1249249249249249)
            code |= cell << np.uint64(k)
        codes[f] = code


@kernel
def cut(points, faces, order, group, most, vertex_starts, vertices, face_starts, corners, names, clusters_of):
    """Cuts ordered faces into clusters of at most `most`; a new one starts where the group changes. Returns how many
    clusters and vertices there are.

    points (V, 3), faces (F, 3), order (D,), group (F,) and what is filled are as of `make_clusters` and `Clusters`,
    with room for a cluster and three vertices a face; clusters_of (D,) is each face's.
    """
    last_seen = np.full(points.shape[0], -1, np.int64)
    local = np.empty(points.shape[0], np.int64)
    clusters, used = 0, 0
    faces_here, vertices_here = 0, 0
    face_starts[0] = vertex_starts[0] = 0
    for r in range(order.shape[0]):
        f = order[r]
        new = 0
        for k in range(3):
            if last_seen[faces[f, k]] != clusters:
                new += 1
        full = faces_here == most or vertices_here + new > CLUSTER_VERTICES
        if r > 0 and (full or group[f] != group[order[r - 1]]):
            clusters += 1
            face_starts[clusters], vertex_starts[clusters] = r, used
            faces_here = vertices_here = 0
        for k in range(3):
            v = faces[f, k]
            if last_seen[v] != clusters:
                last_seen[v] = clusters
                local[v] = vertices_here
                # Number by number: for arrays numba would compile, in every process, the text of an error of shapes.
                for axis in range(3):
                    vertices[used, axis] = points[v, axis]
                used += 1
                vertices_here += 1
            corners[r, k] = local[v]
        names[r] = f
        clusters_of[r] = clusters
        faces_here += 1
    if order.shape[0] > 0:
        clusters += 1
        face_starts[clusters], vertex_starts[clusters] = order.shape[0], used
    return clusters, used


def along_curve(
    points: NDArray[np.float64], faces: NDArray[np.int32], rows: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Positions of faces along a space-filling curve (Z-order; Morton, 1966): neighbors get numbers near each other.

    Parameters
    ----------
    points : (V, 3), meters. faces : (F, 3), vertex numbers. rows : (R,), the faces that are asked about.

    Returns
    -------
    (R,) : CURVE_BITS bits for each axis.
    """
    codes = np.empty(len(rows), np.uint64)
    if len(rows) == 0:
        return codes
    sample = points[faces[rows[:: max(1, len(rows) // SAMPLE)], 0]]
    low, high = np.percentile(sample, [1, 99], axis=0)
    margin = 0.1 * (high - low) + 1e-9
    scale = ((1 << CURVE_BITS) - 1) / (high - low + 2 * margin)
    morton_codes(points, faces[rows], low - margin, scale, codes)
    return codes


def full_cluster(faces: int) -> int:
    """Faces in a full cluster of a mesh of so many."""
    return min(max(faces // CLUSTERS, LEAST_FACES), MOST_FACES)


def make_clusters(
    points: NDArray[np.float64], faces: NDArray[np.int32], order: NDArray[np.int64], group: NDArray[np.int32]
) -> Clusters:
    """Clusters of the faces named by `order`, cut in that order and wherever their group changes.

    Parameters
    ----------
    points : (V, 3), meters. faces : (F, 3), vertex numbers.
    order : (D,), face numbers. group : (F,), of each face; compared alone.
    """
    count = len(order)
    vertex_starts, face_starts = np.empty(count + 1, np.int64), np.empty(count + 1, np.int64)
    vertices = np.empty((3 * count, 3))
    corners, names = np.empty((count, 3), np.uint8), np.empty(count, np.int32)
    clusters_of = np.empty(count, np.int64)
    clusters, used = cut(
        points, faces, order, group, full_cluster(count), vertex_starts, vertices, face_starts, corners, names,
        clusters_of,
    )  # fmt: skip
    vertices = vertices[:used].copy()
    vertex_starts, face_starts = vertex_starts[: clusters + 1].copy(), face_starts[: clusters + 1].copy()
    if clusters:
        low = np.minimum.reduceat(vertices, vertex_starts[:-1])
        high = np.maximum.reduceat(vertices, vertex_starts[:-1])
    else:
        low = high = np.zeros((0, 3))
    centers, extents = bounds_to_boxes(low, high)
    return Clusters(vertex_starts, vertices, face_starts, corners, names, centers, extents)


def bounds_to_boxes(
    low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centers and half extents of axis-aligned bounds.

    Parameters
    ----------
    low, high : (N, 3), meters.

    Returns
    -------
    (N, 3), (N, 3) : centers and half extents, meters; none of what was within the bounds is left outside by rounding.
    """
    centers = 0.5 * low + 0.5 * high
    # The larger side, so that rounding of the center leaves no vertex outside.
    return centers, np.maximum(high - centers, centers - low)
