"""Trainers' own preprocessing reads what is exported for them, each in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from chat_cases import HEIGHT, VIDEO, WIDTH, MadeSource, cases, row
from tool_env import tool_python

from spatial_assets.exports import registry
from spatial_assets.exports.core.base import ImageMode, Options

pytestmark = pytest.mark.prove
ROOT = Path(__file__).parents[3]
SUPPORT = ROOT / "tests/support"
SHARED = ("accelerate", "numpy", "pillow", "torch==2.13.0")
ENVIRONMENTS = {
    "ms-swift": (
        ("ms-swift==4.6.0",),
        (*SHARED, "datasets<4.8.5", "json-repair", "modelscope", "peft<0.21", "transformers<5.20"),
        ("swift.dataset", "swift.template"),
    ),
    "llama-factory": (
        ("llamafactory==0.9.5",),
        (*SHARED, "datasets<=4.0.0", "peft<=0.18.1", "transformers<=5.6.0"),
        ("datasets", "torch", "transformers"),
    ),
    "trl": (
        ("trl==1.16.0",),
        (*SHARED, "datasets", "jinja2", "transformers"),
        ("trl.data_utils", "trl.trainer.grpo_trainer"),
    ),
    "verl": (
        ("verl==0.9.1",),
        (*SHARED, "datasets", "omegaconf", "ray", "tensordict", "transformers"),
        ("verl.utils.dataset.rl_dataset",),
    ),
}
"""Of each tool what is installed alone, what it needs with all that these need, and what must load."""


def rows():
    """The edge cases, and a number, which has a reward of its own."""
    return [*cases(), row(9, "How far is it in meters?", "2.5", 1, task="object_abs_distance")]


def written(form, folder, **options):
    folder.mkdir(parents=True)
    made = rows()
    source = MadeSource(folder.parent / "source", train=made[:6], val=made[6:])
    registry.export_format(form).write(source, folder, Options(ImageMode.DRAW, **options))
    return folder


def read(tool, out, words):
    """What the trainer's steps made of an export. Nothing is fetched, and nothing is kept outside its folder."""
    cache = out.parent / "cache"
    environment = {
        **os.environ, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "1", "MODELSCOPE_CACHE": str(cache),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    done = subprocess.run(
        [str(tool_python(tool, *ENVIRONMENTS[tool])), str(SUPPORT / "trainer_reads.py"), tool, str(out), *words],
        capture_output=True, text=True, check=False, env=environment, cwd=out.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("shards", [1, 2])
def test_ms_swift_prints_boxes_in_its_models_units(tmp_path, shards):
    out = written("ms-swift", tmp_path / "out", shards=shards)
    told = read("ms-swift", out, map(str, sorted(out.glob("*.jsonl"))))
    assert len(told) == len(rows())
    for own, made in zip(told, rows(), strict=True):
        assert own["images"] == len(made["frames"]) and {"messages", "images", "objects"} <= set(own["keys"])
        asked, answered = own["texts"]["none"]
        tags = "<image>\n" * len(made["frames"])
        if made["coordinates"] is None:
            assert own["texts"]["norm1000"] == [asked, answered] == [tags + made["question"], made["answer"]]
            continue
        # The rows' thousandths: of an image of 64 x 48, (16, 12) to (64, 48).
        assert (WIDTH, HEIGHT) == (64, 48) and answered == "[(16,12),(64,48)]"
        assert "It was at [(0,0),(32,24)] before." in asked and "coordinates from 0 to 1000" not in asked
        asked, answered = own["texts"]["norm1000"]
        assert answered == "[(250,250),(1000,1000)]" and "It was at [(0,0),(500,500)] before." in asked


@pytest.mark.parametrize("shards", [1, 2])
def test_llama_factory_finds_its_images_and_counts_as_many_tags(tmp_path, shards):
    out = written("llama-factory", tmp_path / "out", shards=shards)
    told = read("llama-factory", out, ["spatial_assets_train", "spatial_assets_val"])
    for own, made in zip(told, rows(), strict=True):
        shown = len(made["frames"])
        video = shown == VIDEO
        assert own["videos"] == ([shown] if video else []) and own["images"] == (0 if video else shown)
        tags = "<video>\n" if video else "<image>\n" * shown
        assert own["messages"] == [["user", tags + made["question"]], ["assistant", made["answer"]]]


def test_trl_puts_images_into_prompts_and_takes_the_rewards(tmp_path):
    out = written("grpo", tmp_path / "out")
    told = read("trl", out, [str(out / "trl-train.jsonl"), str(out / "trl-val.jsonl")])
    for own, made in zip(told, rows(), strict=True):
        assert (own["id"], own["text"], own["images"]) == (made["qa_id"], made["question"], made["sizes"])
        assert own["right"][:2] == [1.0, 1.0] and own["wrong"][:2] == [0.0, 1.0]
        # Those that a row does not name are left out of its sum.
        assert own["right"][2:] == [1.0 if own["reward"] == name else None for name in ("accuracy", "mra")]
    assert {"accuracy", "mra", "box"} <= {own["reward"] for own in told}


def test_verl_puts_images_where_tags_stand_and_takes_the_score(tmp_path):
    out = written("grpo", tmp_path / "out")
    told = read("verl", out, [str(out / "verl-train.jsonl"), str(out / "verl-val.jsonl")])
    for own, made in zip(told, rows(), strict=True):
        assert (own["id"], own["images"]) == (made["qa_id"], made["sizes"])
        assert own["text"] == "\n" * len(made["frames"]) + made["question"]
        assert own["data_source"] == f"spatial_assets/{made['task']}"
        assert own["right"] == {"score": 1.0, "accuracy": 1.0, "format": 1.0}
        assert own["wrong"] == {"score": 0.0, "accuracy": 0.0, "format": 1.0}
