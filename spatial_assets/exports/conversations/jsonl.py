"""What formats of conversations share: files of JSON lines, and what a reader finds in a line.

    <out>/<split>.jsonl, or <split>-00000-of-00004.jsonl and so on     what the trainer reads, a question a line
    <out>/ids.parquet                                                  see core/ids.py
    <out>/images/                                                      see core/export_images.py

Lines hold what their trainer reads and an id, nothing else; what a release knows beside it stands in `ids.parquet`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import polars as pl

from spatial_assets.exports.core.base import ColumnSource, Options
from spatial_assets.exports.core.columns import (
    IMAGE,
    READ,
    TAGS,
    VIDEO,
    Rendering,
    counts_of,
    paths_of,
    printed,
    reject_tags,
    taken,
)
from spatial_assets.exports.core.export_images import Images
from spatial_assets.exports.core.ids import FROM_THE_ROW, Ids, ids_of
from spatial_assets.exports.core.printed_coordinates import Profile, rendered
from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import naming

SUFFIX = ".jsonl"
CARRIES = frozenset({"qa_id", "split", "question", "answer", *FROM_THE_ROW})
Lines = Callable[[pl.DataFrame], pl.DataFrame | pl.Series]
"""What a format makes of questions: a column a key of its lines, in order, or the lines as texts. Questions have the
columns of `READ` with texts printed for the reader, `images`, a list of paths, and what the format asked for."""


def write(
    source: ColumnSource,
    out: Path,
    options: Options,
    lines: Lines | Mapping[str, Lines],
    how: Profile,
    *,
    more: Collection[str] = (),
    tags: Collection[str] = TAGS,
    rendering: Rendering | None = None,
    folders: bool = False,
    only: pl.Expr | None = None,
) -> dict[str, int]:
    """Questions as lines below `out`; returns how many of each split.

    Several kinds of lines stand in files of their own, `<name>-<split>.jsonl`. `more` are columns of rows that the
    format needs beside READ, `tags` what no text may say, and `rendering` what is made of rows that print coordinates,
    in place of the texts by the profile `how`. With `folders` shards of a split stand in a folder of its name. `only`
    says which rows are taken, by their columns `task` and `format`.
    """
    columns = [*READ, *more]
    anew = rendering or (None if not how.unit else lambda row: rendered(row, how))
    kinds = lines if isinstance(lines, Mapping) else {"": lines}
    counts = source.splits if only is None else counts_of(source, only)
    with Images.of(out, options) as images, Ids(out) as ids:
        for split, count in counts.items():
            with ExitStack() as opened:
                files = {
                    kind: opened.enter_context(
                        _Shards(out, f"{kind}-{split}" if kind else split, count, options.shards, folders)
                    )
                    for kind in kinds
                }
                for batch in source.batches(split, columns):
                    if only is not None:
                        batch = taken(batch, only)
                    reject_tags(batch, tags)
                    questions = printed(batch, anew)
                    questions = questions.with_columns(images=paths_of(source, batch, split, images))
                    for kind, shards in files.items():
                        for name, own in shards.shares(questions):
                            _put(kinds[kind](own), shards.file)
                            ids.add(own, split, name)
    return dict(counts)


def _put(lines: pl.DataFrame | pl.Series, file: BinaryIO) -> None:
    """Raises OSError, naming the file, where the disk does not take it."""
    if isinstance(lines, pl.DataFrame):
        # Polars' own error of a full disk has neither its number nor the file's name.
        held = io.BytesIO()
        lines.write_ndjson(held)
        data = held.getvalue()
    else:
        data = "\n".join([*lines, ""]).encode()
    with naming(Path(file.name)):
        file.write(data)
        file.flush()


def tagged(text: pl.Expr = pl.col("question"), tag: str = f"{IMAGE}\n") -> pl.Expr:  # noqa: B008
    """Texts with a tag for each image before them."""
    return pl.lit(tag).repeat_by(pl.col("images").list.len()).list.join("") + text


def turns(speaker: str, said: str, first: tuple[str, pl.Expr], second: tuple[str, pl.Expr]) -> pl.Expr:
    """Two turns of a conversation; `speaker` and `said` are their keys."""
    return pl.concat_list(
        *(pl.struct(pl.lit(name).alias(speaker), text.alias(said)) for name, text in (first, second))
    )


class _Shards:
    """The files of a split, filled evenly and in order, as `files.write_shards` does."""

    def __init__(self, out: Path, stem: str, count: int, shards: int, folders: bool) -> None:
        self._shards = max(1, min(shards, count))
        self._out, self._stem, self._count = out, stem, count
        if folders and self._shards > 1:
            self._stem = f"{stem}/{stem}"
        self._number = self._taken = 0
        self.file: BinaryIO = self._opened()

    @property
    def name(self) -> str:
        if self._shards == 1:
            return f"{self._stem}{SUFFIX}"
        return f"{self._stem}-{self._number:05d}-of-{self._shards:05d}{SUFFIX}"

    def _opened(self) -> BinaryIO:
        path = self._out / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with naming(path):
            return path.open("wb")

    def __enter__(self) -> _Shards:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A write that failed is tried again by closing, and its error is told already.
        with suppress(OSError) if kind else naming(self._out / self.name):
            self.file.close()

    def shares(self, questions: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
        """Parts of some questions, each with the file's name; `file` is open for each as it comes."""
        while len(questions):
            end = (self._number + 1) * self._count // self._shards
            if self._taken == end:
                self.file.close()
                self._number += 1
                self.file = self._opened()
                continue
            own, questions = questions.head(end - self._taken), questions.slice(end - self._taken)
            self._taken += len(own)
            yield self.name, own


@dataclass(frozen=True)
class Line:
    """What a reader of a format finds in a line."""

    id: str
    question: str
    """Without the tags before it."""
    answer: str
    tags: Mapping[str, int]
    """How often each tag stands where a trainer puts what it is for."""
    media: Mapping[str, Sequence[str]]
    """By tag, the paths that are put there."""
    wrong: Sequence[str] = field(default=())
    """What is wrong beside what is looked at in every format."""
    parts: Mapping[str, int] = field(default_factory=dict)
    """By tag, in how many parts its media stand where one tag is for several, as frames of a video."""


Parse = Callable[[Mapping[str, Any]], Line]
"""A line of a format taken apart; raises KeyError, TypeError, ValueError or IndexError for what is none."""
NO_LINE = (KeyError, TypeError, ValueError, IndexError, AttributeError)


def without_tags(text: str, tags: Sequence[str]) -> str:
    """A text without the tags that stand before it, each on a line of its own or run together."""
    while True:
        for tag in tags:
            if text.startswith(tag):
                text = text.removeprefix(tag).removeprefix("\n")
                break
        else:
            return text


def of_two_turns(
    record: Mapping[str, Any], speakers: tuple[str, str], paths: list[str], wrong: Sequence[str] = ()
) -> Line:
    """What a trainer makes of a line that asks in one turn and answers in another; `wrong` is what it says besides.

    Raises ValueError for other speakers.
    """
    asked, answered = record["conversations"]
    if (asked["from"], answered["from"]) != speakers:
        raise ValueError(f"turns are from {asked['from']!r} and {answered['from']!r}")
    text, answer = str(asked["value"]), str(answered["value"])
    said = [f"the answer says {tag}" for tag in (IMAGE, VIDEO) if tag in answer]
    tags = {IMAGE: text.count(IMAGE), VIDEO: text.count(VIDEO)}
    return Line(record["id"], without_tags(text, [IMAGE]), answer, tags, {IMAGE: paths}, [*said, *wrong])


def read_lines(file: Path) -> Iterator[tuple[int, Any]]:
    """Numbered from 1. Raises InputError, naming the line, for what is no JSON."""
    number = 0
    try:
        with file.open(encoding="utf-8") as opened:
            for number, line in enumerate(opened, 1):
                yield number, json.loads(line)
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}", "unreadable_file") from None
    except (ValueError, RecursionError) as error:
        why = f"line {max(number, 1)}: not JSON: {str(error).splitlines()[0]}"
        raise InputError(file, why, "malformed_file") from None


Read = Callable[[Path], Iterator[tuple[int, Any]]]
"""What a file holds, numbered from 1. Raises InputError, naming what is wrong, for a file of another kind."""


def rows_back(path: Path, parse: Parse, begin: str = "", read: Read = read_lines) -> Iterator[dict[str, Any]]:
    """Rows with what `CARRIES` names, of files whose names begin so.

    Raises InputError for what this project did not write.
    """
    wanted = ids_of(path).filter(pl.col("file").str.starts_with(begin))
    for (name,), own in wanted.group_by("file", maintain_order=True):
        file = path / str(name)
        rows = own.iter_rows(named=True)
        for number, record in read(file):
            row = next(rows, None)
            try:
                line = parse(record)
                if row is None or line.id != row["id"]:
                    raise ValueError
            except NO_LINE:
                raise InputError(
                    file, f"line {number} was not written by this export", "malformed_file"
                ) from None
            yield {
                "qa_id": row["qa_id"],
                "split": row["split"],
                "question": line.question,
                "answer": line.answer,
                **{column: row[column] for column in FROM_THE_ROW},
            }
        if next(rows, None) is not None:
            raise InputError(file, "ends before its last question", "truncated_file")
