"""Marks on images: points and boxes on the 0-1000 grid, and where they go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import Indices
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.quantities import GRID_STEPS

GRID = 1000
"""Coordinates in questions are integers from 0 to this, x by width and y by height, each by itself."""
PIXEL_CENTER = 0.5


class Mark(NamedTuple):
    """Something drawn on an image: a point (x, y) or a box (x0, y0, x1, y1) on the 0-1000 grid."""

    role: str
    shape: str
    color: str
    frame: int
    """Its place among the scene's frames."""
    xy: tuple[int, ...]


def on_grid(facts: SceneFacts, frames: Indices, pixels: Float) -> Float:
    """Pixel positions x, y, x, y, ..., (..., 2 k), on the 0-1000 grid, not rounded; frames fit the leading axes."""
    sizes = np.stack([facts.frames.widths[frames], facts.frames.heights[frames]], axis=-1)
    # In this order what lies halfway between two steps is exactly there.
    values: Float = pixels * GRID / np.concatenate([sizes] * (pixels.shape[-1] // 2), axis=-1)
    return values


def markers(facts: SceneFacts) -> Float:
    """(F, O, 2), grid points, whole numbers, of a pixel that lies on each visible object; NaN where none does."""
    pixels = facts.observed.column("marker") + PIXEL_CENTER
    places = np.arange(len(facts.frames))[:, None]
    # The nearest grid point: a pixel's center is drawn in it again, or beside it.
    points: Float = np.floor(on_grid(facts, places, pixels) + 0.5)
    return points


def boxes(facts: SceneFacts) -> Float:
    """(F, O, 4), boxes of the visible pixels on the grid, not rounded."""
    places = np.arange(len(facts.frames))[:, None]
    return on_grid(facts, places, facts.observed.column("box"))


def marker_gaps(facts: SceneFacts, frames: Indices, first: Indices, second: Indices) -> NDArray[np.float64]:
    """(N,), distances between two objects' markers in a frame each, as shares of the image's width."""
    points = facts.once(markers)
    offsets = points[frames, first] - points[frames, second]
    aspect = facts.frames.heights[frames] / facts.frames.widths[frames]
    gaps: NDArray[np.float64] = np.hypot(offsets[:, 0], offsets[:, 1] * aspect) / GRID
    return gaps


def points(facts: SceneFacts, frame: int, roles: Sequence[tuple[str, int]]) -> list[Mark]:
    """A point on each object, of the color that its role names."""
    found = facts.once(_marker_lists)[frame]
    made = []
    for role, thing in roles:
        x, y = found[thing]
        made.append(Mark(role, "point", role, frame, (int(x), int(y))))
    return made


def _marker_lists(facts: SceneFacts) -> list[list[list[float]]]:
    """`markers` as Python's numbers, which are taken out one by one at a tenth of the cost."""
    lists: list[list[list[float]]] = facts.once(markers).tolist()
    return lists


def box_mark(facts: SceneFacts, frame: int, role: str, thing: int) -> Mark:
    """The box of what is visible of an object, of the color that its role names."""
    x0, y0, x1, y1 = facts.once(_box_lists)[frame][thing]
    return Mark(role, "box", role, frame, (int(x0), int(y0), int(x1), int(y1)))


def _box_lists(facts: SceneFacts) -> list[list[list[float]]]:
    """`boxes` in whole steps, as Python's numbers."""
    lists: list[list[list[float]]] = np.floor(facts.once(boxes) / GRID_STEPS.step + 0.5).tolist()
    return lists
