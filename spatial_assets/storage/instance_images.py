"""Instance-id images as files of the lake: per scene one zip of 16-bit PNGs, which any image viewer opens.

A pixel's value is the instance's id + 1, and 0 where it shows none. The same container holds what a source
may ship in place of a mesh: its own instance images, and depth images in millimeters, 0 = not measured.
"""

from __future__ import annotations

import io
import itertools
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from spatial_assets.scene.model import NO_INSTANCE
from spatial_assets.storage.lake import file_name

KIND = "instance_images.zip"
"""Folder and suffix in the lake: what each frame of the frame sets shows."""
SHIPPED_KIND = "shipped_instances.zip"
"""What a source without a mesh says that its frames show; a reader's scene brings it."""
SHIPPED_DEPTH_KIND = "shipped_depths.zip"
"""The depth images that go with it, where the source has them."""
GREATEST_VALUE = 0xFFFF
"""The largest number that a pixel holds."""
GREATEST_ID = GREATEST_VALUE - 1
"""The largest instance id."""
MILLIMETERS = 1000.0
"""Units of a depth image per meter."""
SUFFIX = ".png"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND\xaeB`\x82"
"""A PNG's last bytes."""
SUB, UP = 1, 2
"""PNG's filters: differences from the pixel to the left, and from the one above."""
ZLIB_LEVEL, ZLIB_WINDOW, ZLIB_MEMORY, ZLIB_STRATEGY = 1, 15, 9, zlib.Z_RLE
"""Least effort: higher levels take twice the time or more for a quarter less bytes. The strategy is for flat patches,
whose differences from the row above are nearly all 0."""


Squeeze = Callable[[NDArray[np.int32], int, int, int], NDArray[np.uint8]]
"""Pixels of an image (flat), its height and width, and what is added to each pixel, to the rows of `gray16_png` as zlib
compresses them; of no length where it cannot say. `geometry.kernels.png_runs.zlib_stream` is one."""
Unfilter = Callable[[NDArray[np.uint8], NDArray[np.uint16]], bool]
"""Fills pixels (H, W) from a PNG's rows (H, 1 + 2 W); False for rows that it does not know.
`geometry.kernels.png_filters.unfiltered` is one."""


def to_png(image: NDArray[np.int32], squeeze: Squeeze | None = None) -> bytes:
    """An image of instance ids (H, W), NO_INSTANCE = none, by `squeeze`, which takes a fourth of the time, or without;
    the bytes are the same.

    Raises ValueError for an id that does not fit.
    """
    height, width = image.shape
    if squeeze is not None and image.size:
        rows = squeeze(image.ravel(), height, width, -NO_INSTANCE)
        if len(rows):
            return png(width, height, rows.tobytes())
    low, high = (int(image.min()), int(image.max())) if image.size else (0, 0)
    if low < NO_INSTANCE or high > GREATEST_ID:
        raise ValueError(f"instance ids must lie in 0..{GREATEST_ID} to fit an image; found {low} to {high}")
    return gray16_png(image + 1)


def gray16_png(values: NDArray[np.generic]) -> bytes:
    """A grayscale PNG of 16 bits a pixel, from values (H, W) in 0..65535. The same values, the same bytes.

    `geometry.kernels.png_runs` writes the same bytes of the rows sooner, and is to be changed with the constants above.

    Written here and not by Pillow, whose filters and chunks are chosen by its version: here both are fixed, so that
    only zlib decides the bytes. And Pillow tries all filters, which takes twice as long.
    """
    height, width = values.shape
    if height == 0 or width == 0:
        raise ValueError(f"an image must have at least one pixel, not {width} x {height}")
    raw = values.astype(np.uint16).astype(">u2").view(np.uint8)
    rows = np.empty((height, 1 + 2 * width), np.uint8)
    rows[:, 0] = UP
    rows[0, 1:] = raw[0]
    np.subtract(raw[1:], raw[:-1], out=rows[1:, 1:])
    squeeze = zlib.compressobj(ZLIB_LEVEL, zlib.DEFLATED, ZLIB_WINDOW, ZLIB_MEMORY, ZLIB_STRATEGY)
    return png(width, height, squeeze.compress(rows.data) + squeeze.flush())


def png(width: int, height: int, rows: bytes) -> bytes:
    """The file around rows of 16 bits a pixel, which are filtered and compressed as zlib does."""
    parts = ((b"IHDR", _header(width, height)), (b"IDAT", rows), (b"IEND", b""))
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def _header(width: int, height: int) -> bytes:
    return struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)


def unfiltered(rows: NDArray[np.uint8], pixels: NDArray[np.uint16]) -> bool:
    """An Unfilter, of rows (H, 1 + 2 W) and pixels (H, W), for rows that are all filtered one way, by numpy alone."""
    height, width = pixels.shape
    filters, differences = rows[:, 0], rows[:, 1:]
    if (filters == UP).all():
        found = differences.copy()
        for above, row in itertools.pairwise(found):
            np.add(above, row, out=row)
    elif (filters == SUB).all():
        steps = differences.reshape(height, width, 2)
        found = np.add.accumulate(steps, axis=1, dtype=np.uint8).reshape(height, 2 * width)
    else:
        return False
    pixels[:] = found.view(">u2")
    return True


def _unpacked(png: bytes, unfilter: Unfilter = unfiltered) -> NDArray[np.uint16] | None:
    """(H, W) of a file by `png` whose rows are filtered as `unfilter` knows; None for whatever else, and for what is
    damaged.

    Pillow takes a sixth to two fifths longer.
    """
    view = memoryview(png)
    if len(view) < 57 or view[:8] != SIGNATURE or view[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", view, 16)
    (length,) = struct.unpack_from(">I", view, 33)
    whole = view[8:16] == b"\0\0\0\x0dIHDR" and view[16:29] == _header(width, height)
    if not whole or view[37:41] != b"IDAT" or len(view) != 57 + length or view[-12:] != END:
        return None
    for begin, end in ((12, 29), (37, 41 + length)):
        if zlib.crc32(view[begin:end]) != struct.unpack_from(">I", view, end)[0]:
            return None
    size = height * (1 + 2 * width)
    try:
        # Flat patches are long runs, which zlib copies byte by byte, in three times the time.
        unpacker = zlib_ng.decompressobj()
        data = unpacker.decompress(view[41 : 41 + length], size + 1)
    except zlib_ng.error:  # type: ignore[misc]  # its stubs call it a value
        return None
    if not size or len(data) != size or not unpacker.eof:
        return None
    rows = np.frombuffer(data, np.uint8).reshape(height, 1 + 2 * width)
    pixels = np.empty((height, width), np.uint16)
    return pixels if unfilter(rows, pixels) else None


def pack(pngs: Mapping[str, bytes]) -> bytes:
    """One file's bytes from PNGs by frame: stored as they are, sorted, without times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for frame in sorted(pngs):
            # A fresh ZipInfo is dated 1980; who made it must not depend on the machine either.
            entry = zipfile.ZipInfo(file_name(frame) + SUFFIX)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, pngs[frame])
    return buffer.getvalue()


class ImageArchive:
    """A scene's images by frame, read one at a time. Use in a `with` statement; not for several threads at
    once.

    Raises ValueError for a file that `pack` did not make.
    """

    def __init__(self, path: Path, unfilter: Unfilter = unfiltered) -> None:
        self.path = path
        self._unfilter = unfilter
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise ValueError(f"{path.name} is not an archive of images: {error}") from None
        self.frames = tuple(unquote(name.removesuffix(SUFFIX)) for name in self._zip.namelist())
        """Their names, sorted."""

    def __enter__(self) -> ImageArchive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def png(self, frame: str) -> bytes:
        """The file itself. Raises KeyError for a frame that is not there."""
        return self._zip.read(file_name(frame) + SUFFIX)

    def instances(self, frame: str) -> NDArray[np.int32]:
        """(H, W), the instance at each pixel, NO_INSTANCE = none. Errors as in `png`."""
        return np.subtract(self._values(frame), 1, dtype=np.int32)

    def depth(self, frame: str) -> NDArray[np.float32]:
        """(H, W), meters, 0 = not measured. Errors as in `png`."""
        return np.divide(self._values(frame), MILLIMETERS, dtype=np.float32)

    def _values(self, frame: str) -> NDArray[np.uint16]:
        from PIL import Image, UnidentifiedImageError

        try:
            png = self.png(frame)
            if (own := _unpacked(png, self._unfilter)) is not None:
                return own
            with Image.open(io.BytesIO(png)) as image:
                if not image.mode.startswith("I"):
                    raise ValueError(f"its mode is {image.mode}")
                return np.asarray(image).astype(np.uint16)
        except (OSError, SyntaxError, ValueError, UnidentifiedImageError, zipfile.BadZipFile) as error:
            raise ValueError(f"{self.path.name}: {frame} is not a 16-bit grayscale PNG: {error}") from None
