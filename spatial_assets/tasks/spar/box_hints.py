"""What boxes alone suggest of how far the objects in them are: where each reaches, how large it is, beside the others.

Low in an image is near, on one floor; large is near, of things of one size. Features are whole numbers, of a box and
of the box beside the three others, so that a forest over them (`tasks.core.forests`) says what a reader of the numbers
could learn, to the last digit the same on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.tasks.core.candidates import Indices
from spatial_assets.tasks.core.forests import forest_of
from spatial_assets.tasks.core.marks import GRID
from spatial_assets.tasks.core.priors import weighed

VALUES = ("top", "bottom", "center", "sideways", "edge", "width", "height", "area", "aspect")
"""Of one box: its rows, how far its middle is from the image's, its nearer side from the border, and its sizes.

Rows and columns in grid steps, centers and middles in halves of one, sizes in sixteenths of an octave.
"""
BESIDE = ("", "_less", "_between", "_more", "_all", "_near")
"""Of each value: itself, the others less it from the least to the greatest, their sum, and how far the nearest is."""
AMONG = (
    "column_near", "column_far", "columns", "apart_near", "apart_far", "apart", "covered", "covers",
    "image", "beside", "lower", "larger",
)  # fmt: skip
"""How far the others are, in columns and in both; hundredths of the box that one other covers, and the box of it; which
image it is in, how many others are in it, and how many of these reach lower and are larger."""
FEATURES = (*(f"{value}{words}" for value in VALUES for words in BESIDE), *AMONG, "asked")
"""What each number of `features` is; `asked` is the place of what is asked for among `fours.superlatives`."""
OCTAVE = 16
SCALE = np.ceil(2.0 ** (np.arange(20 * OCTAVE + 1) / OCTAVE)).astype(np.int64)
"""The least whole number of each sixteenth of an octave, up to the area of the whole grid."""
DECIMALS = 9
"""Of chances: what is kept must not depend on how a processor computes the last digits of an exponential."""


@kernel
def features(asked: Indices, boxes: Indices, places: Indices, scale: Indices) -> Indices:
    """(M, 4, F), the FEATURES of each of four boxes; a mirrored image has the same.

    Parameters
    ----------
    asked : (M,) array
        Places among `fours.superlatives`.
    boxes : (M, 4, 4) array
        Left, top, right, bottom of each of four boxes, in whole grid steps.
    places : (M, 4) array
        Which of the images each is in.
    scale : (S,) array
        SCALE.
    """
    values = np.empty((4, 9), np.int64)
    others = np.empty(3, np.int64)
    out = np.empty((len(boxes), 4, 67), np.int64)
    for row in range(len(boxes)):
        for one in range(4):
            left, top, right, bottom = boxes[row, one]
            width, height = max(right - left, 1), max(bottom - top, 1)
            values[one, 0], values[one, 1], values[one, 2] = top, bottom, top + bottom
            values[one, 3], values[one, 4] = abs(left + right - GRID), min(left, GRID - right)
            values[one, 5] = np.searchsorted(scale, width, "right") - 1
            values[one, 6] = np.searchsorted(scale, height, "right") - 1
            values[one, 7] = np.searchsorted(scale, width * height, "right") - 1
            values[one, 8] = values[one, 5] - values[one, 6]
        for one in range(4):
            to = out[row, one]
            for value in range(9):
                count = 0
                for other in range(4):
                    if other != one:
                        others[count] = values[other, value] - values[one, value]
                        count += 1
                others.sort()
                at = value * 6
                to[at], to[at + 4], to[at + 5] = values[one, value], others.sum(), np.abs(others).min()
                for rank in range(3):
                    to[at + 1 + rank] = others[rank]
            _among(boxes[row], places[row], one, to[54:66])
            to[66] = asked[row]
    return out


@kernel
def _among(boxes: Indices, places: Indices, one: int, to: Indices) -> None:
    """Fills in the numbers AMONG the others."""
    left, top, right, bottom = boxes[one]
    area = max((right - left) * (bottom - top), 1)
    to[:] = 0
    to[0] = to[3] = 8 * GRID
    to[8] = places[one]
    for other in range(4):
        if other == one:
            continue
        left_there, top_there, right_there, bottom_there = boxes[other]
        column = abs(left + right - left_there - right_there)
        apart = column + abs(top + bottom - top_there - bottom_there)
        to[0], to[1], to[2] = min(to[0], column), max(to[1], column), to[2] + column
        to[3], to[4], to[5] = min(to[3], apart), max(to[4], apart), to[5] + apart
        if places[other] != places[one]:
            continue
        area_there = max((right_there - left_there) * (bottom_there - top_there), 1)
        across = max(min(right, right_there) - max(left, left_there), 0)
        common = across * max(min(bottom, bottom_there) - max(top, top_there), 0)
        to[6], to[7] = max(to[6], 100 * common // area), max(to[7], 100 * common // area_there)
        to[9] += 1
        to[10] += bottom_there > bottom
        to[11] += area_there > area


def chances(
    suite: str, task: str, asked: int, boxes: Sequence[Sequence[int]], places: Sequence[int]
) -> list[float]:
    """How likely each of four boxes is the one that is asked for, by a task's forest.

    Parameters
    ----------
    suite, task : str
        Whose forest it is.
    asked : int
        A place among `fours.superlatives`.
    boxes : (4, 4). places : (4,)
        As for `features`.
    """
    found = features(np.array([asked]), np.array([boxes]), np.array([places]), SCALE)[0]
    scores = forest_of(suite, task, FEATURES).scores(found)
    likely: list[float] = np.round(weighed(scores), DECIMALS).tolist()
    return likely
