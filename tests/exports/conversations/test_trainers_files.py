"""What stands beside the lines for each trainer, and its own steps on the lines, written from its source."""

from __future__ import annotations

import json
import re
import runpy

from chat_cases import HEIGHT, VIDEO, WIDTH, MadeSource, cases, lines

from spatial_assets.exports.conversations import internvl, llama_factory, openai_messages, qwen_vl
from spatial_assets.exports.core.base import ImageMode, Options


def written(chosen, folder, images=ImageMode.COPY, **options):
    folder.mkdir(parents=True)
    source = MadeSource(folder.parent / "source", train=cases()[:6], val=cases()[6:])
    chosen.write(source, folder, Options(images, **options))
    return folder


def test_qwens_registry_leads_to_files_that_its_steps_take(tmp_path):
    out = written(qwen_vl, tmp_path / "out", shards=2)
    entries = runpy.run_path(str(out / "registry.py"))["data_dict"]
    assert len(entries) == 4 and all(re.fullmatch(r"\w+", name) for name in entries)
    counts = []
    for entry in entries.values():
        with open(entry["annotation_path"]) as file:  # noqa: PTH123
            for item in [json.loads(line) for line in file]:
                images = item.get("image") or []
                pool = [f"{entry['data_path']}/{image}" for image in images]
                for turn in item["conversations"]:
                    if turn["from"] == "human":
                        for part in re.split(r"(<image>|<video>)", turn["value"]):
                            if part == "<image>":
                                pool.pop(0)
                assert pool == []
                counts.append(len(images))
    assert len(counts) == len(cases()) and max(counts) == VIDEO and min(counts) == 0


def test_llama_factorys_info_names_its_columns_and_videos_are_lists_of_frames(tmp_path):
    out = written(llama_factory, tmp_path / "out")
    info = json.loads((out / "dataset_info.json").read_text())
    assert [entry["file_name"] for entry in info.values()] == ["train.jsonl", "val.jsonl"]
    columns = next(iter(info.values()))["columns"]
    videos = 0
    for line in lines(out):
        text = line[columns["messages"]][0]["value"]
        assert text.count("<image>") == len(line[columns["images"]])
        assert text.count("<video>") == len(line[columns["videos"]])
        for frames in line[columns["videos"]]:
            assert len(frames) == VIDEO and all((out / frame).is_file() for frame in frames)
            videos += 1
    assert videos == 1
    parted = written(llama_factory, tmp_path / "parted/out", shards=2)
    info = json.loads((parted / "dataset_info.json").read_text())
    assert [entry["file_name"] for entry in info.values()] == ["train", "val"]
    assert sorted(path.name for path in (parted / "train").iterdir()) == [
        "train-00000-of-00002.jsonl", "train-00001-of-00002.jsonl"
    ]  # fmt: skip


def test_internvls_meta_counts_and_sizes_are_those_of_the_images(tmp_path):
    out = written(internvl, tmp_path / "out")
    meta = json.loads((out / "meta.json").read_text())
    assert {name: entry["length"] for name, entry in meta.items()} == {
        "spatial_assets_train": 6, "spatial_assets_val": len(cases()) - 6
    }  # fmt: skip
    for line in lines(out):
        assert line["width_list"] == [WIDTH] * len(line["image"])
        assert line["height_list"] == [HEIGHT] * len(line["image"])
    file = out / "train.jsonl"
    file.write_text(file.read_text().replace('"width_list":[64]', '"width_list":[64,64]', 1))
    assert internvl.validate(out) == ["train.jsonl: line 1: 2 in width_list for 1 images"]


def test_openais_parts_have_no_key_that_is_null(tmp_path):
    for line in lines(written(openai_messages, tmp_path / "out")):
        user, assistant = line["messages"]
        assert [part.keys() for part in assistant["content"]] == [{"type", "text"}]
        for part in user["content"]:
            assert part.keys() == {"type", part["type"]}
        assert [part["type"] for part in user["content"]][-1] == "text"
