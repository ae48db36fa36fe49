"""How many objects of a category a view set shows and which view shows most of them, from what a ray caster sees."""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from mosaic_checks import check_sets, counted, instances, views
from mosaic_scene import made_sets, shown
from question_truth import Truth
from scipy.stats import chisquare
from video_scenes import Studio, ask, box, check_answers, chosen_text, rejected

from spatial_assets.tasks.spatialmosaic.bestview_count import BEST, OTHER, BestViewParameters, find
from spatial_assets.tasks.spatialmosaic.counts import COUNT, OFFERED, WORD, even_sides
from spatial_assets.tasks.spatialmosaic.sets import SET, view_sets

TASK = "bestview_count_occ"
THREE = [("chair", box(0, 0)), ("chair", box(1, 0)), ("chair", box(2, 0))]


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    pixels = [sum(scene.pixels(name).get(thing, 0) for thing in instances(row)) for name in views(row)]
    return [float(counted(scene, row)), 1.0 + pixels.index(max(pixels))]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    count, view = truth(scene, row)
    return f"{count:.0f} in all, best seen in Frame {view:.0f}"


def test_answers_equal_the_truth(studio: Studio) -> None:
    check_answers(studio, TASK, "select", sys.modules[__name__], 150)


def test_rows_show_a_set_and_say_how_hard_it_is(studio: Studio) -> None:
    check_sets(studio, TASK)


def test_the_best_view_is_so_by_far(studio: Studio) -> None:
    """Half as many pixels again as the next shows, and no view shows clearly more of them."""
    for row in studio.rows(TASK):
        scene = studio.truths[row["scene"]]
        each = [[scene.pixels(name).get(thing, 0) for thing in instances(row)] for name in views(row)]
        best = int(row["value"][1]) - 1
        others = [sum(own) for view, own in enumerate(each) if view != best]
        assert sum(each[best]) >= 1.45 * max(others)
        assert abs(1 - max(others) / sum(each[best]) - row["margins"][1]) < 0.05
        # What shows half the least area or less may be clear by no limit.
        size = scene.frames[views(row)[0]].width * scene.frames[views(row)[0]].height
        assert sum(pixels > 0 for pixels in each[best]) >= min(
            1, max(sum(pixels > 0.02 * size for pixels in own) for own in each)
        )


def test_options_are_two_numbers_by_two_frames(studio: Studio) -> None:
    """So neither part says which of the other is right; numbers are right as often as they are offered for."""
    rows = studio.rows(TASK)
    smaller = 0
    for row in rows:
        parts = [re.findall(r"\d+", option) for option in row["options"]]
        numbers, frames = ({part[place] for part in parts} for place in (0, 1))
        assert len(numbers) == len(frames) == 2 and len({tuple(part) for part in parts}) == 4
        assert all(1 <= int(frame) <= len(row["frames"]) for frame in frames)
        smaller += int(row["value"][0]) == min(map(int, numbers))
    assert chisquare([smaller, len(rows) - smaller]).pvalue > 1e-3
    letters = Counter(row["answer"] for row in rows)
    assert chisquare([letters[letter] for letter in "ABCD"]).pvalue > 1e-3


def test_views_at_their_limits() -> None:
    """Twice as many pixels are more, nearly as many are not, and fewer of the objects are no better view."""
    far, near, wide = shown(0.01), shown(0.03), shown(0.014)
    # Of the other set the count is another, and its first frame is the best, so that nothing tells which is right.
    plain = made_sets(THREE, [{0: far}, {0: near, 1: far}, {0: near}], [[0, 1], [2, 0]])
    assert rejected(TASK, plain) == {"ok": 2}
    even = made_sets(THREE, [{0: far}, {0: wide, 1: wide}, {0: far, 1: wide}, {}], [[1, 2], [0, 3]])
    assert rejected(TASK, even) == {"even_views": 1, "uneven_views": 1}
    fewer = made_sets(THREE, [{0: far}, {0: shown(0.09)}, {0: far, 1: far}, {}], [[1, 2], [0, 3]])
    assert rejected(TASK, fewer) == {"two_best": 1, "uneven_views": 1}
    constant = made_sets(THREE, [{0: far}, {0: near}], [[0, 1], [1, 0]])
    assert rejected(TASK, constant) == {"constant": 2}
    # One and two in sets of two views, one alone in sets of three.
    frames = [{0: far}, {0: near, 1: far}, {0: near}, {}]
    sizes = made_sets(THREE, frames, [[0, 1], [2, 0], [2, 0, 3], [0, 2, 3]])
    found = rejected(TASK, sizes)
    assert found["ok"] == 2 and sum(found.values()) == 4


def test_of_two_numbers_and_two_views_each_is_right_half_the_time(studio: Studio) -> None:
    """Of numbers exactly, whatever the word and the number of views; of views, but for what numbers leave out."""
    later = earlier = 0
    for facts in studio.facts():
        found = find(facts, BestViewParameters()).settle()
        sizes = facts.once(view_sets).sizes[found.values[SET]]
        rows = list(zip(found.values[WORD], sizes, found.values[OFFERED], found.values[COUNT], strict=True))
        kept = Counter(rows)
        for word, size, offered, _ in rows:
            low, high = offered
            assert kept[word, size, offered, low] == kept[word, size, offered, high]
        later += int((found.values[BEST] > found.values[OTHER]).sum())
        earlier += int((found.values[BEST] < found.values[OTHER]).sum())
    assert chisquare([later, earlier]).pvalue > 1e-3


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 50)),
        max_size=40,
        unique_by=lambda it: it[2],
    )
)
def test_even_sides_are_those_of_plain_loops(rows: list[tuple[int, bool, int]]) -> None:
    cells, sides, ranks = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.zeros(0),) * 3
    )
    stays = even_sides(cells.astype(np.int64)[:, None], sides.astype(bool), ranks.astype(np.uint64))
    expected = set()
    for cell in {row[0] for row in rows}:
        both = [[row for row in rows if row[:2] == (cell, side)] for side in (False, True)]
        least = min(map(len, both))
        expected |= {row for own in both for row in sorted(own, key=lambda row: row[2])[:least]}
    assert {row for row, stay in zip(rows, stays, strict=True) if stay} == expected


def test_the_published_wording_has_its_published_options(studio: Studio) -> None:
    rows = studio.rows(TASK, wording="official")
    assert rows
    for row in rows:
        word = studio.truths[row["scene"]].objects[instances(row)[0]].category
        assert row["stem"] == (
            f"How many {word}(s) are visible across these frames? And tell me which frame provides the most "
            f"informative view of the {word}(s)."
        )
        count, view = map(int, row["value"])
        assert chosen_text(row) == f"{count} {word}(s); Frame {view}"


def test_frames_may_go_by_their_own_names() -> None:
    frames = [{0: shown(0.01)}, {0: shown(0.03), 1: shown(0.01)}, {}]
    plain = made_sets(THREE, frames, [[0, 1], [0, 2]])
    rows = ask(TASK, plain, frame_names="name")
    assert rows and all("frame_" in option for row in rows for option in row["options"])
