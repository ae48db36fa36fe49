"""Proves that rows are right: hashes the source files, makes the rows again from them, and compares.

Everything upstream is made again too, in a home of its own that is thrown away, by the stages that a
build runs, with the code and the settings of today. So what is found is a file that was changed
without anyone noticing, a table that someone edited, and rows that today's code, templates or
thresholds would not make.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel

from spatial_assets.engine.runner import Runner
from spatial_assets.lineage import code_versions, planning, records, registrations
from spatial_assets.lineage.cache import Lineage
from spatial_assets.lineage.compare import ADDED, CHANGED, MISSING, differences, scene_rows, scenes_in
from spatial_assets.lineage.explain import qa_id_of
from spatial_assets.lineage.records import DONE, Record
from spatial_assets.lineage.stale import parameter_changes
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import Shard
from spatial_assets.scene.tables import QUESTIONS, Table
from spatial_assets.stages import pipeline
from spatial_assets.stages.questions import STAGES as TASKS
from spatial_assets.stages.stage import Stage, name_of
from spatial_assets.storage.content_hash import content_hash, hash_of_none
from spatial_assets.storage.lake import Lake
from spatial_assets.storage.leases import leased
from spatial_assets.storage.shipped import sql

Progress = Callable[[str], None]
"""Called with `shard/scene` when a scene is done."""

SOURCE, EDITED, FILE, ROW, STATUS, ERROR, EXTRA = (
    "source file", "edited table", "scene file", "row", "status", "error", "unknown rows",
)  # fmt: skip
EXAMPLES = 20
"""Differences kept of one table and scene; a changed pose alters thousands of rows."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be."""

    kind: str
    """source file, edited table, scene file, row, status, error or unknown rows."""
    shard: str
    scene: str
    asset: str
    table: str
    what: str
    """One line for people."""
    key: tuple[Any, ...] = ()
    """Of a row: the values of the columns that order its table; for questions the last is the qa_id."""
    columns: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """Of a changed row: column to its value in the lake and as made again."""
    causes: tuple[str, ...] = ()
    """What is known to have changed since the row was made."""


@dataclass
class Verification:
    differences: list[Difference] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Differences by kind, those that were not kept included."""
    scenes: int = 0
    files: int = 0
    """Source files whose bytes were hashed."""
    rows: int = 0
    """Questions that were made again and compared."""
    notes: list[str] = field(default_factory=list)
    """What changed without changing a row."""

    @property
    def ok(self) -> bool:
        return not self.counts

    def add(self, difference: Difference, many: int = 1) -> None:
        self.counts[difference.kind] = self.counts.get(difference.kind, 0) + many
        self.differences.append(difference)

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}


def verify(
    home: Path,
    qa_ids: Sequence[str] = (),
    sample: int | None = None,
    everything: bool = False,
    workers: int = 1,
    as_recorded: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Verification:
    """Make rows again from their sources and compare: named ones, a sample drawn with a seed, or all.

    All rows of a scene and task are compared where one of them is asked for; so are all tables upstream.
    Parameters are those that a build would take today, but for the seed of the draws, which is the
    recorded one; with `as_recorded` all are the recorded ones. Raises InputError for an unknown qa_id.
    """
    home = Path(home).resolve()
    found = Verification()
    for shard, scene, tasks in _chosen(home, qa_ids, sample, everything, seed):
        with tempfile.TemporaryDirectory(prefix="verify-") as again:
            _SceneCheck(home, Path(again), shard, scene, found).run(tasks, workers, as_recorded)
        found.scenes += 1
        if progress is not None:
            progress(f"{shard.key}/{scene}")
    if everything:
        for difference in _unknown_rows(home):
            found.add(difference)
    return found


def _chosen(
    home: Path, qa_ids: Sequence[str], sample: int | None, everything: bool, seed: int
) -> Iterator[tuple[Shard, str, list[str]]]:
    """Scenes to make again, each with its shard narrowed to it and the tasks wanted of it."""
    shards = {shard.key: shard for shard in registrations.shards(home)}
    if everything:
        for shard in shards.values():
            for ref in shard.scenes:
                yield replace(shard, scenes=(ref,)), ref.name, list(TASKS)
        return
    with Lineage(home) as lineage:
        wanted = [_find(home, lineage, qa_id_of(text)) for text in qa_ids]
        if sample is not None:
            wanted += lineage.query("sample_questions", {"seed": str(seed), "count": sample})
    tasks: dict[tuple[str, str], set[str]] = {}
    for row in wanted:
        tasks.setdefault((row["shard"], row["scene"]), set()).add(row["task"])
    for (key, scene), names in sorted(tasks.items()):
        if key not in shards or not any(ref.name == scene for ref in shards[key].scenes):
            raise InputError(home, f"the lake has rows of {key}/{scene}, which is not registered")
        refs = tuple(ref for ref in shards[key].scenes if ref.name == scene)
        yield replace(shards[key], scenes=refs), scene, sorted(names)


def _find(home: Path, lineage: Lineage, qa_id: str) -> dict[str, Any]:
    rows = lineage.rows(sql("lineage/find_question"), {"qa_id": qa_id})
    if not rows:
        raise InputError(home, f"no question {qa_id} stands in the lake")
    return rows[0]


class _SceneCheck:
    """One scene, made again stage by stage in a home of its own and compared as it goes."""

    def __init__(self, home: Path, again: Path, shard: Shard, scene: str, found: Verification) -> None:
        self.home, self.again, self.shard, self.scene, self.found = home, again, shard, scene, found
        self.asset = ""
        self.causes: tuple[str, ...] = ()
        self.otherwise: set[str] = set()
        """Tables and kinds of files that came out otherwise than recorded."""

    def run(self, tasks: Sequence[str], workers: int, as_recorded: bool) -> None:
        runner = Runner(self.again, pipeline.STAGES, workers)
        for name in planning.needed_for(pipeline.STAGES, tasks):
            record = records.load(self.home, name, self.shard.key).get(self.scene)
            if record is not None:
                self._stage(runner, pipeline.STAGES[name], record, as_recorded)

    def _stage(self, runner: Runner, stage: Stage, record: Record, as_recorded: bool) -> None:
        parameters = _parameters(self.home, stage, self.shard.dataset, record, as_recorded)
        self.asset, self.causes = stage.name, self._why(stage, record, parameters)
        before = sum(self.found.counts.values())
        report = runner.run(stage, self.shard, parameters)
        for trace in report.errors.values():
            self._add(ERROR, "", trace.strip().splitlines()[-1])
            return
        made = records.load(self.again, stage.name, self.shard.key)[self.scene]
        for name in made.outputs.keys() | record.outputs.keys():
            if made.outputs.get(name) != record.outputs.get(name):
                self.otherwise.add(name)
        if (made.status, made.reason) != (record.status, record.reason):
            what = (
                f"recorded as {record.status} {record.reason}, is {made.status} {made.reason} {made.detail}"
            )
            self._add(STATUS, "", " ".join(what.split()))
        if made.status == record.status:
            for table in stage.tables:
                self._table(table, record)
            for kind in stage.files:
                self._file(kind, record, made)
        if self.causes and sum(self.found.counts.values()) == before:
            what = f"{stage.name}, {self.shard.key}/{self.scene}: {'; '.join(self.causes)}; the rows are the same"
            self.found.notes.append(what)

    def _why(self, stage: Stage, record: Record, parameters: BaseModel) -> tuple[str, ...]:
        causes: list[str] = []
        if record.inputs and record.code_version != code_versions.stage_version(stage, self.shard.dataset):
            files = code_versions.changed(self.home, record.code_version, stage, self.shard.dataset)
            causes.append(f"code changed: {', '.join(files)}" if files else "code changed")
        if record.inputs:
            now = planning.parameters_json(parameters)
            causes += [f"parameter changed: {line}" for line in parameter_changes(record.parameters, now)]
        upstream = sorted({name_of(read) for read in stage.read_with(parameters)} & self.otherwise)
        if upstream:
            causes.append(f"made from other {', '.join(upstream)}")
        return tuple(causes)

    def _add(
        self,
        kind: str,
        table: str,
        what: str,
        key: tuple[Any, ...] = (),
        columns: dict[str, tuple[Any, Any]] | None = None,
        also: tuple[str, ...] = (),
    ) -> None:
        self.found.add(
            Difference(
                kind,
                self.shard.key,
                self.scene,
                self.asset,
                table,
                what,
                key,
                columns or {},
                (*also, *self.causes),
            )
        )

    def _table(self, table: Table, record: Record) -> None:
        recorded = record.outputs.get(table.name, hash_of_none(table))
        stood, wrong = self._stood(table, recorded)
        fresh, _ = scene_rows(Lake(self.again).table_path(table, self.shard.key), table, self.scene)
        assert fresh is not None
        if table.name.startswith(f"{QUESTIONS.name}/"):
            self.found.rows += fresh.num_rows
        if table.name == tables.SOURCES.name:
            self.found.files += fresh.num_rows
        if stood is None:
            self._add(EDITED, table.name, f"{table.name} cannot be read: {wrong}")
            return
        also: tuple[str, ...] = ()
        if content_hash(stood) != recorded:
            what = f"{table.name} was edited since it was made: its rows do not have the recorded hash"
            self._add(EDITED, table.name, what)
            also = ("the table was edited",)
        kind = SOURCE if table.name == tables.SOURCES.name else ROW
        found = list(differences(stood.to_pylist(), fresh.to_pylist(), table.order))
        for item in found[:EXAMPLES]:
            what = _line(table, item.kind, item.key, item.columns)
            self._add(kind, table.name, what, item.key, dict(item.columns), also)
        if len(found) > EXAMPLES:
            self.found.counts[kind] += len(found) - EXAMPLES

    def _stood(self, table: Table, recorded: str) -> tuple[pa.Table | None, str]:
        """The lake's rows. Where they are not what was recorded, a build may be at work: once it is not."""
        path = Lake(self.home).table_path(table, self.shard.key)
        stood, wrong = scene_rows(path, table, self.scene)
        if stood is not None and content_hash(stood) == recorded:
            return stood, wrong
        with leased(self.home, self.shard.key, [], [self.asset]):
            return scene_rows(path, table, self.scene)

    def _file(self, kind: str, record: Record, made: Record) -> None:
        path = Lake(self.home).file_path(kind, self.shard.key, self.scene)
        stood = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest() if path.exists() else ""
        recorded = record.outputs.get(kind, "")
        if stood != recorded:
            self._add(
                EDITED, kind, f"{kind} was edited since it was made: its bytes do not have the recorded hash"
            )
        if made.outputs.get(kind, "") != recorded:
            self._add(FILE, kind, f"{kind} comes out otherwise than recorded")


def _parameters(home: Path, stage: Stage, dataset: str, record: Record, as_recorded: bool) -> BaseModel:
    held = json.loads(record.parameters)
    if as_recorded:
        return type(stage.parameters(dataset)).model_validate(held)
    # The seed is an argument of a build, which a home does not settle.
    overrides = {"seed": held["seed"]} if "seed" in held else None
    return pipeline.parameters(home, stage, dataset, overrides)


def _line(table: Table, kind: str, key: tuple[Any, ...], columns: Mapping[str, tuple[Any, Any]]) -> str:
    if table.name == tables.SOURCES.name:
        return _source_line(kind, str(key[-1]), columns)
    name = key[-1] if table.name.startswith(f"{QUESTIONS.name}/") else "/".join(str(part) for part in key[1:])
    row = f"{table.name} {name}".strip()
    if kind == MISSING:
        return f"{row}: stands in the lake and cannot be made from the sources"
    if kind == ADDED:
        return f"{row}: can be made from the sources and is not in the lake"
    assert kind == CHANGED
    parts = [f"{column} is {_short(old)}, should be {_short(new)}" for column, (old, new) in columns.items()]
    return f"{row}: {'; '.join(parts)}"


def _source_line(kind: str, path: str, columns: Mapping[str, tuple[Any, Any]]) -> str:
    if kind == MISSING:
        return f"{path}: the scene was read from it, and is not any more"
    if kind == ADDED:
        return f"{path}: the scene is read from it, and was not"
    if "sha256" in columns:
        then, now = columns["sha256"]
        return f"{path}: its bytes changed since the scene was read from it (sha256 {then[:12]}… then, {now[:12]}… now)"
    parts = [f"{column} was {_short(old)}, is {_short(new)}" for column, (old, new) in columns.items()]
    return f"{path}: {'; '.join(parts)}"


def _short(value: Any, length: int = 60) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= length else text[: length - 1] + "…"


def _unknown_rows(home: Path) -> Iterator[Difference]:
    """Rows of shards or scenes that no record speaks of: nobody made them."""
    lake = Lake(home)
    for stage in pipeline.STAGES.values():
        for table in stage.tables:
            for shard in lake.shards(table):
                known = {
                    scene for scene, record in records.load(home, stage.name, shard).items() if record.status == DONE
                    or table in (stage.rejects, stage.quality)
                }  # fmt: skip
                for scene in sorted(scenes_in(lake.table_path(table, shard)) - known):
                    what = f"{table.name} has rows of {shard}/{scene}, which no record speaks of"
                    yield Difference(EXTRA, shard, scene, stage.name, table.name, what)
