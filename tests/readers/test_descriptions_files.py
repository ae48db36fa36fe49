"""Files of people's words in ScanRefer's form: what is read of them, and one line for what cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spatial_assets.readers.descriptions import UNKNOWN_LICENSE, read_descriptions, source_files
from spatial_assets.scene.model import InputError

GOOD = {"scene_id": "s", "object_id": "3", "ann_id": "0", "description": " A  chair. "}


def put(root: Path, content: Any, name: str = "descriptions/mine.json") -> Path:
    file = root / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_words_are_read_by_scene(tmp_path: Path) -> None:
    put(tmp_path, [GOOD, {**GOOD, "scene_id": "other"}, {**GOOD, "object_id": 4, "ann_id": None}])
    put(tmp_path, [GOOD], "ScanRefer/ScanRefer_filtered_val.json")
    put(tmp_path, "no JSON", "descriptions/notes.txt")
    assert [file.path for file in source_files(tmp_path)] == [
        "descriptions/mine.json",
        "ScanRefer/ScanRefer_filtered_val.json",
    ]
    found = read_descriptions(tmp_path, "s", {3, 4})
    assert [(it.collection, it.instance, it.id, it.text) for it in found.descriptions] == [
        ("ScanRefer_filtered_val", 3, "0", "A chair"),
        ("mine", 3, "0", "A chair"),
        ("mine", 4, "0", "A chair"),
    ]
    assert found.descriptions[1].license == UNKNOWN_LICENSE != found.descriptions[0].license
    assert read_descriptions(tmp_path, "nobody", {3}).descriptions == ()


def test_a_root_without_files_has_no_words(tmp_path: Path) -> None:
    assert source_files(tmp_path) == [] and read_descriptions(tmp_path, "s", {1}).descriptions == ()


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    put(tmp_path, [GOOD])
    assert read_descriptions(tmp_path, "s", {3}).descriptions[0].text == "A chair"
    put(tmp_path, [{**GOOD, "description": "a stool by the wall"}])
    assert read_descriptions(tmp_path, "s", {3}).descriptions[0].text == "a stool by the wall"


def test_words_for_no_object_are_counted_unless_they_are_most(tmp_path: Path) -> None:
    others = [{**GOOD, "object_id": "9", "ann_id": "5"}, {**GOOD, "ann_id": "6", "description": " ... "}]
    put(tmp_path, [GOOD, *others, {**GOOD, "ann_id": "7"}])
    found = read_descriptions(tmp_path, "s", {3})
    assert len(found.descriptions) == 2 and found.dropped == {"no_words": 1, "unknown_object": 1}
    with pytest.raises(InputError, match=r"descriptions/mine\.json: record 0: s has no object 3"):
        read_descriptions(tmp_path, "s", {9})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[{", "not JSON"),
        ("", "not JSON"),
        ({"a": 1}, "{.a.: 1}, not a list of descriptions"),
        ([3], "record 0 is 3, not an object"),
        ([{"scene_id": "s", "object_id": "3"}], "record 0 lacks its description"),
        ([{**GOOD, "object_id": "three"}], "object_id of record 0 is 'three'"),
        ([{**GOOD, "object_id": -1}], "object_id of record 0 is -1"),
        ([{**GOOD, "object_id": 2.5}], "object_id of record 0 is 2.5"),
        ([{**GOOD, "object_id": "9" * 30}], "object_id of record 0"),
        ([{**GOOD, "scene_id": 7}], "scene_id of record 0 is 7, not a name"),
        ([{**GOOD, "ann_id": [1]}], r"ann_id of record 0 is \[1\], no id"),
        ([{**GOOD, "description": None}], "description of record 0 is None, no text"),
        ([{**GOOD, "description": "a" * 3000}], "description of record 0"),
        ([GOOD, GOOD], "record 1: object 3 of s has the ann_id 0 twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_record(tmp_path: Path, content: Any, said: str) -> None:
    put(tmp_path, content)
    with pytest.raises(InputError, match=f"descriptions/mine.json: {said}") as caught:
        read_descriptions(tmp_path, "s", {3})
    assert "\n" not in str(caught.value)
