"""VLMEvalKit's TSV: one of all scored questions, one of choices as MMBench has them, with base64 images or paths.

    <out>/<name>_<split>_openended.tsv     index, image and / or image_path, question, answer, category (the task),
                                           l2-category (kind of answer), split, and what an answer is scored by
    <out>/<name>_<split>_MCQ.tsv           of choices alone, question without its options, and these as A, B, ...
    <out>/md5.json                         of each table, as VLMEvalKit's `DATASET_MD5` has it
    <out>/ids.parquet, ids_MCQ.parquet     of each row of the first tables, and of the second, where it comes from
    <out>/images/                          what is not in a table

Tables that lie in `$LMUData` are data sets by their names: the first, which says so, one of free answers, the second
one of choices, whose prompt VLMEvalKit makes of stem and options. It keeps all columns but `image` beside its
predictions, so that `spatial-assets score release` scores the file that it writes. With `--images copy` or `draw`
images are base64 in the tables, which so can go anywhere; a question that shows what an earlier one shows names that
one's index. With `--images link` a table has paths below this folder, and VLMEvalKit is run from within it. It leaves
out what has no image, and so does this export.
https://github.com/open-compass/VLMEvalKit, vlmeval/dataset/__init__.py, image_base.py and image_mcq.py
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from spatial_assets.exports.conversations import jsonl
from spatial_assets.exports.core.base import ColumnSource, ImageMode, Options
from spatial_assets.exports.core.export_images import FOLDER, Images
from spatial_assets.exports.core.ids import FROM_THE_ROW, Ids, ids_of
from spatial_assets.exports.core.printed_coordinates import AS_PRINTED, profile
from spatial_assets.exports.evaluators import vlmevalkit_check
from spatial_assets.exports.evaluators.lmms_eval import task_name
from spatial_assets.exports.evaluators.scored_rows import Shares, scored, splits
from spatial_assets.exports.evaluators.vlmevalkit_check import (
    CHOICE_IDS,
    CHOICES,
    MD5,
    SUFFIX,
    WHOLE,
    is_missing,
    listed,
)
from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import naming
from spatial_assets.tasks.core.options import LETTERS

CARRIES = jsonl.CARRIES | {"options"}
TAKES = frozenset({"coordinates", "image-format"})
SCORED_BY = ("reward", "unit", "tolerance")
"""What `scoring.release` reads beside the answer; and `choices`, as JSON."""
LINKED_BY = ("qa_id", "twin_of", "law")
"""What `scoring.twins` reads."""


def write(source: ColumnSource, out: Path, options: Options) -> dict[str, int]:
    """Returns how many rows of each split are in the tables. Raises ValueError for an export without images."""
    if options.images == ImageMode.NONE:
        raise ValueError("vlmevalkit leaves out questions without images; --images none is not for it")
    how = profile(options.coordinates or AS_PRINTED.name, options.min_pixels, options.max_pixels)
    name = task_name(getattr(source, "name", ""))
    letters = LETTERS[: _most_options(source)]
    counts: dict[str, int] = {}
    number = 0
    with Images.of(out, options) as images, Ids(out) as ids, _ChoiceIds(out) as of_choices:
        for split in splits(source):
            first = number
            whole = _tables(out, f"{name}_{split}_{WHOLE}", (), options)
            choices = _tables(out, f"{name}_{split}_{CHOICES}", letters, options)
            for rows in scored(source, split, how, images):
                rows = rows.filter(pl.col("images").list.len() > 0)
                _reject_missing(rows)
                rows = rows.with_columns(index=pl.int_range(number, number + len(rows)), split=pl.lit(split))
                number += len(rows)
                chosen = rows.filter(pl.col("choices").is_not_null())
                for shares, own, table in ((whole, rows, ids), (choices, chosen, of_choices)):
                    for file, part in shares.write(own):
                        table.add(part, split, file)
            for shares in (whole, choices):
                shares.close()
            if number > first:
                counts[split] = number - first
    if options.images != ImageMode.LINK:
        shutil.rmtree(out / FOLDER, ignore_errors=True)
    (out / MD5).write_text(json.dumps(sums(out), indent=1) + "\n", encoding="utf-8")
    return counts


def _most_options(source: ColumnSource) -> int:
    """Of any question."""
    most = 0
    for split in source.splits:
        for batch in source.batches(split, ["options"]):
            counts = pl.Series(batch.column("options")).list.len()
            most = max(most, int(counts.max() or 0))  # type: ignore[arg-type]
    return most


def _tables(out: Path, stem: str, letters: str | tuple[()], options: Options) -> Shares:
    embedded = options.images != ImageMode.LINK
    # A table is a data set of its own, so each shard would be another benchmark: a split is one file.
    return Shares(stem, SUFFIX, 1 << 62, 1, lambda name: _Table(out, name, letters, embedded))


def _reject_missing(rows: pl.DataFrame) -> None:
    """Raises InputError for a text that VLMEvalKit's table reader takes for none, such as an option `None`."""
    for own in rows.select("qa_id", "question", "ground_truth", "choices").iter_rows():
        for text in (*own[1:3], *(own[3] or ())):
            if is_missing(text):
                raise InputError(own[0], f"its text {text!r} is read as no text at all", "malformed_row")


class _ChoiceIds(Ids):
    """The same of tables of choices, apart: whose rows an export holds is counted by the other."""

    def __init__(self, out: Path) -> None:
        super().__init__(out)
        self._path = out / CHOICE_IDS


class _Table:
    """A table of questions, written as they come."""

    def __init__(self, out: Path, name: str, letters: str | tuple[()], embedded: bool) -> None:
        self._out, self._letters, self._embedded = out, letters, embedded
        self._first: dict[tuple[str, ...], int] = {}
        """Of what images are shown together, the index of the first question that shows them."""
        self._path = out / name
        with naming(self._path):
            self._file: BinaryIO = self._path.open("wb")
        self._is_new = True

    def write(self, rows: pl.DataFrame) -> None:
        text = "stem" if self._letters else "question"
        shown = [self._image(*own) for own in rows.select("index", "images").iter_rows()]
        paths = rows["images"].to_list()
        if self._embedded:
            # What VLMEvalKit unpacks images to: names below one folder.
            paths = [[path.replace("/", "__") for path in own] for own in paths]
        table = rows.select(
            "index",
            *([pl.Series("image", shown)] if self._embedded else []),
            pl.Series("image_path", [listed(own) for own in paths]),
            pl.col(text).alias("question"),
            *(
                pl.col("choices").list.get(place, null_on_oob=True).alias(letter)
                for place, letter in enumerate(self._letters)
            ),
            pl.col("ground_truth").alias("answer"),
            pl.col("task").alias("category"),
            pl.col("answer_kind").alias("l2-category"),
            "split",
            *SCORED_BY,
            *LINKED_BY,
            pl.Series(
                "choices", [own and json.dumps(own, ensure_ascii=False) for own in rows["choices"].to_list()]
            ),
        )
        # Polars' own error of a full disk has neither its number nor the file's name.
        text_of_rows = io.BytesIO()
        table.write_csv(
            text_of_rows,
            separator="\t",
            include_header=self._is_new,
            quote_style="non_numeric",
            null_value="",
        )
        with naming(self._path):
            self._file.write(text_of_rows.getbuffer())
            self._file.flush()
        self._is_new = False

    def _image(self, index: int, paths: list[str]) -> str:
        """A question's cell: base64 of its images, or the index of an earlier one that shows the same."""
        if not self._embedded:
            return ""
        earlier = self._first.setdefault(tuple(paths), index)
        if earlier != index:
            return str(earlier)
        return listed([base64.b64encode((self._out / path).read_bytes()).decode() for path in paths])

    def close(self) -> None:
        self._file.close()


def sums(out: Path) -> dict[str, str]:
    """MD5 of each table."""
    found = {}
    for file in sorted(out.glob(f"*{SUFFIX}")):
        with file.open("rb") as opened:
            found[file.name] = hashlib.file_digest(opened, "md5").hexdigest()
    return found


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of the tables of all scored questions; those of choices have the same."""
    wanted = ids_of(path)
    for (name,), own in wanted.group_by("file", maintain_order=True):
        file = path / str(name)
        rows = own.iter_rows(named=True)
        for number, record in vlmevalkit_check.read_table(file):
            row = next(rows, None)
            try:
                if row is None:
                    raise ValueError
                yield {
                    **{column: row[column] for column in ("qa_id", "split", *FROM_THE_ROW)},
                    "question": record["question"],
                    "answer": record["answer"],
                    "options": json.loads(record["choices"]) if record["choices"] else None,
                }
            except (KeyError, ValueError):
                why = f"row {number} was not written by this export"
                raise InputError(file, why, "malformed_file") from None


def validate(path: Path) -> list[str]:
    """What VLMEvalKit could not read or would read as something else; MD5 and answers where they are there."""
    return vlmevalkit_check.validate(path)


def told(path: Path) -> list[str]:
    """How it is run."""
    names = [file.stem for file in sorted(path.glob(f"*{SUFFIX}"))]
    return [f"LMUData=OUT python run.py --model MODEL --data {' '.join(names)}"]
