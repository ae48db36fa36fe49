"""Rows of the table of viewpoints: which of them have a panorama."""

from __future__ import annotations

import polars as pl


def panoramas_of(viewpoints: pl.DataFrame) -> dict[str, tuple[str | None, list[float] | None]]:
    """By viewpoint the first image of its panorama, and its axes; None where it has none."""
    columns = viewpoints.select("viewpoint", "panorama", "panorama_axes").iter_rows()
    return {name: (first, axes) for name, first, axes in columns}
