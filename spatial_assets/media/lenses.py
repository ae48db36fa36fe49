"""Fisheye lenses: how an image taken through one is shown as a pinhole camera's, and how a table says that it is.

The lens is OpenCV's and COLMAP's: a ray at the angle t from the axis falls t (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8)
focal lengths from the principal point. The pinhole camera looks along the same axis, its image is of the stored one's
size with the principal point in the middle, and its one focal length is the least with which every pixel lies inside of
the stored image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
NUMBER = r"-?\d{1,20}(?:\.\d{1,25})?(?:e[+-]?\d{1,3})?"
PLACE = rf"(?P<lens>[1-9]\d{{0,4}}x[1-9]\d{{0,4}}:{NUMBER}(?:,{NUMBER}){{8}})"
"""Of a lens as a text: the stored image's size, then fx, fy, cx, cy, k1, k2, k3, k4 and the pinhole camera's focal
length."""
WIDEST = math.radians(80.0)
"""Angle from the axis beyond which nothing is shown: there a pinhole image is stretched over thirty times."""
STEPS = 4096
"""Angles at which a lens is looked at for whether it is one: further out must always fall further out."""
BORDER = 65
"""Places along each side of the pinhole image that must fall inside of the stored one; its middle is among them."""
LONGEST = 20.0
"""Focal length in image widths at most, as of any camera."""
HALVINGS = 60
PRECISION = 1000.0
"""Focal lengths are rounded up to so many parts of a pixel, but for"""
SLACK = 1e-6
"""such a part of a part, which is what halving leaves over."""
ROWS = 256
"""Rows that are made at a time, for what they take of memory."""


@dataclass(frozen=True)
class Fisheye:
    """A lens, and the focal length that its images are shown with."""

    size: tuple[int, int]
    """Width and height of the stored image, and of the shown one."""
    focal: tuple[float, float]
    """Pixels."""
    center: tuple[float, float]
    """Pixels; pixel centers at integer + 0.5."""
    bends: tuple[float, float, float, float]
    """k1 to k4."""
    shown_focal: float
    """Of the pinhole image, pixels."""

    @classmethod
    def of(cls, text: str) -> Fisheye:
        """Of what PLACE matches."""
        size, _, numbers = text.partition(":")
        width, _, height = size.partition("x")
        fx, fy, cx, cy, k1, k2, k3, k4, shown = map(float, numbers.split(","))
        return cls((int(width), int(height)), (fx, fy), (cx, cy), (k1, k2, k3, k4), shown)

    @classmethod
    def fitted(
        cls,
        size: tuple[int, int],
        focal: tuple[float, float],
        center: tuple[float, float],
        bends: tuple[float, float, float, float],
    ) -> Fisheye:
        """With the least focal length that shows nothing from outside of the stored image.

        Raises ValueError for what is no lens, and where there is no such focal length.
        """
        furthest = _furthest(bends)
        low, high = 0.0, LONGEST * max(size)

        def lens(shown: float) -> Fisheye:
            return cls(size, focal, center, bends, shown)

        if not lens(high)._is_filled(furthest):
            raise ValueError("no pinhole image lies inside of the fisheye one")
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if middle > 0 and lens(middle)._is_filled(furthest) else (middle, high)
        return lens(math.ceil(high * PRECISION - SLACK) / PRECISION)

    def __str__(self) -> str:
        numbers = (*self.focal, *self.center, *self.bends, self.shown_focal)
        return f"{self.size[0]}x{self.size[1]}:{','.join(repr(float(number)) for number in numbers)}"

    @property
    def intrinsics(self) -> Float:
        """Of the pinhole image.

        Returns
        -------
        (3, 3) : pixels, pixel centers at integer + 0.5.
        """
        width, height = self.size
        return np.array([[self.shown_focal, 0, width / 2], [0, self.shown_focal, height / 2], [0, 0, 1]])

    def stored(self, x: Float, y: Float) -> tuple[Float, Float]:
        """Where pixels of the pinhole image lie in the stored one.

        Parameters
        ----------
        x, y : (...), pixels, pixel centers at integer + 0.5.

        Returns
        -------
        (...), (...) : x and y, likewise.
        """
        ray_x, ray_y = (
            (at - side / 2) / self.shown_focal for at, side in zip((x, y), self.size, strict=True)
        )
        radius = np.hypot(ray_x, ray_y)
        with np.errstate(invalid="ignore"):
            stretch = np.where(radius > 0, bent(np.arctan(radius), self.bends) / radius, 1.0)
        return self.focal[0] * ray_x * stretch + self.center[0], self.focal[
            1
        ] * ray_y * stretch + self.center[1]

    def _is_filled(self, furthest: float) -> bool:
        """Whether the pinhole image's border, and so all of it, lies inside of the stored one."""
        width, height = self.size
        across, down = np.linspace(0, width, BORDER), np.linspace(0, height, BORDER)
        x = np.concatenate([across, across, np.zeros(BORDER), np.full(BORDER, float(width))])
        y = np.concatenate([np.zeros(BORDER), np.full(BORDER, float(height)), down, down])
        if math.atan(math.hypot(width, height) / 2 / self.shown_focal) > furthest:
            return False
        u, v = self.stored(x, y)
        return bool(((u >= 0) & (u <= width) & (v >= 0) & (v <= height)).all())

    def rectified(self, image: Any) -> Any:
        """The pinhole camera's Pillow image of a stored one, at its size or made smaller."""
        from PIL import Image
        from scipy.ndimage import map_coordinates

        pixels = np.asarray(image)
        height, width = pixels.shape[:2]
        across, down = self.size[0] / width, self.size[1] / height
        shown = np.empty_like(pixels)
        for first in range(0, height, ROWS):
            rows = slice(first, min(first + ROWS, height))
            y, x = np.mgrid[rows, :width] + 0.5
            u, v = self.stored(x * across, y * down)
            places = [v / down - 0.5, u / across - 0.5]
            for channel in np.ndindex(pixels.shape[2:]):
                at: Any = (..., *channel)
                values = map_coordinates(pixels[at], places, np.float32, order=1, mode="nearest")
                shown[rows][at] = np.rint(values)
        return Image.fromarray(shown)


def bent(angles: Float, bends: tuple[float, float, float, float]) -> Float:
    """How far from the principal point rays fall: t (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8), OpenCV's fisheye model.

    Parameters
    ----------
    angles : (...), radians from the axis. bends : k1 to k4.

    Returns
    -------
    (...) : focal lengths.
    """
    square = angles * angles
    k1, k2, k3, k4 = bends
    found: Float = angles * (1 + square * (k1 + square * (k2 + square * (k3 + square * k4))))
    return found


def _furthest(bends: tuple[float, float, float, float]) -> float:
    """Angle up to which what is further out falls further out. Raises ValueError for one of next to nothing."""
    angles = np.linspace(0, WIDEST, STEPS)
    back = np.flatnonzero(np.diff(bent(angles, bends)) <= 0)
    furthest = float(angles[back[0]]) if len(back) else WIDEST
    if furthest < math.radians(5.0):
        raise ValueError("rays of different directions would fall onto one place of the image")
    return furthest
