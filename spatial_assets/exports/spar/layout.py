"""Where things stand in SPAR-7M's folders, and which fields its records have, task by task: names and orders alone.

    spar/<dataset>/images/<scene>/image_color/<frame>.jpg, video_color/frame<k>_<frame>.jpg
    spar/<dataset>/images/<scene>/image_depth, video_depth, pose, video_pose, intrinsic, video_idx.txt     with depth
    spar/<dataset>/qa_jsonl/<split>/<task>/<format>/<format>_<lines>.jsonl
    data_jsons/<dataset>_<thousands>k.json                                                       the index

Beside the published folders one is ours: `marked`, with images that marks are drawn on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from spatial_assets.exports.core.base import Shot
from spatial_assets.media.image_files import ImageFile

TASKS = Path(__file__).with_name("tasks.json")
ROOT, INDEX, IMAGES, QUESTIONS = "spar", "data_jsons", "images", "qa_jsonl"
TRAIN, WHOLE = "train", "all"
"""A release that is not split is for training."""
STILL, VIDEO, MARKED = "image", "video", "marked"
PLACE = re.compile(r"(?:frame|asked)-(\d+)", re.ASCII)
"""Role of a video's frame, also of one that the question asks about."""
UNSAFE = re.compile(r"[%/\\\x00-\x1f]|^\.")
"""What a file's name cannot hold or should not begin with."""
RECORDED = ".jpg"
"""Ending of images that are no files of their own."""
COLORS = ("red", "blue", "green", "yellow")
POINT, BOX = "point", "bbox"
FIELD = {"point": POINT, "box": BOX}
"""What a mark's shape is called in the names of fields."""
COORDINATES = {POINT: 2, BOX: 4}
THOUSAND = 1000
TASKS_KEPT = 256
"""Tasks whose layouts are kept."""
IMAGES_KEPT = 16_384
"""Images whose paths are kept: the questions of some scenes show the same ones again and again."""


@dataclass(frozen=True)
class TaskLayout:
    """What SPAR-7M's records of a task hold. The table beside this says what each part means."""

    type: str
    images: int | None = None
    formats: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    of: int | None = None
    indexed: bool = True
    lists: str | None = None
    labels: tuple[str, ...] = ()
    fill: str | None = None
    folder: str = ""
    datasets: Mapping[str, str] | None = None
    published: bool = True
    """Whether it is one of SPAR's own; of others nothing is known."""

    def order(self, shape: str) -> tuple[str, ...]:
        """Colors, in the order in which the marks' images are named."""
        return self.points if shape == POINT else self.boxes

    def label(self, number: int) -> str | None:
        """What is written beside the mark of that number."""
        if not self.labels:
            return None
        if number < len(self.labels):
            return self.labels[number]
        last = self.labels[-1]
        return f"{last[:-1]}{int(last[-1]) + 1 + number - len(self.labels)}"


@cache
def tasks() -> Mapping[str, TaskLayout]:
    """SPAR's own, by type."""
    found: dict[str, TaskLayout] = {}
    for name, facts in json.loads(TASKS.read_text(encoding="utf-8"))["tasks"].items():
        held = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
        held.pop("why", None)
        found[name] = TaskLayout(type=name, **{"folder": name, **held})
    return found


@lru_cache(TASKS_KEPT)
def task(name: str) -> TaskLayout:
    """By its type or, as questions here are called, by its folder. Of a task that is not SPAR's own, that its folder is
    called as it is."""
    return tasks().get(types().get(name, name)) or TaskLayout(type=name, folder=name, published=False)


@cache
def types() -> Mapping[str, str]:
    """Type by folder, of SPAR's own."""
    return {layout.folder: name for name, layout in tasks().items()}


def split_folder(split: str) -> str:
    return TRAIN if split == WHOLE else split


def safe(name: str) -> str:
    """A name that can stand in a path as one part of it; no two names give the same."""
    return UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), name)


def kind(shots: Sequence[Shot]) -> str:
    """Whether the images are a video's, told by their roles: by the first, as either all are numbered or none."""
    return VIDEO if shots and PLACE.fullmatch(shots[0].role) else STILL


def stem(shot: Shot, kind: str) -> str:
    return _stem(kind, shot.role, shot.frame)


def _stem(kind: str, role: str, frame: str) -> str:
    found = PLACE.fullmatch(role) if kind == VIDEO else None
    return f"frame{int(found[1])}_{safe(frame)}" if found else safe(frame)


def ending(image: str | None) -> str:
    """Of the file that an image is written to."""
    if image is None:
        return RECORDED
    held = ImageFile.of(image)
    return RECORDED if held.length is not None else PurePosixPath(held.path).suffix.lower() or RECORDED


def image_path(scene: str, shot: Shot, kind: str) -> str:
    """Below `images`."""
    return _image_path(scene, kind, shot.role if kind == VIDEO else "", shot.frame, shot.image)


@lru_cache(IMAGES_KEPT)
def _image_path(scene: str, kind: str, role: str, frame: str, image: str | None) -> str:
    return f"{safe(scene)}/{kind}_color/{_stem(kind, role, frame)}{ending(image)}"


def depth_path(scene: str, shot: Shot, kind: str) -> str:
    return f"{safe(scene)}/{kind}_depth/{stem(shot, kind)}.png"


def pose_path(scene: str, shot: Shot, kind: str) -> str:
    return f"{safe(scene)}/{'video_pose' if kind == VIDEO else 'pose'}/{stem(shot, kind)}.txt"


def marked_path(scene: str, qa_id: str, number: int) -> str:
    return f"{safe(scene)}/{MARKED}/{safe(qa_id)}-{number}.jpg"


def index_name(dataset: str, split: str, rows: int) -> str:
    """Of a dataset's index; SPAR-7M has indexes of its training questions alone."""
    which = dataset if split == TRAIN else f"{dataset}_{split}"
    return f"{which}_{rows // THOUSAND}k.json"


def entry(root: str, annotation: str, length: int) -> dict[str, Any]:
    return {"root": root, "annotation": annotation, "repeat_time": 1, "length": length}
