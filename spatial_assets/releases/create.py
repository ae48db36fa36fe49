"""Makes a release: chooses scenes and splits, copies their rows task by task, and seals the folder."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spatial_assets.lineage import cache, records
from spatial_assets.lineage.cache_views import RELEASE
from spatial_assets.releases import joined, row_groups
from spatial_assets.releases.balance import Closed, balance
from spatial_assets.releases.budgets import Budgets
from spatial_assets.releases.card import data_card
from spatial_assets.releases.diff import LAKE
from spatial_assets.releases.mix import Mixed, Ranks, mix, ranks_of
from spatial_assets.releases.official import ORDER, official
from spatial_assets.releases.quoted_files import files_of, quotes
from spatial_assets.releases.recipe import Cell, Mix
from spatial_assets.releases.selection import Selection, select
from spatial_assets.releases.spaces import Member, benchmarks
from spatial_assets.releases.splits import assign
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError
from spatial_assets.scene.suggestions import instead
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage import shortcut_table
from spatial_assets.storage.atomic import check_fences
from spatial_assets.storage.hashing import hash_file
from spatial_assets.storage.lake import Lake
from spatial_assets.storage.locks import locked

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
    mix: Mix | None = None
    """Which questions are kept, and how many of each kind."""
    scale: float = 1.0
    """What the mix's counts are multiplied by."""
    fewer: bool = False
    """Whether fewer than the mix's counts will do where no more are there."""
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
    if not (math.isfinite(request.scale) and request.scale > 0):
        raise ValueError(f"release {name!r}: scale {request.scale:g}: give a number above 0")
    if request.mix is None and (request.fewer or request.scale != 1):
        raise ValueError(f"release {name!r}: a scale, and fewer than asked for, are for a mix; there is none")
    target = manifest.folder(home, name)
    if name == LAKE:
        raise ValueError(f"release {name!r}: the name stands for the lake itself where releases are compared")
    with locked(home, "releases"):
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
            check_fences()
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return made


def _states(home: Path) -> list[cache.FileState]:
    return [state for state in cache.file_states(home) if state.asset != RELEASE]


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
        self.licenses: set[str] = set()
        """Of rows: those of scenes, and of what is quoted beside them."""
        self.mixed: Mixed | None = None

    def make(self) -> dict[str, Any]:
        tasks = self._tasks()
        if self.request.mix is not None:
            self.mixed = self._mix(tasks, self.request.mix)
        self.folder.mkdir(parents=True)
        for task in tasks:
            self._write_task(task, self._kept(task))
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
                self.home, f"no task {unknown[0]!r} was built here; {instead(unknown[0], there)}"
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
                    table = row_groups.read(path, tables.QUESTIONS.schema, tables.QUESTIONS.schema.names)
                borders = row_groups.borders(table.column("scene"))
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

    def _kept(self, task: str) -> Callable[[Member, pa.Table], Any] | None:
        """Which rows of a scene stay after a balance or a mix; None where all do."""
        if self.request.balanced:
            dropped = self._balance(task)
            return lambda member, table: [qa_id not in dropped for qa_id in table["qa_id"].to_pylist()]
        return None if self.mixed is None else self._in_mix

    def _in_mix(self, member: Member, table: pa.Table) -> Any:
        assert self.mixed is not None
        kept = np.zeros(table.num_rows, np.bool_)
        for cell, places, ranks in self._cells(member, table):
            kept[places] = self.mixed.kept(cell, ranks)
        return kept

    def _cells(self, member: Member, table: pa.Table) -> Iterator[tuple[Cell, Any, Ranks]]:
        """Of a scene's rows of one task the parts that a mix tells apart: places of their rows, and ranks."""
        forms = np.array(table["format"].to_pylist())
        ids, twins = (table[name].to_pylist() for name in ("qa_id", "twin_of"))
        split, (task,) = self._split(member), set(table["task"].to_pylist())
        for form in sorted(set(forms.tolist())):
            places = np.flatnonzero(forms == form)
            own, of = ([held[place] for place in places] for held in (ids, twins))
            ranks = ranks_of(self.request.seed, own, of)
            yield Cell(split, task, member.dataset, form), places, ranks

    def _mix(self, tasks: Sequence[str], asked: Mix) -> Mixed:
        found: dict[Cell, list[Ranks]] = {}
        for task in tasks:
            for member, table in self._scenes(task, ("qa_id", "task", "format", "twin_of")):
                for cell, _, ranks in self._cells(member, table):
                    found.setdefault(cell, []).append(ranks)
        lake = {cell: np.concatenate(parts) for cell, parts in found.items()}
        unknown = {name for entry in asked.recipe.entries for name in entry.splits} - set(self.shares)
        if unknown:
            raise ValueError(
                f"mix {asked.name}: splits: an entry names {min(unknown)!r}; the release has {', '.join(self.shares)}"
            )
        return mix(lake, asked, self.request.tasks, self.request.scale, self.request.fewer)

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

    def _write_task(self, task: str, kept: Callable[[Member, pa.Table], Any] | None) -> None:
        writers = {
            split: row_groups.Writer(self.folder / manifest.data_path(split, task)) for split in self.shares
        }
        formats: Counter[str] = Counter()
        for member, table in self._scenes(task, (*tables.QUESTIONS.schema.names, *self.budgets.columns)):
            if kept is not None and table.num_rows:
                table = table.filter(pa.array(kept(member, table), pa.bool_()))
            if table.num_rows == 0:
                continue
            split = self._split(member)
            writers[split].add(table)
            self.counts.setdefault((split, task), Counter())[member] += table.num_rows
            formats.update(table.column("format").to_pylist())
            self.licenses.update(table.column("license").unique().to_pylist())
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
            "licenses": sorted(self.licenses),
            "balance": self.balances if self.request.balanced else None,
            **self._mix_facts(),
            **self._quoted(),
            **self.budgets.entry,
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

    def _quoted(self) -> dict[str, Any]:
        quoting = (counts for (_, task), counts in self.counts.items() if quotes(task))
        files = files_of(self.lake, {member for counts in quoting for member in counts})
        return {"question_files": files} if files else {}

    def _mix_facts(self) -> dict[str, Any]:
        asked, mixed = self.request.mix, self.mixed
        if asked is None or mixed is None:
            return {}
        told = {
            "name": asked.name,
            "sha256": asked.sha256,
            "recipe": asked.recipe.told(),
            "scale": self.request.scale,
            "fewer": self.request.fewer,
            "wanted": [line._asdict() for line in mixed.wanted],
            "kept": [dict(part) for part in mixed.parts],
            "unselected": mixed.unselected,
        }
        return {"mix": told}

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
            table = row_groups.read(path, records.SCHEMA, ["scene", *ORIGIN])
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
