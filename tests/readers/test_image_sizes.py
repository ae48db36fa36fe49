"""Sizes of JPEGs told from how they begin are those that Pillow tells, and what is odd is left to Pillow."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spatial_assets.readers import source_images
from spatial_assets.scene.model import InputError


def jpeg(width: int, height: int, mode: str = "RGB", **options: object) -> bytes:
    pixels = np.random.default_rng(width).integers(0, 255, (height, width), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(written, "JPEG", **options)
    return written.getvalue()


def by_pillow(data: bytes) -> tuple[int, int] | None:
    try:
        return source_images._opened("a.jpg", io.BytesIO(data), None)
    except InputError:
        return None


PLAIN = {
    "color": jpeg(64, 48),
    "gray": jpeg(7, 300, "L"),
    "progressive": jpeg(40, 30, progressive=True, optimize=True),
    "coarse": jpeg(1, 1, quality=5),
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_a_plain_one_is_told_without_pillow(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = by_pillow(data)
    monkeypatch.setattr(source_images, "_opened", None)
    (tmp_path / "a.jpg").write_bytes(data)
    assert source_images.image_size(tmp_path, "a.jpg") == wanted is not None


def test_what_may_say_more_is_left_to_pillow() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    for data in (
        jpeg(9, 5, exif=turned),
        jpeg(9, 5, comment=b"by hand"),
        jpeg(9, 5, "CMYK"),
        b"\xff\xd8\xff",
    ):
        assert source_images._plain_jpeg_size(data) is None


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_damaged_ones_are_no_smaller_or_larger_than_pillow_says(data: bytes) -> None:
    drawn = random.Random(1)
    for _ in range(400):
        damaged = bytearray(data)
        for _ in range(drawn.randint(1, 3)):
            damaged[drawn.randrange(len(damaged))] = drawn.choice(
                [0, 0xC0, 0xDA, 0xE1, 0xFF, drawn.randrange(256)]
            )
        told = source_images._plain_jpeg_size(bytes(damaged[: source_images.LONGEST_HEAD]))
        assert told is None or told == by_pillow(bytes(damaged))
