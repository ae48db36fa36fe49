"""Which rows are looked at: of each task and format of a lake or a release, at most so many, whatever there are.

They are the first by the hash of their `qa_id`: a sample that no order of writing, no shard and no number of workers
changes, and that one pass over two columns finds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from spatial_assets.releases.spaces import space_of
from spatial_assets.scene.model import InputError
from spatial_assets.scene.suggestions import instead
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.plain_paths import plain

SAMPLE = 4000
"""Rows of a task and format: intervals of 1.4 points each way at chance, of four options, if scenes were alike."""
COLUMNS = (
    "qa_id", "dataset", "release", "scene", "template", "question", "answer", "options", "value", "objects", "marks",
    "frames",
)  # fmt: skip
TWIN_OF = "twin_of"
LETTERED, PARTS = "A. {}", "stem"
"""How a question begins to list its options, and the column that holds it without them."""


@dataclass(frozen=True)
class Asked:
    """The rows of a task in one format that are looked at."""

    task: str
    format: str
    total: int
    """Rows that there are."""
    rows: list[dict[str, Any]]
    """As in the table of questions, with `stem`: what is asked, without options; and `space`: the place shown."""


def files(home: Path, release: str | None = None) -> dict[str, list[Path]]:
    """Parquet files of questions by task. Raises InputError where there is no such release."""
    found: dict[str, list[Path]] = {}
    if release is None:
        for path in sorted((plain(home) / "lake" / "questions").glob("*/shard=*/data.parquet")):
            found.setdefault(path.parent.parent.name, []).append(path)
        return found
    manifest.load(home, release)
    for path in map(Path, manifest.data_files(home, release)):
        found.setdefault(path.stem, []).append(path)
    return dict(sorted(found.items()))


def asked(
    home: Path, release: str | None = None, tasks: Collection[str] = (), sample: int = SAMPLE
) -> Iterator[Asked]:
    """Of each task and format, by name. Raises InputError for a task of which there are no rows at all."""
    by_task = files(home, release)
    for name in sorted(set(tasks) - by_task.keys()):
        raise InputError(Path(home), f"no rows of a task {name!r} here; {instead(name, by_task)}")
    for task, paths in by_task.items():
        if not tasks or task in tasks:
            yield from _of_task(task, paths, sample)


def _of_task(task: str, paths: Sequence[Path], sample: int) -> Iterator[Asked]:
    with duckdb.connect() as con:
        con.sql("set enable_progress_bar = false")
        rows = con.read_parquet([str(path) for path in paths], hive_partitioning=False, union_by_name=True)
        shown = [name for name in (*COLUMNS, PARTS) if name in rows.columns]
        if TWIN_OF in rows.columns:
            # The same candidates once more: they would only make a sample of others smaller.
            rows = rows.filter(f"{TWIN_OF} is null")
        counts = rows.aggregate("format, count(*) as total", "format").order("format").fetchall()
        for form, total in counts:
            chosen = (
                rows.filter(duckdb.ColumnExpression("format") == duckdb.ConstantExpression(form))
                .order("md5(qa_id), qa_id")
                .limit(sample)
                .project(", ".join(shown))
                .pl()
            )
            yield Asked(task, form, total, [_with_parts(row) for row in chosen.to_dicts()])


def _with_parts(row: dict[str, Any]) -> dict[str, Any]:
    row["space"] = space_of(row["dataset"], row["release"], row["scene"])
    if PARTS not in row:
        # Rows of before the parts stood by themselves: the options begin with the first one's letter.
        begin = row["question"].find(LETTERED.format(row["options"][0])) if row["options"] else -1
        row[PARTS] = row["question"][:begin] if begin >= 0 else row["question"]
    return row
