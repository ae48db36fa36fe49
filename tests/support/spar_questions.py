"""Questions of every one of SPAR's tasks, made of the table of its fields, and their images."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from spatial_assets.exports.core.base import Question, Shot
from spatial_assets.exports.spar import layout

ANSWERS = {
    None: "the chair",
    "decimal": "1.6",
    "number": "21.5",
    "integer": "3",
    "three integers": "120, 60, 75",
    "box": "[12, 30, 700, 1000]",
    "image point and depth": "(606,69),2.8",
    "view change": "move_right:1.6,move_down:0,move_backward:0,rotate_up:15,rotate_left:75",
    "list": "chair,table,lamp,bed",
}
TEXTS = {
    "select": ("Which one? A. left; B. right. Answer with A or B.", "B"),
    "judge": ("Is it so?", "Yes"),
    "sentence": ("Where?", "It is there."),
}
INTRINSICS = (500.0, 0.0, 320.5, 0.0, 510.0, 240.5, 0.0, 0.0, 1.0)
COLORS = ("red", "blue", "green", "yellow")


def marks_of(task: layout.TaskLayout, frames: list[str]) -> list[dict[str, object]]:
    """In the order of COLORS, each color on another image where there are several; not in the order of the indexes."""
    made: list[dict[str, object]] = []
    for shape, name in ((layout.POINT, "point"), (layout.BOX, "box")):
        wanted = task.order(shape)
        if task.lists == shape:
            wanted = ("red",) * 3
        elif task.of is not None:
            wanted = sorted(wanted, key=COLORS.index)[-task.of :]
        ordered = [color for color in COLORS for want in wanted if want == color]
        for number, color in enumerate(ordered):
            place = (2 * number + 1) % len(frames) if task.indexed else 0
            xy = [100 + number, 200 + number] + ([300 + number, 400] if name == "box" else [])
            made.append({"role": color, "shape": name, "color": color, "frame": frames[place], "xy": xy})
    return made


def row_of(
    task: layout.TaskLayout, form: str, number: int, dataset: str = "scannet", scene: str = "scene0001_00"
) -> dict[str, object]:
    count = task.images or 4
    frames = [str(10 * index + number % 2) for index in range(count)]
    roles = [f"frame-{index}" if count > 10 else f"view-{index}" for index in range(count)]
    question, answer = TEXTS.get(form, ("How much?", ANSWERS[task.fill]))
    return {
        "qa_id": hashlib.blake2b(
            f"{task.type}{form}{number}{dataset}{scene}".encode(), digest_size=16
        ).hexdigest(),
        "dataset": dataset,
        "release": "v2",
        "license": "terms",
        "scene": scene,
        "task": task.folder,
        "format": form,
        "question": question,
        "answer": answer,
        "frames": [{"role": role, "frame": frame} for role, frame in zip(roles, frames, strict=True)],
        "marks": marks_of(task, frames),
    }


@dataclass
class Handed:
    """Rows of each split, as a release would hand them on; their images are below `root` where it is given."""

    rows: dict[str, list[dict[str, object]]]
    root: Path | None = None
    size: tuple[int, int] = (64, 48)
    drawn: set[str] = field(default_factory=set)

    @property
    def splits(self) -> dict[str, int]:
        return {split: len(rows) for split, rows in self.rows.items()}

    def questions(self, split: str, columns=()):
        for row in self.rows[split]:
            shots = tuple(self._shot(row, item) for item in row["frames"])
            yield Question(row, split, shots)

    def _shot(self, row, item) -> Shot:
        image = f"{row['scene']}/color/{item['frame']}.jpg"
        if self.root is not None and image not in self.drawn:
            self.drawn.add(image)
            (self.root / image).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((self.size[1], self.size[0], 3), 128, np.uint8)).save(self.root / image)
        marks = tuple(mark for mark in row["marks"] if mark["frame"] == item["frame"])
        pose = tuple(np.eye(4).ravel().tolist())
        return Shot(item["role"], item["frame"], image, self.root, marks, INTRINSICS, pose)


FIRST = {"train": 0, "val": 100}
"""The number of a split's first scene."""


def everything(
    root: Path | None = None, scenes: int = 2, each: int = 2, splits: Sequence[str] = tuple(FIRST)
) -> Handed:
    """All tasks, formats and splits; by task, dataset and scene, as a release has them."""
    rows: dict[str, list[dict[str, object]]] = {split: [] for split in splits}
    for split in splits:
        first = FIRST[split]
        for task in sorted(layout.tasks().values(), key=lambda task: task.type):
            dataset = next(iter(task.datasets or {"scannet": ""}))
            for scene in range(first, first + scenes):
                for form in sorted(task.formats):
                    rows[split] += [
                        row_of(task, form, number, dataset, f"scene{scene:04d}_00") for number in range(each)
                    ]
    return Handed(rows, root)
