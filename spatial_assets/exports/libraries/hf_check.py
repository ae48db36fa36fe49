"""What would stop a reader of Parquet with questions and images: broken files, lost rows, images that do not open."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from spatial_assets.exports.core.ids import IDS, ids_of
from spatial_assets.exports.core.image_checks import unreadable, wrong_image
from spatial_assets.scene.model import InputError

DATA, IMAGES, SPLIT = "data", "images", "split"
EMBEDDED = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
LINKED = (pa.list_(pa.string()), pa.list_(pa.large_string()), pa.large_list(pa.large_string()))
"""Kinds of lists of paths, as different writers have them."""
NEEDED = ("qa_id", "question", "answer", SPLIT)
NONE_KNOWN = {"qa_id": pl.String, "answer": pl.String, "images": pl.Int32}
"""Of a file that `ids.parquet` does not name."""
BATCH = 64
"""Rows in memory at once, with their images."""
SHOWN = 60
"""Characters of what is wrong that a line shows."""


def files_of(path: Path) -> list[Path]:
    """The file itself, or those of a folder. Raises InputError where there is none."""
    if path.is_file():
        return [path]
    found = sorted((path / DATA).glob("*.parquet"))
    if not found:
        raise InputError(
            path, f"no {DATA}/*.parquet is there" if path.is_dir() else "not there", "missing_file"
        )
    return found


def rows(file: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Raises InputError for a file that is not Parquet, or lacks one of the columns."""
    for batch in batches(file, columns):
        yield from batch.to_pylist()


def batches(file: Path, columns: Sequence[str], size: int = 4096) -> Iterator[pa.RecordBatch]:
    """Raises InputError as `rows` does."""
    try:
        opened = pq.ParquetFile(file)
        missing = [name for name in columns if name not in opened.schema_arrow.names]
        if missing:
            raise InputError(file, f"has no column {missing[0]}", "malformed_file")
        yield from opened.iter_batches(size, columns=list(columns))
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(file, f"not Parquet that can be read: {why[:200]}", "malformed_file") from None


def validate(path: Path) -> list[str]:
    """A line for each problem of the files below a folder, or of one; answers only where `ids.parquet` is there."""
    try:
        files = files_of(path)
    except InputError as error:
        return [str(error)]
    root = path if path.is_dir() else path.parent.parent
    errors: list[str] = []
    known: dict[str, pl.DataFrame] | None = None
    if (root / IDS).exists():
        try:
            known = {
                str(name): own for (name,), own in ids_of(root).partition_by("file", as_dict=True).items()
            }
        except InputError as error:
            errors.append(str(error))
    met: dict[str, str] = {}
    opened: dict[str, str | None] = {}
    for file in files:
        name = file.relative_to(root).as_posix()
        wanted = None if known is None else known.get(name, pl.DataFrame(schema=NONE_KNOWN))
        try:
            errors += [f"{name}: {what}" for what in _wrong(file, root, wanted, met, opened)]
        except InputError as error:
            errors.append(str(error))
    if known is not None and path.is_dir():
        names = {file.relative_to(root).as_posix() for file in files}
        errors += [f"{name}: not there" for name in known if name not in names]
    return errors


def _wrong(
    file: Path,
    root: Path,
    wanted: pl.DataFrame | None,
    met: dict[str, str],
    opened: dict[str, str | None],
) -> Iterator[str]:
    yield from _wrong_features(file)
    names = pq.ParquetFile(file).schema_arrow.names
    columns = [*NEEDED, *([IMAGES] if IMAGES in names else [])]
    answers: Mapping[str, tuple[str, int]] | None = None
    if wanted is not None:
        answers = {
            own: (answer, images)
            for own, answer, images in wanted.select("qa_id", "answer", "images").iter_rows()
        }
    found = 0
    for batch in batches(file, columns, BATCH):
        for row in batch.to_pylist():
            where = f"row {found}"
            found += 1
            own = row["qa_id"]
            if met.setdefault(own, f"{file.name}: {where}") != f"{file.name}: {where}":
                yield f"{where}: qa_id {own} is that of {met[own]}"
            for column in ("question", "answer", SPLIT):
                if not (row[column] or "").strip():
                    yield f"{where}: {column} is empty"
            images = row.get(IMAGES) or []
            yield from (f"{where}: {what}" for what in _wrong_images(images, root, opened))
            if answers is None:
                continue
            if own not in answers:
                yield f"{where}: qa_id {own} is not in {IDS} for this file"
                continue
            answer, count = answers[own]
            if row["answer"] != answer:
                yield f"{where}: answers {_shown(row['answer'])}, where {IDS} has {_shown(answer)}"
            if len(images) != count:
                yield f"{where}: {len(images)} images, where {IDS} has {count}"
    if answers is not None and found < len(answers):
        yield f"ends after {found} of {len(answers)} questions"


def _wrong_features(file: Path) -> Iterator[str]:
    """What the library would take the columns for. Raises InputError for what is not Parquet."""
    try:
        held = pq.read_schema(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(file, f"not Parquet that can be read: {why[:200]}", "malformed_file") from None
    missing = [name for name in NEEDED if name not in held.names]
    if missing:
        raise InputError(file, f"has no column {missing[0]}", "malformed_file")
    for name in NEEDED:
        if not (pa.types.is_string(held.field(name).type) or pa.types.is_large_string(held.field(name).type)):
            raise InputError(
                file, f"its column {name} is no text but {held.field(name).type}", "malformed_file"
            )
    if IMAGES in held.names and held.field(IMAGES).type not in (EMBEDDED, *LINKED):
        why = f"its column {IMAGES} holds neither images nor paths but {held.field(IMAGES).type}"
        raise InputError(file, why, "malformed_file")
    try:
        features = json.loads((held.metadata or {})[b"huggingface"])["info"]["features"]
        others = sorted(set(features) ^ set(held.names))
    except (KeyError, ValueError, TypeError):
        yield "its schema does not say which features it has, so that images are records"
        return
    if others:
        yield f"column {others[0]} stands only in one of its schema and its features"
    is_image = json.dumps(features.get(IMAGES, "")).count('"Image"')
    if IMAGES in held.names and bool(is_image) != (held.field(IMAGES).type == EMBEDDED):
        yield f"{IMAGES} {'are' if is_image else 'are not'} Image features and hold {held.field(IMAGES).type}"


def _wrong_images(images: Sequence[Any], root: Path, opened: dict[str, str | None]) -> Iterator[str]:
    for number, image in enumerate(images):
        if isinstance(image, str):
            if image not in opened:
                opened[image] = wrong_image(root, image)
            if opened[image] is not None:
                yield f"image {image}: {opened[image]}"
            continue
        data = (image or {}).get("bytes")
        if not data:
            yield f"image {number}: no bytes"
            continue
        # A video's images stand in many rows.
        key = hashlib.blake2b(data, digest_size=16).hexdigest()
        if key not in opened:
            opened[key] = unreadable(io.BytesIO(data))
        if opened[key] is not None:
            yield f"image {number}: {opened[key]}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)[:SHOWN]
