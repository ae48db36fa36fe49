"""A task folder of lmms-eval: YAML, utils.py with the scorers, and the questions as Parquet.

    <out>/<task>.yaml                 a split; and of it what SPAR-Bench's, VSI-Bench's or SpatialMosaic's scorers take
    <out>/utils.py                    what lmms-eval calls; needs no other package than lmms-eval itself
    <out>/spatial_assets_scorer_*/    the scorers, as this project has them
    <out>/data/<split>.parquet        the questions, or shards of it
    <out>/ids.parquet, images/        where each question comes from; its images

`lmms-eval --include_path <out> --tasks <task>` scores a model on it, by each profile: `strict_overall` and
`official_overall`, and the same of each task and level. They are what `spatial-assets score` gives for the same
predictions; lmms-eval itself takes white space off both ends of a response before it is scored. Sentences, which can be
right in many words, are left out. Coordinates stay as rows print them unless `--coordinates` says otherwise.
https://github.com/EvolvingLMMs-Lab/lmms-eval, lmms_eval/api/task.py of 0.7.3
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from spatial_assets.exports.conversations import checks, jsonl
from spatial_assets.exports.conversations.jsonl import Line
from spatial_assets.exports.core.base import ColumnSource, Options
from spatial_assets.exports.core.columns import IMAGE
from spatial_assets.exports.core.export_images import Images
from spatial_assets.exports.core.ids import Ids, ids_of
from spatial_assets.exports.core.printed_coordinates import AS_PRINTED, profile
from spatial_assets.exports.evaluators.lmms_eval_folder import (
    PACKAGE,
    UTILS,
    YAML,
    package_problem,
    utils,
    write_package,
    yaml,
)
from spatial_assets.exports.evaluators.scored_rows import Shares, scored, splits
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.registry import BENCHMARKS, benchmark
from spatial_assets.storage.atomic import naming
from spatial_assets.tasks.core.options import LETTERS

CARRIES = jsonl.CARRIES | {"options"}
TAKES = frozenset({"coordinates", "image-format"})
DATA, SUFFIX = "data", ".parquet"
ALL = "release"
"""The benchmark that scores every task."""
PREFIX = "spatial_assets"
"""What names of tasks begin with, among the hundreds that lmms-eval has."""
KEYS = (
    "task", "tag", "dataset_path", "dataset_kwargs", "test_split", "process_docs", "output_type", "doc_to_visual",
    "doc_to_text", "doc_to_target", "generation_kwargs", "process_results", "metric_list", "metadata",
)  # fmt: skip
"""Of a task's file."""
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "question")),
        ("images", pa.list_(pa.string())),
        *((name, pa.string()) for name in ("task", "format", "ground_truth", "answer_kind", "reward")),
        ("choices", pa.list_(pa.string())),
        ("unit", pa.string()),
        ("tolerance", pa.float64()),
        ("mc_answer", pa.string()),
        ("bbox_2d_diag", pa.float64()),
        ("benchmarks", pa.list_(pa.string())),
        *((name, pa.string()) for name in ("dataset", "release", "scene", "license", "twin_of", "law")),
    ]
)
"""A document. `mc_answer` and `bbox_2d_diag` are what SpatialMosaic's scorers call the letter and the tolerance."""


def write(source: ColumnSource, out: Path, options: Options) -> dict[str, int]:
    """Returns how many rows of each split are scored."""
    how = profile(options.coordinates or AS_PRINTED.name, options.min_pixels, options.max_pixels)
    tag = task_name(getattr(source, "name", ""))
    tasks: dict[tuple[str, str], set[str]] = {}
    files: dict[str, list[str]] = {}
    (out / DATA).mkdir()
    counts = splits(source)
    with Images.of(out, options) as images, Ids(out) as ids:
        for split, count in counts.items():
            shares = Shares(
                f"{DATA}/{split}", SUFFIX, count, options.shards, lambda name: _ParquetFile(out / name)
            )
            files[split] = shares.names
            for rows in scored(source, split, how, images):
                documents = rows.with_columns(benchmarks=_benchmarks(rows))
                scorers = documents.select("task", "benchmarks").explode("benchmarks").unique()
                for task, name in scorers.iter_rows():
                    tasks.setdefault((split, name), set()).add(task)
                for file, own in shares.write(documents):
                    ids.add(own, split, file)
            shares.close()
    used = [name for name in BENCHMARKS if name in {one for _, one in tasks}]
    (out / UTILS).write_text(utils(write_package(out, used), used), encoding="utf-8")
    for (split, name), asked in sorted(tasks.items()):
        task = task_name(tag, split, "" if name == ALL else name)
        text = yaml(task, tag, name, split, files[split], sorted(asked))
        (out / f"{task}{YAML}").write_text(text, encoding="utf-8")
    return dict(counts)


def task_name(*parts: str) -> str:
    """Of a release, a split and a benchmark: letters, digits and `_` alone, as a command line takes it."""
    words = [re.sub(r"\W+", "_", part, flags=re.ASCII) for part in parts if part]
    return "_".join(words if words[:1] and words[0].startswith(PREFIX) else [PREFIX, *words])


def _benchmarks(rows: pl.DataFrame) -> pl.Series:
    """Which benchmarks score each row: a published one the tasks of its names, asked as it asks them."""
    asked = rows.select(
        "task",
        choice=pl.col("choices").is_not_null(),
        fill=pl.col("choices").is_null() & (pl.col("format") == "fill"),
    )
    known = {
        name: (
            # Only published benchmarks have question types of their own; they say which are choices.
            set(benchmark(name).PROFILES[0].scorers),
            set(getattr(benchmark(name), "CHOICES", ())),
        )
        for name in BENCHMARKS
        if name != ALL
    }
    found = [
        [
            ALL,
            *(
                name
                for name, (tasks, choices) in known.items()
                if task in tasks and (choice if task in choices else fill)
            ),
        ]
        for task, choice, fill in asked.iter_rows()
    ]
    return pl.Series("benchmarks", found, pl.List(pl.String))


class _ParquetFile:
    """Documents written as they come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with naming(path):
            self._writer = pq.ParquetWriter(path, SCHEMA, compression="zstd")

    def write(self, rows: pl.DataFrame) -> None:
        documents = rows.select(
            pl.col("qa_id").alias("id"),
            *SCHEMA.names[1:11],
            pl.when(pl.col("choices").is_not_null()).then("ground_truth").alias("mc_answer"),
            pl.when(pl.col("reward") == "point").then("tolerance").alias("bbox_2d_diag"),
            *SCHEMA.names[13:],
        )
        with naming(self._path):
            self._writer.write_table(documents.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(SCHEMA))

    def close(self) -> None:
        with naming(self._path):
            self._writer.close()


def documents(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """What a file holds, numbered from 1. Raises InputError for one that is no Parquet."""
    number = 0
    try:
        opened = pq.ParquetFile(file)
        kinds, wanted = (
            dict(pl.DataFrame(held.empty_table()).schema) for held in (opened.schema_arrow, SCHEMA)
        )
        for name, kind in wanted.items():
            if kinds.get(name) != kind:
                raise InputError(file, f"has no column {name} of {kind}", "malformed_file")
        for batch in opened.iter_batches(1024):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except InputError:
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        why = f"cannot be read as Parquet: {str(error).splitlines()[0]}"
        raise InputError(file, why, "malformed_file") from None


def document_of(record: Mapping[str, Any]) -> Line:
    """What a document asks, and with which images."""
    wrong = [f"it has no {name}" for name in ("task", "reward", "benchmarks") if not record[name]]
    wrong += [f"its text says {IMAGE}"] if IMAGE in record["question"] else []
    wrong += _wrong_truth(record)
    return Line(
        record["id"], record["question"], record["ground_truth"], {}, {IMAGE: record["images"] or []}, wrong
    )


def _wrong_truth(record: Mapping[str, Any]) -> Iterator[str]:
    """What the fields that scorers read say against each other."""
    choices, truth, most = record["choices"], record["ground_truth"], record["tolerance"]
    if choices is not None and truth not in LETTERS[: len(choices)]:
        yield f"answers {truth!r}, which is the letter of no choice"
    if record["mc_answer"] != (None if choices is None else truth):
        yield f"mc_answer is {record['mc_answer']!r} for the answer {truth!r}"
    if most is not None and not (math.isfinite(most) and most >= 0):
        yield f"tolerance {most} is no number from 0"
    elif record["bbox_2d_diag"] != (most if record["reward"] == "point" else None):
        yield f"bbox_2d_diag is {record['bbox_2d_diag']} for the tolerance {most}"


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    choices = (row["choices"] for file in _data(path) for _, row in documents(file))
    for row in jsonl.rows_back(path, document_of, f"{DATA}/", documents):
        yield {**row, "options": next(choices)}


def _data(path: Path) -> list[Path]:
    """In the order of `ids.parquet`."""
    names = ids_of(path)["file"].unique(maintain_order=True)
    return [path / name for name in names]


def validate(path: Path) -> list[str]:
    """Unique ids, every image opened, truths against `ids.parquet`; what YAML names is there; scorers unchanged."""
    errors = checks.validate(path, document_of, suffix=SUFFIX, read=documents, unit="row")
    return errors + ([] if path.is_file() else list(_wrong_folder(path)))


def _wrong_folder(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse((path / UTILS).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        yield f"{UTILS}: {'not there' if isinstance(error, FileNotFoundError) else 'is no Python'}"
        return
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    defined |= {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    packages = sorted(folder for folder in path.glob(f"{PACKAGE}_*") if folder.is_dir())
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    for name in sorted(module for module in named if module and module.startswith(PACKAGE)):
        file = path.joinpath(*name.split("."))
        if not file.is_dir() and not file.with_suffix(".py").is_file():
            yield f"{UTILS}: {name} is not there"
    for folder in packages:
        problem = package_problem(folder)
        if problem is not None:
            yield f"{folder.name}: {problem}"
    tasks = sorted(path.glob(f"*{YAML}"))
    if not tasks:
        yield f"no task's {YAML} file is there"
    met: dict[str, str] = {}
    called: set[str] = set()
    read: set[str] = set()
    for file in tasks:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, ValueError):
            yield f"{file.name}: is no text"
            continue
        keys = re.findall(r"^(\w+):", text, re.MULTILINE)
        for key in sorted(set(KEYS) - set(keys)):
            yield f"{file.name}: has no {key}"
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            yield f"{file.name}: has {key} more than once"
        functions = set(re.findall(r"!function utils\.(\w+)", text))
        for function in sorted(functions - defined):
            yield f"{file.name}: {UTILS} has no {function}"
        files = re.findall(rf'^\s*- "([^"]+{SUFFIX})"$', text, re.MULTILINE)
        for data in files:
            if not (path / data).is_file():
                yield f"{file.name}: {data} is not there"
        called |= functions
        if f"only_{ALL}" in functions:
            read |= set(files)
        for task in re.findall(r'^task: "(.+)"$', text, re.MULTILINE):
            if met.setdefault(task, file.name) != file.name:
                yield f"{file.name}: task {task} is that of {met[task]}"
    for function in sorted(name for name in defined - called if name.startswith(("only_", "process_"))):
        if function != "process_results":
            yield f"{UTILS}: no task's {YAML} file calls {function}"
    for data in sorted(file.relative_to(path).as_posix() for file in (path / DATA).glob(f"*{SUFFIX}")):
        if data not in read:
            yield f"{data}: no task's {YAML} file reads all of it"


def told(path: Path) -> list[str]:
    """How it is run."""
    tasks = ",".join(file.stem for file in sorted(path.glob(f"*{YAML}")))
    return [f"lmms-eval --include_path OUT --tasks {tasks}"]
