"""What is wrong with one of SPAR's records, whoever wrote it: fields, images, marks, answer. Nothing of files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from spatial_assets.exports.spar import layout
from spatial_assets.exports.spar.layout import BOX, COORDINATES, POINT, TaskLayout
from spatial_assets.exports.spar.records import TOKENS, coordinates
from spatial_assets.imaging.marks import GRID

SPEAKERS = ("human", "gpt")
FIELDS = ("id", "conversations", "image", "type")
"""That every record has."""
ID = re.compile(r".+_\d+", re.ASCII | re.DOTALL)
MARK = re.compile(r"([a-z]+)_(point|bbox)", re.ASCII)
OPTION = re.compile(r"(?<![A-Za-z0-9])([A-H])\s?[.:)]")
LETTER = re.compile(r"[A-H]")
YES_NO = re.compile(r"(yes|no)\.?", re.IGNORECASE)
NUMBER = r"\d+(?:\.\d+)?"
CHANGES = (("right", "left"), ("up", "down"), ("forward", "backward"), ("up", "down"), ("right", "left"))
FILLS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "decimal": (re.compile(r"\d+\.\d", re.ASCII), "a number with one decimal"),
    "number": (re.compile(NUMBER, re.ASCII), "a number"),
    "integer": (re.compile(r"\d+", re.ASCII), "an integer"),
    "three integers": (
        re.compile(r"[^\d.]*\d+[^\d.]+\d+[^\d.]+\d+[^\d.]*", re.ASCII),
        "three integers: length, width and height",
    ),
    "box": (re.compile(r"\[\d+, ?\d+, ?\d+, ?\d+\]", re.ASCII), "a box [x1, y1, x2, y2]"),
    "image point and depth": (
        re.compile(rf"\(\d+, ?\d+\), ?{NUMBER}", re.ASCII),
        "a point and a depth: (x,y),d",
    ),
    "view change": (
        re.compile(
            ",".join(
                f"{'move' if place < len(CHANGES) - 2 else 'rotate'}_(?:{a}|{b}):{NUMBER}"
                for place, (a, b) in enumerate(CHANGES)
            ),
            re.ASCII,
        ),
        "five parts such as move_right:0.4, separated by commas alone",
    ),
    "list": (re.compile(r"[^,]+(?:,[^,]+)+"), "names separated by commas"),
}
"""By the table's word for it, what an answer to be filled in looks like, and in words."""
ON_GRID = ("box", "image point and depth")
"""Those whose integers are coordinates."""
SHOWN = 60
"""Characters of a value that a line repeats."""


def problems(
    record: Any, task: TaskLayout, form: str, image_problem: Callable[[str], str | None]
) -> Iterator[str]:
    """A line for each; `image_problem` says what is wrong with an image's path."""
    if not isinstance(record, Mapping):
        yield f"not an object: {shown(record)}"
        return
    missing = [name for name in FIELDS if name not in record]
    if missing:
        yield f"has no {', '.join(missing)}"
    name = record.get("id")
    if "id" in record and not (isinstance(name, str) and ID.fullmatch(name)):
        yield f"id is not a scene's name, _ and a number: {shown(name)}"
    if "type" in record and record["type"] != task.type:
        yield f"type is {shown(record['type'])}, and its folder holds {task.type}"
    images = yield from _images(record, task, image_problem)
    if "conversations" in record:
        yield from _turns(record["conversations"], len(images), task, form)
    yield from _marks(record, task, len(images))


def _images(
    record: Mapping[str, Any], task: TaskLayout, image_problem: Callable[[str], str | None]
) -> Generator[str, None, list[str]]:
    """Yields what is wrong with its lists of images, and returns the color images."""
    found: list[str] = []
    for name in ("image", "depth"):
        if name not in record:
            continue
        value = record[name]
        if not isinstance(value, list) or not all(isinstance(path, str) and path for path in value):
            yield f"{name} is not a list of paths: {shown(value)}"
            continue
        if name == "image":
            found = value
            if task.images is not None and len(value) != task.images:
                yield f"image has {len(value)} paths, and {task.type} shows {task.images}"
            elif not value:
                yield "image is empty"
        elif found and len(value) != len(found):
            yield f"depth has {len(value)} paths for {len(found)} images"
        for path in value:
            problem = astray(path, "the folder of images") or image_problem(path)
            if problem:
                yield f"{name} {shown(path)}: {problem}"
    return found


def astray(path: str, of: str) -> str | None:
    """What is wrong with a path that does not lead into a folder, without a look at it."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\0" in path:
        return f"leads out of {of}"
    return None


def _turns(turns: Any, images: int, task: TaskLayout, form: str) -> Iterator[str]:
    good = isinstance(turns, list) and all(
        isinstance(turn, Mapping) and isinstance(turn.get("value"), str) for turn in turns
    )
    if not good or len(turns) != len(SPEAKERS):
        yield "conversations is not two turns, each with a text in value"
        return
    for turn, speaker in zip(turns, SPEAKERS, strict=True):
        if turn.get("from") != speaker:
            yield f"a turn is from {shown(turn.get('from'))}, where {speaker} speaks"
        if not turn["value"].strip():
            yield f"{speaker} says nothing"
    asked, answer = (turn["value"] for turn in turns)
    still, moving = (asked.count(token) for token in TOKENS)
    if (still and still != images) or moving > 1:
        yield f"{still} {TOKENS[0]} and {moving} {TOKENS[1]} for {images} images"
    if any(token in answer for token in TOKENS):
        yield "the answer holds a token of an image"
    if answer.strip():
        yield from _answer(asked, answer, task, form)


def _answer(asked: str, answer: str, task: TaskLayout, form: str) -> Iterator[str]:
    if form == "select":
        if not LETTER.fullmatch(answer):
            yield f"the answer is not an option's letter: {shown(answer)}"
            return
        options = set(OPTION.findall(asked))
        if not {"A", "B"} <= options:
            yield f"answers {answer}, and its question has no options"
        elif answer not in options:
            yield f"answers {answer}, which is none of its options"
    elif form == "judge":
        if not YES_NO.fullmatch(answer):
            yield f"the answer is neither Yes nor No: {shown(answer)}"
    elif form == "fill" and task.fill:
        pattern, words = FILLS[task.fill]
        if not pattern.fullmatch(answer):
            yield f"the answer is not {words}: {shown(answer)}"
        elif task.fill in ON_GRID and any(
            len(n) > 4 or int(n) > GRID for n in re.findall(r"(?<![.\d])\d+(?=[,)\]])", answer)
        ):
            yield f"the answer has a coordinate beyond {GRID}: {shown(answer)}"


def _marks(record: Mapping[str, Any], task: TaskLayout, images: int) -> Iterator[str]:
    counts = {POINT: 0, BOX: 0}
    broken = False
    for name, value, numbers in coordinates(record):
        shape = POINT if numbers == COORDINATES[POINT] else BOX
        problem = _wrong_coordinates(value, numbers, nested=name.endswith("_list"))
        if problem:
            broken = True
            yield f"{name} {problem}"
        else:
            counts[shape] += len(value[0] if name.endswith("_list") else value)
    for name in record:
        found = MARK.fullmatch(name)
        if found and found[1] not in layout.COLORS:
            yield f"{shown(name)} is none of SPAR's fields: marks are {', '.join(layout.COLORS)}"
    yield from _missing(record, task)
    for shape, count in counts.items():
        yield from _wrong_places(record, task, shape, None if broken else count, images)


def _wrong_coordinates(value: Any, numbers: int, nested: bool) -> str | None:
    marks = value
    if nested:
        if not isinstance(value, list) or len(value) != 1:
            return f"is not a list in a list: {shown(value)}"
        marks = value[0]
    if not isinstance(marks, list) or not marks:
        return f"is not a list of marks: {shown(value)}"
    for mark in marks:
        if not isinstance(mark, list) or len(mark) != numbers or not all(type(n) is int for n in mark):
            return f"has a mark that is not {numbers} integers: {shown(mark)}"
        if not all(0 <= n <= GRID for n in mark):
            return f"lies beyond 0 to {GRID}: {shown(mark)}"
        if numbers == COORDINATES[BOX] and (mark[0] > mark[2] or mark[1] > mark[3]):
            return f"ends before it begins: {shown(mark)}"
    return None


def _missing(record: Mapping[str, Any], task: TaskLayout) -> Iterator[str]:
    if task.lists and f"{task.lists}_list" not in record:
        yield f"has no {task.lists}_list, which {task.type} has"
    for shape in (POINT, BOX):
        wanted = task.order(shape)
        absent = [f"{color}_{shape}" for color in wanted if f"{color}_{shape}" not in record]
        if task.of is None and absent:
            yield f"has no {', '.join(absent)}, which {task.type} has"
        elif wanted and task.of is not None and len(wanted) - len(absent) < task.of:
            yield f"has fewer than {task.of} of {', '.join(f'{color}_{shape}' for color in wanted)}"


def _wrong_places(
    record: Mapping[str, Any], task: TaskLayout, shape: str, marks: int | None, images: int
) -> Iterator[str]:
    """Of the images that marks are on; `marks` is None where they cannot be counted."""
    name = f"{shape}_img_idx"
    if name not in record:
        if marks and images > 1 and task.indexed:
            yield f"has no {name}, so nobody knows which image is marked"
        return
    value = record[name]
    good = isinstance(value, list) and len(value) == 1 and isinstance(value[0], list)
    if not good or not all(type(place) is int for place in value[0]):
        yield f"{name} is not a list of integers in a list: {shown(value)}"
        return
    if any(not 0 <= place < images for place in value[0]):
        yield f"{name} names an image that is none of the {images}: {shown(value)}"
    if marks is not None and len(value[0]) != marks:
        yield f"{name} has {len(value[0])} places for {marks} marks"


def shown(value: Any) -> str:
    """The beginning of a value, in one line."""
    return _short(json.dumps(_cut(value), ensure_ascii=True, default=str))


def _cut(value: Any, depth: int = 0) -> Any:
    """So that no value is written out whole, or entered to its bottom, only to show where it begins."""
    if isinstance(value, str):
        return value[: 2 * SHOWN]
    if isinstance(value, Sequence):
        if depth == SHOWN:
            return []
        return [
            item if not isinstance(item, (list, dict, str)) else _cut(item, depth + 1) for item in value[:8]
        ]
    if isinstance(value, Mapping):
        return f"object of {len(value)} fields"
    return value


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
