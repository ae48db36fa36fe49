"""Questions as releases have them, made by hand for formats of conversations: awkward texts, many images and none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from spatial_assets.exports.core.base import Question, Shot
from spatial_assets.scene.frame_set_tables import RELEASED
from spatial_assets.scene.tables import QUESTIONS

WIDTH, HEIGHT = 64, 48
VIDEO = 32
STEM = (
    "Where is the lamp? Boxes are given as [x1, y1, x2, y2], from the top-left corner to the bottom-right one, in "
    "coordinates from 0 to 1000: x from the image's left edge to its right, y from its top edge to its bottom."
)


def row(number: int, question: str, answer: str, images: int = 1, **changed: Any) -> dict[str, Any]:
    frames = [{"role": f"frame-{place}", "frame": f"{place:04d}"} for place in range(images)]
    return {
        "qa_id": hashlib.blake2b(f"{number}".encode(), digest_size=16).hexdigest(),
        "dataset": "made", "release": "v1", "license": "CC0", "scene": f"scene{number % 3}", "task": "made_up",
        "format": "fill", "question": question, "stem": question, "instruction": None, "answer": answer,
        "options": None, "value": [1.5], "margin": 0.05, "margins": [0.05], "margin_unit": "m", "frames": frames,
        "objects": [], "marks": [], "template": "q1", "ordinal": number, "given": [], "diagnostics": None,
        "sizes": [[WIDTH, HEIGHT]] * images, "mark_pixels": None, "coordinates": None, "twin_of": None,
        "law": None, "answers": None, **changed,
    }  # fmt: skip


def slot(text: str, name: str, printed: str, image: int, xy: Sequence[float]) -> dict[str, Any]:
    begin = text.index(printed)
    return {"text": name, "begin": begin, "end": begin + len(printed), "image": image, "xy": list(xy)}


def boxed(number: int) -> dict[str, Any]:
    """A box in the stem, one in the answer."""
    stem = f"{STEM} It was at [0, 0, 500, 500] before."
    question = f"{stem} Give only the four integers in brackets, as in [87, 402, 215, 660]."
    answer = "[250, 250, 1000, 1000]"
    slots = [
        slot(question, "question", "0, 0, 500, 500", 0, [0.0, 0.0, 32.0, 24.0]),
        slot(answer, "answer", "250, 250, 1000, 1000", 1, [16.0, 12.0, 64.0, 48.0]),
    ]
    instruction = "Give only the four integers in brackets, as in [87, 402, 215, 660]."
    return row(
        number, question, answer, 2, task="position_matching", stem=stem, instruction=instruction,
        value=[250.0, 250.0, 1000.0, 1000.0], margin_unit="grid step", coordinates=slots,
    )  # fmt: skip


def cases() -> list[dict[str, Any]]:
    """Edge cases: unicode, quotes, newlines, many images, none, no options, commas in labels, coordinates."""
    options = ["a chair, the red one", "étagère “haute”", "box\twith tab", "\\back\\slash"]
    choice = (
        f"Which? A. {options[0]}; B. {options[1]}; C. {options[2]}; D. {options[3]}. Answer with a letter."
    )
    return [
        row(0, "How far is the lamp?", "1.5"),
        row(1, 'Is it a "lamp"\nor a \u2028chair 🪑?', "日本語: “ja”, 'no'\\n"),
        row(2, "What does the video show?", "a, b,c", VIDEO),
        row(3, "Which number comes next: 1, 2, 3?", "4", 0, sizes=[]),
        row(4, choice, "B", 3, format="select", options=options, stem="Which?", instruction="Answer with a letter."),
        boxed(5),
        row(6, "A <b>bold</b> & {brace} %s $x$ question", "Yes", 5, format="judge"),
        row(7, "\n\nleading lines", " trailing "),
        row(8, "Two marks", "2.0", 2, marks=[
            {"role": "red", "shape": "point", "color": "red", "frame": "0001", "xy": [500, 500]}
        ], mark_pixels=[[32.0, 24.0]]),
    ]  # fmt: skip


class MadeSource:
    """Rows of splits with images on disk."""

    def __init__(self, root: Path, **splits: Sequence[Mapping[str, Any]]) -> None:
        self.root, self._rows = root, splits
        root.mkdir(parents=True, exist_ok=True)
        for place in range(VIDEO):
            file = root / f"{place:04d}.jpg"
            if not file.exists():
                noise = np.random.default_rng(place).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
                Image.fromarray(noise).save(file)

    @property
    def splits(self) -> dict[str, int]:
        return {split: len(rows) for split, rows in self._rows.items() if rows}

    def questions(self, split: str, columns: Collection[str] = ()) -> Iterator[Question]:
        for own in self._rows[split]:
            shots = (
                Shot(shown["role"], shown["frame"], f"{shown['frame']}.jpg", self.root, tuple(
                    mark for mark in own["marks"] if mark["frame"] == shown["frame"]
                ))
                for shown in own["frames"]
            )  # fmt: skip
            yield Question(own, split, tuple(shots))

    def batches(self, split: str, columns: Collection[str], size: int = 4) -> Iterator[pa.Table]:
        rows = list(self._rows[split])
        for first in range(0, len(rows), size):
            table = pa.Table.from_pylist(rows[first : first + size], schema=QUESTIONS.schema)
            for name, kind in RELEASED.items():
                table = table.append_column(name, pa.nulls(table.num_rows, kind))
            yield table.select(
                list(
                    dict.fromkeys(
                        [*columns, "qa_id", "dataset", "release", "scene", "frames", "marks", "mark_pixels"]
                    )
                )
            )

    def shown(self, rows: pa.Table, split: str) -> Iterator[Question]:
        wanted = {own["qa_id"]: own for own in self._rows[split]}
        made = MadeSource(self.root, it=[wanted[name] for name in rows.column("qa_id").to_pylist()])
        yield from made.questions("it")


def lines(out: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for file in sorted(out.rglob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").split("\n")
        if line
    ]
