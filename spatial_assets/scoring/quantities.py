"""The one quantity that a text states: a number in digits or English words, in the unit that was asked for.

The names of units, and how long each is, stand in `quantities.json`. A text that states several numbers, a bound, a
unit of another kind or one that is not known states no quantity: `Unclear` says which.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

COUNT = "count"
"""Asked for by questions of how many: a number without a unit of length."""
SQUARE_METERS = "m2"
MAX_DIGITS = 300
"""A number of more digits is beyond what a double holds, and no answer."""
MAX_EXPONENT = 99
SHORTEST_WORD = 3
"""Letters that may touch a number without being a unit: "4chairs" are four."""
WORD_CHARACTERS = r"0-9A-Za-z_\u00aa-\u02ff\u0370-\u052f"
"""What words of alphabets are made of: a number or letter between such characters is a part of a word. Scripts without
spaces between words are left out: their words may touch a number."""
_ALPHABET = r"A-Za-z\u0400-\u052f"
UNITS_OF_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
"""In order: a word's place is its number."""
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
"""From twenty on, in steps of ten."""

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
_NO_NUMBER = r"(?:st|nd|rd|th|d)\b"
"""What makes digits a place in an order, as in 3rd, or a count of dimensions, as in 3D."""
_BOUND = re.compile(
    r"\b(?:more|less|fewer|greater)\s+than\s+[\d.]|\bat\s+(?:least|most)\s+[\d.]|[<>≤≥]\s*[\d.]"
)


class Unclear(Exception):
    """A response gives no single answer; says why."""


@dataclass(frozen=True)
class Unit:
    """What a number was written with."""

    kind: str
    """length, area or other."""
    size: int = 0
    """Tenths of a millimeter, or their squares."""


@dataclass(frozen=True)
class _Found:
    value: Fraction
    unit: Unit | None
    start: int
    end: int


@cache
def _names() -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return data


@cache
def length_names() -> Mapping[str, int]:
    """A length's name to its size in tenths of a millimeter."""
    return {name: unit["tenths_of_mm"] for unit in _names()["length"].values() for name in unit["names"]}


def _any_of(names: Any) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))


@cache
def _amount() -> re.Pattern[str]:
    """A number, what multiplies it, and its unit."""
    data = _names()
    # "the third" is no number, "one third" is; "k" stands behind digits only.
    first = [*words_of_numbers(), *(word for word in data["multipliers"] if len(word) > 1), "half"]
    words = rf"(?:{_any_of(first)})\b(?:[\s-]+(?:and\s+|a\s+)*(?:{_any_of([*first, *data['parts'], 'point'])})\b)*"
    number = (
        rf"(?<![{WORD_CHARACTERS}.^/])(?<!\d,)(?P<sign>(?<![{WORD_CHARACTERS}.)])[-+])?"
        rf"(?:(?:(?P<whole>\d+)[\s-]+)?(?P<over>\d+)\s*/\s*(?P<under>\d+)(?![\d/.])|(?P<digits>{_DIGITS})(?![.,]?\d|{_NO_NUMBER})"
        r"(?:\s*[x×*]\s*10\s*\^\s*\{?(?P<power>[-+]?\d+)\}?)?)"
        rf"(?:\s*(?P<times>{_any_of(data['multipliers'])})\b)?(?P<half>\s+and\s+a\s+half\b)?"
    )
    unit = (
        rf"(?:(?P<square>{_any_of(data['square'])})|(?P<cubic>{_any_of(data['cubic'])}))?\s*-?"
        rf"(?P<name>{_any_of([*length_names(), *data['area_names']])})"
        rf"(?P<raised>\s*\^\s*\{{?[23]\}}?|(?<!['\"′])[23](?!\d))?"
        rf"(?P<per>\s*(?:/\s*[a-z]|per\b))?(?:(?<=[^{_ALPHABET}])|(?![{WORD_CHARACTERS}]))"
    )
    other = rf"(?P<other>{_any_of(data['other'])})(?:(?<=[^{_ALPHABET}])|(?![{WORD_CHARACTERS}]))"
    return re.compile(
        rf"(?:{number}|\b(?P<words>{words})\b)(?:\s+of)?(?:\s+an?\b)?[\s-]*(?:{unit}|{other})?", re.IGNORECASE
    )


@cache
def words_of_numbers() -> Mapping[str, int]:
    """Number words below a hundred."""
    small = {word: value for value, word in enumerate(UNITS_OF_WORDS)}
    return {**small, **{word: 20 + 10 * place for place, word in enumerate(TENS)}}


def quantity(text: str, asked: str | None) -> Fraction:
    """The only number of a text, in the asked unit: "m", "cm", SQUARE_METERS, COUNT, or None for any as written.

    Raises Unclear.
    """
    if _BOUND.search(text):
        raise Unclear("a bound, not a number")
    found = [_read(text, match) for match in _amount().finditer(text)]
    in_digits = [item for item in found if text[item.start : item.end].strip("+-")[:1] in "0123456789."]
    if in_digits and len(in_digits) < len(found):
        _reject_alternatives(text, found)
    # Words count where no digits are: "the two chairs are 3 m apart", "the one on the left is 2 m away".
    values = list(dict.fromkeys(_in_unit(item, asked, text) for item in _joined(text, in_digits or found)))
    if not values:
        raise Unclear("no number")
    if len(values) > 1:
        raise Unclear("several numbers")
    return values[0]


def _reject_alternatives(text: str, found: list[_Found]) -> None:
    for one, other in pairwise(found):
        if re.fullmatch(r"\s*(?:or|to|-)\s*", text[one.end : other.start]):
            raise Unclear("several numbers")


def _read(text: str, match: re.Match[str]) -> _Found:
    if match["words"]:
        value = _of_words(match["words"])
    elif match["over"]:
        # 3/2 is a number; 8/8 and 6/2 are more likely shares, dates or two answers.
        if len(match["over"]) + len(match["under"]) > MAX_DIGITS or not int(match["under"]):
            raise Unclear("a number beyond all measure")
        if int(match["over"]) % int(match["under"]) == 0:
            raise Unclear("a fraction that is a whole number")
        value = int(match["whole"] or 0) + Fraction(int(match["over"]), int(match["under"]))
    else:
        value = _of_digits(match["digits"], match["power"])
        _reject_glued(text, match)
    if match["times"]:
        value *= _names()["multipliers"][match["times"].lower()]
    if match["half"]:
        value += Fraction(1, 2)
    unit = _unit(text, match)
    end = match.end("name") if unit is not None and match["name"] else match.end()
    return _Found(-value if match["sign"] == "-" else value, unit, match.start(), end)


def _of_digits(digits: str, power: str | None) -> Fraction:
    exponent = re.search(r"[eE]([-+]?\d+)$", digits)
    for part in (exponent and exponent[1], power):
        if part and (len(part) > 4 or abs(int(part)) > MAX_EXPONENT):
            raise Unclear("a number beyond all measure")
    if len(digits) > MAX_DIGITS:
        raise Unclear("a number beyond all measure")
    value = Fraction(digits.replace(",", ""))
    return value * Fraction(10) ** int(power) if power else value


def _reject_glued(text: str, match: re.Match[str]) -> None:
    """Raise Unclear for 2x3, 2 x 3 and 1m20; "4chairs" is a number and a word."""
    rest = text[match.end("digits") :]
    if (
        match["power"] is None
        and re.match(r"\s*[a-z×*]{1,2}\s?\d", rest, re.IGNORECASE)
        and not match["name"]
    ):
        raise Unclear("several numbers")
    glued = re.match(rf"[{WORD_CHARACTERS}]+", rest)
    if glued and not (match["name"] or match["other"] or match["times"]) and len(glued[0]) < SHORTEST_WORD:
        raise Unclear("a number that is a part of something else")


def _of_words(words: str) -> Fraction:
    """English number words: "two hundred and five", "three and a half", "two point five", "three quarters"."""
    small, data = words_of_numbers(), _names()
    total, current, last = Fraction(0), Fraction(0), None
    tokens = [word for word in re.split(r"[\s-]+", words.lower()) if word not in ("and", "a")]
    if "point" in tokens:
        at = tokens.index("point")
        decimals = [UNITS_OF_WORDS.index(word) for word in tokens[at + 1 :] if word in UNITS_OF_WORDS[:10]]
        if not decimals or len(decimals) != len(tokens) - at - 1:
            raise Unclear("number words that make no number")
        return _of_words(" ".join(tokens[:at])) + Fraction(
            int("".join(map(str, decimals))), 10 ** len(decimals)
        )
    for token in tokens:
        if token in data["parts"] and last in TENS:
            raise Unclear("number words that make no number")  # twenty-third
        if token in small:
            value = small[token]
            # "twenty one" goes on; "five six", "twenty thirty" are two numbers.
            if last is not None and not (last in TENS and 0 < value < 10) and last not in data["multipliers"]:
                raise Unclear("several numbers")
            current += value
        elif token in data["multipliers"]:
            factor = data["multipliers"][token]
            if factor > 100:
                total, current = total + max(current, Fraction(1)) * factor, Fraction(0)
            else:
                current = max(current, Fraction(1)) * factor
        else:
            part = Fraction(1, data["parts"][token])
            # "three and a half" adds, "one half" and "three quarters" multiply.
            adds = re.search(rf"\band\s+a\s+{token}$", words.lower()) is not None
            current = current + part if adds else max(current, Fraction(1)) * part
        last = token
    return total + current


def _unit(text: str, match: re.Match[str]) -> Unit | None:
    name = match["name"]
    if match["other"]:
        return Unit("other")
    if not name:
        return None
    before, after = text[: match.start()], text[match.end("name") :]
    if name in ("'", '"') and before[-1:] == name:
        return None  # a number in quotes
    if name.lower() == "in" and re.match(r"\s+\w", after):
        return None  # "4 in the room"
    size = length_names().get(name.lower())
    if size is None:
        size = _names()["length"][_names()["area_names"][name.lower()]]["tenths_of_mm"]
        return Unit("area", size**2)
    if match["per"] or match["cubic"] or "3" in (match["raised"] or ""):
        return Unit("other")
    return Unit("area", size**2) if match["square"] or match["raised"] else Unit("length", size)


def _joined(text: str, found: list[_Found]) -> list[_Found]:
    """The quantities, 5 ft 10 in and 1 m 20 cm being one each."""
    joined: list[_Found] = []
    for item in found:
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.unit is not None
            and item.unit is not None
            and (before.unit.kind, item.unit.kind) == ("length", "length")
            and item.unit.size < before.unit.size
            and item.value * item.unit.size < before.unit.size
            and re.fullmatch(r"\s*(?:,|and)?\s*", text[before.end : item.start])
        ):
            value = before.value + item.value * item.unit.size / before.unit.size
            joined[-1] = _Found(value, before.unit, before.start, item.end)
        else:
            joined.append(item)
    return joined


def _in_unit(item: _Found, asked: str | None, text: str) -> Fraction:
    unit = item.unit
    if asked is None:
        return item.value
    if asked == COUNT:
        if unit is not None and unit.kind != "other" and text[item.end - 2 : item.end].lower() != "in":
            raise Unclear("a unit where a count is asked for")
        if item.value.denominator != 1 and "/" in text[item.start : item.end]:
            raise Unclear("a fraction where a count is asked for")
        return item.value
    area = asked == SQUARE_METERS
    if unit is None:
        after = re.fullmatch(r"\s*([^\W\d_]+)\W*", text[item.end :])
        if after and after[1].lower() not in _names()["no_units"]:
            raise Unclear(f"a unit that is not understood: {after[1]}")
        return item.value
    if unit.kind != ("area" if area else "length"):
        raise Unclear("a unit of another kind than is asked for")
    return item.value * unit.size / (length_names()["m" if area else asked] ** (2 if area else 1))
