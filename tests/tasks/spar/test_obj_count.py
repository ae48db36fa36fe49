"""How many objects of a category there are, counted again in the truth."""

from __future__ import annotations

import re
import sys
from typing import Any

from question_truth import Truth
from video_scenes import Studio, ask, box, check_answers, check_video, made, rejected, things
from video_truth import called

TASK = "obj_count"


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """All objects of the category, seen or not."""
    (word,) = {scene.objects[thing].category for thing in things(row).values()}
    return [len(called(scene, word))]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return str(truth(scene, row)[0])


def test_answers_equal_the_truth(studio: Studio) -> None:
    check_answers(studio, TASK, "fill", sys.modules[__name__], 20)
    for row in studio.rows(TASK, "sentence"):
        assert re.findall(r"\d+", row["answer"]) == [printed(studio.truths[row["scene"]], row)]
        assert row["margin"] == 1


def test_both_formats_ask_about_the_same_and_show_it(studio: Studio) -> None:
    check_video(studio, TASK)
    fill, sentence = (
        {(row["scene"], *things(row).values()) for row in studio.rows(TASK, form)}
        for form in ("fill", "sentence")
    )
    assert fill == sentence and fill


def test_one_is_not_counted_and_words_of_two_meanings_are_not() -> None:
    assert rejected(TASK, made([("chair", box(0, 0)), ("table", box(1, 0))])) == {"few": 2}
    objects = [("chair", box(0, 0)), ("chair", box(1, 0)), ("office chair", box(2, 0))]
    assert rejected(TASK, made(objects)) == {"ambiguous_name": 1, "few": 1}
    (fill, sentence) = ask(TASK, made([("chair", box(i, 0)) for i in range(3)]))
    assert fill["answer"] == "3" and "3" in sentence["answer"]
