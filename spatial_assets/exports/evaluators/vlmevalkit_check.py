"""Tables as VLMEvalKit reads them: its rules for cells, indices and images, and what a table breaks of them.

VLMEvalKit reads a table with pandas: cells without a text, or with a word that pandas takes for one, are none at all.
`index` is unique; `image` is base64, a list literal of several, or the index of a row whose image it is, told apart by
its length; `image_path` is a path or a list literal of paths. A question prints every option whose cell is not empty.
"""

from __future__ import annotations

import ast
import base64
import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from spatial_assets.exports.core.files import read_json
from spatial_assets.exports.core.ids import IDS, ids_of
from spatial_assets.exports.core.image_checks import wrong_image
from spatial_assets.scene.model import InputError
from spatial_assets.tasks.core.options import LETTERS

SUFFIX, CHOICES = ".tsv", "MCQ"
WHOLE = "openended"
"""In a data set's name, without which VLMEvalKit takes its questions for choices, whatever its columns."""
MD5, CHOICE_IDS = "md5.json", "ids_MCQ.parquet"
NEEDED = ("index", "question", "answer")
LONGEST_INDEX = 64
"""Characters of an `image` that is another row's index; base64 of an image is longer."""
MISSING = frozenset(
    {
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
        "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip
"""What pandas reads as no value: https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html, `na_values`."""
LARGEST_CELL = 1 << 30
"""Characters: images are cells."""


def is_missing(text: str) -> bool:
    return text in MISSING


def listed(items: list[str]) -> str:
    """A cell of one thing, or a list literal of several."""
    return items[0] if len(items) == 1 else repr(items)


def unlisted(cell: str) -> list[str]:
    """What a cell holds. Raises ValueError for brackets around what is no list of texts."""
    if not (cell.startswith("[") and cell.endswith("]")):
        return [cell]
    try:
        held = ast.literal_eval(cell)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("is no list") from None
    if not isinstance(held, list) or not all(isinstance(item, str) for item in held):
        raise ValueError("is no list of texts")
    return held


def read_table(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a table, numbered from 1. Raises InputError for what is none."""
    csv.field_size_limit(LARGEST_CELL)
    number = 0
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            rows = csv.reader(opened, delimiter="\t", strict=True)
            head = next(rows, [])
            missing = [name for name in NEEDED if name not in head]
            if missing:
                raise InputError(file, f"no column {', '.join(missing)}", "malformed_file")
            for number, cells in enumerate(rows, 1):
                if len(cells) != len(head):
                    why = f"row {number}: {len(cells)} cells for {len(head)} columns"
                    raise InputError(file, why, "malformed_file")
                yield number, dict(zip(head, cells, strict=True))
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}", "unreadable_file") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(file, f"row {number + 1}: no table: {error}", "malformed_file") from None


def validate(path: Path) -> list[str]:
    """A line for each problem of the tables in a folder, or of one table."""
    root = path if path.is_dir() else path.parent
    files = sorted(root.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
    if not files:
        return [str(InputError(path, f"no {SUFFIX} file is there", "missing_file"))]
    errors: list[str] = []
    known: dict[str, list[tuple[str, int]]] | None = None
    try:
        if (root / IDS).exists():
            known = _known(root)
    except InputError as error:
        errors.append(str(error))
    errors += _wrong_sums(root, files)
    for file in files:
        wanted = None if known is None else known.get(file.name, [])
        found = 0
        try:
            for where, said in _wrong_rows(file, root, wanted):
                found = where
                errors += [f"{file.name}: row {where}: {what}" for what in said]
        except InputError as error:
            errors.append(str(error))
            continue
        if wanted is not None and found < len(wanted):
            errors.append(f"{file.name}: ends after {found} of {len(wanted)} questions")
    if known is not None and path.is_dir():
        errors += [f"{name}: not there" for name in known if name not in {file.name for file in files}]
    return errors


def _known(root: Path) -> dict[str, list[tuple[str, int]]]:
    """By file the answer and how many images of each row, in order."""
    found: dict[str, list[tuple[str, int]]] = {}
    tables = [ids_of(root)]
    if (root / CHOICE_IDS).exists():
        tables.append(ids_of(root, CHOICE_IDS))
    for table in tables:
        for file, answer, images in table.select("file", "answer", "images").iter_rows():
            found.setdefault(file, []).append((answer, images))
    return found


def _wrong_sums(root: Path, files: list[Path]) -> Iterator[str]:
    if not (root / MD5).exists():
        return
    try:
        wanted = read_json(root / MD5)
    except InputError as error:
        yield str(error)
        return
    if not isinstance(wanted, dict):
        yield f"{MD5}: not sums by file"
        return
    for file in files:
        if not file.is_file():  # said where it is read
            continue
        with file.open("rb") as opened:
            own = hashlib.file_digest(opened, "md5").hexdigest()
        if wanted.get(file.name) != own:
            yield f"{file.name}: its MD5 is {own}, where {MD5} has {wanted.get(file.name)}"


def _wrong_rows(
    file: Path, root: Path, wanted: list[tuple[str, int]] | None
) -> Iterator[tuple[int, list[str]]]:
    """Each row's number and what is wrong with it."""
    met: dict[str, int] = {}
    shown: dict[str, int] = {}
    """By index, how many images a row shows."""
    opened: dict[str, str | None] = {}
    for number, row in read_table(file):
        index = row["index"]
        wrong = [f"{name} is empty" for name in NEEDED if is_missing(row[name])]
        if not index.isascii() or not index.isdigit():
            wrong.append(f"index {index[:LONGEST_INDEX]!r} is no whole number")
        if met.setdefault(index, number) != number:
            wrong.append(f"index {index} is that of row {met[index]}")
        wrong += _wrong_options(row)
        said, count = _images(row, root, shown, opened)
        wrong += said
        shown[index] = count
        if wanted is not None and number > len(wanted):
            wrong.append(f"is not in {IDS} for this table")
        elif wanted is not None:
            answer, images = wanted[number - 1]
            if row["answer"] != answer:
                wrong.append(
                    f"answers {row['answer'][:LONGEST_INDEX]!r}, where {IDS} has {answer[:LONGEST_INDEX]!r}"
                )
            if count != images:
                wrong.append(f"{count} images, where {IDS} has {images}")
        yield number, wrong


def _wrong_options(row: Mapping[str, str]) -> Iterator[str]:
    letters = [letter for letter in LETTERS if letter in row]
    if not letters:
        return
    there = [letter for letter in letters if not is_missing(row[letter])]
    if there != letters[: len(there)]:
        yield f"options {', '.join(there)} without those between"
    if len(there) < 2:
        yield f"{len(there)} options"
    if row["answer"] not in there:
        yield f"answer {row['answer'][:LONGEST_INDEX]!r} is the letter of no option"


def _images(
    row: Mapping[str, str], root: Path, shown: Mapping[str, int], opened: dict[str, str | None]
) -> tuple[list[str], int]:
    """What is wrong with a row's images, and how many there are."""
    try:
        paths = unlisted(row["image_path"]) if row.get("image_path") else []
        cell = row.get("image")
        if cell is None:
            return [said for path in paths for said in _wrong_path(root, path, opened)], len(paths)
        if is_missing(cell):
            return ["has no image, so that it is left out"], 0
        if len(cell) <= LONGEST_INDEX:
            if cell not in shown:
                return [f"its image is that of index {cell}, which no earlier row has"], 0
            count = shown[cell]
        else:
            images = unlisted(cell)
            count = len(images)
            wrong = [why for image in images if (why := _undecodable(image)) is not None]
            if wrong:
                return wrong, count
        if count > 1 and len(paths) != count:
            return [f"{len(paths)} names in image_path for {count} images"], count
    except ValueError as error:
        return [f"image or image_path {error}"], 0
    return [], count


def _wrong_path(root: Path, path: str, opened: dict[str, str | None]) -> Iterator[str]:
    if path not in opened:
        opened[path] = wrong_image(root, path)
    if opened[path] is not None:
        yield f"image {path}: {opened[path]}"


def _undecodable(image: str) -> str | None:
    try:
        with Image.open(io.BytesIO(base64.b64decode(image, validate=True))) as held:
            held.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "its image is no base64 of an image"
    return None


def prompt_of(row: Mapping[str, Any]) -> str:
    """What VLMEvalKit asks of a row: the question alone, or with its hint and options where it has any."""
    options = {letter: row[letter] for letter in LETTERS if letter in row and not is_missing(row[letter])}
    if not any(letter in row for letter in LETTERS):
        return str(row["question"])
    hint = row.get("hint", "")
    text = f"Hint: {hint}\n" if not is_missing(hint) else ""
    text += f"Question: {row['question']}\n"
    if options:
        text += "Options:\n" + "".join(f"{letter}. {option}\n" for letter, option in options.items())
        text += "Please select the correct answer from the options above. \n"
    return text
