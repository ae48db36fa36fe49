"""One renderer for each kind of answer and format: what a row's answer and options are in words.

A kind takes its format's renderer unless it has one of its own in `OWN`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from spatial_assets.tasks.core.answers import NO, YES, Answer
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.options import LETTERS, lettered

FILL, SELECT, SENTENCE, JUDGE = "fill", "select", "sentence", "judge"
FORMATS = (FILL, SELECT, SENTENCE, JUDGE)
POLARITY = "polarity"
"""What is drawn of a statement: whether it is true."""


class Rendered(NamedTuple):
    """An answer in one format."""

    text: str
    options: list[str] | None = None
    """A first."""
    slots: Mapping[str, str] = MappingProxyType({})
    """What the format's templates may name beside the task's own slots."""


Renderer = Callable[[Answer, Draw], Rendered]


def render(answer: Answer, form: str, draw: Draw) -> Rendered:
    """Raises Rejection where the format wants wrong answers and there are none."""
    return OWN.get((answer.kind, form), BY_FORMAT[form])(answer, draw)


def _fill(answer: Answer, draw: Draw) -> Rendered:
    return Rendered(answer.text)


def _select(answer: Answer, draw: Draw) -> Rendered:
    options, letter = lettered(answer.options(draw), draw)
    return Rendered(letter, options, {"options": option_list(options), "letters": letter_list(len(options))})


def _sentence(answer: Answer, draw: Draw) -> Rendered:
    """The sentence itself is the wording's; it may name the answer."""
    return Rendered(answer.text, slots={"answer": answer.text})


def _judge(answer: Answer, draw: Draw) -> Rendered:
    """A statement that is true in half of the rows, else says the first wrong option.

    Also where it is true there must be options: else what has none would only ever be stated truly.
    """
    wrong = answer.options(draw)[1]
    true = draw.below(POLARITY, 2) == 0
    stated = answer.text if true else wrong
    return Rendered(YES if true else NO, slots={"stated": stated})


def _judge_yes_no(answer: Answer, draw: Draw) -> Rendered:
    """What can only be so or not is stated as it is asked."""
    return Rendered(answer.text, slots={"stated": answer.text})


BY_FORMAT: Mapping[str, Renderer] = {FILL: _fill, SELECT: _select, SENTENCE: _sentence, JUDGE: _judge}
OWN: Mapping[tuple[str, str], Renderer] = {("yes/no", JUDGE): _judge_yes_no}


def option_list(options: list[str]) -> str:
    """`A. left; B. right.`"""
    return _option_form(len(options)) % tuple(options)


@lru_cache(maxsize=len(LETTERS))
def _option_form(count: int) -> str:
    return "; ".join([f"{letter}. %s" for letter in LETTERS[:count]]) + "."


@lru_cache(maxsize=len(LETTERS))
def letter_list(count: int) -> str:
    """`A, B, C or D`"""
    return f"{', '.join(LETTERS[: count - 1])} or {LETTERS[count - 1]}"
