"""How many objects of a category a view set shows, recounted from what a ray caster sees in each view."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import pytest
from mosaic_checks import check_sets, counted, shares
from mosaic_scene import made_sets, shown
from question_truth import Truth
from video_scenes import Studio, ask, box, check_answers, chosen_text, rejected

CHOICE, NUMBER = "obj_count_occ", "obj_count_occ_na"
THREE = [("chair", box(0, 0)), ("chair", box(1, 0)), ("chair", box(2, 0))]


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    return [float(counted(scene, row))]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return str(counted(scene, row))


@pytest.mark.parametrize(("task", "form", "least"), [(CHOICE, "select", 40), (NUMBER, "fill", 250)])
def test_counts_equal_the_truth(studio: Studio, task: str, form: str, least: int) -> None:
    check_answers(studio, task, form, sys.modules[__name__], least)


@pytest.mark.parametrize("task", [CHOICE, NUMBER])
def test_rows_show_a_set_and_say_how_hard_it_is(studio: Studio, task: str) -> None:
    check_sets(studio, task)


def test_no_number_is_most_of_the_answers(studio: Studio) -> None:
    numbers = Counter(row["answer"] for row in studio.rows(NUMBER))
    assert len(numbers) >= 3 and max(numbers.values()) <= 0.5 * numbers.total()


def test_each_number_that_is_offered_is_right_equally_often(studio: Studio) -> None:
    """In every scene, of as many images: a set of numbers says nothing of which it is, whoever has counted answers."""
    rows = studio.rows(CHOICE)
    for scene, images in {(row["scene"], len(row["frames"])) for row in rows}:
        own = [row for row in rows if (row["scene"], len(row["frames"])) == (scene, images)]
        right = Counter(chosen_text(row) for row in own)
        assert max(right.values()) - min(right.values()) <= 1
        assert {text for row in own for text in row["options"]} == set(right)
        assert all(len(set(row["options"])) == 4 for row in own)


def test_several_views_are_needed(studio: Studio) -> None:
    """For about half of the counts above one, no single view shows all that counts."""
    rows = [row for row in studio.rows(NUMBER) if row["value"][0] > 1]
    whole = 0
    for row in rows:
        scene = studio.truths[row["scene"]]
        each = [shares(scene, row, item["instance"]) for item in row["objects"]]
        whole += any(all(own[view] > 0 for own in each) for view in range(len(row["frames"])))
    assert rows and whole < 0.65 * len(rows)


def test_what_shows_too_little_is_not_counted_or_left_out() -> None:
    """Shown in one view is enough, hidden in all is nothing, and in between nobody can say."""
    well, badly = shown(), shown(0.0004)
    seen = made_sets(THREE, [{0: well, 1: badly}, {1: well}])
    assert rejected(NUMBER, seen) == {"ok": 1}
    (row,) = ask(NUMBER, seen)
    assert row["answer"] == "2" and [it["instance"] for it in row["objects"]] == [0, 1]
    assert rejected(NUMBER, made_sets(THREE, [{0: well, 1: badly}, {0: well}])) == {"half_seen": 1}
    hidden = shown(occlusion=0.8)
    assert rejected(NUMBER, made_sets(THREE, [{0: well, 1: hidden}, {0: well}])) == {"half_seen": 1}


def test_words_that_mean_something_else_in_sight_are_left_out() -> None:
    things = [("chair", box(0, 0)), ("office chair", box(1, 0)), ("floor", box(0, 0, (9, 9, 0.1)))]
    both = made_sets(things, [{0: shown(), 2: shown()}, {1: shown(), 2: shown()}])
    assert rejected(NUMBER, both) == {"ambiguous_name": 1, "ok": 1}
    apart = made_sets(things, [{0: shown()}, {1: shown()}], [[0], [1]])
    assert rejected(NUMBER, apart) == {"ok": 2}


def test_counts_at_their_limits() -> None:
    seen = made_sets(THREE, [{0: shown()}, {1: shown(), 2: shown()}], [[0], [0, 1]])
    assert rejected(NUMBER, seen) == {"ok": 2}
    assert rejected(NUMBER, seen, min_count=2) == {"few": 1, "ok": 1}
    assert rejected(NUMBER, seen, max_count=2) == {"many": 1, "ok": 1}


def test_the_published_wording_is_printed_word_for_word(studio: Studio) -> None:
    for row in studio.rows(CHOICE, wording="official"):
        scene = studio.truths[row["scene"]]
        word = scene.objects[row["objects"][0]["instance"]].category
        assert row["stem"] == f"How many {word}(s) are visible across these frames?"
