"""A box told as text and found again: a frame, a point in its image, a depth and a size, and back through its pose.

A view's own axes are level: to the right of the camera, ahead of it and up. A size is told along the box's own axes,
named by those of the view that they are nearest to, and a turn says by how much they differ; so it can be seen in the
image. Where no turn is told, the size is along the world's axes, as in ScanRefer's axis-aligned boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_assets.geometry.box_overlap import iou_matrix, upright_parts
from spatial_assets.scene.model import Box, Float

GRID = 1000.0
"""Points in images are thousandths of width and height."""
STEEP = 1e-6
"""Of the length of a viewing direction that is level: with less, nobody can say where ahead is."""
HALF_TURN, QUARTER_TURN, EIGHTH = 180.0, 90.0, 45.0


def recover_box(
    point: ArrayLike,
    depth: float,
    size: ArrayLike,
    intrinsics: ArrayLike,
    camera_to_world: ArrayLike,
    image_size: tuple[float, float],
    turn: float | None = None,
) -> Box:
    """The 3D box that a frame, a point, a depth and a size tell (SPAR, section 3.5, "3D grounding with VLMs").

    Parameters
    ----------
    point : (2,), where the box's center appears, thousandths of the image's width and height.
    depth : meters from the camera to the center along the viewing direction (z of the center in the camera).
    size : (3,), meters: across, along and up, of the box's own axes nearest to the view's; without a turn along the
        world's x, y and z.
    intrinsics : (3, 3), pixels, or (9,) row-major. camera_to_world : (4, 4), meters, or (16,) row-major; OpenCV axes.
    image_size : width and height, pixels.
    turn : degrees, seen from above and counter-clockwise, from the view's right to the box's axis nearest to it.

    Returns
    -------
    Box
        Gravity-aligned; its axes are the world's where no turn is given.

    Raises
    ------
    ValueError : a number is missing, not finite or not positive, or a turn is given for a view straight up or down.
    """
    spot, extent = np.asarray(point, np.float64), np.asarray(size, np.float64)
    lens = np.asarray(intrinsics, np.float64).reshape(3, 3)
    pose = np.asarray(camera_to_world, np.float64).reshape(4, 4)
    if spot.shape != (2,) or not np.isfinite(spot).all():
        raise ValueError("the point is not two numbers")
    if extent.shape != (3,) or not (np.isfinite(extent) & (extent > 0)).all():
        raise ValueError("the size is not three positive numbers")
    if not (np.isfinite(depth) and depth > 0):
        raise ValueError("the depth is not a positive number")
    if turn is not None and not np.isfinite(turn):
        raise ValueError("the turn is not a number")
    pixel = spot / GRID * np.asarray(image_size, np.float64)
    ray = np.linalg.solve(lens, np.append(pixel, 1.0))
    center = pose[:3, :3] @ (ray / ray[2] * depth) + pose[:3, 3]
    if turn is None:
        return Box(center, extent, np.eye(3))
    heading = float(level_headings(pose[None])[0])
    if np.isnan(heading):
        raise ValueError(
            "the camera looks straight up or down, so that its right is no direction on the ground"
        )
    return Box(center, extent, _about_vertical(np.radians(heading - QUARTER_TURN + turn)))


def level_headings(poses: Float) -> Float:
    """Where cameras look, seen from above.

    Parameters
    ----------
    poses : (N, 4, 4), camera to world, OpenCV axes, z up.

    Returns
    -------
    (N,) : degrees counter-clockwise from the world's x, -180 to 180; NaN straight up or down.
    """
    east, north = poses[:, 0, 2], poses[:, 1, 2]
    headings: Float = np.degrees(np.arctan2(north, east))
    headings[np.hypot(east, north) < STEEP] = np.nan
    return headings


def sizes_in_views(sizes: Float, rotations: Float, poses: Float, tilt: float) -> tuple[Float, Float]:
    """How large boxes are across, along and up as their views see them, and by how much they are turned.

    Parameters
    ----------
    sizes : (N, 3), meters, along the boxes' own axes. rotations : (N, 3, 3), columns are these axes.
    poses : (N, 4, 4), camera to world. tilt : degrees by which the axis nearest to the vertical may differ from it.

    Returns
    -------
    (N, 3) meters and (N,) degrees from -45 to 45; NaN for boxes that are tilted and for views straight up or down.
    """
    rows = np.arange(len(sizes))
    up = np.abs(rotations[:, 2, :]).argmax(axis=1)
    one, other = (up + 1) % 3, (up + 2) % 3
    axes = rotations[rows, :2, one]
    turned = np.degrees(np.arctan2(axes[:, 1], axes[:, 0])) - (level_headings(poses) - QUARTER_TURN)
    # A box's axis has no front: half a turn changes nothing.
    turned = HALF_TURN / 2 - (HALF_TURN / 2 - turned) % HALF_TURN
    swapped = np.abs(turned) > EIGHTH
    across = np.where(swapped, sizes[rows, other], sizes[rows, one])
    along = np.where(swapped, sizes[rows, one], sizes[rows, other])
    found = np.stack([across, along, sizes[rows, up]], axis=1)
    turns: Float = np.where(swapped, turned - np.sign(turned) * QUARTER_TURN, turned)
    upright = np.abs(rotations[rows, 2, up]) >= np.cos(np.radians(tilt))
    wrong = ~upright | np.isnan(turns)
    found[wrong], turns[wrong] = np.nan, np.nan
    return found, turns


def match_boxes(found: Sequence[Box], proposals: Sequence[Box]) -> NDArray[np.int64]:
    """To each box a proposal, all different, so that they agree best together (SPAR's refinement).

    What two agree by is their intersection over union; of two that do not meet, how near their centers are. The
    assignment is optimal (Hungarian method), and the same whatever the boxes' order where no two sums are equal.

    Returns
    -------
    (N,), places among the proposals; -1 for boxes that none is left to.
    """
    matched = np.full(len(found), -1, np.int64)
    if not found or not proposals:
        return matched
    own, others = upright_parts(found), upright_parts(proposals)
    from scipy.optimize import linear_sum_assignment  # a quarter of a second, which few wait for

    rows, columns = linear_sum_assignment(-agreement(own, others))
    matched[rows] = columns
    return matched


def agreement(own: Float, others: Float) -> Float:
    """By how much boxes agree, by which matches are made: the intersection over union, below zero where there is none.

    Parameters
    ----------
    own, others : (N, 7) and (M, 7), meters and radians, as of `upright_parts`.

    Returns
    -------
    (N, M) : from -1 to 1; of two that do not meet -d / (1 + d), d meters between their centers.
    """
    shared = iou_matrix(own, others)
    apart = np.linalg.norm(own[:, None, :3] - others[None, :, :3], axis=2)
    found: Float = np.where(shared > 0, shared, -apart / (1.0 + apart))
    return found


def _about_vertical(angle: float) -> Float:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
