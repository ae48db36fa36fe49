"""Which of a task's questions a benchmark takes: drawn by a salted hash, evenly over answers, scenes and objects.

Question by question, the one is taken whose answer was taken least often so far, among those whose scene, then
whose answer in words, then whose objects were; the hash of a salt and the question's id decides between equals. So
the first fifty are as even as all four hundred, and a question that leaves makes room for one like it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

POOL = 200_000
"""Questions that are drawn from, the first by their hash: no more is needed for a few hundred, and each costs time."""
BITS = 15
"""Of a count in the number that questions are compared by; counts stay far below."""
MOST = (1 << BITS) - 1


@dataclass(frozen=True)
class Drawable:
    """What the draw knows of a question."""

    qa_id: str
    scene: Hashable
    answer: str
    """As printed, a letter or a number, or what of it is drawn evenly."""
    words: str
    """What the letter stands for; the answer again where nothing is chosen."""
    objects: tuple[Hashable, ...]


def drawable(row: Mapping[str, Any], said: Callable[[str], str] = str) -> Drawable:
    """Of a row with the columns `qa_id, dataset, release, scene, answer, options, objects`.

    `said` gives what counts of an answer that is no option, when answers are drawn evenly.
    """
    scene = (row["dataset"], row["release"], row["scene"])
    answer = row["answer"]
    options = row["options"]
    words = answer
    if options and len(answer) == 1 and 0 <= ord(answer) - ord("A") < len(options):
        words = options[ord(answer) - ord("A")]
    return Drawable(
        row["qa_id"],
        scene,
        answer if options else said(answer),
        words,
        tuple((*scene, item["instance"]) for item in row["objects"]),
    )


def rank(salt: str, qa_id: str) -> bytes:
    return hashlib.blake2b(f"{salt}\x1f{qa_id}".encode(), digest_size=16).digest()


def draw(found: Iterable[Drawable], count: int, salt: str, without: Collection[str] = ()) -> list[str]:
    """Ids of `count` questions in the order in which they are taken, fewer where there are fewer."""
    pool = sorted(
        (item for item in found if item.qa_id not in without), key=lambda item: rank(salt, item.qa_id)
    )[:POOL]
    if not pool:
        return []
    answers, scenes, words = (
        _codes([getattr(item, name) for item in pool]) for name in ("answer", "scene", "words")
    )
    objects, things = _padded([item.objects for item in pool])
    taken = [np.zeros(codes.max() + 1, np.int64) for codes in (answers, scenes, words)]
    of_things = np.zeros(things + 1, np.int64)
    gone = np.zeros(len(pool), bool)
    order: list[str] = []
    for _ in range(min(count, len(pool))):
        key = taken[0][answers]
        for counts, codes in zip(taken[1:], (scenes, words), strict=True):
            key = key << BITS | counts[codes]
        key = key << BITS | np.minimum(of_things[objects].sum(axis=1), MOST)
        key[gone] = np.iinfo(np.int64).max
        best = int(key.argmin())
        gone[best] = True
        order.append(pool[best].qa_id)
        for counts, codes in zip(taken, (answers, scenes, words), strict=True):
            counts[codes[best]] += 1
        of_things[objects[best]] += 1
        of_things[things] = 0
    return order


def _codes(values: Sequence[Hashable]) -> NDArray[np.int64]:
    number: dict[Hashable, int] = {}
    return np.array([number.setdefault(value, len(number)) for value in values], np.int64)


def _padded(objects: Sequence[tuple[Hashable, ...]]) -> tuple[NDArray[np.int64], int]:
    """Codes (N, M) of each question's objects, and how many objects there are: the code that pads, too."""
    number: dict[Hashable, int] = {}
    coded = [[number.setdefault(thing, len(number)) for thing in own] for own in objects]
    width = max(1, *map(len, coded))
    return np.array([own + [len(number)] * (width - len(own)) for own in coded], np.int64), len(number)
