"""Which of four named objects is closest to the observer, or farthest away, recomputed from the truth."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from typing import Any

import pytest
from asked_homes import Asked
from made_scene import FACTS, SEEN, Tables, pose, rejected, rows_of
from question_truth import Truth
from scipy.stats import chisquare
from spar_checks import check_answers, check_cast, check_margins, check_views

from spatial_assets.scene.categories import meanings
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.registry import task as task_named

SINGLE, IN_VIEWS = "distance_infer_center_oc", "distance_infer_center_oc_mv"
TASKS = (SINGLE, IN_VIEWS)
FORMATS = ("fill", "select", "sentence")
ORDINALS = ("first", "second", "third")
BOX = re.compile(r"(?:the (first|second|third) image, )?\[(\d+), (\d+), (\d+), (\d+)\]")


def box_in(row: dict[str, Any], text: str) -> tuple[str, list[int]]:
    """The frame and the corners that a text names."""
    (found,) = BOX.findall(text)
    assert bool(found[0]) == (row["task"] == IN_VIEWS)
    place = ORDINALS.index(found[0]) if found[0] else 0
    return row["frames"][place]["frame"], [int(number) for number in found[1:]]


def object_at(scene: Truth, row: dict[str, Any], text: str) -> int:
    """Which of the named objects has that box in the image."""
    frame, corners = box_in(row, text)
    view = scene.frames[frame]
    pixel = 1000 / min(view.width, view.height) + 1
    (thing,) = [
        item["instance"]
        for item in row["objects"]
        if item["instance"] in scene.visible(frame)
        and max(abs(a - b) for a, b in zip(scene.box(frame, item["instance"]), corners, strict=True)) <= pixel
    ]
    return int(thing)


def answer_of(row: dict[str, Any]) -> str:
    return str(row["options"]["ABCD".index(row["answer"])] if row["format"] == "select" else row["answer"])


def relation_of(row: dict[str, Any]) -> str:
    (relation,) = re.findall("closest to|farthest from", row["stem"])
    return str(relation)


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters from the first image's camera to the object that answers, and to the next one in its stead."""
    position = scene.frames[row["frames"][0]["frame"]].position
    distances = {
        item["instance"]: math.dist(position, scene.objects[item["instance"]].center)
        for item in row["objects"]
    }
    own = distances.pop(object_at(scene, row, answer_of(row)))
    return [own, (min if relation_of(row) == "closest to" else max)(distances.values())]


def printed(value: list[float]) -> list[str]:
    return ["closest to" if value[0] < value[1] else "farthest from"]


def parsed(row: dict[str, Any]) -> list[str]:
    return [relation_of(row)]


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(studio_asked: Asked, task: str, form: str) -> None:
    check_answers(studio_asked, task, form, sys.modules[__name__])


@pytest.mark.parametrize("task", TASKS)
def test_answers_of_a_few_rows_equal_the_truth(tiny_asked: Asked, task: str) -> None:
    for row in tiny_asked.rows(task):
        value = truth(tiny_asked.truths[row["scene"]], row)
        assert parsed(row) == printed(value) and value == pytest.approx(row["value"], abs=1e-3)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, task: str, form: str) -> None:
    check_margins(asked, task, form, sys.modules[__name__])


@pytest.mark.parametrize("task", TASKS)
def test_options_are_the_boxes_of_the_four(asked: Asked, task: str) -> None:
    for row in asked.rows(task, "select"):
        scene = asked.truths[row["scene"]]
        found = [object_at(scene, row, option) for option in row["options"]]
        assert sorted(found) == sorted(item["instance"] for item in row["objects"])
        assert not row["marks"]


@pytest.mark.parametrize("task", TASKS)
def test_names_mean_one_object_in_all_images(asked: Asked, task: str) -> None:
    for row in asked.rows(task):
        scene = asked.truths[row["scene"]]
        seen = set().union(*(scene.visible(item["frame"]) for item in row["frames"]))
        for place, item in enumerate(row["objects"], 1):
            name = scene.objects[item["instance"]].category
            assert item["role"] == f"object_{place}" and name in row["stem"]
            others = [scene.objects[thing].category for thing in seen - {item["instance"]}]
            assert not any(name in meanings(other) for other in others)


@pytest.mark.parametrize("task", TASKS)
def test_sentences_name_the_object_of_the_box(asked: Asked, task: str) -> None:
    for row in asked.rows(task, "sentence"):
        scene = asked.truths[row["scene"]]
        (box,) = [found.group() for found in BOX.finditer(row["answer"])]
        right = scene.objects[object_at(scene, row, row["answer"])].category
        check_cast(row, {"answer": box, "right": right, "relation": relation_of(row)})


@pytest.mark.parametrize("task", TASKS)
def test_distances_differ_clearly(asked: Asked, task: str) -> None:
    for row in asked.rows(task):
        near, far = sorted(row["value"])
        assert far - near >= 0.3 and far >= 1.15 * near


@pytest.mark.prove
def test_boxes_are_where_an_object_appears_largest(studio_asked: Asked) -> None:
    places: Counter[int] = Counter()
    for row in studio_asked.rows(IN_VIEWS):
        scene = studio_asked.truths[row["scene"]]
        frame, _ = box_in(row, answer_of(row))
        thing = object_at(scene, row, answer_of(row))
        names = [item["frame"] for item in row["frames"]]
        places[names.index(frame)] += 1
        pixels = scene.pixels(frame)[thing]
        others = [scene.pixels(name).get(thing, 0) for name in names if name != frame]
        # Two renderers may differ by a pixel along an outline.
        assert pixels >= 1.2 * max(others)
    assert min(places[place] for place in range(3)) > 0.15 * places.total()
    check_views(studio_asked, IN_VIEWS)


def rows_asked(name: str, facts: SceneFacts, seed: int) -> list[dict[str, Any]]:
    chosen = task_named(name)
    made = generate(chosen, facts, chosen.parameters.model_validate({"seed": seed}))
    return [row for row in made.rows if row["format"] == "select"]


@pytest.mark.parametrize("task", TASKS)
def test_neither_order_nor_lowness_decides(studio_asked: Asked, task: str) -> None:
    named: Counter[int] = Counter()
    lowest = total = 0
    # Few of a scene's questions have options: those of other draws are others.
    rows = [
        row
        for inputs in studio_asked.inputs()
        for seed in range(3)
        for row in rows_asked(task, SceneFacts(inputs.which, "", inputs.table), seed)
    ]
    for row in rows:
        scene = studio_asked.truths[row["scene"]]
        things = [item["instance"] for item in row["objects"]]
        named[things.index(object_at(scene, row, answer_of(row)))] += 1
        boxes = [box_in(row, option)[1] for option in row["options"]]
        right = "ABCD".index(row["answer"])
        if relation_of(row) == "closest to":
            total += 1
            lowest += boxes[right][3] == max(box[3] for box in boxes)
    assert total > 15
    assert chisquare([named[place] for place in range(4)]).pvalue > 1e-3, named
    # Asked without regard to it, the object that reaches lowest would be right in half of the rows or more.
    assert lowest / total < 0.45


CENTERS = {
    1: (0.0, 0.0, 2.0),
    2: (0.3, 0.0, 3.0),
    3: (-0.6, 0.0, 3.1),
    4: (0.6, 0.0, 4.0),
    5: (0.0, 0.3, 4.1),
}
WORDS = {1: "chair", 2: "table", 3: "plant", 4: "lamp", 5: "bed"}
SPOTS = {i: [150.0 * i, 100.0, 150.0 * i + 100.0, 300.0] for i in CENTERS}


def made(count: int, centers: dict[int, tuple[float, float, float]], **words: str) -> Tables:
    observations = [{"frame": "0", "instance": i, "box": SPOTS[i]} for i in range(1, count + 1)]
    objects = {i: words.get(WORDS[i], WORDS[i]) for i in range(1, count + 1)}
    return Tables(pose(), facts=FACTS, objects=objects, observations=observations, centers=centers)


@pytest.mark.parametrize(
    ("count", "depth", "words", "expected"),
    [
        # The second frame shows nothing.
        (4, 2.0, {}, {"ok": 1, "few_objects": 1}),
        (3, 2.0, {}, {"few_objects": 2}),
        # The nearest two are 2.8 and 3.0 m away: the farthest is asked for.
        (4, 2.8, {}, {"ok": 1, "few_objects": 1}),
        (4, 2.0, {"lamp": "chair"}, {"few_objects": 2}),
    ],
)
def test_fours_at_their_limits(
    count: int, depth: float, words: dict[str, str], expected: dict[str, int]
) -> None:
    scene = made(count, {**CENTERS, 1: (0.0, 0.0, depth)}, **words)
    assert rejected(SINGLE, scene) == expected
    rows = rows_of(SINGLE, scene, even=False)
    assert len(rows) == 3 * expected.get("ok", 0)
    if depth > 2.5:
        assert {relation_of(row) for row in rows} == {"farthest from"}


def test_what_is_clear_at_neither_end_is_not_asked() -> None:
    centers = {**CENTERS, 1: (0.0, 0.0, 2.9), 4: (0.6, 0.0, 3.1)}
    assert rejected(SINGLE, made(4, centers)) == {"not_clear": 1, "few_objects": 1}


def in_three_views(second: dict[str, float]) -> Tables:
    """Four objects in the first image, the second of them smaller in all; the first as told in the second image."""
    made_in_two = made(4, CENTERS)
    observations = [
        *({"frame": "0", "instance": i, "box": SPOTS[i]} for i in range(1, 5)),
        *({"frame": name, "instance": 2, "visible_px": 20_000, "box": SPOTS[2]} for name in "12"),
        {"frame": "1", "instance": 1, "box": SPOTS[1], **second},
    ]
    made_in_two.rows["visibility"] = [{**SEEN, **row} for row in observations]
    made_in_two.rows["frames"].append({**made_in_two.rows["frames"][1], "frame": "2", "position": 2})
    made_in_two.rows["keyframes"].append({"set": "keyframes", "position": 2, "frame": "2"})
    made_in_two.rows["overlap"] += [
        {"frame_a": frame, "frame_b": "2", "overlap": 0.5, "overlap_instances": 0.5} for frame in "01"
    ]
    return made_in_two


@pytest.mark.parametrize(
    ("second", "is_clear"),
    [
        ({"visible_px": 32_000}, True),
        ({"visible_px": 32_001}, False),
        ({"visible_px": 90_000}, True),
        # It appears largest where it is cut so much that its box is not asked for.
        ({"visible_px": 90_000, "truncation": 0.8}, False),
        ({"visible_px": 32_000, "truncation": 0.8}, True),
    ],
)
def test_it_is_clear_in_which_image_an_object_appears_largest(
    second: dict[str, float], is_clear: bool
) -> None:
    scene = in_three_views(second)
    assert rejected(IN_VIEWS, scene).get("few_objects", 0) == (0 if is_clear else 3)
    assert bool(rows_of(IN_VIEWS, scene, even=False)) == is_clear
