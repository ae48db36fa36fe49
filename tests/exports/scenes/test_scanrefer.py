"""Descriptions as ScanRefer has them: each names one object of its whole scene and is true of it; damage is told."""

from __future__ import annotations

import json
import re
import shutil
from types import SimpleNamespace

import lakes
import numpy as np
import pytest
import tiny
from chat_cases import MadeSource, cases
from digests import digest

from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.scene_truth import SceneTruth, Thing
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.exports.scenes import scanrefer
from spatial_assets.lineage import planning
from spatial_assets.releases import create
from spatial_assets.scene.categories import is_structure, may_mean
from spatial_assets.scene.model import InputError
from spatial_assets.stages import pipeline
from spatial_assets.tasks.registry import tasks

TASKS = ("object_abs_distance", "object_size_estimation", "spatial_volume_infer")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Two scenes with rows that state something of objects. Tests only read it."""
    base = tmp_path_factory.mktemp("described")
    for number in range(2):
        tiny.write_scannet(base / "source", f"scene000{number}_00", seed=number)
    lakes.register(base / "home", "scannet", base / "source")
    lakes.build(base / "home", stages=list(planning.needed_for(pipeline.STAGES, TASKS)))
    create.create(base / "home", "v1", create.Request({"train": 0.5, "val": 0.5}))
    return base / "home"


@pytest.fixture(scope="module")
def whole(home, tmp_path_factory):
    out = tmp_path_factory.mktemp("scanrefer") / "out"
    made = export("scanrefer", ReleaseRows(home, "v1"), out, Options(ImageMode.NONE))
    return SimpleNamespace(out=out, made=made, source=ReleaseRows(home, "v1"))


def records(out, split):
    return json.loads((out / f"ScanRefer_{split}.json").read_text(encoding="utf-8"))


def things(source):
    """By scene, the lake's objects."""
    return {
        question.row["scene"]: source.truth(question.row).things
        for split in source.splits
        for question in source.questions(split)
    }


def test_each_names_one_object_of_its_scene(whole):
    known, count = things(whole.source), 0
    for split in whole.made.splits:
        for record in records(whole.out, split):
            scene = known[record["scene_id"]]
            name = record["object_name"].replace("_", " ")
            assert scene[int(record["object_id"])].names[0] == name and not is_structure(name)
            assert [i for i, thing in scene.items() if may_mean(name, thing.names[0])] == [
                int(record["object_id"])
            ]
            said = record["description"]
            assert said.startswith(f"This is the {name}.")
            assert [word for word in record["token"] if word not in ".,"] == re.findall(
                r"[\w.]*\w", said.lower()
            )
            count += 1
    assert count > 12
    assert {tuple(record) for split in whole.made.splits for record in records(whole.out, split)} == {
        scanrefer.NEEDED
    }


def test_what_is_said_is_true_of_the_boxes(whole):
    """Sizes by the boxes beside the descriptions; distances cannot be less than those of the boxes' hulls allow."""
    checked = {"longest": 0, "length, width": 0, "closest": 0}
    for split in whole.made.splits:
        boxes = json.loads((whole.out / f"boxes_{split}.json").read_text(encoding="utf-8"))
        for record in records(whole.out, split):
            box = boxes[record["scene_id"]][record["object_id"]]
            size = 100 * np.array(box["size"])
            told = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", record["description"])]
            if "longest" in record["description"]:
                assert abs(told[0] - size.max()) <= 0.5
                checked["longest"] += 1
            elif "length, width" in record["description"]:
                assert np.abs(np.sort(told) - np.sort(size)).max() <= 0.5
                checked["length, width"] += 1
            else:
                names = {
                    own["object_name"].replace("_", " "): own for own in boxes[record["scene_id"]].values()
                }
                (other,) = re.findall(r"from the (.+)\.$", record["description"])
                between = np.linalg.norm(np.subtract(box["center"], names[other]["center"]))
                radii = np.linalg.norm(box["size"]) / 2 + np.linalg.norm(names[other]["size"]) / 2
                assert between - radii - 0.05 <= told[0] <= between + 0.05
                checked["closest"] += 1
    assert all(checked.values())


def test_it_comes_back_with_each_rows_own(whole):
    back = list(scanrefer.read_back(whole.out))
    rows = {
        question.row["qa_id"]: {**question.row, "split": split}
        for split in whole.source.splits
        for question in whole.source.questions(split)
    }
    assert len(back) == whole.made.rows == len({row["qa_id"] for row in back})
    for row in back:
        own = rows[row["qa_id"]]
        assert {name: row[name] for name in scanrefer.CARRIES} == {
            name: own[name] for name in scanrefer.CARRIES
        }
        assert row["object"] in {entry["instance"] for entry in own["objects"]}
        assert own["answer"] in row["description"]
    assert scanrefer.validate(whole.out) == []
    lines = (whole.out / "ScanRefer_train.txt").read_text().split()
    assert lines == sorted({record["scene_id"] for record in records(whole.out, "train")})


def test_equal_releases_give_equal_bytes(home, whole, tmp_path):
    export("scanrefer", ReleaseRows(home, "v1"), tmp_path / "out", Options())
    assert digest(tmp_path / "out") == digest(whole.out)


def test_numbers_of_an_objects_descriptions_run_on_and_none_stands_twice(whole):
    for split in whole.made.splits:
        by_object = {}
        for record in records(whole.out, split):
            by_object.setdefault((record["scene_id"], record["object_id"]), []).append(record)
        for own in by_object.values():
            assert [record["ann_id"] for record in own] == [str(number) for number in range(len(own))]
            assert len({record["description"] for record in own}) == len(own)
        assert any(len(own) > 1 for own in by_object.values())


def scene_of(*names):
    return SceneTruth({number: Thing((name, name), np.zeros(3)) for number, name in enumerate(names)})


def test_a_name_that_may_mean_another_object_of_the_scene_is_left_out():
    row = {"task": "object_size_estimation", "objects": [{"role": "object", "instance": 0}], "answer": "90"}
    assert scanrefer.description(row, scene_of("chair", "table"))[0] == 0
    assert scanrefer.description(row, scene_of("chair", "office chair")) is None
    assert scanrefer.description(row, scene_of("office chair", "chair"))[0] == 0
    assert scanrefer.description(row, scene_of("chair", "chair")) is None
    pair = {
        "task": "object_abs_distance", "answer": "1.5",
        "objects": [{"role": "first", "instance": 0}, {"role": "second", "instance": 1}],
    }  # fmt: skip
    assert "1.5 meters away from the table." in scanrefer.description(pair, scene_of("chair", "table"))[1]
    assert scanrefer.description(pair, scene_of("chair", "table", "table")) is None


def test_the_words_are_of_tasks_and_roles_that_there_are(whole):
    roles = {}
    for split in whole.source.splits:
        for question in whole.source.questions(split):
            roles.setdefault(question.row["task"], set()).update(e["role"] for e in question.row["objects"])
    words = scanrefer._words()
    assert set(words["tasks"]) == set(TASKS) <= set(tasks())
    for task, told in words["tasks"].items():
        named = set(re.findall(r"\{(\w+)\}", told["says"])) - {"answer"}
        assert told["object"] in named <= roles[task]


def test_scenes_of_one_name_are_told_apart():
    names = scanrefer.scene_names([("a", "1", "s"), ("b", "1", "s"), ("a", "1", "t"), ("a", "1", "s")])
    assert names == {("a", "1", "s"): "a-1-s", ("a", "1", "t"): "t", ("b", "1", "s"): "b-1-s"}


def test_each_damage_is_told(whole, tmp_path):
    name = "ScanRefer_train.json"
    damages = {
        "swapped": (
            lambda held: held[0].update(description=held[-1]["description"] + "."),
            "says another thing",
        ),
        "short": (lambda held: held.pop(), "descriptions, where ids.parquet has"),
        "no key": (lambda held: held[0].pop("token"), "has no token"),
        "twice": (lambda held: held.append(dict(held[0])), "are those of record 0"),
        "no box": (lambda held: held[0].update(object_id="999"), "has no box"),
        "another name": (lambda held: held[0].update(object_name="sofa"), "calls sofa what its box calls"),
        "no text": (lambda held: held[0].update(description=" "), "description is no text"),
        "no words": (lambda held: held[0].update(token=[]), "token is no list of words"),
    }
    for damage, (change, said) in damages.items():
        out = tmp_path / damage
        shutil.copytree(whole.out, out)
        held = records(out, "train")
        change(held)
        (out / name).write_text(json.dumps(held), encoding="utf-8")
        errors = scanrefer.validate(out)
        assert any(said in error and error.startswith(name) for error in errors), (damage, errors)
    out = tmp_path / "cut"
    shutil.copytree(whole.out, out)
    (out / name).write_bytes((out / name).read_bytes()[:-30])
    assert any("not JSON" in error for error in scanrefer.validate(out))
    with pytest.raises(InputError):
        list(scanrefer.read_back(out))
    (out / name).unlink()
    assert scanrefer.validate(out) == [f"{name}: not there"]


def test_a_release_without_such_rows_says_so(released, tmp_path):
    with pytest.raises(InputError, match="rows are made of: object_abs_distance"):
        export("scanrefer", ReleaseRows(released.home, "v1"), tmp_path / "out", Options(ImageMode.NONE))
    with pytest.raises(TypeError, match="scenes of a release"):
        scanrefer.write(MadeSource(tmp_path / "source", train=cases()), tmp_path, Options(ImageMode.NONE))
