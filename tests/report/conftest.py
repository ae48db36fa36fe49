"""A small home that the report's tests look at: two good scenes, one that is broken, and a task that no code knows."""

from __future__ import annotations

from pathlib import Path

import lakes
import pytest
import tiny
from report_homes import HOSTILE, STAGES, TASKS, add_unknown_task


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only: tests that change something copy it."""
    folder = tmp_path_factory.mktemp("report")
    root = folder / "source"
    scene = tiny.write_scannet(root, "scene0000_00", seed=0)
    broken = tiny.write_scannet(root, "scene0001_00", seed=1)
    tiny.write_scannet(root, "scene0002_00", seed=2)
    groups = scene.file(".aggregation.json").read_text()
    scene.file(".aggregation.json").write_text(
        groups.replace('"trash can"', '"' + HOSTILE.replace('"', '\\"') + '"')
    )
    broken.file("_vh_clean_2.ply").write_bytes(b"not a mesh")
    home = folder / "home"
    lakes.register(home, "scannet", root)
    lakes.build(home, stages=STAGES, **{task: {"quota": 20} for task in TASKS})
    add_unknown_task(home)
    return home
