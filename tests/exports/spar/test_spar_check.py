"""The check of SPAR trees: each planted problem is a line that names file and line, and hostile files are only that."""

from __future__ import annotations

import json
import os
import re
import shutil
import tracemalloc

import pytest
from click.testing import CliRunner
from spar_questions import everything

from spatial_assets.cli import main
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.spar import check as spar_check
from spatial_assets.exports.spar import spar

FOLDER = "spar/scannet/qa_jsonl/train"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    base = tmp_path_factory.mktemp("spar")
    (base / "out").mkdir()
    source = everything(base / "source", scenes=1, each=3, splits=["train"])
    spar.write(source, base / "out", Options(ImageMode.COPY))
    assert spar.validate(base / "out") == []
    return base / "out"


@pytest.fixture
def tree(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "out")
    return tmp_path / "out"


def file_of(tree, task, form):
    (file,) = (tree / FOLDER / task / form).glob("*.jsonl")
    return file


def planted(tree, task, form, damage):
    """What is said of the tree where the second record of a file is damaged; all of it must be of that line."""
    file = file_of(tree, task, form)
    lines = file.read_text().splitlines()
    record = json.loads(lines[1])
    changed = damage(record)
    lines[1] = changed if isinstance(changed, str) else json.dumps(record)
    file.write_text("\n".join(lines) + "\n")
    problems = spar.validate(tree)
    where = f"{FOLDER}/{task}/{form}/{file.name}: line 2: "
    assert problems and all(problem.startswith(where) and "\n" not in problem for problem in problems), (
        problems
    )
    return [problem.removeprefix(where) for problem in problems]


def put(**values):
    return lambda record: record.update(values)


def without(*names):
    return lambda record: [record.pop(name) for name in names]


def turn(number, **values):
    return lambda record: record["conversations"][number].update(values)


def one_before(record):
    scene, _, number = record["id"].rpartition("_")
    record["id"] = f"{scene}_{int(number) - 1}"


SINGLE, VIEWS = ("depth_prediction_oc", "fill"), ("depth_prediction_oo_mv", "fill")
OPTIONS, JUDGED = ("distance_prediction_oo", "select"), ("obj_spatial_relation_oo", "judge")
PROBLEMS = {
    "no id": (SINGLE, without("id"), "has no id"),
    "no three": (SINGLE, without("id", "type", "image"), "has no id, image, type"),
    "a number's id": (SINGLE, put(id=7), "id is not a scene's name, _ and a number: 7"),
    "a bare id": (SINGLE, put(id="scene"), "id is not a scene's name"),
    "another's id": (SINGLE, one_before, "is that of line 1"),
    "another type": (SINGLE, put(type="chess"), 'type is "chess", and its folder holds depth_prediction_oc'),
    "no list": (SINGLE, put(image="a.jpg"), 'image is not a list of paths: "a.jpg"'),
    "numbers": (SINGLE, put(image=[3]), "image is not a list of paths: [3]"),
    "no images": (SINGLE, put(image=[]), "image has 0 paths, and depth_prediction_oc shows 1"),
    "too few": (VIEWS, lambda r: r["image"].pop(0) and None, "image has 2 paths, and depth_prediction_oo_mv shows 3"),
    "not there": (SINGLE, put(image=["scene0000_00/image_color/7.jpg"]), "7.jpg\": not there"),
    "away": (SINGLE, put(image=["/etc/passwd"]), "leads out of the folder of images"),
    "above": (SINGLE, put(image=["../../../x.jpg"]), "leads out of the folder of images"),
    "a folder": (SINGLE, put(image=["scene0000_00"]), "is empty or no file"),
    "depth": (VIEWS, put(depth=["scene0000_00/image_color/0.jpg"]), "depth has 1 paths for 3 images"),
    "one turn": (SINGLE, lambda r: r["conversations"].pop() and None, "conversations is not two turns"),
    "text": (SINGLE, put(conversations="hello"), "conversations is not two turns"),
    "a number": (SINGLE, turn(1, value=1.6), "conversations is not two turns, each with a text in value"),
    "swapped": (SINGLE, lambda r: r["conversations"].reverse(), 'a turn is from "gpt", where human speaks'),
    "silence": (SINGLE, turn(1, value=" "), "gpt says nothing"),
    "a token": (SINGLE, turn(0, value="<image>\n<image>\nWhat?"), "2 <image> and 0 <video> for 1 images"),
    "a token's answer": (("depth_prediction_oc", "sentence"), turn(1, value="<image>"), "holds a token of an image"),
    "beyond": (SINGLE, put(red_point=[[1001, 5]]), "red_point lies beyond 0 to 1000: [1001, 5]"),
    "below": (SINGLE, put(red_point=[[-1, 5]]), "red_point lies beyond 0 to 1000"),
    "halves": (SINGLE, put(red_point=[[0.5, 5]]), "red_point has a mark that is not 2 integers"),
    "true": (SINGLE, put(red_point=[[True, 5]]), "red_point has a mark that is not 2 integers"),
    "flat": (SINGLE, put(red_point=[5, 5]), "red_point has a mark that is not 2 integers: 5"),
    "no marks": (SINGLE, put(red_point=[]), "red_point is not a list of marks: []"),
    "unmarked": (SINGLE, without("blue_point"), "has no blue_point, which depth_prediction_oc has"),
    "turned over": (("spatial_volume_infer", "fill"), put(red_bbox=[[9, 9, 3, 3]]), "ends before it begins"),
    "three corners": (("spatial_volume_infer", "fill"), put(red_bbox=[[1, 2, 3]]), "is not 4 integers"),
    "pink": (SINGLE, put(pink_point=[[1, 1]]), '"pink_point" is none of SPAR\'s fields'),
    "one of two": (
        ("obj_spatial_relation_oo_mv", "select"),
        lambda r: r.update(bbox_img_idx=[[0]], blue=r.pop("blue_bbox")),
        "has fewer than 2 of red_bbox, blue_bbox, green_bbox",
    ),
    "nowhere": (VIEWS, without("point_img_idx"), "has no point_img_idx, so nobody knows which image is marked"),
    "a fourth": (VIEWS, put(point_img_idx=[[0, 1, 3]]), "names an image that is none of the 3"),
    "two places": (VIEWS, put(point_img_idx=[[0, 1]]), "point_img_idx has 2 places for 3 marks"),
    "flat places": (VIEWS, put(point_img_idx=[0, 1, 2]), "point_img_idx is not a list of integers in a list"),
    "no list of marks": (
        ("spatial_imagination_map_mv", "sentence"),
        without("bbox_list", "bbox_img_idx"),
        "has no bbox_list, which spatial_imagination_map_mv has",
    ),
    "not nested": (("spatial_imagination_map_mv", "sentence"), put(bbox_list=[]), "bbox_list is not a list in a list"),
    "words": (SINGLE, turn(1, value="about two"), "the answer is not a number with one decimal"),
    "two decimals": (SINGLE, turn(1, value="1.60"), "the answer is not a number with one decimal"),
    "a unit": (SINGLE, turn(1, value="1.6 m"), "the answer is not a number with one decimal"),
    "Arabic": (SINGLE, turn(1, value="١.٦"), "the answer is not a number with one decimal"),
    "no options": (OPTIONS, turn(0, value="Which? Answer A, B, C or D."), "answers B, and its question has no options"),
    "no such option": (OPTIONS, turn(1, value="D"), "answers D, which is none of its options"),
    "text of an option": (OPTIONS, turn(1, value="right"), "the answer is not an option's letter"),
    "perhaps": (JUDGED, turn(1, value="perhaps"), "the answer is neither Yes nor No"),
    "back": (
        ("view_change_infer", "fill"),
        turn(1, value="move_right:1,move_up:0,move_back:0,rotate_up:5,rotate_left:5"),
        "the answer is not five parts",
    ),
    "spaces": (
        ("view_change_infer", "fill"),
        turn(1, value="move_right:1, move_up:0, move_forward:0, rotate_up:5, rotate_left:5"),
        "the answer is not five parts",
    ),
    "far box": (("position_matching", "fill"), turn(1, value="[1, 2, 3, 1001]"), "has a coordinate beyond 1000"),
    "far point": (("camera_motion_infer", "fill"), turn(1, value="(1001,2),3.5"), "has a coordinate beyond 1000"),
    "two sizes": (("spatial_volume_infer", "fill"), turn(1, value="120, 60"), "the answer is not three integers"),
    "one label": (("appearance_order", "fill"), turn(1, value="chair"), "the answer is not names separated"),
    "a count in words": (("obj_count", "fill"), turn(1, value="three"), "the answer is not an integer"),
    "a list": (SINGLE, lambda r: "[1, 2]", "not an object: [1, 2]"),
    "broken": (SINGLE, lambda r: '{"id": ', "not JSON: "),
    "not a number": (SINGLE, lambda r: '{"id": NaN}', "not JSON: NaN is no number"),
    "empty": (SINGLE, lambda r: "", "empty"),
    "deep": (SINGLE, lambda r: "[" * 100_000, "not JSON: "),
    "long number": (SINGLE, lambda r: "9" * 10_000, "not JSON: "),
}  # fmt: skip


@pytest.mark.every(4)
@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_a_planted_problem_is_a_line(tree, name):
    (task, form), damage, line = PROBLEMS[name]
    assert any(line in problem for problem in planted(tree, task, form, damage))


@pytest.mark.prove
def test_one_problem_is_one_line(tree):
    """Of most problems nothing else follows: there is one line."""
    alone = 0
    for name, ((task, form), damage, _) in sorted(PROBLEMS.items()):
        file = file_of(tree, task, form)
        before = file.read_bytes()
        alone += len(planted(tree, task, form, damage)) == 1
        file.write_bytes(before)
        assert spar.validate(tree) == [], name
    assert alone > 0.8 * len(PROBLEMS)


def test_names_folders_and_counts(tree):
    file = file_of(tree, *SINGLE)
    with file.open("a") as opened:
        opened.write(file.read_text().splitlines()[0].replace("scene0000_00_", "scene0000_00_9") + "\n")
    problems = spar.validate(tree)
    assert f"{FOLDER}/depth_prediction_oc/fill/fill_3.jsonl: its name says 3 lines, and it has 4" in problems
    assert any(
        re.match(r"data_jsons/scannet_0k.json: line \d+: .*length is 3, and .* has 4 lines", f)
        for f in problems
    )
    assert len(problems) == 2
    file.rename(file.with_name("fill.jsonl"))
    problems = spar.validate(tree)
    assert any("is not named fill_<lines>.jsonl" in problem for problem in problems)
    assert any("annotation is not there" in problem for problem in problems)


@pytest.mark.parametrize(
    ("to", "line"),
    [
        ("depth_prediction_oc/choose", 'folder "choose" is none of fill, select, sentence, judge'),
        ("obj_frame_locate/fill", "obj_frame_locate has no fill; it has sentence"),
        ("nav/sentence", "the folder of nav is nav_video"),
        (
            "distance_prediction_oc/fill",
            'type is "depth_prediction_oc", and its folder holds distance_prediction_oc',
        ),
        ("fill_3.jsonl", "does not stand in <split>/<task>/<format>"),
    ],
)
def test_a_file_that_stands_elsewhere(tree, to, line):
    file = file_of(tree, *SINGLE)
    target = tree / FOLDER / to
    if target.suffix:
        file.rename(target)
    else:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        file.rename(target / file.name)
    assert any(line in problem for problem in spar.validate(tree))


INDEX_PROBLEMS = {
    "broken": (lambda text: text[:40], "not JSON"),
    "a list": (lambda text: "[]", "not an object of entries"),
    "away": (
        lambda text: text.replace('"spar/scannet/qa_jsonl', '"/etc/scannet', 1),
        "annotation leads out of the tree",
    ),
    "above": (
        lambda text: text.replace('"spar/scannet/qa_jsonl', '"../qa_jsonl', 1),
        "annotation leads out of the tree",
    ),
    "long": (
        lambda text: text.replace('"spar/scannet/qa_jsonl', f'"{"a" * 5000}', 1),
        "annotation is not there",
    ),
    "bare": (lambda text: '{"a": 3}', 'line 1: "a": not an object'),
    "no length": (lambda text: text.replace('"length"', '"size"', 1), "has no length"),
    "text": (
        lambda text: re.sub(r'"length": \d+', '"length": "3"', text, count=1),
        "length is not an integer",
    ),
    "length": (lambda text: re.sub(r'"length": \d+', '"length": 17', text, count=1), "length is 17, and"),
    "repeated": (lambda text: text.replace('"repeat_time": 1', '"repeat_time": 1.5', 1), "no integer"),
    "never": (lambda text: text.replace('"repeat_time": 1', '"repeat_time": 0', 1), "not a number above 0"),
    "key": (lambda text: text.replace('"scannet_', '"scan_', 1), "is not scannet_appearance_order_fill"),
    "root": (lambda text: text.replace("scannet/images", "x/images", 1), "root is not spar/scannet/images"),
    "gone": (lambda text: text.replace("_3.jsonl", "_4.jsonl", 1), "annotation is not there"),
    "paths": (
        lambda text: re.sub(r'"root": ".*?"', '"root": 3', text, count=1),
        "root and annotation are not both paths",
    ),
}


@pytest.mark.every(3)
@pytest.mark.parametrize("name", sorted(INDEX_PROBLEMS))
def test_an_index_that_is_wrong(tree, name):
    damage, line = INDEX_PROBLEMS[name]
    file = tree / "data_jsons/scannet_0k.json"
    file.write_text(damage(file.read_text()))
    (problem,) = spar.validate(tree)
    assert problem.startswith("data_jsons/scannet_0k.json: ") and line in problem
    assert name in ("broken", "a list") or re.search(r"json: line \d+: ", problem)


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "has no line"),
        (b"\x00" * 5000, "line 1: not JSON"),
        (bytes(range(0x80, 0xFF)) + b"\n", "line 1: not UTF-8 text"),
        (b"\xff" * 9_000_000 + b"\n{}\n", f"line 1: longer than {spar_check.LONGEST:,} bytes"),
        (b"\n" * 500, "more problems"),
    ],
)
def test_hostile_files_are_named(tree, data, line):
    file = file_of(tree, *SINGLE)
    file.write_bytes(data)
    tracemalloc.start()
    problems = spar.validate(tree)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any(
        problem.startswith(file.relative_to(tree).as_posix()) and line in problem for problem in problems
    ), problems
    assert len(problems) <= spar_check.TOLD + 3 and peak < 60_000_000
    assert all(len(problem) < 400 for problem in problems)


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "field", ["id", "image", "type", "conversations", "red_point", "point_img_idx", "depth"]
)
@pytest.mark.parametrize("depth", [70, 600, 900])
def test_values_of_any_depth_are_named(tree, field, depth):
    file = file_of(tree, *SINGLE)
    records = [json.loads(line) for line in file.read_text().splitlines()]
    text = json.dumps({**records[0], field: "HERE"}).replace('"HERE"', "[" * depth + "]" * depth)
    file.write_text("".join(f"{line}\n" for line in (text, *map(json.dumps, records[1:]))))
    problems = spar.validate(tree)
    assert problems and all(": line 1: " in problem and len(problem) < 400 for problem in problems)


def test_parts_that_lead_back_are_no_tree_without_end(tree):
    for number in range(5):
        (tree / f"{number:05d}-of-00005").symlink_to(".")
    assert spar.validate(tree) == []
    (tree / "spar").rename(tree / "elsewhere")
    (problem,) = spar.validate(tree)
    assert "no SPAR tree" in problem


def test_what_is_no_file_is_named(tree):
    file = file_of(tree, *SINGLE)
    file.unlink()
    os.mkfifo(file)
    assert any("not a file that can be read" in problem for problem in spar.validate(tree))
    file.unlink()
    file.symlink_to(file.name)
    assert any("not a file that can be read" in problem for problem in spar.validate(tree))


def test_missing_images(tree):
    gone = tree / "spar/scannet/images/scene0000_00/video_color/frame3_30.jpg"
    gone.unlink()
    problems = spar.validate(tree)
    assert len(problems) > 10 and all('frame3_30.jpg": not there' in problem for problem in problems)
    gone.symlink_to("/nowhere/at/all")
    assert all('frame3_30.jpg": leads nowhere' in problem for problem in spar.validate(tree))
    shutil.rmtree(tree / "spar/scannet/images")
    found = spar.examine(tree)
    assert found.problems == []
    assert found.notes == ["spar/scannet/images: holds no color images, so none was looked for"]


def test_a_tree_may_be_given_by_any_of_its_folders(tree):
    total = spar.examine(tree).records
    assert spar.examine(tree / "spar").records == total
    parts = [spar.examine(tree / "spar" / name) for name in ("scannet", "rxr")]
    assert sum(part.records for part in parts) == total and not any(part.problems for part in parts)
    one = spar.examine(file_of(tree, *SINGLE))
    assert (one.records, one.problems) == (3, [])
    (tree / "bare.jsonl").write_text("{}\n")
    assert any("bare.jsonl: " in problem for problem in spar.examine(tree / "bare.jsonl").problems)


def test_nothing_there(tmp_path):
    assert spar.validate(tmp_path / "none") == [f"{tmp_path / 'none'}: not there"]
    assert "no SPAR tree" in spar.validate(tmp_path)[0]


def test_a_tree_without_our_field_is_as_good(tree):
    """As published: no `source`, another order of keys."""
    for file in tree.glob("spar/**/*.jsonl"):
        kept = [json.loads(line) for line in file.read_text().splitlines()]
        for record in kept:
            del record["source"]
        file.write_text("".join(json.dumps(dict(sorted(record.items()))) + "\n" for record in kept))
    assert spar.validate(tree) == []


def test_the_command_sums_up(tree):
    done = CliRunner().invoke(main, ["export", "--validate", "spar", str(tree)])
    assert (done.exit_code, done.stdout) == (0, "")
    assert re.search(r"\d+ records of 35 tasks in \d+ files\n.*is valid spar\n", done.stderr)
    file_of(tree, *SINGLE).write_text("{\n")
    done = CliRunner().invoke(main, ["export", "--validate", "spar", str(tree), "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 1 and not told["ok"] and "35 tasks" in told["summary"][0]
    assert any("line 1: not JSON" in error for error in told["errors"])
