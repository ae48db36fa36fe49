"""A task's questions about a scene as rows of the table of questions: what each one's columns hold, and their ids.

A row is a tuple, and columns are made of all rows at once: a dictionary a row, and one more for each mark and frame,
would cost more than finding what is asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa

from spatial_assets.scene.tables import QUESTIONS
from spatial_assets.tasks.core.coordinates import coordinates, marks, sizes
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.rendering import Rendered
from spatial_assets.tasks.core.task import Question, Roles, Task
from spatial_assets.tasks.core.wording import Worded

Row = tuple[Any, ...]
Frames = tuple[tuple[str, str], ...]
"""(role, frame's name), in order."""
OWN = (
    "format",
    "qa_id",
    "question",
    "stem",
    "instruction",
    "answer",
    "options",
    "value",
    "margin",
    "margins",
    "margin_unit",
    "frames",
    "objects",
    "marks",
    "template",
    "ordinal",
    "given",
    "license",
    "diagnostics",
    "sizes",
    "coordinates",
)
"""The columns that rows of a scene and task differ in, as they stand in a row: first what they are sorted by. Of those
of coordinates a row holds what they are made of."""
Shown = tuple[Frames, str, "hashlib.blake2b", tuple[int, ...]]
"""Images' names, the text of these, the hash begun with it, and their places."""


class Rows:
    """Rows of one format, numbered where they would be equal otherwise."""

    def __init__(self, task: Task, facts: SceneFacts, form: str) -> None:
        self.made: list[Row] = []
        self._facts, self._form = facts, form
        which = facts.which
        self._begin = _text((which["dataset"], which["release"], which["scene"], task.name, form))[:-1]
        self._ordinals: dict[tuple[str, str], int] = {}
        self._instances: list[int] = facts.once(_instances)
        self._shown: dict[tuple[bool, tuple[tuple[str, int], ...]], Shown] = {}
        """By what is shown, views or frames. Rows that show the same share it."""

    def add(self, question: Question, rendered: Rendered, worded: Worded) -> None:
        instances, answer = self._instances, question.answer
        names = self._facts.frames.names if question.views is None else question.views
        key = (question.views is None, tuple(question.frames))
        held = self._shown.get(key)
        if held is None:
            held = self._shown[key] = self._begun(key[1], names)
        frames, frames_text, begun, places = held
        objects = tuple([(role, instances[place]) for role, place in question.objects])
        # The text of a list of what tells the row apart, put together from parts that recur.
        shown = ", ".join([f"[{_text(role)}, {instance}]" for role, instance in objects])
        own = f"[{shown}], {_text(worded.template)}"
        if question.quoted:
            own += f", {_text(question.quoted)}"
        told = (frames_text, own)
        ordinal = self._ordinals.get(told, 0)
        self._ordinals[told] = ordinal + 1
        digest = begun.copy()
        digest.update(f"{own}, {ordinal}]".encode())
        margins = answer.margins
        printed = question.printed
        if question.views is not None and (question.marks or printed):
            raise ValueError("marks and coordinates are those of a scene's own frames")
        self.made.append(
            (
                self._form,
                digest.hexdigest(),
                worded.question,
                worded.stem,
                worded.instruction,
                worded.answer,
                rendered.options,
                answer.value,
                margins[0] if len(margins) == 1 else answer.margin,
                margins,
                answer.margin_unit,
                frames,
                objects,
                question.marks,
                worded.template,
                ordinal,
                question.given,
                self._license(question.quoted_license),
                question.diagnostics,
                places if question.views is None else None,
                (printed.on_grid, printed.in_images(places)) if printed else None,
            )
        )

    def _license(self, quoted: str | None) -> str:
        """The scene's terms, and those of what a question quotes."""
        return self._facts.license if quoted is None else f"{self._facts.license}; {quoted}"

    def _begun(self, frames: Roles, names: Sequence[str]) -> Shown:
        """What is shown, and what is begun with it."""
        shown = tuple([(role, names[place]) for role, place in frames])
        text = f"[{', '.join([f'[{_text(role)}, {_text(name)}]' for role, name in shown])}]"
        begun = hashlib.blake2b(f"{self._begin}, {text}, ".encode(), digest_size=16)
        return shown, text, begun, tuple([place for _, place in frames])


def table(task: Task, facts: SceneFacts, rows: Iterable[Row]) -> pa.Table:
    """Rows of all formats as the table of questions, in its order."""
    ordered = sorted(rows, key=itemgetter(0, 1))
    if not ordered:
        return QUESTIONS.schema.empty_table()
    columns: dict[str, Sequence[Any]] = dict(zip(OWN, zip(*ordered, strict=True), strict=True))
    for name, value in {**facts.which, "task": task.name}.items():
        columns[name] = [value] * len(ordered)
    made = dict(zip(("marks", "mark_pixels"), marks(facts, columns["marks"]), strict=True))
    made["coordinates"], clean = coordinates(facts, columns, columns["coordinates"])
    made["sizes"] = sizes(facts, columns["sizes"])
    columns |= clean
    schema = QUESTIONS.schema
    arrays = [
        made[field.name] if field.name in made else _array(field.type, columns[field.name])
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(kind: pa.DataType, values: Sequence[Any]) -> pa.Array:
    """Tuples stand for structs. Lists of structs are flattened here, since Arrow wants a dictionary for each."""
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        # All rows about a video hold one list of its frames: what they share is made once.
        own = {id(value): value for value in values}
        if len(own) < len(values):
            place = {identity: index for index, identity in enumerate(own)}
            return _array(kind, list(own.values())).take(pa.array([place[id(value)] for value in values]))
        ends = np.cumsum([0, *map(len, values)], dtype=np.int32)
        flat = _array(kind.value_type, [item for value in values for item in value])
        return pa.ListArray.from_arrays(pa.array(ends), flat)
    if pa.types.is_struct(kind):
        if None in values:
            # Most tasks' rows have none of it at all.
            given = [index for index, value in enumerate(values) if value is not None]
            if not given:
                return pa.nulls(len(values), kind)
            places = np.full(len(values), -1)
            places[given] = np.arange(len(given))
            held = _array(kind, [values[index] for index in given])
            return held.take(pa.array(places, mask=places < 0))
        parts = list(zip(*values, strict=True)) or [()] * kind.num_fields
        arrays = [_array(field.type, part) for field, part in zip(kind, parts, strict=True)]
        return pa.StructArray.from_arrays(arrays, fields=list(kind))
    return pa.array(values, kind)


def _instances(facts: SceneFacts) -> list[int]:
    """The objects' numbers as Python's, by place."""
    found: list[int] = facts.objects.instances.tolist()
    return found


@lru_cache(maxsize=4096)
def _text(value: str | tuple[Any, ...]) -> str:
    return json.dumps(value)
