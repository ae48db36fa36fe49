"""One scene computed by one stage or by several together, in whichever process: calls in, packed results out.

What is here knows no lock, record or clock of a build. A stage's error stays its own, and what a call gives is
checked, hashed and packed where it was computed, so that whoever commits it has only to write it.
"""

from __future__ import annotations

import atexit
import gc
import hashlib
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from spatial_assets.engine.pending import packed
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import InputError
from spatial_assets.scene.outputs import SceneOutputs
from spatial_assets.scene.tables import Table
from spatial_assets.stages.stage import Shared, Stage
from spatial_assets.storage.content_hash import content_hash
from spatial_assets.storage.lake import conform

NEW_OBJECTS = 20_000
"""After so many the garbage collector looks among them: as many as a task's rows of a scene are, a few megabytes."""


@dataclass(frozen=True)
class Declared:
    """What a stage may write."""

    stage: str
    tables: tuple[Table, ...]
    rejects: str
    quality: str
    files: tuple[str, ...]

    @staticmethod
    def by(stage: Stage) -> Declared:
        return Declared(stage.name, stage.tables, stage.rejects.name, stage.quality.name, stage.files)


@dataclass(frozen=True)
class Call:
    """What one stage is to do with the scene."""

    compute: Callable[[Any, Any], SceneOutputs]
    parameters: BaseModel
    declared: Declared


@dataclass(frozen=True)
class Made:
    """What a stage made of a scene, ready to be put down."""

    parts: Mapping[str, bytes]
    """Table or kind of file to its bytes."""
    hashes: Mapping[str, str]
    rows: Mapping[str, int]


@dataclass(frozen=True)
class Attempt:
    """What became of a call."""

    outcome: Made | InputError | str
    """What was made, the input's error, or the traceback of ours."""
    seconds: float = 0.0
    """Of the stage alone."""
    loading: float | None = None
    """Seconds that loading what the stages share took, the same for all of them; None where they share nothing."""


def attempts(shared: Shared | None, calls: Sequence[Call], inputs: SceneInputs) -> Iterator[Attempt]:
    """Make the calls one after the other, on what they share; what was loaded goes when the last has been made."""
    _set_aside_what_was_loaded()
    loaded: Any = inputs
    loading: float | None = None
    if shared is not None:
        begun = time.perf_counter()
        loaded, failed = _tried(shared.load, inputs)
        loading = time.perf_counter() - begun
        if failed is not None:
            for _ in calls:
                yield Attempt(failed)
            return
    for call in calls:
        begun = time.perf_counter()
        outputs, failed = _tried(call.compute, loaded, call.parameters)
        seconds = time.perf_counter() - begun
        if failed is None:
            made, failed = _tried(finished, call.declared, inputs.which, outputs)
            yield Attempt(made if failed is None else failed, seconds, loading)
        else:
            yield Attempt(failed, seconds, loading)


def attempt_all(shared: Shared | None, calls: Sequence[Call], inputs: SceneInputs) -> list[Attempt]:
    """`attempts` for a process of its own."""
    return list(attempts(shared, calls, inputs))


@cache
def _set_aside_what_was_loaded() -> None:
    """Once in a process: libraries and kernels stay until it ends, so the garbage collector passes them over.

    They are a million objects, which it would go through again for every few hundred rows. And a scene's rows are
    thousands of dictionaries that all live until they are written: looking for garbage among them finds none.
    """
    gc.freeze()
    # Else the interpreter cannot take apart at its end what libraries expect to be gone, and they complain on stderr.
    atexit.register(gc.unfreeze)
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])


def _tried(function: Callable[..., Any], *arguments: Any) -> tuple[Any, InputError | str | None]:
    """What it returns, or the input's error or the traceback of ours."""
    try:
        return function(*arguments), None
    except InputError as error:
        return None, error
    except Exception:
        return None, traceback.format_exc()


def finished(declared: Declared, which: Mapping[str, str], outputs: SceneOutputs) -> Made:
    """A scene's outputs checked against what the stage declares, with rejects and counts as rows, hashed and packed.

    Raises SchemaError for rows that do not fit, and ValueError for a table or file that is not declared.
    """
    rows = dict(outputs.tables)
    rows[declared.rejects] = [
        {**which, "asset": declared.stage, "format": item.format, "reason": item.reason,
         "detail": item.detail, "count": item.count}
        for item in outputs.rejects
    ]  # fmt: skip
    rows[declared.quality] = [
        {**which, "asset": declared.stage, "format": item.format, "candidates": item.candidates,
         "kept": item.kept, "quota": item.quota, "repeats": item.repeats}
        for item in outputs.tallies
    ]  # fmt: skip
    tables = {table.name: conform(table, rows.pop(table.name, [])) for table in declared.tables}
    surplus = sorted(rows) + sorted(set(outputs.files) - set(declared.files))
    if surplus:
        raise ValueError(f"{declared.stage} writes what it does not declare: {', '.join(surplus)}")
    hashes = {name: content_hash(table) for name, table in tables.items()}
    for kind, data in outputs.files.items():
        hashes[kind] = hashlib.blake2b(data, digest_size=16).hexdigest()
    return Made(
        {**{name: packed(table) for name, table in tables.items()}, **outputs.files},
        hashes,
        {name: table.num_rows for name, table in tables.items()},
    )
