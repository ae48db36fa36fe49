"""ms-swift's training: JSON lines of messages with `images`, and boxes and points as `objects` in pixels.

    <out>/<split>.jsonl, or shards of it     {"id", "messages": [{"role", "content"}, ...], "images", "objects"}

A user's message begins with one `<image>` for each image. Where a text prints a box or a point, `<bbox>` stands in its
place, brackets and all, and `objects` has where it is: `bbox`, in the order of the placeholders, in pixels of the image
that `image_id` says, not rounded. The trainer prints each as its model has it, so one export serves every model, and
what a question says of its coordinates leaves open in which units they are. Without images nothing can be scaled: then
texts print coordinates as `--coordinates` says, as do those of an export that names one.
https://github.com/modelscope/ms-swift 4.6.0, swift/template/base.py and swift/dataset/preprocessor/core.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from spatial_assets.exports.conversations import checks, jsonl
from spatial_assets.exports.conversations.jsonl import Line, tagged, turns, without_tags
from spatial_assets.exports.core.base import ColumnSource, ImageMode, Options
from spatial_assets.exports.core.columns import IMAGE, TAGS, VIDEO
from spatial_assets.exports.core.printed_coordinates import AS_PRINTED, OWN, profile, said

CARRIES = jsonl.CARRIES
TAKES = frozenset({"coordinates", "image-format"})
BOX, REF = "<bbox>", "<ref-object>"
SPECIAL = ("<cot-process>", "<start-image>")
"""What else ms-swift puts something in place of."""
USER, ASSISTANT = "user", "assistant"
REAL = "real"
DECIMALS = 3
"""Of pixels where a text is compared."""
BRACKETS = {"[": "]", "(": ")"}
OBJECTS = pl.Struct(
    {
        "ref": pl.List(pl.String),
        "bbox": pl.List(pl.List(pl.Float64)),
        "bbox_type": pl.String,
        "image_id": pl.List(pl.Int32),
    }
)


def write(source: ColumnSource, out: Path, options: Options) -> None:
    how = profile(options.coordinates or AS_PRINTED.name, options.min_pixels, options.max_pixels)
    grounds = not options.coordinates and options.images != ImageMode.NONE
    tags = (*TAGS, BOX, REF, *SPECIAL)
    rendering = grounded if grounds else None
    jsonl.write(source, out, options, _lines, how, tags=tags, rendering=rendering)


def _lines(questions: pl.DataFrame) -> pl.DataFrame:
    objects = questions["objects"] if "objects" in questions.columns else [None] * len(questions)
    return questions.select(
        pl.col("qa_id").alias("id"),
        turns("role", "content", (USER, tagged()), (ASSISTANT, pl.col("answer"))).alias("messages"),
        "images",
        pl.Series("objects", objects, OBJECTS),
    )


def grounded(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row's texts with placeholders where they print places, the objects, and the answer with these put in."""
    slots: Sequence[Mapping[str, Any]] = row["coordinates"]
    question, asked = _placed(row["question"], [slot for slot in slots if slot["text"] == "question"])
    answer, answered = _placed(row["answer"], [slot for slot in slots if slot["text"] == "answer"])
    stem = said(row["stem"], OWN)
    question = said(question, OWN)
    found = [*asked, *answered]
    objects = {
        "ref": [],
        "bbox": [list(slot["xy"]) for slot in found],
        "bbox_type": REAL,
        "image_id": [slot["image"] for slot in found],
    }
    return {
        "question": question,
        "stem": stem,
        "instruction": row["instruction"],
        "answer": answer,
        "options": row["options"],
        "objects": objects if found else None,
        "answered": _filled(answer, objects["bbox"][len(asked) :]),
    }


def _placed(text: str, slots: Sequence[Mapping[str, Any]]) -> tuple[str, list[Mapping[str, Any]]]:
    """A text with a placeholder for each place, brackets and all, and the places in its order."""
    ordered = sorted(slots, key=lambda slot: int(slot["begin"]))
    pieces, at = [], 0
    for slot in ordered:
        begin, end = slot["begin"], slot["end"]
        if BRACKETS.get(text[begin - 1 : begin]) == text[end : end + 1] != "":
            begin, end = begin - 1, end + 1
        pieces.append(text[at:begin])
        at = end
    return BOX.join([*pieces, text[at:]]), ordered


def _filled(text: str, boxes: Sequence[Sequence[float]]) -> str:
    """A text with places in pixels for its placeholders. Raises ValueError where there are more or fewer."""
    parts = text.split(BOX)
    if len(parts) != len(boxes) + 1:
        raise ValueError(f"{len(parts) - 1} {BOX} for {len(boxes)} boxes")
    places = [f"[{', '.join(str(round(value, DECIMALS)) for value in box)}]" for box in boxes]
    return "".join(part + place for part, place in zip(parts, [*places, ""], strict=True))


def parse(record: Mapping[str, Any]) -> Line:
    """What the trainer makes of a line; places in pixels where texts have placeholders."""
    asked, answered = record["messages"]
    if (asked["role"], answered["role"]) != (USER, ASSISTANT):
        raise ValueError(f"messages are from {asked['role']!r} and {answered['role']!r}")
    objects = record.get("objects") or {}
    boxes: list[list[float]] = list(objects.get("bbox") or [])
    images = list(record.get("images") or [])
    text, answer = str(asked["content"]), str(answered["content"])
    wrong = [f"the answer says {tag}" for tag in (IMAGE, VIDEO) if tag in answer]
    wrong += [
        f"a box of {len(box)} numbers, where a point has 2 and a box 4"
        for box in boxes
        if len(box) not in (2, 4)
    ]
    image_ids = objects.get("image_id") or []
    wrong += [
        f"image_id {number} for {len(images)} images" for number in image_ids if not 0 <= number < len(images)
    ]
    count = text.count(BOX)
    question = _filled(without_tags(text, [IMAGE]), boxes[:count])
    tags = {IMAGE: text.count(IMAGE), VIDEO: text.count(VIDEO)}
    return Line(record["id"], question, _filled(answer, boxes[count:]), tags, {IMAGE: images}, wrong)


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    """Rows; where a text has placeholders, with places in pixels in their places."""
    return jsonl.rows_back(path, parse)


def validate(path: Path) -> list[str]:
    """The messages, unique ids, tags against images, placeholders against boxes, answers against `ids.parquet`."""
    return checks.validate(path, parse)
