"""Which faces and vertices belong to which instance, laid out for the visibility table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_assets.geometry.clusters import Clusters, along_curve, make_clusters
from spatial_assets.geometry.drawable import drawable, face_areas
from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.geometry.rasterize import PreparedMesh
from spatial_assets.scene.model import NO_INSTANCE


@dataclass(frozen=True)
class PreparedInstances:
    """A mesh's faces grouped by instance; made by `prepare_instances`, once per scene."""

    ids: NDArray[np.int32]
    """(I,), the instances that own at least one face, ascending."""
    face_label: NDArray[np.int32]
    """(F + 1,), each face's instance id, or -1; the last stands for no face."""
    face_slot: NDArray[np.int32]
    """(F + 1,), each face's row in `ids`, or -1; the last stands for no face."""
    clusters: Clusters
    """All faces that can be drawn; each cluster holds one instance's, and the last ones those of none."""
    cluster_starts: NDArray[np.int64]
    """(I + 1,), where each instance's clusters start, and those of none."""
    face_areas: NDArray[np.float64]
    """(D,), square meters, in the clusters' order."""
    cluster_areas: NDArray[np.float64]
    """(C,), the sums of each cluster's faces."""
    areas: NDArray[np.float64]
    """(I,), the sums of each instance's clusters."""
    face_corners: NDArray[np.int32]
    """(F, 3), for each corner its row in the list of all (instance, vertex) pairs, by instance; one past its end for
    faces of none."""
    pair_starts: NDArray[np.int64]
    """(I + 1,), where each instance's pairs start in that list: one for each vertex of its faces."""


@kernel
def segment_sums(values, starts):
    """Sums (N,) of values[starts[i]:starts[i + 1]], each from left to right; starts (N + 1,)."""
    sums = np.zeros(starts.shape[0] - 1)
    for i in range(sums.shape[0]):
        for k in range(starts[i], starts[i + 1]):
            sums[i] += values[k]
    return sums


@kernel
def number_pairs(faces, slot, rows, last_slot, corners, counts):
    """Numbers the (instance, vertex) pairs of faces (F, 3), which rows lists by instance. Fills corners (F, 3) and
    adds to counts (I,), of each instance; slot (F,): each face's; last_slot (V,): all -1.
    """
    number = np.empty(last_slot.shape[0], np.int32)
    total = 0
    for r in range(rows.shape[0]):
        f = rows[r]
        for k in range(3):
            v = faces[f, k]
            if last_slot[v] != slot[f]:
                last_slot[v] = slot[f]
                number[v] = total
                counts[slot[f]] += 1
                total += 1
            corners[f, k] = number[v]


def prepare_instances(prepared: PreparedMesh, face_instance: ArrayLike) -> PreparedInstances:
    """Groups a prepared mesh's faces by instance.

    Parameters
    ----------
    face_instance : (F,) integers, NO_INSTANCE (-1) = none.

    Raises
    ------
    ValueError : its length is not the mesh's number of faces, it holds no integers, or an id is below -1 or above 32
        bits.
    """
    owner = np.asarray(face_instance)
    if owner.shape != (len(prepared.faces),):
        raise ValueError(f"face_instance must have shape ({len(prepared.faces)},), not {owner.shape}")
    if owner.size and owner.dtype.kind not in "iu":
        raise ValueError(f"face_instance must be integers, not {owner.dtype}")
    if owner.size and owner.min() < NO_INSTANCE:
        raise ValueError(f"instance ids must be 0 or more, or {NO_INSTANCE} for none; found {owner.min()}")
    if owner.size and owner.max() > np.iinfo(np.int32).max:
        raise ValueError(f"instance ids must fit 32 bits; found {owner.max()}")
    label = owner.astype(np.int32)
    owned = label != NO_INSTANCE
    ids = np.unique(label[owned])
    slot = np.full(len(label), -1, np.int32)
    slot[owned] = np.searchsorted(ids, label[owned])

    points, faces, count = prepared.vertices, prepared.faces, len(ids)
    rows = np.flatnonzero(drawable(points, faces))
    group = np.where(owned, slot, np.int32(count))
    # By instance first, then along the curve.
    order = rows[np.lexsort((along_curve(points, faces, rows), group[rows]))]
    clusters = make_clusters(points, faces, order, group)
    first_faces = clusters.face_starts[:-1]
    cluster_starts = np.searchsorted(group[clusters.names[first_faces]], np.arange(count + 1))
    areas = face_areas(points, faces)[clusters.names]
    cluster_areas = segment_sums(areas, clusters.face_starts)
    corners, pair_starts = instance_vertices(len(points), faces, slot, count)
    return PreparedInstances(
        ids=ids,
        face_label=np.append(label, np.int32(NO_INSTANCE)),
        face_slot=np.append(slot, np.int32(-1)),
        clusters=clusters,
        cluster_starts=cluster_starts.astype(np.int64),
        face_areas=areas,
        cluster_areas=cluster_areas,
        areas=segment_sums(cluster_areas, cluster_starts),
        face_corners=corners,
        pair_starts=pair_starts,
    )


def instance_vertices(
    vertex_count: int, faces: NDArray[np.int32], slot: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Numbers the (instance, vertex) pairs, by instance.

    Parameters
    ----------
    faces : (F, 3), of `vertex_count` vertices. slot : (F,), which of `count` instances each is of, negative for none.

    Returns
    -------
    (F, 3), (count + 1,) : each face corner's pair, one past the last for faces of no instance; and where each
        instance's pairs start.
    """
    rows = np.flatnonzero(slot >= 0)
    rows = rows[np.argsort(slot[rows], kind="stable")]
    corners = np.empty((len(slot), 3), np.int32)
    starts = np.zeros(count + 1, np.int64)
    number_pairs(faces, slot, rows, np.full(vertex_count, -1, np.int32), corners, starts[1:])
    np.cumsum(starts, out=starts)
    corners[slot < 0] = starts[-1]
    return corners, starts
