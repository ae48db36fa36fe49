"""Places in images whose coordinates texts print: collected as they are printed, found again in the finished texts.

A task prints a place by a `Printed` and hands that to its question. The text that comes back holds two signs of the
Unicode's private use, one that says which place it is and one that ends it; they go through templates, options and
sentences like any other, and are taken out where rows are made, which then know where each place stands. So a place
can be printed anew by another convention, and nobody has to guess which digits of a text are coordinates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BEGIN, END = 0xE000, 0xF8FF
SIGNS = "".join(map(chr, range(BEGIN, END)))
LAST = chr(END)
SPOT = re.compile(f"([{SIGNS[0]}-{SIGNS[-1]}])([\\d, -]*){LAST}")
"""Nothing but numbers stands in it, so a name that holds such a sign is not taken for one."""
NUMBERS = np.array([ord(sign) for sign in "0123456789, -"], np.uint32)
"""What stands in a place, as the pattern has it."""
SEPARATOR = "\0"

Places = Sequence[tuple[int, Sequence[float]]]
"""Each an image's place among those shown, and a point x, y or a box x0, y0, x1, y1 there."""
Whole = NDArray[np.int64]


class Printed(list[tuple[int, Sequence[float]]]):
    """What a question prints, in order: the frame's place among the scene's, and the coordinates before rounding.

    They are in the unit in which they are printed: `on_grid`, thousandths of width and height, or pixels.
    """

    def __init__(self, on_grid: bool) -> None:
        super().__init__()
        self.on_grid = on_grid

    def box(self, frame: int, corners: Sequence[float]) -> str:
        """A box on the grid: `[330, 548, 387, 710]`."""
        sign = self._sign((frame, corners))
        return f"[{sign}{_corners(corners)}{LAST}]"

    def point(self, frame: int, x: float, y: float) -> tuple[str, str]:
        """A point's two numbers: the nearest of the grid, or the pixel that it lies in.

        Nothing but numbers and punctuation may be put between them.
        """
        sign = self._sign((frame, (x, y)))
        if self.on_grid:
            x, y = x + 0.5, y + 0.5
        return f"{sign}{math.floor(x)}", f"{math.floor(y)}{LAST}"

    def _sign(self, place: tuple[int, Sequence[float]]) -> str:
        """The same for what is printed again."""
        if place in self:
            return SIGNS[self.index(place)]
        self.append(place)
        return SIGNS[len(self) - 1]

    def in_images(self, frames: Sequence[int]) -> Places:
        """The same by the images shown, given as the frames' places. Raises ValueError for one that is not shown."""
        return [(frames.index(frame), xy) for frame, xy in self]


class Spots(NamedTuple):
    """Where places stand in some texts, by text and in their order there; each (N,)."""

    text: Whole
    """Which of the texts."""
    begin: Whole
    end: Whole
    """From and before which character of the clean text."""
    place: Whole
    """Which of the places of the text's question."""


def taken_out(texts: Sequence[str]) -> tuple[list[str], Spots]:
    """Texts without the signs, and where the places stand in them; all texts at once."""
    joined = SEPARATOR.join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    signs = (codes >= BEGIN) & (codes <= END)
    places = np.flatnonzero(signs)
    begins, ends = places[::2], places[1::2]
    bounds = np.flatnonzero(codes == 0)
    # Also what parts two texts: a place begins and ends in one.
    words = np.cumsum(~np.isin(codes, NUMBERS))
    if (
        len(bounds) != len(texts) - 1
        or len(begins) != len(ends)
        or not (codes[begins] < END).all()
        or not (codes[ends] == END).all()
        # The end is such a code itself.
        or (words[ends] - words[begins] != 1).any()
    ):
        # A name holds such signs itself.
        return taken_out_singly(texts)
    text = np.searchsorted(bounds, begins)
    before = np.arange(len(begins)) - np.searchsorted(text, text)
    starts = np.concatenate([[0], bounds + 1])[text] + 2 * before
    clean = codes[~signs].tobytes().decode("utf-32-le", "surrogatepass").split(SEPARATOR)
    return clean, Spots(text, begins - starts, ends - 1 - starts, codes[begins].astype(np.int64) - BEGIN)


def taken_out_singly(texts: Sequence[str]) -> tuple[list[str], Spots]:
    """The same of any texts, one by one."""
    clean, spots = [], []
    for number, text in enumerate(texts):
        # Text, sign, numbers, text, sign, numbers, ..., text.
        parts, at = SPOT.split(text), 0
        for first in range(0, len(parts) - 1, 3):
            begin = at + len(parts[first])
            at = begin + len(parts[first + 2])
            spots.append((number, begin, at, ord(parts[first + 1]) - BEGIN))
        del parts[1::3]
        clean.append("".join(parts))
    return clean, Spots(*np.array(spots, np.int64).reshape(-1, 4).T)


def grid_box(corners: Sequence[float]) -> str:
    """A box x0, y0, x1, y1 on the grid: `[330, 548, 387, 710]`; what lies halfway between two steps goes up."""
    return f"[{_corners(corners)}]"


def _corners(corners: Sequence[float]) -> str:
    x0, y0, x1, y1 = corners
    return f"{math.floor(x0 + 0.5)}, {math.floor(y0 + 0.5)}, {math.floor(x1 + 0.5)}, {math.floor(y1 + 0.5)}"
