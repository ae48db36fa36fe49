"""The depth of an iPhone's recording in ScanNet++, `depth.bin`: all frames one behind the other, found by an index.

It is written in one of two ways, and which of them is seen by whether sizes lead from frame to frame up to the end:

    uint32 bytes of what follows, little-endian; a frame's depth, compressed for itself; and so on
    one raw deflate stream of all frames

A frame has 192 rows of 256 values: float32 meters, deflated without a header, or, where it is compressed for itself,
uint16 millimeters as a block of LZ4.
"""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from spatial_assets.readers import files
from spatial_assets.readers.source_images import NO_DEPTH
from spatial_assets.scene.model import InputError

EXTRA = "spatial-assets[scannetpp]"
"""What brings lz4."""
SIZE = (256, 192)
"""Width and height of every frame."""
SHAPE = SIZE[::-1]
PIXELS = SIZE[0] * SIZE[1]
METERS_BYTES, MILLIMETERS_BYTES = 4 * PIXELS, 2 * PIXELS
"""Of a frame that is not compressed."""
LARGEST_BLOB = METERS_BYTES + METERS_BYTES // 100
"""Bytes of a compressed frame: what cannot be compressed grows by a few bytes in ten thousand."""
BLOB_SIZE = struct.Struct("<I")
MILLIMETER = np.float32(0.001)
CHUNK = 1 << 14
"""Bytes of a deflate stream that are read at a time."""
PLACES = 64
"""At which the inflating of a stream can be taken up again; each takes some 40 KB."""


class Depths(Protocol):
    """The depth of a recording's frames."""

    @property
    def count(self) -> int:
        """Frames."""
        ...

    def meters(self, number: int) -> NDArray[np.float32]:
        """(192, 256), 0 where there is no reading. Raises InputError for a frame that is damaged."""
        ...


def open_depths(root: Path, path: str, most: int) -> Depths:
    """Goes through a file once. Raises InputError for one that is cut off, or holds more than `most` frames."""
    with files.reading(path), (root / path).open("rb") as file:
        offsets = _offsets(path, file)
        if offsets is not None:
            _check_count(path, len(offsets) - 1, most)
            return _Apart(root, path, offsets)
        return _Stream(root, path, file, most)


def _check_count(path: str, count: int, most: int) -> None:
    if count > most:
        raise InputError(path, f"holds more than the {most} frames that there can be", "contradiction")


def _offsets(path: str, file: BinaryIO) -> NDArray[np.int64] | None:
    """Where the sizes of frames stand, and the file's end; None for a stream.

    Raises InputError for frames that are cut off: where the first is one, the file is none of a stream.
    """
    end = os.fstat(file.fileno()).st_size
    if not end:
        raise InputError(path, "empty: no frames in it", "no_frames")
    offsets, at = array("q", [0]), 0
    while at < end:
        head = os.pread(file.fileno(), BLOB_SIZE.size, at)
        length = BLOB_SIZE.unpack(head)[0] if len(head) == BLOB_SIZE.size else 0
        following = at + BLOB_SIZE.size + length
        if not 0 < length <= LARGEST_BLOB or following > end:
            number = len(offsets) - 1
            first = os.pread(file.fileno(), offsets[1] - BLOB_SIZE.size, BLOB_SIZE.size) if number else b""
            if not first or not _is_frame(path, first):
                return None
            told = f"{length} bytes" if length > LARGEST_BLOB or not length else "more bytes than there are"
            raise InputError(
                path, f"cut off or damaged in frame {number}, which takes {told}", "malformed_file"
            )
        at = following
        offsets.append(at)
    return np.frombuffer(offsets, np.int64)


def _is_frame(path: str, blob: bytes) -> bool:
    try:
        _unpacked(path, blob, "")
    except InputError as error:
        if error.reason == "missing_library":
            raise
        return False
    return True


@dataclass(frozen=True)
class _Apart:
    """Frames that are each compressed for themselves."""

    root: Path
    path: str
    offsets: NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.offsets) - 1

    def meters(self, number: int) -> NDArray[np.float32]:
        begin, end = (int(self.offsets[number + i]) for i in range(2))
        with files.reading(self.path), (self.root / self.path).open("rb") as file:
            file.seek(begin + BLOB_SIZE.size)
            blob = file.read(end - begin - BLOB_SIZE.size)
        return _unpacked(self.path, blob, f"frame {number}")


def _unpacked(path: str, blob: bytes, where: str) -> NDArray[np.float32]:
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflating.decompress(blob, METERS_BYTES + 1)
    except zlib.error:
        data = b""
    if len(data) == METERS_BYTES and inflating.eof and not inflating.unused_data:
        return _of_meters(data)
    try:
        from lz4 import block
    except ImportError as error:
        told = f"depth needs lz4, which cannot be imported ({error}); run: pip install '{EXTRA}'"
        raise InputError(path, told, "missing_library") from None
    try:
        data = block.decompress(blob, uncompressed_size=MILLIMETERS_BYTES)
    except (block.LZ4BlockError, ValueError):
        data = b""
    if len(data) != MILLIMETERS_BYTES:
        raise InputError(
            path, f"{where} is neither meters that are deflated nor millimeters in LZ4, of {SIZE[0]} x {SIZE[1]}",
            "malformed_file",
        )  # fmt: skip
    steps = np.frombuffer(data, "<u2").reshape(SHAPE)
    return np.where(steps == NO_DEPTH, 0, steps).astype(np.float32) * MILLIMETER


def _of_meters(data: bytes) -> NDArray[np.float32]:
    values = np.frombuffer(data, "<f4").reshape(SHAPE)
    return np.where(np.isfinite(values) & (values > 0), values, 0).astype(np.float32)


@dataclass
class _Place:
    """A frame's beginning in a stream."""

    number: int
    at: int
    """Bytes of the file that were taken."""
    inflating: Any


class _Stream:
    """Frames in one deflate stream, which is taken up at the nearest of some places, or where it was left."""

    def __init__(self, root: Path, path: str, file: BinaryIO, most: int) -> None:
        self.root, self.path = root, path
        self._places: list[_Place] = []
        place, step = _Place(0, 0, zlib.decompressobj(-zlib.MAX_WBITS)), 1
        while True:
            if place.number % step == 0:
                self._places.append(_Place(place.number, place.at, place.inflating.copy()))
                if len(self._places) > PLACES:
                    step *= 2
                    self._places = self._places[::2]
            if self._next(file, place, True) is None:
                break
            _check_count(path, place.number, most)
        self.count = place.number
        if not self.count:
            raise InputError(path, "no frames in it", "no_frames")
        self._left = self._places[0]

    def meters(self, number: int) -> NDArray[np.float32]:
        known = [place for place in self._places if place.number <= number]
        if known[-1].number < self._left.number <= number:
            place = self._left
        else:
            place = _Place(known[-1].number, known[-1].at, known[-1].inflating.copy())
        with files.reading(self.path), (self.root / self.path).open("rb") as file:
            data = None
            while place.number <= number:
                data = self._next(file, place, False)
                if data is None:
                    raise InputError(self.path, f"frame {number} is gone: written anew", "malformed_file")
        assert data is not None
        self._left = place
        return _of_meters(data)

    def _next(self, file: BinaryIO, place: _Place, is_first: bool) -> bytes | None:
        """The bytes of the frame at a place, which is moved behind it; None at the stream's end."""
        parts: list[bytes] = []
        lacking = METERS_BYTES
        while lacking and not place.inflating.eof:
            file.seek(place.at)
            chunk = file.read(CHUNK)
            try:
                part = place.inflating.decompress(chunk, lacking)
            except zlib.error:
                raise self._damaged(place.number) from None
            left = place.inflating.unconsumed_tail or place.inflating.unused_data
            place.at += len(chunk) - len(left)
            parts.append(part)
            lacking -= len(part)
            if not chunk and not part and not place.inflating.eof:
                raise self._damaged(place.number)
        if lacking == METERS_BYTES:
            if is_first and place.at != os.fstat(file.fileno()).st_size:
                raise InputError(
                    self.path, f"goes on behind its last frame, {place.number - 1}", "malformed_file"
                )
            return None
        if lacking:
            raise self._damaged(place.number)
        place.number += 1
        return b"".join(parts)

    def _damaged(self, number: int) -> InputError:
        if not number:
            return InputError(
                self.path,
                "neither frames that are each compressed nor a deflate stream of them",
                "malformed_file",
            )
        return InputError(self.path, f"cut off or damaged in frame {number}", "malformed_file")
