"""Drawing a question's marks on its images, as SPAR draws them.

Points are filled discs of radius 20 px and boxes have lines of 20 px on images 1296 px wide; here both
scale with the image. Colors are PIL's names. https://github.com/LogosRoboticsGroup/SPAR
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw

REFERENCE_WIDTH = 1296
NATIVE_WIDTH = 1280
"""Pixels; the narrowest images that SPAR draws its marks on, Structured3D's."""
POINT_RADIUS = 20
LINE_WIDTH = 20
BOX_GROWTH = 7 / 8
"""A box is grown on each side by this share of the line width, so that the line stands around the object."""
GRID = 1000
PIXELS, SIZE = "pixels", "size"
"""Keys of a mark that says where it is before rounding: the numbers of `xy` in pixels, and the image's width and height
of which they are."""


def draw_marks(
    image: Image.Image, marks: Sequence[Mapping[str, Any]], scale: float | None = None
) -> Image.Image:
    """A copy of the image with the marks on it, where they are in pixels if they say so, else on the 0-1000 grid.

    `scale` is relative to SPAR's sizes.
    """
    out = image.convert("RGB")
    draw = ImageDraw.Draw(out)
    factor = out.width / REFERENCE_WIDTH if scale is None else scale
    for mark in marks:
        xy = _place(mark, out.size)
        if mark["shape"] == "point":
            radius = POINT_RADIUS * factor
            x, y = int(xy[0]), int(xy[1])
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=mark["color"])
        else:
            width = max(1, round(LINE_WIDTH * factor))
            grown = LINE_WIDTH * factor * BOX_GROWTH
            box = (int(xy[0] - grown), int(xy[1] - grown), int(xy[2] + grown), int(xy[3] + grown))
            draw.rectangle(box, outline=mark["color"], width=width)
    return out


def mark_scale(width: int) -> float:
    """By how much marks on an image of so many pixels are smaller than SPAR's own, which never grow."""
    return 1.0 if width >= NATIVE_WIDTH else width / REFERENCE_WIDTH


def on_grid(marks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same as their published form has them, on the grid alone."""
    return [{name: value for name, value in mark.items() if name not in (PIXELS, SIZE)} for mark in marks]


def _place(mark: Mapping[str, Any], size: tuple[int, int]) -> list[float]:
    """Pixels of an image of this size. Another than the mark's own is a source that was exchanged: the grid holds."""
    if PIXELS in mark and tuple(mark[SIZE]) == size:
        return list(mark[PIXELS])
    return [value / GRID * size[index % 2] for index, value in enumerate(mark["xy"])]
