"""Whether two marks are on one object, from what lies under them in images that a ray caster makes."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from mosaic_checks import check_sets, views
from mosaic_scene import made_sets, shown
from question_truth import Truth
from video_scenes import Studio, ask, box, check_answers, rejected

TASK = "same_object"
CHAIRS = [("chair", box(0, 0)), ("chair", box(1, 0)), ("chair", box(2, 0))]


def marked(scene: Truth, row: dict[str, Any]) -> list[int]:
    """What lies under the two marks."""
    return [scene.pixel_of(mark["frame"], mark["xy"]) for mark in row["marks"]]


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """How many objects are marked, and by how many degrees the camera turned in between."""
    one, two = (scene.frames[mark["frame"]].rotation.apply([0.0, 0.0, 1.0]) for mark in row["marks"])
    return [float(len(set(marked(scene, row)))), math.degrees(math.acos(np.clip(one @ two, -1.0, 1.0)))]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return "Yes" if truth(scene, row)[0] == 1.0 else "No"


def test_answers_equal_the_truth(studio: Studio) -> None:
    check_answers(studio, TASK, "select", sys.modules[__name__], 150)


def test_rows_show_a_set_and_say_how_hard_it_is(studio: Studio) -> None:
    check_sets(studio, TASK)


def test_marks_lie_on_what_they_name_in_the_frames_that_the_text_names(studio: Studio) -> None:
    for row in studio.rows(TASK):
        scene = studio.truths[row["scene"]]
        assert [(it["role"], it["instance"]) for it in row["objects"]] == list(
            zip(("red", "blue"), marked(scene, row), strict=True)
        )
        assert [mark["color"] for mark in row["marks"]] == ["red", "blue"]
        words = {scene.objects[thing].category for thing in marked(scene, row)}
        assert len(words) == 1 and words.pop() in row["stem"].lower()
        numbers = {mark["color"]: views(row).index(mark["frame"]) + 1 for mark in row["marks"]}
        assert set(map(int, re.findall(r"Frame (\d)", row["stem"]))) == set(numbers.values())
        assert len(set(numbers.values())) == 2


def test_marked_objects_are_clearly_visible_and_two_of_them_are_apart(studio: Studio) -> None:
    for row in studio.rows(TASK):
        scene = studio.truths[row["scene"]]
        for mark, thing in zip(row["marks"], marked(scene, row), strict=True):
            frame = scene.frames[mark["frame"]]
            assert scene.pixels(mark["frame"])[thing] >= 0.0035 * frame.width * frame.height
        one, other = (scene.objects[thing] for thing in marked(scene, row))
        if one is not other:
            assert np.linalg.norm(one.center - other.center) >= 0.299
            assert not one.overlaps(other)


def test_of_each_name_both_answers_are_as_frequent(studio: Studio) -> None:
    """Of a quota that is not reached; where it is, the last turn may be a half one."""
    counts: Counter[tuple[str, str, bool]] = Counter()
    for row in studio.rows(TASK, quota=100_000):
        word = studio.truths[row["scene"]].objects[row["objects"][0]["instance"]].category
        counts[row["scene"], word, row["value"][0] == 1.0] += 1
    assert counts and all(
        counts[scene, word, not same] == count for (scene, word, same), count in counts.items()
    )
    letters = Counter((row["answer"], row["options"][0]) for row in studio.rows(TASK, quota=100_000))
    assert len(letters) == 4 and min(letters.values()) > 0.15 * letters.total()


def test_answers_are_alike_in_overlap_size_and_place(studio: Studio) -> None:
    """Averages of both kinds differ by a small part of how widely each number is spread."""
    kinds: dict[bool, list[list[float]]] = {True: [], False: []}
    for row in studio.rows(TASK, quota=100_000):
        scene, said, count = studio.truths[row["scene"]], row["diagnostics"], len(row["frames"])
        first, second = sorted(views(row).index(mark["frame"]) for mark in row["marks"])
        pair = [(a, b) for a in range(count) for b in range(a + 1, count)].index((first, second))
        kinds[row["value"][0] == 1.0].append(
            [
                said["overlap_pairs"][pair],
                float(count),
                *(
                    np.log(scene.pixels(mark["frame"])[thing])
                    for mark, thing in zip(row["marks"], marked(scene, row), strict=True)
                ),
                *(float(number) for mark in row["marks"] for number in mark["xy"]),
            ]
        )
    yes, no = (np.array(kinds[same]) for same in (True, False))
    assert len(yes) == len(no) >= 75
    spread = np.concatenate([yes, no]).std(axis=0)
    assert (np.abs(yes.mean(axis=0) - no.mean(axis=0)) < 0.3 * spread).all()


def big(**how: Any) -> dict[str, Any]:
    return shown(0.05, **{"at": (320, 240), **how})


def made(*frames: dict[int, Any], objects: Any = CHAIRS) -> Any:
    return made_sets(objects, frames)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        # One chair in the first frame and two in the second: a question with Yes, and one with No.
        ({0: big(), 1: big()}, {"ok": 2}),
        # Where the other one is farther to the right by more than a quarter, nothing is like it.
        ({0: big(), 1: big(at=(500, 240))}, {"no_like": 2}),
        ({0: big(), 1: big(at=(470, 240))}, {"ok": 2}),
        # Three times as large, neither.
        ({0: big(), 1: shown(0.15)}, {"no_like": 2}),
        ({0: big()}, {"no_like": 1}),
        # Too little of it for a mark, though enough for a name.
        ({0: big(), 1: shown(0.003)}, {"no_like": 1}),
        ({0: big(), 1: {**big(), "marker_radius": 7.0}}, {"no_like": 1}),
    ],
)
def test_every_yes_has_a_no_that_is_like_it(second: dict[int, Any], expected: dict[str, int]) -> None:
    assert rejected(TASK, made({0: big()}, second)) == expected


def test_things_of_another_name_are_no_likes() -> None:
    objects = [("chair", box(0, 0)), ("sofa", box(1, 0)), ("chair", box(2, 0))]
    assert rejected(TASK, made({0: big(), 1: big()}, {0: big(), 1: big()}, objects=objects)) == {"no_like": 2}


def test_two_that_are_near_to_each_other_may_be_one() -> None:
    near = [("chair", box(0, 0)), ("chair", box(0.29, 0))]
    both = {0: big(), 1: big()}
    assert rejected(TASK, made(both, both, objects=near)) == {"close": 2, "no_like": 2}
    inside = [("chair", box(0, 0, (2.0, 2.0, 2.0))), ("chair", box(0.4, 0))]
    assert rejected(TASK, made(both, both, objects=inside)) == {"overlapping_boxes": 2, "no_like": 2}


def test_which_mark_is_red_is_drawn() -> None:
    rows = ask(TASK, made({0: big(), 1: big()}, {0: big(), 1: big()}, {0: big(), 1: big()}), quota=1000)
    assert len(rows) == 12
    assert {row["marks"][0]["frame"] < row["marks"][1]["frame"] for row in rows} == {True, False}
    for row in rows:
        said = [it["instance"] for it in row["objects"]]
        assert (said[0] == said[1]) == (row["options"]["AB".index(row["answer"])] == "Yes")
