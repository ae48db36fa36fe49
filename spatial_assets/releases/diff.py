"""What changed between two releases, row by row: added, removed, changed, moved to another split."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import duckdb

from spatial_assets.lineage import database
from spatial_assets.scene.model import InputError
from spatial_assets.scene.tables import QUESTIONS
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.shipped import sql

KINDS = ("added", "removed", "changed", "moved")
LAKE = "lake"
"""Stands for the rows as they are now, in place of a release."""
EXAMPLES = 3
MEMORY = "4GB"
"""Beyond it DuckDB goes to disk."""


def diff(home: Path, former: str, latter: str, examples: int = EXAMPLES) -> dict[str, Any]:
    """Differences from one release to another, as JSON. Either may be `lake`.

    `tasks` has the counts by task and kind, `scenes` the number of scenes touched, `examples` by task and
    kind a few rows, changed ones with each column's two values. A row is *changed* when any column but its
    split differs, *moved* when only the split does.
    """
    con = _compared(home, former, latter)
    counts = con.execute("select task, kind, count(*) from differing group by all order by all").fetchall()
    tasks: dict[str, dict[str, int]] = {}
    for task, kind, count in counts:
        tasks.setdefault(task, dict.fromkeys(KINDS, 0))[kind] = count
    scenes = con.execute("select count(distinct (dataset, scene)) from differing").fetchone()
    columns: dict[str, dict[str, int]] = {}
    for task, column, count in _changed_columns(con):
        columns.setdefault(task, {})[column] = count
    return {
        "former": former,
        "latter": latter,
        "equal": not tasks,
        "total": {kind: sum(count[kind] for count in tasks.values()) for kind in KINDS},
        "tasks": tasks,
        "scenes": scenes[0] if scenes else 0,
        "changed_columns": columns,
        "examples": _examples(con, examples),
    }


def changed_rows(home: Path, former: str, latter: str) -> list[tuple[str, str]]:
    """(kind, qa_id) of every difference, sorted."""
    con = _compared(home, former, latter)
    return [
        (kind, qa_id)
        for kind, qa_id in con.execute("select kind, qa_id from differing order by all").fetchall()
    ]


def _compared(home: Path, former: str, latter: str) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set memory_limit = $memory", {"memory": MEMORY})
    con.execute("set temp_directory = $folder", {"folder": tempfile.gettempdir()})
    for side, name in (("former", former), ("latter", latter)):
        _rows_view(con, side, Path(home), name)
    con.execute(f"create temp table differing as {sql('releases/compare')}")
    return con


def _rows_view(con: duckdb.DuckDBPyConnection, side: str, home: Path, name: str) -> None:
    """A view `<side>_rows` with the questions' columns and `split`, and `<side>` with what is compared of them."""
    if name == LAKE:
        con.execute(f"create schema {side}_lake")
        database.family_view(con, f"{side}_lake", home, QUESTIONS)
        con.execute(f"create view {side}_rows as select *, null::varchar as split from {side}_lake.questions")
    else:
        manifest.load(home, name)
        files = [Path(file) for file in manifest.data_files(home, name)]
        if not files:
            raise InputError(manifest.folder(home, name), "the release has no data")
        con.execute(
            f"create view {side}_rows as select *, string_split(filename, '/')[-2] as split "
            f"from read_parquet({database.path_list(files)}, filename = true, hive_partitioning = false)"
        )
    columns = ", ".join(QUESTIONS.schema.names)
    con.execute(
        f"create view {side} as select qa_id, task, dataset, scene, split, hash({columns}) as content from {side}_rows"
    )


def _changed_columns(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int]]:
    """Of changed rows, how many differ in which column, by task."""
    counts = ", ".join(
        f"count(*) filter (a.{name} is distinct from b.{name}) as {name}"
        for name in QUESTIONS.schema.names
        if name not in ("qa_id", "task")
    )
    rows = con.execute(
        f"select d.task, {counts} from differing d join former_rows a using (qa_id) join latter_rows b using (qa_id) "
        "where d.kind = 'changed' group by all order by all"
    )
    names = [column[0] for column in rows.description or ()][1:]
    return [
        (task, name, count)
        for task, *found in rows.fetchall()
        for name, count in zip(names, found, strict=True)
        if count
    ]


def _examples(con: duckdb.DuckDBPyConnection, count: int) -> dict[str, dict[str, list[dict[str, Any]]]]:
    con.execute(
        "create temp table shown as select * from (select *, row_number() over "
        "(partition by task, kind order by qa_id) as place from differing) where place <= $count",
        {"count": count},
    )
    packed = ", ".join(f"{column} := {column}" for column in QUESTIONS.schema.names)
    rows = con.execute(
        "select d.task, d.kind, d.qa_id, d.scene, d.old_split, d.new_split, a.content, b.content from shown d "
        f"left join (select qa_id, struct_pack({packed}) as content from former_rows semi join shown using (qa_id)) a "
        "using (qa_id) "
        f"left join (select qa_id, struct_pack({packed}) as content from latter_rows semi join shown using (qa_id)) b "
        "using (qa_id) order by d.task, d.kind, d.qa_id"
    ).fetchall()
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for task, kind, qa_id, scene, old_split, new_split, old, new in rows:
        example: dict[str, Any] = {"qa_id": qa_id, "scene": scene}
        if kind == "moved":
            example["split"] = [old_split, new_split]
        elif kind == "changed":
            example["columns"] = {name: [old[name], new[name]] for name in old if old[name] != new[name]}
        else:
            held = new if kind == "added" else old
            example |= {"question": held["question"], "answer": held["answer"]}
        found.setdefault(task, {}).setdefault(kind, []).append(example)
    return found
