"""Small plots on a Pillow canvas, for the event log: bars, heat maps, plans, captions."""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from spatial_assets.report.plan import Ground
from spatial_assets.scene.model import Float

Color = tuple[int, int, int]

INK: Color = (38, 41, 48)
MUTED: Color = (112, 116, 126)
FAINT: Color = (226, 227, 230)
GROUND: Color = (255, 255, 255)
ACCENT: Color = (37, 99, 186)
SECOND: Color = (214, 69, 48)

BORDER = 12
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 14, 12, 10
TITLE_HEIGHT = 34
PARAGRAPH = 3
HEAT_STEPS = 20
"""Few enough for a palette: a small PNG then keeps every color."""
SCALE_BARS = (10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1)
"""Lengths in meters that a plan's scale may have; the longest that fits a quarter of the plan is drawn."""
LENGTHS_KEPT = 10_000
"""Of words and labels, in memory."""


@cache
def font(size: int = TEXT_SIZE) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """The font at a size; it is unpacked once, which takes as long as drawing a line with it."""
    return ImageFont.load_default(size)


@lru_cache(LENGTHS_KEPT)
def text_length(text: str, size: int) -> float:
    """Pixels that a line of text is wide; measuring one takes as long as drawing it."""
    return font(size).getlength(text)


def canvas(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), GROUND)
    return image, ImageDraw.Draw(image)


def png(image: Image.Image, colors: int = 64) -> bytes:
    """A small PNG; plots have few colors."""
    buffer = io.BytesIO()
    image.quantize(colors, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def title(draw: ImageDraw.ImageDraw, text: str, width: int) -> None:
    """One line at the top, cut short with dots where it does not fit."""
    draw.text((BORDER, 9), shortened(text, width - 2 * BORDER, TITLE_SIZE), INK, font(TITLE_SIZE))


def shortened(text: str, width: float, size: int) -> str:
    if text_length(text, size) <= width:
        return text
    kept = bisect_right(range(1, len(text)), width, key=lambda end: text_length(f"{text[:end]}...", size))
    return f"{text[:kept]}..."


def wrapped(text: str, width: float, size: int, most: int | None = None) -> list[str]:
    """The text in lines of at most `width` pixels; broken after spaces and commas, else where it must be.

    No more than `most` lines are made, the rest is left out.
    """

    def fitting(parts: Sequence[str]) -> int:
        """How many of the parts a line takes."""
        begins = accumulate((text_length(part, size) for part in parts), initial=0.0)
        # A space at the line's end needs no room.
        ends = [begin + text_length(part.rstrip(), size) for begin, part in zip(begins, parts, strict=False)]
        return bisect_right(ends, width)

    pieces = re.split(r"(?<=[\s,])", " ".join(text.split()))
    lines: list[str] = []
    while pieces and (most is None or len(lines) < most):
        count = fitting(pieces)
        if count:
            line, pieces = "".join(pieces[:count]), pieces[count:]
        else:
            letters = max(fitting(pieces[0]), 1)
            line, pieces[0] = pieces[0][:letters], pieces[0][letters:]
        lines.append(line.rstrip())
    return lines


def bars(name: str, labels: Sequence[str], values: Sequence[float], texts: Sequence[str]) -> Image.Image:
    """Horizontal bars; `texts` says what each is worth."""
    row, width = 24, 400
    image, draw = canvas(width, TITLE_HEIGHT + row * max(len(labels), 1) + BORDER)
    title(draw, name, width)
    left = BORDER + min(max([draw.textlength(text, font()) for text in labels], default=0.0), 160) + 10
    room = width - left - BORDER - max([draw.textlength(text, font()) for text in texts], default=0.0) - 8
    largest = max([*values, 1e-9])
    for index, (label, value, text) in enumerate(zip(labels, values, texts, strict=True)):
        y = TITLE_HEIGHT + index * row
        draw.text((BORDER, y + 4), shortened(label, left - BORDER - 10, TEXT_SIZE), INK, font())
        end = left + max(room * value / largest, 1)
        draw.rectangle((left, y + 5, end, y + row - 7), fill=ACCENT)
        draw.text((end + 8, y + 4), text, MUTED, font())
    return image


def heat_colors(shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Colors of shares: white for 0, over blue, to nearly black for 1, in HEAT_STEPS steps.

    Parameters
    ----------
    shares : (...) array
        Clipped to 0..1.

    Returns
    -------
    (..., 3) array of uint8
        Red, green, blue.
    """
    stops = np.array([0.0, 0.25, 0.6, 1.0])
    colors = np.array([(255, 255, 255), (158, 196, 235), (37, 99, 186), (10, 22, 60)], float)
    clipped = np.round(np.clip(shares, 0, 1) * HEAT_STEPS) / HEAT_STEPS
    return np.stack([np.interp(clipped, stops, colors[:, i]) for i in range(3)], axis=-1).astype(np.uint8)


def heat_map(name: str, axis: str, matrix: NDArray[np.float64], side: int = 300) -> Image.Image:
    """A square matrix (N, N) of shares, with what its rows and columns are and a scale from 0 to 1."""
    width, bottom = side + 2 * BORDER + 62, 28
    image, draw = canvas(width, TITLE_HEIGHT + side + bottom)
    title(draw, name, width)
    body = Image.fromarray(heat_colors(matrix)).resize((side, side), Image.Resampling.NEAREST)
    image.paste(body, (BORDER, TITLE_HEIGHT))
    draw.rectangle((BORDER - 1, TITLE_HEIGHT - 1, BORDER + side, TITLE_HEIGHT + side), outline=FAINT)
    draw.text((BORDER, TITLE_HEIGHT + side + 7), axis, MUTED, font())
    left = BORDER + side + 16
    ramp = heat_colors(np.linspace(1, 0, side))[:, None].repeat(14, axis=1)
    image.paste(Image.fromarray(ramp), (left, TITLE_HEIGHT))
    draw.rectangle((left - 1, TITLE_HEIGHT - 1, left + 14, TITLE_HEIGHT + side), outline=FAINT)
    for share in (0.0, 0.5, 1.0):
        y = TITLE_HEIGHT + (1 - share) * (side - 14)
        draw.text((left + 20, y), f"{share:.0%}", MUTED, font(SMALL_SIZE + 1))
    return image


def photo(name: str, picture: Image.Image, below: Sequence[tuple[str, Color]] = ()) -> Image.Image:
    """A picture under a title; each entry of `below` is a paragraph under it, with its color.

    A paragraph ends with dots after PARAGRAPH lines: in a small file, text takes its bytes from the picture.
    """
    width = picture.width + 2 * BORDER
    lines = []
    for text, color in below:
        found = wrapped(text, picture.width, TEXT_SIZE, PARAGRAPH + 1)
        if len(found) > PARAGRAPH:
            found[PARAGRAPH - 1 :] = [f"{found[PARAGRAPH - 1][:-4]} ..."]
        lines += [(line, color) for line in found]
    spacing = TEXT_SIZE + 6
    image, draw = canvas(width, TITLE_HEIGHT + picture.height + BORDER + len(lines) * spacing)
    title(draw, name, width)
    image.paste(picture, (BORDER, TITLE_HEIGHT))
    for index, (line, color) in enumerate(lines):
        draw.text((BORDER, TITLE_HEIGHT + picture.height + 8 + index * spacing), line, color, font())
    return image


class Labels:
    """Puts words onto a picture where they cover no earlier word; what finds no place is left out."""

    def __init__(self, draw: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
        self.draw, self.size = draw, size
        self.taken: list[tuple[float, float, float, float]] = []

    def put(self, places: Sequence[tuple[float, float]], text: str, color: Color, back: Color) -> bool:
        """At the first of the places (left, top) that is free and inside; whether there was one."""
        for left, top in places:
            box = self.draw.textbbox((left, top), text, font=font(SMALL_SIZE))
            box = (box[0] - 3, box[1] - 2, box[2] + 3, box[3] + 2)
            inside = box[0] >= 0 and box[1] >= 0 and box[2] < self.size[0] and box[3] < self.size[1]
            if inside and not any(_touch(box, other) for other in self.taken):
                self.taken.append(box)
                self.draw.rectangle(box, fill=back)
                self.draw.text((left, top), text, color, font(SMALL_SIZE))
                return True
        return False


def _touch(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


class Plan:
    """A drawing from above on a `Ground`, under a title."""

    def __init__(
        self, name: str, ground: Ground, floor: Image.Image | None = None, fade: float = 0.0
    ) -> None:
        """`floor` is the scene from above, RGBA; `fade` mixes it with white, so that lines stand out."""
        self.ground = ground
        self.image, self.draw = canvas(ground.width, ground.height + TITLE_HEIGHT + 8)
        if floor is not None:
            faded = Image.blend(floor.convert("RGB"), Image.new("RGB", floor.size, GROUND), fade)
            self.image.paste(faded, (0, TITLE_HEIGHT), floor.getchannel("A"))
        title(self.draw, name, ground.width)
        self._scale_bar()
        self.labels = Labels(self.draw, self.image.size)

    def to_pixels(self, points: Float) -> list[tuple[float, float]]:
        """(N, 2 or more) meters to pixels."""
        return [(float(x), float(y) + TITLE_HEIGHT) for x, y in self.ground.pixels(points)]

    def _scale_bar(self) -> None:
        fits = [meters for meters in SCALE_BARS if meters * self.ground.scale <= self.ground.width / 4]
        if not fits:
            return
        length, y = fits[0] * self.ground.scale, self.image.height - 9
        right = self.image.width - BORDER
        self.draw.line((right - length, y, right, y), INK, 2)
        text = f"{fits[0]:g} m"
        left = right - length - 6 - self.draw.textlength(text, font(SMALL_SIZE))
        self.draw.text((left, y - 7), text, INK, font(SMALL_SIZE))

    def outline(self, corners: Float, color: Color) -> None:
        """A closed line around corners, (N, 2 or more), meters."""
        pixels = self.to_pixels(corners)
        self.draw.line([*pixels, pixels[0]], color, 1)

    def name(self, corners: Float, text: str) -> None:
        """A word at the middle of a footprint (N, 2 or more), meters, or a little above or below it."""
        x, y = np.mean(self.to_pixels(corners), axis=0)
        x -= self.draw.textlength(text, font(SMALL_SIZE)) / 2
        self.labels.put([(x, y - 6 + shift) for shift in (0, 13, -13)], text, INK, GROUND)

    def path(self, points: Float, color: Color) -> None:
        """A line through points, (N, 2 or more), meters."""
        if len(points) > 1:
            self.draw.line(self.to_pixels(points), fill=color, width=2)

    def arrows(self, points: Float, directions: Float, color: Color, length: float = 14.0) -> None:
        """Where cameras stand and look, (N, 3) each; `length` in pixels of a level look."""
        tips = points[:, :2] + directions[:, :2] * length / self.ground.scale
        for (x, y), (u, v) in zip(self.to_pixels(points), self.to_pixels(tips), strict=True):
            self.draw.line((x, y, u, v), fill=color, width=2)
            self.draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=color)
