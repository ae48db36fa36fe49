"""ScanNet's `.sens` recordings: calibration, every frame's pose and where its image lies; nothing is decoded.

Little-endian, one behind the other:

    uint32 version, which is 4; uint64 length and so many bytes, the sensor's name
    four matrices of 16 float32 by rows: intrinsics and extrinsics of color, the same of depth
    int32 compression of color (0 none, 1 PNG, 2 JPEG), int32 of depth
    uint32 width and height of color, of depth; float32 depth units to the meter; uint64 number of frames
    each frame: 16 float32, camera to world; uint64 times of color and depth; uint64 bytes of color and of depth;
        the color image, the depth image
    what the inertial sensor measured, which is not read

A pose that was lost is filled with minus infinity. Depth is not read: ScanNet's scenes have meshes.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spatial_assets.media.image_files import ImageFile
from spatial_assets.scene.model import Float, InputError

VERSION = 4
LONGEST_NAME = 4096
"""Bytes of a sensor's name that are believed; ScanNet's have a dozen."""
MATRICES = 4
SIZES = struct.Struct("<ii4IfQ")
"""Compression of color and depth, their widths and heights, depth units to the meter, frames."""
FRAME = struct.Struct("<16f4Q")
"""Pose, two times, bytes of color and of depth."""
BEGINNINGS = {b"\xff\xd8": 2, b"\x89P": 1}
"""How a JPEG and a PNG begin, and what the header calls them."""


@dataclass(frozen=True)
class Recording:
    """What a recording says of its color camera and of its frames."""

    intrinsics: Float
    """(4, 4), pixels of the color images; the middle of a pixel is a whole number."""
    width: int
    height: int
    poses: Float
    """(N, 4, 4), camera to world, as they stand there."""
    images: tuple[ImageFile, ...]
    """The color image of each frame."""


def read_recording(root: Path, path: str) -> Recording:
    """Raises InputError, naming the frame where it is one, for a file that is cut off or not such a recording."""
    try:
        with (root / path).open("rb") as file:
            return _Reading(path, file.fileno()).recording()
    except FileNotFoundError:
        raise InputError(path, "missing", "missing_file") from None
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}", "unreadable_file") from None


class _Reading:
    """A recording as it is gone through, from header to header: what lies between is skipped."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path, self.descriptor = path, descriptor
        self.size = os.fstat(descriptor).st_size
        self.at = 0

    def recording(self) -> Recording:
        (version,) = self._unpack(struct.Struct("<I"), "header")
        if version != VERSION:
            raise self._error(f"not a .sens recording of version {VERSION}: its first number is {version}")
        (length,) = self._unpack(struct.Struct("<Q"), "header")
        if length > LONGEST_NAME:
            raise self._error(f"not a .sens recording: a sensor's name of {length} bytes")
        self._take(length, "header")
        matrices = np.frombuffer(self._take(MATRICES * 64, "header"), "<f4").reshape(MATRICES, 4, 4)
        kind, _, width, height, _, _, _, count = self._unpack(SIZES, "header")
        if kind not in BEGINNINGS.values():
            raise self._error(f"color images of compression {kind}; read are 1 (PNG) and 2 (JPEG)")
        if not width or not height:
            raise self._error(f"color images of {width} x {height} pixels", "contradiction")
        if count > (self.size - self.at) // FRAME.size:
            raise self._error(f"{count} frames said to be in {self.size} bytes", "contradiction")
        poses = np.empty((count, 16))
        images = []
        for place in range(count):
            poses[place], image = self._frame(f"frame {place} of {count}")
            images.append(image)
        return Recording(
            matrices[0].astype(np.float64), width, height, poses.reshape(-1, 4, 4), tuple(images)
        )

    def _frame(self, where: str) -> tuple[tuple[float, ...], ImageFile]:
        *pose, _, _, color, depth = self._unpack(FRAME, where)
        image = ImageFile(self.path, self.at, color)
        beginning = os.pread(self.descriptor, 2, self.at)
        self.at += color + depth
        if self.at > self.size:
            raise self._cut_off(where)
        if beginning not in BEGINNINGS:
            raise self._error(f"the color image of {where} is neither a JPEG nor a PNG", "unreadable_image")
        return tuple(pose), image

    def _unpack(self, layout: struct.Struct, where: str) -> tuple:
        return layout.unpack(self._take(layout.size, where))

    def _take(self, length: int, where: str) -> bytes:
        data = os.pread(self.descriptor, length, self.at)
        if len(data) < length:
            raise self._cut_off(where)
        self.at += length
        return data

    def _cut_off(self, where: str) -> InputError:
        return self._error(f"cut off in {where}")

    def _error(self, what: str, reason: str = "malformed_file") -> InputError:
        return InputError(self.path, what, reason)
