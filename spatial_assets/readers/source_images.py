"""Image files: their sizes, whether they are there to the end, and their pixels."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from spatial_assets.media import videos
from spatial_assets.media.image_files import ImageFile
from spatial_assets.readers import files
from spatial_assets.scene.model import InputError

COLOR_ENDINGS = frozenset({".jpg", ".jpeg", ".png"})
DEPTH_ENDINGS = frozenset({".png", ".tif", ".tiff"})
FORMATS = ("JPEG", "PNG", "PPM", "TIFF")
"""What Pillow may take a file for, whatever its ending says."""
TAIL = 4096
"""Bytes at a file's end searched for an image's end marker before the whole is decoded; programs and phones
write trailers behind it."""
END_MARKERS = {b"\xff\xd8": b"\xff\xd9", b"\x89P": b"IEND"}
"""First two bytes of a JPEG or PNG, and what stands near the end of a whole one."""
JPEG_START = b"\xff\xd8\xff\xe0"
"""How a JPEG begins that has JFIF's head."""
JPEG_JFIF, JPEG_TABLES, JPEG_SCAN = 0xE0, 0xDB, 0xDA
JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Kinds of segments: JFIF's head, tables of divisors, where the pixels begin, and those that tell the size."""
JPEG_PASSED = frozenset({JPEG_JFIF, 0xC4, 0xDD})
"""Those that say nothing of the size, nor of how the image is to be turned: codes, and how often they restart."""
LARGEST_SIDE = 16_384
"""Pixels; more than any camera has, and what is sized by an image still fits into memory."""
NO_DEPTH = 65535
"""Written by some sensors, beside 0, for a pixel without a reading."""
PGM_HEAD = re.compile(rb"P[25]" + 3 * rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,5})", re.ASCII)
"""How a PGM begins, up to the greatest value that its pixels may have; programs write comments into it."""
LONGEST_HEAD = 4096
"""Bytes."""
DEPTH_TYPES = "16 bits a pixel, or meters as floating-point numbers"
AVERAGE = 4
"""Pillow's number of the filter that averages."""
RECTIFIED = 16
"""Pixels across a cell, of which a fisheye image's brightness is averaged once it is rectified."""
ORIENTATION, UPRIGHT = 0x0112, (0, 1)
"""EXIF's tag for how a viewer must turn an image, and its values for not at all."""


def image_size(root: Path, path: str) -> tuple[int, int]:
    """Width and height, as shown, of an image that is there to its end; pixels are decoded only to find that out."""
    with files.reading(path), _stream(root, path) as stream:
        head = stream.read(LONGEST_HEAD)
        size = _plain_jpeg_size(head)
        if size is None:
            stream.seek(0)
            size = _opened(path, stream, None)
        marker = END_MARKERS.get(head[:2])
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - TAIL))
        if marker is None or marker not in stream.read():
            stream.seek(0)
            try:
                _opened(path, stream, _decode)
            except InputError:
                raise InputError(path, "the image is cut off", "unreadable_image") from None
    return ImageFile.of(path).turned_size(size)


def _plain_jpeg_size(head: bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG that begins as cameras and programs write them, in a tenth of Pillow's time; None of
    whatever else, and where anything is odd: Pillow says what is wrong with it."""
    if not head.startswith(JPEG_START):
        return None
    at, size = len(JPEG_START) - 2, None
    while at + 4 <= len(head) and head[at] == 0xFF:
        kind, length = head[at + 1], int.from_bytes(head[at + 2 : at + 4])
        segment = head[at + 4 : at + 2 + length]
        if length < 2 or len(segment) != length - 2:
            return None
        if kind == JPEG_SCAN:
            return size
        if kind == JPEG_TABLES:
            # Tables of 64 bytes, each behind one that says so.
            if not segment or len(segment) % 65 or max(segment[::65]) > 0x0F:
                return None
        elif kind in JPEG_FRAMES:
            if size is not None or len(segment) < 6 or segment[0] != 8 or segment[5] not in (1, 3):
                return None
            if len(segment) != 6 + 3 * segment[5]:
                return None
            size = int.from_bytes(segment[3:5]), int.from_bytes(segment[1:3])
            if not 0 < min(size) <= max(size) <= LARGEST_SIDE:
                return None
        elif kind not in JPEG_PASSED or (kind == JPEG_JFIF and at + 2 != len(JPEG_START)):
            return None
        at += 2 + length
    return None


def size_told(root: Path, path: str) -> tuple[int, int]:
    """Width and height, as shown, by how an image begins: of a deflated one the rest is not inflated.

    Whether it is there to its end is left to whoever opens it.
    """
    place = ImageFile.of(path)
    if place.inflated is not None:
        with files.reading(path):
            beginning = place.beginning(root, LONGEST_HEAD)
        # What is longer before the pixels begin is rare, and what is no image is told by looking at it whole.
        with suppress(InputError):
            return place.turned_size(_opened(path, io.BytesIO(beginning), None))
    return image_size(root, path)


def _decode(image: Any) -> None:
    image.load()


def read_image(root: Path, path: str, mode: str | None = None) -> NDArray[Any]:
    """A decoded image (H, W) or (H, W, C) as it is shown, in PIL's `mode` where one is given."""
    pixels: list[NDArray[Any]] = []
    shown = ImageFile.of(path).shown
    with files.reading(path), _stream(root, path) as stream:
        _opened(
            path,
            stream,
            lambda image: pixels.append(np.asarray(shown(image if mode is None else image.convert(mode)))),
        )
    return pixels[0]


def read_depth(root: Path, path: str, size: tuple[int, int], unit: float) -> NDArray[np.float32]:
    """Meters (H, W) of a depth image for one of a size (width, height), 0 where there is no reading.

    `unit` is that of whole numbers, meters.
    """
    raw = read_image(root, path)
    if raw.ndim != 2:
        raise InputError(path, f"{raw.shape[2]} values a pixel, not depth of {DEPTH_TYPES}", "malformed_file")
    if raw.shape != size[::-1]:
        raise InputError(
            path, f"{raw.shape[1]} x {raw.shape[0]} depth for a {size[0]} x {size[1]} image", "contradiction"
        )
    if raw.dtype.kind == "f":
        return np.where(np.isfinite(raw) & (raw > 0), raw, 0).astype(np.float32)
    if raw.dtype.itemsize < 2:
        raise InputError(
            path, f"{8 * raw.dtype.itemsize} bits a pixel, not depth of {DEPTH_TYPES}", "malformed_file"
        )
    raw = _as_written(root, path, raw)
    if raw.min(initial=0) < 0 or raw.max(initial=0) > NO_DEPTH:
        raise InputError(
            path, f"depths run to {raw.max()} steps, not depth of {DEPTH_TYPES}", "malformed_file"
        )
    return np.where(raw == NO_DEPTH, 0, raw).astype(np.float32) * np.float32(unit)


def _as_written(root: Path, path: str, raw: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers as they stand in a file: of a PGM, Pillow stretches them up to the greatest of 16 bits."""
    with files.reading(path), _stream(root, path) as stream:
        head = PGM_HEAD.match(stream.read(LONGEST_HEAD))
    greatest = NO_DEPTH if head is None else int(head[3])
    return raw if greatest >= NO_DEPTH else np.rint(raw * (greatest / NO_DEPTH)).astype(np.int32)


def read_gray(root: Path, path: str, size: tuple[int, int]) -> NDArray[np.float64]:
    """Brightness of an image averaged over a grid of (columns, rows), as (rows, columns); JPEGs are decoded small."""
    pixels: list[NDArray[Any]] = []

    place = ImageFile.of(path)
    stored = place.turned_size(size)

    def shrink(image: Any) -> None:
        image.draft("L", stored if place.lens is None else (RECTIFIED * stored[0], RECTIFIED * stored[1]))
        gray = image.convert("L")
        # A lens bends what lies inside of a cell, so that it is averaged as it is shown.
        small = (
            place.shown(gray).resize(size, AVERAGE)
            if place.lens
            else place.shown(gray.resize(stored, AVERAGE))
        )
        pixels.append(np.asarray(small, np.float64))

    with files.reading(path), _stream(root, path) as stream:
        _opened(path, stream, shrink)
    return pixels[0]


def program_of(root: Path, path: str) -> str | None:
    """The program that an image says it was made by, in a PNG's `Software`, a JPEG's or a video's comment; None of
    others."""
    said: list[Any] = []
    place = ImageFile.of(path)
    try:
        if place.frame is not None:
            with files.reading(path):
                return videos.opened(root / place.path).comment
        with files.reading(path), _stream(root, path) as stream:
            _opened(
                path, stream, lambda image: said.append(image.info.get("Software", image.info.get("comment")))
            )
    except InputError:
        return None
    text = said[0].decode("utf-8", "replace") if isinstance(said[0], bytes) else said[0]
    return text.strip() if isinstance(text, str) else None


def _stream(root: Path, path: str) -> BinaryIO:
    """The bytes of an image, from its first on: of its own file, or of a recording that holds it."""
    place = ImageFile.of(path)
    return (root / place.path).open("rb") if place.is_whole_file else io.BytesIO(place.read(root))


def _opened(path: str, stream: BinaryIO, use: Any) -> tuple[int, int]:
    """The image's size, after `use` was called with it."""
    from PIL import Image, TiffImagePlugin  # noqa: F401  Pillow knows TIFF once its module is imported

    try:
        with warnings.catch_warnings():
            # Sizes are judged here.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(stream, formats=FORMATS)
        with image:
            size = image.size
            orientation = _orientation(image)
            if max(size) > LARGEST_SIDE:
                raise InputError(
                    path, f"{size[0]} x {size[1]} pixels, more than {LARGEST_SIDE} on a side",
                    "unreadable_image",
                )  # fmt: skip
            if use is not None:
                use(image)
    except InputError:
        raise
    except MemoryError:
        raise
    except Exception:
        # Pillow raises whatever its parsers trip over.
        raise InputError(path, "not a readable image", "unreadable_image") from None
    if orientation not in UPRIGHT:
        raise InputError(
            path,
            f"EXIF says that viewers turn the image (orientation {orientation}), and nothing says whether the "
            "poses mean it turned or not: write the pixels as they are meant, without the tag",
            "contradiction",
        )
    return size


def _orientation(image: Any) -> Any:
    # Reading EXIF takes as long as opening an image, and most have none.
    return image.getexif().get(ORIENTATION, 1) if "exif" in image.info else 1
