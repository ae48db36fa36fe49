"""What is wrong with one of SpatialMosaic's records, of either layout and whoever wrote it. Nothing of files.

Measured by what the published evaluator and trainer do with a record, and by what the published samples have. What
rows of another generator may have otherwise, such as other levels' names, is no problem.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from spatial_assets.exports.spatialmosaic import layout
from spatial_assets.scoring.metrics import to_float
from spatial_assets.scoring.spatialmosaic import read_point
from spatial_assets.tasks.core.options import LETTERS

SHOWN = 60
"""Characters of a value that a line repeats."""
FEWEST, MOST = 2, 5
"""Frames of a row."""
FOUR, TWO = 4, 2
"""Options of a choice; of existence, which is a yes or no."""
CORNERS = 4
WIDEST = 100.0
"""Percent."""
DIAGONAL_SLACK = 0.01
"""By how much, as a share, a stated diagonal may differ from the box's: as rounding does to a box of 100 pixels."""
CENTER_SLACK = 1.5
"""Pixels by which a point may stand outside its box: rounded, and pixels' centers for their edges."""


def shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, default=str)[:SHOWN]


def printable(text: str) -> str:
    """Names as they are, but for what no terminal prints."""
    return json.dumps(text, ensure_ascii=True)[1:-1][: 4 * SHOWN]


def is_conversation(record: Mapping[str, Any]) -> bool:
    return "conversations" in record


def kind_of(record: Mapping[str, Any]) -> str:
    """Its question type; empty where it is no text."""
    kind = record.get("question_type")
    return kind if isinstance(kind, str) else ""


def problems(record: Any) -> Iterator[str]:
    """A line for each."""
    if not isinstance(record, Mapping):
        yield f"not an object: {shown(record)}"
        return
    schema = "train" if is_conversation(record) else "test"
    fields = layout.published()[schema]
    optional = () if schema == "train" else _may_be_absent(record)
    missing = [name for name in fields["fields"] if name not in record and name not in optional]
    if missing:
        yield f"has no {', '.join(missing)}"
    if "question_type" in record and kind_of(record) not in layout.TYPES:
        kinds = f"none of the {len(layout.TYPES)}, and the evaluator stops at it"
        yield f"question_type {shown(record['question_type'])} is {kinds}"
    for name in ("scene_name", "data_source" if schema == "train" else "dataset"):
        if name in record:
            yield from _folder(name, record[name])
    if "frames" in record:
        yield from _frames(record["frames"])
    if schema == "train":
        yield from _conversation(record)
    else:
        yield from _flat(record)


def _may_be_absent(record: Mapping[str, Any]) -> Sequence[str]:
    """Fields that the published rows do not all have; those that a type's scoring reads are needed."""
    names = layout.published()["test"]["may_be_absent"]
    needed = {layout.POINT: ("ground_truth", "bbox_2d_diag")}
    if kind_of(record) in layout.NUMBERS:
        return [name for name in names if name != "ground_truth"]
    return [name for name in names if name not in needed.get(kind_of(record), ())]


def _folder(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str) or not value:
        yield f"{name} is no text: {shown(value)}"
    elif "/" in value or "\\" in value or value in (".", ".."):
        yield f"{name} is not the name of a folder: {shown(value)}"


def _frames(frames: Any) -> Iterator[str]:
    if not isinstance(frames, list) or not all(isinstance(frame, str) and frame for frame in frames):
        yield f"frames is not a list of names: {shown(frames)}"
        return
    if not FEWEST <= len(frames) <= MOST:
        yield f"{len(frames)} frames, where a row has {FEWEST} to {MOST}"
    twice = sorted({frame for frame in frames if frames.count(frame) > 1})
    if twice:
        yield f"frame {shown(twice[0])} stands twice"
    astray = [
        frame for frame in frames if PurePosixPath(frame).is_absolute() or ".." in PurePosixPath(frame).parts
    ]
    if astray:
        yield f"frame {shown(astray[0])} leads out of the scene's folder"


def _flat(record: Mapping[str, Any]) -> Iterator[str]:
    kind = kind_of(record)
    question = record.get("question")
    if "question" in record:
        if not isinstance(question, str) or not question.strip():
            yield f"question is no text: {shown(question)}"
        elif "\nA. " in question or layout.prompt("image") in question:
            yield "question holds options or <image>, which the evaluator adds itself"
    texts: list[str] | None = None
    if "options" in record:
        texts = yield from _options(record["options"], kind)
    if kind in layout.CHOICES:
        yield from _letter(record, texts)
    elif kind in layout.NUMBERS:
        yield from _number(record, texts)
    elif kind == layout.POINT:
        yield from _point(record)
    yield from _box(record)
    yield from _diagnostics(record)
    name = record.get("id")
    if "id" in record and (isinstance(name, bool) or not isinstance(name, int | str)):
        yield f"id is neither a number nor a text: {shown(name)}"


def _options(options: Any, kind: str) -> Generator[str, None, list[str] | None]:
    """Returns the options' texts without their letters; None where they are none."""
    choice = kind in layout.CHOICES
    if options is None or options == []:
        if choice:
            yield "has no options, which the evaluator prints"
        return None
    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        yield f"options is not a list of texts: {shown(options)}"
        return None
    expected = TWO if kind in layout.YES_NO else FOUR
    if choice and len(options) != expected:
        yield f"{len(options)} options, where {kind} has {expected}"
    texts = []
    for place, option in enumerate(options[: len(LETTERS)]):
        found = layout.OPTION.fullmatch(option)
        if found is None or found[1] != LETTERS[place]:
            yield f"option {shown(option)} does not begin with '{LETTERS[place]}. '"
            return None
        texts.append(found[2])
    twice = sorted({text for text in texts if texts.count(text) > 1})
    if twice:
        yield f"option {shown(twice[0])} stands twice"
    return texts


def _letter(record: Mapping[str, Any], texts: list[str] | None) -> Iterator[str]:
    letter = record.get("mc_answer")
    if "mc_answer" not in record:
        return
    if not isinstance(letter, str) or len(letter) != 1 or letter not in LETTERS:
        yield f"mc_answer is no letter, and the evaluator compares with it: {shown(letter)}"
        return
    if texts is None:
        return
    if LETTERS.index(letter) >= len(texts):
        yield f"mc_answer {letter} is none of the {len(texts)} options"
        return
    truth, right = record.get("ground_truth"), texts[LETTERS.index(letter)]
    if isinstance(truth, str) and truth in texts and truth != right:
        yield f"ground_truth {shown(truth)} is another option than mc_answer {letter}, {shown(right)}"


def _number(record: Mapping[str, Any], texts: list[str] | None) -> Iterator[str]:
    if "ground_truth" not in record:
        return
    truth = record["ground_truth"]
    number = to_float(truth)
    if not isinstance(truth, str):
        yield f"ground_truth is no text: {shown(truth)}"
    if number is None or not math.isfinite(number):
        yield f"ground_truth is no number, so that every answer scores 0: {shown(truth)}"
    elif number == 0:
        yield "ground_truth is 0, by which the evaluator divides"
    elif number < 0:
        yield f"ground_truth is below 0, so that every answer is right: {shown(truth)}"
    letter = record.get("mc_answer")
    if texts and isinstance(letter, str) and len(letter) == 1 and letter in LETTERS[: len(texts)]:
        right = texts[LETTERS.index(letter)]
        if number is not None and math.isfinite(number) and to_float(right) not in (None, number):
            yield f"ground_truth {shown(truth)} is not mc_answer {letter}, {shown(right)}"


def _point(record: Mapping[str, Any]) -> Iterator[str]:
    truth, diagonal = record.get("ground_truth"), record.get("bbox_2d_diag")
    point = read_point(truth) if isinstance(truth, str) else None
    if "ground_truth" in record and not isinstance(truth, str):
        yield f"ground_truth is no text: {shown(truth)}"
    elif "ground_truth" in record and point is None:
        yield f"ground_truth is no point (x,y), so that every answer scores 0: {shown(truth)}"
    if "bbox_2d_diag" in record and not (to_float(diagonal) or 0.0) > 0:
        yield f"bbox_2d_diag is no number above 0, so that every answer scores 0: {shown(diagonal)}"
    box = corners(record)
    if point is not None and box is not None:
        x, y = point
        across, down = max(box[0] - x, x - box[2]), max(box[1] - y, y - box[3])
        if max(across, down) > CENTER_SLACK:
            yield f"ground_truth {shown(truth)} lies outside bbox_2d {shown(record['bbox_2d'])}"


def corners(record: Mapping[str, Any]) -> list[float] | None:
    """A record's box, where it has one that is right."""
    box = record.get("bbox_2d")
    if not isinstance(box, list) or len(box) != CORNERS or not all(map(_finite, box)):
        return None
    return box if box[0] < box[2] and box[1] < box[3] else None


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _box(record: Mapping[str, Any]) -> Iterator[str]:
    box, diagonal = record.get("bbox_2d"), record.get("bbox_2d_diag")
    if diagonal is not None and not isinstance(diagonal, str):
        yield f"bbox_2d_diag is no text: {shown(diagonal)}"
    elif diagonal is not None and to_float(diagonal) is None:
        yield f"bbox_2d_diag is no number: {shown(diagonal)}"
    if box is None or box == []:
        return
    held = corners(record)
    if held is None:
        yield f"bbox_2d is not x0, y0, x1, y1 with x0 < x1 and y0 < y1: {shown(box)}"
        return
    own, told = math.dist(held[:2], held[2:]), to_float(diagonal)
    if told is not None and abs(told - own) > DIAGONAL_SLACK * own:
        yield f"bbox_2d_diag {shown(diagonal)} is not the diagonal of bbox_2d, {own:.1f}"


def _diagnostics(record: Mapping[str, Any]) -> Iterator[str]:
    if "overlap_avg" in record:
        value = record["overlap_avg"]
        if not _finite(value):
            yield f"overlap_avg is no number: {shown(value)}"
        elif not 0 <= value <= WIDEST:
            yield f"overlap_avg is no percentage: {shown(value)}"
    occlusion = record.get("occlusion_avg")
    if occlusion is not None and not (_finite(occlusion) and 0 <= occlusion <= 1):
        yield f"occlusion_avg is no share from 0 to 1: {shown(occlusion)}"
    for name in layout.levels():
        value = record.get(name)
        if value is not None and not (isinstance(value, str) and value):
            yield f"{name} is no text: {shown(value)}"


def _conversation(record: Mapping[str, Any]) -> Iterator[str]:
    name = record.get("id")
    if "id" in record and (not isinstance(name, str | int) or name == "" or isinstance(name, bool)):
        yield f"id is neither a text nor a number: {shown(name)}"
    turns = record["conversations"]
    if not isinstance(turns, list) or not all(
        isinstance(turn, Mapping) and isinstance(turn.get("value"), str) for turn in turns
    ):
        yield f"conversations is not a list of turns with from and value: {shown(turns)}"
        return
    speakers = [turn.get("from") for turn in turns]
    if speakers != ["human", "gpt"]:
        yield f"turns are from {shown(speakers)}, where a human asks and gpt answers once"
        return
    asked, answer = (turn["value"] for turn in turns)
    tokens = asked.count(layout.prompt("image")), answer.count(layout.prompt("image"))
    if tokens != (1, 0):
        yield f"{tokens[0]} <image> in the question and {tokens[1]} in the answer, where one stands for all frames"
    yield from _turns(kind_of(record), asked, answer)


def _turns(kind: str, asked: str, answer: str) -> Iterator[str]:
    if not asked.startswith(layout.prompt("opening")):
        yield f"the question does not begin with {shown(layout.prompt('opening'))}"
    if kind in layout.CHOICES:
        _, between, behind = asked.rpartition(layout.prompt("options"))
        if not between:
            yield "the question has no line 'Options:'"
            return
        end = layout.prompt("choice")
        if not behind.endswith(end):
            yield f"the question does not end with {shown(end.strip())}"
        lines = behind.removesuffix(end).split("\n")
        texts = yield from _options(lines, kind)
        if len(answer) != 1 or (texts is not None and answer not in LETTERS[: len(texts)]):
            yield f"the answer {shown(answer)} is no letter of an option"
    elif kind in layout.NUMBERS and not (to_float(answer) or 0.0) > 0:
        yield f"the answer {shown(answer)} is no number above 0"
    elif kind == layout.POINT and read_point(answer) is None:
        yield f"the answer {shown(answer)} is no point (x,y)"
