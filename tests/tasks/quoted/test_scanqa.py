"""Questions of ScanQA: word for word, with all their answers, shown the scene's video."""

from __future__ import annotations

import lakes
import polars as pl
import pytest
import quoted_files
import tiny

from spatial_assets.lineage import planning
from spatial_assets.stages import pipeline

TASK = "scanqa"
SCENES = ("scene0000_00", "scene0001_00")
STAGES = tuple(planning.needed_for(pipeline.STAGES, (TASK, "sqa3d")))


def truth(scene, row):
    """Nothing of it is measured."""
    return []


def printed(scene, row):
    """The first of the answers that the question's own words ask for."""
    return quoted_files.expected(row)[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    base = tmp_path_factory.mktemp("quoted")
    for seed, name in enumerate(SCENES):
        tiny.write_scannet(base / "scans", name, frames=16, seed=seed)
    quoted_files.write(base / "scans", [*SCENES, "scene0404_00"])
    lakes.register(base / "home", "scannet", base / "scans")
    lakes.build(base / "home", stages=STAGES)
    return base / "home"


def test_every_question_of_the_split_is_there_with_all_answers(home):
    rows = lakes.rows(home, f"questions/{TASK}").to_dicts()
    assert sorted((row["scene"], row["stem"]) for row in rows) == sorted(
        (entry["scene_id"], f"W{entry['question'][1:]}") for entry in quoted_files.scanqa(SCENES)
    )
    assert len({row["qa_id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["answers"] == quoted_files.expected(row) and row["answer"] == printed(None, row)
        assert row["format"] == "fill" and row["value"] == truth(None, row)
        assert row["template"].startswith("official") and row["instruction"]
        assert row["license"].endswith("; ScanQA: CC BY-NC-SA 3.0 (ScanQA questions and answers)")
        assert row["margin"] == 1 and row["margin_unit"] == "whole answer"


@pytest.mark.parametrize("shown", ["video32", "keyframes"])
def test_the_frames_shown_are_those_of_the_set(home, shown):
    sets = lakes.rows(home, "keyframes").filter(pl.col("set") == shown).sort("scene", "position")
    made = _again(home, frames=shown)
    assert made
    for row in made:
        own = sets.filter(pl.col("scene") == row["scene"])["frame"].to_list()
        assert [entry["frame"] for entry in row["frames"]] == own
        assert [entry["role"] for entry in row["frames"]] == [f"frame-{place}" for place in range(len(own))]


def test_the_frames_shown_may_be_a_set_of_frames(home):
    lakes.build(home, stages=["visibility", "frame_sets"])
    sets = lakes.rows(home, "frame_sets").filter(pl.col("name") == "space_aware_8").sort("scene", "ordinal")
    made = _again(home, frames="space_aware_8")
    assert made
    for row in made:
        own = sets.filter(pl.col("scene") == row["scene"])["frame"].to_list()
        assert [entry["frame"] for entry in row["frames"]] == own and len(own) == 8


def test_other_splits_are_counted_or_taken(home):
    quality = lakes.rows(home, f"quality/{TASK}")
    assert quality["kept"].to_list() == [4, 4] and quality["candidates"].to_list() == [8, 8]
    reasons = lakes.rows(home, f"rejects/{TASK}").filter(pl.col("count") > 0)
    assert set(reasons["reason"]) == {"other_split"}
    assert len(_again(home, split="all")) == 16 == 2 * len(_again(home, split="all", quota=4))
    train, val, both = ({row["qa_id"] for row in _again(home, split=own)} for own in ("train", "val", "all"))
    assert train | val == both


def test_our_words_stand_around_the_quoted_ones(home):
    for row in _again(home, wording="ours"):
        assert row["template"].startswith("q") and quoted_files.expected(row) == row["answers"]
    kinds = {row["template"][0] for row in _again(home, wording="both", split="all")}
    assert kinds == {"o", "q"}


def _again(home, **changed):
    """Rows that the task makes of the same lake with other parameters."""
    from spatial_assets.assets import partitions
    from spatial_assets.scene.inputs import SceneInputs
    from spatial_assets.stages.questions import facts_of
    from spatial_assets.storage.lake import Lake
    from spatial_assets.tasks.core.generate import generate
    from spatial_assets.tasks.registry import task

    chosen = task(TASK)
    rows = []
    for shard in partitions.registry(home).shards():
        for ref in shard.scenes:
            facts = facts_of(SceneInputs(Lake(home), shard, ref))
            rows += generate(chosen, facts, chosen.parameters(**changed)).rows
    return rows
