"""The laws by which the answers of a question and of its twin follow from each other, and what breaks them.

They stand in `twins.json`; here is what each relation that they name means of two rows. No row is made here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from spatial_assets.tasks.core.answers import NO, YES
from spatial_assets.tasks.core.options import LETTERS
from spatial_assets.tasks.core.rendering import SENTENCE

TOLERANCE = 1e-9
"""Meters, degrees or steps: both are computed from the same numbers, in another order."""
RELATION = 3
"""Numbers that say how one thing lies to another: left or right, above or below, farther or closer."""
MOVED = 3
"""Of a view change, the numbers that say how far the camera moved."""
Row = Mapping[str, Any]


class Law(NamedTuple):
    """How a twin's answer follows from its question's."""

    name: str
    says: str
    values: str
    """A name in `VALUES`."""
    printed: str
    """A name in `PRINTED`."""


@cache
def laws() -> Mapping[str, Law]:
    """By name."""
    return {
        name: Law(name, held["says"], held["values"], held["printed"])
        for name, held in sorted(_file()["laws"].items())
    }


@cache
def _file() -> Mapping[str, Any]:
    held: Mapping[str, Any] = json.loads(Path(__file__).with_name("twins.json").read_text(encoding="utf-8"))
    return held


def broken(law: str, row: Row, twin: Row) -> str | None:
    """What two rows contradict of their law; None if it holds. Rows are dictionaries of the table of questions."""
    held = laws().get(law)
    if held is None:
        return f"no law is called {law!r}"
    if not VALUES[held.values](row["value"], twin["value"]):
        return f"values {row['value']} and {twin['value']} are not {held.values!r}"
    if row["format"] == SENTENCE:
        return None
    said = [answer_text(one["answer"], one["options"]) for one in (row, twin)]
    if not PRINTED[held.printed](*said):
        return f"answers {said[0]!r} and {said[1]!r} are not {held.printed!r}"
    return None


def agree(law: str, first: str, second: str) -> bool | None:
    """Whether two given answers, options' texts in place of letters, are as the law has it; None where answers alone
    do not tell."""
    relation = laws()[law].printed
    return None if relation == ANY else PRINTED[relation](first, second)


def answer_text(answer: str, options: Sequence[str] | None) -> str:
    """What an answer says: of a letter, its option."""
    if options is not None and answer in LETTERS[: len(options)]:
        return options[LETTERS.index(answer)]
    return answer


def _close(first: Sequence[float], second: Sequence[float]) -> bool:
    return len(first) == len(second) and all(
        abs(a - b) <= TOLERANCE * max(1.0, abs(a)) for a, b in zip(first, second, strict=True)
    )


def _turned(first: Sequence[float], second: Sequence[float]) -> bool:
    """Of one thing to another, one or three numbers of the opposite sign; where two more say how each lies to the
    viewer, these in the other order."""
    size = next((size for size in (RELATION, RELATION + 2) if len(first) % size == 0), 1)
    expected: list[float] = []
    for start in range(0, len(first), size):
        block = first[start : start + size]
        expected += [*(-value for value in block[:RELATION]), *reversed(block[RELATION:])]
    return _close(expected, second)


def _as_far(first: Sequence[float], second: Sequence[float]) -> bool:
    lengths = [sum(value * value for value in values[:MOVED]) ** 0.5 for values in (first, second)]
    return _close(lengths[:1], lengths[1:])


def _marks_exchanged(first: str, second: str) -> bool:
    return any(_exchange(first, a, b) == second for a, b in _file()["exchanged_marks"]) or first == second


def _exchange(text: str, a: str, b: str) -> str:
    return re.sub(rf"\b({a}|{b})\b", lambda found: b if found[0] == a else a, text)


ANY = "any"
VALUES: Mapping[str, Callable[[Sequence[float], Sequence[float]], bool]] = {
    "same": _close,
    "reversed": lambda first, second: _close(first[::-1], second),
    "turned": _turned,
    "as far": _as_far,
}
PRINTED: Mapping[str, Callable[[str, str], bool]] = {
    "same": lambda first, second: first == second,
    "flipped": lambda first, second: {first, second} == {YES, NO},
    "marks exchanged": _marks_exchanged,
    ANY: lambda first, second: True,
}
