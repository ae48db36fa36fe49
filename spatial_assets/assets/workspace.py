"""The home that all assets read and write, as a Dagster resource, and who listens to the work in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Protocol

import dagster as dg

from spatial_assets.assets import partitions
from spatial_assets.assets.instance import HOME_VARIABLE
from spatial_assets.engine.lake_quality import Problem
from spatial_assets.engine.runner import Runner
from spatial_assets.engine.stage_run import ShardReport
from spatial_assets.stages import pipeline
from spatial_assets.storage.shards import Registry

WORKERS_VARIABLE = "SPATIAL_ASSETS_WORKERS"
DEFAULT_HOME = "data"


def default_home() -> Path:
    return Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME).resolve()


def default_workers() -> int:
    return int(os.environ.get(WORKERS_VARIABLE) or os.cpu_count() or 1)


class Listener(Protocol):
    """Hears of each scene, each shard and each check, in the process that does the work."""

    def scene(self, stage: str, shard: str, scene: str, outcome: str) -> None: ...

    def shard(self, report: ShardReport) -> None: ...

    def problems(self, asset: str, found: list[Problem]) -> None: ...


_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class Workspace(dg.ConfigurableResource):
    """Where the lake and the records are, and how many workers a step may use."""

    home: str
    workers: int

    @property
    def path(self) -> Path:
        return Path(self.home)

    def registry(self) -> Registry:
        return partitions.registry(self.path)

    def runner(self, rehash: bool, run_id: str) -> Runner:
        listener = _listener.get()
        progress = listener.scene if listener is not None else None
        return Runner(self.path, pipeline.STAGES, self.workers, rehash, run_id, progress)

    def heard(self, report: ShardReport) -> None:
        listener = _listener.get()
        if listener is not None:
            listener.shard(report)

    def checked(self, asset: str, found: list[Problem]) -> None:
        listener = _listener.get()
        if listener is not None:
            listener.problems(asset, found)
