"""What cannot be right in the lake, found by the queries of `sql/checks`, shard by shard.

A shard is looked at again only if one of the files that its query reads has changed since, so looking
at everything after each run costs what changed, not what there is. What was found is kept beside the
records, in `<home>/records/findings/<asset>.json`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import duckdb

from spatial_assets.engine import errors
from spatial_assets.lineage.database import connect_tables
from spatial_assets.scene.frame_set_tables import BUDGETS
from spatial_assets.scene.tables import QUESTIONS, Table
from spatial_assets.scene.twin_laws import broken
from spatial_assets.stages.budgets import STAGES as JUDGED
from spatial_assets.stages.pipeline import STAGES
from spatial_assets.stages.questions import STAGES as TASKS
from spatial_assets.stages.stage import upstream_of
from spatial_assets.storage.atomic import remove_temporaries, replace_text
from spatial_assets.storage.hashing import hash_text
from spatial_assets.storage.lake import Lake
from spatial_assets.storage.leases import leased
from spatial_assets.storage.shipped import sql

TWINS_AT_ONCE = 10_000
SHARDS_AT_ONCE = 4
"""A full shard has a quarter of a million questions; a query over so many at once stays far below a gigabyte."""
FINDINGS = "findings"
"""In place of a shard's key where what was found is locked: by asset, as shards are."""
Problem = tuple[str, str, str, str]
"""Severity (ERROR or WARN), shard, scene, and what is wrong."""


def find_problems(home: Path, assets: Collection[str]) -> dict[str, list[Problem]]:
    """By asset, everything that is wrong in its tables, over all shards, errors first.

    Tasks are looked at together: one query over the tables of many costs little more than over those of one.
    """
    home = Path(home)
    found: dict[str, list[Problem]] = {}
    for together in (
        [name for name in assets if name in TASKS],
        *([name] for name in assets if name not in TASKS),
    ):
        try:
            found |= _look(home, together)
        except duckdb.Error:
            # One damaged table must not hide what is wrong, or that nothing is, in the others.
            for name in together:
                try:
                    found |= _look(home, [name])
                except duckdb.Error as error:
                    what = str(error).strip().splitlines()[0]
                    found[name] = [("ERROR", "", "", f"cannot be checked: {what}")]
    return {name: sorted(found[name] + _errors(home, name)) for name in assets}


def _look(home: Path, assets: list[str]) -> dict[str, list[Problem]]:
    """What the query that these assets share finds in shards that changed, and what is known of the others."""
    if not assets:
        return {}
    query = sql(f"checks/{_query_of(assets[0])}")
    parameters = {"tasks": assets} if assets[0] in TASKS else None
    paths = {name: home / "records" / FINDINGS / f"{name}.json" for name in assets}
    with leased(home, FINDINGS, assets) as lease:
        for name in lease.interrupted:
            remove_temporaries(paths[name].parent, paths[name].name)
        lease.settle()
        known = {name: _load(paths[name]) for name in assets}
        whole = query + sql("checks/twins") if parameters else query
        states = {name: _states(home, name, whole) for name in assets}
        changed = {
            (name, shard): list[Problem]()
            for name in assets
            for shard, state in states[name].items()
            if known[name].get(shard, {}).get("state") != state
        }
        tables = {table.name: table for name, _ in changed for table in _tables(name)}
        shards = sorted({shard for _, shard in changed})
        for first in range(0, len(shards), SHARDS_AT_ONCE):
            with connect_tables(home, tables.values(), shards[first : first + SHARDS_AT_ONCE]) as con:
                found = con.execute(query, parameters).fetchall()
                if parameters:
                    found += _broken_laws(con, parameters)
                for row in found:
                    name = row[4] if parameters else assets[0]
                    if (name, row[1]) in changed:
                        changed[name, row[1]].append(row[:4])
        for name in assets:
            if set(known[name]) == set(states[name]) and not any(asset == name for asset, _ in changed):
                continue
            known[name] = {
                shard: {
                    "state": state,
                    "problems": sorted(changed[name, shard])
                    if (name, shard) in changed
                    else known[name][shard]["problems"],
                }
                for shard, state in states[name].items()
            }
            _save(paths[name], known[name])
    return {
        name: [(s, h, c, p) for entry in known[name].values() for s, h, c, p in entry["problems"]]
        for name in assets
    }


def _broken_laws(con: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Twins whose answers do not follow from their questions', each with its task behind what is wrong."""
    wrong: list[tuple[str, ...]] = []
    rows = con.execute(sql("checks/twins"), parameters)
    while chunk := rows.fetchmany(TWINS_AT_ONCE):
        for task, shard, scene, qa_id, law, twin_of, form, *both in chunk:
            if form is None:
                why: str | None = f"its question {twin_of} is not there"
            else:
                first, twin = (
                    {"format": form, "value": value, "answer": answer, "options": options}
                    for value, answer, options in (both[:3], both[3:])
                )
                why = broken(law, first, twin)
            if why is not None:
                wrong.append(("ERROR", shard, scene, f"{qa_id}: breaks {law}: {why}", task))
    return wrong


def _query_of(asset: str) -> str:
    """The name of its query, which assets of a kind share."""
    if asset in TASKS:
        return QUESTIONS.name
    return BUDGETS.name if asset in JUDGED else asset


def _errors(home: Path, asset: str) -> list[Problem]:
    """Scenes that the asset failed on, with the last line of why."""
    return [
        ("ERROR", shard, scene, f"failed: {text.strip().splitlines()[-1]}")
        for shard, scene, text in errors.of_stage(home, asset)
    ]


def _states(home: Path, asset: str, query: str) -> dict[str, str]:
    """By shard, what changes when a file that the query reads does, or the query itself."""
    lake = Lake(home)
    tables = _tables(asset)
    states = {}
    for shard in lake.shards(STAGES[asset].quality):
        parts = [query]
        for table in tables:
            try:
                stat = lake.table_path(table, shard).stat()
                parts.append(f"{table.name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}")
            except FileNotFoundError:
                parts.append(table.name)
        states[shard] = hash_text(*parts)
    return states


def _tables(asset: str) -> list[Table]:
    """What an asset's query may read: its own tables and those that it rests on."""
    return [table for name in (asset, *upstream_of(STAGES[asset], STAGES)) for table in STAGES[name].tables]


def _load(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def _save(path: Path, known: dict[str, dict[str, Any]]) -> None:
    replace_text(path, json.dumps(known))
