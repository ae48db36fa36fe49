"""Words for objects: a source's label to its canonical category, and which categories a word may mean.

The vocabulary is data, in `categories.json`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_suffix(".json")


@cache
def _vocabulary() -> dict[str, Any]:
    return json.loads(DATA.read_text(encoding="utf-8"))


def canonical(label: str) -> str:
    """The category of a source's word: lower case, single spaces, one word for synonyms."""
    word = " ".join(label.lower().replace("_", " ").split())
    return _vocabulary()["synonyms"].get(word, word)


def is_structure(category: str) -> bool:
    """Whether it is part of the building or no object at all, and so never asked about."""
    return category in _vocabulary()["structure"]


@cache
def meanings(category: str) -> frozenset[str]:
    """The category and every wider word that also names it: an office chair is a chair and a seat."""
    vocabulary = _vocabulary()
    found = {category}
    frontier = [category]
    while frontier:
        word = frontier.pop()
        wider = list(vocabulary["kinds"].get(word, ()))
        _, space, head = word.rpartition(" ")
        if space and head not in vocabulary["not_a_kind"].get(word, ()):
            wider.append(canonical(head))
        new = [other for other in wider if other not in found]
        found.update(new)
        frontier.extend(new)
    return frozenset(found)


def may_mean(word: str, category: str) -> bool:
    """Whether someone who reads `word` may take an object of `category` for it."""
    return word in meanings(category)
