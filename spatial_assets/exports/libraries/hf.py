"""Hugging Face `datasets`: Parquet with all columns of the questions, images inside or linked, and a data card.

    <out>/data/<split>-00000-of-00001.parquet     a row a question; the schema says which features it has
    <out>/README.md                               data card: splits, features, counts, licenses, and how to load it
    <out>/ids.parquet                             of each row its file, origin, answer and number of images
    <out>/images/                                 what `images` leads to where images are linked
    <out>/pictures/                               of the card, where images may be passed on

`images` are Image features with their bytes where images are copied or drawn, paths below the folder where they are
linked, and not there without images. A split is called as the library can: another sign than a letter, a digit or `_`
is `_`, while the column `split` has the release's own name. Features are written as versions of the library from 2 on
read them. https://huggingface.co/docs/datasets, features.py and packaged_modules/parquet
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spatial_assets.exports.core.base import ColumnSource, ImageMode, Options
from spatial_assets.exports.core.export_images import Images
from spatial_assets.exports.core.ids import COMPRESSION, FROM_THE_ROW, Ids
from spatial_assets.exports.libraries import hf_card, hf_check
from spatial_assets.exports.libraries.hf_card import Samples
from spatial_assets.exports.libraries.hf_check import DATA, EMBEDDED, IMAGES, SPLIT
from spatial_assets.scene.model import InputError
from spatial_assets.scene.tables import QUESTIONS
from spatial_assets.storage.atomic import naming

CARRIES = frozenset({*QUESTIONS.schema.names, SPLIT})
TAKES = frozenset({"image-format"})
FIRST = ("qa_id", SPLIT, IMAGES, "question", "answer", "options")
"""Columns that a reader wants to see first; the others follow as in the release."""
LINKED = pa.list_(pa.string())
GROUP_ROWS, GROUP_BYTES = 16_384, 32_000_000
"""Of a row group at most: what a reader must hold at once. Bytes are those of the images in it."""
IN_NAMES = re.compile(r"\W")


def write(source: ColumnSource, out: Path, options: Options) -> None:
    """Raises InputError for splits that the library cannot tell apart."""
    held = schema(options.images)
    names = split_names(source.splits)
    (out / DATA).mkdir()
    samples = Samples()
    with Images.of(out, options) as images, Ids(out) as ids:
        for split, count in source.splits.items():
            with _Shards(out, names[split], count, options.shards, held) as shards:
                for rows in _batches(source, split, images, held, samples):
                    for name, own in shards.added(rows):
                        ids.add(_told_of(own), split, name)
    hf_card.write(out, held, {name: names[name] for name in source.splits}, samples, options)


def _told_of(rows: pa.Table) -> pl.DataFrame:
    """What `ids.parquet` says of rows; of images only how many there are."""
    told = pl.from_arrow(rows.select(["qa_id", *FROM_THE_ROW, "answer"]))
    assert isinstance(told, pl.DataFrame)
    counts = (
        pc.list_value_length(rows.column(IMAGES))
        if IMAGES in rows.column_names
        else pa.array([0] * rows.num_rows, pa.int32())
    )
    return told.with_columns(pl.Series(IMAGES, counts.to_pylist(), pl.Int32))


def split_names(splits: Mapping[str, int]) -> dict[str, str]:
    """What each split is called by the library. Raises InputError where two would be called alike."""
    names = {split: IN_NAMES.sub("_", split) for split in splits}
    for split, name in names.items():
        others = [other for other, its in names.items() if its == name and other != split]
        if others:
            raise InputError(
                split, f"is called {name} by the library, as split {others[0]} is", "malformed_row"
            )
    return names


def schema(mode: ImageMode) -> pa.Schema:
    """Columns with what the library calls their features."""
    kinds = {field.name: field.type for field in QUESTIONS.schema} | {SPLIT: pa.string()}
    if mode != ImageMode.NONE:
        kinds[IMAGES] = LINKED if mode == ImageMode.LINK else EMBEDDED
    names = [*(name for name in FIRST if name in kinds), *(name for name in kinds if name not in FIRST)]
    features = {name: feature(kinds[name]) for name in names}
    told = json.dumps({"info": {"features": features}})
    return pa.schema([(name, kinds[name]) for name in names], metadata={"huggingface": told})


def feature(kind: pa.DataType) -> Any:
    """A type as `Features.to_dict` has it: lists of records as lists, which all versions take for such."""
    if kind == EMBEDDED.value_type:
        return {"_type": "Image"}
    if pa.types.is_list(kind):
        if pa.types.is_struct(kind.value_type) and kind != EMBEDDED:
            return [feature(kind.value_type)]
        return {"feature": feature(kind.value_type), "_type": "Sequence"}
    if pa.types.is_struct(kind):
        return {field.name: feature(field.type) for field in kind}
    names = {pa.string(): "string", pa.float64(): "float64", pa.int32(): "int32", pa.int64(): "int64"}
    return {"dtype": names[kind], "_type": "Value"}


def _batches(
    source: ColumnSource, split: str, images: Images, held: pa.Schema, samples: Samples
) -> Iterator[pa.Table]:
    """Rows with all columns, as many together as a row group holds."""
    waiting: list[pa.Table] = []
    for batch in source.batches(split, QUESTIONS.schema.names):
        rows = batch.append_column(SPLIT, pa.array([split]).take(pa.array([0] * batch.num_rows, pa.int8())))
        for whole in _with_images(source, rows, split, images, held, samples):
            if waiting and sum(part.num_rows for part in waiting) + whole.num_rows > GROUP_ROWS:
                yield pa.concat_tables(waiting)
                waiting = []
            waiting.append(whole)
            if whole.num_rows and IMAGES in held.names and held.field(IMAGES).type == EMBEDDED:
                yield pa.concat_tables(waiting)
                waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _with_images(
    source: ColumnSource, rows: pa.Table, split: str, images: Images, held: pa.Schema, samples: Samples
) -> Iterator[pa.Table]:
    if images.mode == ImageMode.NONE:
        yield rows.select(held.names).cast(held)
        return
    if images.mode == ImageMode.LINK:
        paths = [own for _, own in images.placed(source.shown(rows, split))]
        yield rows.append_column(IMAGES, pa.array(paths, LINKED)).select(held.names).cast(held)
        return
    begin, size = 0, 0
    inside: list[list[dict[str, Any]]] = []

    def group() -> pa.Table:
        own = rows.slice(begin, len(inside)).append_column(IMAGES, pa.array(inside, EMBEDDED))
        return own.select(held.names).cast(held)

    for place, (question, pictures) in enumerate(images.embedded(source.shown(rows, split))):
        qa_id = question.row["qa_id"]
        samples.offer(rows, place, pictures, [bool(shot.marks) for shot in question.shots])
        inside.append(
            [{"bytes": data, "path": f"{qa_id}-{n}{suffix}"} for n, (data, suffix) in enumerate(pictures)]
        )
        size += sum(len(data) for data, _ in pictures)
        if size >= GROUP_BYTES:
            yield group()
            begin, size, inside = begin + len(inside), 0, []
    if inside:
        yield group()


class _Shards:
    """The files of a split, filled evenly and in order."""

    def __init__(self, out: Path, name: str, count: int, shards: int, held: pa.Schema) -> None:
        self._out, self._name, self._count, self._schema = out, name, count, held
        self._shards = max(1, min(shards, count))
        self._number = self._taken = 0

    def __enter__(self) -> _Shards:
        self._writer = self._opened()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # What stopped the block may stop this too, and is the one to be told of.
        with suppress(OSError) if kind else naming(self._out / self.file):
            self._writer.close()

    @property
    def file(self) -> str:
        return f"{DATA}/{self._name}-{self._number:05d}-of-{self._shards:05d}.parquet"

    def _opened(self) -> pq.ParquetWriter:
        path = self._out / self.file
        with naming(path):
            return pq.ParquetWriter(path, self._schema, compression="zstd", compression_level=COMPRESSION)

    def added(self, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
        """Parts of some rows, written, each with the name of its file."""
        while rows.num_rows:
            end = (self._number + 1) * self._count // self._shards
            if self._taken == end:
                with naming(self._out / self.file):
                    self._writer.close()
                self._number += 1
                self._writer = self._opened()
                continue
            own, rows = rows.slice(0, end - self._taken), rows.slice(end - self._taken)
            with naming(self._out / self.file):
                self._writer.write_table(own, GROUP_ROWS)
            self._taken += own.num_rows
            yield self.file, own


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    for file in hf_check.files_of(path):
        yield from hf_check.rows(file, sorted(CARRIES))


def validate(path: Path) -> list[str]:
    """Files and their features, unique ids, every image opened, answers and numbers of images against `ids.parquet`."""
    return hf_check.validate(path)
