"""Checks a release: its hashes, counts, splits, balance, mix and leaks, and whether scenes were withdrawn later."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from spatial_assets.releases import joined, revocations
from spatial_assets.releases.mix_check import wrong_mix
from spatial_assets.releases.recipe import Cell
from spatial_assets.releases.spaces import benchmark_spaces, space_of
from spatial_assets.releases.splits import shared_spaces
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.hashing import hash_file
from spatial_assets.storage.shipped import sql

UNLISTED = (manifest.MANIFEST, manifest.PROVENANCE)


def verify_release(home: Path, name: str) -> list[str]:
    """What is wrong with a release, one line each; empty if it is intact. Raises InputError if there is none."""
    held = manifest.load(home, name)
    folder = manifest.folder(home, name)
    problems = _files(folder, held)
    if manifest.identity(held) != held["id"]:
        problems.append(f"{manifest.MANIFEST}: its id is not the hash of what it says")
    if held["name"] != name:
        problems.append(f"{manifest.MANIFEST}: it is the manifest of {held['name']!r}")
    try:
        problems += _contents(home, name, held)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        problems.append(f"the tables cannot be read: {str(error).splitlines()[0]}")
    for entry in revocations.of_release(home, name):
        problems.append(
            f"{entry['dataset']}/{entry['scene']} is {entry['kind']} since {entry['since']} "
            f"({entry['reason'] or 'no reason given'}): {entry['rows']} rows are revoked"
        )
    return problems


def _files(folder: Path, held: dict[str, Any]) -> list[str]:
    problems = []
    listed = {entry["path"]: entry for entry in held["files"]}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for path in sorted(there - listed.keys() - set(UNLISTED)):
        problems.append(f"{path}: is not part of the release")
    for path, entry in sorted(listed.items()):
        if path not in there:
            problems.append(f"{path}: missing")
        elif hash_file(folder / path) != entry["sha256"]:
            problems.append(f"{path}: its bytes changed")
    return problems


def _contents(home: Path, name: str, held: dict[str, Any]) -> list[str]:
    problems = []
    con = duckdb.connect()
    data = manifest.data_files(home, name)
    if not data:
        return ["data: no files"]
    counted = con.execute(sql("releases/counts"), {"files": data}).fetchall()
    index = pq.read_table(manifest.scenes_path(home, name)).to_pylist()
    found = {tuple(row[:5]): row[5] for row in counted}
    said = {
        (row["split"], row["task"], row["dataset"], row["release"], row["scene"]): row["rows"]
        for row in index
    }
    if found != said:
        wrong = sorted("/".join(key) for key in found.keys() | said.keys() if found.get(key) != said.get(key))
        problems.append(f"{manifest.SCENES}: {len(wrong)} counts are not those of the rows, as of {wrong[0]}")
    if sum(found.values()) != held["rows"]:
        problems.append(f"has {sum(found.values())} rows, but its manifest says {held['rows']}")
    for qa_id, count in con.execute(sql("releases/twice"), {"files": data}).fetchall():
        problems.append(f"{qa_id} appears {count} times")
    groups = joined.names_in(held)
    by_split: dict[str, list[str]] = {}
    for split, _, dataset, release, scene in found:
        space = space_of(dataset, release, scene)
        by_split.setdefault(split, []).append(groups[space]["space"] if space in groups else space)
    # Where a dataset's own lists part a place, the manifest says so.
    is_official = all(facts["share"] is None for facts in held["splits"].values())
    parted = {entry["space"] for entry in held.get("parted", ())} if is_official else set()
    problems += [
        f"{space} is in more than one split" for space in shared_spaces(by_split) if space not in parted
    ]
    if not held["leak_guard"]["allowed"]:
        leaks = benchmark_spaces()
        spaces = {space for spaces in by_split.values() for space in spaces}
        spaces.update(part for space in sorted(spaces & groups.keys()) for part in groups[space]["spaces"])
        problems += [f"{space} is asked about by {leaks[space]}" for space in sorted(spaces & leaks.keys())]
    formats = con.execute(sql("releases/formats"), {"files": data}).fetchall()
    return (
        problems + _imbalances(con, data, held) + wrong_mix({Cell(*row[:4]): row[4] for row in formats}, held)
    )


def _imbalances(con: duckdb.DuckDBPyConnection, data: list[str], held: dict[str, Any]) -> list[str]:
    if held["balance"] is None:
        return []
    answers: dict[tuple[str, str, str, int], Counter[str]] = {}
    for split, task, form, options, answer, count in con.execute(
        sql("releases/answers"), {"files": data}
    ).fetchall():
        answers.setdefault((split, task, form, options), Counter())[answer] = count
    problems = []
    for item in held["balance"]:
        key = (item["split"], item["task"], item["format"], item["options"])
        counts = answers.pop(key, Counter())
        if any(counts[answer] != item["each"] for answer in item["before"]):
            problems.append(f"{'/'.join(key[:3])}: answers are not balanced: {dict(sorted(counts.items()))}")
    problems += [f"{'/'.join(key[:3])}: nothing is said of its balance" for key in sorted(answers)]
    return problems
