"""The table of rooms: a row of it as arrays, and the free floor as it holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float

FREE, TAKEN = ".", "#"


@dataclass(frozen=True)
class Room:
    """A row of the table."""

    floor: float
    area: float
    area_low: float
    area_high: float
    seen_area: float
    walled: float
    low: Float
    """(2,)"""
    high: Float
    """(2,)"""
    cell: float
    origin: Float
    """(2,)"""
    free: NDArray[np.bool_]
    """(rows along y, columns along x)."""


def read_room(row: dict[str, Any]) -> Room:
    lines = row["free"]
    free = np.frombuffer("".join(lines).encode(), np.uint8) == ord(FREE)
    return Room(
        floor=row["floor"],
        area=row["area"],
        area_low=row["area_low"],
        area_high=row["area_high"],
        seen_area=row["seen_area"],
        walled=row["walled"],
        low=np.array(row["low"]),
        high=np.array(row["high"]),
        cell=row["cell"],
        origin=np.array(row["origin"]),
        free=free.reshape(len(lines), len(lines[0]) if lines else 0),
    )


def write_free(free: NDArray[np.bool_]) -> list[str]:
    """The free floor as the table holds it.

    Parameters
    ----------
    free : (rows along y, columns along x).
    """
    return ["".join(FREE if cell else TAKEN for cell in line) for line in free.tolist()]
