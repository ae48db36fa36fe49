"""What a build would do and why, found out without computing anything: files are looked at, hashes compared.

The rule is `planning`'s, which the builder follows too. Where an asset upstream will be computed, what
follows is open: if its outputs come out equal, nothing does.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spatial_assets import pipeline, tables
from spatial_assets.code import code_version
from spatial_assets.datasets import SourceFile
from spatial_assets.lineage import code_files, places, planning
from spatial_assets.lineage.cache import Lineage
from spatial_assets.lineage.records import DONE
from spatial_assets.registry import Shard
from spatial_assets.scene import InputError
from spatial_assets.shipped import sql
from spatial_assets.stage import External, Stage, name_of, writers
from spatial_assets.stages.sources import SourceWatch
from spatial_assets.store import Lake

NEVER, CODE, PARAMETERS, SOURCE, UPSTREAM, PENDING, PERHAPS = (
    "never run", "code changed", "parameters changed", "source changed", "upstream changed",
    "finished and not merged", "perhaps, once upstream is done",
)  # fmt: skip
NAMED_FILES = 5
"""Changed files that are named of a scene; a new release of a dataset changes thousands."""


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
) -> StaleReport:
    """Everything that a build with the same arguments would do. Writes nothing."""
    if lineage is None:
        with Lineage(home) as opened:
            return find_stale(home, dataset, scenes, tasks, seed, rehash, opened)
    names = planning.needed_for(pipeline.STAGES, tasks) if tasks else list(pipeline.STAGES)
    held = _Held(lineage)
    report = StaleReport()
    for shard in places.shards(home):
        if dataset in (None, shard.dataset):
            refs = tuple(ref for ref in shard.scenes if not scenes or ref.name in scenes)
            if refs:
                _Evaluation(Path(home), shard, held, report, seed, rehash).run(
                    names, [ref.name for ref in refs]
                )
    return report


_State = tuple[str, str, str, float]
"""Status, reason, input hash and seconds of a record."""


class _Held:
    """Records as plain rows, by asset and shard: half a million of them are read at once."""

    def __init__(self, lineage: Lineage) -> None:
        self.lineage = lineage
        self.known: dict[tuple[str, str], dict[str, _State]] = {}
        """By asset and shard, then scene."""
        rows = lineage.con.execute(sql("lineage/record_states")).fetchall()
        for asset, shard, scene, status, reason, input_hash, seconds in rows:
            self.known.setdefault((asset, shard), {})[scene] = (status, reason, input_hash, seconds)
        self.outputs: dict[str, dict[str, dict[str, str]]] = {}
        read = sorted({name_of(read) for stage in pipeline.STAGES.values() for read in stage.reads})
        writer = writers(pipeline.STAGES)
        makers = sorted({writer[name] for name in read})
        for shard, scene, outputs in lineage.con.execute(
            sql("lineage/record_outputs"), {"assets": makers}
        ).fetchall():
            self.outputs.setdefault(shard, {}).setdefault(scene, {}).update(outputs)

    def full(self, asset: str, shard: str, scene: str) -> dict[str, Any]:
        key = {"asset": asset, "shard": shard, "scene": scene}
        return self.lineage.query("record", key)[0]


class _Evaluation:
    """One shard, stage by stage in the order of a build."""

    def __init__(
        self, home: Path, shard: Shard, held: _Held, report: StaleReport, seed: int | None, rehash: bool
    ) -> None:
        self.home, self.shard, self.held, self.report = home, shard, held, report
        self.seed, self.rehash = seed, rehash
        self.writer = writers(pipeline.STAGES)
        self.stale: dict[str, set[str]] = {}
        """By asset, scenes that a build would compute, or perhaps."""
        self.framed: dict[tuple[tuple[str, ...], str], bytes] = {}
        """Inputs of a scene as they are hashed, shared by all stages that read the same tables."""

    def run(self, names: Sequence[str], scenes: Sequence[str]) -> None:
        for name in names:
            stage = pipeline.STAGES[name]
            self.stale[name] = set()
            for item in self._stage(stage, scenes):
                self.stale[name].add(item.scene)
                self.report.items.append(item)
                known = self.held.known.get((name, self.shard.key), {}).get(item.scene)
                if known is not None:
                    key = (self.shard.key, name)
                    self.report.seconds[key] = self.report.seconds.get(key, 0.0) + known[3]

    def _stage(self, stage: Stage, scenes: Sequence[str]) -> Iterator[Stale]:
        drawn = self.seed is not None and "seed" in stage.parameters(self.shard.dataset).model_dump()
        parameters = planning.parameters_json(
            pipeline.parameters(self.home, stage, self.shard.dataset, {"seed": self.seed} if drawn else None)
        )
        code = code_version(stage.modules(self.shard.dataset), stage.data)
        hashes = planning.WantedHashes(stage.name, code, parameters)
        external = None
        if stage.external is not None:
            external = stage.external(self.home, self.shard, self.rehash)
        known = self.held.known.get((stage.name, self.shard.key), {})
        pending = _pending(self.home, stage.name, self.shard.key)
        reads = tuple(name_of(read) for read in stage.reads)
        makers = tuple(self.writer[name] for name in reads)
        refs = {ref.name: ref for ref in self.shard.scenes}
        self.report.checked += len(scenes)
        for scene in scenes:
            fingerprint = None if external is None else external.fingerprint(refs[scene])
            wanted = self._wanted(hashes, reads, makers, scene, fingerprint)
            upstream = tuple(name for name in dict.fromkeys(makers) if scene in self.stale.get(name, ()))
            old = known.get(scene)
            if old is not None and old[2] == wanted:
                if upstream:
                    yield Stale(stage.name, self.shard.key, scene, (PERHAPS,), upstream, certain=False)
            elif wanted and pending.get(scene) == wanted:
                yield Stale(stage.name, self.shard.key, scene, (PENDING,))
            elif old is None:
                yield Stale(stage.name, self.shard.key, scene, (NEVER,), upstream)
            else:
                yield self._why(stage, scene, code, parameters, upstream, external)

    def _wanted(
        self,
        hashes: planning.WantedHashes,
        reads: tuple[str, ...],
        makers: tuple[str, ...],
        scene: str,
        fingerprint: str | None,
    ) -> str:
        """The input hash by `planning.plan`'s rule; empty where an asset upstream has not run."""
        key = (reads, scene)
        framed = self.framed.get(key)
        if framed is None:
            refused = []
            for maker in makers:
                made = self.held.known.get((maker, self.shard.key), {}).get(scene)
                if made is None:
                    return ""
                if made[0] != DONE:
                    refused.append(planning.refusal(maker, made[0], made[1]))
            if refused:
                return planning.blocked_hash(refused)
            outputs = self.held.outputs.get(self.shard.key, {}).get(scene, {})
            inputs = {name: outputs.get(name, "") for name in reads}
            if fingerprint is not None:
                return hashes.of(planning.framed_inputs({**inputs, planning.FILES: fingerprint}))
            framed = self.framed[key] = planning.framed_inputs(inputs)
        return hashes.of(framed)

    def _why(
        self,
        stage: Stage,
        scene: str,
        code: str,
        parameters: str,
        upstream: tuple[str, ...],
        external: External | None,
    ) -> Stale:
        """What differs between the record and now."""
        record = self.held.full(stage.name, self.shard.key, scene)
        reasons: list[str] = []
        details: list[str] = []
        if record["code_version"] and record["code_version"] != code and record["inputs"]:
            reasons.append(CODE)
            files = code_files.changed(self.home, record["code_version"], stage, self.shard.dataset)
            details += files or []
        if record["parameters"] != parameters and record["inputs"]:
            reasons.append(PARAMETERS)
            details += parameter_changes(record["parameters"], parameters)
        if isinstance(external, SourceWatch):
            changes = self._file_changes(external, scene)
            if changes or not reasons:
                reasons.append(SOURCE)
                details += changes
        outputs = self.held.outputs.get(self.shard.key, {}).get(scene, {})
        differing = [
            name_of(read) for read in stage.reads
            if record["inputs"].get(name_of(read)) != outputs.get(name_of(read))
        ]  # fmt: skip
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
        rows = Lake(self.home).read(tables.SOURCES, self.shard.key, scene)
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
        for path in sorted(folder.glob("[!.]*/record.json")):
            try:
                held = json.loads(path.read_text(encoding="utf-8"))
                found[held["scene"]] = held["input_hash"]
            except (OSError, ValueError, KeyError):
                continue
    return found
