"""LLaVA's JSON: what is written comes back, a reader that works as the trainer does takes it, damage is found."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass, field

import numpy as np
import pytest
from digests import digest
from PIL import Image

from spatial_assets.exports.conversations import llava
from spatial_assets.exports.core.base import ImageMode, Options, Question
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.releases import create
from spatial_assets.scene.model import InputError

MODES = list(ImageMode)


def made(released, out, limit=None, **options):
    source = ReleaseRows(released.home, "v1", limit=limit)
    export("llava", source, out, Options(**options))
    return source


def records(out):
    return [record for path in sorted(out.glob("*.json")) for record in json.loads(path.read_text())]


def as_the_trainer_reads(path, folder):
    """LLaVA-NeXT's own steps, written from its train.py: images opened by join, a token replaced for each."""
    for source in json.loads(path.read_text()):
        images = []
        if "image" in source:
            names = source["image"] if type(source["image"]) is list else [source["image"]]
            images = [Image.open(os.path.join(folder, name)).convert("RGB") for name in names]  # noqa: PTH118
        speakers = [turn["from"] for turn in source["conversations"]]
        assert speakers == ["human", "gpt"] * (len(speakers) // 2)
        prompt = "".join(turn["value"] for turn in source["conversations"])
        assert len(prompt.split("<image>")) - 1 == len(images)
        yield source["id"], images


@pytest.mark.every(4)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shards", [1, 3])
def test_what_is_written_comes_back(released, tmp_path, mode, shards):
    source = made(released, tmp_path / "out", images=mode, shards=shards)
    wanted = [
        {name: {**question.row, "split": split}[name] for name in llava.CARRIES}
        for split in source.splits
        for question in source.questions(split)
    ]
    assert {"qa_id", "question", "answer", "frames", "license"} <= llava.CARRIES
    assert list(llava.read_back(tmp_path / "out")) == wanted
    assert llava.validate(tmp_path / "out") == []
    for file in (tmp_path / "out").glob("*.json"):
        assert llava.validate(file) == []


@pytest.mark.parametrize("mode", MODES)
def test_the_trainer_finds_its_images(released, tmp_path, mode):
    made(released, tmp_path / "out", limit=60, images=mode)
    counts = set()
    for path in (tmp_path / "out").glob("*.json"):
        for _, images in as_the_trainer_reads(path, tmp_path / "out"):
            counts.add(len(images))
    assert counts == ({0} if mode == ImageMode.NONE else {1, 2})


def test_links_lead_to_the_source_and_copies_are_its_bytes(released, tmp_path):
    made(released, tmp_path / "link", limit=20, images=ImageMode.LINK)
    made(released, tmp_path / "copy", limit=20, images=ImageMode.COPY)
    links = [path for path in (tmp_path / "link/images").rglob("*") if path.is_symlink()]
    assert len(links) > 5
    for link in links:
        origin = released.root / link.relative_to(tmp_path / "link/images/scannet-v2")
        assert link.resolve() == origin.resolve()
        copy = tmp_path / "copy" / link.relative_to(tmp_path / "link")
        assert not copy.is_symlink() and copy.read_bytes() == origin.read_bytes()
    texts = [(tmp_path / name / "train.json").read_bytes() for name in ("link", "copy")]
    assert texts[0] == texts[1]


def test_marks_are_drawn_where_there_are_marks(released, tmp_path):
    source = made(released, tmp_path / "out", limit=40, images=ImageMode.DRAW)
    found = {record["id"]: record for record in records(tmp_path / "out")}
    drawn = plain = 0
    for split in source.splits:
        for question in source.questions(split):
            image = found[question.row["qa_id"]]["image"]
            paths = [image] if isinstance(image, str) else image
            for shot, path in zip(question.shots, paths, strict=True):
                file = tmp_path / "out" / path
                if not shot.marks:
                    assert file.read_bytes() == (shot.root / shot.image).read_bytes()
                    plain += 1
                    continue
                drawn += 1
                pixels = np.array(Image.open(file).convert("RGB"), int)
                with Image.open(shot.root / shot.image) as original:
                    assert original.size == pixels.shape[1::-1]
                mark = shot.marks[0]
                x, y = (
                    int(v / 1000 * size) for v, size in zip(mark["xy"], pixels.shape[1::-1], strict=False)
                )
                red, green, blue = pixels[min(y, len(pixels) - 1), x]
                assert (red if mark["color"] == "red" else blue) > 180 > green
    assert drawn > 5 and plain > 5


@pytest.mark.parametrize("mode", MODES)
def test_equal_releases_give_equal_bytes(released, tmp_path, mode):
    for name in ("one", "two"):
        made(released, tmp_path / name, limit=40, images=mode, shards=2)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_shards_are_even_and_in_order(released, tmp_path):
    source = made(released, tmp_path / "whole", images=ImageMode.NONE)
    made(released, tmp_path / "parts", images=ImageMode.NONE, shards=4)
    files = sorted(path.name for path in (tmp_path / "parts").glob("*.json"))
    assert files == [f"{split}-{n:05d}-of-00004.json" for split in source.splits for n in range(4)]
    assert records(tmp_path / "parts") == records(tmp_path / "whole")
    sizes = [
        len(json.loads((tmp_path / "parts" / name).read_text())) for name in files if name.startswith("train")
    ]
    assert max(sizes) - min(sizes) <= 1


def test_there_are_never_more_files_than_rows(released, tmp_path):
    made(released, tmp_path / "out", limit=2, images=ImageMode.NONE, shards=50)
    assert all(len(json.loads(path.read_text())) == 1 for path in (tmp_path / "out").glob("*.json"))
    assert len(records(tmp_path / "out")) == 2


def test_what_stands_there_is_not_touched(released, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="is there already; choose a folder that is new or empty"):
        made(released, tmp_path / "out", limit=2)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]


@pytest.mark.parametrize("mode", [ImageMode.LINK, ImageMode.COPY, ImageMode.DRAW])
def test_an_image_that_is_gone_is_named_and_nothing_is_left(copied, tmp_path, mode):
    create.create(copied.home, "v1")
    for path in (copied.root / "scene0001_00" / "color").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"scene0001_00/color/\d+.jpg: .*no longer there"):
        made(copied, tmp_path / "out", images=mode)
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]
    made(copied, tmp_path / "out", images=ImageMode.NONE)


@dataclass
class Handed:
    """Questions from nowhere."""

    texts: list[tuple[str, str]]
    splits: dict[str, int] = field(default_factory=lambda: {"all": 1})

    def questions(self, split, columns=()):
        for question, answer in self.texts:
            row = dict.fromkeys(llava.CARRIES, "") | {
                "frames": [],
                "qa_id": "7",
                "question": question,
                "answer": answer,
            }
            yield Question(row, split, ())


@pytest.mark.parametrize("texts", [("What is an <image>?", "A"), ("What is it?", "an <image>")])
def test_a_text_that_speaks_of_tokens_does_not_go_in(tmp_path, texts):
    with pytest.raises(InputError, match="7: its text holds <image>"):
        llava.write(Handed([texts]), tmp_path, Options())


def test_text_of_any_script_comes_back(tmp_path):
    texts = ('Wie weit ist die Tür? 椅子\u2028\n"\\', "1,5 m\n")
    llava.write(Handed([texts]), tmp_path, Options())
    (row,) = llava.read_back(tmp_path)
    assert (row["question"], row["answer"]) == texts


def set_key(name, value):
    return lambda record, out: record.update({name: value})


def turn(number, **changes):
    return lambda record, out: record["conversations"][number].update(changes)


DAMAGES = {
    "no id": (set_key("id", None), "has no id"),
    "no turns": (set_key("conversations", []), "0 turns, where"),
    "half a turn": (
        lambda r, out: r["conversations"].pop(),
        "1 turns, where a human's and a gpt's go together",
    ),
    "turns are text": (set_key("conversations", ["hello"]), "conversations is not a list of turns"),
    "turns are an object": (set_key("conversations", {}), "conversations is not a list of turns"),
    "a number answers": (turn(1, value=3), "each with a text in from and in value"),
    "another speaker": (turn(1, **{"from": "assistant"}), "turn 1 is from 'assistant', not 'gpt'"),
    "speakers swapped": (lambda r, out: r["conversations"].reverse(), "turn 0 is from 'gpt', not 'human'"),
    "an empty answer": (turn(1, value=" \n"), "turn 1 says nothing"),
    "tokens alone": (turn(0, value="<image>\n"), "turn 0 says nothing"),
    "a token answers": (turn(1, value="<image>"), "turn 1 answers with <image>"),
    "no token": (turn(0, value="What?"), "0 <image> for 1 images"),
    "two tokens": (turn(0, value="<image>\n<image>\nWhat?"), "2 <image> for 1 images"),
    "no image": (lambda r, out: r.pop("image"), "1 <image> for 0 images"),
    "no images": (set_key("image", []), "image is an empty list"),
    "an image's number": (set_key("image", 3), "image is neither a path nor a list of paths: 3"),
    "images' numbers": (set_key("image", [3]), "image is neither a path nor a list of paths: [3]"),
    "outside": (set_key("image", "/etc/passwd"), "image /etc/passwd: leads out of the export's folder"),
    "above": (set_key("image", "images/../../x.jpg"), "leads out of the export's folder"),
    "not there": (set_key("image", "images/none.jpg"), "image images/none.jpg: not there"),
    "no longer": (
        lambda r, out: ((out / r["image"]).unlink(), (out / r["image"]).symlink_to("/nowhere")),
        "leads nowhere",
    ),
    "cut": (
        lambda r, out: (out / r["image"]).write_bytes((out / r["image"]).read_bytes()[:200]),
        "cannot be read as an image",
    ),
    "text": (lambda r, out: (out / r["image"]).write_text("no image"), "cannot be read as an image"),
}


@pytest.fixture(scope="module")
def whole(released, tmp_path_factory):
    out = tmp_path_factory.mktemp("llava") / "out"
    source = ReleaseRows(released.home, "v1", ["depth_prediction_oc"], ["train"], limit=3)
    export("llava", source, out, Options(ImageMode.COPY))
    return out


@pytest.fixture
def damaged(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_damage_is_a_line_that_names_file_and_record(damaged, name):
    damage, line = DAMAGES[name]
    content = json.loads((damaged / "train.json").read_text())
    damage(content[1], damaged)
    (damaged / "train.json").write_text(json.dumps(content))
    errors = llava.validate(damaged)
    assert any(error.startswith("train.json: record 1: ") and line in error for error in errors), errors
    assert all("\n" not in error and re.match(r"train.json: record \d: ", error) for error in errors)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", "train.json: not JSON"),
        ('{"id": 1}', "train.json: not a list of records"),
        ("[3]", "train.json: record 0: not an object: 3"),
        ("\udcff", "train.json: not JSON"),
    ],
)
def test_a_file_that_is_none(damaged, text, line):
    (damaged / "ids.parquet").unlink()
    (damaged / "train.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    (error,) = llava.validate(damaged)
    assert line in error
    with pytest.raises(InputError):
        list(llava.read_back(damaged))


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        ("swapped", "train.json: record 0: answers"),
        ("short", "train.json: ends after 2 of 3 questions"),
        ("fewer", "train.json: record 1: 0 images, where ids.parquet has"),
        ("unknown", "train.json: record 2: id another is not in ids.parquet for this file"),
        ("gone", "train.json: not there"),
        ("table", "ids.parquet"),
    ],
)
def test_what_ids_say_otherwise_is_told(damaged, damage, line):
    file = damaged / "train.json"
    content = json.loads(file.read_text())
    if damage == "swapped":
        first, second = (record["conversations"][1] for record in content[:2])
        first["value"], second["value"] = second["value"], f"{first['value']}0"
    elif damage == "short":
        content.pop()
    elif damage == "fewer":
        del content[1]["image"]
        content[1]["conversations"][0]["value"] = "What?"
    elif damage == "unknown":
        content[2]["id"] = "another"
    elif damage == "table":
        (damaged / "ids.parquet").write_bytes(b"none")
    file.write_text(json.dumps(content))
    if damage == "gone":
        shutil.copy(file, damaged / "other.json")
        file.unlink()
    errors = llava.validate(damaged)
    assert [error for error in errors if line in error], errors
    assert len(errors) == (2 if damage == "swapped" else 1), errors


def test_an_id_stands_once(damaged):
    content = json.loads((damaged / "train.json").read_text())
    (damaged / "more.json").write_text(json.dumps(content[:1]))
    (error,) = llava.validate(damaged)
    assert error == f"train.json: record 0: id {content[0]['id']} is that of more.json: record 0"


def test_nothing_there(tmp_path):
    assert llava.validate(tmp_path / "none") == [f"{tmp_path / 'none'}: not there"]
    assert llava.validate(tmp_path) == [f"{tmp_path}: no .json file is there"]
