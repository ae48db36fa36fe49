"""Conformance with VSI-Bench on a made-up scene whose answers are worked out by hand, and on broken files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spatial_assets.conformance.vsibench import Conformance, check, run
from spatial_assets.conformance.vsibench_answers import (
    direction_easy,
    direction_hard,
    direction_medium,
    longest_side_cm,
    nearest,
)
from spatial_assets.conformance.vsibench_questions import Question, names_in, read_questions, templates
from spatial_assets.geometry.directions import turn_degrees
from spatial_assets.scene.model import Box, InputError

TYPES = [
    "object_counting",
    "object_size_estimation",
    "object_abs_distance",
    "object_abs_distance_exact",
    "room_size_estimation",
    "object_rel_distance",
    "object_rel_direction_easy",
    "object_rel_direction_medium",
    "object_rel_direction_hard",
    "obj_appearance_order",
    "route_planning",
]


def box(x: float, y: float, size: tuple[float, float, float] = (0.5, 0.5, 0.5)) -> dict[str, list[float]]:
    return {"centroid": [x, y, 0.5], "axesLengths": list(size), "normalizedAxes": [1, 0, 0, 0, 1, 0, 0, 0, 1]}


# Seen from above: the table at the origin, the door ahead (+y), the lamp to its left, the rest around.
SCENE: dict[str, Any] = {
    "room_size": 23.4512,
    "object_counts": {
        "table": 1,
        "door": 1,
        "lamp": 1,
        "chair": 3,
        "printer": 1,
        "plant, potted": 1,
        "sofa": 4,
    },
    "object_bbox": {
        "table": [box(0, 0, (1.5, 0.75, 0.5))],
        "door": [box(0, 4, (1.0, 0.125, 2.0))],
        "lamp": [box(-3, 1)],
        "chair": [box(2, 0), box(-1.5, -1.5), box(3, 3)],
        "printer": [box(1, -3), box(1, -3)],
        "plant, potted": [box(-3, 3.5)],
        "sofa": [box(5, -4), box(5, 4)],
        "rug": [],
    },
}


def question(kind: str, answer: str, options: list[str] | None = None, **names: str) -> dict[str, Any]:
    return {
        "dataset": "made",
        "scene": "room",
        "question_type": kind,
        "question": templates()[kind].format(**names),
        "options": options,
        "answer": answer,
    }


HARD = ["A. front-left", "B. front-right", "C. back-left", "D. back-right"]
GOOD = [
    question("object_counting", "3", category="chair"),
    question("object_counting", "1", category="printer"),
    question("object_size_estimation", "150", category="table"),
    question("object_size_estimation", "50", category="printer"),
    question("room_size_estimation", "23.5"),
    question("object_rel_distance", "B", ["A. door", "B. chair", "C. lamp", "D. plant, potted"],
             option_1="door", option_2="chair", option_3="lamp", option_4="plant, potted", target="table"),
    question("object_rel_direction_easy", "A", ["A. left", "B. right"],
             position="table", orientation="door", query="lamp"),
    question("object_rel_direction_easy", "B", ["A. left", "B. right"],
             position="table", orientation="door", query="printer"),
    question("object_rel_direction_medium", "C", ["A. left", "B. right", "C. back"],
             position="table", orientation="door", query="printer"),
    question("object_rel_direction_hard", "A", HARD,
             position="table", orientation="door", query="plant, potted"),
    question("object_rel_direction_hard", "D", HARD, position="table", orientation="door", query="printer"),
]  # fmt: skip


def written(folder: Path, questions: list[Any], scene: dict[str, Any] | None = None) -> tuple[Path, Path]:
    meta, asked = folder / "made_meta_info_val.json", folder / "questions.jsonl"
    meta.write_text(json.dumps({"room": SCENE if scene is None else scene}))
    lines = [row if isinstance(row, str) else json.dumps(row) for row in questions]
    asked.write_text("\n".join(lines) + "\n")
    return meta, asked


def checked(folder: Path, questions: list[Any], scene: dict[str, Any] | None = None) -> Conformance:
    meta, asked = written(folder, questions, scene)
    return check([meta], asked)


def only_reason(folder: Path, row: dict[str, Any]) -> str:
    found = checked(folder, [row]).outcomes
    assert found[0].computed is None
    return found[0].reason


class TestAnswers:
    def test_every_good_question_is_matched(self, tmp_path: Path) -> None:
        found = checked(tmp_path, GOOD)
        assert [(o.question.line, o.computed) for o in found.outcomes if not o.matched] == []
        summary = found.summary()
        assert list(summary) == TYPES
        assert sum(row["total"] for row in summary.values()) == len(GOOD)
        assert summary["object_rel_direction_hard"] == {"matched": 2, "total": 2, "unanswerable": 0}

    @pytest.mark.parametrize("row", range(len(GOOD)))
    def test_any_other_answer_is_not(self, tmp_path: Path, row: int) -> None:
        changed = dict(GOOD[row])
        if changed["options"]:
            changed["answer"] = next(letter for letter in "ABCD" if letter != changed["answer"])
        else:
            changed["answer"] = str(float(changed["answer"]) + 1)
        (outcome,) = checked(tmp_path, [changed]).outcomes
        assert outcome.computed is not None
        assert not outcome.matched

    def test_distance_counts_twice_sampled_and_exact(self, tmp_path: Path) -> None:
        # Nothing is rounded here, so the facing sides, 4 - 0.375 - 0.0625 = 3.5625 m apart, are both sampled.
        row = question("object_abs_distance", "3.6", first="table", second="door")
        summary = checked(tmp_path, [row]).summary()
        assert summary["object_abs_distance"] == {"matched": 1, "total": 1, "unanswerable": 0}
        assert summary["object_abs_distance_exact"] == {"matched": 1, "total": 1, "unanswerable": 0}

    def test_the_sampling_shows_where_it_lengthens_a_distance(self, tmp_path: Path) -> None:
        # A slab thinner than the spacing is sampled on its lower face only: here the far one, turned away.
        scene = {
            **SCENE,
            "object_bbox": {
                "wall": [box(1.0, 0.0, (0.046875, 1.0, 1.0))],
                "bed": [box(-1.0, 0.0, (1.0, 1.0, 1.0))],
            },
        }
        scene["object_bbox"]["wall"][0]["normalizedAxes"] = [-1, 0, 0, 0, -1, 0, 0, 0, 1]
        # Exactly 1.4765625 m, sampled 1.5234375 m: both are printed 1.5.
        row = question("object_abs_distance", "1.5", first="bed", second="wall")
        assert [o.matched for o in checked(tmp_path, [row], scene).outcomes] == [True, True]
        scene["object_bbox"]["bed"][0]["centroid"][0] = -1.0625
        # Exactly 1.5390625 m, printed 1.5; sampled 1.5859375 m, printed 1.6.
        row["answer"] = "1.6"
        sampled, exact = checked(tmp_path, [row], scene).outcomes
        assert (sampled.computed, sampled.matched) == ("1.6", True)
        assert (exact.computed, exact.matched, exact.reason) == ("1.5", False, "sampling")

    def test_rules_of_the_angles(self) -> None:
        assert [direction_easy(a) for a in (0.0, 90.0, 179.9, 180.1, 359.0)] == ["left"] * 3 + ["right"] * 2
        assert [direction_medium(a) for a in (0.0, 134.9, 135.0, 224.9, 225.0, 359.9)] == [
            "left", "left", "back", "back", "right", "right",
        ]  # fmt: skip
        assert [direction_hard(a) for a in (0.0, 89.9, 90.0, 180.0, 270.0, 359.999999)] == [
            "front-left", "front-left", "back-left", "back-right", "front-right", "front-right",
        ]  # fmt: skip

    @pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 135.0, 180.0, 270.0, 359.0])
    def test_turn_is_counter_clockwise_from_the_direction_faced(self, degrees: float) -> None:
        def at(x: float, y: float, z: float) -> Box:
            return Box(np.array([x, y, z]), np.ones(3), np.eye(3))

        faced = 0.7
        a = faced + np.radians(degrees)
        turn = turn_degrees(
            at(2, -1, 0),
            at(2 + 3 * np.cos(faced), -1 + 3 * np.sin(faced), 5),
            at(2 + np.cos(a), -1 + np.sin(a), -3),
        )
        assert turn is not None
        assert abs((turn - degrees + 180) % 360 - 180) < 1e-9
        assert 0 <= turn < 360
        assert turn_degrees(at(0, 0, 0), at(0, 0, 1), at(1, 0, 0)) is None

    def test_size_and_nearest(self) -> None:
        def at(x: float) -> Box:
            return Box(np.array([x, 0.0, 0.0]), np.array([0.2, 0.873, 0.3]), np.eye(3))

        assert longest_side_cm(at(0)) == 87
        assert nearest({"far": [at(9), at(5)], "near": [at(8), at(-4)]}, at(0)) == "near"


class TestUnanswerable:
    def test_reasons(self, tmp_path: Path) -> None:
        ask = "object_size_estimation"
        assert only_reason(tmp_path, question(ask, "1", category="piano")) == "no_box"
        assert only_reason(tmp_path, question(ask, "1", category="rug")) == "no_box"
        assert only_reason(tmp_path, question(ask, "1", category="chair")) == "several_boxes"
        assert only_reason(tmp_path, {**question(ask, "1", category="door"), "scene": "other"}) == "no_scene"
        assert only_reason(
            tmp_path, {**question(ask, "1", category="door"), "question": "How long is the door?"}
        ) == ("unknown_wording")
        assert only_reason(tmp_path, question("object_counting", "1", category="piano")) == "no_box"
        above = question("object_rel_direction_easy", "A", ["A. left", "B. right"],
                         position="table", orientation="table", query="lamp")  # fmt: skip
        assert only_reason(tmp_path, above) == "no_direction"

    def test_options_may_have_many_instances_but_need_one(self, tmp_path: Path) -> None:
        names = {"option_1": "chair", "option_2": "sofa", "option_3": "door", "option_4": "piano"}
        options = ["A. chair", "B. sofa", "C. door", "D. piano"]
        row = question("object_rel_distance", "A", options, **names, target="table")
        assert only_reason(tmp_path, row) == "no_box"

    @pytest.mark.parametrize("kind", ["obj_appearance_order", "route_planning"])
    def test_never_from_boxes(self, tmp_path: Path, kind: str) -> None:
        row = {
            **GOOD[0],
            "question_type": kind,
            "question": "Whatever?",
            "options": ["A. x", "B. y"],
            "answer": "B",
        }
        found = checked(tmp_path, [row])
        assert found.summary()[kind] == {"matched": 0, "total": 0, "unanswerable": 1}
        # Two kinds that never can be are not listed question by question.
        assert found.report()["unanswerable"] == []

    def test_distance_is_unanswerable_twice(self, tmp_path: Path) -> None:
        row = question("object_abs_distance", "1.0", first="table", second="chair")
        summary = checked(tmp_path, [row]).summary()
        for kind in ("object_abs_distance", "object_abs_distance_exact"):
            assert summary[kind] == {"matched": 0, "total": 0, "unanswerable": 1}


class TestInconsistencies:
    def test_named_by_rule(self, tmp_path: Path) -> None:
        rows = [
            question("object_counting", "4", category="sofa"),
            question("object_counting", "7", category="chair"),
            question("object_counting", "1", category="printer"),
        ]
        found = checked(tmp_path, rows)
        kinds = {(entry["kind"], entry["category"]) for entry in found.inconsistencies}
        assert kinds == {
            ("box_listed_twice", "printer"),
            ("count_differs_from_boxes", "sofa"),
            ("answer_differs_from_meta", "chair"),
        }
        mismatches = {row["line"]: row["reason"] for row in found.report()["mismatches"]}
        assert mismatches == {1: "count_differs_from_boxes", 2: "answer_differs_from_meta"}

    def test_report_names_the_question(self, tmp_path: Path) -> None:
        rows = [GOOD[0], {**GOOD[2], "answer": "151", "id": 77}]
        report = checked(tmp_path, rows).report()
        (row,) = report["mismatches"]
        assert (row["line"], row["id"], row["published"], row["computed"]) == (2, "77", "151", "150")
        assert row["reason"] == "unexplained"
        assert json.loads(json.dumps(report)) == report


class TestReading:
    def test_field_names_of_the_release(self, tmp_path: Path) -> None:
        row = {k: v for k, v in GOOD[0].items() if k not in ("scene", "answer", "dataset")}
        row |= {"scene_name": "room", "ground_truth": 3, "id": 12}
        (found,) = checked(tmp_path, [row]).outcomes
        assert found.matched
        assert found.question.id == "12"

    def test_byte_order_mark_blank_lines_and_windows_line_ends(self, tmp_path: Path) -> None:
        meta, asked = written(tmp_path, [])
        asked.write_bytes(
            b"\xef\xbb\xbf" + json.dumps(GOOD[0]).encode() + b"\r\n\r\n" + json.dumps(GOOD[1]).encode()
        )
        assert [o.question.line for o in check([meta], asked).outcomes] == [1, 3]

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("{", "line 2: not JSON"),
            ("[" * 100_000, "line 2: "),
            ("[1]", "line 2: not a JSON object but a list"),
            ({k: v for k, v in GOOD[0].items() if k != "scene"}, "line 2: no scene"),
            ({**GOOD[0], "question": ["x"]}, "line 2: question is a list"),
            ({**GOOD[0], "question_type": "object_color"}, "line 2: unknown question_type 'object_color'"),
            ({**GOOD[0], "answer": "three"}, "line 2: answer 'three' is not a number"),
            ({**GOOD[0], "answer": "nan"}, "line 2: answer 'nan' is not a number"),
            ({**GOOD[-1], "options": None}, "line 2: options is null"),
            ({**GOOD[-1], "options": ["front"]}, "line 2: option 'front'"),
            ({**GOOD[-1], "options": ["A. x", "A. y"]}, "line 2: option A stands twice"),
            ({**GOOD[-1], "answer": "E"}, "line 2: answer 'E' is none of the options"),
        ],
    )
    def test_a_malformed_line_is_named(self, tmp_path: Path, line: Any, says: str) -> None:
        meta, asked = written(tmp_path, [GOOD[0], line])
        with pytest.raises(InputError) as caught:
            run([meta], asked)
        assert str(caught.value).startswith(f"{asked}: {says}")

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        meta, asked = written(tmp_path, [GOOD[0]])
        asked.write_bytes(asked.read_bytes() + b"\xff\xfe\x00\n")
        with pytest.raises(InputError, match="line 2: not UTF-8"):
            run([meta], asked)

    def test_missing_and_empty_files(self, tmp_path: Path) -> None:
        meta, asked = written(tmp_path, [])
        with pytest.raises(InputError, match="no questions"):
            run([meta], asked)
        with pytest.raises(InputError, match=r"none\.jsonl: missing"):
            run([meta], tmp_path / "none.jsonl")
        asked.write_text(json.dumps(GOOD[0]))
        with pytest.raises(InputError, match=r"none\.json: missing"):
            run([tmp_path / "none.json"], asked)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"object_bbox": {"table": [{"centroid": [0, 0, 0]}]}}, "malformed"),
            ({"object_bbox": {"table": [{**box(0, 0), "axesLengths": [1, -1, 1]}]}}, "negative length"),
            ({"object_bbox": {"table": [{**box(0, 0), "centroid": [0, 0, float("nan")]}]}}, "not a number"),
            ({"object_bbox": {"table": [{**box(0, 0), "normalizedAxes": [1] * 9}]}}, "orthonormal"),
            ({"object_bbox": 3}, "malformed"),
        ],
    )
    def test_a_malformed_meta_file_is_named(self, tmp_path: Path, change: dict[str, Any], says: str) -> None:
        meta, asked = written(tmp_path, [GOOD[0]], {**SCENE, **change})
        with pytest.raises(InputError, match=says) as caught:
            run([meta], asked)
        assert caught.value.file == str(meta)
        assert "room" in caught.value.what

    def test_meta_that_is_no_object_of_scenes(self, tmp_path: Path) -> None:
        meta, asked = written(tmp_path, [GOOD[0]])
        meta.write_text("[]")
        with pytest.raises(InputError, match="not an object of scenes"):
            run([meta], asked)
        meta.write_text('{"room": \n{')
        with pytest.raises(InputError, match=r"not JSON.* line 2"):
            run([meta], asked)

    def test_a_scene_in_two_files(self, tmp_path: Path) -> None:
        meta, asked = written(tmp_path, [GOOD[0]])
        other = tmp_path / "other.json"
        other.write_text(meta.read_text())
        with pytest.raises(InputError, match="room stands in another file"):
            run([meta, other], asked)


class TestWording:
    @staticmethod
    def asked(kind: str, text: str) -> Question:
        return Question(1, None, "", "room", kind, text, {}, "")

    @pytest.mark.parametrize("kind", [kind for kind in templates() if kind != "route_planning"])
    def test_names_come_back_from_every_template(self, kind: str) -> None:
        names = ["tv", "trash bin", "plant, potted", "table and the lamp", "computer mouse"]
        template = templates()[kind]
        roles = sorted({part.split("}")[0] for part in template.split("{")[1:]})
        filled = dict(zip(roles, names, strict=False))
        text = template.format(**filled)
        assert names_in(self.asked(kind, text), names) == filled
        spread = text.upper().replace(" ", "  ")
        assert names_in(self.asked(kind, spread), names) == filled

    def test_an_unknown_name_is_still_read(self) -> None:
        text = templates()["object_abs_distance"].format(first="grand piano", second="tv")
        found = names_in(self.asked("object_abs_distance", text), ["tv"])
        assert found == {"first": "grand piano", "second": "tv"}
        assert names_in(self.asked("object_abs_distance", text), []) == found

    def test_easy_direction_repeats_the_object_faced(self) -> None:
        text = templates()["object_rel_direction_easy"].format(position="tv", orientation="bed", query="lamp")
        broken = text.replace("right of the bed", "right of the sofa")
        assert (
            names_in(self.asked("object_rel_direction_easy", broken), ["tv", "bed", "lamp", "sofa"]) is None
        )

    def test_templates_say_where_they_are_from(self) -> None:
        import spatial_assets.conformance.vsibench_questions as module

        data = json.loads(module.TEMPLATES_FILE.read_text())
        assert data["source"] == "vision-x-nyu/thinking-in-space"
        assert data["license"] == "Apache-2.0"

    def test_questions_keep_their_order(self, tmp_path: Path) -> None:
        _, asked = written(tmp_path, GOOD)
        assert [q.text for q in read_questions(asked)] == [row["question"] for row in GOOD]
