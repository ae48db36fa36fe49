"""What a frame shows of each instance: the visibility table's numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from spatial_assets.geometry import raster_kernels as kernels
from spatial_assets.geometry.instances import PreparedInstances
from spatial_assets.geometry.rasterize import DEFAULT_NEAR, PreparedMesh, checked_view, drawn_keys, scratch


@dataclass(frozen=True)
class FrameVisibility:
    """What one frame shows, one entry per instance with amodal_px > 0 or visible_px > 0, by ascending id.

    Without the amodal side, amodal_px is -1 and truncation and amodal_box are nan. Boxes are x0, y0, x1, y1
    in pixel edges: integer pixel i covers i to i + 1.
    """

    instance: NDArray[np.int32]
    """(N,)"""
    visible_px: NDArray[np.int32]
    """(N,), pixels whose nearest face is the instance's."""
    amodal_px: NDArray[np.int32]
    """(N,), pixels inside the image that the instance would cover alone."""
    truncation: NDArray[np.float64]
    """(N,), share of its surface, by area, outside the image or nearer than the near plane."""
    visible_vertex_fraction: NDArray[np.float64]
    """(N,), share of its vertices that belong to one of its faces owning a pixel."""
    box: NDArray[np.float64]
    """(N, 4), bounds of its visible pixels; nan where there are none."""
    amodal_box: NDArray[np.float64]
    """(N, 4), bounds of the pixels that it would cover alone."""
    depth_min: NDArray[np.float64]
    """(N,), metres along z, over its visible pixels; nan where there are none."""
    depth_max: NDArray[np.float64]
    marker: NDArray[np.int32]
    """(N, 2), x and y of the central pixel of the largest odd-sided square of its own visible pixels; ties
    go to the smallest (y, x); -1 where nothing is visible."""
    marker_radius: NDArray[np.float64]
    """(N,), pixels: half that square's side, so a disc of this radius about the marker's centre shows
    nothing else; nan where nothing is visible."""
    visible_faces: NDArray[np.int32]
    """Faces, of instances or not, that own at least one pixel, ascending, in the caller's numbering."""
    instance_image: NDArray[np.int32]
    """(H, W), the instance at each pixel, -1 = none."""


@njit(cache=True, nogil=True)
def mark_vertices(visible_faces, face_slot, face_corners, touched, counts):
    """Counts per instance the vertices of its visible faces, each once; touched: zeros, one per pair."""
    for i in range(visible_faces.shape[0]):
        face = visible_faces[i]
        slot = face_slot[face]
        if slot >= 0:
            for k in range(3):
                corner = face_corners[face, k]
                counts[slot] += 1 - touched[corner]
                touched[corner] = 1


@njit(cache=True, nogil=True)
def take_seen(seen):
    """The places where seen is 1, ascending."""
    count = 0
    for i in range(seen.shape[0]):
        count += seen[i]
    result = np.empty(count, np.int32)
    n = 0
    words = seen[: seen.shape[0] // 8 * 8].view(np.int64)
    for w in range(words.shape[0]):
        if words[w] != 0:
            for i in range(8 * w, 8 * w + 8):
                if seen[i]:
                    result[n] = i
                    n += 1
    for i in range(8 * words.shape[0], seen.shape[0]):
        if seen[i]:
            result[n] = i
            n += 1
    return result


def frame_visibility(
    prepared: PreparedMesh,
    instances: PreparedInstances,
    intrinsics: ArrayLike,
    world_to_camera: ArrayLike,
    width: int,
    height: int,
    near: float = DEFAULT_NEAR,
    amodal: bool = True,
) -> FrameVisibility:
    """Everything the visibility table says of one frame. Arguments and errors as in `rasterize`.

    amodal=False leaves out what a lone instance would cover and its truncation: cheaper, and enough where
    only visible ids are needed.
    """
    p = checked_view(intrinsics, world_to_camera, width, height, near)
    keys = drawn_keys(prepared, p, width, height, near)
    count = len(instances.ids)
    # Lanes may read a little past the end.
    image = np.empty(width * height + kernels.LANES, np.int32)
    seen = np.zeros(len(prepared.faces) + 1, np.uint8)
    visible_px, side = np.zeros(count, np.int32), np.zeros(count, np.int32)
    bounds = np.tile(np.array([width, height, 0, 0], np.int32), (count, 1))
    key_range = np.tile(np.array([0, np.iinfo(np.int64).max]), (count, 1))
    marker = np.full((count, 2), -1, np.int32)
    heads = np.full(count, -1, np.int32)
    # Room for the worst case, of which hardly any is ever touched.
    runs = scratch.take("runs", 4 * width * height, np.int32)[: 4 * width * height].reshape(-1, 4)
    kernels.visible_side(
        keys, instances.face_label, instances.face_slot, image, width, height,
        seen, visible_px, bounds, key_range, marker, side, heads, runs,
    )  # fmt: skip
    visible_faces = take_seen(seen[:-1])
    vertices_seen = np.zeros(count, np.int64)
    touched = np.zeros(instances.pair_count, np.uint8)
    mark_vertices(visible_faces, instances.face_slot, instances.face_corners, touched, vertices_seen)
    box = boxes_of(bounds, visible_px)
    if amodal:
        amodal_px, truncation = np.zeros(count, np.int32), np.empty(count)
        # A covered lane may fall into the byte after the row.
        stride = (width + 63) // 64 + 1
        words = np.zeros(stride * height, np.int64)
        c = instances.clusters
        kernels.amodal_side(
            words, stride, heads, runs, instances.cluster_starts, c.vertex_starts, c.vertices, c.face_starts,
            c.corners, instances.face_areas, c.centres, c.extents, instances.cluster_areas,
            instances.centres, instances.extents, instances.areas,
            p, float(near), width, height, amodal_px, bounds, truncation,
        )  # fmt: skip
        amodal_box = boxes_of(bounds, amodal_px)
    else:
        amodal_px, truncation = np.full(count, -1, np.int32), np.full(count, np.nan)
        amodal_box = np.full((count, 4), np.nan)
    keep = (visible_px > 0) | (amodal_px > 0)
    shown = visible_px > 0
    fraction = vertices_seen / instances.vertex_counts
    depth = np.full((count, 2), np.nan)
    depth[shown] = kernels.key_depths(key_range[shown])
    radius = np.where(shown, side / 2.0, np.nan)
    return FrameVisibility(
        instance=instances.ids[keep],
        visible_px=visible_px[keep],
        amodal_px=amodal_px[keep],
        truncation=truncation[keep],
        visible_vertex_fraction=fraction[keep],
        box=box[keep],
        amodal_box=amodal_box[keep],
        depth_min=depth[keep, 0],
        depth_max=depth[keep, 1],
        marker=marker[keep],
        marker_radius=radius[keep],
        visible_faces=visible_faces,
        instance_image=image[: width * height].reshape(height, width),
    )


def boxes_of(bounds: NDArray[np.int32], pixels: NDArray[np.int32]) -> NDArray[np.float64]:
    """Integer bounds (I, 4) as boxes in pixel edges, nan where there are no pixels."""
    return np.where(pixels[:, None] > 0, bounds, np.nan)
