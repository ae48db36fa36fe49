"""Which faces each frame shows, as files of the lake: per scene one Parquet file of ascending face ids by frame."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

KIND = "visible_faces.parquet"
"""Folder and suffix in the lake."""
SCHEMA = pa.schema([("frame", pa.string()), ("faces", pa.list_(pa.int32()))])
FRAMES_PER_GROUP = 32
"""Frames held before they are encoded: encoded, faces take an eighth of the room."""


class FacesFile:
    """Makes such a file frame by frame; delta encoding keeps it small."""

    def __init__(self) -> None:
        self.buffer = io.BytesIO()
        self.writer = pq.ParquetWriter(
            self.buffer,
            SCHEMA,
            compression="zstd",
            use_dictionary=False,
            write_statistics=False,
            column_encoding={"frame": "PLAIN", "faces.list.element": "DELTA_BINARY_PACKED"},
        )
        self.waiting: dict[str, NDArray[np.int32]] = {}

    def add(self, frame: str, faces: NDArray[np.int32]) -> None:
        """Keep a frame's face ids (N,), ascending."""
        self.waiting[frame] = faces
        if len(self.waiting) == FRAMES_PER_GROUP:
            self._write()

    def close(self) -> bytes:
        if self.waiting:
            self._write()
        self.writer.close()
        return self.buffer.getvalue()

    def _write(self) -> None:
        offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in self.waiting.values()])])
        flat = pa.array(np.concatenate(list(self.waiting.values())), pa.int32())
        lists = pa.ListArray.from_arrays(offsets.astype(np.int32), flat)
        self.writer.write_table(pa.table([pa.array(list(self.waiting), pa.string()), lists], schema=SCHEMA))
        self.waiting = {}


def read_faces(data: Any) -> dict[str, NDArray[np.int32]]:
    """Ascending face ids (N,) by frame, from a path or a file object."""
    found: dict[str, NDArray[np.int32]] = {}
    for batch in pq.ParquetFile(data).iter_batches():
        lists = batch.column("faces")
        flat, offsets = lists.values.to_numpy(), lists.offsets.to_numpy()
        for i, name in enumerate(batch.column("frame").to_pylist()):
            found[name] = flat[offsets[i] : offsets[i + 1]]
    return found
