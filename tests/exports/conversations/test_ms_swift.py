"""ms-swift's lines: places are objects in pixels, which its own normalization brings to what a model's text prints."""

from __future__ import annotations

import pytest
from chat_cases import HEIGHT, WIDTH, MadeSource, boxed, cases, lines, row, slot
from PIL import Image

from spatial_assets.exports.conversations import ms_swift
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.scene.model import InputError


def written(folder, rows, images=ImageMode.COPY, **options):
    folder.mkdir(parents=True)
    ms_swift.write(MadeSource(folder.parent / "source", train=rows), folder, Options(images, **options))
    return folder


def as_the_trainer_prints(line, out):
    """Its steps for models with thousandths: boxes by the size of their image, one for each placeholder."""
    objects = line["objects"] or {"bbox": [], "image_id": []}
    boxes = []
    for box, number in zip(objects["bbox"], objects["image_id"], strict=True):
        with Image.open(out / line["images"][number]) as image:
            boxes.append([round(value / image.size[axis % 2] * 1000) for axis, value in enumerate(box)])
    left = iter(boxes)
    texts = []
    for message in line["messages"]:
        parts = message["content"].split("<bbox>")
        texts.append(parts[0] + "".join(str(next(left)) + part for part in parts[1:]))
    assert next(left, None) is None
    return texts


def test_places_become_objects_and_come_back_as_the_row_prints_them(tmp_path):
    own = boxed(1)
    out = written(tmp_path / "out", [own, row(2, "How far?", "1.5")])
    line, plain = lines(out)
    assert line["messages"][1]["content"] == "<bbox>"
    assert line["objects"] == {
        "ref": [], "bbox": [[0.0, 0.0, 32.0, 24.0], [16.0, 12.0, 64.0, 48.0]], "bbox_type": "real", "image_id": [0, 1]
    }  # fmt: skip
    asked, answered = as_the_trainer_prints(line, out)
    assert answered == own["answer"] and "[0, 0, 500, 500] before" in asked
    assert "from 0 to 1000" not in asked and "in image coordinates" in asked
    assert plain["objects"] is None and plain["messages"][0]["content"] == "<image>\nHow far?"
    assert ms_swift.validate(out) == []
    back = list(ms_swift.read_back(out))
    assert back[0]["answer"] == "[16.0, 12.0, 64.0, 48.0]" and back[1]["answer"] == "1.5"


def test_points_stand_without_their_brackets(tmp_path):
    answer = "(250,500),2.8"
    own = row(1, "Where?", answer, coordinates=[slot(answer, "answer", "250,500", 0, [16.0, 24.0])])
    (line,) = lines(written(tmp_path / "out", [own]))
    assert line["messages"][1]["content"] == "<bbox>,2.8" and line["objects"]["bbox"] == [[16.0, 24.0]]


@pytest.mark.parametrize("options", [{"coordinates": "pixels"}, {"images": ImageMode.NONE}])
def test_without_images_or_with_a_convention_texts_print_numbers(tmp_path, options):
    line = lines(written(tmp_path / "out", [boxed(1)], **options))[0]
    wanted = "[16, 12, 64, 48]" if "coordinates" in options else "[250, 250, 1000, 1000]"
    assert line["objects"] is None and line["messages"][1]["content"] == wanted
    assert WIDTH == 64 and HEIGHT == 48


def test_a_swapped_box_and_a_lost_placeholder_are_found(tmp_path):
    out = written(tmp_path / "out", [boxed(1), boxed(2)])
    file = out / "train.jsonl"
    text = file.read_text()
    file.write_text(text.replace("[16.0,12.0,64.0,48.0]", "[16.0,12.0,64.0,47.0]", 1))
    assert len(ms_swift.validate(out)) == 1 and "where ids.parquet has" in ms_swift.validate(out)[0]
    file.write_text(text.replace('"content":"<bbox>"', '"content":"there"', 1))
    assert ms_swift.validate(out) == ["train.jsonl: line 1: not as the format has it: 0 <bbox> for 1 boxes"]


def test_a_placeholder_in_a_text_is_rejected(tmp_path):
    with pytest.raises(InputError, match="<bbox>"):
        written(tmp_path / "out", [*cases(), row(50, "What is <bbox>?", "a tag")])
