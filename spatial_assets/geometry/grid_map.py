"""Cognitive maps: where a scene's objects lie on a 10 x 10 grid seen from above, as VSI-Bench asks models to say.

The benchmark's own maps were never released; its authors describe them in a sentence: each object's center,
the height dropped, x and y normalized into the grid. What they left open is settled here: the grid covers the
room's extent, each axis by itself; x runs with the world's x and y with the world's y; cells count from 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from spatial_assets.scene.model import Float

GRID = 10
"""Cells along each axis of VSI-Bench's maps."""


def grid_positions(centers: Float, low: Float, high: Float, cells: int = GRID, stretch: bool = True) -> Float:
    """Where points lie on a grid over an extent.

    With `stretch` each axis fills the grid by itself; without, the longer one does and the other keeps its
    proportion, in the grid's middle. What lies outside the extent is put on its border.

    Parameters
    ----------
    centers : (N, 2) or more columns, of which x and y count, meters.
    low, high : (2,), meters, the extent's corners. cells : along each axis.

    Returns
    -------
    (N, 2) : in cells, from 0 to `cells`.

    Raises
    ------
    ValueError : the extent is empty along an axis.
    """
    extent = np.asarray(high, np.float64) - low
    if not (extent > 0).all():
        raise ValueError(f"an extent must be positive, not {extent.tolist()}")
    scale = extent if stretch else np.full(2, extent.max())
    shares = (np.asarray(centers, np.float64)[:, :2] - (low + extent / 2)) / scale + 0.5
    positions: Float = np.clip(shares, 0.0, 1.0) * cells
    return positions


def cells_of(positions: Float, cells: int = GRID) -> np.ndarray:
    """Cells that positions lie in; the extent's far border belongs to the last cell.

    Parameters
    ----------
    positions : (N, 2), as `grid_positions` gives them.

    Returns
    -------
    (N, 2) : int64, counted from 0.
    """
    return np.minimum(np.floor(positions).astype(np.int64), cells - 1)


def cell_margins(positions: Float, cells: int = GRID) -> Float:
    """How far positions are from the nearest border between two cells.

    Parameters
    ----------
    positions : (N, 2), as `grid_positions` gives them.

    Returns
    -------
    (N,) : in cells.
    """
    distances = np.abs(positions[:, :, None] - np.arange(1, cells)).min(axis=2, initial=float(cells))
    margins: Float = distances.min(axis=1)
    return margins


def as_dict(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[list[int]]]:
    """Rows of one scene as VSI-Bench's prompts write a map: category to the cells [x, y] of its instances.

    Categories stand in alphabetical order, instances by their ids; two in one cell are both named.
    """
    found: dict[str, list[list[int]]] = {}
    for row in sorted(rows, key=lambda row: (row["category"], row["instance"])):
        found.setdefault(row["category"], []).append([row["cell_x"], row["cell_y"]])
    return found


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """`as_dict` as one line of JSON."""
    return json.dumps(as_dict(rows), ensure_ascii=False)
