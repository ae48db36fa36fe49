"""Rows of instance images are compressed to the very bytes that zlib makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_assets.geometry.kernels.png_runs import zlib_stream
from spatial_assets.storage import instance_images


def patches(rng: np.random.Generator, greatest: int, times: tuple[int, int]) -> np.ndarray:
    small = rng.integers(-1, greatest + 1, rng.integers(1, 30, 2))
    return np.repeat(np.repeat(small, times[0], 0), times[1], 1).astype(np.int32)


def same_bytes(image: np.ndarray) -> None:
    image = np.ascontiguousarray(image, np.int32)
    assert instance_images.to_png(image, zlib_stream) == instance_images.to_png(image)


@pytest.mark.parametrize("greatest", [-1, 0, 3, 255, 256, 5_000, instance_images.GREATEST_ID])
def test_images_of_patches(greatest: int) -> None:
    rng = np.random.default_rng(greatest + 1)
    for times in ((1, 1), (1, 7), (9, 1), (3, 40), (20, 33)):
        for _ in range(6):
            same_bytes(patches(rng, greatest, times))


def test_images_of_one_instance_and_of_one_pixel() -> None:
    for value in (-1, 0, 254, 255, 65_534):
        for shape in ((1, 1), (1, 300), (300, 1), (480, 640), (2, 129), (2, 130)):
            same_bytes(np.full(shape, value))


def test_an_image_of_many_blocks() -> None:
    rng = np.random.default_rng(1)
    speckled = np.where(rng.random((400, 640)) < 0.3, rng.integers(-1, 40, (400, 640)), 7)
    assert len(zlib_stream(speckled.astype(np.int32).ravel(), 400, 640, 1)) > 3 * 32_767
    same_bytes(speckled)


def test_codes_that_would_be_too_long() -> None:
    """Bytes as rare as Fibonacci's numbers make a tree deeper than deflate's codes may be."""
    values, one, other = [], 1, 1
    for value in range(19):
        values += [value] * one
        one, other = other, one + other
    changing = np.random.default_rng(2).permutation(np.array(values))
    # Each pixel's difference from the one above is its own byte.
    same_bytes(np.cumsum(np.stack([np.zeros_like(changing), changing]), axis=0) - 1)
    same_bytes(changing.reshape(1, -1))


def test_what_zlib_stores_is_left_to_zlib() -> None:
    noise = np.random.default_rng(3).integers(-1, 65_535, (64, 64)).astype(np.int32)
    assert len(zlib_stream(noise.ravel(), 64, 64, 1)) == 0
    same_bytes(noise)


@pytest.mark.parametrize("bad", [-2, instance_images.GREATEST_ID + 1])
def test_an_id_that_does_not_fit(bad: int) -> None:
    image = np.zeros((3, 20), np.int32)
    image[2, 11] = bad
    with pytest.raises(ValueError, match="instance ids must lie in"):
        instance_images.to_png(image, zlib_stream)
