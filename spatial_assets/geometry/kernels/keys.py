"""A pixel's key: its nearest face as one 64-bit number, and how to read it.

The inverse depth rounded to 26 bits of mantissa stands above, the complement of the caller's face number below.
The largest key wins, so the winner depends on nothing but the faces that cover the pixel, and equal depths go to
the lower number.
"""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.kernels.cache import numpy_kernel

ID_BITS = 26
ID_MASK = (1 << ID_BITS) - 1
HALF_STEP = 1 << (ID_BITS - 1)


@numpy_kernel
def depth_of(key):
    """Meters, of a key."""
    return 1.0 / np.int64(key & ~ID_MASK).view(np.float64)


@numpy_kernel
def decode(keys, face_id, depth):
    """Splits keys (H * W,) into the caller's face numbers, -1 = none, and depths in meters, inf = none, (H, W) each."""
    width = face_id.shape[1]
    for y in range(face_id.shape[0]):
        row = keys[y * width : (y + 1) * width]
        ids, zs = face_id[y], depth[y]
        for x in range(row.size):
            key = row[x]
            ids[x] = -1 if key == 0 else ID_MASK - (key & ID_MASK)
            zs[x] = 1.0 / np.int64(key & ~ID_MASK).view(np.float64)
