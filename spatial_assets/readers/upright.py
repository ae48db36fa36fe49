"""Images that are stored on their side: which way up is in them, and the camera of such an image once it is turned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spatial_assets.media.image_files import ImageFile
from spatial_assets.scene.model import Camera, Float, Frame

SKY = ("up", "left", "down", "right")
"""Where the sky is in stored images, by the quarter turns clockwise that bring it up."""
CLOCKWISE = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""From a camera's axes to those of the camera whose image is turned once: what pointed up points right."""


def quarter_turns(poses: Float) -> int:
    """Quarter turns clockwise after which most of a camera's images stand upright.

    One number for all: the images of a video must not change their shape where somebody looks at the floor.

    Parameters
    ----------
    poses : camera-to-world (N, 4, 4), OpenCV axes, z up.
    """
    # The world's up direction along each image's x and y: small, and so of little weight, where a camera looks down.
    x, y = poses[:, 2, 0].sum(), poses[:, 2, 1].sum()
    return int(np.argmax([-y, -x, y, x]))


def turned(frame: Frame, turns: int) -> Frame:
    """The frame with its image shown after so many quarter turns clockwise, and its camera and pose with it."""
    if turns % 4 == 0:
        return frame
    camera, pose = frame.camera, frame.camera_to_world.copy()
    for _ in range(turns % 4):
        camera = _turned_once(camera)
        pose[:3, :3] = pose[:3, :3] @ CLOCKWISE.T
    assert frame.image is not None
    held = ImageFile.of(frame.image)
    image = replace(held, turns=(held.turns + turns) % 4)
    return Frame(frame.name, camera, pose, frame.timestamp, str(image))


def _turned_once(camera: Camera) -> Camera:
    """A pixel at (x, y) comes to (height - y, x)."""
    k = camera.intrinsics
    intrinsics = np.array([[k[1, 1], 0.0, camera.height - k[1, 2]], [0.0, k[0, 0], k[0, 2]], [0.0, 0.0, 1.0]])
    return Camera(intrinsics, camera.height, camera.width)
