"""Answers that place objects, read out of text: a frame, a point, a depth, a size and a turn; or names.

Of several answers in a text the first counts, as in SPAR's evaluation of grounding. Numbers may stand in other words
than the question asks for, in its order.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)"
FRAME = re.compile(r"(?:frame|image)[\s_#:-]*(\d+)", re.IGNORECASE)
POINT = re.compile(rf"[(\[]\s*({NUMBER})\s*,\s*({NUMBER})\s*[)\]]")
DEPTH = re.compile(rf"depth[^\d+.-]*({NUMBER})", re.IGNORECASE)
SIZE = re.compile(
    rf"size[^\d+.-]*({NUMBER})\s*m?\s*[x×*,]\s*({NUMBER})\s*m?\s*[x×*,]\s*({NUMBER})", re.IGNORECASE
)
TURN = re.compile(rf"turn(?:ed)?[^\d+.-]*({NUMBER})", re.IGNORECASE)
PLACE = re.compile(rf"([^\n;:(),.\[\]]+?)\s*:\s*[(\[]\s*({NUMBER})\s*,\s*({NUMBER})\s*[)\]]")
ARTICLE = re.compile(r"^(?:the|an?|and)\s+", re.IGNORECASE)


class Unread(Exception):
    """A text holds no answer; says what is missing."""


class Placement(NamedTuple):
    """A 3D box as it is told by a frame."""

    frame: int
    point: tuple[float, float]
    depth: float
    size: tuple[float, float, float]
    turn: float | None


class Named(NamedTuple):
    """A name with its place on a map."""

    name: str
    x: float
    y: float


def placement_of(text: str) -> Placement:
    """The first box that a text tells. Raises Unread with what it lacks."""
    frame = FRAME.search(text)
    if frame is None:
        raise Unread("no frame")
    rest = text[frame.end() :]
    found = []
    for what, pattern in (("point", POINT), ("depth", DEPTH), ("size", SIZE)):
        match = pattern.search(rest)
        if match is None:
            raise Unread(f"no {what}")
        found.append(tuple(map(float, match.groups())))
    turned = TURN.search(rest)
    point, (depth,), size = found
    numbers = (*point, depth, *size)
    if not all(map(math.isfinite, numbers)):
        raise Unread("a number beyond all bounds")
    return Placement(
        int(frame[1]) if len(frame[1]) < 10 else -1,
        (point[0], point[1]),
        depth,
        (size[0], size[1], size[2]),
        None if turned is None else float(turned[1]),
    )


def named_places(text: str) -> list[Named]:
    """All names with coordinates, in order. Raises Unread where there is none."""
    found = [Named(plain_name(name), float(x), float(y)) for name, x, y in PLACE.findall(text)]
    kept = [item for item in found if item.name and math.isfinite(item.x) and math.isfinite(item.y)]
    if not kept:
        raise Unread("no name with coordinates")
    return kept


def plain_name(text: str) -> str:
    """Lower case, single spaces, no article before it."""
    words = " ".join(text.lower().split()).strip(" *_`\"'-")
    while True:
        shorter = ARTICLE.sub("", words)
        if shorter == words:
            return words
        words = shorter
