"""Every kind of answer in every format."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from spatial_assets.tasks.core.answers import (
    Choice,
    Number,
    ObjectChoice,
    Order,
    Parts,
    Point,
    Pose,
    Rectangle,
    Relation,
    Relations,
    Size,
    Text,
    YesNo,
)
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.quantities import DEGREES, GRID_STEPS, METERS
from spatial_assets.tasks.core.rejections import Rejection
from spatial_assets.tasks.core.rendering import FILL, JUDGE, SELECT, SENTENCE, option_list, render
from spatial_assets.tasks.registry import tasks

ANSWERS = {
    "number": Number(METERS, 2.34, [11, 17, 31]),
    "point": Point(
        [(GRID_STEPS, 400.2), (GRID_STEPS, 10.4)],
        "(400,10)",
        wrong=["p", "q", "r"],
        option="at 400, 10",
    ),
    "box": Rectangle([1.0, 2.0, 30.0, 40.0], [[5.0, 5, 9, 9], [50, 50, 60, 60], [7, 7, 8, 8]]),
    "relation": Relation("left", ["right"], [12.0], 12.0, "degree"),
    "order": Order("a, b", lambda draw: ["b, a"], [1.0, 2.0], 1.0, "frame"),
    "object": ObjectChoice("chair", ["table", "sofa", "bed", "lamp", "door"], [0.4], 0.2, "m"),
    "choice": Choice("no view tells", ["chair", "table", "sofa"], [1.0], 3.0, "pixel"),
    "relations": Relations("left, above", ["right, above", "left, "], [0.4, 0.3], [0.3, 0.2], "m"),
    "pose": Pose([(METERS, 1.0), (DEGREES, 10.0)], "p", ["q", "r"]),
    "size": Size([(METERS, 1.0), (METERS, 2.0)], "1 x 2", ["1 x 3"]),
    "parts": Parts([(METERS, 1.0)], "1.0", ["1.2"]),
}
OTHERS = {YesNo.kind, Text.kind}
"""Kinds that are rendered in ways of their own, tested one by one."""


def test_every_kind_that_a_task_has_is_here() -> None:
    assert {task.kind for task in tasks().values()} == {answer.kind for answer in ANSWERS.values()} | OTHERS


@pytest.mark.parametrize("name", ANSWERS)
def test_fill_prints_the_answer(name: str) -> None:
    answer = ANSWERS[name]
    found = render(answer, FILL, Draw(1))
    assert found.text == answer.text and found.options is None


@pytest.mark.parametrize("name", ANSWERS)
def test_select_letters_the_options(name: str) -> None:
    """As many as there are, beyond D too; the right one is under its letter, which is drawn."""
    answer = ANSWERS[name]
    letters = Counter()
    for seed in range(200):
        draw = Draw.of(str(seed))
        found = render(answer, SELECT, draw)
        assert found.options is not None and len(set(found.options)) == len(found.options)
        right = answer.options(draw)[0]
        assert found.options["ABCDEFG".index(found.text)] == right
        assert found.slots["options"] == option_list(found.options)
        letters[found.text] += 1
    assert set(letters) == set("ABCDEFG"[: len(answer.options(Draw(0)))])


def test_lists() -> None:
    assert option_list(["left", "right"]) == "A. left; B. right."
    found = render(ANSWERS["object"], SELECT, Draw(0))
    assert found.slots["letters"] == "A, B, C, D, E or F"


@pytest.mark.parametrize("name", ANSWERS)
def test_judge_states_the_truth_in_half_of_the_rows(name: str) -> None:
    answer = ANSWERS[name]
    said = Counter()
    for seed in range(300):
        found = render(answer, JUDGE, Draw.of(str(seed)))
        assert (found.slots["stated"] == answer.text) == (found.text == "Yes")
        said[found.text] += 1
    assert 110 < said["Yes"] < 190


def test_yes_and_no_are_judged_as_they_are_asked() -> None:
    for yes in (True, False):
        answer = YesNo(yes, [1.0], 1.0, "m")
        found = render(answer, JUDGE, Draw(0))
        assert found.text == found.slots["stated"] == ("Yes" if yes else "No")
        assert sorted(answer.options(Draw(0))) == ["No", "Yes"]


@pytest.mark.parametrize("name", ANSWERS)
def test_sentences_may_name_the_answer(name: str) -> None:
    assert render(ANSWERS[name], SENTENCE, Draw(0)).slots == {"answer": ANSWERS[name].text}


def test_text_is_printed_as_it_is() -> None:
    for form in (FILL, SENTENCE):
        assert render(Text("words", [], 1.0, "word"), form, Draw(0)).text == "words"


def test_what_has_no_wrong_answers_says_so() -> None:
    with pytest.raises(ValueError, match="number"):
        render(Number(METERS, 0.3), SELECT, Draw(0))
    with pytest.raises(ValueError, match="pose"):
        render(Pose([(METERS, 1.0), (DEGREES, 10.0)], "p"), SELECT, Draw(0))
    with pytest.raises(ValueError, match="free text"):
        render(Text("words", [], 1.0, "word"), SELECT, Draw(0))


def test_margins_of_parts_are_in_their_own_units_and_the_least_in_steps() -> None:
    pose = Pose([(METERS, 1.04), (DEGREES, 12.0)], "p")
    assert pose.margins == pytest.approx([0.01, 0.5]) and pose.margin_unit == "rounding step"
    # A tenth of ten centimeters, a tenth of five degrees.
    assert pose.margin == pytest.approx(0.1)
    pose = Pose([(METERS, 1.02), (DEGREES, 12.4)], "p")
    assert pose.margins == pytest.approx([0.03, 0.1]) and pose.margin == pytest.approx(0.02)
    number = Number(METERS, 1.02)
    assert number.margins == [number.margin] == pytest.approx([0.03]) and number.margin_unit == "m"
    assert ANSWERS["order"].margins == [1.0] and ANSWERS["order"].margin_unit == "frame"


@pytest.mark.parametrize("size", [(320, 240), (640, 480), (1296, 968), (4000, 3000)])
def test_margins_of_boxes_are_whole_pixels(size: tuple[int, int]) -> None:
    """The fewest pixels that alter what is printed, by trying; halves go up, without doubt."""
    for at in range(1, min(size)):
        corners = [at * 1000 / side for side in (*size, *size)]
        box = Rectangle(corners, pixel=(1000 / size[0], 1000 / size[1]))
        for corner, margin, side in zip(corners, box.margins, (*size, *size), strict=True):
            moved = next(
                count
                for count in range(1, 20)
                if any(
                    math.floor((at + sign * count) * 1000 / side + 0.5) != math.floor(corner + 0.5)
                    for sign in (-1, 1)
                )
            )
            assert margin == pytest.approx(moved * 1000 / side)
    assert Rectangle([12.5, 0, 20, 20]).text == "[13, 0, 20, 20]"


def test_what_has_no_options_is_never_judged() -> None:
    """Not as true either: else those without options would all be true."""

    def none(draw: Draw) -> list[str]:
        raise Rejection("no_options")

    for seed in range(20):
        with pytest.raises(Rejection, match="no_options"):
            render(Order("a, b", none, [1.0], 1.0, "frame"), JUDGE, Draw.of(str(seed)))
