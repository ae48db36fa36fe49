"""The laws by which the answers of a question and of its twin follow from each other, and what breaks them.

They stand in `twin_laws.json`; here is what each relation that they name means of two rows. No row is made here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from string import ascii_uppercase
from typing import Any, NamedTuple

TOLERANCE = 1e-9
"""Meters, degrees or steps: both are computed from the same numbers, in another order."""
RELATION = 3
"""Numbers that say how one thing lies to another: left or right, above or below, farther or closer."""
MOVED = 3
"""Of a view change, the numbers that say how far the camera moved."""
SENTENCE = "sentence"
"""The format whose answers may be said in many words, of which only the values are compared."""
YES, NO = "yes", "no"
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
    held: Mapping[str, Any] = json.loads(
        Path(__file__).with_name("twin_laws.json").read_text(encoding="utf-8")
    )
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


def agree(law: str, first: str | float, second: str | float) -> bool | None:
    """Whether two given answers, options' texts in place of letters, are as the law has it; None where answers alone
    do not tell. Numbers that are the same by a law may differ by the share that `twin_laws.json` gives."""
    relation = laws()[law].printed
    if relation == ANY:
        return None
    if isinstance(first, float) and isinstance(second, float):
        share: float = _file()["numbers_agree"]["share"]
        return abs(first - second) <= share * max(abs(first), abs(second))
    return PRINTED[relation](str(first), str(second))


def answer_text(answer: str, options: Sequence[str] | None) -> str:
    """What an answer says: of a letter, its option."""
    if options is not None and answer in ascii_uppercase[: len(options)]:
        return options[ascii_uppercase.index(answer)]
    return answer


def _close(first: Sequence[float], second: Sequence[float]) -> bool:
    return len(first) == len(second) and all(
        math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE) for a, b in zip(first, second, strict=True)
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


def _same(first: str, second: str) -> bool:
    return _plain(first) == _plain(second)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")


def _flipped(first: str, second: str) -> bool:
    return {_plain(first), _plain(second)} == {YES, NO}


def _marks_exchanged(first: str, second: str) -> bool:
    """An answer that names no mark names the object alone, and so stays."""
    said, other = _plain(first), _plain(second)
    exchanged = {_exchange(said, a, b) for a, b in _file()["exchanged_marks"]} - {said}
    return other in (exchanged or {said})


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
    "same": _same,
    "flipped": _flipped,
    "marks exchanged": _marks_exchanged,
    ANY: lambda first, second: True,
}
