"""Maths of posed cameras: projection, relative motion, and which way is up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float, rigid_inverse

AXIS_NAMES = ("x", "y", "z")
SNAP_DEGREES = 10.0
"""An estimated up this near a world axis is that axis: sequences are stored in axis-aligned worlds, and
the estimate is only as level as the hand that held the camera."""
SPREAD_RATIO = 0.02
"""Below this ratio of the second to the largest spread of right-hand axes, the cameras all face one way
and their right-hand axes no longer span the horizontal plane."""


def project(points: Float, intrinsics: Float, world_to_camera: Float) -> tuple[Float, Float]:
    """Where points appear in a camera's image.

    Parameters
    ----------
    points : (N, 3), meters, world.
    intrinsics : (3, 3), pixels. world_to_camera : (4, 4), meters, OpenCV axes.

    Returns
    -------
    (N, 2), (N,) : pixels x, y, NaN where z <= 0, with pixel centers where the intrinsics have them; depths z along the
        camera's axis, meters.
    """
    camera = points @ world_to_camera[:3, :3].T + world_to_camera[:3, 3]
    z = camera[:, 2]
    homogeneous = camera @ intrinsics.T
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = np.where(z[:, None] > 0, homogeneous[:, :2] / homogeneous[:, 2:], np.nan)
    return pixels, z


def unproject(depth: NDArray[np.float32], intrinsics: Float, camera_to_world: Float) -> Float:
    """World points at the centers of an image's pixels. Pixels without a depth, 0, NaN or infinite, have none.

    Parameters
    ----------
    depth : (H, W), meters along the camera's z.
    intrinsics : (3, 3), pixels, pixel centers at integer + 0.5. camera_to_world : (4, 4), meters, OpenCV axes.

    Returns
    -------
    (N, 3) : meters, row by row.
    """
    rows, columns = np.nonzero(np.isfinite(depth) & (depth > 0))
    z = depth[rows, columns].astype(np.float64)
    pixels = np.column_stack([columns + 0.5, rows + 0.5, np.ones(len(z))])
    camera = pixels @ np.linalg.inv(intrinsics).T * z[:, None]
    points: Float = camera @ camera_to_world[:3, :3].T + camera_to_world[:3, 3]
    return points


def relative_motion(first: Float, second: Float) -> Float:
    """T = inv(C1) C2 of camera-to-world poses: camera 2 as seen from camera 1.

    Parameters
    ----------
    first, second : (..., 4, 4), rigid, meters; their leading axes broadcast.

    Returns
    -------
    (..., 4, 4) : meters, in the axes of the first camera.
    """
    return rigid_inverse(first) @ second


def yaw_pitch(motion: Float) -> tuple[Float, Float]:
    """By how much the viewing direction turns right and up.

    The direction is the motion's third column d: yaw = atan2(dx, dz), pitch = atan2(-dy, hypot(dx, dz)).

    Parameters
    ----------
    motion : (..., 4, 4), as `relative_motion` gives it, OpenCV axes.

    Returns
    -------
    (...), (...) : yaw from -180 to 180 and pitch from -90 to 90, degrees.
    """
    dx, dy, dz = motion[..., 0, 2], motion[..., 1, 2], motion[..., 2, 2]
    return np.degrees(np.arctan2(dx, dz)), np.degrees(np.arctan2(-dy, np.hypot(dx, dz)))


def find_up(camera_to_world: Float) -> tuple[Float, str]:
    """The world direction that is up, from camera poses.

    A camera held without roll has its x axis level, wherever it looks, so up is the direction to which
    all x axes are most nearly perpendicular, on the side of the cameras' own up (-y). Where the cameras
    face one way the x axes leave it open, and the mean of their own ups decides.

    Parameters
    ----------
    camera_to_world : (N, 4, 4), N >= 1, OpenCV axes.

    Returns
    -------
    (3,), str : a unit vector, an axis of the world where it is within `SNAP_DEGREES` of one; and how it was found.
    """
    right = camera_to_world[:, :3, 0]
    own_up = -camera_to_world[:, :3, 1].mean(axis=0)
    spread, directions = np.linalg.eigh(right.T @ right / len(right))
    if spread[1] > SPREAD_RATIO * spread[2]:
        up, how = directions[:, 0], "level right-hand axes of the cameras"
    else:
        up, how = own_up / np.linalg.norm(own_up), "mean up axis of the cameras, which face one way"
    up = up if up @ own_up >= 0 else -up
    axis = int(np.abs(up).argmax())
    angle = float(np.degrees(np.arccos(np.clip(abs(up[axis]), -1.0, 1.0))))
    if angle <= SNAP_DEGREES:
        snapped = np.zeros(3)
        snapped[axis] = np.sign(up[axis])
        name = ("-" if up[axis] < 0 else "+") + AXIS_NAMES[axis]
        return snapped, f"{name}, {angle:.0f} degrees from the {how}"
    return up, f"({up[0]:.3f}, {up[1]:.3f}, {up[2]:.3f}) from the {how}"


def turn_to_z(up: Float) -> Float:
    """A turn of the world that takes `up` to +z: a cyclic change of axes where up is an axis.

    Parameters
    ----------
    up : (3,), a unit vector.

    Returns
    -------
    (4, 4) : rigid, without translation.
    """
    axis = int(np.abs(up).argmax())
    turn = np.eye(4)
    if np.count_nonzero(up) == 1:
        # Cyclic renaming (x, y, z) <- (y, z, x) keeps handedness and makes every coordinate exact.
        turn[:3, :3] = np.roll(np.eye(3), (axis + 1) % 3, axis=1)
        if up[axis] < 0:
            turn[:3, :3] = np.diag([1.0, -1.0, -1.0]) @ turn[:3, :3]
        return turn
    x = np.cross(np.eye(3)[int(np.abs(up).argmin())], up)
    x /= np.linalg.norm(x)
    turn[:3, :3] = np.array([x, np.cross(up, x), up])
    return turn
