"""Which of two objects is closer to a third, recomputed from the truth."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from asked_homes import Asked
from made_scene import FACTS, Tables, pose, rejected, rows_of
from question_truth import Truth
from spar_checks import (
    check_answers,
    check_cast,
    check_margins,
    check_points_in_views,
    check_views,
    one_decimal,
    roles_of,
)

SINGLE, IN_VIEWS = "distance_infer_center_oo", "distance_infer_center_oo_mv"
TASKS = (SINGLE, IN_VIEWS)
FORMATS = ("fill", "select", "sentence")
OTHER = {"green": "blue", "blue": "green"}


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters from the red object's center to the green one's and to the blue one's."""
    things = roles_of(row)
    red, green, blue = (scene.objects[things[color]].center for color in ("red", "green", "blue"))
    return [math.dist(red, green), math.dist(red, blue)]


def printed(value: list[float]) -> list[str]:
    """The color of the closer one."""
    return ["green" if value[0] < value[1] else "blue"]


def printed_with_distances(value: list[float]) -> list[str]:
    return [*printed(value), *map(one_decimal, value)]


def names_of(row: dict[str, Any]) -> dict[str, str]:
    """What the question calls the marked objects."""
    return {color: name_of(row, color) for color in OTHER}


def name_of(row: dict[str, Any], color: str) -> str:
    (name,) = re.findall(rf"[Tt]he ((?:(?!the )[^()])*) \({color} point\)", row["stem"])
    return str(name)


def parsed(row: dict[str, Any]) -> list[str]:
    """The color of the closer one, by the answer."""
    farther = "farther from" in row["stem"]
    assert farther != ("closer to" in row["stem"])
    if row["format"] == "fill":
        (color,) = [color for color, name in names_of(row).items() if name == row["answer"]]
    else:
        text = row["options"]["AB".index(row["answer"])] if row["format"] == "select" else row["answer"]
        relation = r"[^()]*(?:closer to|farther from)" if row["format"] == "sentence" else "$"
        (color,) = re.findall(rf"\((green|blue) point\){relation}", text)
    return [OTHER[color] if farther else color]


def parsed_with_distances(row: dict[str, Any]) -> list[str]:
    (relation,) = re.findall("closer to|farther from", row["stem"])
    color = parsed(row)[0] if relation == "closer to" else OTHER[parsed(row)[0]]
    names = names_of(row)
    numbers = [one_decimal(value) for value in row["value"]]
    check_cast(
        row,
        {
            **names,
            "red": name_of(row, "red"),
            "relation": relation,
            "answer": f"{names[color]} ({color} point)",
            "green_distance": numbers[0],
            "blue_distance": numbers[1],
        },
    )
    return [*parsed(row), *numbers]


def module_for(form: str) -> ModuleType:
    if form != "sentence":
        return sys.modules[__name__]
    with_distances = SimpleNamespace(
        truth=truth, printed=printed_with_distances, parsed=parsed_with_distances
    )
    return cast(ModuleType, with_distances)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(asked: Asked, task: str, form: str) -> None:
    check_answers(asked, task, form, module_for(form))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, task: str, form: str) -> None:
    check_margins(asked, task, form, module_for(form))


def test_points_are_on_their_objects(asked: Asked) -> None:
    assert check_points_in_views(asked, SINGLE, ["red", "green", "blue"]) == 0.0
    check_views(asked, IN_VIEWS)
    assert check_points_in_views(asked, IN_VIEWS, ["red", "green", "blue"]) > 0.9


@pytest.mark.parametrize("task", TASKS)
def test_distances_differ_clearly(asked: Asked, task: str) -> None:
    for row in asked.rows(task):
        near, far = sorted(row["value"])
        assert far - near >= 0.3 and far >= 1.2 * near


@pytest.mark.parametrize("task", TASKS)
def test_nothing_in_the_words_decides(studio_asked: Asked, task: str) -> None:
    """Neither the color, nor the place in the question, nor the word that is asked for."""
    found: Counter[str] = Counter()
    rows = studio_asked.rows(task)
    for row in rows:
        (closer,) = parsed(row)
        farther = "farther from" in row["stem"]
        right = OTHER[closer] if farther else closer
        first = min(OTHER, key=lambda color: row["stem"].index(f"({color} point)"))
        found.update(
            {f"asked {farther}": 1, f"right {right}": 1, f"closer {closer}": 1, f"first {first == right}": 1}
        )
    for pair in (("asked True", "asked False"), ("right green", "right blue"), ("first True", "first False")):
        shares = [found[name] / len(rows) for name in pair]
        assert math.isclose(sum(shares), 1.0) and min(shares) > 0.43, found


@pytest.mark.parametrize("task", TASKS)
def test_a_name_that_answers_means_one(asked: Asked, task: str) -> None:
    for row in asked.rows(task, "fill"):
        assert len(set(names_of(row).values())) == 2
    alike = [row for row in asked.rows(task, "select") if len(set(names_of(row).values())) == 1]
    assert all(len(set(row["options"])) == 2 for row in alike)


def made(
    third: tuple[float, float, float], word: str = "plant", spot: tuple[int, int] = (700, 600)
) -> Tables:
    centers = {1: (-1.5, 0.0, 2.0), 2: (0.0, 0.0, 2.0), 3: third}
    markers = {1: (200, 200), 2: (500, 400), 3: spot}
    observations = [{"frame": "0", "instance": i, "marker": list(at)} for i, at in markers.items()]
    objects = {1: "chair", 2: "table", 3: word}
    return Tables(pose(), facts=FACTS, objects=objects, observations=observations, centers=centers)


@pytest.mark.parametrize(
    ("third", "spot", "expected"),
    [
        # 1.5 m lie between the first two, 2.5 and 4.0 m between these and the third: each can be the anchor.
        ((2.5, 0.0, 2.0), (700, 600), {"ok": 3}),
        # 1.5 and 1.7 m from the second one.
        ((1.7, 0.0, 2.0), (700, 600), {"ok": 2, "no_other": 2}),
        # 0.35 m more than 1.5 m, a ratio of 1.23; but 1.85 m prints as 1.8 or as 1.9, and 3.35 m likewise.
        ((1.85, 0.0, 2.0), (700, 600), {"no_other": 6}),
        ((1.86, 0.0, 2.0), (700, 600), {"ok": 3}),
        ((2.5, 0.0, 2.0), (530, 400), {"no_other": 6}),
    ],
)
def test_comparisons_at_their_limits(
    third: tuple[float, float, float], spot: tuple[int, int], expected: dict[str, int]
) -> None:
    assert rejected(SINGLE, made(third, spot=spot), "select") == expected


def test_two_of_one_name_are_told_apart_by_their_marks_alone() -> None:
    scene = made((2.5, 0.0, 2.0), word="chair")
    # The table as the anchor has a chair on either side.
    assert rejected(SINGLE, scene, "fill") == {"same_name": 1, "ok": 2}
    rows = [row for row in rows_of(SINGLE, scene, even=False) if row["format"] == "select"]
    assert len(rows) == 3
    assert ["chair (blue point)", "chair (green point)"] in [sorted(row["options"]) for row in rows]
