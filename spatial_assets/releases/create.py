"""Makes a release: chooses scenes and splits, copies their rows task by task, and seals the folder."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spatial_assets.lineage import cache, records
from spatial_assets.releases import joined
from spatial_assets.releases.balance import Closed, balance
from spatial_assets.releases.budgets import Budgets
from spatial_assets.releases.card import data_card
from spatial_assets.releases.diff import LAKE
from spatial_assets.releases.mix import Asked, mix
from spatial_assets.releases.official import ORDER, official
from spatial_assets.releases.selection import Selection, select
from spatial_assets.releases.spaces import Member, benchmarks
from spatial_assets.releases.splits import assign
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage import shortcut_table
from spatial_assets.storage.atomic import DamagedTable
from spatial_assets.storage.hashing import hash_file
from spatial_assets.storage.lake import DAMAGED_ADVICE, Lake, undamaged
from spatial_assets.storage.locks import locked

GROUP_ROWS = 8192
"""Rows of a row group at least: small ones make readers slow, large ones make them read what they skip."""
EVERYTHING = {"all": 1.0}
READ_ONLY = 0o444
ORIGIN = ("parameters", "code_version", "commit", "run_id", "host", "ended")
"""Columns of the records that a release keeps: the first in its manifest, the others in its provenance."""


@dataclass(frozen=True)
class Request:
    """What a release is asked to be."""

    shares: Mapping[str, float] | None = field(default_factory=lambda: dict(EVERYTHING))
    """None for the datasets' own splits."""
    seed: int = 0
    balanced: bool = False
    allow_leaks: bool = False
    datasets: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    names_only: bool = False
    """Tell places apart by the scenes' names alone, not by what stands in them."""
    mix: Mapping[str, float] | None = None
    """Shares of answer formats that are kept."""
    budget: str = ""
    """The set of frames for which answers must hold, and which is shown; empty for rows as they were asked."""
    controls: bool = False
    """Whether each question at the budget stands beside itself over frames that show nothing of it."""


def create(home: Path, name: str, request: Request | None = None) -> dict[str, Any]:
    """Make a release and return its manifest.

    Raises ValueError if the name is taken or a build changes the lake meanwhile, and InputError if there is nothing to
    release.
    """
    home, request = Path(home).resolve(), request or Request()
    if request.balanced and request.mix is not None:
        raise ValueError(
            f"release {name!r}: a balance and a mix each say how many rows are kept; ask for one"
        )
    target = manifest.folder(home, name)
    if name == LAKE:
        raise ValueError(f"release {name!r}: the name stands for the lake itself where releases are compared")
    with locked(home / "locks" / "releases.lock"):
        if target.exists():
            raise ValueError(f"release {name!r} already exists and does not change; choose another name")
        target.parent.mkdir(parents=True, exist_ok=True)
        for leftover in target.parent.glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)
        temporary = target.with_name(f".{name}.{os.getpid()}")
        try:
            before = _states(home)
            made = _Release(home, name, request, temporary).make()
            if _states(home) != before:
                raise ValueError(
                    "a build changed the lake while the release was made; try again when the build is done"
                )
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return made


def _states(home: Path) -> list[cache.FileState]:
    return [state for state in cache.file_states(home) if state.asset != cache.RELEASE]


class _Release:
    """One release while it is being made."""

    def __init__(self, home: Path, name: str, request: Request, folder: Path) -> None:
        self.home, self.name, self.request, self.folder = home, name, request, folder
        self.lake = Lake(home)
        self.budgets = Budgets(self.lake, request.budget, request.controls)
        self.selection: Selection = select(home, request.datasets, request.allow_leaks, request.names_only)
        self.shares: Mapping[str, float | None]
        self.split_of: Mapping[tuple[str, str], str]
        """By shard and scene."""
        members = self.selection.members
        if request.shares is None:
            self.split_of = official(self.lake, members)
            self.shares = dict.fromkeys(sorted(set(self.split_of.values()), key=ORDER.index))
        else:
            by_space = assign((member.space for member in members), request.shares, request.seed)
            self.split_of = {(member.shard, member.scene): by_space[member.space] for member in members}
            self.shares = request.shares
        self.counts: dict[tuple[str, str], Counter[Member]] = {}
        """By split and task, rows of each scene."""
        self.formats: dict[str, Counter[str]] = {}
        self.balances: list[dict[str, Any]] = []
        self.mixes: list[dict[str, Any]] = []

    def make(self) -> dict[str, Any]:
        tasks = self._tasks()
        self.folder.mkdir(parents=True)
        for task in tasks:
            self._write_task(task, self._dropped(task))
        if not self.counts:
            raise InputError(self.home, "there is no row to release; has anything been built?")
        self._write_scenes()
        origins = self._origins()
        held = self._manifest(origins)
        _write(self.folder / manifest.CARD, data_card(held, shortcut_table.load(self.home)).encode())
        held["files"] = self._files()
        held["id"] = manifest.identity(held)
        _write(self.folder / manifest.MANIFEST, manifest.to_bytes(held))
        _write(self.folder / manifest.PROVENANCE, manifest.to_bytes(_provenance(origins)))
        return held

    def _tasks(self) -> list[str]:
        root = self.lake.root / tables.QUESTIONS.name
        there = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
        unknown = sorted(set(self.request.tasks) - set(there))
        if unknown:
            raise InputError(
                self.home, f"no task {unknown[0]!r} was built here; there are: {', '.join(there)}"
            )
        return [task for task in there if not self.request.tasks or task in self.request.tasks]

    def _scenes(self, task: str, columns: Sequence[str]) -> Iterator[tuple[Member, pa.Table]]:
        """Each scene's rows of a task, in the order of scenes; a shard's file is read once while it serves."""
        shard, table = "", tables.QUESTIONS.schema.empty_table()
        borders: dict[str, tuple[int, int]] = {}
        for member in self.selection.members:
            if member.shard != shard:
                shard = member.shard
                path = self.lake.table_path(tables.of(tables.QUESTIONS, task), shard)
                table = tables.QUESTIONS.schema.empty_table()
                if path.exists():
                    table = _read(path, tables.QUESTIONS.schema, tables.QUESTIONS.schema.names)
                borders = _borders(table.column("scene"))
            if member.scene in borders:
                start, length = borders[member.scene]
                own = self.budgets.applied(member, task, table.slice(start, length))
                yield member, own.select(list(columns))

    def _split(self, member: Member) -> str:
        split = self.split_of.get((member.shard, member.scene))
        if split is None:
            raise InputError(
                f"{member.dataset}/{member.scene}",
                "has questions, and nothing says any more which split it is in: build first, or ask for shares",
                "no_split",
            )
        return split

    def _dropped(self, task: str) -> set[str]:
        """Ids of the rows that a balance or a mix leaves out."""
        if self.request.balanced:
            return self._balance(task)
        return set() if self.request.mix is None else self._mix(task, self.request.mix)

    def _mix(self, task: str, shares: Mapping[str, float]) -> set[str]:
        rows: dict[str, list[Asked]] = {split: [] for split in self.shares}
        for member, table in self._scenes(task, ("qa_id", "dataset", "format")):
            columns = (table.column(name).to_pylist() for name in table.column_names)
            rows[self._split(member)] += [Asked(*row) for row in zip(*columns, strict=True)]
        dropped: set[str] = set()
        for split, found in rows.items():
            gone, done = mix(found, shares, self.request.seed)
            dropped |= gone
            self.mixes += [
                {"split": split, "task": task, "dataset": item.dataset, "format": item.format,
                 "before": item.before, "kept": item.kept}
                for item in done
            ]  # fmt: skip
        return dropped

    def _balance(self, task: str) -> set[str]:
        rows: dict[str, list[Closed]] = {split: [] for split in self.shares}
        for member, table in self._scenes(task, ("qa_id", "format", "answer", "options")):
            counts = pc.fill_null(pc.list_value_length(table.column("options")), 0).to_pylist()
            named = (table.column(name).to_pylist() for name in ("qa_id", "format", "answer"))
            rows[self._split(member)] += [Closed(*row) for row in zip(*named, counts, strict=True)]
        dropped: set[str] = set()
        for split, found in rows.items():
            gone, done = balance(found, self.request.seed)
            dropped |= gone
            self.balances += [
                {"split": split, "task": task, "format": item.format, "options": item.options,
                 "before": dict(item.before), "each": item.each}
                for item in done
            ]  # fmt: skip
        return dropped

    def _write_task(self, task: str, dropped: set[str]) -> None:
        writers = {split: _Writer(self.folder / manifest.data_path(split, task)) for split in self.shares}
        formats: Counter[str] = Counter()
        for member, table in self._scenes(task, (*tables.QUESTIONS.schema.names, *self.budgets.columns)):
            if dropped:
                keep = [qa_id not in dropped for qa_id in table.column("qa_id").to_pylist()]
                table = table.filter(pa.array(keep, pa.bool_()))
            if table.num_rows == 0:
                continue
            split = self._split(member)
            writers[split].add(table)
            self.counts.setdefault((split, task), Counter())[member] += table.num_rows
            formats.update(table.column("format").to_pylist())
        for writer in writers.values():
            writer.close()
        if formats:
            self.formats[task] = formats

    def _write_scenes(self) -> None:
        rows = [
            {"split": split, "task": task, "dataset": member.dataset, "release": member.release,
             "scene": member.scene, "space": member.space, "rows": count}
            for (split, task), counts in sorted(self.counts.items())
            for member, count in sorted(counts.items(), key=lambda pair: pair[0].which)
        ]  # fmt: skip
        pq.write_table(
            pa.Table.from_pylist(rows, schema=manifest.SCENE_ROWS),
            self.folder / manifest.SCENES,
            compression="zstd",
        )

    def _manifest(self, origins: Mapping[str, Mapping[str, set[str]]]) -> dict[str, Any]:
        total = sum((Counter(counts) for counts in self.counts.values()), Counter[Member]())
        held = sorted(total, key=lambda member: member.which)
        return {
            "format": manifest.FORMAT,
            "name": self.name,
            "rows": sum(total.values()),
            "scenes": len(held),
            "spaces": len({member.space for member in held}),
            "splits": {split: self._split_facts(split) for split in self.shares},
            "seed": self.request.seed,
            "tasks": {task: self._task_facts(task) for task in sorted(self.formats)},
            "datasets": [
                {"dataset": dataset, "release": release, "license": license,
                 "scenes": len(members), "rows": sum(total[member] for member in members)}
                for (dataset, release, license), members in _grouped(held).items()
            ],
            "licenses": sorted({member.license for member in held}),
            "balance": self.balances if self.request.balanced else None,
            **self.budgets.entry,
            **({} if self.request.mix is None else {"mix": {"shares": dict(self.request.mix), "kept": self.mixes}}),
            "leak_guard": {
                "allowed": self.request.allow_leaks,
                "benchmarks": [{k: v for k, v in item.items() if k != "scenes"} for item in benchmarks()],
                "scenes": [
                    {**member.named, "space": member.space, "benchmark": benchmark}
                    for member, benchmark in self.selection.leaking
                ],
            },
            "parted": self._parted(),
            "same_rooms": self._same_rooms(held),
            "withdrawn": [{**member.named, "kind": kind} for member, kind in self.selection.withdrawn],
            "parameters": {
                asset: [json.loads(text) for text in sorted(facts["parameters"])]
                for asset, facts in sorted(origins.items())
            },
        }  # fmt: skip

    def _same_rooms(self, held: Sequence[Member]) -> dict[str, Any] | None:
        told = [*held, *(member for member, _ in self.selection.leaking)]
        return joined.entry(self.selection.joined, frozenset(member.space for member in told))

    def _parted(self) -> list[dict[str, Any]]:
        """Places that stand in several splits: those of datasets whose own lists have it so."""
        found: dict[str, set[str]] = {}
        for (split, _), counts in self.counts.items():
            for member in counts:
                found.setdefault(member.space, set()).add(split)
        return [
            {"space": space, "splits": [split for split in self.shares if split in splits]}
            for space, splits in sorted(found.items())
            if len(splits) > 1
        ]

    def _split_facts(self, split: str) -> dict[str, Any]:
        own = {task: counts for (name, task), counts in self.counts.items() if name == split}
        members = {member for counts in own.values() for member in counts}
        return {
            "share": self.shares[split],
            "rows": sum(sum(counts.values()) for counts in own.values()),
            "scenes": len(members),
            "spaces": len({member.space for member in members}),
            "tasks": {task: sum(counts.values()) for task, counts in sorted(own.items())},
        }

    def _task_facts(self, task: str) -> dict[str, Any]:
        formats = self.formats[task]
        return {"rows": sum(formats.values()), "formats": dict(sorted(formats.items()))}

    def _origins(self) -> dict[str, dict[str, set[str]]]:
        """By asset, every value that its records have for the released scenes."""
        held = {(member.shard, member.scene) for counts in self.counts.values() for member in counts}
        shards = {shard for shard, _ in held}
        skipped = set(_task_folders(self.lake)) - set(self.formats)
        found: dict[str, dict[str, set[str]]] = {}
        for asset, shard in sorted({state.identity for state in _states(self.home)}):
            path = records.record_path(self.home, asset, shard)
            if shard not in shards or asset in skipped or not path.exists():
                continue
            table = _read(path, records.SCHEMA, ["scene", *ORIGIN])
            chosen = [(shard, scene) in held for scene in table.column("scene").to_pylist()]
            table = table.filter(pa.array(chosen, pa.bool_()))
            facts = found.setdefault(asset, {name: set() for name in ORIGIN})
            for name in ORIGIN:
                facts[name].update(value or "" for value in table.column(name).unique().to_pylist())
        return {asset: facts for asset, facts in found.items() if facts["parameters"]}

    def _files(self) -> list[dict[str, Any]]:
        found = []
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                entry: dict[str, Any] = {
                    "path": path.relative_to(self.folder).as_posix(),
                    "bytes": path.stat().st_size,
                    "sha256": hash_file(path),
                }
                if path.suffix == ".parquet":
                    entry["rows"] = pq.read_metadata(path).num_rows
                path.chmod(READ_ONLY)
                found.append(entry)
        return found


def _provenance(origins: Mapping[str, Mapping[str, set[str]]]) -> dict[str, Any]:
    """What made the rows, by asset: code versions, commits, runs, hosts and when. Differs where rows do not."""
    return {
        "assets": {
            asset: {name: sorted(facts[name]) for name in ORIGIN if name not in ("parameters", "ended")}
            for asset, facts in sorted(origins.items())
        },
        "latest": max((ended for facts in origins.values() for ended in facts["ended"]), default=""),
        "versions": records.package_versions(),
    }


class _Writer:
    """A Parquet file in row groups of whole scenes; no file where there is no row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer: pq.ParquetWriter | None = None
        self.held: list[pa.Table] = []
        self.rows = 0

    def add(self, table: pa.Table) -> None:
        self.held.append(table)
        self.rows += table.num_rows
        if self.rows >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self.held:
            return
        whole = pa.concat_tables(self.held).combine_chunks()
        if self.writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.writer = pq.ParquetWriter(self.path, whole.schema, compression="zstd", compression_level=3)
        self.writer.write_table(whole, row_group_size=whole.num_rows)
        self.held, self.rows = [], 0

    def close(self) -> None:
        self._flush()
        if self.writer is not None:
            self.writer.close()


def _read(path: Path, schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
    """Raises DamagedTable for a file that is not whole, or is another table's."""
    with undamaged(path):
        table = pq.read_table(path, columns=list(columns), schema=schema, partitioning=None)
    if table.column("scene").null_count:
        raise DamagedTable(f"{path}: has rows of no scene; {DAMAGED_ADVICE}")
    return table


def _borders(scenes: pa.ChunkedArray) -> dict[str, tuple[int, int]]:
    """Start and length of each scene's rows in a table that is sorted by scene."""
    found: dict[str, tuple[int, int]] = {}
    if len(scenes):
        start = 0
        runs = pc.run_end_encode(pa.concat_arrays(scenes.chunks))
        for end, scene in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
            found[scene] = (start, end - start)
            start = end
    return found


def _grouped(members: Sequence[Member]) -> dict[tuple[str, str, str], list[Member]]:
    found: dict[tuple[str, str, str], list[Member]] = {}
    for member in members:
        found.setdefault((member.dataset, member.release, member.license), []).append(member)
    return found


def _task_folders(lake: Lake) -> list[str]:
    return sorted(path.name for path in (lake.root / tables.QUESTIONS.name).iterdir())


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(READ_ONLY)
