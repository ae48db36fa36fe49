"""Routes: their turns by complex numbers, their words and their options."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
import video_truth
from question_truth import Truth
from video_scenes import Studio, check_video, chosen_text, things

from spatial_assets.conformance.vsibench_questions import Question, names_in
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.priors import prior_of
from spatial_assets.tasks.vsi import routes
from spatial_assets.tasks.vsi.route_planning import answers, hints, steps

TASK = "route_planning"


def path(scene: Truth, row: dict[str, Any]) -> list[complex]:
    """Ways between the centers of a row's objects, the first of them what is faced where that is turned from."""
    start, facing, *stops = (video_truth.place(scene.objects[item["instance"]]) for item in row["objects"])
    ways = [b - a for a, b in pairwise([start, *stops])]
    return ways if stops[0] == facing else [facing - start, *ways]


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Degrees of each turn between the objects' centers, left positive; a robot's own differ by its places."""
    turns = [video_truth.turn(before, after) for before, after in pairwise(path(scene, row))]
    return [turn if turn < 180 else turn - 360 for turn in turns]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return ", ".join(map(word, truth(scene, row)))


def word(degrees: float) -> str:
    assert abs(degrees) >= 45, "a way that leads straight on is no turn"
    return "Turn Back" if abs(degrees) >= 135 else "Turn Left" if degrees > 0 else "Turn Right"


def test_answers_equal_the_truth(studio: Studio) -> None:
    rows = studio.rows(TASK)
    assert len(rows) > 20 and {len(row["value"]) for row in rows} >= {2, 3}
    for row in rows:
        scene = studio.truths[row["scene"]]
        assert chosen_text(row) == printed(scene, row) == ", ".join(map(word, row["value"]))
        assert row["margin"] == min(min(abs(abs(v) - 45), abs(abs(v) - 135)) for v in row["value"]) >= 10
        assert not any(abs(turn) >= 135 for turn in row["value"][1:])
        # A robot stands somewhat beside what it stands by.
        between_centers = truth(scene, row)
        assert len(between_centers) == len(row["value"])
        assert all(
            abs((a - b + 180) % 360 - 180) < 60 for a, b in zip(row["value"], between_centers, strict=True)
        )


def test_questions_show_what_they_name(studio: Studio) -> None:
    check_video(studio, TASK)


def test_questions_list_the_way(studio: Studio) -> None:
    firsts = set()
    for row in studio.rows(TASK, even=False):
        objects = studio.truths[row["scene"]].objects
        names = [objects[item["instance"]].category for item in row["objects"]]
        assert [item["role"] for item in row["objects"]] == [
            "start", "facing", *(f"stop-{i}" for i in range(1, len(names) - 1))
        ]  # fmt: skip
        turns_first = "1. [please fill in]" in row["stem"]
        firsts.add(turns_first)
        assert turns_first == (names[1] != names[2])
        assert names[2:] == re.findall(
            r"Go forward until (?:you reach )?the (.*?)(?=;? \d+\. |\.)", row["stem"]
        )
        assert all(name in row["stem"] for name in names)
        listed = re.findall(r"\d+\. \[please fill in\]", row["stem"])
        assert len(listed) == len(row["value"])
        assert len(set(row["options"])) == 4
        assert {len(option.split(", ")) for option in row["options"]} == {len(row["value"])}
    assert firsts == {True, False}


def test_the_published_parser_reads_the_roles_back(studio: Studio) -> None:
    official = [row for row in studio.rows(TASK) if row["template"].startswith("official/")]
    assert official
    for row in official:
        objects = studio.truths[row["scene"]].objects
        question = Question(1, None, "", row["scene"], TASK, row["stem"], {}, row["answer"])
        named = names_in(question, {thing.category for thing in objects.values()})
        found = things(row)
        assert named is not None
        for name, role in (("start", "start"), ("orientation", "facing"), ("destination", list(found)[-1])):
            assert named[name] == objects[found[role]].category


def test_stops_stand_on_the_floor(studio: Studio) -> None:
    for row in studio.rows(TASK):
        for role, thing in things(row).items():
            if role.startswith("stop"):
                it = studio.truths[row["scene"]].objects[thing]
                assert it.center[2] - it.size[2] / 2 <= 0.101
                assert it.size[2] >= 0.399 and max(it.size[:2]) >= 0.299


# Words and options.


@pytest.mark.parametrize("border", [45.0, 135.0])
def test_turns_have_their_names_and_their_margins(border: float) -> None:
    for side in (-1, 1):
        inside, outside = side * (border - 0.001), side * (border + 0.001)
        assert routes.turn_code(inside) != routes.turn_code(outside)
        assert routes.turn_margin(side * (border + 10)) == pytest.approx(10)
        assert routes.turn_margin(side * (border - 10)) == pytest.approx(10)
    names = [routes.TURNS[routes.turn_code(turn)] for turn in (90.0, -90.0, 180.0, -180.0, 0.0)]
    assert names == ["left", "right", "back", "back", ""]
    assert routes.between(170.0, -170.0) == pytest.approx(20.0)
    assert routes.between(-170.0, 170.0) == pytest.approx(-20.0)
    assert routes.between(0.0, 180.0) == routes.between(180.0, 0.0) == routes.between(-90.0, 90.0) == -180.0


def test_steps_are_numbered() -> None:
    assert steps(["sofa", "door"], True, True) == (
        "1. Go forward until the sofa 2. [please fill in] 3. Go forward until the door."
    )
    assert steps(["sofa"], False, False) == "1. [please fill in]; 2. Go forward until you reach the sofa."


@pytest.mark.parametrize("turns", [2, 3, 4])
def test_no_option_of_a_route_is_likelier_than_another(turns: int) -> None:
    """With all right answers equally frequent, each of the four options shown is right equally often."""
    rights = [(first, *rest) for first in ("left", "right", "back") for rest in sequences(turns - 1)]
    shown: dict[frozenset[tuple[str, ...]], Counter[tuple[str, ...]]] = {}
    for right in rights:
        for i in range(40 * turns):
            offered = answers(right, Draw.of("test", str(right), str(i)))
            assert offered[0] == right and len(set(offered)) == 4
            for place in range(turns):
                counts = Counter(answer[place] for answer in offered)
                assert set(counts.values()) in ({4}, {2})
                assert place == 0 or "back" not in counts
            shown.setdefault(frozenset(offered), Counter())[right] += 1
    for options, counts in shown.items():
        assert set(counts) == set(options)
        assert max(counts.values()) < 2.2 * sum(counts.values()) / 4


def sequences(count: int) -> list[tuple[str, ...]]:
    if count == 0:
        return [()]
    return [(side, *rest) for side in ("left", "right") for rest in sequences(count - 1)]


def test_routes_that_mirror_each_other_are_equally_likely() -> None:
    law = prior_of("vsi", TASK)
    pairs = [(("left", "right"), ("right", "left")), (("back", "left", "left"), ("back", "right", "right"))]
    for first, second in pairs:
        assert hints(first, True) == hints(second, True) != hints(first, False)
        assert law.chances([hints(first, True), hints(second, True)]) == [0.5, 0.5]
    assert hints(("left", "left"), True) != hints(("left", "right"), True)
    every = [
        hints((a, b), walks) for walks in (True, False) for a in ("left", "back") for b in ("left", "right")
    ]
    assert {hint for own in every for hint in own} <= set(law.scores)
