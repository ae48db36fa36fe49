"""How a marked object lies to another, recomputed from the truth."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest
from asked_homes import Asked
from made_scene import FACTS, Tables, pose, rejected, rows_of
from question_truth import Truth
from relation_checks import (
    OPPOSITE,
    SAID,
    WORDS,
    between,
    check_boxes,
    check_evenly_offered,
    chosen,
    in_view,
    spoken,
    words_of,
)
from spar_checks import check_answers, check_margins, roles_of

TASK = "obj_spatial_relation_oo"
FORMATS = ("judge", "select", "sentence")
KINDS = ("lr", "ab", "fc")


def stated(row: dict[str, Any]) -> str:
    """The word that a judge row's question states."""
    (word,) = [word for word in SAID if re.search(SAID[word], row["stem"].split(" Everything ")[0])]
    return word


def kinds_of(row: dict[str, Any]) -> tuple[str, ...]:
    if row["format"] != "judge":
        return KINDS
    return tuple(kind for kind in KINDS if stated(row) in WORDS[kind])


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters by which the red center is to the right, higher up and farther away than the blue one."""
    frame, things = scene.frames[row["frames"][0]["frame"]], roles_of(row)
    red, blue = (in_view(frame, scene.objects[things[role]].center) for role in ("red", "blue"))
    found = dict(zip(KINDS, between(red, blue), strict=True))
    return [found[kind] for kind in kinds_of(row)]


def printed(value: list[float]) -> list[str]:
    """All that one number may say goes with its sign; of three each has its own words."""
    if len(value) == 1:
        return ["more" if value[0] > 0.1 else "less" if value[0] < -0.1 else ""]
    return words_of(value, KINDS)


def parsed(row: dict[str, Any]) -> list[str]:
    if row["format"] == "select":
        return chosen(row)
    if row["format"] == "sentence":
        return spoken(row["answer"], KINDS)
    word = stated(row)
    said = word if row["answer"] == "Yes" else OPPOSITE[word]
    return ["more" if said in {pair[1] for pair in WORDS.values()} else "less"]


@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(asked: Asked, form: str) -> None:
    check_answers(asked, TASK, form, sys.modules[__name__])


@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, form: str) -> None:
    check_margins(asked, TASK, form, sys.modules[__name__])


def test_boxes_are_around_their_objects(asked: Asked) -> None:
    check_boxes(asked, TASK, ["red", "blue"])


def test_options_tell_nothing(asked: Asked) -> None:
    check_evenly_offered(asked, TASK, ["red", "blue"])


def test_statements_are_true_and_false_alike(tiny_asked: Asked, studio_asked: Asked) -> None:
    rows = [row for asked in (tiny_asked, studio_asked) for row in asked.rows(TASK, "judge")]
    assert 0.4 < np.mean([row["answer"] == "Yes" for row in rows]) < 0.6
    words = [stated(row) for row in rows]
    assert min(words.count(word) for kind in KINDS for word in WORDS[kind]) > 0.05 * len(rows)
    assert all(abs(row["value"][0]) >= 0.13 - 1e-9 for row in rows)


def made(*second: tuple[float, float, float]) -> Tables:
    """A chair 3 m ahead, and a table; the camera's axes are the world's."""
    centers = {1: (0.0, 0.0, 3.0), **{2 + i: place for i, place in enumerate(second)}}
    return Tables(
        pose(),
        facts=FACTS,
        objects={1: "chair", 2: "table"},
        observations=[{"frame": "0", "instance": i, "marker": [300 * i, 400]} for i in centers],
        centers=centers,
    )


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ((1.5, 0.0, 3.0), {"ok": 1}),
        # Sideways by a tenth of a meter and a little: nobody sees whether it counts.
        ((0.115, 1.5, 3.0), {"in_doubt": 1}),
        ((0.085, 1.5, 3.0), {"in_doubt": 1}),
        ((0.135, 1.5, 3.0), {"ok": 1}),
        ((0.065, 1.5, 3.0), {"ok": 1}),
        ((0.3, 0.0, 3.3), {"boxes_overlap": 1}),
    ],
)
def test_relations_at_their_limits(table: tuple[float, float, float], expected: dict[str, int]) -> None:
    assert rejected(TASK, made(table), "sentence") == expected


def test_what_is_up_in_the_image_and_down_in_the_room_is_not_asked() -> None:
    # World z is the camera's depth here: the table is farther off, so higher up in the room, and lower in the image.
    assert rejected(TASK, made((0.0, 1.5, 4.5)), "sentence") == {"tilted": 1}
    assert rejected(TASK, made((0.0, -1.5, 4.5)), "sentence") == {"ok": 1}


def test_a_mirror_turns_left_and_right_alone() -> None:
    def sentence(x: float) -> np.ndarray:
        (row,) = [row for row in rows_of(TASK, made((x, -1.5, 4.5))) if row["format"] == "sentence"]
        value = np.array(row["value"])
        return value if roles_of(row)["red"] == 2 else -value

    assert np.allclose(sentence(1.5), sentence(-1.5) * [-1, 1, 1])
