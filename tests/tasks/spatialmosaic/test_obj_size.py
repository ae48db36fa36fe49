"""How long the longest side of an object of a view set is, by its box in the truth."""

from __future__ import annotations

import math
import sys
from collections import Counter
from typing import Any

import polars as pl
import pytest
from mosaic_checks import check_named, check_sets, views
from mosaic_scene import made_sets, shown
from question_truth import Truth
from video_scenes import Studio, ask, box, check_answers, rejected, things

from spatial_assets.scene import tables

TASK = "obj_size_occ_na"


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Centimeters along the longest side of the box."""
    return [float(100 * scene.objects[things(row)["target"]].size.max())]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return str(math.floor(truth(scene, row)[0] + 0.5))


def test_sizes_equal_the_truth(studio: Studio) -> None:
    check_answers(studio, TASK, "fill", sys.modules[__name__], 250)
    assert all(row["margin"] >= 0.1 for row in studio.rows(TASK))


def test_most_objects_are_seen_in_part_and_all_are_plainly_meant(studio: Studio) -> None:
    check_sets(studio, TASK)
    rows = studio.rows(TASK)
    seen = {}
    for facts in studio.facts():
        for item in facts.read(tables.VISIBILITY).filter(pl.col("visible_px") > 0).iter_rows(named=True):
            seen[facts.which["scene"], item["frame"], item["instance"]] = item
    for row in rows:
        check_named(studio.truths[row["scene"]], row)
        keys = [(row["scene"], name, things(row)["target"]) for name in views(row)]
        clear = [seen[key] for key in keys if key in seen and seen[key]["visible_px"] >= 0.001 * 320 * 240]
        assert min(it["truncation"] for it in clear) <= 0.5
        if row["diagnostics"]["answer_is"] == "whole":
            assert any(it["truncation"] <= 0.1 and it["occlusion"] <= 0.1 for it in clear)
        else:
            assert row["diagnostics"]["answer_is"] == "part"
            # What a view shows clearly is more than pixels: of thin things, some of these are not.
            thick = [it for it in clear if it["marker_radius"] >= 3 and it["visible_vertex_fraction"] >= 0.1]
            assert not any(it["truncation"] <= 0.1 and it["occlusion"] <= 0.1 for it in thick)
    part = sum(row["diagnostics"]["answer_is"] == "part" for row in rows)
    assert 0.5 * len(rows) <= part <= 0.75 * len(rows)


def test_no_object_is_most_of_the_questions(studio: Studio) -> None:
    for name in studio.truths:
        rows = [row for row in studio.rows(TASK) if row["scene"] == name]
        asked = Counter(things(row)["target"] for row in rows)
        assert len(asked) >= 8 and max(asked.values()) <= 0.3 * len(rows)


def counts(size: float = 1.0, first: Any = None, second: Any = None, **parameters: Any) -> dict[str, int]:
    frames = [{0: shown() if first is None else first}, {} if second is None else {0: second}]
    return rejected(TASK, made_sets([("sofa", box(0, 0, (0.5, size, 0.3)))], frames), **parameters)


@pytest.mark.parametrize(
    ("size", "reason"), [(1.2361, "ok"), (1.2359, "rounding"), (1.2341, "rounding"), (1.2339, "ok")]
)
def test_sizes_do_not_depend_on_a_millimeter(size: float, reason: str) -> None:
    assert counts(size) == {reason: 1}


def test_the_ends_of_what_is_measured_are_seen() -> None:
    cut, hidden = shown(truncation=0.6), shown(occlusion=0.3)
    assert counts(first=cut) == {"truncated": 1}
    assert counts(first=cut, max_truncation=0.7) == {"ok": 1}
    assert counts(first=cut, second=hidden) == {"ok": 1}
    assert counts(first=shown(0.0004)) == {"unclear": 1}


def test_objects_are_seen_in_part_or_whole() -> None:
    """Half of what is outside one image and half of what is hidden in another make no whole."""
    whole, hidden, cut = shown(occlusion=0.1), shown(occlusion=0.11), shown(truncation=0.11)
    for frames, kind in (
        ([{0: whole}, {}], "whole"),
        ([{0: hidden}, {0: whole}], "whole"),
        ([{0: hidden}, {0: cut}], "part"),
    ):
        made = made_sets([("sofa", box(0, 0, (0.5, 1.0, 0.3)))], frames)
        (row,) = ask(TASK, made)
        assert row["diagnostics"]["answer_is"] == kind and row["answer"] == "100"
        assert rejected(TASK, made, part_of_ten=10 if kind == "whole" else 0) == {"unwanted": 1}
        assert rejected(TASK, made, part_of_ten=0 if kind == "whole" else 10) == {"ok": 1}


def test_seven_of_ten_are_seen_in_part_as_long_as_there_are_both_kinds() -> None:
    """Of any number of questions, and not only where the scene has fewer than the quota."""
    objects = [("sofa", box(0, 0, (0.5, 1.0, 0.3)))]
    frames = [{0: shown(occlusion=0.3)}] * 14 + [{0: shown()}] * 40
    made = made_sets(objects, frames, [[place] for place in range(len(frames))])
    for quota, part in ((10, 7), (20, 14), (54, 14)):
        rows = ask(TASK, made, quota=quota)
        assert sum(row["diagnostics"]["answer_is"] == "part" for row in rows) == part


def test_what_a_name_suggests_is_asked_half_as_often() -> None:
    """A sofa of three meters is none that its name suggests, one of the usual length is."""
    sizes = {}
    for length in (2.0, 3.5):
        objects = [("sofa", box(0, 0, (0.5, length, 0.3))), ("giraffe", box(3, 0, (0.5, 1.0, 0.3)))]
        frames = [{0: shown(), 1: shown()}] * 40
        rows = ask(
            TASK, made_sets(objects, frames, [[place] for place in range(40)]), quota=24, part_of_ten=0
        )
        sizes[length] = sum(things(row)["target"] == 0 for row in rows)
    # Which of the two begins is drawn.
    assert sizes[2.0] == pytest.approx(8, abs=1) and sizes[3.5] == pytest.approx(12, abs=1)
