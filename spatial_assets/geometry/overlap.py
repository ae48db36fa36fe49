"""How much of the surface two frames share: the overlap matrices of a scene's frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_assets.geometry.kernels.cache import kernel


@kernel
def overlap_sums(starts, frames, weights, both):
    """Adds each face's weight to both (N, N), lower triangle, for every pair of frames that see it.

    frames[starts[f]:starts[f + 1]] are the frames that see face f, ascending.
    """
    for f in range(starts.shape[0] - 1):
        area = weights[f]
        if area > 0.0:
            for i in range(starts[f], starts[f + 1]):
                row = both[frames[i]]
                for j in range(starts[f], i + 1):
                    row[frames[j]] += area


def overlap_matrices(
    visible_faces: Sequence[NDArray[np.int32]], areas: ArrayLike, face_instance: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Area visible in both frames over area visible in either, for all pairs of N frames.

    Parameters
    ----------
    visible_faces : per frame the faces that own a pixel, ascending.
    areas : (F,), square meters. face_instance : (F,), negative for faces of no instance.

    Returns
    -------
    (N, N), (N, N) : over all faces, and over the faces of instances only (SpatialMosaic's). Symmetric; the diagonal is
        1, or 0 where nothing is visible (0/0 = 0).

    Raises
    ------
    ValueError : a face number is outside 0..F-1, or the lengths differ.
    """
    weights = np.ascontiguousarray(areas, dtype=np.float64)
    owner = np.asarray(face_instance)
    if weights.ndim != 1 or owner.shape != weights.shape:
        raise ValueError(f"areas {weights.shape} and face_instance {owner.shape} must have the same length")
    count = len(visible_faces)
    lengths = np.array([len(v) for v in visible_faces], dtype=np.int64)
    faces = np.concatenate(visible_faces).astype(np.int64) if lengths.sum() else np.zeros(0, np.int64)
    if len(faces) and (faces.min() < 0 or faces.max() >= len(weights)):
        raise ValueError(f"visible faces must lie in 0..{len(weights) - 1}")
    frames = np.repeat(np.arange(count, dtype=np.int32), lengths)
    order = np.argsort(faces, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(faces, minlength=len(weights)))])
    everything = overlap(starts, frames[order], weights, count)
    instances = overlap(starts, frames[order], np.where(owner >= 0, weights, 0.0), count)
    return everything, instances


def overlap(
    starts: NDArray[np.int64], frames: NDArray[np.int32], weights: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Shares from the lists of frames that see each face.

    Parameters
    ----------
    starts : (F + 1,). frames : those that see face f, ascending, stand at starts[f]:starts[f + 1].
    weights : (F,), square meters; what is not positive does not count. count : of frames, N.

    Returns
    -------
    (N, N) : as of `overlap_matrices`.
    """
    lower = np.zeros((count, count))
    overlap_sums(starts, frames, weights, lower)
    both = np.tril(lower) + np.tril(lower, -1).T
    own = np.diagonal(both)
    either = own[:, None] + own[None, :] - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)
