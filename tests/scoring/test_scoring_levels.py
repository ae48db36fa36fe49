"""Scores by what rows say of how hard they are."""

from __future__ import annotations

import pytest

from spatial_assets.scoring.row_levels import level_order
from spatial_assets.scoring.run import score_rows


def row(task, truth, said, **levels):
    return {"question_type": task, "ground_truth": truth, "mc_answer": truth, "prediction": said, **levels}


ROWS = [
    row("obj_count_occ", "A", "A", occ_level="low", overlap_level="high"),
    row("obj_count_occ", "B", "A", occ_level="low", overlap_level="low"),
    row("obj_count_occ", "C", "C", occ_level="very high", overlap_level="high"),
    row("obj_size_occ_na", "100", "100", occ_level="low", overlap_level="odd"),
    row("obj_size_occ_na", "0", "100", occ_level="low", overlap_level="high"),
    row("obj_size_occ_na", "50", "90", occ_level=None, overlap_level=3),
]


@pytest.mark.parametrize(("profile", "errors", "size"), [("official", 1, 1.0), ("strict", 0, 0.5)])
def test_each_level_is_a_mean_of_its_types(profile, errors, size):
    """A truth of 0, by which the released code divides, has no score there."""
    _, summary = score_rows("spatialmosaic", ROWS, profile)
    found = summary["by_level"]
    assert list(found) == ["occ_level", "overlap_level"]
    assert list(found["occ_level"]) == ["low", "very high"]
    assert list(found["overlap_level"]) == ["low", "high", "odd"]
    low = found["occ_level"]["low"]
    assert (low["rows"], low["errors"], low["overall"]) == (4, errors, (0.5 + size) / 2)
    assert low["tasks"] == {"obj_count_occ": 0.5, "obj_size_occ_na": size}
    assert found["overlap_level"]["odd"]["tasks"] == {"obj_size_occ_na": 1.0}
    chance = summary["chance"]
    assert found["occ_level"]["very high"]["chance"]["random"] == chance["random"]["tasks"]["obj_count_occ"]
    both = [chance["most_frequent"]["tasks"][name] for name in ("obj_count_occ", "obj_size_occ_na")]
    assert low["chance"]["most_frequent"] == pytest.approx(sum(both) / 2)


def test_a_level_without_a_score_says_so():
    _, summary = score_rows("spatialmosaic", [row("obj_size_occ_na", "0", "1", vis_level="Fully Visible")])
    assert summary["by_level"]["vis_level"]["Fully Visible"] == {
        "rows": 1, "errors": 1, "overall": None, "tasks": {}, "chance": {"random": None, "most_frequent": None},
    }  # fmt: skip


def test_rows_that_are_answered_twice_count_once():
    twice = [{**ROWS[0], "id": 1}, {**ROWS[0], "id": 1}, {**ROWS[1], "id": 2}]
    _, summary = score_rows("spatialmosaic", twice)
    assert summary["by_level"]["occ_level"]["low"]["rows"] == 2


def test_rows_and_benchmarks_without_levels_say_nothing_of_them():
    _, summary = score_rows("spatialmosaic", [row("obj_count_occ", "A", "A")])
    assert "by_level" not in summary
    _, summary = score_rows(
        "sparbench",
        [{"task": "position_matching", "ground_truth": "A", "prediction": "A", "occ_level": "low"}],
    )
    assert "by_level" not in summary


def test_levels_that_are_not_known_come_last():
    assert level_order(("low", "high"), ["b", "high", "a", "low"]) == ["low", "high", "a", "b"]
