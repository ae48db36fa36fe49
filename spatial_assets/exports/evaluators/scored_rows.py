"""Questions that are scored, as columns with their truth's fields and where their images are; files of even shares.

What exports for evaluators share: `columns.py` prints the texts and places the images, `truths.py` says how each
answer is scored, and here a split's rows go to its files in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import polars as pl

from spatial_assets.exports.core.base import ColumnSource
from spatial_assets.exports.core.columns import IMAGE, READ, counts_of, paths_of, printed, reject_tags, taken
from spatial_assets.exports.core.export_images import Images
from spatial_assets.exports.core.printed_coordinates import Profile
from spatial_assets.exports.core.truths import IS_ASKED, MORE, rendering, truths


class Sink(Protocol):
    """A file that rows are written to."""

    def write(self, rows: pl.DataFrame) -> None: ...

    def close(self) -> None: ...


def splits(source: ColumnSource) -> dict[str, int]:
    """How many scored rows there are of each split; splits without any are left out."""
    return counts_of(source, IS_ASKED)


def scored(source: ColumnSource, split: str, how: Profile, images: Images) -> Iterator[pl.DataFrame]:
    """The scored rows of a split in the release's order: what `columns.READ` has, printed by `how`, `images`, a
    list of paths below the export's folder, and the truth's fields.

    Raises InputError for a text that holds `<image>`: evaluators put images there.
    """
    for batch in source.batches(split, [*READ, *MORE]):
        asked = taken(batch, IS_ASKED)
        if not asked.num_rows:
            continue
        reject_tags(asked, (IMAGE,))
        questions = printed(asked, partial(rendering, how))
        yield truths(questions.with_columns(images=paths_of(source, asked, split, images)))


class Shares:
    """The files of a split, filled evenly and in order, as `files.write_shards` does with items."""

    def __init__(
        self, stem: str, suffix: str, count: int, shards: int, opened: Callable[[str], Sink]
    ) -> None:
        """`opened` makes a file of that name, relative to the export's folder."""
        self._shards = max(1, min(shards, count))
        self._stem, self._suffix, self._count, self._opened = stem, suffix, count, opened
        self._number = self._taken = 0
        self._sink: Sink | None = None

    @property
    def names(self) -> list[str]:
        return [self._name(number) for number in range(self._shards)]

    def _name(self, number: int) -> str:
        if self._shards == 1:
            return f"{self._stem}{self._suffix}"
        return f"{self._stem}-{number:05d}-of-{self._shards:05d}{self._suffix}"

    def write(self, rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
        """Write rows to the files whose they are; each part with its file's name, once it is written."""
        while len(rows):
            end = (self._number + 1) * self._count // self._shards
            if self._taken == end:
                self.close()
                self._number += 1
                continue
            own, rows = rows.head(end - self._taken), rows.slice(end - self._taken)
            if self._sink is None:
                self._sink = self._opened(self._name(self._number))
            self._sink.write(own)
            self._taken += len(own)
            yield self._name(self._number), own

    def close(self) -> None:
        if self._sink is not None:
            self._sink.close()
        self._sink = None
