"""A row depends on what it shows and on its scene's objects, never on which other frames there are."""

from __future__ import annotations

import polars as pl
import pytest
from video_scenes import Studio, ask

from spatial_assets.scene.tables import Table
from spatial_assets.tasks.core.facts import SceneFacts

ALL = 100_000


def without(facts: SceneFacts, frame: str) -> SceneFacts:
    """The same scene without a frame."""

    def read(table: Table) -> pl.DataFrame:
        rows = facts.read(table)
        for name in ("frame", "frame_a", "frame_b"):
            if name in rows.columns:
                rows = rows.filter(pl.col(name) != frame)
        return rows

    return SceneFacts(facts.which, facts.license, read)


@pytest.mark.parametrize("task", ["object_grounding", "bev_layout"])
def test_a_frame_less_changes_only_rows_that_show_or_drew_it(studio: Studio, task: str) -> None:
    facts = studio.facts()[0]
    before = {row["qa_id"]: row for row in ask(task, facts, quota=ALL)}
    gone = min(row["frames"][1]["frame"] for row in before.values())
    after = {row["qa_id"]: row for row in ask(task, without(facts, gone), quota=ALL)}
    shown = {own for own, row in before.items() if gone in {item["frame"] for item in row["frames"]}}
    assert shown and len(before) > 2 * len(shown)
    kept = set(before) - shown
    assert kept <= set(after)
    assert all(after[own] == before[own] for own in kept)
    # What came instead is of main views that had drawn the frame.
    drew = {before[own]["frames"][0]["frame"] for own in shown}
    assert {after[own]["frames"][0]["frame"] for own in set(after) - kept} <= drew
