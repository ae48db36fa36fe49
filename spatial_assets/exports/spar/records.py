"""SPAR's records: one made of a question, and the question's columns made of one.

A record has SPAR's own fields, which its loader and its drawing program read, and one of ours, `source`, which says
where it comes from and in which order the question's marks stood. Readers of SPAR ignore it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spatial_assets.exports.core.base import Question
from spatial_assets.exports.spar import layout
from spatial_assets.exports.spar.layout import BOX, FIELD, POINT, TaskLayout
from spatial_assets.scene.model import InputError

TOKENS = ("<image>", "<video>")
"""What the loader puts before a question, once for each image, unless one is there already."""
SOURCE = "source"
FROM_THE_ROW = ("qa_id", "dataset", "release", "license", "format", "frames")
"""Columns that stand in `source` as they are."""
READ = frozenset({*FROM_THE_ROW, "scene", "task", "question", "answer", "marks"})
"""Columns that a record is made of."""
CARRIES = READ | {"split"}


def record(question: Question, number: int, images: Sequence[str], depths: Sequence[str]) -> dict[str, Any]:
    """`images` and `depths` are below the dataset's folder of images; no depths where not all images have one.

    Raises InputError for a question that SPAR's fields cannot hold.
    """
    row, task = question.row, layout.task(question.row["task"])
    for text in (row["question"], row["answer"]):
        for token in TOKENS:
            if token in text:
                raise InputError(
                    row["qa_id"], f"its text holds {token}, which stands for images", "malformed_row"
                )
    made: dict[str, Any] = {
        "id": f"{row['scene']}_{number}",
        "conversations": [
            {"from": "human", "value": row["question"]},
            {"from": "gpt", "value": row["answer"]},
        ],
        "image": list(images),
        "type": task.type,
    }
    if depths:
        made["depth"] = list(depths)
    made |= _marks(row, task)
    made[SOURCE] = {
        "split": question.split,
        "scene": row["scene"],
        **{name: row[name] for name in FROM_THE_ROW},
        "marks": [
            {name: mark[name] for name in ("role", "shape", "color", "frame")} for mark in row["marks"]
        ],
    }
    return made


def _marks(row: Mapping[str, Any], task: TaskLayout) -> dict[str, Any]:
    """The fields of the marks: coordinates by color or as lists, then the images that they are on."""
    found: dict[str, Any] = {}
    if not row["marks"]:
        return found
    place = {item["frame"]: index for index, item in reversed(list(enumerate(row["frames"])))}
    where: dict[str, list[tuple[int, int]]] = {}
    for mark in row["marks"]:
        shape = FIELD[mark["shape"]]
        if task.lists == shape:
            found.setdefault(f"{shape}_list", [[]])[0].append(list(mark["xy"]))
            rank = 0
        else:
            found.setdefault(f"{mark['color']}_{shape}", []).append(list(mark["xy"]))
            rank = _rank(task.order(shape), mark["color"])
        where.setdefault(shape, []).append((rank, place[mark["frame"]]))
    several = len(row["frames"]) > 1
    for shape, places in where.items():
        if several and task.indexed:
            found[f"{shape}_img_idx"] = [[image for _, image in sorted(places, key=lambda pair: pair[0])]]
        elif any(image for _, image in places):
            raise InputError(
                row["qa_id"],
                f"{row['task']} is marked in its first image alone, and this is not",
                "malformed_row",
            )
    return found


def _rank(order: Sequence[str], color: str) -> int:
    return order.index(color) if color in order else len(order)


def columns(made: Mapping[str, Any]) -> dict[str, Any]:
    """What `CARRIES` names, of a record. Raises KeyError, TypeError, ValueError or IndexError for another's."""
    source = made[SOURCE]
    asked, answered = (turn["value"] for turn in made["conversations"])
    return {
        **{name: source[name] for name in (*FROM_THE_ROW, "split", "scene")},
        "task": layout.task(made["type"]).folder,
        "question": asked,
        "answer": answered,
        "marks": _marks_back(made, source["marks"]),
    }


def _marks_back(made: Mapping[str, Any], marks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    task = layout.task(made["type"])
    next_of: dict[str, int] = {}

    def take(name: str, held: Callable[[], Sequence[Any]]) -> list[int]:
        next_of[name] = next_of.get(name, -1) + 1
        return list(held()[next_of[name]])

    back = []
    for mark in marks:
        shape = FIELD[mark["shape"]]
        if task.lists == shape:
            xy = take(shape, lambda shape=shape: made[f"{shape}_list"][0])  # type: ignore[misc]
        else:
            name = f"{mark['color']}_{shape}"
            xy = take(name, lambda name=name: made[name])  # type: ignore[misc]
        back.append({**mark, "xy": xy})
    return back


def coordinates(made: Mapping[str, Any]) -> list[tuple[str, Any, int]]:
    """The fields that hold marks, each with its value and how many numbers a mark has."""
    return [
        (name, value, layout.COORDINATES[shape])
        for name, value in made.items()
        for shape in (POINT, BOX)
        if name in (f"{shape}_list", *(f"{color}_{shape}" for color in layout.COLORS))
    ]
