"""Recomputes the published VSI-Bench answers from the published boxes.

Says where the two disagree and why.

A question is answerable from boxes if its scene is at hand and every category it names has a box; exactly
one, where the question speaks of the only one. A box that the meta information lists twice, to the last
digit, is one box. Order of appearance and route planning are never answerable from boxes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spatial_assets.conformance import vsibench_answers as answers
from spatial_assets.conformance.vsibench_questions import (
    NUMERIC,
    Question,
    folded,
    names_in,
    read_questions,
    templates,
)
from spatial_assets.geometry.directions import turn_degrees
from spatial_assets.readers import files
from spatial_assets.readers import vsibench as reader
from spatial_assets.scene.model import Box, InputError, Scene
from spatial_assets.scene.refs import SceneRef

EXACT_DISTANCE = "object_abs_distance_exact"
"""Absolute distance once more, by exact box distance: what the benchmark's sampling makes of it shows
here."""

NOT_FROM_BOXES = ("obj_appearance_order", "route_planning")


class Unanswerable(Exception):
    """Why a question has no answer in the boxes: a reason in one word, and the detail."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class SceneBoxes:
    """A scene's boxes by category."""

    scene: Scene
    boxes: dict[str, tuple[Box, ...]]
    """Category (the source's word, case folded) to its distinct boxes."""
    listed: dict[str, int]
    """Category to the number of boxes as listed."""
    counts: dict[str, int]
    """Category to the number of objects that the source states."""

    def all_of(self, category: str) -> tuple[Box, ...]:
        if not self.boxes.get(category):
            raise Unanswerable("no_box", f"{category} has no box in this scene")
        return self.boxes[category]

    def only(self, category: str) -> Box:
        boxes = self.all_of(category)
        if len(boxes) > 1:
            raise Unanswerable("several_boxes", f"{category} has {len(boxes)} boxes, the question means one")
        return boxes[0]


@dataclass(frozen=True)
class Outcome:
    """One question under one question type (absolute distance has two)."""

    question: Question
    type: str
    published: str
    computed: str | None
    """As printed; None where it is unanswerable."""
    matched: bool
    reason: str
    """Why it is unanswerable or not matched, in one word; empty where it is matched."""
    detail: str


@dataclass(frozen=True)
class Conformance:
    """All outcomes, in the order of the file, and what is inconsistent in the published data itself."""

    outcomes: tuple[Outcome, ...]
    inconsistencies: tuple[dict[str, Any], ...]

    def summary(self) -> dict[str, dict[str, int]]:
        """{question_type: {matched, total, unanswerable}}, total counting the answerable ones."""
        table = {name: {"matched": 0, "total": 0, "unanswerable": 0} for name in _types()}
        for outcome in self.outcomes:
            row = table[outcome.type]
            if outcome.computed is None:
                row["unanswerable"] += 1
            else:
                row["total"] += 1
                row["matched"] += outcome.matched
        return table

    def report(self) -> dict[str, Any]:
        """The summary, every question not matched or unanswerable by line and id, and the inconsistencies."""
        return {
            "summary": self.summary(),
            "mismatches": [_row(o) for o in self.outcomes if o.computed is not None and not o.matched],
            "unanswerable": [
                _row(o) for o in self.outcomes if o.computed is None and o.reason != "not_from_boxes"
            ],
            "inconsistencies": list(self.inconsistencies),
        }


def run(meta_files: Iterable[str | Path], questions_file: str | Path) -> dict[str, dict[str, int]]:
    """Recompute the published answers: {question_type: {matched, total, unanswerable}}.

    Keys are all question types of the benchmark and `object_abs_distance_exact`; total counts the answerable
    ones.

    Raises
    ------
    InputError : a file cannot be read or is malformed; names the file, and the line or scene.
    """
    return check(meta_files, questions_file).summary()


def check(meta_files: Iterable[str | Path], questions_file: str | Path) -> Conformance:
    """Like `run`, with every outcome and the official inconsistencies.

    Raises
    ------
    InputError : as `run`.
    """
    scenes = _read_scenes(meta_files)
    questions = read_questions(questions_file)
    outcomes = [outcome for question in questions for outcome in _outcomes(question, scenes)]
    return Conformance(tuple(outcomes), tuple(official_inconsistencies(scenes, questions)))


def official_inconsistencies(
    scenes: dict[str, SceneBoxes], questions: Iterable[Question]
) -> list[dict[str, Any]]:
    """Where the published data contradicts itself, by rule, for each scene and category.

    - `box_listed_twice`: the same box stands more than once;
    - `count_differs_from_boxes`: the stated count is not the number of distinct boxes;
    - `answer_differs_from_meta`: a published count answer is neither the stated count nor the number of
    boxes.
    """
    asked: dict[tuple[str, str], Question] = {}
    for question in questions:
        if question.type == "object_counting" and question.scene in scenes:
            names = names_in(question, scenes[question.scene].boxes)
            if names is not None:
                asked.setdefault((question.scene, names["category"]), question)
    found = []
    for scene in sorted(scenes):
        known = scenes[scene]
        for category in sorted(known.counts.keys() | known.boxes.keys()):
            listed, distinct = known.listed.get(category, 0), len(known.boxes.get(category, ()))
            stated = known.counts.get(category, 0)
            question_asked = asked.get((scene, category))
            kinds = {
                "box_listed_twice": listed > distinct,
                "count_differs_from_boxes": stated != distinct,
                "answer_differs_from_meta": question_asked is not None
                and float(question_asked.answer) not in (stated, distinct),
            }
            found += [
                {
                    "kind": kind,
                    "scene": scene,
                    "category": category,
                    "stated_count": stated,
                    "listed_boxes": listed,
                    "distinct_boxes": distinct,
                    "published_answer": question_asked.answer if question_asked else None,
                }
                for kind, holds in kinds.items()
                if holds
            ]
    return found


def _types() -> list[str]:
    names = list(templates())
    names.insert(names.index("object_abs_distance") + 1, EXACT_DISTANCE)
    return names


def _read_scenes(meta_files: Iterable[str | Path]) -> dict[str, SceneBoxes]:
    scenes: dict[str, SceneBoxes] = {}
    for given in meta_files:
        file = Path(given)
        try:
            content = files.read_json(file.parent, file.name)
            if not isinstance(content, dict):
                raise InputError(file.name, "not an object of scenes", "malformed_file")
            for name in content:
                if name in scenes:
                    raise InputError(file.name, f"scene {name} stands in another file too", "contradiction")
                scenes[name] = _scene_boxes(file, name)
        except InputError as error:
            raise InputError(given, error.what, error.reason) from None
    return scenes


def _scene_boxes(file: Path, name: str) -> SceneBoxes:
    ref = SceneRef(name, file.name)
    scene = reader.read_scene(file.parent, ref, reader.RELEASE, reader.LICENSE, reader.Parameters())
    distinct: dict[str, dict[bytes, Box]] = {}
    listed: dict[str, int] = {}
    for instance in scene.instances:
        category, box = folded(instance.label), instance.box
        key = box.center.tobytes() + box.size.tobytes() + box.rotation.tobytes()
        distinct.setdefault(category, {}).setdefault(key, box)
        listed[category] = listed.get(category, 0) + 1
    boxes = {category: tuple(group.values()) for category, group in distinct.items()}
    counts: dict[str, int] = {}
    for label, count in scene.object_counts.items():
        counts[folded(label)] = counts.get(folded(label), 0) + count
    return SceneBoxes(scene, boxes, listed, counts)


def _outcomes(question: Question, scenes: dict[str, SceneBoxes]) -> list[Outcome]:
    """One outcome; two for absolute distance."""
    kinds = [question.type]
    if question.type == "object_abs_distance":
        kinds.append(EXACT_DISTANCE)
    found = []
    for kind in kinds:
        try:
            computed = _computed(question, kind, scenes)
        except Unanswerable as why:
            found.append(Outcome(question, kind, question.answer, None, False, why.reason, why.detail))
            continue
        if question.type in NUMERIC:
            matched = math.isclose(float(computed), float(question.answer), rel_tol=0.0, abs_tol=1e-9)
        else:
            matched = computed == folded(question.options[question.answer])
        reason, detail = ("", "") if matched else _why(question, kind, computed, scenes)
        published = question.answer if question.type in NUMERIC else question.options[question.answer]
        found.append(Outcome(question, kind, published, computed, matched, reason, detail))
    return found


def _computed(question: Question, kind: str, scenes: dict[str, SceneBoxes]) -> str:
    """The answer as printed: a number, or the text of an option, case folded. Raises Unanswerable."""
    if question.type in NOT_FROM_BOXES:
        raise Unanswerable("not_from_boxes", "boxes do not say it")
    if question.scene not in scenes:
        raise Unanswerable("no_scene", f"scene {question.scene} is in none of the meta files")
    known = scenes[question.scene]
    names = names_in(question, known.boxes)
    if names is None:
        raise Unanswerable("unknown_wording", "not worded as published")
    if question.type == "room_size_estimation":
        if known.scene.room_size is None:
            raise Unanswerable("no_room_size", "the meta information states no room size")
        return str(answers.printed_area(known.scene.room_size))
    if question.type == "object_counting":
        return str(len(known.all_of(names["category"])))
    if question.type == "object_size_estimation":
        return str(answers.longest_side_cm(known.only(names["category"])))
    if question.type == "object_abs_distance":
        first, second = known.only(names["first"]), known.only(names["second"])
        distance = answers.exact_distance if kind == EXACT_DISTANCE else answers.published_distance
        return str(distance([first], [second]))
    if question.type == "object_rel_distance":
        options = {folded(text): known.all_of(folded(text)) for text in question.options.values()}
        return answers.nearest(options, known.only(names["target"]))
    roles = [known.only(names[role]) for role in ("position", "orientation", "query")]
    turn = turn_degrees(*roles)
    if turn is None:
        raise Unanswerable("no_direction", "two of the objects stand above one another")
    return answers.DIRECTIONS[question.type](turn)


def _why(question: Question, kind: str, computed: str, scenes: dict[str, SceneBoxes]) -> tuple[str, str]:
    """Reason and detail of a mismatch, from the published data alone."""
    if kind == EXACT_DISTANCE:
        sampled = _computed(question, question.type, scenes)
        if float(sampled) == float(question.answer):
            return "sampling", "the published distance is the one between 5 cm samples"
    if kind == "object_counting":
        known = scenes[question.scene]
        names = names_in(question, known.boxes) or {}
        stated = known.counts.get(names.get("category", ""), 0)
        detail = f"the meta information states {stated} and has {computed} boxes"
        if float(question.answer) == stated:
            return "count_differs_from_boxes", detail
        return "answer_differs_from_meta", detail
    return "unexplained", ""


def _row(outcome: Outcome) -> dict[str, Any]:
    question = outcome.question
    return {
        "line": question.line,
        "id": question.id,
        "question_type": outcome.type,
        "dataset": question.dataset,
        "scene": question.scene,
        "question": question.text,
        "published": outcome.published,
        "computed": outcome.computed,
        "reason": outcome.reason,
        "detail": outcome.detail,
    }
