"""Rows of a PNG are summed up as numpy and Pillow do."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from spatial_assets.geometry.kernels.png_filters import NONE, SUB, UP, unfiltered
from spatial_assets.storage import instance_images


def filtered(values: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Rows (H, 1 + 2 W) of values (H, W), each told by its filter, as the standard has them."""
    raw = values.astype(">u2").view(np.uint8).astype(np.int64)
    above = np.vstack([np.zeros_like(raw[:1]), raw[:-1]])
    left = np.hstack([np.zeros_like(raw[:, :2]), raw[:, :-2]])
    taken = np.choose(filters[:, None], [np.zeros_like(raw), left, above])
    return np.hstack([filters[:, None], (raw - taken) % 256]).astype(np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (17, 33)])
def test_every_filter_by_row(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(shape))
    for filters in (*([known] * shape[0] for known in (NONE, SUB, UP)), rng.integers(0, 3, shape[0])):
        values = rng.integers(0, 1 << 16, shape)
        rows = filtered(values, np.array(filters))
        found = np.zeros(shape, np.uint16)
        assert unfiltered(rows, found)
        assert np.array_equal(found, values)
        whole = instance_images.png(shape[1], shape[0], zlib.compress(rows.tobytes()))
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(whole))), values)
        alone = np.zeros(shape, np.uint16)
        if instance_images.unfiltered(rows, alone):
            assert np.array_equal(alone, values)
        else:
            assert len(set(filters)) > 1 or filters[0] == NONE


def test_other_filters_are_left_to_others() -> None:
    for other in (3, 4, 255):
        rows = np.zeros((3, 9), np.uint8)
        rows[2, 0] = other
        assert not unfiltered(rows, np.zeros((3, 4), np.uint16))
