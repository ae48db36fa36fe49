"""Pictures for pages and thumbnails: images laid side by side, and as few bytes as will do."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw

from spatial_assets.imaging.images import narrowed
from spatial_assets.report.plots import font

GAP = 6
FRAME = (214, 90, 20)
"""Around a tile that a question asks about, and behind its number."""
TILE_LABEL = 0.16
"""Height of a tile's number, as a share of the tile's."""
LABELS_KEPT = 1_000
"""Of tiles' numbers, in memory: of a few sizes, up to some hundred each."""


STEPS = (
    (1.0, 82), (1.0, 70), (1.0, 58), (0.87, 56), (0.87, 46), (0.75, 46), (0.75, 38), (0.62, 40), (0.5, 38), (0.4, 36),
)  # fmt: skip
"""Shares of the width and qualities, best first; below these a person cannot make out small objects."""
TYPICAL = (1.0, 0.73, 0.64, 0.49, 0.44, 0.37, 0.33, 0.27, 0.20, 0.14)
"""Bytes at each step against the first: medians of 551 WebP pictures of a gallery; most are within a tenth of them."""
FIRST_TRIED = len(STEPS) - 1
"""The smallest: it tells the step to take as well as any other, for the least time."""


def contact_sheet(
    tiles: Sequence[Image.Image | None], columns: int, tile_width: int, asked: Collection[int] = ()
) -> Image.Image:
    """Tiles in rows, numbered in their corners; None leaves a gray tile. At least one tile.

    Numbers begin at 0, or at 1 where tiles, by their places, are those that a question asks about; these are framed.
    """
    small = [None if tile is None else narrowed(tile, tile_width) for tile in tiles]
    height = max((tile.height for tile in small if tile is not None), default=tile_width * 3 // 4)
    rows = math.ceil(len(small) / columns)
    columns = min(columns, len(small))
    size = (columns * (tile_width + GAP) - GAP, rows * (height + GAP) - GAP)
    sheet = Image.new("RGB", size, (128, 128, 128))
    draw = ImageDraw.Draw(sheet)
    for number, tile in enumerate(small):
        left, top = number % columns * (tile_width + GAP), number // columns * (height + GAP)
        if tile is None:
            draw.rectangle((left, top, left + tile_width, top + height), fill=(90, 90, 90))
        else:
            sheet.paste(tile, (left, top))
        is_asked = number in asked
        label = _tile_label(str(number + bool(asked)), max(9, round(height * TILE_LABEL)), is_asked)
        sheet.paste(label, (left, top))
        if is_asked:
            ends = (left - GAP // 2, top - GAP // 2, left + tile_width + GAP // 2, top + height + GAP // 2)
            draw.rectangle(ends, outline=FRAME, width=GAP)
    return sheet


@lru_cache(LABELS_KEPT)
def _tile_label(text: str, size: int, is_asked: bool) -> Image.Image:
    """A tile's number on its ground. Not to be drawn on: it is kept."""
    *_, right, bottom = font(size).getbbox(text)
    label = Image.new("RGB", (round(right) + 9, round(bottom) + 6), FRAME if is_asked else (20, 22, 26))
    ImageDraw.Draw(label).text((4, 2), text, (255, 255, 255), font(size))
    return label


def encoded(image: Image.Image, kind: str, quality: int) -> bytes:
    """The bytes of a JPEG or WebP file."""
    buffer = io.BytesIO()
    # WebP's methods above 2 take twice the time for a twentieth of the bytes.
    options: dict[str, Any] = {"optimize": True} if kind == "JPEG" else {"method": 2}
    image.save(buffer, kind, quality=quality, **options)
    return buffer.getvalue()


def smallest_loss(
    compose: Callable[[int], Image.Image], width: int, most: int, kind: str
) -> tuple[bytes, tuple[int, int]]:
    """One of STEPS that takes at most `most` bytes, the best by what steps typically take; the last where none does.

    `compose(width)` draws the picture at a width, so that its text stays sharp. Drawing and encoding take most of a
    page's time: a trial tells which step to take, so that one or two do.
    """
    first, last, step = 0, len(STEPS) - 1, FIRST_TRIED  # what may be taken: from `first` to `last`
    tried: dict[int, tuple[bytes, tuple[int, int]]] = {}
    while step not in tried:
        share, quality = STEPS[step]
        image = compose(round(width * share))
        data = encoded(image, kind, quality)
        tried[step] = data, image.size
        if len(data) <= most:
            last = step
        else:
            first = min(step + 1, last)
        step = next((at for at in range(first, last) if _expected(tried, at) <= most), last)
    return tried[step]


def _expected(tried: Mapping[int, tuple[bytes, Any]], step: int) -> float:
    """Bytes at a step, by the nearest that was tried: of noise, far ones tell little."""
    near = min(tried, key=lambda known: (abs(known - step), known))
    return len(tried[near][0]) * TYPICAL[step] / TYPICAL[near]
