"""How the strict profiles read an answer out of a response: a letter, a number, a point, a view change.

One rule stands above the others: a response that gives several different answers gives none, and so does one that
ends within its thinking. Every reader looks at the conclusions only (the contents of answer tags and boxes, what is
left when the thinking is taken out, the end of a very long text) and raises `Unclear`, with the reason, where they do
not give one answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeVar

from spatial_assets.scoring.metrics import to_float
from spatial_assets.scoring.profile import Unscorable
from spatial_assets.scoring.quantities import (
    TENS,
    UNITS_OF_WORDS,
    WORD_CHARACTERS,
    Unclear,
    length_names,
    quantity,
)

CONCLUSION_LENGTH = 4096
"""Characters from the end that are read: long texts end with their answer, and patterns stay fast."""
MAX_LABEL_WORDS = 4
"""An "A" that starts a response of at most so many more words is a choice ("A left"), else an article."""
OPTION_LETTERS = "ABCDEF"
NUMBER_WORDS = (*UNITS_OF_WORDS, TENS[0])
"""In order, to twenty: a word's place is its number."""
THOUGHTS = (
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "reason",
    "analysis",
    "reflection",
    "scratchpad",
)
"""Tags that models think between."""
ANSWER_WORDS = (
    "answer", "答案", "答え", "回答", "정답", "réponse", "respuesta", "resposta", "risposta", "antwort", "ответ",
    "जवाब", "الإجابة",
)  # fmt: skip

Answer = TypeVar("Answer")

_THOUGHT = re.compile(rf"[<\[◁](?P<close>/?)\s*(?:{'|'.join(THOUGHTS)})\s*[>\]▷]", re.IGNORECASE)
_TAG = re.compile(r"<(/?)(?:final_)?answer>|<\|(begin|end)_of_box\|>", re.IGNORECASE)
_BOX = re.compile(r"\\f?boxed?\s*\{")
_TEX = (
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r" \1/\2 "),
    (re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|operatorname)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\^\s*\{?\s*\\circ\s*\}?"), "°"),
    (re.compile(r"\\times"), "×"),
    (re.compile(r"\\[a-zA-Z]+|\\[,;:! ()\[\]]|\$"), " "),
)
"""What is left of TeX, in this order: contents of fractions and text, signs, then nothing."""
_WORDS = "|".join(ANSWER_WORDS)
_STATED = re.compile(
    rf"(?:\b|(?<=[^a-z]))(?:{_WORDS})[*_`\s]*(?:is|are|would\s+be|should\s+be|must\s+be|will\s+be|est|es|è|é|ist|是|为|は|:|=)"
    r"[*_`\s:]*|(?<!\w)####",
    re.IGNORECASE,
)
_MENTIONED = re.compile(rf"(?:\b|(?<=[^a-z]))(?:{_WORDS})(?![a-z])", re.IGNORECASE)
_ONLY_DIGITS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
"""A number that stands alone, in as many digits as are exact."""
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")

_ALONE = re.compile(
    rf"[\W_]*(?:(?:the\s+)?(?:correct\s+)?(?:option|choice|letter)\b[\W_]*)?([{OPTION_LETTERS}{OPTION_LETTERS.lower()}])[\W_]*",
    re.IGNORECASE,
)
_STANDALONE = re.compile(
    rf"(?<![{WORD_CHARACTERS}'’])(?P<capital>[{OPTION_LETTERS}])(?![{WORD_CHARACTERS}'’])"
    rf"|^\W*(?P<first>[{OPTION_LETTERS.lower()}])[).:]"
    rf"|\b(?:[Oo]ption|[Cc]hoice)\s+\(?(?P<small>[{OPTION_LETTERS.lower()}])(?=[\W_]*$|[).,:;]|\s+(?:is|because|as|since)\b)"
)
_ARTICLE = re.compile(r"\s+(?!(?:and|n?or)\b)[a-z]")
_DENIED = re.compile(
    r"(?:\bnot|n't|\bnever|\bexcept|\bneither|\bnor)\s+(?:be\s+)?(?:the\s+)?(?:option\s+|choice\s+)?\W?$",
    re.IGNORECASE,
)
DENIAL_LENGTH = 40
"""Characters before a letter in which it may be denied."""

_COORDINATE = r"([-+]?\d+(?:\.\d+)?)"
_BRACKETED_PAIR = re.compile(rf"[(\[]\s*{_COORDINATE}\s*,\s*{_COORDINATE}\s*[)\]]")
_BARE_PAIR = re.compile(rf"(?<![\w.]){_COORDINATE}\s*,\s*{_COORDINATE}(?![\w]|[.,]\d)")
_COORDINATES = re.compile(rf"(?<![\w.]){_COORDINATE}")

_MOTION = re.compile(
    r"\b(move|rotate)[_\s]*(right|left|up|down|forwards?|back(?:wards?)?)\W{0,3}?\s*[:=]?\s*"
    r"([-+]?(?:\d+(?:\.\d+)?|\.\d+))\s*([^\W\d_]+|[°'\"′]|)",
    re.IGNORECASE,
)
_DEGREES = ("°", "deg", "degree", "degrees")
_VERBS = ("move", "rotate", "and", "then")
"""Words after a number of a view change that begin its next item."""


def response(value: Any) -> str:
    """A prediction as text: numbers as they print, nothing for null, lists, objects and truth values."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    return ""


def conclusions(text: str) -> list[str]:
    """The parts of a response that hold its answer, in plain characters; raises Unclear where there is none."""
    text = _without_thoughts(text)
    tagged = _tagged(text)
    ends = dict.fromkeys(part[-CONCLUSION_LENGTH:] for part in tagged or [text])
    parts = dict.fromkeys(box for part in ends for box in (_boxed(part) or [part]))
    plain = [part for part in map(_plain, parts) if part.strip()]
    if not plain:
        raise Unclear("no answer")
    return plain


def _without_thoughts(text: str) -> str:
    """What a response says aloud. A first thought may lack its opening tag, which is a part of some prompts."""
    kept: list[str] = []
    position, thinks = 0, False
    for tag in _THOUGHT.finditer(text):
        if tag["close"]:
            kept, position, thinks = kept if thinks else [], tag.end(), False
        elif not thinks:
            kept.append(text[position : tag.start()])
            thinks = True
    if thinks:
        raise Unclear("an unfinished thought")
    return "\n".join([*kept, text[position:]])


def _tagged(text: str) -> list[str]:
    """The contents of answer tags; of a last one that is not closed, the rest."""
    found, opened = [], None
    for tag in _TAG.finditer(text):
        if tag[1] or (tag[2] or "").lower() == "end":
            if opened is not None:
                found.append(text[opened : tag.start()])
            opened = None
        else:
            opened = tag.end()
    if opened is not None:
        found.append(text[opened:])
    return found


def _boxed(text: str) -> list[str]:
    """The contents of TeX's boxes, braces within them included."""
    found = []
    for start in _BOX.finditer(text):
        depth, end = 1, start.end()
        while end < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        found.append(text[start.end() : end - (depth == 0)])
    return found


def _plain(text: str) -> str:
    """Text without TeX, invisible characters and typographic variants, with ASCII digits."""
    for pattern, replacement in _TEX:
        text = pattern.sub(replacement, text)
    text = "".join(_spelled_out(character) for character in text)
    text = unicodedata.normalize("NFKC", text)
    shown = (c for c in text if unicodedata.category(c) not in ("Cf", "Cs"))
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in shown)
    return text.replace("−", "-").replace("٫", ".").replace("٬", ",")


def _spelled_out(character: str) -> str:
    """½ as 1/2 and ² as ^2: the normal form of Unicode would run them together with what stands before."""
    form = unicodedata.decomposition(character)
    if form.startswith("<fraction>"):
        return f" {unicodedata.normalize('NFKC', character).replace('⁄', '/')}"
    if form.startswith("<super>") and character.isdigit():
        return f"^{unicodedata.digit(character)}"
    return character


def _agreed(values: Sequence[Answer], what: str) -> Answer:
    if any(value != values[0] for value in values):
        raise Unclear(f"several {what}")
    return values[0]


def _read(text: str, read: Callable[[str], Answer], what: str) -> Answer:
    """The answer that every conclusion gives: by what it calls its answer, else by all of it."""
    return _agreed([_of_conclusion(part, read, what) for part in conclusions(text)], what)


def _of_conclusion(text: str, read: Callable[[str], Answer], what: str) -> Answer:
    stated = []
    for statement in _statements(text):
        try:
            stated.append(read(statement))
        except Unclear:
            continue
    return _agreed(stated, what) if stated else read(text)


def _statements(text: str) -> list[str]:
    """The lines after "answer is", "answer:" or ####; else what follows the last word "answer"."""
    ends = [match.end() for match in _STATED.finditer(text)]
    if not ends:
        return [text[match.end() :] for match in list(_MENTIONED.finditer(text))[-1:]]
    starts = [*[match.start() for match in _STATED.finditer(text)][1:], len(text)]
    return [
        text[end:start].strip().partition("\n")[0]
        for end, start in zip(ends, starts, strict=True)
        if end <= start
    ]


def letter(text: str) -> str:
    """The chosen option, A to F: alone, after the word "answer", or the only one that stands alone."""
    return _read(text, _letter, "choices")


def _letter(text: str) -> str:
    alone = _ALONE.fullmatch(text)
    if alone:
        return alone[1].upper()
    found = _standalone_letters(text)
    if not found:
        raise Unclear("no letter of an option")
    return _agreed(found, "choices")


def _standalone_letters(text: str) -> list[str]:
    found = []
    for match in _STANDALONE.finditer(text):
        article = match["capital"] == "A" and _ARTICLE.match(text, match.end())
        starts_a_label = (
            not text[: match.start()].strip() and len(text[match.end() :].split()) <= MAX_LABEL_WORDS
        )
        denied = _DENIED.search(text[max(match.start() - DENIAL_LENGTH, 0) : match.start()])
        if (not article or starts_a_label) and not denied:
            found.append((match["capital"] or match["first"] or match["small"]).upper())
    return found


def number(text: str, unit: str | None = None) -> float:
    """The number that a response gives, in the asked unit (see `quantities.quantity`).

    In this order: the only number of what it calls its answer, the only number outside parentheses, the only number.
    """
    if _ONLY_DIGITS.fullmatch(text):
        return float(text)  # what all the rest comes to, in a tenth of the time

    def read(part: str) -> Fraction:
        outside = _ASIDE.sub(" ", part)
        try:
            return quantity(outside, unit)
        except Unclear as why:
            if str(why) != "no number" or outside == part:
                raise
        return quantity(part, unit)

    try:
        return float(_read(text, read, "numbers"))
    except OverflowError:
        raise Unclear("a number beyond all measure") from None


def point(text: str) -> tuple[float, float]:
    """The image point that a response gives: the only pair in brackets or bare, or the only two numbers."""
    return _read(text, _point, "points")


def _point(text: str) -> tuple[float, float]:
    for pattern in (_BRACKETED_PAIR, _BARE_PAIR):
        pairs = [(float(x), float(y)) for x, y in pattern.findall(text)]
        if pairs:
            return _agreed(pairs, "points")
    coordinates = [float(x) for x in _COORDINATES.findall(text)]
    if len(coordinates) != 2:
        raise Unclear("no point")
    return (coordinates[0], coordinates[1])


def motion(text: str) -> dict[str, float]:
    """View change by key (`move_right`, ..., `rotate_down`), meters and degrees."""
    return _agreed([_motion(part) for part in conclusions(text)], "view changes")


def _motion(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for verb, direction, amount, unit in _MOTION.findall(text):
        verb, direction, unit = verb.lower(), direction.lower().rstrip("s"), unit.lower()
        direction = "backward" if direction == "back" else direction
        if verb == "rotate" and direction in ("forward", "backward"):
            continue
        value = float(amount) if unit in (*_VERBS, "") else _with_unit(verb, amount, unit)
        if found.setdefault(f"{verb}_{direction}", value) != value:
            raise Unclear(f"several amounts of {verb}_{direction}")
    if not found:
        raise Unclear("no view change")
    return found


def _with_unit(verb: str, amount: str, unit: str) -> float:
    if verb == "rotate" and unit in _DEGREES:
        return float(amount)
    if verb == "move" and unit in length_names():
        return float(Fraction(amount) * length_names()[unit] / length_names()["m"])
    raise Unclear(f"a unit that is not understood: {unit}")


def wrapped(degrees: float) -> float:
    """The angle in (-180, 180]."""
    turned = degrees % 360.0
    return turned - 360.0 if turned > 180.0 else turned


def true_letter(value: Any) -> str:
    """The ground truth's letter; raises `Unscorable` if it has none."""
    try:
        return letter(response(value))
    except Unclear:
        raise Unscorable("ValueError", "the ground truth is not an option's letter") from None


def true_number(value: Any) -> float:
    """The ground truth as a finite number; raises `Unscorable` if it is none."""
    found = None if isinstance(value, bool) else to_float(value)
    if found is None or found - found != 0.0:
        raise Unscorable("ValueError", "the ground truth is not a finite number")
    return found
