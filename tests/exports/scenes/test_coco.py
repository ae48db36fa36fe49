"""COCO's boxes: each image's are the lake's, images and annotations refer to each other, each damage is told."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import release_rows
from chat_cases import MadeSource, cases
from digests import digest
from PIL import Image

from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.exports.scenes import coco
from spatial_assets.scene.categories import is_structure
from spatial_assets.scene.model import InputError
from spatial_assets.scene.tables import OBJECTS, VISIBILITY
from spatial_assets.storage.lake import Lake

MODES = [ImageMode.LINK, ImageMode.COPY, ImageMode.NONE]


def written(home, out, images=ImageMode.COPY, **narrowed):
    made = export("coco", ReleaseRows(home, "v1", **narrowed), out, Options(images))
    return made, {
        file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(out.glob("*.json"))
    }


def shown(home):
    """Split, scene and frame of everything that the release's questions show."""
    source = ReleaseRows(home, "v1")
    return {
        (split, question.row["scene"], entry["frame"])
        for split in source.splits
        for question in source.questions(split)
        for entry in question.row["frames"]
    }


def truth(home):
    """By scene and frame what the lake says is seen, objects alone."""
    lake = Lake(home)
    found = {}
    for shard in lake.shards(VISIBILITY):
        names = {
            (row["scene"], row["instance"]): (row["category"], row["label"])
            for row in lake.read(OBJECTS, shard).iter_rows(named=True)
        }
        for row in lake.read(VISIBILITY, shard).iter_rows(named=True):
            name = names[row["scene"], row["instance"]]
            if row["visible_px"] and not is_structure(name[0]):
                found.setdefault((row["scene"], row["frame"]), {})[row["instance"]] = (*name, row)
    return found


@pytest.mark.parametrize("mode", MODES)
def test_boxes_are_those_of_the_lake(released, tmp_path, mode):
    made, found = written(released.home, tmp_path / "out", mode)
    seen, wanted = set(), truth(released.home)
    boxes = 0
    for split, content in found.items():
        categories = {entry["id"]: entry["name"] for entry in content["categories"]}
        assert list(categories.values()) == sorted(categories.values()) and not any(
            map(is_structure, categories.values())
        )
        licenses = {entry["id"]: entry["name"] for entry in content["licenses"]}
        by_image = {}
        for box in content["annotations"]:
            by_image.setdefault(box["image_id"], {})[box["instance"]] = box
        for image in content["images"]:
            seen.add((split, image["scene"], image["frame"]))
            own = by_image.get(image["id"], {})
            there = wanted.get((image["scene"], image["frame"]), {})
            assert own.keys() == there.keys() and licenses[image["license"]]
            for instance, (category, label, row) in there.items():
                box = own[instance]
                x, y, width, height = box["bbox"]
                assert [x, y, x + width, y + height] == pytest.approx(row["box"])
                assert (categories[box["category_id"]], box["label"], box["area"]) == (
                    category,
                    label,
                    row["visible_px"],
                )
                assert box["visible_share"] == pytest.approx(row["visible_px"] / row["amodal_px"], abs=1e-6)
                assert box["visible_share"] + box["occluded_share"] == pytest.approx(1)
                assert box["iscrowd"] == 0
                boxes += 1
            if mode != ImageMode.NONE:
                with Image.open(tmp_path / "out" / image["file_name"]) as opened:
                    assert opened.size == (image["width"], image["height"])
    assert seen == shown(released.home) and boxes > 100
    assert made.splits == {split: len(content["images"]) for split, content in found.items()}
    numbers = [image["id"] for content in found.values() for image in content["images"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert coco.validate(tmp_path / "out") == []
    assert (tmp_path / "out/images").exists() == (mode != ImageMode.NONE)


def test_it_comes_back(released, tmp_path):
    _, found = written(released.home, tmp_path / "out")
    back = list(coco.read_back(tmp_path / "out"))
    assert {(row["split"], row["scene"], row["frame"]) for row in back} == shown(released.home)
    assert {
        tuple(row[name] for name in ("split", "dataset", "release", "scene", "license")) for row in back
    } == release_rows.scenes(ReleaseRows(released.home, "v1"))
    assert sum(len(row["boxes"]) for row in back) == sum(
        len(content["annotations"]) for content in found.values()
    )
    assert set(coco.CARRIES) <= set(back[0])


def test_equal_releases_give_equal_bytes_and_a_limit_gives_fewer_images(released, tmp_path):
    one, _ = written(released.home, tmp_path / "a", limit=8)
    written(released.home, tmp_path / "b", limit=8)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    whole, _ = written(released.home, tmp_path / "c", ImageMode.NONE)
    assert 0 < one.rows < whole.rows


def test_the_boxes_cover_what_the_instance_image_shows(bench, tmp_path):
    """Against the lake's instance images, which are drawn pixel by pixel."""
    _, found = written(bench.home, tmp_path / "out", ImageMode.NONE)
    compared = 0
    for content in found.values():
        (row,) = {
            tuple(image[name] for name in ("dataset", "release", "scene")) for image in content["images"]
        }
        known = bench.source.truth(dict(zip(("dataset", "release", "scene"), row, strict=True)))
        for image in content["images"][:10]:
            pixels = known.instance_image(image["frame"])
            for box in (box for box in content["annotations"] if box["image_id"] == image["id"]):
                rows, columns = np.nonzero(pixels == box["instance"])
                x, y, width, height = box["bbox"]
                assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (
                    x,
                    y,
                    x + width,
                    y + height,
                )
                assert len(rows) == box["area"]
                compared += 1
    assert compared > 30


def test_each_damage_is_told(released, tmp_path):
    written(released.home, tmp_path / "whole")
    (first, *_) = sorted((tmp_path / "whole").glob("*.json"))

    def swapped(content):
        one, other = content["annotations"][0], content["annotations"][-1]
        one["bbox"], other["bbox"] = other["bbox"], one["bbox"]
        one["area"] = other["area"] = 1

    damages = {
        "swapped": (swapped, f"other boxes than {coco.IDS} has"),
        "fewer boxes": (lambda content: content["annotations"].pop(), "boxes, where"),
        "fewer images": (lambda content: content["images"].pop(), "is not there"),
        "outside": (lambda content: content["annotations"][0]["bbox"].__setitem__(0, 1e5), "leaves the image"),
        "no extent": (lambda content: content["annotations"][0]["bbox"].__setitem__(2, 0), "has no extent"),
        "no category": (lambda content: content["annotations"][0].update(category_id=999), "category 999 is not there"),
        "twice": (lambda content: content["annotations"][1].update(id=1), "its id is another's"),
        "area": (lambda content: content["annotations"][0].update(area=1e9), "is more than its bbox holds"),
        "size": (lambda content: content["images"][0].update(width=9), "not 9 x"),
        "no boxes": (lambda content: content.pop("annotations"), "no list of annotations"),
    }  # fmt: skip
    for damage, (change, said) in damages.items():
        out = tmp_path / damage
        shutil.copytree(tmp_path / "whole", out)
        content = json.loads((out / first.name).read_text(encoding="utf-8"))
        change(content)
        (out / first.name).write_text(json.dumps(content), encoding="utf-8")
        errors = coco.validate(out)
        assert any(said in error for error in errors), (damage, errors)
    out = tmp_path / "cut"
    shutil.copytree(tmp_path / "whole", out)
    (out / first.name).write_bytes((out / first.name).read_bytes()[:-20])
    assert any("not JSON" in error for error in coco.validate(out))
    with pytest.raises(InputError):
        list(coco.read_back(out))
    (out / first.name).unlink()
    assert f"{first.name}: not there" in coco.validate(out)
    image = json.loads((tmp_path / "whole" / first.name).read_text(encoding="utf-8"))["images"][0][
        "file_name"
    ]
    (tmp_path / "whole" / image).unlink()
    assert coco.validate(tmp_path / "whole") == [f"{first.name}: image 1: {image}: not there"]


def test_questions_without_their_scenes_are_not_enough(tmp_path):
    with pytest.raises(TypeError, match="scenes of a release"):
        coco.write(MadeSource(tmp_path / "source", train=cases()), tmp_path, Options(ImageMode.NONE))
