"""Depth images packed by readers: every depth comes back to the millimeter, also through another program."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from spatial_assets.geometry.kernels.png_filters import unfiltered
from spatial_assets.readers.depth_packing import depth_png
from spatial_assets.storage import instance_images

ALONG_Z = np.ones(())


def unpacked(tmp_path, png):
    path = tmp_path / "depths.zip"
    path.write_bytes(instance_images.pack({"x": png}))
    with instance_images.ImageArchive(path) as found:
        return found.depth("x")


def room(shape, random):
    """A wall that is seen at a slant, with patches nearer to the camera and pixels that see nothing."""
    height, width = shape
    depth = 3.0 / (1 + 0.3 * np.linspace(-1, 1, width)[None] + 0.1 * np.linspace(-1, 1, height)[:, None])
    for _ in range(3):
        y, x = random.integers(height), random.integers(width)
        depth[y : y + 9, x : x + 12] *= 0.6
    depth[random.random(shape) < 0.02] = 0
    return depth


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_what_is_no_depth_is_left_out(tmp_path, kind):
    depth = np.array([[0.0, np.nan, np.inf], [-np.inf, -1.0, 3.25], [0.0014, 60.0, 62.0]], kind)
    found = unpacked(tmp_path, depth_png(depth, ALONG_Z, farthest=61.0))
    np.testing.assert_allclose(found, [[0, 0, 0], [0, 0, 3.25], [0.001, 60, 0]], rtol=1e-6)


def test_what_fits_no_pixel_is_left_out(tmp_path):
    found = unpacked(tmp_path, depth_png(np.array([[65.535, 65.536, 1e300]]), ALONG_Z, farthest=100.0))
    np.testing.assert_allclose(found, [[65.535, 0, 0]], rtol=1e-6)


def test_distances_along_rays_become_depths_and_these_are_rounded_to_the_nearest(tmp_path):
    random = np.random.default_rng(5)
    distances, factors = room((37, 53), random), random.uniform(0.5, 1, (37, 53))
    for kind in (np.float16, np.float32, np.float64):
        given = distances.astype(kind)
        found = unpacked(tmp_path, depth_png(given, factors))
        expected = np.rint(given.astype(np.float64) * factors * 1000)
        assert np.array_equal(np.rint(found.astype(np.float64) * 1000), expected)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.sampled_from(["room", "noise", "few", "one", "columns", "slope"]),
)
def test_depth_is_unpacked_as_another_program_unpacks_it(seed, shape, what):
    random = np.random.default_rng(seed)
    values = {
        "room": lambda: np.rint(1000 * room(shape, random)),
        "noise": lambda: random.integers(0, 0x10000, shape),
        "few": lambda: random.choice([0, 1, 255, 256, 40_000, 0xFFFF], shape),
        "one": lambda: np.full(shape, random.integers(0, 0x10000)),
        "columns": lambda: np.tile(random.integers(0, 0x10000, shape[1]), (shape[0], 1)),
        "slope": lambda: np.add.outer(np.arange(shape[0]) * 7, np.arange(shape[1]) * 300),
    }[what]()
    png = depth_png(values / 1000, ALONG_Z)
    with Image.open(io.BytesIO(png)) as opened:
        opened.verify()
    with Image.open(io.BytesIO(png)) as opened:
        assert np.array_equal(np.asarray(opened), values)
    own = instance_images._unpacked(png, unfiltered)
    assert own is not None and np.array_equal(own, values)
    assert png == depth_png(values / 1000, np.ones(shape))
    for place in range(0, len(png), 3):
        damaged = bytearray(png)
        damaged[place] ^= 0x10
        assert instance_images._unpacked(bytes(damaged), unfiltered) is None, place


def test_rooms_are_packed_about_as_small_as_by_zlib():
    """The same differences from the left, which lie in the same rows, by zlib's least effort."""
    depth = room((240, 320), np.random.default_rng(2)).astype(np.float16)
    raw = np.rint(depth.astype(np.float64) * 1000).astype(">u2").view(np.uint8)
    rows = np.ones((240, 641), np.uint8)
    rows[:, 1:] = raw
    rows[:, 3:] -= raw[:, :-2]
    assert len(depth_png(depth, ALONG_Z)) < 1.15 * len(zlib.compress(rows.tobytes(), 1))


def test_an_image_without_pixels_and_factors_of_another_are_rejected():
    with pytest.raises(ValueError, match="pixel"):
        depth_png(np.zeros((0, 4)), ALONG_Z)
    with pytest.raises(ValueError, match="factors"):
        depth_png(np.zeros((3, 4)), np.ones((4, 3)))
