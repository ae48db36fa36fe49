"""The check of SpatialMosaic's files: the published samples pass, and each damage is one line that names it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mosaic_questions import BOX, CONVERSATION, FLAT
from PIL import Image

from spatial_assets.exports.spatialmosaic import spatialmosaic
from spatial_assets.exports.spatialmosaic.check import TOLD
from spatial_assets.exports.spatialmosaic.problems import problems

CHOICE = FLAT | {"question_type": "obj_count_occ"}
YES_NO = FLAT | {"question_type": "obj_existence_occ_lr", "options": ["A. No", "B. Yes"], "mc_answer": "B"}
YES_NO |= {"ground_truth": "Yes"}
POINT = FLAT | {
    "question_type": "obj_localization_occ_na",
    "options": [],
    "mc_answer": None,
    "ground_truth": "(25,20)",
    "bbox_2d": BOX,
    "bbox_2d_diag": "38.42",
}
OUTDOOR = {name: value for name, value in CHOICE.items() if name not in ("bbox_2d", "bbox_2d_diag")}
SOUND = [FLAT, CHOICE, YES_NO, POINT, OUTDOOR, CONVERSATION]


def checked(folder: Path, records: Any, name: str = "rows.json") -> list[str]:
    (folder / name).write_text(json.dumps(records))
    return spatialmosaic.validate(folder / name)


@pytest.mark.parametrize("record", SOUND)
def test_what_is_sound_passes(tmp_path, record):
    assert checked(tmp_path, [record]) == []


def test_the_published_samples_pass_as_files_of_either_kind(tmp_path):
    assert checked(tmp_path, [FLAT]) == [] and checked(tmp_path, [CONVERSATION], "train.json") == []
    (tmp_path / "lines.jsonl").write_text(json.dumps(CONVERSATION) + "\n")
    found = spatialmosaic.examine(tmp_path)
    assert found.problems == [] and (found.files, found.records) == (3, 3)
    assert "3 records of 2 types in 3 files" in found.summary()
    assert any("no images of scannetpp are there" in note for note in found.summary())


DAMAGES = [
    (FLAT, {"question_type": "obj_count"}, 'question_type "obj_count" is none of the 17'),
    (FLAT, {"question_type": ["obj_count"]}, "is none of the 17"),
    (FLAT, {"frames": ["frame_1"]}, "1 frames, where a row has 2 to 5"),
    (FLAT, {"frames": ["a", "b", "a"]}, 'frame "a" stands twice'),
    (FLAT, {"frames": "frame_1"}, "frames is not a list of names"),
    (FLAT, {"frames": ["a", "../b"]}, "leads out of the scene's folder"),
    (FLAT, {"scene_name": "../etc"}, "scene_name is not the name of a folder"),
    (FLAT, {"dataset": 3}, "dataset is no text"),
    (FLAT, {"question": " "}, "question is no text"),
    (FLAT, {"question": "How many?\nOptions:\nA. 1\nB. 2"}, "holds options"),
    (FLAT, {"ground_truth": 1}, "ground_truth is no text: 1"),
    (FLAT, {"ground_truth": "one"}, "ground_truth is no number, so that every answer scores 0"),
    (FLAT, {"ground_truth": "nan"}, "ground_truth is no number"),
    (FLAT, {"ground_truth": "0", "options": []}, "by which the evaluator divides"),
    (FLAT, {"ground_truth": "-2", "options": []}, "every answer is right"),
    (FLAT, {"ground_truth": "2"}, 'ground_truth "2" is not mc_answer D, "1"'),
    (FLAT, {"options": ["A. 4", "C. 3"]}, "does not begin with 'B. '"),
    (FLAT, {"overlap_avg": None}, "overlap_avg is no number"),
    (FLAT, {"overlap_avg": "3.9"}, "overlap_avg is no number"),
    (FLAT, {"overlap_avg": 130.0}, "overlap_avg is no percentage"),
    (FLAT, {"occlusion_avg": 7}, "occlusion_avg is no share from 0 to 1"),
    (FLAT, {"occ_level": 2}, "occ_level is no text"),
    (FLAT, {"GT Scenario": []}, "GT Scenario is no text"),
    (FLAT, {"id": None}, "id is neither a number nor a text"),
    (FLAT, {"bbox_2d": [1, 2]}, "bbox_2d is not x0, y0, x1, y1"),
    (FLAT, {"bbox_2d_diag": 0}, "bbox_2d_diag is no text: 0"),
    (FLAT, {"bbox_2d_diag": "wide"}, "bbox_2d_diag is no number"),
    (CHOICE, {"options": None}, "has no options"),
    (CHOICE, {"options": "A. 1"}, "options is not a list of texts"),
    (CHOICE, {"options": ["4", "3", "2", "1"]}, "does not begin with 'A. '"),
    (CHOICE, {"options": ["A. 4", "B. 3", "C. 1"], "mc_answer": "C"}, "3 options, where obj_count_occ has 4"),
    (CHOICE, {"options": ["A. 4", "B. 4", "C. 2", "D. 1"]}, 'option "4" stands twice'),
    (CHOICE, {"mc_answer": None}, "mc_answer is no letter"),
    (CHOICE, {"mc_answer": "E"}, "mc_answer E is none of the 4 options"),
    (CHOICE, {"mc_answer": "A"}, 'ground_truth "1" is another option than mc_answer A, "4"'),
    (YES_NO, {"options": ["A. No", "B. Yes", "C. Perhaps"]}, "3 options, where obj_existence_occ_lr has 2"),
    (POINT, {"ground_truth": "there"}, "ground_truth is no point (x,y), so that every answer scores 0"),
    (POINT, {"ground_truth": [25, 20]}, "ground_truth is no text"),
    (POINT, {"ground_truth": "(90,20)"}, "lies outside bbox_2d"),
    (POINT, {"bbox_2d_diag": "0", "bbox_2d": []}, "bbox_2d_diag is no number above 0"),
    (POINT, {"bbox_2d_diag": "52"}, "is not the diagonal of bbox_2d, 38.4"),
    (POINT, {"bbox_2d": [40, 8, 10, 32]}, "bbox_2d is not x0, y0, x1, y1 with x0 < x1"),
    (CONVERSATION, {"id": ""}, "id is neither a text nor a number"),
    (CONVERSATION, {"conversations": "Hello"}, "conversations is not a list of turns"),
    (CONVERSATION, {"conversations": CONVERSATION["conversations"][::-1]}, "turns are from"),
    (CONVERSATION, {"data_source": ""}, "data_source is no text"),
    (CONVERSATION, {"question_type": "obj_count_occ_na"}, "is no number above 0"),
    (CONVERSATION, {"question_type": "obj_localization_occ_na"}, "is no point (x,y)"),
]


@pytest.mark.parametrize(("record", "changed", "line"), DAMAGES, ids=lambda value: str(value)[:40])
def test_each_damage_is_one_line(tmp_path, record, changed, line):
    found = checked(tmp_path, [record, record | changed | ({} if "id" in changed else {"id": 1})])
    assert len(found) == 1, found
    assert found[0].startswith("rows.json: record 1: ") and line in found[0]


@pytest.mark.parametrize("field", [name for name in FLAT if name not in ("bbox_2d", "bbox_2d_diag")])
def test_a_missing_field_is_named(tmp_path, field):
    found = checked(tmp_path, [{name: value for name, value in FLAT.items() if name != field}])
    assert found == [f"rows.json: record 0: has no {field}"]


@pytest.mark.parametrize("field", ["ground_truth", "bbox_2d_diag"])
def test_a_point_needs_what_it_is_scored_by(tmp_path, field):
    found = checked(tmp_path, [{name: value for name, value in POINT.items() if name != field}])
    assert found == [f"rows.json: record 0: has no {field}"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("<image>\n", "", "0 <image> in the question"),
        ("In frame", "<image> In frame", "2 <image> in the question"),
        ("These are frames of a video.\n", "Frames:\n", "does not begin with"),
        ("Options:\n", "", "has no line 'Options:'"),
        ("Answer with the option's letter from the given choices directly.", "Which?", "does not end with"),
        ("B. Farther", "X. Farther", "does not begin with 'B. '"),
        ("\nD. Closer to the camera than the cardboard box.", "", "3 options, where"),
    ],
)
def test_a_question_s_text_is_as_published(tmp_path, old, new, line):
    record = copy.deepcopy(CONVERSATION)
    asked = record["conversations"][0]
    assert old in asked["value"]
    asked["value"] = asked["value"].replace(old, new)
    found = checked(tmp_path, [record])
    assert found and any(line in problem for problem in found), found


@pytest.mark.parametrize("answer", ["E", "", "D.", "DA"])
def test_an_answer_is_a_letter(tmp_path, answer):
    record = copy.deepcopy(CONVERSATION)
    record["conversations"][1]["value"] = answer
    (found,) = checked(tmp_path, [record])
    assert "is no letter of an option" in found


def test_ids_stand_once(tmp_path):
    found = checked(tmp_path, [FLAT, FLAT | {"id": 5}, FLAT | {"id": 5}])
    assert found == ["rows.json: record 2: id 5 is that of record 1"]


def test_what_holds_of_all_rows(tmp_path):
    rows = [FLAT | {"id": number, "overlap_avg": 0.002 * number} for number in range(60)]
    (found,) = checked(tmp_path, rows)
    assert "shares, where it is in percent" in found
    rows = [FLAT | {"id": number, "vis_level": str(number % 3)} for number in range(60)]
    (found,) = checked(tmp_path, rows)
    assert "vis_level has 3 values, where there are 2 levels: 0, 1, 2" in found


def placed(root: Path, sizes: list[tuple[int, int]]) -> list[dict[str, Any]]:
    folder = root / "scannetpp/2ab7bea148/images"
    folder.mkdir(parents=True)
    frames = [f"frame_{number}" for number in range(len(sizes))]
    for frame, (width, height) in zip(frames, sizes, strict=True):
        Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(folder / f"{frame}.jpg")
    return [POINT | {"frames": frames}]


@pytest.mark.parametrize("below", ["spatial_mosaic_vqa/test", "spatial_mosaic_vqa", "."])
def test_images_are_looked_at_where_there_are_some(tmp_path, below):
    rows = placed(tmp_path, [(64, 48)] * 3)
    (tmp_path / below).mkdir(parents=True, exist_ok=True)
    file = tmp_path / below / "merged_indoor_test.json"
    file.write_text(json.dumps(rows))
    for path in (tmp_path, file):
        found = spatialmosaic.examine(path)
        assert (found.problems, found.notes) == ([], [])
    images = tmp_path / "scannetpp/2ab7bea148/images"
    (images / "frame_0.jpg").unlink()
    (images / "frame_1.jpg").write_bytes(b"\xff\xd8 no image")
    (images / "frame_2.jpg").unlink()
    (images / "frame_2.jpg").symlink_to("/nowhere/at/all.jpg")
    for path in (tmp_path, file):
        found = spatialmosaic.validate(path)
        assert [line.rpartition(": ")[2] for line in found] == [
            "not there",
            "cannot be read as an image",
            "leads nowhere",
        ]
        assert all("merged_indoor_test.json: record 0: image scannetpp/2ab7bea148/" in line for line in found)


@pytest.mark.parametrize("frame", ["nul\0", "x" * 5000, "\ud800", "*", "/etc/passwd", "images"])
@pytest.mark.parametrize("field", ["frames", "scene_name", "dataset"])
def test_names_that_no_file_can_have(tmp_path, field, frame):
    (row,) = placed(tmp_path, [(64, 48)] * 2)
    found = spatialmosaic.examine(
        _file(tmp_path, [row | {field: [frame, "b"] if field == "frames" else frame}])
    )
    assert found.problems or found.notes


def _file(folder: Path, records: Any) -> Path:
    (folder / "rows.json").write_text(json.dumps(records))
    return folder / "rows.json"


def test_images_that_cannot_be_stacked(tmp_path):
    rows = placed(tmp_path, [(64, 48), (48, 64)])
    (found,) = checked(tmp_path, rows)
    assert "its images differ, 48 x 64 RGB, 64 x 48 RGB" in found and "stack them" in found


def test_a_box_outside_its_image(tmp_path):
    rows = placed(tmp_path, [(32, 24)] * 2)
    (found,) = checked(tmp_path, rows)
    assert "bbox_2d [10.0, 8.0, 40.0, 32.0] lies outside its image of 32 x 24" in found


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("rows.json", b"", "not JSON"),
        ("rows.json", b"\xff\xfe\x00", "not JSON"),
        ("rows.json", b"[" * 100_000, "not JSON"),
        ("rows.json", b"{}", "not a list of records"),
        ("rows.json", b"[]", "has no record"),
        ("rows.json", b"[3, null]", "not an object: 3"),
        ("rows.jsonl", b'{"id": 1', "line 1 is not JSON"),
        ("rows.jsonl", b"\xff\xfe", "cannot be read as text"),
        ("rows.jsonl", b"[" * 100_000, "line 1 is not JSON"),
    ],
)
def test_what_is_no_such_file(tmp_path, name, content, line):
    (tmp_path / name).write_bytes(content)
    found = spatialmosaic.validate(tmp_path)
    assert found and line in found[0] and found[0].startswith(name)


def test_where_nothing_is(tmp_path):
    assert "not there" in spatialmosaic.validate(tmp_path / "nowhere")[0]
    assert "no .json or .jsonl file" in spatialmosaic.validate(tmp_path)[0]


def test_many_problems_are_told_in_part(tmp_path):
    found = checked(tmp_path, [{"id": number} for number in range(TOLD + 30)])
    assert len(found) == TOLD + 1 and found[-1] == "rows.json: 30 problems more"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.prove
@given(
    record=st.sampled_from(SOUND), changes=st.dictionaries(st.sampled_from([*FLAT, *CONVERSATION]), ANYTHING)
)
def test_nothing_in_a_field_stops_the_check(record, changes):
    assert all(isinstance(line, str) for line in problems(record | changes))


@given(turns=ANYTHING, kind=st.sampled_from(["obj_count_occ", "obj_count_occ_na", "obj_localization_occ_na"]))
def test_nothing_in_a_conversation_stops_the_check(turns, kind):
    record = CONVERSATION | {"question_type": kind, "conversations": turns}
    assert all(isinstance(line, str) for line in problems(record))
    if isinstance(turns, str):
        said = CONVERSATION["conversations"][0] | {"value": turns}
        record["conversations"] = [said, {"from": "gpt", "value": turns}]
        assert all(isinstance(line, str) for line in problems(record))
