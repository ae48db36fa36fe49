"""Scenes made by hand for questions about moments of a video, and what is true of such moments.

The truths share nothing with the package: distances by bounded least squares, ways as complex numbers, ends of boxes by
their corners one by one.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import video_truth
from question_truth import TrueFrame, TrueObject, Truth
from scipy.optimize import lsq_linear
from scipy.spatial.transform import Rotation
from video_scenes import made, seen

from spatial_assets.scene.model import Box
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.registry import tasks

TASKS = sorted(name for name, task in tasks().items() if task.suite == "vsti")
LIMIT = 0.002
"""Share of an image that shows something well."""


def standing(
    x: float, y: float, z: float = 1.5, heading: float = 0.0, pitch: float = 0.0, roll: float = 0.0
) -> np.ndarray:
    """A camera to the world, (4, 4): degrees of its heading from the x axis to the left, up, and clockwise."""
    level = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    turned = Rotation.from_euler("ZY", [heading, -pitch], degrees=True).as_matrix() @ level
    out = np.eye(4)
    out[:3, :3] = turned @ Rotation.from_euler("Z", roll, degrees=True).as_matrix()
    out[:3, 3] = (x, y, z)
    return out


def clear(share: float = 0.05, **how: Any) -> dict[str, Any]:
    """What a frame shows of an object that can be named there."""
    return seen(
        share,
        **{"marker": [9, 9], "marker_radius": 50.0, "center": [9.0, 9.0], "center_depth": 3.0, **how},
    )


def filmed(
    poses: Sequence[np.ndarray],
    objects: Sequence[tuple[str, Box]] = (),
    frames: Sequence[Sequence[int]] | None = None,
    overlap: float = 0.5,
    **how: Any,
) -> SceneFacts:
    """A scene filmed from these places, every frame of which shows all objects well, or those of `frames`."""
    wanted = [range(len(objects))] * len(poses) if frames is None else frames
    shown = [{place: clear() for place in own} for own in wanted]
    return made(objects, shown, poses=poses, overlap=overlap, **how)


def renamed(facts: SceneFacts, scene: str) -> SceneFacts:
    """The same as another scene."""
    return SceneFacts({**facts.which, "scene": scene}, "license", facts.read)


# Truths.


def moments(scene: Truth, row: dict[str, Any]) -> list[TrueFrame]:
    """The frames that a row asks about, which are those that its text names by their numbers."""
    asked = [(place, item) for place, item in enumerate(row["frames"]) if item["role"] != f"frame-{place}"]
    assert [item["role"] for _, item in asked] == [f"asked-{place}" for place, _ in asked]
    said = [f"frame {place + 1}" for place, _ in asked]
    said[-1] += f" of {len(row['frames'])}"
    assert re.findall(r"frame \d+(?: of \d+)?", row["question"]) == said
    return [scene.frames[item["frame"]] for _, item in asked]


def things(scene: Truth, row: dict[str, Any]) -> dict[str, TrueObject]:
    return {item["role"]: scene.objects[item["instance"]] for item in row["objects"]}


def distance(frame: TrueFrame, thing: TrueObject) -> float:
    """Meters from the camera to the nearest point of a solid box."""
    half = thing.size / 2
    found = lsq_linear(
        video_truth.axes(thing), frame.position - thing.center, (-half, half), tol=1e-15, max_iter=2000
    )
    return math.sqrt(2 * found.cost)


def corners(thing: TrueObject) -> list[np.ndarray]:
    return [
        thing.center + video_truth.axes(thing) @ (np.array(signs) * thing.size / 2)
        for signs in itertools.product((-1, 1), repeat=3)
    ]


def between(first: Sequence[float], second: Sequence[float]) -> float:
    """From the second's values up to the first's, or below zero down to them; NaN where they overlap."""
    if min(first) > max(second):
        return min(first) - max(second)
    return max(first) - min(second) if max(first) < min(second) else math.nan


def way(start: TrueFrame, end: TrueFrame) -> tuple[float, float, float]:
    """Meters forward, right and up from one camera to the other, as somebody says who stands upright at the first."""
    east, north, _ = start.rotation.apply([0.0, 0.0, 1.0])
    heading = complex(east, north)
    moved = end.position - start.position
    level = complex(moved[0], moved[1]) / (heading / abs(heading))
    return level.real, -level.imag, float(moved[2])


def check_shown(scene: Truth, row: dict[str, Any]) -> None:
    """The asked frame shows what is named so that it is found, and nothing else of that name; by rays."""
    (item,) = (item for item in row["frames"] if item["role"].startswith("asked"))
    pixels = scene.pixels(item["frame"])
    total = sum(pixels.values())
    for found in row["objects"]:
        thing = scene.objects[found["instance"]]
        # Another renderer sees a pixel more or fewer at an edge.
        assert pixels.get(found["instance"], 0) >= 0.9 * LIMIT * total
        seen_too = [
            other
            for other in scene.visible(item["frame"])
            if other in scene.objects and scene.objects[other].category == thing.category
        ]
        assert [other for other in seen_too if pixels[other] > 8] == [found["instance"]]
