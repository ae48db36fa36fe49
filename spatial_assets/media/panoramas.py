"""Panoramas of six square images, and views of them in any direction, which are made when somebody opens them.

The images lie on the faces of a cube around the camera, as Matterport3D names and turns them. In the panorama's own
axes, x to the right, y down, z forward of who faces the first of the four around: 0 looks up, with its lower side
toward 1; 1 looks forward, 2 to the right, 3 back, 4 to the left; 5 looks down, with its upper side toward 1. A view
is a pinhole camera's image with the principal point in the middle. Each of its pixels is taken from one face, between
the four pixels nearest, of which those past the face's border count as its last.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
FACES = 6
FIRST = "_skybox0_sami.jpg"
"""How the name of the first of six images ends, which stands for all of them."""
AXES = np.array(
    [
        [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0, 0, -1], [0, 1, 0], [1, 0, 0]],
        [[-1, 0, 0], [0, 1, 0], [0, 0, -1]],
        [[0, 0, 1], [0, 1, 0], [-1, 0, 0]],
        [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    ],
    dtype=np.float64,
)
"""(6, 3, 3): by rows each face's own right, down and forward in the panorama's axes."""
NUMBER = r"-?\d{1,7}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?"
PLACE = rf"(?P<view>[1-9]\d{{0,3}}x[1-9]\d{{0,3}}:{NUMBER}(?:,{NUMBER}){{4}})"
"""Of a view as a text: its size, its focal length, and how its axes are turned, as a quaternion, real part first."""
DIGITS = 9
"""Of a quaternion: a billionth of a turn is far below a pixel, and hides what a processor's last bit says."""
KEPT = 12
"""Faces that stay decoded in a process, of two panoramas: whoever opens one view mostly opens the next."""
FORMATS = ("JPEG", "PNG", "PPM", "TIFF")
"""What Pillow may take a file for, as for all images."""
LARGEST_SIDE = 16_384
"""Pixels; more than any camera has."""


def face_path(first: str, face: int) -> str:
    """The image of a face, by the path of the first."""
    return first.removesuffix(FIRST) + FIRST.replace("0", str(face))


@dataclass(frozen=True)
class View:
    """A pinhole camera that stands where a panorama was taken."""

    size: tuple[int, int]
    """Width and height."""
    focal: float
    """Pixels."""
    turn: tuple[float, float, float, float]
    """From the camera's axes to the panorama's; a unit quaternion."""

    @classmethod
    def of(cls, text: str) -> View:
        """Of what PLACE matches."""
        size, _, numbers = text.partition(":")
        width, _, height = size.partition("x")
        focal, w, x, y, z = map(float, numbers.split(","))
        return cls((int(width), int(height)), focal, (w, x, y, z))

    @classmethod
    def turned(cls, size: tuple[int, int], focal: float, camera: Float, panorama: Float) -> View:
        """By how a camera is turned against the panorama.

        Parameters
        ----------
        size : width and height, pixels. focal : pixels.
        camera, panorama : (3, 3), their axes in the world, as columns.
        """
        return cls(size, float(focal), _quaternion(panorama.T @ camera))

    def __str__(self) -> str:
        numbers = (self.focal, *self.turn)
        return f"{self.size[0]}x{self.size[1]}:{','.join(repr(float(number)) for number in numbers)}"

    @property
    def intrinsics(self) -> Float:
        """The camera matrix.

        Returns
        -------
        (3, 3) : pixels; the principal point is the middle of the image, pixel centers at integer + 0.5.
        """
        width, height = self.size
        return np.array([[self.focal, 0, width / 2], [0, self.focal, height / 2], [0, 0, 1.0]])

    @property
    def rotation(self) -> Float:
        """The turn as a matrix.

        Returns
        -------
        (3, 3) : from the camera's axes to the panorama's.
        """
        w, x, y, z = np.array(self.turn) / np.linalg.norm(self.turn)
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )

    def image_bytes(self, first: Path) -> bytes:
        """The view as an image file in PPM. Raises OSError where a face that it shows is gone or no square image."""
        width, height = self.size
        if not (self.focal > 0 and np.linalg.norm(self.turn) > 0):
            raise OSError("a view without a direction")
        y, x = np.mgrid[:height, :width] + 0.5
        rays = np.stack(
            [(x - width / 2) / self.focal, (y - height / 2) / self.focal, np.ones_like(x)], axis=-1
        )
        colors = sampled(first, rays @ self.rotation.T)
        return b"P6 %d %d 255\n" % (width, height) + np.rint(colors).astype(np.uint8).tobytes()


def sampled(first: Path, rays: Float) -> NDArray[np.float32]:
    """Colors of a panorama.

    Parameters
    ----------
    first : the image that stands for all six. rays : (..., 3), directions in the panorama's own axes, of any length.

    Returns
    -------
    (..., 3) : red, green and blue, 0 to 255.

    Raises
    ------
    OSError : the image of a face that a ray meets is gone, or no square image.
    """
    flat = rays.reshape(-1, 3)
    # The face whose forward axis a ray is nearest to.
    chosen = (flat @ AXES[:, 2].T).argmax(axis=1)
    colors = np.empty(flat.shape, np.float32)
    for face in range(FACES):
        mine = np.flatnonzero(chosen == face)
        if len(mine):
            right, down, forward = (flat[mine] @ AXES[face].T).T
            colors[mine] = _between(_face(Path(face_path(str(first), face))), right / forward, down / forward)
    return colors.reshape(rays.shape)


def _between(pixels: NDArray[np.uint8], right: Float, down: Float) -> NDArray[np.float32]:
    """Colors (N, 3) at places of a face, each from -1 to 1 across it."""
    last = len(pixels) - 1
    x, y = (np.clip((at + 1) / 2 * (last + 1) - 0.5, 0, last) for at in (right, down))
    left, top = x.astype(np.int64), y.astype(np.int64)
    beside, below = np.minimum(left + 1, last), np.minimum(top + 1, last)
    across, along = ((x - left)[:, None]).astype(np.float32), ((y - top)[:, None]).astype(np.float32)
    above = pixels[top, left] * (1 - across) + pixels[top, beside] * across
    under = pixels[below, left] * (1 - across) + pixels[below, beside] * across
    return (above * (1 - along) + under * along).astype(np.float32, copy=False)


_kept: OrderedDict[tuple[str, int, int], NDArray[np.uint8]] = OrderedDict()
_guard = threading.Lock()


def _face(path: Path) -> NDArray[np.uint8]:
    stat = path.stat()
    key = str(path), stat.st_mtime_ns, stat.st_size
    with _guard:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
            return found
    found = _decoded(path)
    with _guard:
        _kept[key] = found
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return found


def _decoded(path: Path) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as image:
            size = image.size
            pixels = np.asarray(image.convert("RGB")) if max(size) <= LARGEST_SIDE else None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise OSError(f"{path.name} cannot be read as an image") from None
    if pixels is None or size[0] != size[1]:
        raise OSError(f"{path.name} is {size[0]} x {size[1]} pixels, no face of a cube")
    return pixels


def _quaternion(rotation: Float) -> tuple[float, float, float, float]:
    """Real part first, and not negative."""
    r = rotation
    # The greatest eigenvector of this is the quaternion, whatever the turn is.
    k = np.array(
        [
            [r[0, 0] + r[1, 1] + r[2, 2], r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0]],
            [r[0, 2] - r[2, 0], r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], r[1, 2] + r[2, 1]],
            [r[1, 0] - r[0, 1], r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], r[2, 2] - r[0, 0] - r[1, 1]],
        ]
    )
    rounded = np.round(np.linalg.eigh(k)[1][:, -1], DIGITS) + 0.0
    # One of the two quaternions of a turn: whose first part that is not zero is positive.
    sign = np.sign(rounded[np.flatnonzero(rounded)[0]])
    w, x, y, z = (sign * rounded + 0.0).tolist()
    return w, x, y, z


def _forget() -> None:
    """In a process that was forked off while another thread held the guard."""
    global _guard
    _guard = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
