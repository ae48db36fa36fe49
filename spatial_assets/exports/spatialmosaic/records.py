"""A question as SpatialMosaic's flat row and as its training conversation, and what comes back of either."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from spatial_assets.exports.core.base import Question
from spatial_assets.exports.spatialmosaic import layout
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.metrics import to_float
from spatial_assets.scoring.spatialmosaic import read_point
from spatial_assets.tasks.core.options import LETTERS

SOURCE = "source"
"""The one field that is ours; readers of SpatialMosaic ignore it."""
FROM_THE_ROW = (
    "qa_id",
    "dataset",
    "release",
    "scene",
    "license",
    "task",
    "format",
    "question",
    "stem",
    "answer",
    "options",
    "frames",
    "diagnostics",
)
CARRIES = frozenset({*FROM_THE_ROW, "split"})
IN_SOURCE = (
    "qa_id",
    "dataset",
    "release",
    "scene",
    "license",
    "format",
    "question",
    "options",
    "frames",
    "diagnostics",
)
"""Columns that no published field holds as they are."""
NO_BOX_DIAGONAL = "0"
ID_DIGITS = 15
"""Hexadecimal, of a row's id: as many as a signed 64-bit number holds. Two rows of a million share one in 2 of 10^6
releases."""


def flat_row(question: Question) -> dict[str, Any]:
    """Raises InputError for a question that the layout cannot hold."""
    row = question.row
    _check(row)
    told = row["diagnostics"]
    box = _box(row)
    flat: dict[str, Any] = {
        "dataset": layout.safe(row["dataset"]),
        "scene_name": layout.safe(row["scene"]),
        "question_type": row["task"],
        "frames": _tokens(row),
        "question": row["stem"],
        "options": layout.lettered(row["options"] or []),
        "ground_truth": _right(row),
        "mc_answer": row["answer"] if row["options"] else None,
        "overlap_avg": told["overlap_avg"],
        "occlusion_avg": told["occlusion_avg"],
        **{name: level.name(told[level.of]) for name, level in layout.levels().items()},
        "id": int(row["qa_id"][:ID_DIGITS], 16),
        "bbox_2d": box,
        "bbox_2d_diag": _number(math.dist(box[:2], box[2:])) if box else NO_BOX_DIAGONAL,
    }
    return {name: flat[name] for name in layout.published()["test"]["fields"]} | {SOURCE: _source(question)}


def conversation(question: Question) -> dict[str, Any]:
    """Raises InputError for a question that the layout cannot hold."""
    row = question.row
    _check(row)
    return {
        "id": str(UUID(row["qa_id"])),
        "data_source": layout.safe(row["dataset"]),
        "scene_name": layout.safe(row["scene"]),
        "question_type": row["task"],
        "frames": _tokens(row),
        "conversations": [
            {
                "from": "human",
                "value": asked(row["task"], row["stem"], layout.lettered(row["options"] or [])),
            },
            {"from": "gpt", "value": row["answer"]},
        ],
        SOURCE: _source(question),
    }


def asked(task: str, stem: str, options: Sequence[str]) -> str:
    """What the human's turn says; `options` with their letters."""
    text = layout.prompt("opening") + stem
    if task in layout.CHOICES:
        return text + layout.prompt("options") + "\n".join(options) + layout.prompt("choice")
    return text + layout.prompt("point" if task == layout.POINT else "number")


def stem_of(task: str, text: str, options: Sequence[str]) -> str:
    """The question in a human's turn. Raises ValueError for a turn that was not written here."""
    before, after = asked(task, "\0", options).split("\0")
    if not (text.startswith(before) and text.endswith(after)):
        raise ValueError("another text stands around the question")
    return text[len(before) : len(text) - len(after)]


def columns(made: Mapping[str, Any]) -> dict[str, Any]:
    """What `CARRIES` names, of a record of either layout. Raises KeyError, TypeError or ValueError for another's."""
    source = made[SOURCE]
    options = source["options"]
    if "conversations" in made:
        human, model = (turn["value"] for turn in made["conversations"])
        stem = stem_of(made["question_type"], human, layout.lettered(options or []))
        answer = model
    else:
        stem = made["question"]
        answer = made["mc_answer"] if options else made["ground_truth"]
    return {
        **{name: source[name] for name in (*IN_SOURCE, "split")},
        "task": made["question_type"],
        "stem": stem,
        "answer": answer,
    }


def _source(question: Question) -> dict[str, Any]:
    return {"split": question.split, **{name: question.row[name] for name in IN_SOURCE}}


def _tokens(row: Mapping[str, Any]) -> list[str]:
    return [layout.token(item["frame"]) for item in row["frames"]]


def _right(row: Mapping[str, Any]) -> str:
    """The answer itself, as the published row has it beside the letter."""
    answer: str = row["answer"]
    if not row["options"]:
        return answer
    right: str = row["options"][LETTERS.index(answer)]
    return right


def _box(row: Mapping[str, Any]) -> list[float]:
    """x0, y0, x1, y1 in pixels of what the asked frame shows of the object that a localization asks for."""
    box = row["diagnostics"].get("box")
    if box is None and row["task"] == layout.POINT:
        raise InputError(
            row["qa_id"],
            "has no box in its diagnostics, by whose diagonal its answer is scored",
            "malformed_row",
        )
    return [] if box is None else list(box)


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _check(row: Mapping[str, Any]) -> None:
    wrong = _unfit(row)
    if wrong is not None:
        raise InputError(row["qa_id"], wrong, "malformed_row")


def _unfit(row: Mapping[str, Any]) -> str | None:
    """Why a question does not go into the layouts; None where it does."""
    task = row["task"]
    if task not in layout.TYPES:
        return f"{task} is none of SpatialMosaic's types; name with --task those that are"
    if (task in layout.CHOICES) != bool(row["options"]):
        return f"{task} as {row['format']} is not how SpatialMosaic asks it"
    if row["diagnostics"] is None:
        return "has no diagnostics of a view set, which every row holds"
    if row["options"] and row["answer"] not in list(LETTERS[: len(row["options"])]):
        return f"its answer {row['answer']!r} is the letter of none of its {len(row['options'])} options"
    for name in ("overlap_avg", "occlusion_avg", "coverage"):
        value = row["diagnostics"].get(name)
        if value is not None and not math.isfinite(value):
            return f"{name} of its diagnostics is {value}, which is no number"
    if row["marks"]:
        return "has marks; no image here belongs to one question alone, so that none can be drawn"
    if layout.prompt("image") in row["stem"]:
        return f"its text holds {layout.prompt('image')}, which stands for the images"
    if task in layout.NUMBERS and not (to_float(row["answer"]) or 0.0) > 0.0:
        return f"its answer is no number above 0: {row['answer']!r}"
    if task == layout.POINT and read_point(row["answer"]) is None:
        return f"its answer is no point: {row['answer']!r}"
    return None
