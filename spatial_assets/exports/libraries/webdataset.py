"""WebDataset: tar files that open alone, of each question a JSON with all its columns and its images beside it.

    <out>/<split>-000000.tar, -000001.tar ...     <qa_id>.json, <qa_id>.0.jpg, <qa_id>.1.jpg ... of each question
    <out>/index.json                              the files with their splits, rows, sizes and hashes
    <out>/ids.parquet                             of each question its file, origin, answer and number of images

A file's name up to its first dot is a question's, what follows says what it is. Images are in the tars, copied or
drawn; a link would lead nowhere where a tar is opened. With `--shard-megabytes` a file ends before it would be larger.
Headers hold no time, owner or place. https://github.com/webdataset/webdataset
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from spatial_assets.exports.core import files
from spatial_assets.exports.core.base import ColumnSource, ImageMode, Options
from spatial_assets.exports.core.export_images import Images
from spatial_assets.exports.core.ids import Ids
from spatial_assets.exports.libraries import webdataset_check
from spatial_assets.exports.libraries.webdataset_check import INDEX, SPLIT, SUFFIX, samples
from spatial_assets.scene.model import InputError
from spatial_assets.scene.tables import QUESTIONS
from spatial_assets.storage.atomic import naming, replace_text

DEFAULT_IMAGES = ImageMode.COPY
"""A link would lead nowhere where a tar is opened."""
CARRIES = frozenset({*QUESTIONS.schema.names, SPLIT})
TAKES = frozenset({"image-format", "shard-megabytes"})
INDEX_KIND, INDEX_VERSION = "wids-shard-index-v1", 1
"""Of the index, as the library's random access reads it."""
READABLE = 0o644


def write(source: ColumnSource, out: Path, options: Options) -> None:
    """Raises ValueError where images would be linked."""
    if options.images == ImageMode.LINK:
        raise ValueError("webdataset has its images inside of tar files; give --images copy, draw or none")
    listed: list[dict[str, Any]] = []
    with Images.of(out, options) as images, Ids(out) as ids:
        for split, count in source.splits.items():
            with _Tars(out, split, count, options) as tars:
                for batch in source.batches(split, QUESTIONS.schema.names):
                    ids_of_batch = _put(source, batch, split, images, tars)
                    for (name,), own in ids_of_batch.partition_by(
                        "file", as_dict=True, maintain_order=True
                    ).items():
                        ids.add(own, split, str(name))
            listed += tars.listed
    index = {"__kind__": INDEX_KIND, "wids_version": INDEX_VERSION, "shardlist": listed}
    replace_text(out / INDEX, json.dumps(index, indent=1, ensure_ascii=False) + "\n")


def _put(source: ColumnSource, batch: pa.Table, split: str, images: Images, tars: _Tars) -> pl.DataFrame:
    """Questions into tar files; they come back with `file` and the number of images."""
    questions = pl.from_arrow(batch.select(QUESTIONS.schema.names))
    assert isinstance(questions, pl.DataFrame)
    texts = questions.with_columns(pl.lit(split).alias(SPLIT)).select(
        pl.struct(pl.all()).struct.json_encode()
    )
    records = texts.to_series().to_list()
    names = questions["qa_id"].to_list()
    inside: Iterator[list[tuple[bytes, str]]]
    if images.mode == ImageMode.NONE:
        inside = ([] for _ in names)
    else:
        inside = (pictures for _, pictures in images.embedded(source.shown(batch, split)))
    places, counts = [], []
    for name, record, pictures in zip(names, records, inside, strict=True):
        members = [(f"{name}.json", record.encode())]
        members += [(f"{name}.{number}{suffix}", data) for number, (data, suffix) in enumerate(pictures)]
        places.append(tars.add(members))
        counts.append(len(pictures))
    return questions.with_columns(pl.Series("file", places), pl.Series("images", counts, pl.Int32))


class _Hashed(io.RawIOBase):
    """A file that is hashed while it is written."""

    def __init__(self, path: Path) -> None:
        self.sha256, self.md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self.size = 0
        self._file = path.open("wb")

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        self.md5.update(data)
        self.size += len(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self.size

    def close(self) -> None:
        self._file.close()
        super().close()


class _Tars:
    """The files of a split: with a size each ends before it would be larger, else they are filled evenly."""

    def __init__(self, out: Path, split: str, count: int, options: Options) -> None:
        self._out, self._split, self._count = out, split, count
        self._most = options.shard_bytes
        self._shards = max(1, min(options.shards, count))
        self._number = self._taken = self._here = 0
        self.listed: list[dict[str, Any]] = []
        """Of the index, the files that are whole."""

    @property
    def name(self) -> str:
        return f"{self._split}-{self._number:06d}{SUFFIX}"

    def __enter__(self) -> _Tars:
        self._begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._end()
        else:
            # What is left to write would fail as what came before did.
            with suppress(OSError):
                self._held.close()

    def _begin(self) -> None:
        path = self._out / self.name
        with naming(path):
            self._held = _Hashed(path)
            self._tar = tarfile.TarFile(fileobj=self._held, mode="w", format=tarfile.USTAR_FORMAT)
        self._here = 0

    def _end(self) -> None:
        with naming(self._out / self.name):
            self._tar.close()
            self._held.close()
        self.listed.append({
            "url": self.name, SPLIT: self._split, "nsamples": self._here, "filesize": self._held.size,
            "md5sum": self._held.md5.hexdigest(), "sha256": self._held.sha256.hexdigest(),
        })  # fmt: skip

    def add(self, members: list[tuple[str, bytes]]) -> str:
        """The name of the file that the members of a question went into."""
        if self._is_full(members):
            self._end()
            self._number += 1
            self._begin()
        with naming(self._out / self.name):
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(data), READABLE
                self._tar.addfile(info, io.BytesIO(data))
        self._here += 1
        self._taken += 1
        return self.name

    def _is_full(self, members: list[tuple[str, bytes]]) -> bool:
        if not self._here:
            return False
        if self._most is None:
            return self._taken == (self._number + 1) * self._count // self._shards
        blocks = sum(1 + -(-len(data) // tarfile.BLOCKSIZE) for _, data in members)
        end = self._held.size + blocks * tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE
        return -(-end // tarfile.RECORDSIZE) * tarfile.RECORDSIZE > self._most


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    for file in files.found(path, SUFFIX):
        for sample in samples(file):
            record = sample.record
            if not isinstance(record, Mapping) or not record.keys() >= CARRIES:
                raise InputError(file, f"{sample.key} was not written by this export", "malformed_file")
            yield {name: record[name] for name in CARRIES}


def validate(path: Path) -> list[str]:
    """Each tar and its questions, unique keys, every image opened, answers and images against `ids.parquet`, hashes."""
    return webdataset_check.validate(path)
