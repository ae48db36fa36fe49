"""Recordings byte by byte, from what Matroska, DEFLATE and LZ4 publish, by no library that reads such files."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

from PIL import Image

Color = tuple[int, int, int]
FRAME_MS = 17
STORED = 0xFFFF
"""Bytes that a stored block of DEFLATE holds at most."""


def element(name: str, data: bytes) -> bytes:
    """Of EBML: its id in hexadecimal digits, its length in eight bytes, what it holds."""
    return bytes.fromhex(name) + (len(data) | 1 << 56).to_bytes(8) + data


def number(name: str, value: int) -> bytes:
    return element(name, value.to_bytes(4))


def matroska(colors: Sequence[Color], times: Sequence[int], size: tuple[int, int] = (64, 48)) -> bytes:
    """A video of plain JPEG images, each of one color, that are shown at times in milliseconds."""
    head = element(
        "1A45DFA3",
        number("4286", 1) + number("42F7", 1) + number("42F2", 4) + number("42F3", 8)
        + element("4282", b"matroska") + number("4287", 4) + number("4285", 2),
    )  # fmt: skip
    track = (
        number("D7", 1) + number("73C5", 1) + number("83", 1) + element("86", b"V_MJPEG")
        + element("E0", number("B0", size[0]) + number("BA", size[1]))
    )  # fmt: skip
    blocks = b"".join(
        element("A3", b"\x81" + struct.pack(">hB", time, 0x80) + jpeg(color, size))
        for color, time in zip(colors, times, strict=True)
    )
    return head + element(
        "18538067",
        element("1549A966", number("2AD7B1", 1_000_000))
        + element("1654AE6B", element("AE", track))
        + element("1F43B675", number("E7", 0) + blocks),
    )


def jpeg(color: Color, size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def deflated(data: bytes) -> bytes:
    """A raw stream of blocks that hold bytes as they are."""
    parts = [data[at : at + STORED] for at in range(0, len(data), STORED)]
    return b"".join(
        bytes([place == len(parts) - 1]) + struct.pack("<HH", len(part), len(part) ^ 0xFFFF) + part
        for place, part in enumerate(parts)
    )


def lz4(data: bytes) -> bytes:
    """A block of one sequence without a match: a length in steps of 255, and bytes as they are."""
    rest = len(data) - 15
    return b"\xf0" + b"\xff" * (rest // 255) + bytes([rest % 255]) + data


def apart(blobs: Sequence[bytes]) -> bytes:
    """Depth of frames that are each compressed for themselves."""
    return b"".join(struct.pack("<I", len(blob)) + blob for blob in blobs)
