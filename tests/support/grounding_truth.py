"""What is true of located objects, by other means than the tasks', and who is meant by a description."""

from __future__ import annotations

import cmath
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from question_truth import TrueFrame, TrueObject, Truth
from video_truth import gap

from spatial_assets.scene.categories import may_mean

NEAR = 0.02
"""Of the extreme's own measure: what differs by less is as extreme."""
LEADS = 1.05
"""Of the pixels that a frame shows of an object to those of the next one."""


def view_of(frame: TrueFrame, thing: TrueObject) -> list[float]:
    """x, y, depth, across, along, up and turn of an object in a frame."""
    x, y = frame.on_grid(thing.center)
    ahead = frame.rotation.apply([0.0, 0.0, 1.0])
    right = complex(ahead[1], -ahead[0])
    edge = cmath.rect(1.0, thing.yaw)
    angle = math.degrees(cmath.phase(edge / right))
    across, along, up = thing.size
    while not -45.0 <= angle <= 45.0:
        # By a quarter, so that the other edge lies across.
        angle -= math.copysign(90.0, angle)
        across, along = along, across
    return [x, y, float(frame.in_camera(thing.center)[2]), across, along, up, angle]


def best_frame(truth: Truth, frames: Sequence[str], instance: int) -> int:
    """The place of the frame that shows the most pixels of an object."""
    shares = [
        truth.pixels(name).get(instance, 0) / (truth.frames[name].width * truth.frames[name].height)
        for name in frames
    ]
    return int(np.argmax(shares))


def located(truth: Truth, row: Mapping[str, Any]) -> tuple[int, list[float]]:
    """The frame's place and the numbers of a row's answer."""
    frames = [item["frame"] for item in row["frames"]]
    instance = row["objects"][0]["instance"]
    place = best_frame(truth, frames, instance)
    return place, view_of(truth.frames[frames[place]], truth.objects[instance])


def printed(place: int, numbers: Sequence[float]) -> str:
    x, y, depth, *sizes, turn = numbers
    lengths = " x ".join(one(size) for size in sizes)
    return (
        f"Frame-{place}, point ({whole(x)}, {whole(y)}), depth {one(depth)} m, size {lengths} m, "
        f"turn {whole(turn)} degrees"
    )


def one(value: float) -> str:
    return f"{math.floor(value * 10 + 0.5) / 10:.1f}"


def whole(value: float) -> int:
    return math.floor(value + 0.5)


Measure = Callable[[TrueObject, Sequence[TrueObject]], float]
"""Of an object and the anchors that its name may mean."""


def _to_anchor(thing: TrueObject, anchors: Sequence[TrueObject]) -> float:
    (anchor,) = anchors
    return gap(thing, anchor)


RULES: tuple[tuple[str, int, Measure], ...] = (
    (r"the tallest (?P<name>.+)", 1, lambda it, _: it.size[2]),
    (r"the (?P<name>.+) that is taller than every other", 1, lambda it, _: it.size[2]),
    (r"the (?P<name>.+) with the least height", -1, lambda it, _: it.size[2]),
    (r"the (?P<name>.+) that is less tall than every other", -1, lambda it, _: it.size[2]),
    (r"the largest (?P<name>.+) by volume", 1, lambda it, _: it.size.prod()),
    (r"the (?P<name>.+) that takes up the most space", 1, lambda it, _: it.size.prod()),
    (r"the smallest (?P<name>.+) by volume", -1, lambda it, _: it.size.prod()),
    (r"the (?P<name>.+) that takes up the least space", -1, lambda it, _: it.size.prod()),
    (r"the (?P<name>.+) with the longest side along the floor", 1, lambda it, _: it.size[:2].max()),
    (r"the (?P<name>.+) that is longest along the floor", 1, lambda it, _: it.size[:2].max()),
    (r"the (?P<name>.+) whose middle is the highest above the floor", 1, lambda it, _: it.center[2]),
    (r"the (?P<name>.+) that is placed highest", 1, lambda it, _: it.center[2]),
    (r"the (?P<name>.+) whose middle is the lowest above the floor", -1, lambda it, _: it.center[2]),
    (r"the (?P<name>.+) that is placed lowest", -1, lambda it, _: it.center[2]),
    (r"the (?P<name>.+) closest to the (?P<anchor>.+)", -1, _to_anchor),
    (r"the (?P<name>.+) that is nearest to the (?P<anchor>.+)", -1, _to_anchor),
    (r"the (?P<name>.+) farthest from the (?P<anchor>.+)", 1, _to_anchor),
    (r"the (?P<name>.+) that is the farthest away from the (?P<anchor>.+)", 1, _to_anchor),
    (r"the (?P<name>.+)", 0, lambda it, _: 0.0),
)
"""What descriptions say, which end of it is meant, and how it is measured; the first that fits is what is said."""


def meant(objects: Mapping[int, TrueObject], text: str) -> list[int]:
    """The objects that a description may mean, by trying all."""
    for pattern, sign, measure in RULES:
        match = re.fullmatch(pattern, text)
        if match is None:
            continue
        named = called(objects, match["name"])
        anchors = called(objects, match["anchor"]) if "anchor" in match.groupdict() else []
        if "anchor" in match.groupdict() and len(anchors) != 1:
            return []
        if sign == 0:
            return named
        values = {
            place: sign * measure(objects[place], [objects[anchor] for anchor in anchors]) for place in named
        }
        best = max(values.values(), default=0.0)
        return [place for place, value in values.items() if best - value <= NEAR * abs(best)]
    return []


def called(objects: Mapping[int, TrueObject], word: str) -> list[int]:
    return [place for place, thing in objects.items() if may_mean(word, thing.category)]
