"""How large the floor is, by the studio's floor plans."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from question_truth import Truth
from spar_checks import one_decimal
from video_scenes import ROOM, Studio, ask, chosen_text, made, rejected

from spatial_assets.tasks.core.laws import laws
from spatial_assets.tasks.core.video.rooms import BANDS, LAWS

TASK = "room_size"
OUTLINE = 0.02
"""Share by which an outline around points on the surfaces, with the walls between rooms, may be off."""


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Square meters of all floors together."""
    return [scene.room_area]


def test_answers_equal_the_truth(studio: Studio) -> None:
    rows = studio.rows(TASK)
    assert {row["format"] for row in rows} == {"fill", "select", "sentence"}
    assert len({row["scene"] for row in rows}) >= 2
    for row in rows:
        (area,) = row["value"]
        assert [area] == pytest.approx(truth(studio.truths[row["scene"]], row), rel=OUTLINE)
        said = chosen_text(row)
        if row["format"] == "sentence":
            (said,) = re.findall(r"\d+\.\d", said)
        assert said == one_decimal(area)
        assert row["margin"] == pytest.approx(0.05 - abs(area - float(said)))
        assert row["objects"] == [] and len(row["frames"]) == 32


def test_wrong_areas_are_those_that_rooms_have() -> None:
    (row,) = (row for row in ask(TASK, made([], room=ROOM)) if row["format"] == "select")
    wrong = laws(LAWS, "studio")[""].wrong(np.array(row["value"]), BANDS)[0]
    assert set(row["options"]) == {one_decimal(row["value"][0]), *(one_decimal(area) for area in wrong)}


def test_a_scene_is_asked_about_once_and_only_if_its_room_is_known() -> None:
    assert rejected(TASK, made([])) == {"no_footprint": 1}
    assert rejected(TASK, made([], room={**ROOM, "walled": 0.5})) == {"open": 1}
    rows = ask(TASK, made([], room=ROOM))
    assert sorted(row["format"] for row in rows) == ["fill", "select", "sentence"]
