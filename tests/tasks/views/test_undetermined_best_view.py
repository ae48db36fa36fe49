"""How many objects of a category a whole set shows and which view left shows most, or none does: by a ray caster."""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import Any

from mosaic_checks import counted, instances, of_word, views
from mosaic_scene import made_sets, shown
from question_truth import Truth
from video_scenes import Studio, ask, box, check_answers
from withheld_checks import UNKNOWN, check_left, images_left, unseen

from spatial_assets.tasks.spatialmosaic.counts import COUNT, OFFERED, WORD
from spatial_assets.tasks.views import undetermined_best_view

TASK = "undetermined_best_view"


def group(scene: Truth, row: dict[str, Any]) -> list[int]:
    (word,) = {scene.objects[thing].category for thing in instances(row)}
    return of_word(scene, word)


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    if unseen(scene, row, group(scene, row)):
        return [float(len(instances(row)))]
    pixels = [sum(scene.pixels(name).get(thing, 0) for thing in group(scene, row)) for name in views(row)]
    return [float(counted(scene, row)), 1.0 + pixels.index(max(pixels))]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    value = truth(scene, row)
    return UNKNOWN if len(value) == 1 else f"{value[0]:.0f} in all, best seen in Frame {value[1]:.0f}"


def test_answers_equal_the_truth(studio: Studio) -> None:
    check_answers(studio, TASK, "select", sys.modules[__name__], 100)


def test_what_is_left_shows_all_of_them_or_none(studio: Studio) -> None:
    check_left(studio, TASK)


def test_options_are_three_of_two_numbers_by_two_frames(studio: Studio) -> None:
    for row in studio.rows(TASK):
        parts = [tuple(map(int, re.findall(r"\d+", text))) for text in row["options"] if text != UNKNOWN]
        assert len(set(parts)) == 3
        numbers, frames = ({part[place] for part in parts} for place in (0, 1))
        assert len(numbers) == len(frames) == 2 and frames <= set(range(1, len(row["frames"]) + 1))
        assert len(instances(row)) in numbers


def test_of_two_numbers_each_is_right_half_the_time_whatever_the_number_of_images(studio: Studio) -> None:
    """Of those that are shown: how many are withheld follows from how many show any, and so from the number."""
    seen = set()
    for facts in studio.facts():
        found = undetermined_best_view.find(
            facts, undetermined_best_view.UndeterminedBestViewParameters()
        ).settle()
        left = images_left(facts, found)
        kept = Counter(zip(found.values[WORD], left, found.values[OFFERED], found.values[COUNT], strict=True))
        for word, images, offered, _ in kept:
            low, high = offered
            assert kept[word, images, offered, low] == kept[word, images, offered, high]
            seen.add(images)
    assert len(seen) > 1


def test_the_best_view_is_among_those_left() -> None:
    chairs = [("chair", box(place, 0)) for place in range(2)]
    frames = [{}, {}, {0: shown(0.05)}, {0: shown(0.02), 1: shown(0.02)}]
    made = made_sets(chairs, frames, [[0, 1, 2], [0, 1, 3]])
    rows = ask(TASK, made, undetermined_of_twelve=0)
    assert len(rows) == 2
    for row in rows:
        best = views(row).index("2" if len(row["objects"]) == 1 else "3") + 1
        assert row["value"] == [len(row["objects"]), best]
    assert all(views(row) == ["0", "1"] for row in ask(TASK, made, undetermined_of_twelve=12))
