"""ScanNet's map of labels: what it says of a scene's objects, what it does not know, and what of it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_scenes import write_small

from spatial_assets.readers import label_map, scannet
from spatial_assets.scene.model import InputError, Scene

HEAD = "id\traw_category\tcategory\tcount\tnyu40id\tnyu40class\n"


def read(root: Path) -> Scene:
    (ref,) = scannet.find_scenes(root)
    listed = [file.path for file in scannet.source_files(root, ref)]
    assert (label_map.place(root) in listed) == (label_map.place(root) is not None)
    return scannet.read_scene(root, ref, "v2", "terms", scannet.Parameters())


def test_objects_have_the_class_of_their_word(tmp_path: Path) -> None:
    write_small(tmp_path, "scannet")
    before = read(tmp_path)
    words = sorted({item.label for item in before.instances})
    assert len(words) >= 3 and {item.nyu40 for item in before.instances} == {None}
    assert before.conventions["classes"] == "no scannetv2-labels.combined.tsv in the root"
    # The first is a refrigerator, which the file itself writes otherwise; the second is of no class.
    rows = f"1\t{words[0]}\tx\t5\t24\trefridgerator\n2\t{words[1]}\ty\t\t0\t\n\n"
    (tmp_path / label_map.NAME).write_text("\ufeff" + HEAD + rows)
    after = read(tmp_path)
    for item, was in zip(after.instances, before.instances, strict=True):
        assert item.nyu40 == ("refrigerator" if item.label == words[0] else None)
        assert (item.label, item.category) == (was.label, was.category)
    unknown = [item.label for item in after.instances if item.label not in words[:2]]
    note = after.conventions["classes"]
    assert f"does not know {len(unknown)} of {len(after.instances)} labels" in note and repr(words[2]) in note


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no column raw_category"),
        ("raw_category\tcategory\n", "names no column nyu40id"),
        (HEAD, "maps no word"),
        (HEAD + "1\tchair\n", "line 2 has 2 columns of 6"),
        (HEAD + "1\tchair\tchair\t9\t41\tx\n", "nyu40id of line 2 is '41'"),
        (HEAD + "1\tchair\tchair\t9\t-5\tx\n", "nyu40id of line 2 is '-5'"),
        (HEAD + "1\tchair\tchair\t9\tfive\tx\n", "nyu40id of line 2 is 'five'"),
        (
            HEAD + "1\tchair\tchair\t9\t5\tx\n2\tchair \tchair\t9\t7\tx\n",
            "line 3 gives 'chair' a second class",
        ),
    ],
)
def test_maps_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / label_map.NAME).write_text(text)
    with pytest.raises(InputError, match=said) as error:
        label_map.read(tmp_path, label_map.NAME)
    assert error.value.file == label_map.NAME


def test_many_unknown_words_are_counted() -> None:
    said = label_map.note("a.tsv", {"chair": "chair"}, ["chair", "e", "d", "c", "b", "b", "unannotated"])
    assert said == "a.tsv does not know 5 of 6 labels: 'b', 'c', 'd' and 1 other word"
