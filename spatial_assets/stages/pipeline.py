"""All stages in the order in which data flows through them, and the parameters that a home has settled on."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from spatial_assets.readers.registry import READERS
from spatial_assets.scene.model import InputError
from spatial_assets.stages import (
    budgets,
    cognitive_maps,
    frame_sets,
    keyframes,
    overlap,
    questions,
    rooms,
    scenes,
    sources,
    view_sets,
    visibility,
)
from spatial_assets.stages.stage import Stage

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        sources.STAGE,
        scenes.STAGE,
        keyframes.STAGE,
        visibility.STAGE,
        overlap.STAGE,
        view_sets.STAGE,
        rooms.STAGE,
        cognitive_maps.STAGE,
        frame_sets.STAGE,
        *questions.STAGES.values(),
        *budgets.STAGES.values(),
    )
}
TOGETHER: dict[str, dict[str, Stage]] = questions.SUITES | {
    f"{suite}{budgets.SUFFIX}": own for suite, own in budgets.SUITES.items()
}
"""By the step that makes them, stages of tasks, which share a scene's facts: questions, and what holds of them."""
SETTINGS = "parameters.toml"
"""In a home: a table per asset, whose entries replace the defaults. `[keyframes]` / `translation = 0.3`; for one
dataset, `[scenes.posed_rgbd]` / `depth_unit = 0.0002`."""


def parameters(home: Path, stage: Stage, dataset: str, overrides: dict[str, Any] | None = None) -> BaseModel:
    """Defaults for the dataset, replaced by the home's settings, replaced by `overrides`.

    Raises InputError, naming the settings file, for a name that the stage does not have or a value that
    does not fit.
    """
    defaults = stage.parameters(dataset)
    settled = _settings(Path(home)).get(stage.name, {})
    # A table named after a dataset is for that one alone: readers differ in what they can be told.
    own = settled.get(dataset, {})
    settled = {**{name: value for name, value in settled.items() if name not in READERS}, **own}
    values = _over(_over(defaults.model_dump(), settled), overrides or {})
    try:
        return type(defaults).model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise InputError(
            Path(home) / SETTINGS, f"[{stage.name}] {where}: {problem['msg']}", "bad_setting"
        ) from None


def _over(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the others in their place; groups of values are entered, and what is not named stays."""
    merged = dict(values)
    for name, other in others.items():
        held = merged.get(name)
        merged[name] = _over(held, other) if isinstance(held, dict) and isinstance(other, Mapping) else other
    return merged


def _settings(home: Path) -> dict[str, dict[str, Any]]:
    path = home / SETTINGS
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        what = f"line {line}: byte {error.object[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        raise InputError(path, what, "bad_setting") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(path, f"not TOML: {error}", "bad_setting") from None
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}", "bad_setting") from None
    loose = next((name for name in sorted(found) if not isinstance(found[name], dict)), None)
    if loose is not None:
        raise InputError(path, f"{loose} stands in no table; it belongs below a line [asset]", "bad_setting")
    unknown = sorted(set(found) - set(STAGES))
    if unknown:
        raise InputError(path, f"no asset named {unknown[0]!r}", "bad_setting")
    return found
