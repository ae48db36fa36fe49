"""On a real scan without objects what needs none is made, and questions are counted out for the facts they lack."""

from __future__ import annotations

from pathlib import Path

import lakes
import polars as pl
import pytest

from spatial_assets.scene.model import Fact
from spatial_assets.stages import pipeline
from spatial_assets.stages.questions import SUITES
from spatial_assets.tasks.core.rejections import MISSING_FACT
from spatial_assets.tasks.registry import tasks

MOSAIC = sorted(SUITES["spatialmosaic"])
UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap", "view_sets")


@pytest.fixture(scope="module")
def home(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = fixtures / "scenes/posed_rgbd"
    if not root.is_dir():
        pytest.skip("no posed_rgbd among the real data")
    found = tmp_path_factory.mktemp("mosaic_real")
    lakes.register(found, "posed_rgbd", root)
    # A coarse mesh: which frames share what is seen is the same to a few percent.
    (found / pipeline.SETTINGS).write_text("[scenes.posed_rgbd]\nvoxel = 0.06\n")
    lakes.build(found, stages=[*UPSTREAM, *MOSAIC])
    return found


def test_overlap_needs_no_objects_and_sets_of_views_say_that_they_do(home: Path) -> None:
    """A set is of views that show objects: each keyframe is counted out for showing none."""
    assert len(lakes.rows(home, "overlap")) > 100
    keyframes = lakes.rows(home, "keyframes").filter(pl.col("set") == "keyframes")
    (counted,) = lakes.rows(home, "rejects/view_sets").to_dicts()
    assert (counted["reason"], counted["count"]) == ("no_object", len(keyframes)) and len(keyframes) > 10
    assert len(lakes.rows(home, "view_sets")) == len(lakes.rows(home, "view_set_objects")) == 0


@pytest.mark.parametrize("task", MOSAIC)
def test_every_type_is_counted_out_for_what_the_scan_lacks(home: Path, task: str) -> None:
    assert len(lakes.rows(home, f"questions/{task}")) == 0
    facts = set(lakes.rows(home, "scenes")["facts"][0])
    assert Fact.OBJECTS not in facts and {Fact.IMAGES, Fact.POSES, Fact.OVERLAP} <= facts
    counted = lakes.rows(home, f"rejects/{task}").to_dicts()
    assert {row["format"] for row in counted} == set(tasks()[task].formats)
    assert all(row["reason"] == MISSING_FACT and "objects" in row["detail"] for row in counted)
