"""A task opens no data file of the package that its version does not cover: else an edit there would go unseen."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from video_scenes import Studio

from spatial_assets.lineage.code_versions import ROOT, stage_parts
from spatial_assets.readers.registry import READERS
from spatial_assets.stages.questions import STAGES
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.registry import task, tasks

_listening: set[str] | None = None


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _listening is not None and isinstance(arguments[0], str | bytes | os.PathLike):
        _listening.add(os.fsdecode(arguments[0]))


# A hook cannot be taken away again.
sys.addaudithook(_heard)


@contextmanager
def opened() -> Iterator[set[str]]:
    """Data files of the package that are opened meanwhile, relative to it; what was kept before is forgotten."""
    global _listening
    for name, module in list(sys.modules.items()):
        if name.startswith("spatial_assets.tasks"):
            for kept in vars(module).values():
                if isinstance(kept, functools._lru_cache_wrapper):
                    kept.cache_clear()
    heard: set[str] = set()
    found: set[str] = set()
    _listening = heard
    try:
        yield found
    finally:
        _listening = None
        inside = {Path(path) for path in heard if Path(path).is_relative_to(ROOT)}
        found |= {path.relative_to(ROOT).as_posix() for path in inside if path.suffix not in {".py", ".pyc"}}


def covered(name: str) -> set[str]:
    return {part for part in stage_parts(STAGES[name], *READERS) if not part.endswith(".py")}


@pytest.mark.every(4)
@pytest.mark.parametrize("name", tasks())
def test_a_task_opens_what_its_version_covers(studio: Studio, name: str) -> None:
    (facts, *_) = studio.facts()
    rows = 0
    with opened() as found:
        chosen = task(name)
        for parameters in (
            {},
            {"wording": "official"} if "wording" in chosen.parameters.model_fields else {},
        ):
            rows += len(
                generate(chosen, facts, chosen.parameters.model_validate({"quota": 20, **parameters})).rows
            )
    assert found or not rows, "the wording is a file"
    assert found <= covered(name)
