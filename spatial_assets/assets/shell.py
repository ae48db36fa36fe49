"""Turns stages into partitioned Dagster assets: the step that runs them, the call, and what is reported of each."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import dagster as dg
from pydantic import BaseModel

from spatial_assets.assets import run_sizes
from spatial_assets.assets.columns import stage_lineage, stage_schema
from spatial_assets.assets.keys import OWNERS, key_of, keys_of, stage_of
from spatial_assets.assets.page_pictures import draw_all, pictured
from spatial_assets.assets.partitions import registry, scene_shard
from spatial_assets.assets.run_config import overrides, schema_of
from spatial_assets.assets.workspace import Workspace, default_home
from spatial_assets.engine.runner import Runner
from spatial_assets.engine.stage_run import ShardReport
from spatial_assets.lineage.code_versions import stage_version
from spatial_assets.readers.registry import READERS
from spatial_assets.report.pictures import Picture
from spatial_assets.scene.english import plural
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import Shard
from spatial_assets.stages import pipeline
from spatial_assets.stages.stage import Stage, upstream_of
from spatial_assets.storage.atomic import FULL, complaint
from spatial_assets.storage.hashing import hash_text
from spatial_assets.storage.leases import LeaseLost, at_work

SHARDS_PER_RUN = 20
"""A run costs one to two seconds of launching; twenty shards of under a minute each share it."""
SHARDS_VARIABLE = "SPATIAL_ASSETS_SHARDS_PER_RUN"
"""Of web server and daemon: what a run of a backfill takes at most, in place of what follows from the workers."""
LISTED = 20
"""Rejected scenes named in an asset's metadata; the rest are in its rejects table."""
FULL_DISK = "full_disk"
"""In a failure's metadata, whether it is for want of room, which no other shard will find either."""


@dataclass(frozen=True)
class Member:
    """A stage as an asset: what its page says."""

    stage: Stage
    description: str
    kinds: frozenset[str]
    picture: Picture
    upstream: tuple[str, ...] = ()
    """Assets outside the lake; the others follow from what the stage reads."""


def step(name: str, group: str, members: Sequence[Member], *, suite: bool = False) -> dg.AssetsDefinition:
    """The step that makes the assets of these stages; those that share are run together.

    Of a suite, however many it has, any may be chosen, what its run is told is told by stage, and an error fails it.
    """
    with warnings.catch_warnings():
        # The backfill policy is marked beta; the version of Dagster is pinned.
        warnings.simplefilter("ignore", dg.BetaWarning)
        make = dg.multi_asset(
            name=name,
            specs=[_spec(member, group) for member in members],
            can_subset=suite,
            partitions_def=scene_shard,
            backfill_policy=dg.BackfillPolicy.multi_run(shards_per_backfill_run()),
            required_resource_keys={"workspace"},
            config_schema=schema_of([member.stage for member in members], suite),
        )

    def materialize(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        yield from _StepRun(context, members, suite).run()

    # Dagster reads the context's class from its annotation, which is postponed here.
    materialize.__annotations__["context"] = dg.AssetExecutionContext
    return make(materialize)


@cache
def shards_per_backfill_run() -> int:
    """Dagster sizes a backfill's runs by one number, which it is told with the definitions.

    It is a share of all shards for each place of the workers that are at work when they are loaded.
    """
    told = os.environ.get(SHARDS_VARIABLE)
    if told:
        return max(1, int(told))
    home = default_home()
    at_once = run_sizes.places(home)
    if at_once == 1:
        return SHARDS_PER_RUN
    shares = at_once * run_sizes.RUNS_PER_PLACE
    return min(SHARDS_PER_RUN, max(1, math.ceil(len(registry(home).shards()) / shares)))


def _spec(member: Member, group: str) -> dg.AssetSpec:
    stage = member.stage
    return dg.AssetSpec(
        key_of(stage.name),
        deps=[*member.upstream, *keys_of(upstream_of(stage, pipeline.STAGES))],
        description=member.description,
        group_name=group,
        owners=list(OWNERS),
        kinds=set(member.kinds),
        code_version=stage_version(stage, *READERS)[:16],
        metadata={"dagster/column_schema": stage_schema(stage)},
    )


@dataclass
class _Told:
    """What a step is to tell Dagster of one asset, by shard."""

    hashes: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    datasets: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)
    """`<shard>/<scene>` to a traceback."""
    left: set[str] = field(default_factory=set)
    """Shards that were not brought up to date."""


class _StepRun:
    """One run of a step over the shards that are chosen."""

    def __init__(self, context: dg.AssetExecutionContext, members: Sequence[Member], suite: bool) -> None:
        self.context = context
        self.suite = suite
        chosen = {stage_of(key) for key in context.selected_asset_keys}
        self.members = [member for member in members if member.stage.name in chosen]
        self.config: dict[str, Any] = context.op_execution_context.op_config or {}
        self.workspace: Workspace = context.resources.workspace
        self.told = {member.stage.name: _Told() for member in self.members}
        self.rejected: dict[str, set[str]] = {}
        """What is wrong with a shard's root or a setting, to the shards that were left for it."""
        self.pictured: frozenset[str] = frozenset()

    def run(self) -> Iterator[dg.MaterializeResult]:
        runner = self.workspace.runner(self.config.get("rehash", False), self.context.run.run_id)
        registry = self.workspace.registry()
        keys = self.context.partition_keys
        self.pictured = pictured(keys, len(registry.shards()))
        with at_work(self.workspace.path):
            for key in keys:
                self._shard(runner, registry.shard(key))
        for member in self.members:
            yield from self._report(member)
        self._fail()

    def _shard(self, runner: Runner, shard: Shard) -> None:
        scenes = frozenset(self.config.get("scenes", ())) or None
        parameters = {}
        for member in self.members:
            try:
                parameters[member.stage.name] = self._parameters(member.stage, shard)
            except InputError as error:
                self._leave(member, shard, error)
        chosen = [member for member in self.members if member.stage.name in parameters]
        if not chosen:
            return
        try:
            reports = runner.run_together([member.stage for member in chosen], shard, parameters, scenes)
        except InputError as error:
            for member in chosen:
                self._leave(member, shard, error)
        except OSError as error:
            line = complaint(error)
            if line is None:
                raise
            raise dg.Failure(line, {FULL_DISK: error.errno in FULL}, allow_retries=False) from error
        except LeaseLost as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        else:
            pictures = {member.stage.name: member.picture for member in chosen if shard.key in self.pictured}
            drawn = draw_all(pictures, shard, reports, runner)
            for member in chosen:
                self._note(member, shard, reports[member.stage.name], drawn.get(member.stage.name, {}))

    def _parameters(self, stage: Stage, shard: Shard) -> BaseModel:
        given = overrides(self.config, stage, shard.dataset, self.suite)
        return pipeline.parameters(self.workspace.path, stage, shard.dataset, given)

    def _leave(self, member: Member, shard: Shard, error: InputError) -> None:
        self.rejected.setdefault(str(error), set()).add(shard.key)
        self.told[member.stage.name].left.add(shard.key)

    def _note(self, member: Member, shard: Shard, report: ShardReport, picture: Mapping[str, Any]) -> None:
        told, log = self.told[member.stage.name], self.context.log
        self.workspace.heard(report)
        for scene, problem in sorted(report.rejected.items()):
            log.warning(f"{report.stage}: {shard.key}/{scene} rejected: {problem}")
        for scene, problem in sorted(report.errors.items()):
            log.error(f"{report.stage}: {shard.key}/{scene} failed, and will be tried again:\n{problem}")
            told.errors[f"{shard.key}/{scene}"] = problem
        if report.errors and self.suite:
            # Nothing of this run waits for a task; what does wait for a stage goes on with its other scenes.
            told.left.add(shard.key)
        told.hashes[shard.key] = report.output_hash
        told.datasets.add(shard.dataset)
        told.metadata[shard.key] = {**report_metadata(member.stage, report), **picture}

    def _report(self, member: Member) -> Iterator[dg.MaterializeResult]:
        """Tell of an asset: of all shards by one result, or, where some were left, of the others one by one."""
        told, key = self.told[member.stage.name], key_of(member.stage.name)
        made = sorted(told.hashes.keys() - told.left) if told.left else list(told.metadata)
        if made:
            # Of all events Dagster shows the last one's columns. They take more room than all else that is told,
            # and the history keeps every event twice.
            told.metadata[made[-1]] |= {
                "dagster/column_schema": stage_schema(member.stage),
                "dagster/column_lineage": stage_lineage(member.stage, told.datasets),
            }
        if told.left:
            for shard in made:
                tags = {"dagster/data_version": told.hashes[shard]}
                self.context.log_event(
                    dg.AssetMaterialization(key, metadata=told.metadata[shard], partition=shard, tags=tags)
                )
            return
        add_metadata(self.context, key, told.metadata)
        metadata = {"errors": len(told.errors)} if told.errors else {}
        yield dg.MaterializeResult(asset_key=key, metadata=metadata, data_version=data_version(told.hashes))

    def _fail(self) -> None:
        """Raise where something was left, once all that was done has been told of; that stands."""
        lines, metadata = list(self.rejected), dict[str, Any]()
        if self.rejected:
            metadata["shards_left"] = len(set().union(*self.rejected.values()))
        if self.suite:
            failed = {name: told.errors for name, told in self.told.items() if told.errors}
            lines += [f"{name} failed on {plural(len(found), 'scene')}" for name, found in failed.items()]
            listed = [
                f"- `{name}`, `{scene}`: {text.strip().splitlines()[-1]}"
                for name, found in failed.items()
                for scene, text in found.items()
            ]
            if listed:
                metadata["errors"] = dg.MetadataValue.md("\n".join(listed[:LISTED]))
        if lines:
            raise dg.Failure("\n".join(lines), metadata)


def add_metadata(
    context: dg.AssetExecutionContext, key: dg.AssetKey, metadata: Mapping[str, Mapping[str, Any]]
) -> None:
    """What `add_asset_metadata` does of each shard, without reading the names of all shards of the home for each."""
    step = context.get_step_execution_context()
    for shard, facts in metadata.items():
        step._metadata_accumulator = step._metadata_accumulator.with_additional_asset_metadata(
            asset_key=key, metadata=facts, partition_key=shard
        )


def data_version(hashes: Mapping[str, str]) -> dg.DataVersion:
    """Dagster's version of what a step made, from the output hash of each of its shards.

    A step gives all its keys the same one. Over one shard that is the shard's own hash; over several, equal
    versions mean equal rows, while a new one may come of a neighbor. Each key's own is its `output_hash`.
    """
    if len(hashes) == 1:
        return dg.DataVersion(next(iter(hashes.values())))
    return dg.DataVersion(hash_text(*(part for key in sorted(hashes) for part in (key, hashes[key]))))


def report_metadata(stage: Stage, report: ShardReport) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/row_count": report.rows.get(stage.writes[0].name, 0),
        "scenes_done": len(report.done) + len(report.adopted),
        "scenes_unchanged": len(report.skipped),
        "scenes_rejected": len(report.rejected),
        "seconds": round(report.seconds, 3),
        "output_hash": report.output_hash,
    }
    if report.waiting:
        metadata["scenes_waiting_for_upstream"] = len(report.waiting)
    if report.blocked:
        metadata["scenes_rejected_upstream"] = len(report.blocked)
    if report.rejected:
        lines = [f"- `{scene}`: {problem}" for scene, problem in sorted(report.rejected.items())]
        metadata["rejected"] = dg.MetadataValue.md("\n".join(lines[:LISTED]))
    if report.errors:
        lines = [f"- `{scene}`: {text.strip().splitlines()[-1]}" for scene, text in report.errors.items()]
        metadata["errors"] = dg.MetadataValue.md("\n".join(sorted(lines)[:LISTED]))
    return metadata
