"""Which of four objects in a video is closest to a fifth, or farthest from it, recomputed from the truth."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from itertools import permutations
from typing import Any

import pytest
from asked_homes import Asked
from question_truth import Truth
from spar_checks import check_answers, check_cast, check_margins, check_video, roles_of
from video_scenes import ask

from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.priors import Prior, prior_of
from spatial_assets.tasks.spar import distance_infer_center_oo_video
from spatial_assets.tasks.spar.distance_infer_center_oo_video import SIGNS

TASK = "distance_infer_center_oo_video"
FORMATS = ("fill", "select", "sentence")
FOUR = [f"object{place}" for place in range(4)]
COLORS = {"red": "red", "object0": "green", "object1": "blue", "object2": "yellow", "object3": "magenta"}


def relation_of(row: dict[str, Any]) -> str:
    (relation,) = re.findall("closest to|farthest from", row["stem"])
    return str(relation)


def answer_of(row: dict[str, Any]) -> str:
    """The role of the object that answers."""
    text = row["options"]["ABCD".index(row["answer"])] if row["format"] == "select" else row["answer"]
    (number,) = re.findall(r"Object(\d)", text)
    return f"object{number}"


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters from the red object to the one that answers, and to the next one in its stead."""
    things = roles_of(row)
    red = scene.objects[things.pop("red")].center
    distances = {role: math.dist(red, scene.objects[thing].center) for role, thing in things.items()}
    own = distances.pop(answer_of(row))
    return [own, (min if relation_of(row) == "closest to" else max)(distances.values())]


def printed(value: list[float]) -> list[str]:
    return ["closest to" if value[0] < value[1] else "farthest from"]


def parsed(row: dict[str, Any]) -> list[str]:
    return [relation_of(row)]


@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(studio_asked: Asked, form: str) -> None:
    check_answers(studio_asked, TASK, form, sys.modules[__name__])


@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, form: str) -> None:
    check_margins(asked, TASK, form, sys.modules[__name__])


def test_points_are_on_their_objects_each_in_a_frame_of_its_own(asked: Asked) -> None:
    check_video(asked, TASK)
    rows = asked.rows(TASK)
    off = 0
    for row in rows:
        scene = asked.truths[row["scene"]]
        assert [item["role"] for item in row["objects"]] == ["red", *FOUR]
        assert [(mark["role"], mark["color"]) for mark in row["marks"]] == list(COLORS.items())
        assert len({mark["frame"] for mark in row["marks"]}) == 5
        for mark, item in zip(row["marks"], row["objects"], strict=True):
            off += scene.pixel_of(mark["frame"], mark["xy"]) != item["instance"]
            name = scene.objects[item["instance"]].category
            assert f"the {name} ({mark['color']} point in Frame-" in row["stem"]
        for place, role in enumerate(FOUR):
            assert f"Object{place}, the " in row["stem"] and role in roles_of(row)
    assert off <= 0.005 * len(rows) * 5


def test_sentences_are_cast_in_their_wording(asked: Asked) -> None:
    for row in asked.rows(TASK, "sentence"):
        objects, things = asked.truths[row["scene"]].objects, roles_of(row)
        role = answer_of(row)
        check_cast(
            row,
            {
                "answer": role.capitalize(),
                "right": objects[things[role]].category,
                "red": objects[things["red"]].category,
                "relation": relation_of(row),
            },
        )


def test_distances_differ_clearly(asked: Asked) -> None:
    for row in asked.rows(TASK):
        near, far = sorted(row["value"])
        assert far - near >= 0.3 and far >= 1.15 * near


def test_every_number_is_right_about_as_often(studio_asked: Asked) -> None:
    rows = studio_asked.rows(TASK)
    found = Counter(answer_of(row) for row in rows)
    asked_for = Counter(relation_of(row) for row in rows)
    assert all(0.15 < found[role] / len(rows) < 0.35 for role in FOUR), found
    assert min(asked_for.values()) > 0.25 * len(rows), asked_for


WORDS = ("bed", "lamp", "sofa", "toilet")


@pytest.mark.parametrize("relation", range(len(SIGNS)))
def test_what_the_words_say_does_not_depend_on_the_order_of_the_objects(relation: int) -> None:
    law = prior_of("spar", TASK)
    named = distance_infer_center_oo_video.hints(relation, WORDS, "nightstand")
    said = dict(zip(WORDS, law.chances(named), strict=True))
    assert max(said.values()) > 1.2 * min(said.values())
    for order in permutations(WORDS):
        hints = distance_infer_center_oo_video.hints(relation, order, "nightstand")
        assert [len(set(own)) for own in hints] == [5] * 4
        assert law.chances(hints) == pytest.approx([said[word] for word in order])


def test_things_of_one_name_are_as_likely_as_each_other() -> None:
    """Each is another of the four to the other."""
    hints = distance_infer_center_oo_video.hints(0, ["lamp", "bed", "lamp", "sofa"], "bed")
    assert sorted(hints[0]) == sorted(hints[2]) and "<lamp|lamp" in hints[0]
    law = prior_of("spar", TASK).chances(hints)
    assert law[0] == pytest.approx(law[2])


def test_an_object_and_the_anchor_say_the_same_the_other_way_round() -> None:
    shared = [
        {hint for own in distance_infer_center_oo_video.hints(0, words, anchor) for hint in own}
        for words, anchor in (
            (("bed", "desk", "vase", "plant"), "lamp"),
            (("lamp", "desk", "vase", "plant"), "bed"),
        )
    ]
    assert [hint for hint in shared[0] & shared[1] if "bed" in hint] == ["<bed~lamp"]


@pytest.mark.parametrize("asked_for", SIGNS)
@pytest.mark.parametrize("sign", ["|", "~"])
def test_the_law_knows_of_things_beside_each_other(asked_for: str, sign: str) -> None:
    """Of those beside the anchor each two once, of those among the four either way."""
    told = [name[1:] for name in prior_of("spar", TASK).scores if name[0] == asked_for]
    pairs = [name.split(sign) for name in told if sign in name]
    assert len(pairs) > 300
    assert all(first <= later for first, later in pairs) == (sign == "~")


def test_what_is_left_out_depends_on_the_other_objects(
    studio_asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A law that is sure of one thing beside another leaves out just what it would guess."""

    def asked_by(scores: dict[str, float]) -> dict[str, dict[str, Any]]:
        monkeypatch.setattr(distance_infer_center_oo_video, "prior_of", lambda *_: Prior(scores))
        return {row["qa_id"]: row for row in ask(TASK, facts, quota=10_000) if row["format"] == "select"}

    inputs = next(studio_asked.inputs())
    facts = SceneFacts(inputs.which, "none", inputs.table)
    categories = dict(zip(facts.objects.instances.tolist(), facts.objects.categories, strict=True))

    def beside(row: dict[str, Any]) -> list[tuple[str, str]]:
        """The thing that answers, by each of the three others."""
        words = {role: categories[thing] for role, thing in roles_of(row).items()}
        right = answer_of(row)
        return [(words[right], words[role]) for role in FOUR if role != right]

    rows = asked_by({})
    near = {name: row for name, row in rows.items() if relation_of(row) == "closest to"}
    seen = Counter(pair for row in near.values() for pair in set(beside(row)) if pair[0] != pair[1])
    (one, other), _ = seen.most_common(1)[0]
    guessed = {name for name, row in near.items() if (one, other) in beside(row)}
    kept = asked_by({f"<{one}|{other}": 40.0})
    assert guessed
    assert kept == {name: row for name, row in rows.items() if name not in guessed}
