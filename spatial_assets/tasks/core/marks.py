"""Marks on images: points and boxes on the 0-1000 grid, and where they go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import Indices
from spatial_assets.tasks.core.facts import SceneFacts

GRID = 1000
"""Coordinates in questions are integers from 0 to this, x by width and y by height, each by itself."""
PIXEL_CENTER = 0.5


POINT, BOX = "point", "box"


class Mark(NamedTuple):
    """Something drawn on an image: a point on an object, or the box of what is visible of it."""

    role: str
    shape: str
    color: str
    frame: int
    """Its place among the scene's frames."""
    thing: int
    """Its object's place among the scene's."""


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


class Placed(NamedTuple):
    """Where marks are in their images: all marks' numbers in turn, x, y of a point or x0, y0, x1, y1 of a box."""

    counts: Indices
    """(N,), how many numbers each has."""
    on_grid: Indices
    pixels: Float
    """Before rounding: of a point the middle of its pixel; a box follows edges of pixels."""


def placed(facts: SceneFacts, shapes: Sequence[str], frames: Indices, things: Indices) -> Placed:
    """Where N marks are: a shape each, in frames (N,) on things (N,)."""
    is_box = np.array([shape == BOX for shape in shapes])
    is_point = ~is_box
    counts = np.where(is_box, 4, 2)
    on_grid, pixels = np.empty((2, len(counts), 4))
    which = frames[is_box], things[is_box]
    on_grid[is_box] = np.floor(facts.once(boxes)[which] + 0.5)
    pixels[is_box] = facts.observed.column("box")[which]
    which = frames[is_point], things[is_point]
    on_grid[is_point, :2] = facts.once(markers)[which]
    pixels[is_point, :2] = facts.observed.column("marker")[which] + PIXEL_CENTER
    wanted = np.arange(4) < counts[:, None]
    return Placed(counts, on_grid[wanted].astype(np.int64), pixels[wanted])


def marker_gaps(facts: SceneFacts, frames: Indices, first: Indices, second: Indices) -> NDArray[np.float64]:
    """(N,), distances between two objects' markers in a frame each, as shares of the image's width."""
    points = facts.once(markers)
    offsets = points[frames, first] - points[frames, second]
    aspect = facts.frames.heights[frames] / facts.frames.widths[frames]
    gaps: NDArray[np.float64] = np.hypot(offsets[:, 0], offsets[:, 1] * aspect) / GRID
    return gaps


def points(frame: int, roles: Sequence[tuple[str, int]]) -> list[Mark]:
    """A point on each object, of the color that its role names."""
    return [Mark(role, POINT, role, frame, thing) for role, thing in roles]


def box_mark(frame: int, role: str, thing: int) -> Mark:
    """The box of what is visible of an object, of the color that its role names."""
    return Mark(role, BOX, role, frame, thing)
