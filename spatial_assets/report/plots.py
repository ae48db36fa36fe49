"""Plain plots on a Pillow canvas: bars, histograms, heat maps, plans seen from above."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

INK, FAINT, GROUND, ACCENT, SECOND = (40, 44, 52), (200, 204, 210), (255, 255, 255), (29, 105, 190), (208, 72, 52)
PALETTE = 256
"""Colours of a small PNG."""


def font(size: int = 12) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def canvas(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), GROUND)
    return image, ImageDraw.Draw(image)


def png(image: Image.Image, colours: int = 32) -> bytes:
    """A small PNG; plots have few colours."""
    buffer = io.BytesIO()
    image.quantize(colours).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def jpeg(image: Image.Image, quality: int = 60) -> bytes:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


def bars(title: str, labels: Sequence[str], values: Sequence[float], width: int = 360) -> Image.Image:
    """Horizontal bars with their values."""
    row, top = 20, 26
    image, draw = canvas(width, top + row * max(len(labels), 1) + 6)
    draw.text((8, 6), title, INK, font(13))
    largest = max([*values, 1e-9])
    for index, (label, value) in enumerate(zip(labels, values, strict=True)):
        y = top + index * row
        draw.text((8, y + 2), label, INK, font(11))
        length = (width - 190) * value / largest
        draw.rectangle((120, y + 3, 120 + max(length, 1), y + row - 4), fill=ACCENT)
        draw.text((126 + length, y + 2), f"{value:,.6g}", INK, font(11))
    return image


def histogram(title: str, values: NDArray[np.float64], unit: str, bins: int = 24, width: int = 360) -> Image.Image:
    """Counts of values in even bins, with the ends of the range named."""
    height, left, base = 160, 12, 134
    image, draw = canvas(width, height)
    draw.text((8, 6), title, INK, font(13))
    if len(values) == 0:
        draw.text((8, 60), "nothing to count", INK, font(12))
        return image
    counts, edges = np.histogram(values, bins)
    step = (width - 2 * left) / bins
    for index, count in enumerate(counts.tolist()):
        x = left + index * step
        bar = 100 * count / max(int(counts.max()), 1)
        draw.rectangle((x, base - bar, x + step - 2, base), fill=ACCENT)
    draw.line((left, base, width - left, base), INK)
    draw.text((left, base + 4), f"{edges[0]:.4g} {unit}", INK, font(11))
    text = f"{edges[-1]:.4g} {unit}"
    draw.text((width - left - draw.textlength(text, font(11)), base + 4), text, INK, font(11))
    draw.text((width - 90, 8), f"n = {len(values):,}", INK, font(11))
    return image


def heat_map(title: str, matrix: NDArray[np.float64], side: int = 260) -> Image.Image:
    """A square matrix of shares, white at 0 and dark blue at 1."""
    shade = np.clip(matrix, 0, 1)[..., None]
    pixels = (np.array(GROUND) * (1 - shade) + np.array((10, 40, 110)) * shade).astype(np.uint8)
    body = Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)
    image, draw = canvas(side + 16, side + 34)
    draw.text((8, 6), title, INK, font(13))
    image.paste(body, (8, 26))
    draw.rectangle((7, 25, side + 8, side + 26), outline=FAINT)
    return image


class Plan:
    """A drawing from above: x to the right, y up, metres."""

    def __init__(self, points: NDArray[np.float64], title: str, width: int = 360, margin: int = 14) -> None:
        """`points` (N, 2 or more), whose extent the plan shows."""
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        extent = np.maximum(high - low, 1e-6)
        self.scale = float(min((width - 2 * margin) / extent[0], 2 * width / extent[1]))
        self.origin, self.margin, self.top = low, margin, 26
        self.height = int(extent[1] * self.scale) + 2 * margin + self.top
        self.image, self.draw = canvas(width, self.height)
        self.draw.text((8, 6), title, INK, font(13))

    def to_pixels(self, points: NDArray[np.float64]) -> list[tuple[float, float]]:
        """(N, 2 or more) metres to pixels."""
        flat = (points[:, :2] - self.origin) * self.scale
        return [(float(x) + self.margin, self.height - self.margin - float(y)) for x, y in flat]

    def scatter(self, points: NDArray[np.float64], colours: NDArray[np.uint8]) -> None:
        pixels = np.array(self.to_pixels(points)).astype(int)
        array = np.array(self.image)
        inside = (pixels >= 0).all(axis=1) & (pixels < [self.image.width, self.image.height]).all(axis=1)
        array[pixels[inside, 1], pixels[inside, 0]] = colours[inside]
        self.image = Image.fromarray(array)
        self.draw = ImageDraw.Draw(self.image)

    def outline(self, corners: NDArray[np.float64], colour: tuple[int, int, int], label: str = "") -> None:
        pixels = self.to_pixels(corners)
        self.draw.polygon(pixels, outline=colour)
        if label:
            x, y = np.mean(pixels, axis=0)
            self.draw.text((x - self.draw.textlength(label, font(9)) / 2, y - 6), label, INK, font(9))

    def path(self, points: NDArray[np.float64], colour: tuple[int, int, int]) -> None:
        if len(points) > 1:
            self.draw.line(self.to_pixels(points), fill=colour, width=1)

    def arrows(self, points: NDArray[np.float64], directions: NDArray[np.float64], length: float = 0.25) -> None:
        """Where cameras stand and look; `length` in metres."""
        ends = self.to_pixels(points[:, :2] + length * directions[:, :2])
        for start, end in zip(self.to_pixels(points), ends, strict=True):
            self.draw.line((*start, *end), fill=SECOND, width=2)
            self.draw.ellipse((start[0] - 3, start[1] - 3, start[0] + 3, start[1] + 3), fill=SECOND)
