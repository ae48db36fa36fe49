"""No question without an answer in its views: each view is removed in turn, by what a ray caster sees."""

from __future__ import annotations

import pytest
from mosaic_checks import check_answerable, set_objects
from video_scenes import Studio

from spatial_assets.scene import tables
from spatial_assets.stages.questions import SUITES

MOSAIC = sorted(SUITES["spatialmosaic"])


@pytest.fixture(scope="module")
def objects(studio: Studio):
    return set_objects(facts.read(tables.VIEW_SET_OBJECTS) for facts in studio.facts())


@pytest.mark.every(2)
@pytest.mark.parametrize("task", MOSAIC)
def test_views_show_what_is_needed_and_are_needed_where_they_say_so(studio: Studio, objects, task) -> None:
    rows = studio.rows(task)
    needed = [check_answerable(studio.truths[row["scene"]], row, objects) for row in rows]
    # Of many questions some view is the only one to show something, which is what the suite is about.
    assert rows and sum(count > 0 for count in needed) > len(rows) / 3
