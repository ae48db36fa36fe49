"""The libraries themselves read what is exported, each in an environment of its own that is no dependency of ours."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from chat_cases import MadeSource, cases
from tool_env import tool_python

from spatial_assets.exports import registry
from spatial_assets.exports.core.base import ImageFormat, ImageMode, Options
from spatial_assets.scene.tables import QUESTIONS

pytestmark = pytest.mark.prove
SUPPORT = Path(__file__).parents[2] / "support"
NEWEST, OLD = "5.2.0", "3.6.0"
"""Of `datasets`; lists of records are features of another kind from 4 on."""
SHARED = (
    "aiohttp", "filelock", "httpx", "numpy", "packaging", "pandas", "pillow", "pyarrow", "pyyaml", "requests",
    "tqdm", "xxhash",
)  # fmt: skip
NEEDS = {
    NEWEST: (*SHARED, "dill", "fsspec", "huggingface-hub", "multiprocess"),
    OLD: (*SHARED, "dill<0.3.9", "fsspec<=2025.3.0", "huggingface-hub<1", "multiprocess<0.70.17"),
}
LINES = ("qwen-vl", "internvl", "llama-factory", "ms-swift", "grpo")
MIXED = ("llava", "openai-messages")
"""Keys that hold a text in one record and a list in another, or other keys in each, as their trainers have it: versions
of `datasets` before 4 have no feature for that."""


def written(form, folder, images=ImageMode.DRAW, **options):
    folder.mkdir(parents=True)
    source = MadeSource(folder.parent / "source", train=cases()[:6], val=cases()[6:])
    registry.export_format(form).write(source, folder, Options(images, **options))
    return folder


def run(python, script, cache, *words):
    """What the script printed. Nothing is fetched, and nothing is kept outside `cache`."""
    environment = {**os.environ, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [str(python), str(SUPPORT / script), *map(str, words)],
        capture_output=True, text=True, check=False, env=environment, cwd=cache.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def datasets_python(version):
    return tool_python(f"datasets-{version}", (f"datasets=={version}",), NEEDS[version], ("datasets", "PIL"))


def without_nulls(value):
    """Fields that only other records of a file have come as null."""
    if isinstance(value, dict):
        return {key: without_nulls(held) for key, held in value.items() if held is not None}
    return [without_nulls(held) for held in value] if isinstance(value, list) else value


def records(file):
    text = file.read_text(encoding="utf-8")
    return (
        json.loads(text)
        if file.suffix == ".json"
        else [json.loads(line) for line in text.split("\n") if line]
    )


@pytest.mark.parametrize("version", [NEWEST, OLD])
@pytest.mark.parametrize("form", list(ImageFormat))
def test_datasets_opens_the_folder_with_its_images(tmp_path, version, form):
    out = written("hf", tmp_path / "out", image_format=form, shards=2)
    told = run(datasets_python(version), "datasets_reads.py", tmp_path / "cache", "folder", out)
    assert told["version"] == version and told["streamed"] == {"train": 6, "val": 3}
    rows = [row for split in told["rows"].values() for row in split]
    for number, (own, made) in enumerate(zip(rows, cases(), strict=True)):
        images = own.pop("images")
        assert [image["size"] for image in images] == [list(size) for size in made["sizes"]]
        assert own == {
            **{name: made[name] for name in QUESTIONS.schema.names},
            "split": "train" if number < 6 else "val",
        }
        kinds = {image["format"] for image in images}
        assert kinds <= {"JPEG", form.name} and (form.name in kinds or not made["marks"])


@pytest.mark.parametrize("version", [NEWEST, OLD])
@pytest.mark.parametrize("mode", [ImageMode.LINK, ImageMode.NONE])
def test_datasets_opens_the_folder_with_links_and_without_images(tmp_path, version, mode):
    out = written("hf", tmp_path / "out", mode)
    told = run(datasets_python(version), "datasets_reads.py", tmp_path / "cache", "folder", out)
    rows = [row for split in told["rows"].values() for row in split]
    assert [len(row.get("images", [])) for row in rows] == [
        len(made["frames"]) if mode == ImageMode.LINK else 0 for made in cases()
    ]
    assert all((out / path).is_file() for row in rows for path in row.get("images", []))


@pytest.mark.parametrize(
    ("version", "form"), [*((NEWEST, form) for form in (*LINES, *MIXED)), *((OLD, form) for form in LINES)]
)
def test_datasets_reads_every_file_of_records(tmp_path, version, form):
    out = written(form, tmp_path / form)
    files = [file for end in ("*.jsonl", "train.json", "val.json") for file in sorted(out.rglob(end))]
    told = run(datasets_python(version), "datasets_reads.py", tmp_path / "cache", "json", *files)
    assert told.pop("version") == version and len(told) == len(files) >= 2
    for file in files:
        assert without_nulls(told[str(file)]) == without_nulls(records(file)), file.name


@pytest.mark.parametrize("mode", [ImageMode.DRAW, ImageMode.NONE])
def test_webdataset_reads_each_tar_alone(tmp_path, mode):
    python = tool_python(
        "webdataset",
        ("webdataset==1.0.2",),
        ("braceexpand", "numpy", "pillow", "pyyaml"),
        ("webdataset", "PIL"),
    )
    out = written("webdataset", tmp_path / "out", mode, shards=3, image_format=ImageFormat.PNG)
    (tmp_path / "cache").mkdir()
    rows = []
    for tar in sorted(out.glob("*.tar")):
        alone = tmp_path / "alone" / tar.name
        alone.parent.mkdir(exist_ok=True)
        tar.rename(alone)
        rows += run(python, "webdataset_reads.py", tmp_path / "cache", alone)["rows"]
    assert [own["key"] for own in rows] == [made["qa_id"] for made in cases()]
    for own, made in zip(rows, cases(), strict=True):
        assert {name: own["row"][name] for name in QUESTIONS.schema.names} == made
        sizes = made["sizes"] if mode == ImageMode.DRAW else []
        assert list(own["images"].values()) == [list(size) for size in sizes]
        assert [key.partition(".")[0] for key in own["images"]] == [
            str(number) for number in range(len(sizes))
        ]
