"""What a frame shows of each instance: the visibility table's numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_assets.geometry.drawable import MAX_FACES
from spatial_assets.geometry.instances import PreparedInstances
from spatial_assets.geometry.kernels.lanes import LANES
from spatial_assets.geometry.kernels.table import frame_table
from spatial_assets.geometry.kernels.visible import image_table
from spatial_assets.geometry.rasterize import DEFAULT_NEAR, PreparedMesh, checked_view, scratch
from spatial_assets.scene.model import NO_INSTANCE

BIT_IMAGES = 16
"""Room for the pixels that instances cover alone, in whole images of one bit a pixel. Few scenes need more than
ten together, since most instances are small in most frames; one that does gets a buffer of its own."""


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
    """(N,), meters along z, over its visible pixels; nan where there are none."""
    depth_max: NDArray[np.float64]
    marker: NDArray[np.int32]
    """(N, 2), x and y of the central pixel of the largest odd-sided square of its own visible pixels; ties
    go to the smallest (y, x); -1 where nothing is visible."""
    marker_radius: NDArray[np.float64]
    """(N,), pixels: half that square's side, so a disc of this radius about the marker's center shows
    nothing else; nan where nothing is visible."""
    visible_faces: NDArray[np.int32]
    """Faces, of instances or not, that own at least one pixel, ascending, in the caller's numbering."""
    instance_image: NDArray[np.int32]
    """(H, W), the instance at each pixel, -1 = none."""


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
    """Everything the visibility table says of one frame.

    Parameters
    ----------
    intrinsics, world_to_camera, width, height, near : as of `rasterize`.
    amodal : False leaves out what a lone instance would cover and its truncation: cheaper, and enough where only
        visible ids are needed.

    Raises
    ------
    ValueError : as `rasterize`.
    """
    p = checked_view(intrinsics, world_to_camera, width, height, near)
    pixels = width * height
    # Lanes may read a little past the end.
    image = np.empty(pixels + LANES, np.int32)
    face_count = len(prepared.faces) + 1
    c = instances.clusters
    rows, counts, shares, boxes, depths, markers, radii, visible_faces = frame_table(
        scratch.take("keys", pixels + pixels * BIT_IMAGES // 64, np.int64),
        scratch.take("seen", face_count, np.uint8)[:face_count],
        scratch.take("touched", instances.pair_starts[-1] + 1, np.uint8),
        image,
        c.vertex_starts, c.vertices, c.face_starts, c.corners, c.names, c.centers, c.extents,
        instances.face_label, instances.face_slot, instances.face_corners, instances.pair_starts,
        instances.cluster_starts, instances.face_areas, instances.cluster_areas, instances.areas,
        p, float(near), width, height, amodal,
    )  # fmt: skip
    return FrameVisibility(
        instance=instances.ids[rows],
        visible_px=counts[0],
        amodal_px=counts[1],
        truncation=shares[0],
        visible_vertex_fraction=shares[1],
        box=boxes[0],
        amodal_box=boxes[1],
        depth_min=depths[0],
        depth_max=depths[1],
        marker=markers,
        marker_radius=radii,
        visible_faces=visible_faces,
        instance_image=image[:pixels].reshape(height, width),
    )


def image_visibility(instance_image: ArrayLike, depth: ArrayLike | None = None) -> FrameVisibility:
    """What an image of instance ids says of one frame, where there is no mesh.

    What only a mesh can tell is missing: amodal_px is -1; truncation, visible_vertex_fraction and amodal_box are nan;
    visible_faces is empty.

    Parameters
    ----------
    instance_image : (H, W) integers, -1 = none.
    depth : (H, W), meters along z, where there is one; 0, negative, nan and inf = not measured.

    Raises
    ------
    ValueError : wrong shapes, ids below -1 or above 32 bits, or more than MAX_FACES different ids.
    """
    given = np.asarray(instance_image)
    if given.ndim != 2 or given.size == 0:
        raise ValueError(f"instance_image must have shape (H, W) and a pixel, not {given.shape}")
    if given.dtype.kind not in "iu":
        raise ValueError(f"instance_image must be integers, not {given.dtype}")
    if given.min() < NO_INSTANCE or given.max() > np.iinfo(np.int32).max:
        raise ValueError(f"instance ids must be 0 to 2**31 - 1, or -1; found {given.min()} to {given.max()}")
    depths = np.zeros(0, np.float32) if depth is None else np.asarray(depth, np.float32)
    if depth is not None and depths.shape != given.shape:
        raise ValueError(f"depth {depths.shape} and instance_image {given.shape} must have the same shape")
    height, width = given.shape
    pixels = width * height
    image = np.empty(pixels + LANES, np.int32)
    image[:pixels] = given.ravel()
    # Far fewer values to sort than pixels.
    ends = np.flatnonzero(image[1:pixels] != image[: pixels - 1])
    ids = np.unique(np.append(image[ends], image[pixels - 1]))
    ids = ids[ids != NO_INSTANCE]
    if len(ids) > MAX_FACES:
        raise ValueError(f"{len(ids)} different instances; at most {MAX_FACES} are possible")
    visible, box, marker, side, bits = image_table(
        image, depths.ravel().view(np.int32), ids, np.append(ids, np.int32(NO_INSTANCE)),
        scratch.take("keys", pixels, np.int64), width, height,
    )  # fmt: skip
    count = len(ids)
    least_greatest = np.where(bits[:, 1:] > 0, bits.view(np.float32), np.nan).astype(np.float64)
    return FrameVisibility(
        instance=ids,
        visible_px=visible,
        amodal_px=np.full(count, -1, np.int32),
        truncation=np.full(count, np.nan),
        visible_vertex_fraction=np.full(count, np.nan),
        box=box.astype(np.float64),
        amodal_box=np.full((count, 4), np.nan),
        depth_min=least_greatest[:, 0],
        depth_max=least_greatest[:, 1],
        marker=marker,
        marker_radius=0.5 * side,
        visible_faces=np.zeros(0, np.int32),
        instance_image=image[:pixels].reshape(height, width),
    )
