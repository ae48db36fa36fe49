"""What is printed, taken apart: numbers, words, the parts of an option, and what a question says beside its wording.

Only printed text is read, as a reader has it, and how many images there are, which anybody knows; what the rows know
beside it stays out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spatial_assets.scene.model import Float

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
TOKEN = re.compile(r"-?\d+(?:\.\d+)?|[^\W\d_]+")
PART = re.compile(r"\s*[,;]\s*")
BRACKETED = re.compile(r"\s*\([^()]*\)")
MOST_GIVEN = 3
"""Numbers of a question that are looked at; none of ours states more."""


@dataclass(frozen=True)
class Said:
    """What a question says beside the wording that all questions of its template share."""

    words: tuple[str, ...]
    numbers: tuple[float, ...]
    images: int | None = None
    """How many images it shows, where not all questions show as many."""

    @property
    def known(self) -> tuple[str, ...]:
        """Its words, and one that says how many images there are."""
        return self.words if self.images is None else (*self.words, f"images: {self.images}")

    @property
    def key(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True)
class Choice:
    """An option's numbers or parts, of a task whose options are all of one kind."""

    text: str
    numbers: tuple[float, ...]
    parts: tuple[str, ...]

    @property
    def name(self) -> str | None:
        """What it names, without the color or pixel in brackets that says which one; None of a list of several."""
        bare = PART.split(BRACKETED.sub("", self.text).strip().lower())
        return bare[0] if len(bare) == 1 else None


def numbers(text: str) -> tuple[float, ...]:
    return tuple(float(found) for found in NUMBER.findall(text))


def choice(text: str) -> Choice:
    return Choice(text, numbers(text), tuple(PART.split(text.strip().lower())))


def numeric(choices: Sequence[Sequence[Choice]]) -> bool:
    """Whether all options are numbers, as many in each, with the same words around them."""
    kinds = {(len(one.numbers), NUMBER.sub("#", one.text)) for row in choices for one in row}
    return len(kinds) == 1 and next(iter(kinds))[0] > 0


def told(rows: Sequence[Mapping[str, Any]]) -> list[Said]:
    """What every row's question says, and how many images it shows."""
    found = said([row["stem"] for row in rows], [row["template"] for row in rows])
    images = [len(row["frames"]) for row in rows]
    if len(set(images)) < 2:
        return found
    return [replace(one, images=count) for one, count in zip(found, images, strict=True)]


def images_of(told: Sequence[Said]) -> Float:
    """(N, 1) array of how many images each shows; (N, 0) where all show as many."""
    return padded([() if one.images is None else (float(one.images),) for one in told])


def said(stems: Sequence[str], templates: Sequence[str]) -> list[Said]:
    """Of every question, the words and numbers that not all questions of its template have."""
    tokens = [TOKEN.findall(stem.lower()) for stem in stems]
    shared: dict[str, Counter[str]] = {}
    for template, found in zip(templates, tokens, strict=True):
        shared[template] = shared[template] & Counter(found) if template in shared else Counter(found)
    return [_beside(found, shared[template]) for template, found in zip(templates, tokens, strict=True)]


def _beside(tokens: Sequence[str], wording: Counter[str]) -> Said:
    left = Counter(wording)
    words, values = [], []
    for token in tokens:
        if left[token] > 0:
            left[token] -= 1
        elif token[-1].isdigit():
            values.append(float(token))
        else:
            words.append(token)
    return Said(tuple(words), tuple(values[:MOST_GIVEN]))


def padded(rows: Sequence[Sequence[float]]) -> Float:
    """(N, longest) array of rows of numbers, NaN where a row is shorter."""
    width = max((len(row) for row in rows), default=0)
    found = np.full((len(rows), width), np.nan)
    for place, row in enumerate(rows):
        found[place, : len(row)] = row
    return found


def mark_coordinates(rows: Sequence[dict[str, Any]]) -> Float:
    """(N, M) coordinates of the marks on the images, in the order of the rows' roles; NaN where there are fewer."""
    return padded([[value for mark in row["marks"] or () for value in mark["xy"]] for row in rows])
