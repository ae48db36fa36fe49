"""How well a layout seen from above is told: the error of each object's position, and what is missing or was added.

Objects are matched by their names; where a name repeats, so that their errors are the least together. What is missing
and what is added is counted and never dropped; the error is of what was found.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from spatial_assets.evaluation.placements import Named, Unread, named_places

BINS = Path(__file__).with_suffix(".json")
PERCENTILES = (50, 90)


@dataclass(frozen=True)
class Asked:
    """A question with the true places of its objects."""

    id: str
    objects: tuple[Named, ...]
    """Meters to the right and ahead of the first view's camera."""


@dataclass(frozen=True)
class Placed:
    """An object that was asked about."""

    name: str
    distance: float
    """Meters from the origin."""
    count: int
    """How many objects its question asks about."""
    error: float | None
    """Meters; None where the answer does not have it."""


@dataclass(frozen=True)
class Layout:
    """One answer."""

    id: str
    objects: tuple[Placed, ...]
    extra: int
    """What the answer has beyond what was asked for."""
    unread: str | None = None


@cache
def _bins() -> dict[str, Any]:
    held: dict[str, Any] = json.loads(BINS.read_text(encoding="utf-8"))
    return held


def score_layout(asked: Asked, text: object) -> Layout:
    """An answer against the truth. One that cannot be read misses every object."""
    unread = None
    told: list[Named] = []
    try:
        if not isinstance(text, str):
            raise Unread("no text")
        told = named_places(text)
    except Unread as why:
        unread = str(why)
    errors, extra = match_names(asked.objects, told)
    count = len(asked.objects)
    placed = tuple(
        Placed(item.name, math.hypot(item.x, item.y), count, error)
        for item, error in zip(asked.objects, errors, strict=True)
    )
    return Layout(asked.id, placed, extra, unread)


def match_names(true: Sequence[Named], told: Sequence[Named]) -> tuple[list[float | None], int]:
    """The error of each true object, None where it is missing, and how many are told that are not asked for."""
    errors: list[float | None] = [None] * len(true)
    extra = 0
    names = dict.fromkeys([*(item.name for item in true), *(item.name for item in told)])
    for name in names:
        rows = [place for place, item in enumerate(true) if item.name == name]
        columns = [item for item in told if item.name == name]
        extra += max(0, len(columns) - len(rows))
        if not rows or not columns:
            continue
        away = np.array(
            [[math.hypot(true[row].x - item.x, true[row].y - item.y) for item in columns] for row in rows]
        )
        from scipy.optimize import linear_sum_assignment  # a quarter of a second, which few wait for

        for one, other in zip(*linear_sum_assignment(away), strict=True):
            errors[rows[one]] = float(away[one, other])
    return errors, extra


def summarize(layouts: Iterable[Layout]) -> dict[str, Any]:
    """Absolute position errors in meters, overall, by distance and by number of objects."""
    answers = list(layouts)
    objects = [item for answer in answers for item in answer.objects]
    edges = _bins()["distance"]
    by_distance: dict[str, list[Placed]] = {_label(edges, place): [] for place in range(len(edges))}
    by_count: dict[str, list[Placed]] = {}
    extra: Counter[str] = Counter()
    for answer in answers:
        extra[str(len(answer.objects))] += answer.extra
    for item in objects:
        place = max(at for at, edge in enumerate(edges) if item.distance >= edge)
        by_distance[_label(edges, place)].append(item)
    for item in sorted(objects, key=lambda item: item.count):
        by_count.setdefault(str(item.count), []).append(item)
    return {
        "rows": len(answers),
        "overall": {**_line(objects), "extra": sum(extra.values())},
        "by distance": {name: _line(own) for name, own in by_distance.items() if own},
        "by number of objects": {
            name: {**_line(own), "extra": extra[name]} for name, own in by_count.items()
        },
        "unread": dict(sorted(Counter(answer.unread for answer in answers if answer.unread).items())),
    }


def _label(edges: Sequence[float], place: int) -> str:
    if place + 1 == len(edges):
        return f"{edges[place]:g} m and more"
    return f"{edges[place]:g} to {edges[place + 1]:g} m"


def _line(objects: Sequence[Placed]) -> dict[str, Any]:
    errors = np.array([item.error for item in objects if item.error is not None])
    found: dict[str, Any] = {"objects": len(objects), "missing": len(objects) - len(errors)}
    found["mean"] = float(errors.mean()) if len(errors) else None
    for share in PERCENTILES:
        found[f"p{share}"] = float(np.percentile(errors, share)) if len(errors) else None
    # Of all that were asked for: whoever leaves out what is hard gains nothing here.
    for least in _bins()["within"]:
        found[f"within {least:g} m"] = (
            sum(error <= least for error in errors.tolist()) / len(objects) if objects else None
        )
    return found
