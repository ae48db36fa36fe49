"""The deflate kernels: whatever the bytes, zlib unpacks them, and codes are short and never too long."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_assets.geometry.kernels import deflate


def packed(rows, height, width):
    return deflate.deflate(np.append(rows, np.zeros(deflate.SPARE, np.uint8)), height, width).tobytes()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.tuples(st.integers(1, 90), st.integers(1, 400)), st.sampled_from([1, 2, 9, 256])
)  # fmt: skip
def test_zlib_unpacks_any_bytes(seed, shape, kinds):
    height, width = shape
    rows = np.random.default_rng(seed).integers(0, kinds, height * (1 + 2 * width)).astype(np.uint8)
    assert zlib.decompress(packed(rows, height, width), -zlib.MAX_WBITS) == rows.tobytes()


@pytest.mark.parametrize("rows_back", [1, 10, 31, 32, 33, 40])
def test_repetitions_reach_as_far_as_they_may(rows_back):
    """What is repeated from further back than deflate's window must not be."""
    width, height = 512, 80
    block = np.random.default_rng(1).integers(0, 256, (rows_back, 1 + 2 * width)).astype(np.uint8)
    rows = np.tile(block, (height // rows_back + 1, 1))[:height].ravel()
    found = packed(rows, height, width)
    assert zlib.decompress(found, -zlib.MAX_WBITS) == rows.tobytes()
    within = rows_back * (1 + 2 * width) <= deflate.REACH
    assert (len(found) < 0.6 * len(rows)) == within


@pytest.mark.parametrize("longest", [5, 7, 15])
@pytest.mark.parametrize("size", [1, 2, 3, 19, 30])
def test_codes_fill_what_there_is_and_are_not_too_long(longest, size):
    counts = np.ones(size, np.int64)
    for place in range(2, size):
        counts[place] = counts[place - 1] + counts[place - 2]
    lengths = np.zeros(size, np.uint8)
    deflate.code_lengths(counts, longest, lengths)
    assert lengths.min() >= 1 and lengths.max() <= longest
    assert size == 1 or sum(0.5 ** int(length) for length in lengths) == 1
    assert (np.diff(lengths.astype(int)) <= 0).all()


def test_codes_are_the_shortest():
    """Counts of the textbook's example, and what does not occur has no code."""
    lengths = np.full(8, 9, np.uint8)
    deflate.code_lengths(np.array([45, 13, 0, 12, 16, 9, 0, 5]), 15, lengths)
    assert lengths.tolist() == [1, 3, 0, 3, 3, 4, 0, 4]


def test_depths_that_are_none_become_zero():
    rows = np.empty(1 + 2 * 6 + deflate.SPARE, np.uint8)
    distances = np.array([1.0, np.nan, -1.0, np.inf, 3.0, 0.5])
    deflate.depth_rows(distances, np.ones(1), 2.0, 1000.0, 1, 6, rows)
    pixels = np.add.accumulate(rows[1:13].reshape(6, 2), axis=0, dtype=np.uint8)
    assert pixels.ravel().view(">u2").tolist() == [1000, 0, 0, 0, 0, 500]
    assert rows[0] == deflate.LEFT and not rows[13:].any()
