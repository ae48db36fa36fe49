"""Files of questions: what is wrong with one, or with an entry of it, costs itself alone, and is one line."""

from __future__ import annotations

import json

import pytest
import quoted_files
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from quoted_files import SCANQA, SQA3D, SQA3D_ANSWERS

from spatial_assets.readers import question_files, scannet
from spatial_assets.readers.registry import left_out
from spatial_assets.scene.model import Fact
from spatial_assets.stages.scenes import scene_rows

HERE, THERE, ABSENT = "scene0000_00", "scene0001_00", "scene0404_00"
TRAIN, ASKED, ANSWERED = (name.format(split="train") for name in (SCANQA, SQA3D, SQA3D_ANSWERS))


@pytest.fixture
def root(tmp_path):
    quoted_files.put(tmp_path, TRAIN, quoted_files.scanqa((HERE, THERE)))
    questions, answers = quoted_files.sqa3d((HERE, THERE))
    quoted_files.put(tmp_path, ASKED, questions)
    quoted_files.put(tmp_path, ANSWERED, answers)
    return tmp_path


def lines(root, scenes=(HERE, THERE)):
    found = [str(error) for error in question_files.problems(root, scenes)]
    assert not any("\n" in line for line in found)
    return found


def test_all_of_both_collections_are_read(root):
    found = question_files.read_questions(root, HERE)
    assert not found.dropped and lines(root) == []
    assert [question.collection for question in found.questions] == ["SQA3D"] * 3 + ["ScanQA"] * 4
    for question in found.questions:
        assert list(question.answers) == quoted_files.expected({"question": question.question, "scene": HERE})
        assert (question.situation is None) == (question.collection == "ScanQA")
    assert [file.path for file in question_files.question_files(root)] == [ASKED, ANSWERED, TRAIN]
    assert {file.role for file in question_files.source_files(root)} == {"questions"}


def test_a_root_without_any_has_none(tmp_path):
    assert question_files.read_questions(tmp_path, HERE) == ((), {}) and lines(tmp_path) == []


def test_questions_about_scenes_that_are_not_here_are_one_line_a_file(root):
    quoted_files.put(root, TRAIN, quoted_files.scanqa((HERE, ABSENT, "scene0405_00")))
    (line,) = lines(root)
    assert line == f"{TRAIN}: 8 questions about 2 scenes that are not here, as {ABSENT}"
    assert len(question_files.read_questions(root, HERE).questions) == 7


ENTRY = quoted_files.scanqa((HERE,), 1)[0]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (5, "malformed_entry"),
        ({}, "malformed_entry"),
        ({**ENTRY, "question_id": "n", "question": None}, "malformed_entry"),
        ({**ENTRY, "question_id": "n", "question": "  "}, "malformed_entry"),
        ({**ENTRY, "question_id": "n", "question": "a\x00b"}, "malformed_entry"),
        ({**ENTRY, "question_id": "n", "question": "why " * 2000}, "malformed_entry"),
        ({**ENTRY, "question_id": ["n"]}, "malformed_entry"),
        ({**ENTRY, "question_id": "n", "scene_id": 5.5}, "malformed_entry"),
        ({**ENTRY, "question_id": "n", "answers": "brown"}, "malformed_entry"),
        ({**ENTRY, "question_id": "n", "answers": ["brown", None]}, "malformed_entry"),
        ({**ENTRY, "question_id": "n", "answers": []}, "no_answer"),
        (ENTRY, "duplicate_id"),
        ({**ENTRY, "question": "another?", "scene_id": THERE}, "duplicate_id"),
    ],
)
def test_a_bad_entry_costs_itself_alone(root, entry, reason):
    """It stands last but one, so that those before and after it are there still."""
    good = quoted_files.scanqa((HERE, THERE))
    quoted_files.put(root, TRAIN, [*good[:-1], entry, good[-1]])
    (line,) = lines(root)
    assert line.startswith(f"{TRAIN}: 1 dropped, since ") and question_files.MEANINGS[reason] in line
    found = [question_files.read_questions(root, scene) for scene in (HERE, THERE)]
    assert [len(one.questions) for one in found] == [7, 7]
    about = entry.get("scene_id") if isinstance(entry, dict) else None
    for scene, one in zip((HERE, THERE), found, strict=True):
        told = {(reason, f"{TRAIN}: {question_files.MEANINGS[reason]}"): 1} if scene == about else {}
        assert one.dropped == told


def test_many_of_a_kind_are_one_line(root):
    good = quoted_files.scanqa((HERE, THERE))
    quoted_files.put(root, TRAIN, good + good)
    (line,) = lines(root)
    assert line.startswith(f"{TRAIN}: 8 dropped, since its id is that of an entry before it")


def test_ids_that_an_earlier_split_has_are_dropped(root):
    quoted_files.put(root, SCANQA.format(split="val"), quoted_files.scanqa((HERE, THERE)))
    (line,) = lines(root)
    assert line.startswith(f"{SCANQA.format(split='val')}: 8 dropped, since its id is") and TRAIN in line
    assert {question.split for question in question_files.read_questions(root, HERE).questions} == {"train"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"scene_id": "scene', "not JSON: "),
        ("", "not JSON: "),
        ("{}", "{}, not a list"),
        ("5", "5, not a list"),
        ('[{"a": 1, "a": 2}]', "an object has the key 'a' twice"),
        ("[" * 100_000, "JSON beyond all bounds"),
    ],
)
def test_a_bad_file_is_one_line_and_the_others_are_read(root, text, told):
    (root / TRAIN).write_text(text)
    (line,) = lines(root)
    assert line.startswith(f"{TRAIN}: {told}")
    found = question_files.read_questions(root, HERE)
    assert [question.collection for question in found.questions] == ["SQA3D"] * 3
    assert [detail for _, detail in found.dropped] == [line]


@pytest.mark.parametrize("bad", [ASKED, ANSWERED])
def test_half_of_sqa3d_is_none_of_it(root, bad):
    (root / bad).write_text("{")
    (line,) = lines(root)
    assert line.startswith(f"{bad}: not JSON")
    assert {question.collection for question in question_files.read_questions(root, HERE).questions} == {
        "ScanQA"
    }
    (root / bad).unlink()
    (line,) = lines(root)
    assert "of the split train are not beside it" in line
    assert {question.collection for question in question_files.read_questions(root, HERE).questions} == {
        "ScanQA"
    }


def test_questions_and_annotations_are_joined_by_id_and_scene(root):
    questions, answers = quoted_files.sqa3d((HERE, THERE))
    lost = questions["questions"].pop(0)
    answers["annotations"].pop(0)
    questions["questions"][1]["situation"] = 7
    questions["questions"][2]["scene_id"] = ABSENT
    quoted_files.put(root, ASKED, questions)
    quoted_files.put(root, ANSWERED, answers)
    told = lines(root)
    assert len(told) == 3 and all("dropped" in line for line in told)
    assert str(lost["question_id"]) in next(line for line in told if "without a question" in line)
    kept = [q for scene in (HERE, THERE) for q in question_files.read_questions(root, scene).questions]
    assert sum(question.collection == "SQA3D" for question in kept) == 6 - 4


def test_a_part_that_is_there_twice_is_read_once(root):
    quoted_files.put(root, "ScanQA_v1.0_train.json", quoted_files.scanqa((HERE,), 1))
    (line,) = lines(root)
    assert line == f"{TRAIN}: ScanQA_v1.0_train.json is the same part of ScanQA, and is read in its place"
    assert len(question_files.read_questions(root, HERE).questions) == 4


def test_a_file_that_changed_is_read_again(root):
    assert len(question_files.read_questions(root, HERE).questions) == 7
    quoted_files.put(root, TRAIN, quoted_files.scanqa((HERE,), 9))
    assert len(question_files.read_questions(root, HERE).questions) == 12


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 400), st.integers(0, 255))
def test_whatever_stands_in_a_file_raises_nothing(tmp_path_factory, place, byte):
    root = tmp_path_factory.mktemp("mutated")
    for path, content in (
        (TRAIN, quoted_files.scanqa((HERE,))),
        *zip((ASKED, ANSWERED), quoted_files.sqa3d((HERE,)), strict=True),
    ):
        data = bytearray(json.dumps(content).encode())
        data[place % len(data)] = byte
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data[: len(data) - place // 4])
    found = question_files.read_questions(root, HERE)
    told = lines(root, (HERE,))
    assert len(found.questions) <= 7 and (len(found.questions) == 7 or told)


def test_a_scene_goes_on_without_its_questions(tmp_path):
    """As it would be without the file, but for what its rejects say."""
    tiny.write_scannet(tmp_path, HERE, frames=4)
    (ref,) = scannet.find_scenes(tmp_path)
    plain = scannet.read_scene(tmp_path, ref, "v2", "", scannet.Parameters())
    quoted_files.put(tmp_path, TRAIN, quoted_files.scanqa((HERE, THERE)))
    asked = scannet.read_scene(tmp_path, ref, "v2", "", scannet.Parameters())
    assert Fact.QUESTIONS in asked.facts and Fact.QUESTIONS not in plain.facts and len(asked.questions) == 4
    (tmp_path / TRAIN).write_text("[")
    broken = scannet.read_scene(tmp_path, ref, "v2", "", scannet.Parameters())
    assert broken.facts == plain.facts and len(broken.instances) == len(plain.instances)
    outputs = scene_rows({"dataset": "scannet", "release": "v2", "scene": HERE}, broken)
    (reject,) = [reject for reject in outputs.rejects if reject.format == "questions"]
    (tally,) = [tally for tally in outputs.tallies if tally.format == "questions"]
    assert reject.detail.startswith(f"{TRAIN}: not JSON") and (tally.candidates, tally.kept) == (1, 0)
    assert [str(line) for line in left_out("scannet", tmp_path)] == [reject.detail]
    assert TRAIN in {file.path for file in scannet.source_files(tmp_path, ref)}
