"""One source image: opened, with its marks, at a width."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from spatial_assets.imaging.marks import REFERENCE_WIDTH, draw_marks
from spatial_assets.media.image_files import ImageFile
from spatial_assets.scene.model import InputError

FRAMES_KEPT = 64
"""Of videos, in memory: two of 32 frames, some tens of megabytes."""


class NoImage(Exception):
    """Why an image cannot be shown, in words that can stand in its place."""


def open_image(root: Path | None, image: str | None, least_width: int | None = None) -> Image.Image:
    """The image at a path relative to the dataset's root, in RGB, as it is shown. Raises NoImage.

    With `least_width` a JPEG may come at a half, a quarter or an eighth of its size, but no narrower: decoding
    that takes a fraction of the time.
    """
    if image is None:
        raise NoImage("the source has no image of this frame")
    if root is None:
        raise NoImage(f"{image}: its dataset is not registered any more")
    try:
        place = ImageFile.of(image)
        with _opened(root, place) as file:
            width, height = place.turned_size(file.size)
            if least_width is not None and width > 0:
                file.draft("RGB", place.turned_size((least_width, math.ceil(least_width * height / width))))
            as_shown: Image.Image = place.shown(file.convert("RGB"))
            return as_shown
    except FileNotFoundError:
        raise NoImage(f"{image} is no longer there") from None
    except InputError as error:
        raise NoImage(str(error)) from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise NoImage(f"{image} cannot be read as an image") from None


def _opened(root: Path, place: ImageFile) -> Image.Image:
    """A file of its own is left to Pillow, which reads no more of it than it needs."""
    return Image.open(root / place.path if place.is_whole_file else io.BytesIO(place.read(root)))


def narrowed(image: Image.Image, width: int) -> Image.Image:
    """The image at most `width` pixels wide, its shape kept.

    Hamming's filter is as sharp as Lanczos's where an image becomes smaller, in a third of the time.
    """
    if image.width <= width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.HAMMING)


def marked(
    root: Path | None,
    image: str | None,
    marks: Sequence[Mapping[str, Any]],
    width: int,
    enlarged: float = 1.0,
) -> Image.Image:
    """An image with its marks, large enough to be made small to at most `width`. Raises NoImage.

    Marks are drawn before the image is made small, so that they look as they do at full size, or `enlarged`.
    """
    opened = open_image(root, image, 2 * width)
    return draw_marks(opened, marks, enlarged * opened.width / REFERENCE_WIDTH) if marks else opened


def unmarked(root: Path | None, image: str | None, width: int) -> Image.Image:
    """`marked` without marks, not to be drawn on: it is kept in memory, for many questions about a video show the same.

    Raises NoImage.
    """
    stamp = None
    if root is not None and image is not None:
        with suppress(OSError, InputError):
            found = (root / ImageFile.of(image).path).stat()
            stamp = found.st_ino, found.st_size, found.st_mtime_ns
    return _unmarked(root, image, width, stamp)


@lru_cache(FRAMES_KEPT)
def _unmarked(root: Path | None, image: str | None, width: int, _stamp: object) -> Image.Image:
    return open_image(root, image, 2 * width)


def shown(
    root: Path | None,
    image: str | None,
    marks: Sequence[Mapping[str, Any]],
    width: int,
    enlarged: float = 1.0,
) -> Image.Image:
    """An image with its marks, at most `width` wide. Raises NoImage."""
    return narrowed(marked(root, image, marks, width, enlarged), width)
