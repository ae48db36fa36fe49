"""What the module of an export format offers, and what it is given. Types alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa


class ImageMode(StrEnum):
    """What becomes of the images that questions show."""

    LINK = "link"
    """A symbolic link to the source's image: no bytes, as long as the dataset stays where it is."""
    COPY = "copy"
    """The source's own bytes."""
    DRAW = "draw"
    """Copied, and a new image with the question's marks drawn on it where it has marks."""
    NONE = "none"
    """No images, and none are named."""


class ImageFormat(StrEnum):
    """What the images are written as that an export makes: with marks drawn, out of videos and panoramas, turned."""

    JPEG = "jpeg"
    """An image that was a PNG and is only turned or rectified stays one."""
    PNG = "png"
    WEBP = "webp"

    @property
    def suffix(self) -> str:
        return ".jpg" if self == ImageFormat.JPEG else f".{self.value}"


class Unreviewed(StrEnum):
    """What becomes of a benchmark's questions that no one has accepted or rejected."""

    KEEP = "keep"
    DROP = "drop"


@dataclass(frozen=True)
class Options:
    """How an export is written, whatever its format."""

    images: ImageMode = ImageMode.LINK
    shards: int = 1
    """Files a split."""
    rgbd: bool = False
    """Depth images, poses and intrinsics too."""
    general: Path | None = None
    """A file of JSON records of another dataset, mixed in."""
    general_share: float = 0.6
    """Of the mix; SPAR's own is this."""
    seed: int = 0
    """Of what is drawn from `general`, and of the questions that a benchmark takes."""
    size: str = ""
    """Of a benchmark; empty for all of it."""
    unreviewed: Unreviewed = Unreviewed.KEEP
    coordinates: str = ""
    """How texts print image coordinates, a name of `printed_coordinates.py`; empty for the format's own way."""
    min_pixels: int | None = None
    """Of images as Qwen2.5-VL resizes them; None for its own."""
    max_pixels: int | None = None
    image_format: ImageFormat = ImageFormat.JPEG
    image_store: Path | None = None
    """A folder that exports share, which keeps each image that is made or copied once; None for none."""
    shard_bytes: int | None = None
    """Of a file at most, but for one that a single question fills; None for any size."""


@dataclass(frozen=True)
class Shot:
    """One image of a question."""

    role: str
    frame: str
    image: str | None
    """Relative to the root, with forward slashes; None where the source has none."""
    root: Path | None
    """Of its dataset; None where that is not registered any more."""
    marks: tuple[Mapping[str, Any], ...]
    """What the question draws on it, as in its row; with `pixels` and `size` where the row has them, see `imaging`."""
    intrinsics: tuple[float, ...] = ()
    """3x3 row-major, pixel centers at integer + 0.5; empty where the frame is not built any more."""
    camera_to_world: tuple[float, ...] = ()
    """4x4 row-major, OpenCV camera axes, meters."""
    depths: Path | None = None
    """The lake's archive of the scene's depth images, where its reader made one."""


@dataclass(frozen=True)
class Question:
    """A row of a release, with its split and its images."""

    row: Mapping[str, Any]
    """By column of `scene.tables.QUESTIONS`."""
    split: str
    shots: tuple[Shot, ...]
    """In the order of the row's `frames`."""


class Source(Protocol):
    """The questions that are exported."""

    @property
    def splits(self) -> Mapping[str, int]:
        """How many there are of each split, in the release's order; splits without any are left out."""
        ...

    def questions(self, split: str, columns: Collection[str] = ()) -> Iterator[Question]:
        """Those of a split, by task, dataset, release and scene; of their rows all columns, or those named.

        Marks of images say where they are before rounding if `mark_pixels` and `sizes` are read.
        """
        ...


class ColumnSource(Source, Protocol):
    """The same as columns too, for formats that write them without making each row an object."""

    def batches(self, split: str, columns: Collection[str]) -> Iterator[pa.Table]:
        """The same in the same order as tables with these columns and those that `shown` reads; null where a column is
        younger than the release."""
        ...

    def shown(self, rows: pa.Table, split: str) -> Iterator[Question]:
        """The questions of a batch with their images; of their rows only what these follow from."""
        ...


class Export(Protocol):
    """What the module of an export format offers. The first line of its docstring says what reads it."""

    CARRIES: frozenset[str]
    """Columns of a question's row that come back from `read_back` as they were; `split` may be among them."""

    def write(self, source: Source, out: Path, options: Options) -> Mapping[str, int] | None:
        """Write files below `out`, a folder that is there and empty. The same questions give the same bytes.

        Returns how many rows of each split it wrote where it chose among them, None where it wrote all.
        Raises InputError for a question that the format cannot hold.
        """
        ...

    def read_back(self, path: Path) -> Iterator[dict[str, Any]]:
        """Rows with the columns that it carries, in the order of the files.

        Raises InputError for a file that this format did not write.
        """
        ...

    def validate(self, path: Path) -> list[str]:
        """What would make a reader of the format fail or err: a line each, naming file and record."""
        ...
