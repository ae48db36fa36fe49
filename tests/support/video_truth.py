"""Answers about a scene's video, from the truth of its objects and the pixels of its frames.

Shares nothing with the package: distances by bounded least squares, turns as complex numbers, first sights by
the ray caster of `question_truth`.
"""

from __future__ import annotations

import cmath
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from question_truth import TrueObject, Truth
from scipy.optimize import lsq_linear

CLEARLY_SEEN = 0.002
"""Share of the image that an object must fill to have been seen for the first time."""
AHEAD, BACK = 45, 135
"""Degrees to either side within which a way leads on, and from which it leads back."""
TURNS = {"left": "Turn Left", "right": "Turn Right", "back": "Turn Back"}


def objects(truth: Truth, row: dict[str, Any]) -> dict[str, TrueObject]:
    """The row's objects by role, in the row's order."""
    return {item["role"]: truth.objects[item["instance"]] for item in row["objects"]}


def one_decimal(number: float) -> str:
    return f"{math.floor(number * 10 + 0.5) / 10:.1f}"


def called(truth: Truth, word: str) -> list[int]:
    return [instance for instance, thing in truth.objects.items() if thing.category == word]


def answer(truth: Truth, row: dict[str, Any]) -> str:
    """What must be printed: the number, or the text of the right option."""
    found = objects(truth, row)
    things = list(found.values())
    match row["task"]:
        case "object_counting":
            (word,) = {thing.category for thing in things}
            return str(len(called(truth, word)))
        case "object_size_estimation":
            return str(math.floor(100 * things[0].size.max() + 0.5))
        case "object_abs_distance":
            return one_decimal(gap(*things))
        case "object_rel_distance":
            target = found.pop("target")
            return min(found.values(), key=lambda thing: nearest(truth, thing.category, target)).category
        case "object_rel_direction_easy" | "object_rel_direction_medium" | "object_rel_direction_hard":
            stand, face, asked = (place(found[role]) for role in ("position", "orientation", "query"))
            return side(row["task"].rpartition("_")[2], turn(face - stand, asked - stand))
        case "obj_appearance_order":
            frames = [item["frame"] for item in row["frames"]]
            words = [thing.category for thing in things]
            return ", ".join(sorted(words, key=lambda word: first_sight(truth, word, frames)))
        case "route_planning":
            return ", ".join(TURNS[word] for word in turns(row, things))
    raise AssertionError(row["task"])


def value(truth: Truth, row: dict[str, Any]) -> list[float] | None:
    """The unrounded answer; None where it depends on more than the references, as a robot's steps do."""
    found = objects(truth, row)
    things = list(found.values())
    match row["task"]:
        case "object_counting":
            return [len(things)]
        case "object_size_estimation":
            return [100 * things[0].size.max()]
        case "object_abs_distance":
            return [gap(*things)]
        case "object_rel_distance":
            target = found.pop("target")
            return [min(nearest(truth, thing.category, target) for thing in found.values())]
        case "object_rel_direction_easy" | "object_rel_direction_medium" | "object_rel_direction_hard":
            stand, face, asked = (place(found[role]) for role in ("position", "orientation", "query"))
            return [turn(face - stand, asked - stand)]
        case "obj_appearance_order":
            frames = [item["frame"] for item in row["frames"]]
            return sorted(first_sight(truth, thing.category, frames) for thing in things)
    return None


def place(thing: TrueObject) -> complex:
    return complex(thing.center[0], thing.center[1])


def turn(heading: complex, direction: complex) -> float:
    """Degrees from one direction to another, counter-clockwise, in [0, 360)."""
    return math.degrees(cmath.phase(direction / heading)) % 360


def side(level: str, degrees: float) -> str:
    """The answer of one of the three levels: halves, halves and a back, quadrants."""
    if level == "hard":
        return ("front-left", "back-left", "back-right", "front-right")[int(degrees // 90)]
    if level == "medium" and BACK <= degrees < 360 - BACK:
        return "back"
    return "left" if degrees < 180 else "right"


def turns(row: dict[str, Any], things: Sequence[TrueObject]) -> list[str]:
    """The turns of a route, between the objects' centers."""
    start, facing, *stops = (place(thing) for thing in things)
    ways = [b - a for a, b in itertools.pairwise([start, *stops])]
    if row["objects"][1]["instance"] != row["objects"][2]["instance"]:
        ways.insert(0, facing - start)
    words = []
    for before, after in itertools.pairwise(ways):
        degrees = turn(before, after)
        assert AHEAD <= degrees <= 360 - AHEAD, "a way that leads straight on is no turn"
        words.append("left" if degrees < BACK else "right" if degrees > 360 - BACK else "back")
    return words


def first_sight(truth: Truth, word: str, frames: Sequence[str]) -> int:
    """The first of the frames in which something so called fills enough of the image."""
    named = called(truth, word)
    for position, frame in enumerate(frames):
        pixels = truth.pixels(frame)
        if max(pixels.get(instance, 0) for instance in named) >= CLEARLY_SEEN * sum(pixels.values()):
            return position
    raise AssertionError(f"{word} is in none of the frames")


_gaps: dict[tuple[int, int], float] = {}


def nearest(truth: Truth, word: str, target: TrueObject) -> float:
    return min(gap(truth.objects[instance], target) for instance in called(truth, word))


def gap(a: TrueObject, b: TrueObject) -> float:
    """Meters between two boxes, worked out once for every two."""
    key = (id(a), id(b)) if id(a) < id(b) else (id(b), id(a))
    if key not in _gaps:
        half = np.concatenate([a.size, b.size]) / 2
        found = lsq_linear(
            np.hstack([axes(a), -axes(b)]), b.center - a.center, (-half, half), tol=1e-15, max_iter=2000
        )
        _gaps[key] = math.sqrt(2 * found.cost)
    return _gaps[key]


def axes(thing: TrueObject) -> np.ndarray:
    c, s = math.cos(thing.yaw), math.sin(thing.yaw)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
