"""Run in a trainer's environment: its own preprocessing reads an export, and what it makes of it is printed as JSON.

python trainer_reads.py ms-swift OUT FILE ...         rows as templates get them, and their texts with boxes printed
python trainer_reads.py llama-factory OUT NAME ...    data sets of its `dataset_info.json`, by name
python trainer_reads.py trl OUT FILE ...              prompts with images, and what GRPO makes of the rewards
python trainer_reads.py verl OUT FILE ...             rows as they are rolled out, and their rewards
"""

from __future__ import annotations

import json
import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

WRONG = "<think>none</think><answer>no such thing</answer>"


def _ms_swift(out: str, files: list[str]) -> Any:
    """What stands before tokens are made: Qwen2.5-VL's pixels and thousandths, by the trainer's own scaling."""
    import datasets
    from PIL import Image
    from swift.dataset import AutoPreprocessor
    from swift.template import Template
    from swift.template.template_inputs import StdTemplateInputs

    class Texts(Template):
        def replace_tag(self, media_type: str, index: int, inputs: Any) -> list[str]:
            return [f"<{media_type}>"]

    told = []
    for file in files:
        rows = datasets.load_dataset("json", data_files=file, split="train")
        for row in AutoPreprocessor()(rows, strict=True, load_from_cache_file=False):
            texts = {}
            for norm in ("norm1000", "none"):
                # A template without its model: no step that is run here asks for one.
                template = Texts.__new__(Texts)
                template.norm_bbox, template.template_backend, template.task_type = norm, "swift", "causal_lm"
                inputs = StdTemplateInputs.from_dict(row)
                inputs.images = [Image.open(Path(out, image["path"])) for image in inputs.images]
                if inputs.objects:
                    template._get_height_width(inputs)
                contents = [message["content"] for message in inputs.messages]
                pieces = [template._split_special_tokens([text], [1.0])[0] for text in contents]
                flat = [piece for own in pieces for piece in [*own, "\0"]]
                made, _ = template._pre_tokenize(flat, [1.0] * len(flat), inputs)
                texts[norm] = "".join(made).split("\0")[:-1]
            told.append({"keys": sorted(row), "images": len(inputs.images), "texts": texts})
    return told


def _llama_factory(out: str, names: list[str]) -> Any:
    # Imported for audio alone; its wheels want another torch than the one without CUDA.
    audio = ModuleType("torchaudio")
    audio.__spec__ = ModuleSpec("torchaudio", None)
    sys.modules["torchaudio"] = audio
    import datasets
    from llamafactory.data.converter import get_dataset_converter
    from llamafactory.data.mm_plugin import get_mm_plugin
    from llamafactory.data.parser import get_dataset_list

    plugin = get_mm_plugin("qwen2_vl", image_token="<|image_pad|>", video_token="<|video_pad|>")
    limits = {"image_max_pixels": 768 * 768, "image_min_pixels": 32 * 32}
    told = []
    for attributes in get_dataset_list(names, out):
        place = Path(out, attributes.dataset_name)
        files = [place] if place.is_file() else sorted(place.iterdir())
        rows = datasets.load_dataset("json", data_files=[str(file) for file in files], split="train")
        convert = get_dataset_converter(attributes.formatting, attributes, SimpleNamespace(media_dir=out))
        for row in rows:
            made = convert(row)
            messages = [*made["_prompt"], *made["_response"]]
            images, videos = made["_images"] or [], made["_videos"] or []
            plugin._validate_messages(messages, images, videos, [])
            for image in plugin._regularize_images(images, **limits)["images"]:
                assert image.size == (64, 48), image.size
            frames = plugin._regularize_videos(videos, video_fps=2.0, **limits)["videos"]
            told.append({
                "messages": [(message["role"], message["content"]) for message in messages],
                "images": len(images), "videos": [len(video) for video in frames],
            })  # fmt: skip
    return told


def _completion(row: dict[str, Any], text: str | None = None) -> list[dict[str, str]]:
    said = f"<think>because</think><answer>{row['ground_truth']}</answer>" if text is None else text
    return [{"role": "assistant", "content": said}]


def _trl(out: str, files: list[str]) -> Any:
    import accelerate
    import datasets
    import torch
    from trl.data_utils import prepare_multimodal_messages
    from trl.trainer.grpo_trainer import GRPOTrainer

    from spatial_assets.rewards import trl

    os.chdir(out)
    accelerator = accelerate.Accelerator(cpu=True)
    rewards = [trl.spatial, trl.format, trl.accuracy, trl.mra]
    trainer = SimpleNamespace(
        accelerator=accelerator, reward_funcs=rewards, reward_processing_classes=[None] * len(rewards),
        reward_func_names=[reward.__name__ for reward in rewards], environments=None,
        state=SimpleNamespace(global_step=0), args=SimpleNamespace(report_to=[]),
        _log_completion_extra=None, _log_metric=None,
    )  # fmt: skip
    told = []
    for file in files:
        rows = datasets.load_dataset("json", data_files=file, split="train")
        rows = list(rows.cast_column("images", datasets.List(datasets.Image())))
        asked = [prepare_multimodal_messages(row["prompt"], row["images"]) for row in rows]
        scored = {}
        for name, text in (("right", None), ("wrong", WRONG)):
            said = [_completion(row, text) for row in rows]
            made = GRPOTrainer._calculate_rewards(trainer, rows, [row["prompt"] for row in rows], said, None)
            scored[name] = [[None if torch.isnan(x) else float(x) for x in own] for own in made]
        for place, row in enumerate(rows):
            parts = asked[place][0]["content"]
            told.append({
                "id": row["id"], "reward": row["reward"], "text": parts[-1]["text"],
                "images": [list(part["image"].size) for part in parts[:-1]],
                **{name: values[place] for name, values in scored.items()},
            })  # fmt: skip
    return told


def _verl(out: str, files: list[str]) -> Any:
    from omegaconf import OmegaConf
    from PIL import Image
    from verl.utils.dataset.rl_dataset import RLHFDataset

    from spatial_assets.rewards.verl import compute_score

    os.chdir(out)
    config = OmegaConf.create({"filter_overlong_prompts": False, "cache_dir": str(Path(out).parent / "verl")})
    # A processor is asked for where there are images; the steps that need what it does come with the model.
    read = RLHFDataset(files, tokenizer=None, config=config, processor=SimpleNamespace())
    told = []
    for place in range(len(read)):
        row = read[place]
        (message,) = row["raw_prompt"]
        parts = message["content"]
        parts = [{"type": "text", "text": parts}] if isinstance(parts, str) else parts
        truth, extra = row["reward_model"]["ground_truth"], row["extra_info"]
        said = f"<think>because</think><answer>{truth}</answer>"
        told.append({
            "id": row["index"], "data_source": row["data_source"],
            "text": "".join(part["text"] for part in parts if part["type"] == "text"),
            "images": [list(Image.open(part["image"]).size) for part in parts if part["type"] == "image"],
            "right": compute_score(row["data_source"], said, truth, extra),
            "wrong": compute_score(row["data_source"], WRONG, truth, extra),
        })  # fmt: skip
    return told


READERS = {"ms-swift": _ms_swift, "llama-factory": _llama_factory, "trl": _trl, "verl": _verl}

if __name__ == "__main__":
    # Trainers print as they go; the answer is alone in the output.
    output, sys.stdout = sys.stdout, sys.stderr
    told = READERS[sys.argv[1]](sys.argv[2], sys.argv[3:])
    print(json.dumps(told), file=output)
