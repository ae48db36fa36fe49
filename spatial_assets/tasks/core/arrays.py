"""Columns of tables as arrays, whatever the table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spatial_assets.scene.model import Float

Bools = NDArray[np.bool_]
Indices = NDArray[np.int64]


def places_of(words: pl.Series | pa.Array, names: Sequence[str]) -> Indices:
    """(N,), the place of each of a column's words among the names; -1 where it is none of them."""
    held = words.to_arrow() if isinstance(words, pl.Series) else words
    found = pc.index_in(held, value_set=pa.array(names, held.type))
    places: Indices = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return places


def items_of(series: pl.Series) -> tuple[pa.StructArray, Indices]:
    """The items of a column of lists of structures one after the other, and (N + 1,) where each row's begin."""
    lists = series.to_arrow()
    ends = lists.offsets.to_numpy().astype(np.int64)
    return lists.flatten(), ends - ends[0]


def floats_of(series: pl.Series, count: int, width: int) -> Float:
    """(N, width) of a column of lists."""
    values: Float = (
        series.explode().to_numpy().astype(np.float64).reshape(-1, width) if count else np.zeros((0, width))
    )
    return values
