"""Words for objects: a source's label to its canonical category, and which categories a word may mean.

The vocabulary is data, in `categories.json`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_suffix(".json")
GROUP = "group of "


@cache
def _vocabulary() -> dict[str, Any]:
    return json.loads(DATA.read_text(encoding="utf-8"))


def canonical(label: str) -> str:
    """The category of a source's word: lower case, single spaces, one word for synonyms, always in the singular."""
    word = " ".join(label.lower().replace("_", " ").split())
    known: str | None = _vocabulary()["synonyms"].get(word)
    if known is not None:
        return known
    single = _singular(word)
    if single is None or " of " in word or is_structure(word):
        return word
    return canonical(single) if is_structure(canonical(single)) else GROUP + word


def _singular(word: str) -> str | None:
    """The word for one of what a plural stands for, or None for a word that is no plural."""
    before, space, head = word.rpartition(" ")
    single = _vocabulary()["plurals"].get(head)
    return None if single is None else before + space + single


def is_countable(category: str) -> bool:
    """Whether people agree on how many of it they see: not of groups, nor of what is built together."""
    return " of " not in category and category not in _vocabulary()["uncounted"]


def is_structure(category: str) -> bool:
    """Whether it is part of the building or no object at all, and so never asked about."""
    return category in _vocabulary()["structure"]


@cache
def _known() -> frozenset[str]:
    vocabulary = _vocabulary()
    wider = {word for kinds in vocabulary["kinds"].values() for word in kinds}
    lists = ("plurals", "kinds", "structure", "uncounted", "words")
    known = {word for name in lists for word in vocabulary[name]}
    return frozenset(
        known | wider | set(vocabulary["synonyms"].values()) | set(vocabulary["plurals"].values())
    )


def is_mapped(category: str) -> bool:
    """Whether the vocabulary knows a category, itself or by its last word: a "beach chair" is a chair.

    What it does not know is asked about under the source's own word, and taken for nothing else.
    """
    return not meanings(category).isdisjoint(_known())


@cache
def meanings(category: str) -> frozenset[str]:
    """The category and every wider word that also names it: an office chair is a chair and a seat.

    A group's words are also those of its members: nobody can tell which book of a pile "the book" is.
    """
    vocabulary = _vocabulary()
    found = {category}
    frontier = [category]
    while frontier:
        word = frontier.pop()
        wider = list(vocabulary["kinds"].get(word, ()))
        _, space, head = word.rpartition(" ")
        single = _singular(word.removeprefix(GROUP)) if word.startswith(GROUP) else None
        if single is not None:
            wider.append(canonical(single))
        elif space and head not in vocabulary["not_a_kind"].get(word, ()):
            wider.append(canonical(head))
        new = [other for other in wider if other not in found]
        found.update(new)
        frontier.extend(new)
    return frozenset(found)


def may_mean(word: str, category: str) -> bool:
    """Whether someone who reads `word` may take an object of `category` for it."""
    return word in meanings(category)
