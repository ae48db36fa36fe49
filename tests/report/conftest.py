"""A small home that the report's tests look at: two good scenes, one that is broken, and a task that no code knows."""

from __future__ import annotations

from pathlib import Path

import lakes
import polars as pl
import pytest
import tiny

from spatial_assets import tables
from spatial_assets.store import Lake, conform, write_parquet

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
TASKS = ("depth_prediction_oc", "position_matching", "view_change_infer")
UNKNOWN = "a_task_of_another_version"
STAGES = ("sources", "scenes", "keyframes", "visibility", "overlap", *TASKS)


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
    _add_unknown_task(home)
    return home


def _add_unknown_task(home: Path) -> None:
    """A task over a video of 30 frames, in a format of its own, with answers in words and hostile text."""
    lake = Lake(home)
    (shard,) = lake.shards(tables.SCENES)
    rows = lake.read(tables.of(tables.QUESTIONS, TASKS[0]), shard).head(3).to_dicts()
    frames = lake.read(tables.FRAMES, shard, "scene0002_00")["frame"].to_list()
    for number, row in enumerate(rows):
        row.update(
            qa_id=f"{number:032x}",
            scene="scene0002_00",
            task=UNKNOWN,
            format="essay",
            question=f"What of {HOSTILE}?",
            answer=f"{HOSTILE} {number}",
            options=[HOSTILE, "B"],
            value=[0.5] * (number + 1),
            frames=[{"role": f"Frame-{i}", "frame": frames[i % len(frames)]} for i in range(30)],
            objects=[{"role": HOSTILE, "instance": 987}],
            marks=[
                {"role": HOSTILE, "shape": "point", "colour": "red", "frame": frames[3], "xy": [500, 500]}
            ],
            template=HOSTILE,
        )
    table = tables.of(tables.QUESTIONS, UNKNOWN)
    write_parquet(lake.table_path(table, shard), conform(table, rows))


def questions(home: Path) -> pl.DataFrame:
    return lakes.rows(home, "questions/*")
