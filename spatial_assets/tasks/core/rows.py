"""A task's questions about a scene as rows of the table of questions: what each one's columns hold, and their ids.

A row is a tuple, and columns are made of all rows at once: a dictionary a row, and one more for each mark and frame,
would cost more than finding what is asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from spatial_assets.scene.tables import QUESTIONS
from spatial_assets.tasks.core.coordinates import coordinates, lists_of, marks, sizes
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.rendering import Rendered
from spatial_assets.tasks.core.task import Question, Roles, Task
from spatial_assets.tasks.core.wording import Worded

Row = tuple[Any, ...]
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
    "coordinates",
    "twin_of",
    "law",
    "answers",
)
"""The columns that rows of a scene and task differ in, as they stand in a row: first what they are sorted by. Of
frames, marks and coordinates a row holds what they are made of."""


class Shown(NamedTuple):
    """What a row shows."""

    roles: tuple[str, ...]
    names: tuple[str, ...]
    """Of the frames or views, in order."""
    places: tuple[int, ...] | None
    """Theirs among the scene's frames; None for views."""
    text: str
    begun: hashlib.blake2b
    """The hash of an id, begun with the text."""


class _Texts(dict[tuple[str, int], str]):
    """JSON of [role, what stands at a place], made when it is first asked for: the same few recur in all rows."""

    def __init__(self, of_places: Sequence[str | int]) -> None:
        super().__init__()
        self._of_places = of_places

    def __missing__(self, key: tuple[str, int]) -> str:
        role, place = key
        text = self[key] = json.dumps([role, self._of_places[place]])
        return text


class Rows:
    """Rows of one format, numbered where they would be equal otherwise."""

    def __init__(self, task: Task, facts: SceneFacts, form: str) -> None:
        self.made: list[Row] = []
        self._facts, self._form = facts, form
        self._name, self._kind = task.name, task.kind
        which = facts.which
        self._begin = _text((which["dataset"], which["release"], which["scene"], task.name, form))[:-1]
        self._ordinals: dict[tuple[str, str], int] = {}
        self._instances: list[int] = facts.once(_instances)
        self._of_objects: _Texts = facts.once(_texts_of_objects)
        self._of_frames: _Texts = facts.once(_texts_of_frames)
        self._shown: dict[tuple[bool, tuple[tuple[str, int], ...]], Shown] = {}
        """By what is shown, views or frames. Rows that show the same share it."""

    def add(
        self, question: Question, rendered: Rendered, worded: Worded, twin: tuple[str, str] | None = None
    ) -> str:
        """The id of the row that is added; `twin` has that of the row it is the twin of, and their law.

        Raises ValueError for an answer of another kind than the task declares: by that it is scored.
        """
        instances, answer = self._instances, question.answer
        if answer.kind != self._kind:
            raise ValueError(f"{self._name} answers by {answer.kind!r} and declares {self._kind!r}")
        key = (question.views is None, tuple(question.frames))
        shown = self._shown.get(key)
        if shown is None:
            shown = self._shown[key] = self._begun(key[1], question.views)
        # The text of a list of what tells the row apart, put together from parts that recur.
        own = f"[{', '.join(map(self._of_objects.__getitem__, question.objects))}], {_text(worded.template)}"
        if question.quoted:
            own += f", {_text(question.quoted)}"
        if twin is not None:
            own += f", {_text(twin)}"
        told = (shown.text, own)
        ordinal = self._ordinals.get(told, 0)
        self._ordinals[told] = ordinal + 1
        digest = shown.begun.copy()
        digest.update(f"{own}, {ordinal}]".encode())
        qa_id = digest.hexdigest()
        twin_of, law = twin or (None, None)
        margins = answer.margins
        printed = question.printed
        if question.views is not None and (question.marks or printed):
            raise ValueError("marks and coordinates are those of a scene's own frames")
        self.made.append(
            (
                self._form,
                qa_id,
                worded.question,
                worded.stem,
                worded.instruction,
                worded.answer,
                rendered.options,
                answer.value,
                margins[0] if len(margins) == 1 else answer.margin,
                margins,
                answer.margin_unit,
                shown,
                [(role, instances[place]) for role, place in question.objects],
                question.marks,
                worded.template,
                ordinal,
                question.given,
                self._license(question.quoted_license),
                question.diagnostics,
                (printed.on_grid, printed.in_images(shown.places)) if printed and shown.places else None,
                twin_of,
                law,
                question.answers,
            )
        )
        return qa_id

    def _license(self, quoted: str | None) -> str:
        """The scene's terms, and those of what a question quotes."""
        return self._facts.license if quoted is None else f"{self._facts.license}; {quoted}"

    def _begun(self, frames: Roles, views: Sequence[str] | None) -> Shown:
        """What is shown, and what is begun with it."""
        texts = self._of_frames if views is None else _Texts(views)
        text = f"[{', '.join(map(texts.__getitem__, frames))}]"
        begun = hashlib.blake2b(f"{self._begin}, {text}, ".encode(), digest_size=16)
        roles, places = zip(*frames, strict=True) if frames else ((), ())
        names = self._facts.frames.names if views is None else views
        own = tuple([names[place] for place in places])
        return Shown(roles, own, places if views is None else None, text, begun)


def table(task: Task, facts: SceneFacts, rows: Iterable[Row]) -> pa.Table:
    """Rows of all formats as the table of questions, in its order."""
    ordered = sorted(rows, key=itemgetter(0, 1))
    if not ordered:
        return QUESTIONS.schema.empty_table()
    columns: dict[str, Sequence[Any]] = dict(zip(OWN, zip(*ordered, strict=True), strict=True))
    made = dict(zip(("marks", "mark_pixels"), marks(facts, columns["marks"]), strict=True))
    for name, value in {**facts.which, "task": task.name}.items():
        made[name] = pa.repeat(value, len(ordered))
    made["coordinates"], clean = coordinates(facts, columns, columns["coordinates"])
    made["frames"], made["sizes"] = _images(facts, columns["frames"])
    columns |= clean
    schema = QUESTIONS.schema
    arrays = [
        made[field.name] if field.name in made else _array(field.type, columns[field.name])
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _images(facts: SceneFacts, shown: Sequence[Shown]) -> tuple[pa.Array, pa.Array]:
    """The columns `frames` and `sizes`. What rows share, as all about a video do, is made once."""
    own = {id(value): value for value in shown}
    held = list(own.values())
    roles, names = (
        pa.array(list(chain.from_iterable(texts)), pa.string())
        for texts in ([value.roles for value in held], [value.names for value in held])
    )
    kind = QUESTIONS.schema.field("frames").type
    counts = np.array([len(value.names) for value in held])
    frames = lists_of(counts, pa.StructArray.from_arrays([roles, names], fields=list(kind.value_type)))
    columns = frames, sizes(facts, [value.places for value in held])
    if len(held) == len(shown):
        return columns
    place = {identity: index for index, identity in enumerate(own)}
    wanted = pa.array(np.array([place[id(value)] for value in shown]))
    return columns[0].take(wanted), columns[1].take(wanted)


def _array(kind: pa.DataType, values: Sequence[Any]) -> pa.Array:
    """Tuples stand for structs. Lists of structs are flattened here, since Arrow wants a dictionary for each."""
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        flat = _array(kind.value_type, list(chain.from_iterable(values)))
        return lists_of(np.fromiter(map(len, values), np.int64, len(values)), flat)
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


def _texts_of_objects(facts: SceneFacts) -> _Texts:
    return _Texts(facts.once(_instances))


def _texts_of_frames(facts: SceneFacts) -> _Texts:
    return _Texts(facts.frames.names)


@lru_cache(maxsize=4096)
def _text(value: str | tuple[Any, ...]) -> str:
    return json.dumps(value)
