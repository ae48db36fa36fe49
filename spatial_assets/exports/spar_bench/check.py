"""The files of a SPAR-Bench, whoever wrote them: their schema, how they are read, and what is wrong with them."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from spatial_assets.exports.core.bench_source import TEST
from spatial_assets.exports.spar.problems import OPTION
from spatial_assets.exports.spar_bench.answers import VIEW_CHANGE, motion
from spatial_assets.exports.spar_bench.tasks import SELECT, BenchTask, bench_tasks
from spatial_assets.scene.model import InputError

DATA, ORIGINS, REPORT = "data", "origins.jsonl", "report.json"
FEATURES: Mapping[str, Mapping[str, Any]] = {
    "id": {"dtype": "int64", "_type": "Value"},
    **{name: {"dtype": "string", "_type": "Value"} for name in ("img_type", "format_type", "task", "source")},
    "image": {"feature": {"_type": "Image"}, "_type": "Sequence"},
    **{name: {"dtype": "string", "_type": "Value"} for name in ("question", "answer")},
}
"""Of the published dataset, in its order, as its library writes them down."""
IMAGES = pa.list_(pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())]))
SCHEMA = pa.schema(
    [
        pa.field(name, IMAGES if name == "image" else pa.int64() if name == "id" else pa.string())
        for name in FEATURES
    ],
    metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
)
EACH = 400
"""Ids of a task."""
BATCH = 16
"""Rows in memory at once, with their images."""
TOLD = 50
"""Problems of a file that are named."""


def data_files(path: Path) -> list[Path]:
    """The file itself, or those of a folder. Raises InputError where there is none."""
    if path.is_file():
        return [path]
    found = sorted((path / DATA).glob(f"{TEST}-*.parquet")) or sorted(path.glob("*.parquet"))
    if not found:
        raise InputError(path, "no Parquet file is there" if path.is_dir() else "not there", "missing_file")
    return found


def rows(file: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Raises InputError for a file that is not Parquet, or lacks one of the columns."""
    try:
        opened = pq.ParquetFile(file)
        missing = [name for name in columns if name not in opened.schema_arrow.names]
        if missing:
            raise InputError(file, f"has no column {missing[0]}", "malformed_file")
        for batch in opened.iter_batches(BATCH, columns=list(columns)):
            yield from pa.Table.from_batches([batch]).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(file, f"not Parquet that can be read: {_line(error)}", "malformed_file") from None


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def origins(folder: Path) -> dict[int, dict[str, Any]]:
    """By id. Raises InputError for a file that is not there or not ours."""
    path, found = folder / ORIGINS, {}
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if line:
                entry = json.loads(line)
                if not isinstance(entry, dict) or type(entry.get("id")) is not int:
                    raise InputError(path, f"line {number}: no object with an id", "malformed_file")
                found[entry["id"]] = entry
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}", "missing_file") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(path, f"not JSON lines: {_line(error)}", "malformed_file") from None
    return found


def examine(path: Path) -> list[str]:
    """A line for each problem, naming file and row."""
    try:
        files = data_files(path)
    except InputError as error:
        return [str(error)]
    problems: list[str] = []
    ids: dict[int, str] = {}
    counts: Counter[str] = Counter()
    for file in files:
        told = 0
        try:
            for problem in _file_problems(file, ids, counts):
                told += 1
                if told <= TOLD:
                    problems.append(f"{file.name}: {problem}")
        except InputError as error:
            problems.append(str(error))
        if told > TOLD:
            problems.append(f"{file.name}: and {told - TOLD} more")
    if path.is_dir() and (path / REPORT).exists():
        problems += _beside(path, ids, counts)
        if not problems:
            problems += islice(_other_answers(path, origins(path)), TOLD)
    return problems


def _file_problems(file: Path, ids: dict[int, str], counts: Counter[str]) -> Iterator[str]:
    try:
        schema = pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(file, f"not Parquet that can be read: {_line(error)}", "malformed_file") from None
    if schema.names != SCHEMA.names:
        yield f"columns are {', '.join(schema.names)[:200]}, not {', '.join(SCHEMA.names)}"
        return
    for name in SCHEMA.names:
        if name != "image" and schema.field(name).type not in (SCHEMA.field(name).type, pa.large_string()):
            yield f"{name} is {schema.field(name).type}, not {SCHEMA.field(name).type}"
            return
    if not _holds_images(schema.field("image").type):
        yield f"image is {str(schema.field('image').type)[:100]}, not a list of images with their bytes"
        return
    for number, row in enumerate(rows(file, SCHEMA.names)):
        where = f"row {number}"
        first = ids.setdefault(row["id"], f"{file.name}: {where}")
        if first != f"{file.name}: {where}":
            yield f"{where}: id {row['id']} is that of {first}"
        if isinstance(row["task"], str):
            counts[row["task"]] += 1
        for problem in _row_problems(row):
            yield f"{where}: {problem}"


def _holds_images(kind: pa.DataType) -> bool:
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)) or not pa.types.is_struct(
        kind.value_type
    ):
        return False
    return any(field.name == "bytes" and pa.types.is_binary(field.type) for field in kind.value_type)


def _row_problems(row: Mapping[str, Any]) -> Iterator[str]:
    empty = [name for name in FEATURES if row[name] is None or row[name] == ""]
    if empty:
        yield f"{', '.join(empty)} is empty"
        return
    task = bench_tasks().get(row["task"])
    if task is None:
        yield f"{row['task'][:60]!r} is no task of SPAR-Bench"
        return
    if not task.id <= row["id"] < task.id + EACH:
        yield f"id {row['id']} is none of {task.task}, whose are {task.id} to {task.id + EACH - 1}"
    if row["format_type"] != task.format:
        yield f"format_type is {row['format_type'][:60]!r}, and {task.task} has {task.format}"
    yield from _answer_problems(row, task)
    if len(row["image"]) != task.images:
        yield f"{len(row['image'])} images, and {task.task} shows {task.images}"
    for number, image in enumerate(row["image"]):
        problem = _image_problem(image)
        if problem:
            yield f"image {number}: {problem}"


def _answer_problems(row: Mapping[str, Any], task: BenchTask) -> Iterator[str]:
    answer = row["answer"]
    if task.format == SELECT:
        options = set(OPTION.findall(row["question"]))
        if answer not in options:
            yield f"answers {answer[:60]!r}, which is none of its options"
    elif task.task == VIEW_CHANGE:
        if motion(answer) is None:
            yield f"the answer is no view change: {answer[:60]!r}"
    elif not _is_number(answer):
        yield f"the answer is not a number: {answer[:60]!r}"


def _is_number(text: str) -> bool:
    whole, _, part = text.partition(".")
    return text.isascii() and whole.isdigit() and (not part or part.isdigit()) and not text.endswith(".")


def _image_problem(image: Any) -> str | None:
    if not isinstance(image, Mapping) or not image.get("bytes"):
        return "has no bytes"
    try:
        with Image.open(io.BytesIO(image["bytes"])) as opened:
            opened.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "cannot be read as an image"
    return None


def _beside(folder: Path, ids: Mapping[int, str], counts: Mapping[str, int]) -> Iterator[str]:
    """What the files beside the data say that the data does not."""
    try:
        told = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        said = {str(entry["task"]): entry["rows"] for entry in told["tasks"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        yield f"{REPORT}: no report of a benchmark"
        return
    for task in sorted({*said, *counts}):
        if said.get(task, 0) != counts.get(task, 0):
            yield f"{REPORT}: says {said.get(task, 0)} rows of {task}, and there are {counts.get(task, 0)}"
    try:
        known = origins(folder)
    except InputError as error:
        yield str(error)
        return
    for id in sorted(ids.keys() - known.keys())[:TOLD]:
        yield f"{ORIGINS}: says nothing of row {id}"
    for id in sorted(known.keys() - ids.keys())[:TOLD]:
        yield f"{ORIGINS}: names row {id}, which is not there"


def _other_answers(folder: Path, known: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    """Rows that answer otherwise than they were written."""
    for file in data_files(folder):
        for row in rows(file, ("id", "answer")):
            wanted = known.get(row["id"], {}).get("answer", row["answer"])
            if row["answer"] != wanted:
                said = str(row["answer"])[:60]
                yield f"{file.name}: id {row['id']}: answers {said!r}, where {ORIGINS} has {wanted!r}"
