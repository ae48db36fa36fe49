"""A release's rows on their way from the lake's tables into its own: read whole, parted by scene, written in groups."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spatial_assets.storage.atomic import DamagedTable
from spatial_assets.storage.lake import DAMAGED_ADVICE, undamaged

GROUP_ROWS = 8192
"""Rows of a row group at least: small ones make readers slow, large ones make them read what they skip."""


class Writer:
    """A Parquet file in row groups of whole scenes; no file where there is no row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer: pq.ParquetWriter | None = None
        self.held: list[pa.Table] = []
        self.rows = 0

    def add(self, table: pa.Table) -> None:
        self.held.append(table)
        self.rows += table.num_rows
        if self.rows >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self.held:
            return
        whole = pa.concat_tables(self.held).combine_chunks()
        if self.writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.writer = pq.ParquetWriter(self.path, whole.schema, compression="zstd", compression_level=3)
        self.writer.write_table(whole, row_group_size=whole.num_rows)
        self.held, self.rows = [], 0

    def close(self) -> None:
        self._flush()
        if self.writer is not None:
            self.writer.close()


def read(path: Path, schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
    """Raises DamagedTable for a file that is not whole, or is another table's."""
    with undamaged(path):
        table = pq.read_table(path, columns=list(columns), schema=schema, partitioning=None)
    if table.column("scene").null_count:
        raise DamagedTable(f"{path}: has rows of no scene; {DAMAGED_ADVICE}")
    return table


def borders(scenes: pa.ChunkedArray) -> dict[str, tuple[int, int]]:
    """Start and length of each scene's rows in a table that is sorted by scene."""
    found: dict[str, tuple[int, int]] = {}
    if len(scenes):
        start = 0
        runs = pc.run_end_encode(pa.concat_arrays(scenes.chunks))
        for end, scene in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
            found[scene] = (start, end - start)
            start = end
    return found
