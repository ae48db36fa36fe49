"""The picture on an asset's page: which scene it shows, how large it may be, and who draws those of a suite."""

from __future__ import annotations

import base64
import glob
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from spatial_assets.engine.runner import Runner
from spatial_assets.engine.stage_run import ShardReport
from spatial_assets.engine.workers import in_processes
from spatial_assets.lineage.code_versions import code_version
from spatial_assets.report import pictures as drawing
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.refs import Shard
from spatial_assets.storage.atomic import replacing

PICTURE_BYTES = 16_000
"""The event log keeps a picture for each materialization; larger ones belong in reports."""
PICTURED_SHARDS = 200
"""In a home of more shards, one of each run has its pictures: those of all would be most of the event log."""
NAME_DIGITS = 16
"""Of the two hashes in the name of a picture that is kept."""
PICTURE_KINDS = {b"\x89PNG": "png", b"RIFF": "webp", b"": "jpeg"}
"""By a picture's first bytes."""


def pictured(keys: Sequence[str], shards: int) -> frozenset[str]:
    """Which of a run's shards have pictures, in a home of so many."""
    return frozenset(keys if shards <= PICTURED_SHARDS else keys[-1:])


def draw_all(
    pictures: Mapping[str, drawing.Picture], shard: Shard, reports: Mapping[str, ShardReport], runner: Runner
) -> dict[str, dict[str, Any]]:
    """The metadata with the picture of each of several stages, by stage; none where nothing can be drawn.

    A picture takes longer than the questions that it shows, so those of a suite are drawn side by side, and one
    stands until its stage's rows of the shard change.
    """
    calls, drawn = {}, dict[str, dict[str, Any]]()
    for name, picture in pictures.items():
        report = reports[name]
        unfinished = {*report.rejected, *report.blocked, *report.waiting, *report.errors}
        finished = [ref for ref in shard.scenes if ref.name not in unfinished]
        if not finished:
            continue
        inputs = SceneInputs(runner.lake, shard, finished[0])
        changed = report.done or report.adopted
        kept = None if changed else _kept(_path(runner, name, shard, report))
        if kept is None:
            calls[name] = (picture, inputs)
        else:
            drawn[name] = _metadata(inputs, kept)
    if runner.workers > 1 and len(calls) > 1:
        made = [future.result() for future in in_processes(runner.workers, drawing.drawn, calls.values())]
    else:
        made = [drawing.drawn(*call) for call in calls.values()]
    for (name, (_, inputs)), data in zip(calls.items(), made, strict=True):
        drawn[name] = _metadata(inputs, data)
        if drawn[name] and data is not None:
            _keep(_path(runner, name, shard, reports[name]), shard, data)
    return {name: drawn.get(name, {}) for name in pictures}


def _path(runner: Runner, stage: str, shard: Shard, report: ShardReport) -> Path:
    """Where the picture of these rows is kept, as today's code draws it."""
    version = f"{report.output_hash[:NAME_DIGITS]}-{_code()[:NAME_DIGITS]}"
    return runner.home / "reports" / "pictures" / stage / f"{shard.key}.{version}"


@cache
def _code() -> str:
    return code_version((drawing.__name__,))


def _kept(path: Path) -> bytes | None:
    """None where there is none, or none any more: another run may just put its own in the place."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def _keep(path: Path, shard: Shard, data: bytes) -> None:
    """Keep a picture in the place of those of earlier rows; where the disk does not take it, it is drawn again."""
    with suppress(OSError):
        for old in path.parent.glob(f"{glob.escape(shard.key)}.*"):
            if old.name != path.name:
                old.unlink(missing_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(data)


def _metadata(inputs: SceneInputs, data: bytes | None) -> dict[str, Any]:
    if data is None or len(data) > PICTURE_BYTES:
        return {}
    text = base64.b64encode(data).decode("ascii")
    kind = next(name for start, name in PICTURE_KINDS.items() if data.startswith(start))
    return {"picture": dg.MetadataValue.md(f"![{inputs.ref.name}](data:image/{kind};base64,{text})")}
