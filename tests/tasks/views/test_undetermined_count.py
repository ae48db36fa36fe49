"""How many objects of a category a whole set shows, or no view left shows any: from what a ray caster sees."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

from mosaic_checks import counted, instances, of_word, views
from mosaic_scene import made_sets, shown
from question_truth import Truth
from video_scenes import Studio, ask, box, check_answers
from withheld_checks import NOTHING_SHOWN, UNKNOWN, check_left, images_left, unseen

from spatial_assets.tasks.spatialmosaic.counts import COUNT, OFFERED
from spatial_assets.tasks.views import undetermined_count

TASK = "undetermined_count"


def group(scene: Truth, row: dict[str, Any]) -> list[int]:
    """Everything of the category, whether the row names it or not."""
    (word,) = {scene.objects[thing].category for thing in instances(row)}
    return of_word(scene, word)


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Where the views left show none, what the whole set shows: the row names it all."""
    hidden = unseen(scene, row, group(scene, row))
    return [float(len(instances(row)) if hidden else counted(scene, row))]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return UNKNOWN if unseen(scene, row, group(scene, row)) else f"{counted(scene, row)}"


def test_answers_equal_the_truth(studio: Studio) -> None:
    check_answers(studio, TASK, "select", sys.modules[__name__], 40)


def test_what_is_left_shows_all_of_them_or_none(studio: Studio) -> None:
    check_left(studio, TASK, least=40)
    for row in studio.rows(TASK):
        scene = studio.truths[row["scene"]]
        assert sum(text.isdigit() for text in row["options"]) == 3
        assert str(len(instances(row))) in row["options"]
        # All that the whole set shows is what the row names.
        if row["diagnostics"]["answer_is"] == "shown":
            for thing in set(group(scene, row)) - set(instances(row)):
                assert all(scene.pixels(name).get(thing, 0) <= NOTHING_SHOWN for name in views(row))


def test_each_number_is_right_equally_often_whatever_the_number_of_images(studio: Studio) -> None:
    seen = set()
    for facts in studio.facts():
        found = undetermined_count.find(facts, undetermined_count.UndeterminedCountParameters()).settle()
        kept = Counter(zip(images_left(facts, found), found.values[COUNT], strict=True))
        offered = dict(zip(images_left(facts, found), found.values[OFFERED], strict=True))
        for images, numbers in offered.items():
            assert len({kept[images, number] for number in numbers}) == 1
            seen.add(images)
    assert len(seen) > 1


def test_numbers_are_of_the_scene() -> None:
    """Three sets of which a view shows one, two or three chairs, and two views none."""
    chairs = [("chair", box(place, 0)) for place in range(3)]
    frames = [{}, {}, {0: shown()}, {0: shown(), 1: shown()}, {0: shown(), 1: shown(), 2: shown()}]
    sets = [[0, 1, 2], [0, 1, 3], [0, 1, 4]]
    for of_twelve, answers in ((0, {"1", "2", "3"}), (12, {UNKNOWN})):
        rows = ask(TASK, made_sets(chairs, frames, sets), undetermined_of_twelve=of_twelve)
        assert {row["options"]["ABCD".index(row["answer"])] for row in rows} == answers and len(rows) == 3
        assert {tuple(sorted(row["options"])) for row in rows} == {("1", "2", "3", UNKNOWN)}
        for row in rows:
            assert (views(row) == ["0", "1"]) == (of_twelve == 12)
