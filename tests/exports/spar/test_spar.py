"""SPAR's folders: what is written comes back, SPAR's own way of loading takes it, its table of orders holds."""

from __future__ import annotations

import json
import os
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from digests import digest
from PIL import Image
from spar_questions import Handed, everything, row_of

from spatial_assets.cli import main
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.exports.spar import layout as spar_layout
from spatial_assets.exports.spar import spar
from spatial_assets.scene.model import InputError
from spatial_assets.storage.instance_images import gray16_png

MODES = list(ImageMode)


def written(source, out, **options):
    out.mkdir()
    spar.write(source, out, Options(**options))
    return out


def wanted(source):
    return {
        question.row["qa_id"]: {name: {**question.row, "split": split}[name] for name in spar.CARRIES}
        for split in source.splits
        for question in source.questions(split)
    }


def records(out, pattern="**/*.jsonl"):
    return [json.loads(line) for path in sorted(out.glob(pattern)) for line in path.read_text().splitlines()]


def as_spar_loads(folder: Path, index: Path):
    """By the rules of SPAR's loader: paths of the index from the working folder, a part of a file where repeat_time is
    below 1, tokens put before a question that has none, videos told by more than ten images or by their type."""
    for entry in json.loads(index.read_text()).values():
        lines = (folder / entry["annotation"]).open().readlines()
        if entry["repeat_time"] < 1:
            lines = lines[: int(len(lines) * entry["repeat_time"])]
        assert len(lines) == entry["length"]
        for line in lines:
            item = json.loads(line)
            asked, answered = (turn["value"] for turn in item["conversations"])
            images = [
                Image.open(os.path.join(folder, entry["root"], path)).convert("RGB")  # noqa: PTH118
                for path in item["image"]
            ]
            if item["type"] == "nav" or len(images) > 10:
                asked = "".join(f"Frame-{place + 1}: <image>\n" for place in range(len(images))) + asked
            elif "<image>" not in asked:
                asked = "<image>\n" * len(images) + asked
            assert asked.count("<image>") == len(images) and answered
            yield (entry["root"], item["id"]), len(images)


@pytest.mark.every(3)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shards", [1, 2])
def test_rows_of_a_release_come_back(released, tmp_path, mode, shards):
    source = ReleaseRows(released.home, "v1")
    export("spar", source, tmp_path / "out", Options(mode, shards))
    back = list(spar.read_back(tmp_path / "out"))
    assert {row["qa_id"]: row for row in back} == wanted(source)
    assert len(back) == sum(source.splits.values())
    assert {"qa_id", "question", "answer", "frames", "marks", "license", "split"} <= spar.CARRIES
    assert spar.validate(tmp_path / "out") == []


def test_rows_of_every_task_come_back(tmp_path):
    source = everything()
    out = written(source, tmp_path / "out", images=ImageMode.NONE)
    assert {row["qa_id"]: row for row in spar.read_back(out)} == wanted(source)
    found = spar.examine(out)
    assert found.problems == [] and found.records == sum(source.splits.values())
    assert len(found.kinds) == 35
    assert found.notes == [
        f"spar/{name}/images: holds no color images, so none was looked for" for name in ("rxr", "scannet")
    ]


def test_the_tree_is_spars(tmp_path):
    out = written(everything(tmp_path / "source"), tmp_path / "out")
    assert sorted(path.name for path in out.iterdir()) == ["data_jsons", "ids.parquet", "spar"]
    files = sorted(path.relative_to(out).as_posix() for path in out.glob("spar/*/qa_jsonl/**/*.jsonl"))
    pattern = r"spar/(\w+)/qa_jsonl/(train|val)/(\w+)/(fill|select|sentence|judge)/\4_(\d+)\.jsonl"
    assert all(re.fullmatch(pattern, file) for file in files)
    assert "spar/scannet/qa_jsonl/train/depth_prediction_oc/fill/fill_4.jsonl" in files
    assert [file for file in files if file.startswith("spar/rxr")] == [
        f"spar/rxr/qa_jsonl/{split}/nav_video/sentence/sentence_4.jsonl" for split in ("train", "val")
    ]
    assert {record["type"] for record in records(out, "spar/rxr/**/*.jsonl")} == {"nav"}
    assert sorted(path.name for path in (out / "data_jsons").iterdir()) == [
        "rxr_0k.json", "rxr_val_0k.json", "scannet_0k.json", "scannet_val_0k.json",
    ]  # fmt: skip
    index = json.loads((out / "data_jsons/rxr_0k.json").read_text())
    assert index == {
        "rxr_nav_video_sentence": {
            "root": "spar/rxr/images",
            "annotation": "spar/rxr/qa_jsonl/train/nav_video/sentence/sentence_4.jsonl",
            "repeat_time": 1,
            "length": 4,
        }
    }
    scene = out / "spar/scannet/images/scene0000_00"
    assert sorted(path.name for path in scene.iterdir()) == ["image_color", "video_color"]
    assert (scene / "video_color/frame31_310.jpg").exists() and (scene / "image_color/10.jpg").exists()


@pytest.mark.every(3)
@pytest.mark.parametrize("mode", [ImageMode.LINK, ImageMode.COPY, ImageMode.DRAW])
@pytest.mark.parametrize("shards", [1, 2])
def test_spars_loader_takes_it(tmp_path, mode, shards):
    source = everything(tmp_path / "source", each=1)
    out = written(source, tmp_path / "out", images=mode, shards=shards)
    parts = sorted(out.glob("*-of-*")) if shards > 1 else [out]
    assert len(parts) == shards
    loaded = []
    for part in parts:
        alone = part
        if shards > 1:  # as deep as it was, so that links hold; the other parts are not beside it
            alone = tmp_path / f"alone-{part.name}" / "part"
            alone.parent.mkdir()
            part.rename(alone)
        assert spar.validate(alone) == []
        for index in sorted((alone / "data_jsons").glob("*.json")):
            loaded += as_spar_loads(alone, index)
    assert len(loaded) == sum(source.splits.values())
    assert {count for _, count in loaded} == {1, 2, 3, 4, 32}
    ids = [name for name, _ in loaded]
    assert len(set(ids)) == len(ids)


def test_scenes_are_whole_in_their_part(tmp_path):
    source = everything(scenes=5, each=1)
    out = written(source, tmp_path / "out", images=ImageMode.NONE, shards=4)
    assert sorted(path.name for path in out.glob("*-of-*")) == [f"{n:05d}-of-00004" for n in range(4)]
    held = [
        {(record["source"]["dataset"], record["source"]["scene"]) for record in records(part)}
        for part in out.glob("*-of-*")
    ]
    assert sum(len(scenes) for scenes in held) == len(set().union(*held)) == 20
    assert {len(scenes) for scenes in held} == {5}
    assert spar.validate(out) == []
    few = written(everything(scenes=1, each=1), tmp_path / "few", images=ImageMode.NONE, shards=9)
    assert sorted(path.name for path in few.glob("*-of-*")) == [f"{n:05d}-of-00004" for n in range(4)]


@pytest.mark.every(4)
@pytest.mark.parametrize("mode", MODES)
def test_equal_questions_give_equal_bytes(tmp_path, mode):
    source = everything(tmp_path / "source", each=1)
    one, two = (written(source, tmp_path / name, images=mode, rgbd=True) for name in ("one", "two"))
    assert digest(one) == digest(two)


ORDERS = {
    "depth_prediction_oc_mv": ["red", "blue"],
    "depth_prediction_oo_mv": ["red", "blue", "green"],
    "distance_prediction_oo_mv": ["red", "blue"],
    "distance_prediction_oo_video": ["red", "blue"],
    "distance_infer_center_oo_mv": ["red", "green", "blue"],
    "obj_spatial_relation_oc_mv": ["green"],
    "obj_spatial_relation_oo_mv": ["blue", "green"],
    "spatial_imagination_oc_mv": ["green", "blue", "red"],
    "spatial_imagination_oo_mv": ["green", "blue", "red", "yellow"],
    "spatial_imagination_oc_video": ["green", "blue", "red"],
    "spatial_imagination_oo_video": ["green", "blue", "red", "yellow"],
}


@pytest.mark.parametrize("name", sorted(ORDERS))
def test_images_of_marks_are_named_in_the_order_that_is_drawn(tmp_path, name):
    task = spar_layout.tasks()[name]
    row = row_of(task, "sentence", 0)
    out = written(Handed({"train": [row]}), tmp_path / "out", images=ImageMode.NONE)
    (record,) = records(out)
    places = {
        mark["color"]: [f["frame"] for f in row["frames"]].index(mark["frame"]) for mark in row["marks"]
    }
    (shape,) = {mark["shape"] for mark in row["marks"]}
    field = {"point": "point", "box": "bbox"}[shape]
    assert record[f"{field}_img_idx"] == [[places[color] for color in ORDERS[name]]]
    for mark in row["marks"]:
        assert record[f"{mark['color']}_{field}"] == [mark["xy"]]
    assert list(record)[:4] == ["id", "conversations", "image", "type"]


def test_lists_and_first_images(tmp_path):
    rows = [
        row_of(spar_layout.tasks()[name], "sentence", 0)
        for name in ("distance_infer_center_oo_video", "position_matching", "depth_prediction_oc")
    ]
    out = written(Handed({"all": rows}), tmp_path / "out", images=ImageMode.NONE)
    found = {record["type"]: record for record in records(out, "spar/scannet/qa_jsonl/train/**/*.jsonl")}
    video = found["distance_infer_center_oo_video"]
    assert video["point_list"] == [[[100, 200], [101, 201], [102, 202]]]
    assert video["point_img_idx"] == [[1, 3, 5]] and "red_point" not in video
    assert found["position_matching"]["red_bbox"] == [[100, 200, 300, 400]]
    assert not [
        name for one in ("position_matching", "depth_prediction_oc") for name in found[one] if "idx" in name
    ]
    assert {row["split"] for row in spar.read_back(out)} == {"all"}
    rows[1]["marks"][0]["frame"] = rows[1]["frames"][1]["frame"]
    with pytest.raises(InputError, match="marked in its first image alone"):
        written(Handed({"all": rows}), tmp_path / "other", images=ImageMode.NONE)


def test_a_task_of_another_suite_and_a_second_release_have_their_own_folders(tmp_path):
    task = spar_layout.TaskLayout("object_counting", images=3, folder="object_counting", fill="integer")
    first, second = row_of(task, "fill", 0), row_of(task, "fill", 1)
    second["release"] = "v3"
    out = written(Handed({"train": [first, second]}), tmp_path / "out", images=ImageMode.NONE)
    assert [path.parts[-6] for path in sorted(out.glob("**/*.jsonl"))] == ["scannet", "scannet-v3"]
    assert spar.validate(out) == []


@pytest.mark.parametrize("text", ["<image>", "<video>"])
def test_a_text_with_a_token_does_not_go_in(tmp_path, text):
    row = row_of(spar_layout.tasks()["obj_count"], "sentence", 0) | {"answer": f"an {text}"}
    with pytest.raises(InputError, match=f"its text holds {text}"):
        written(Handed({"train": [row]}), tmp_path / "out", images=ImageMode.NONE)


@pytest.mark.parametrize("name", ["a/b", "..", ".x", "a%2Fb", "a\nb", "椅子"])
def test_a_name_is_one_part_of_a_path(tmp_path, name):
    row = row_of(spar_layout.tasks()["depth_prediction_oc"], "sentence", 0, scene="s")
    row["frames"][0]["frame"] = name
    for mark in row["marks"]:
        mark["frame"] = name
    out = written(Handed({"train": [row]}), tmp_path / "out", images=ImageMode.NONE)
    (path,) = records(out)[0]["image"]
    assert len(Path(path).parts) == 3 and ".." not in Path(path).parts and spar.validate(out) == []
    assert spar_layout.safe("a/b") != spar_layout.safe("a%2Fb")


def test_links_are_relative_and_move_with_their_dataset(tmp_path):
    source = everything(tmp_path / "data" / "source", each=1)
    (tmp_path / "data").mkdir()
    written(source, tmp_path / "data" / "out")
    (tmp_path / "data").rename(tmp_path / "moved")
    links = [path for path in (tmp_path / "moved/out").rglob("*") if path.is_symlink()]
    assert links and all(not os.readlink(link).startswith("/") and link.exists() for link in links)  # noqa: PTH115


@pytest.mark.parametrize(("width", "radius"), [(1296, 20), (1752, 20), (648, 10)])
def test_points_are_as_large_as_spars(tmp_path, width, radius):
    row = row_of(spar_layout.tasks()["distance_prediction_oc"], "fill", 0)
    row["marks"][0]["xy"] = [500, 500]
    source = Handed({"train": [row]}, tmp_path / "source", (width, width * 3 // 4))
    out = written(source, tmp_path / "out", images=ImageMode.DRAW)
    (record,) = records(out)
    assert record["image"] == [f"scene0001_00/marked/{row['qa_id']}-0.jpg"]
    pixels = np.asarray(Image.open(out / "spar/scannet/images" / record["image"][0]), int)
    red = (pixels[..., 0] > 180) & (pixels[..., 1] < 70)
    assert abs(red.any(axis=0).sum() - (2 * radius + 1)) <= 1
    assert np.argwhere(red).mean(axis=0) == pytest.approx((width * 3 // 8, width // 2), abs=1)


def test_marks_of_videos_have_labels_in_bright_green(tmp_path):
    row = row_of(spar_layout.tasks()["spatial_imagination_oc_video"], "sentence", 0)
    source = Handed({"train": [row]}, tmp_path / "source", (1296, 968))
    out = written(source, tmp_path / "out", images=ImageMode.DRAW)
    (record,) = records(out)
    place = record["bbox_img_idx"][0][0]
    assert record["image"][place].startswith("scene0001_00/marked/")
    pixels = np.asarray(Image.open(out / "spar/scannet/images" / record["image"][place]), int)
    green = (pixels[..., 1] > 220) & (pixels[..., 0] < 60)
    box = [v / 1000 * s for v, s in zip(record["green_bbox"][0], (1296, 968, 1296, 968), strict=True)]
    assert green[int(box[1]) - 8, int(box[0])]
    plate = (slice(int(box[3]), int(box[3]) + 44), slice(int(box[2]) + 30, int(box[2]) + 200))
    assert green[plate].mean() > 0.3 and (pixels[plate].min(axis=2) > 200).mean() > 0.03


def test_depth_poses_and_intrinsics(tmp_path):
    names = ("depth_prediction_oc", "view_change_infer", "obj_count")
    rows = [row_of(spar_layout.tasks()[name], "sentence", 0) for name in names]
    source = Handed({"train": rows}, tmp_path / "source")
    depth = tmp_path / "source/scene0001_00/depth"
    depth.mkdir(parents=True)
    values = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)
    for frame in range(0, 310, 10):
        (depth / f"{frame}.png").write_bytes(gray16_png(values))
    out = written(source, tmp_path / "out", images=ImageMode.COPY, rgbd=True)
    found = {record["type"]: record for record in records(out)}
    assert found["depth_prediction_oc"]["depth"] == ["scene0001_00/image_depth/0.png"]
    assert found["view_change_infer"]["depth"] == [f"scene0001_00/image_depth/{n}.png" for n in (0, 10)]
    assert "depth" not in found["obj_count"], "one of its 32 images has none"
    images = out / "spar/scannet/images"
    assert (np.asarray(Image.open(images / "scene0001_00/image_depth/10.png")) == values).all()
    scene = images / "scene0001_00"
    assert (np.loadtxt(scene / "pose/10.txt") == np.eye(4)).all()
    assert (np.loadtxt(scene / "video_pose/frame3_30.txt") == np.eye(4)).all()
    matrix = np.loadtxt(scene / "intrinsic/intrinsic_color.txt")
    assert matrix.shape == (4, 4) and matrix[:2, 2].tolist() == [320, 240] and matrix[0, 0] == 500
    assert (scene / "video_idx.txt").read_text().split() == [str(n) for n in range(0, 320, 10)]
    assert spar.validate(out) == []
    bare = written(source, tmp_path / "bare", images=ImageMode.NONE, rgbd=True)
    assert spar.validate(bare) == []
    (bare / "spar/scannet/images/scene0001_00/image_depth/10.png").unlink()
    (problem,) = spar.validate(bare)
    assert 'depth "scene0001_00/image_depth/10.png": not there' in problem


def test_each_folder_of_a_scene_has_the_cameras_of_its_images(tmp_path):
    """Ways have their images in a dataset's folder of their own."""
    rows = [
        row_of(spar_layout.tasks()[name], "sentence", 0, dataset="matterport3d")
        for name in ("nav", "obj_count", "depth_prediction_oc")
    ]
    rows[0]["frames"] = [{**item, "role": f"frame-{n}"} for n, item in enumerate(rows[0]["frames"])]
    out = written(Handed({"train": rows}, tmp_path / "source"), tmp_path / "out", rgbd=True)
    for dataset in ("rxr", "matterport3d"):
        scene = out / "spar" / dataset / "images/scene0001_00"
        assert (scene / "video_idx.txt").read_text().split()[:2] == ["0", "10"]
        assert (scene / "intrinsic/intrinsic_color.txt").is_file() and (scene / "video_pose").is_dir()
        assert sorted(path.name for path in (scene / "intrinsic").iterdir()) == ["intrinsic_color.txt"]
    assert spar.validate(out) == []


def test_depth_is_in_millimeters_and_turned_as_its_image_is(tmp_path):
    from spatial_assets.exports.core.base import Shot
    from spatial_assets.exports.spar.depth import Cameras
    from spatial_assets.exports.spar.tree import Tree

    folder = tmp_path / "v_undistorted_depth_images"
    folder.mkdir()
    values = (4 * np.arange(12, dtype=np.uint16)).reshape(3, 4)
    (folder / "a_d1_2.png").write_bytes(gray16_png(values))
    shot = Shot("image", "f", "v_undistorted_color_images/a_i1_2.jpg::turn90", tmp_path, ())
    target = tmp_path / "out.png"
    assert Cameras(Tree(tmp_path), ImageMode.LINK)._depth("matterport3d", shot, "out.png")
    assert (np.asarray(Image.open(target)) == np.rot90(values // 4, -1)).all()


def general(path: Path, lines: int) -> Path:
    rows = [{"id": f"g{n}", "image": f"{n}.jpg", "conversations": [{}, {}]} for n in range(lines)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_general_data_is_mixed_in_by_an_exact_share(tmp_path):
    source = everything(each=1)
    ours = source.splits["train"]
    file = general(tmp_path / "general.jsonl", 1000)
    drawn = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        out = written(source, tmp_path / name, images=ImageMode.NONE, general=file, seed=seed)
        index = json.loads((out / "data_jsons/mix_0k.json").read_text())
        entry = index["general"]
        lines = (out / entry["annotation"]).read_text().splitlines()
        assert len(lines) == entry["length"] == round(ours * 0.6 / 0.4)
        assert len(set(lines)) == len(lines) and set(lines) <= set(file.read_text().splitlines())
        assert sum(e["length"] for key, e in index.items() if key != "general") == ours
        assert (out / entry["root"]).resolve() == tmp_path
        assert spar.validate(out) == []
        drawn.append(lines)
    assert drawn[0] == drawn[1] != drawn[2]
    places = [int(json.loads(line)["id"][1:]) for line in drawn[0]]
    assert places == sorted(places) and max(places) > 900 and min(places) < 100


def test_general_data_that_does_not_do_is_one_line(tmp_path):
    source = everything(each=1)
    with pytest.raises(InputError, match=r"has 3 lines, and a share of 0\.6 beside"):
        written(source, tmp_path / "a", images=ImageMode.NONE, general=general(tmp_path / "g.jsonl", 3))
    (tmp_path / "bad.jsonl").write_text('{"conversations": []}\n{"x": 1}\n')
    with pytest.raises(InputError, match=r"bad\.jsonl: line 2 is no JSON object with conversations"):
        written(source, tmp_path / "b", images=ImageMode.NONE, general=tmp_path / "bad.jsonl")
    with pytest.raises(ValueError, match="leave --shards out"):
        written(source, tmp_path / "c", images=ImageMode.NONE, general=tmp_path / "g.jsonl", shards=2)


def test_general_data_is_looked_at_before_hours_of_images(tmp_path):
    class Unasked(Handed):
        def questions(self, split, columns=()):
            raise AssertionError("a question was asked for")

    file = tmp_path / "general.jsonl"
    file.write_text("nonsense\n")
    source = Unasked(everything(each=1).rows)
    for options in ({"shards": 2}, {}):
        with pytest.raises((ValueError, InputError), match=r"one part|line 1 is no JSON object"):
            written(source, tmp_path / f"out{len(options)}", general=file, **options)


def test_other_formats_do_not_take_its_options(released, tmp_path):
    source = ReleaseRows(released.home, "v1", limit=2)
    with pytest.raises(ValueError, match="llava does not take --rgbd"):
        export("llava", source, tmp_path / "out", Options(rgbd=True))


def test_memory_does_not_grow_with_the_rows(tmp_path):
    peaks = []
    for name, each in (("few", 20), ("many", 1000)):
        task = spar_layout.tasks()["depth_prediction_oc"]

        class Streamed(Handed):
            def questions(self, split, columns=(), each=each, task=task):
                for number in range(each):
                    yield from Handed({"train": [row_of(task, "fill", number)]}).questions(split)

        (tmp_path / name).mkdir()
        tracemalloc.start()
        spar.write(Streamed({"train": [{}]}), tmp_path / name, Options(ImageMode.NONE))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(records(tmp_path / name)) == each
    assert peaks[1] < 2 * peaks[0] + 500_000


def test_the_command(released, tmp_path):
    out = tmp_path / "out"
    words = ["export", "spar", "v1", str(out), "--home", str(released.home), "--rgbd", "--limit", "30"]
    done = CliRunner().invoke(main, [*words, "--task", "depth_prediction_oc", "--split", "train"])
    assert done.exit_code == 0, done.output
    assert {record["type"] for record in records(out)} == {"depth_prediction_oc"}
    assert not list(out.glob("spar/*/qa_jsonl/val"))
    assert list(out.glob("spar/scannet/images/*/pose/*.txt")) and spar.validate(out) == []
