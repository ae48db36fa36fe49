"""What a build would do and why, found out without computing anything: files are looked at, hashes compared.

The rule is `planning`'s, which the builder follows too. Where an asset upstream will be computed, what
follows is open: if its outputs come out equal, nothing does.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from spatial_assets.lineage import code_versions, planning, records, registrations
from spatial_assets.lineage.cache import Lineage
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import Shard, SourceFile
from spatial_assets.stages import pipeline
from spatial_assets.stages.sources import SourceWatch
from spatial_assets.stages.stage import External, Stage, name_of, writers
from spatial_assets.storage.lake import Lake
from spatial_assets.storage.shards import check_root
from spatial_assets.storage.shipped import sql

NEVER, CODE, PARAMETERS, SOURCE, UPSTREAM, PENDING, PERHAPS = (
    "never run", "code changed", "parameters changed", "source changed", "upstream changed",
    "finished and not merged", "perhaps, once upstream is done",
)  # fmt: skip
NAMED_FILES = 5
"""Changed files that are named of a scene; a new release of a dataset changes thousands."""


SHARDS_AT_ONCE = 50
"""Whose records are read and held together: a quarter of a million of them, whatever the home's size."""


@dataclass(frozen=True)
class Stale:
    """A scene that a build of the asset would take up."""

    asset: str
    shard: str
    scene: str
    reasons: tuple[str, ...]
    details: tuple[str, ...] = ()
    certain: bool = True
    """Whether the build would compute it whatever comes of the assets upstream."""


@dataclass
class StaleReport:
    items: list[Stale] = field(default_factory=list)
    """In the order in which a build would come to them."""
    seconds: dict[tuple[str, str], float] = field(default_factory=dict)
    """By shard and asset, what the stale scenes took when they were last computed."""
    absent: dict[str, list[str]] = field(default_factory=dict)
    """By a line that says which dataset's root is not there, the shards that could not be looked at."""
    checked: int = 0
    """Assets and scenes that were looked at."""

    def shards(self) -> dict[str, float]:
        """Shards with something to do, with the seconds that it took when last done."""
        found = {item.shard: 0.0 for item in self.items}
        for (shard, _), spent in self.seconds.items():
            if shard in found:
                found[shard] += spent
        return found

    def scenes(self) -> list[tuple[str, str]]:
        """(shard, scene) of everything that is stale, sorted."""
        return sorted({(item.shard, item.scene) for item in self.items})

    def summary(self) -> dict[str, dict[str, int]]:
        """By asset, how many scenes for which reason."""
        found: dict[str, Counter[str]] = {}
        for item in self.items:
            found.setdefault(item.asset, Counter()).update(item.reasons)
        return {asset: dict(sorted(counts.items())) for asset, counts in found.items()}


def find_stale(
    home: Path,
    dataset: str | None = None,
    scenes: Sequence[str] = (),
    tasks: Sequence[str] = (),
    seed: int | None = None,
    rehash: bool = False,
    lineage: Lineage | None = None,
    keys: Collection[str] | None = None,
) -> StaleReport:
    """Everything that a build with the same arguments would do, in the shards of these keys or in all.

    Writes nothing.
    """
    if lineage is None:
        with Lineage(home, keys) as opened:
            return find_stale(home, dataset, scenes, tasks, seed, rehash, opened, keys)
    names = registrations.needed_in(Path(home), tasks) if tasks else list(pipeline.STAGES)
    known = _Known(Path(home), lineage, seed)
    report = StaleReport()
    looked_at: list[tuple[Shard, list[str]]] = []
    for shard in registrations.shards(home):
        if dataset in (None, shard.dataset) and (keys is None or shard.key in keys):
            chosen = [ref.name for ref in shard.scenes if not scenes or ref.name in scenes]
            try:
                check_root(shard.root)
            except InputError as error:
                report.absent.setdefault(str(error), []).append(shard.key)
                continue
            if chosen:
                looked_at.append((shard, chosen))
    for start in range(0, len(looked_at), SHARDS_AT_ONCE):
        part = looked_at[start : start + SHARDS_AT_ONCE]
        known.read([shard.key for shard, _ in part])
        for shard, chosen in part:
            _Evaluation(known, shard, report, rehash).run(names, chosen)
    return report


@dataclass(frozen=True)
class _Settled:
    """What all scenes of a dataset share in a stage."""

    code: str
    parameters: str
    reads: tuple[str, ...]
    """Names of what is read with these."""
    hashes: planning.WantedHashes


class _Known:
    """What is recorded, and what is settled today. The records of many shards are read at once, why they are stale
    only of the shards where one is."""

    def __init__(self, home: Path, lineage: Lineage, seed: int | None) -> None:
        self.home, self.lineage, self.seed = home, lineage, seed
        writer = writers(pipeline.STAGES)
        read = sorted({name_of(read) for stage in pipeline.STAGES.values() for read in stage.reads})
        self._read = {"names": read, "assets": [writer[name] for name in read]}
        self.has_pending = (home / "pending").is_dir()
        self._settled: dict[tuple[str, str], _Settled] = {}
        self._changed: dict[tuple[str, str, str], list[str] | None] = {}
        self.read([])

    def read(self, shards: list[str]) -> None:
        """Read what is recorded of some shards, in place of those before."""
        given = {"shards": shards}
        self.hashes: dict[tuple[str, str], dict[str, str]] = {
            (asset, shard): dict(zip(scenes, hashes, strict=True))
            for asset, shard, scenes, hashes in (self._fetch("record_states", given) if shards else ())
        }
        """By asset and shard, scene to input hash."""
        self.rejections: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
        """By asset and shard, scene to status and reason, where it was not finished."""
        self.outputs: dict[tuple[str, str], dict[str, str]] = {}
        """By table or kind of file that anything reads, and shard: scene to the hash of what stands."""
        if not shards:
            return
        for asset, shard, scene, status, reason in self._fetch("record_rejections", given):
            self.rejections.setdefault((asset, shard), {})[scene] = (status, reason)
        for name, shard, scenes, hashes in self._fetch("record_outputs", {**given, **self._read}):
            self.outputs[name, shard] = dict(zip(scenes, hashes, strict=True))

    def _fetch(self, name: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        return self.lineage.con.execute(sql(f"lineage/{name}"), parameters).fetchall()

    def settled(self, stage: Stage, dataset: str) -> _Settled:
        key = (stage.name, dataset)
        if key not in self._settled:
            drawn = self.seed is not None and "seed" in stage.parameters(dataset).model_dump()
            overrides = {"seed": self.seed} if drawn else None
            settled = pipeline.parameters(self.home, stage, dataset, overrides)
            parameters = planning.parameters_json(settled)
            reads = tuple(name_of(read) for read in stage.read_with(settled))
            code = code_versions.stage_version(stage, dataset)
            hashes = planning.WantedHashes(stage.name, code, parameters)
            self._settled[key] = _Settled(code, parameters, reads, hashes)
        return self._settled[key]

    def records(self, shard: str) -> dict[tuple[str, str], dict[str, Any]]:
        """By asset and scene, what `records_of_shard` says."""
        rows = self.lineage.query("records_of_shard", {"shard": shard})
        return {(row["asset"], row["scene"]): row for row in rows}

    def changed_files(self, version: str, stage: Stage, dataset: str) -> list[str] | None:
        key = (version, stage.name, dataset)
        if key not in self._changed:
            self._changed[key] = code_versions.changed(self.home, version, stage, dataset)
        return self._changed[key]


class _Evaluation:
    """One shard, stage by stage in the order of a build."""

    def __init__(self, known: _Known, shard: Shard, report: StaleReport, rehash: bool) -> None:
        self.known, self.shard, self.report, self.rehash = known, shard, report, rehash
        self.writer = writers(pipeline.STAGES)
        self.stale: dict[str, set[str]] = {}
        """By asset, scenes that a build would compute, or perhaps."""
        self.framed: dict[tuple[str, ...], dict[str, bytes]] = {}
        """By the tables read, each scene's inputs as they are hashed: shared by all stages that read the same."""
        self.refs = {ref.name: ref for ref in shard.scenes}

    @cached_property
    def records(self) -> dict[tuple[str, str], dict[str, Any]]:
        return self.known.records(self.shard.key)

    def run(self, names: Sequence[str], scenes: Sequence[str]) -> None:
        for name in names:
            self.stale[name] = set()
            for item in self._stage(pipeline.STAGES[name], scenes):
                self.stale[name].add(item.scene)
                self.report.items.append(item)
                record = self.records.get((name, item.scene))
                if record is not None:
                    key = (self.shard.key, name)
                    self.report.seconds[key] = self.report.seconds.get(key, 0.0) + record["seconds"]
            self.report.checked += len(scenes)

    def _stage(self, stage: Stage, scenes: Sequence[str]) -> Iterator[Stale]:
        settled = self.known.settled(stage, self.shard.dataset)
        external = None
        if stage.external is not None:
            external = stage.external(self.known.home, self.shard, self.rehash)
        recorded = self.known.hashes.get((stage.name, self.shard.key), {})
        pending: dict[str, str] = {}
        if self.known.has_pending:
            pending = _pending(self.known.home, stage.name, self.shard.key)
        reads = settled.reads
        makers = tuple(dict.fromkeys(self.writer[name] for name in reads))
        open_makers = [name for name in makers if self.stale.get(name)]
        framed = self._framed(reads, makers) if external is None else {}
        for scene in scenes:
            inputs = framed.get(scene)
            if inputs is not None:
                wanted = settled.hashes.of(inputs)
            else:
                fingerprint = None if external is None else external.fingerprint(self.refs[scene])
                wanted = self._wanted(settled.hashes, reads, makers, scene, fingerprint)
            # Of a million scenes and assets nearly all have nothing open upstream.
            upstream = tuple(name for name in open_makers if scene in self.stale[name]) if open_makers else ()
            old = recorded.get(scene)
            if old is not None and old == wanted:
                if upstream:
                    yield Stale(stage.name, self.shard.key, scene, (PERHAPS,), upstream, certain=False)
            elif wanted and pending.get(scene) == wanted:
                yield Stale(stage.name, self.shard.key, scene, (PENDING,))
            elif old is None:
                yield Stale(stage.name, self.shard.key, scene, (NEVER,), upstream)
            else:
                yield self._why(stage, scene, settled, upstream, external)

    def _framed(self, reads: tuple[str, ...], makers: tuple[str, ...]) -> dict[str, bytes]:
        """The inputs, as they are hashed, of all scenes that stand in all that is read."""
        found = self.framed.get(reads)
        if found is None:
            key = self.shard.key
            made = [self.known.hashes.get((maker, key), {}).keys() for maker in makers]
            rejected = [self.known.rejections.get((maker, key), {}).keys() for maker in makers]
            scenes = set(self.refs).intersection(*made).difference(*rejected)
            columns = {name: self.known.outputs.get((name, key), {}) for name in reads}
            found = self.framed[reads] = planning.framed_columns(columns, scenes)
        return found

    def _wanted(
        self,
        hashes: planning.WantedHashes,
        reads: tuple[str, ...],
        makers: tuple[str, ...],
        scene: str,
        fingerprint: str | None,
    ) -> str:
        """The input hash by `planning.plan`'s rule; empty where an asset upstream has not run."""
        rejected_by = []
        for maker in makers:
            if scene not in self.known.hashes.get((maker, self.shard.key), ()):
                return ""
            rejection = self.known.rejections.get((maker, self.shard.key), {}).get(scene)
            if rejection is not None:
                rejected_by.append(planning.rejecting_asset(maker, *rejection))
        if rejected_by:
            return planning.blocked_hash(rejected_by)
        inputs = {name: self._output(name, scene) for name in reads}
        if fingerprint is not None:
            inputs[planning.FILES] = fingerprint
        return hashes.of(planning.framed_inputs(inputs))

    def _output(self, name: str, scene: str) -> str:
        """The hash of what stands of a table or kind of file; empty for nothing."""
        return self.known.outputs.get((name, self.shard.key), {}).get(scene, "")

    def _why(
        self,
        stage: Stage,
        scene: str,
        settled: _Settled,
        upstream: tuple[str, ...],
        external: External | None,
    ) -> Stale:
        """What differs between the record and now."""
        record = self.records[(stage.name, scene)]
        reasons: list[str] = []
        details: list[str] = []
        # A scene that was rejected upstream was not computed, by no code and with no parameters.
        if record["inputs"] and record["code_version"] != settled.code:
            reasons.append(CODE)
            details += self.known.changed_files(record["code_version"], stage, self.shard.dataset) or []
        if record["inputs"] and record["parameters"] != settled.parameters:
            reasons.append(PARAMETERS)
            details += parameter_changes(record["parameters"], settled.parameters)
        if isinstance(external, SourceWatch):
            changes = self._file_changes(external, scene)
            if changes or not reasons:
                reasons.append(SOURCE)
                details += changes
        differing = [
            name for name in settled.reads if record["inputs"].get(name, "") != self._output(name, scene)
        ]
        if differing or not reasons:
            reasons.append(UPSTREAM)
            details += differing
        certain = not upstream or CODE in reasons or PARAMETERS in reasons
        return Stale(stage.name, self.shard.key, scene, tuple(reasons), tuple(details), certain)

    def _file_changes(self, watch: SourceWatch, scene: str) -> list[str]:
        """Files of a scene whose bytes, or whose being there, differ from the lake's list; some of many."""
        listing: list[SourceFile] | InputError = watch.listings[scene]
        if isinstance(listing, InputError):
            return [str(listing)]
        rows = Lake(self.known.home).read(tables.SOURCES, self.shard.key, scene)
        then = dict(zip(rows["path"].to_list(), rows["sha256"].to_list(), strict=True))
        now = {file.path: watch.checked[file.path][1] for file in listing}
        changes = [
            f"{path} ({'added' if path not in then else 'gone' if path not in now else 'changed'})"
            for path in sorted(then.keys() | now.keys())
            if then.get(path) != now.get(path)
        ]
        more = len(changes) - NAMED_FILES
        return changes[:NAMED_FILES] + ([f"and {more} more"] if more > 0 else [])


def parameter_changes(then: str, now: str) -> list[str]:
    """`name: 0.2 -> 0.3` for each parameter that differs between two JSON texts, by dotted name."""
    before, after = _flat(json.loads(then)), _flat(json.loads(now))
    return [
        f"{name}: {json.dumps(before.get(name))} -> {json.dumps(after.get(name))}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found.update(
            _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
        )
    return found


def _pending(home: Path, asset: str, shard: str) -> dict[str, str]:
    """Input hashes of scenes that an interrupted build finished and did not merge."""
    folder = Path(home) / "pending" / asset / shard
    found: dict[str, str] = {}
    if folder.is_dir():
        for path in sorted(folder.glob(f"[!.]*{records.PENDING_SUFFIX}")):
            try:
                with path.open("rb") as file:
                    record, _ = records.from_line(file.readline())
                found[record.scene] = record.input_hash
            except (OSError, ValueError, TypeError, KeyError):
                continue
    return found
