"""A scene's facts: what frames show of its objects."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from video_scenes import Studio, box, made

from spatial_assets.scene import tables
from spatial_assets.scene.tables import Table
from spatial_assets.tasks.core.facts import SceneFacts


@pytest.mark.parametrize("column", ["visible_px", "occlusion", "center_depth", "box", "marker"])
def test_observations_are_those_of_plain_loops(studio: Studio, column: str) -> None:
    given = 0
    for facts in studio.facts()[:2]:
        found = facts.observed.column(column)
        place = {name: at for at, name in enumerate(facts.frames.names)}
        thing = {number: at for at, number in enumerate(facts.objects.instances.tolist())}
        expected = np.full(found.shape, np.nan)
        for row in facts.read(tables.VISIBILITY).iter_rows(named=True):
            if row["frame"] in place and row["center_distance"] is not None and row[column] is not None:
                expected[place[row["frame"]], thing[row["instance"]]] = row[column]
                given += 1
        np.testing.assert_array_equal(found, expected)
    assert given > 100


def test_what_frames_show_of_an_object_that_the_scene_has_not_is_an_error() -> None:
    chair, table = ("chair", box(0, 0)), ("table", box(2, 0))
    whole = made([chair, table])

    def without_table(rows: Table) -> pl.DataFrame:
        return (
            whole.read(rows).filter(pl.col("instance") == 0) if rows.name == "objects" else whole.read(rows)
        )

    assert whole.observed.visible.sum() == 2
    with pytest.raises(ValueError, match=r"the scene's objects have no instance 1$"):
        _ = SceneFacts(whole.which, whole.license, without_table).observed
