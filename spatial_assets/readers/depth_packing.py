"""Depth images as readers hand them to the lake: distances along z or along rays as PNGs of 16 bits, in millimeters."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels import deflate
from spatial_assets.scene.model import Float
from spatial_assets.storage import instance_images

FARTHEST = instance_images.GREATEST_VALUE / instance_images.MILLIMETERS
"""Meters."""
HEAD = b"\x78\x01"
"""Of a zlib stream: a window of 32 KB, least effort."""


def depth_png(distances: NDArray[np.floating], factors: Float, farthest: float = FARTHEST) -> bytes:
    """A PNG of 16 bits a pixel that holds millimeters along z, 0 = none. The same depths, the same bytes.

    Parameters
    ----------
    distances : (H, W), meters. factors : what makes them depths along z, (H, W) or (). farthest : meters along z;
    what lies further is left out, as is what is not positive or no finite number.
    """
    height, width = distances.shape
    if height == 0 or width == 0:
        raise ValueError(f"an image must have at least one pixel, not {width} x {height}")
    if factors.shape not in ((), distances.shape):
        raise ValueError(f"factors {factors.shape} for an image {distances.shape}")
    rows = np.empty(height * (1 + 2 * width) + deflate.SPARE, np.uint8)
    kind = np.float32 if distances.dtype.itemsize <= np.dtype(np.float32).itemsize else np.float64
    deflate.depth_rows(
        _flat(distances, kind), _flat(factors, np.float64), min(farthest, FARTHEST), instance_images.MILLIMETERS,
        height, width, rows,
    )  # fmt: skip
    stream: NDArray[np.uint8] = deflate.deflate(rows, height, width)
    check = zlib.adler32(rows[: -deflate.SPARE].data).to_bytes(4, "big")
    return instance_images.png(width, height, HEAD + stream.tobytes() + check)


def _flat(values: NDArray[np.floating], kind: Any) -> NDArray[Any]:
    flat = np.ascontiguousarray(values, kind).reshape(-1)
    # Some can be written to and some cannot, which would be two kinds of arrays to compile for.
    flat = flat.view()
    flat.flags.writeable = False
    return flat
