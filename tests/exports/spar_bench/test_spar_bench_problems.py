"""The benchmark's checks: each drops a question that was damaged as it looks for, and none that is as it was made."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest

from spatial_assets.exports.core.base import Options, Question
from spatial_assets.exports.core.scene_truth import SceneTruth
from spatial_assets.exports.spar_bench.cut import cut
from spatial_assets.exports.spar_bench.problems import ASKED_TWICE, CHECKS, failed, sentence
from spatial_assets.exports.spar_bench.tasks import bench_tasks
from spatial_assets.scene.model import InputError

DEPTH, NEAR, FRONT = "depth_prediction_oc", "distance_infer_center_oo", "obj_spatial_relation_oc_mv"
MATCHING, CAMERA, CHANGE = "position_matching", "camera_motion_infer", "view_change_infer"


def replaced(row, old, new):
    row["question"] = row["question"].replace(old, new)
    row["stem"] = row["stem"].replace(old, new)


def set_option(row, letter, text):
    place = ord(letter) - ord("A")
    row["question"] = row["question"].replace(f"{letter}. {row['options'][place]}", f"{letter}. {text}")
    row["options"][place] = text


def wrong_letter(row):
    return "A" if row["answer"] != "A" else "B"


def right_option(row):
    return row["options"][ord(row["answer"]) - ord("A")]


def moved_box(row):
    """An option that is the right box, moved by a few steps."""
    numbers = [int(text) + 6 for text in re.findall(r"\d+", right_option(row))]
    set_option(row, wrong_letter(row), str(numbers))


def moved_point(row):
    x, y, depth = re.findall(r"\d+(?:\.\d+)?", right_option(row))
    set_option(row, wrong_letter(row), f"Image Coor:({int(x) + 3}, {y}), Depth:{depth} meters")


def one_over_the_other(row):
    row["marks"][1]["xy"] = [row["marks"][0]["xy"][0] + 3, row["marks"][0]["xy"][1]]


DAMAGES = {
    "vague_stem": [
        (DEPTH, lambda row: replaced(row, re.search(r"(\w+) \(blue", row["stem"])[1], "object")),
        (DEPTH, lambda row: row.update(stem="How far?")),
        (DEPTH, lambda row: replaced(row, row["stem"], row["stem"] + " {blue}")),
    ],
    "mark_missing": [
        (DEPTH, lambda row: row["marks"].pop()),
        (DEPTH, lambda row: row["marks"].append(row["marks"][0])),
        (DEPTH, lambda row: replaced(row, " (blue point)", "")),
    ],
    "answer_not_offered": [
        (NEAR, lambda row: row.update(answer="C")),
        (MATCHING, lambda row: row["options"].reverse()),
        (NEAR, lambda row: row.update(options=None)),
    ],
    "equal_options": [
        (FRONT, lambda row: set_option(row, wrong_letter(row), right_option(row))),
        (MATCHING, lambda row: set_option(row, wrong_letter(row), right_option(row).replace(", ", ",  "))),
    ],
    "misleading_option": [(MATCHING, moved_box), (CAMERA, moved_point)],
    "ambiguous_answer": [(NEAR, lambda row: row.update(margin=0.001))],
    "unit_missing": [
        (DEPTH, lambda row: replaced(row, "meters", "")),
        (CHANGE, lambda row: replaced(row, "degrees", "")),
    ],
    "contradictory_answer": [
        (FRONT, lambda row: set_option(row, "A", "left, right, front")),
        (FRONT, lambda row: set_option(row, "A", "left, above")),
        (CHANGE, lambda row: row.update(answer="move_right:1,move_left:1,move_up:0,rotate_up:0,rotate_left:0")),
    ],
    "misprinted_answer": [
        (DEPTH, lambda row: row.update(answer=f"{row['value'][0] + 0.3:.1f}")),
        (NEAR, lambda row: row.update(answer=wrong_letter(row))),
        (MATCHING, lambda row: row.update(answer=wrong_letter(row))),
        (CAMERA, lambda row: row.update(answer=wrong_letter(row))),
        (FRONT, lambda row: row.update(answer=wrong_letter(row))),
    ],
    "covered_mark": [(DEPTH, one_over_the_other)],
    "mark_off_object": [
        (DEPTH, lambda row: row["marks"][0].update(xy=[(row["marks"][0]["xy"][0] + 500) % 1000, 990])),
        (MATCHING, lambda row: row["marks"][0].update(xy=[0, 0, 999, 999])),
    ],
    "unseen_object": [(DEPTH, lambda row: row["objects"][1].update(instance=999))],
    "misnamed_object": [
        (DEPTH, lambda row: replaced(row, re.search(r"(\w+) \(blue", row["stem"])[1], "giraffe"))
    ],
    "untrue_answer": [
        (DEPTH, lambda row: row.update(answer=f"{row['value'][0] + 1:.1f}", value=[row["value"][0] + 1])),
        (CHANGE, lambda row: row["frames"].reverse()),
    ],
}  # fmt: skip


def asked(bench, task):
    """A question that nothing is wrong with."""
    for question in bench.questions[task]:
        if failed(question.row, bench.truth(question)) is None:
            return question
    raise AssertionError(task)


@pytest.mark.parametrize("task", sorted(bench_tasks()))
def test_what_the_tasks_ask_is_found_right(bench, task):
    """Computed anew from boxes and cameras, by formulas that the tasks do not share."""
    problems = [failed(question.row, bench.truth(question)) for question in bench.questions[task]]
    assert len(problems) >= 8
    assert [problem for problem in problems if problem] == []


@pytest.mark.parametrize(
    ("check", "task", "damage"),
    [
        pytest.param(check, task, damage, id=f"{check}-{number}")
        for check, damages in DAMAGES.items()
        for number, (task, damage) in enumerate(damages)
    ],
)
def test_a_damaged_question_is_dropped_by_the_check_that_looks_for_it(bench, check, task, damage):
    question = asked(bench, task)
    row = copy.deepcopy(question.row)
    damage(row)
    problem = CHECKS[check](row, bench.truth(question))
    assert problem is not None and "\n" not in problem
    assert failed(row, bench.truth(question)) is not None
    assert CHECKS[check](question.row, bench.truth(question)) is None


def test_a_point_lies_on_the_object_and_not_only_in_its_box(bench):
    question = asked(bench, DEPTH)
    truth = bench.truth(question)
    mark = question.row["marks"][0]
    pixels = truth.instance_image(mark["frame"])
    (instance,) = [item["instance"] for item in question.row["objects"] if item["role"] == mark["role"]]
    assert (pixels == instance).any()
    gone = np.where(pixels == instance, -1, pixels)
    holed = SceneTruth(truth.things, truth.cameras, truth.seen, lambda frame: gone)
    assert CHECKS["mark_off_object"](question.row, holed) is not None
    assert CHECKS["mark_off_object"](question.row, truth) is None
    assert truth.instance_image("no such frame") is None


def test_a_name_without_a_mark_must_be_the_only_one(bench):
    """Of two things of one name one has no mark."""
    for question in bench.questions[NEAR]:
        truth = bench.truth(question)
        names = [truth.things[item["instance"]].names[0] for item in question.row["objects"]]
        row = copy.deepcopy(question.row)
        row["marks"] = [mark for mark in row["marks"] if mark["role"] != row["objects"][0]["role"]]
        seen = truth.seen[row["frames"][0]["frame"]]
        twins = [instance for instance in seen if names[0] in truth.things[instance].names]
        assert (CHECKS["ambiguous_name"](row, truth) is not None) == (len(twins) > 1)
        if len(twins) > 1:
            return
    question = bench.questions[NEAR][0]
    truth = bench.truth(question)
    first, second = (item["instance"] for item in question.row["objects"][:2])
    things = {**truth.things, second: truth.things[first]}
    row = {**question.row, "marks": question.row["marks"][1:]}
    assert CHECKS["ambiguous_name"](row, truth) is None
    twin = SceneTruth(things, truth.cameras, truth.seen)
    assert "2 of" in (CHECKS["ambiguous_name"](row, twin) or "")


def test_every_check_says_what_it_looks_for_and_is_tried():
    assert {*DAMAGES, "ambiguous_name"} == set(CHECKS)
    for name in (*CHECKS, ASKED_TWICE):
        assert sentence(name).endswith(".") and "_" not in sentence(name)


def test_a_scene_that_is_gone_says_nothing_against_a_question(bench):
    for task in bench_tasks():
        question = asked(bench, task)
        assert failed(question.row, SceneTruth()) is None


@dataclass
class Handed:
    """A release of rows that a test made."""

    bench: object
    rows: dict[str, list[dict]]
    name: str = "made"
    narrowed: bool = False
    splits: dict[str, int] = field(default_factory=lambda: {"train": 1, "test": 1})

    @property
    def home(self):
        return self.bench.home

    def columns(self, split, task, names):
        if self.rows.get(task):
            yield pa.Table.from_pylist([{name: row[name] for name in names} for row in self.rows[task]])

    def named(self, split, task, ids):
        return {
            row["qa_id"]: Question(row, split, ()) for row in self.rows.get(task, []) if row["qa_id"] in ids
        }

    def truth(self, row):
        return self.bench.source.truth(row)


def test_what_fails_is_counted_and_makes_room(bench):
    good = [copy.deepcopy(question.row) for question in bench.questions[NEAR]][:30]
    bad = [
        {**copy.deepcopy(row), "qa_id": f"{number:032x}", "margin": 0.001}
        for number, row in enumerate(good[:7])
    ]
    twice = [{**copy.deepcopy(row), "qa_id": f"f{number:031x}"} for number, row in enumerate(good[:4])]
    made = cut(Handed(bench, {NEAR: [*bad, *good, *twice]}), Options())
    (own,) = [own for own in made.tasks if own.pool]
    assert {check: len(found) for check, found in own.dropped.items()} == {
        "ambiguous_answer": 7,
        ASKED_TWICE: 4,
    }
    assert len(own.candidates) == len(own.kept) == 30
    alone = cut(Handed(bench, {NEAR: good}), Options())
    shown = [sorted(q.row["stem"] for q in c.tasks[4].candidates) for c in (made, alone)]
    assert shown[0] == shown[1]


def test_other_tasks_alone_are_no_benchmark(bench):
    with pytest.raises(InputError, match="its split test has no question of SPAR-Bench's tasks"):
        cut(Handed(bench, {}), Options())
