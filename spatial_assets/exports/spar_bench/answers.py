"""What answers of SPAR-Bench's tasks say, read from their text, and what they should say by a scene's geometry.

Written apart from the tasks that asked, so that an error there is not made here again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.exports.core.scene_truth import SceneTruth

GRID = 1000.0
APART = 0.1
"""Meters; nearer than that two things cannot be told apart, says SPAR (appendix 7.5)."""
SIDES, HEIGHTS = ("right", "left"), ("above", "below")
WAYS, DISTANCES = ("front", "behind"), ("farther", "closer")
TO_VIEWER = (SIDES, HEIGHTS, WAYS)
BETWEEN = (SIDES, HEIGHTS, DISTANCES)
BETWEEN_VIEWS = (*BETWEEN, WAYS, WAYS)
SLOTS: Mapping[str, Sequence[tuple[str, str]]] = {
    "obj_spatial_relation_oo": BETWEEN,
    "obj_spatial_relation_oc_mv": TO_VIEWER,
    "obj_spatial_relation_oo_mv": BETWEEN_VIEWS,
    "spatial_imagination_oc": TO_VIEWER,
    "spatial_imagination_oo": BETWEEN,
    "spatial_imagination_oc_mv": TO_VIEWER,
    "spatial_imagination_oo_mv": BETWEEN_VIEWS,
}
"""By task, the words of each place of an answer: what a positive number says, and a negative one."""
MOVES = (
    ("move_right", "move_left"),
    ("move_up", "move_down"),
    ("move_forward", "move_backward"),
    ("rotate_up", "rotate_down"),
    ("rotate_right", "rotate_left"),
)
HALF_MOVE, HALF_TURN, HALF_METERS, HALF_GRID = 0.1, 2.5, 0.05, 0.5
"""Half a step of what is printed: of view changes, whose steps are 0.2 meters at most, of lengths, of the grid."""
SLACK = 1e-6
"""For the last bit of a number that lies between two steps."""
CHOSEN = re.compile(r"\((red|green|blue|yellow) (?:point|box)\)")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
DISTANCE_CHOICES = ("distance_infer_center_oo", "distance_infer_center_oo_mv")
VIEW_CHANGE, CAMERA, MATCHING = "view_change_infer", "camera_motion_infer", "position_matching"


def chosen(row: Mapping[str, Any]) -> str:
    """The answer's own words: of a letter the option's. Raises ValueError for a letter without one."""
    options, answer = row["options"], row["answer"]
    if not options:
        return str(answer)
    place = ord(answer) - ord("A") if len(answer) == 1 else -1
    if not 0 <= place < len(options):
        raise ValueError(f"{answer!r} is none of {len(options)} options")
    return str(options[place])


def slots(text: str) -> list[str]:
    """The words of an answer with several places."""
    return [word.strip() for word in text.split(",")]


def motion(text: str) -> list[float] | None:
    """The five signed numbers of a view change in the order of MOVES; None where it is none or says one axis twice."""
    found: list[float | None] = [None] * len(MOVES)
    for part in text.split(","):
        name, _, number = part.partition(":")
        for axis, (plus, minus) in enumerate(MOVES):
            if name in (plus, minus) and found[axis] is None and re.fullmatch(r"\d+(\.\d+)?", number):
                found[axis] = float(number) if name == plus else -float(number)
                break
        else:
            return None
    return None if None in found else [number for number in found if number is not None]


def says(row: Mapping[str, Any], values: Sequence[float]) -> bool:
    """Whether the answer is what these numbers print. Raises ValueError for one that cannot be read."""
    task, text = row["task"], chosen(row)
    if task in SLOTS:
        return slots(text) == [
            "" if abs(value) < APART else words[0] if value > 0 else words[1]
            for value, words in zip(values, SLOTS[task], strict=True)
        ]
    if task in DISTANCE_CHOICES:
        color = CHOSEN.search(text)
        if color is None:
            raise ValueError(f"{text!r} names no mark")
        is_closer = "farther" not in row["stem"] and "closer" in row["stem"]
        green, blue = values
        return (color[1] == "green") == ((green < blue) == is_closer)
    numbers = motion(text) if task == VIEW_CHANGE else [float(found) for found in NUMBER.findall(text)]
    if numbers is None or len(numbers) != len(values):
        raise ValueError(f"{text!r} is no answer to {task}")
    return all(
        abs(printed - value) <= half + SLACK
        for printed, value, half in zip(numbers, values, _halves(task), strict=True)
    )


def _halves(task: str) -> tuple[float, ...]:
    if task == VIEW_CHANGE:
        return (HALF_MOVE,) * 3 + (HALF_TURN,) * 2
    if task == CAMERA:
        return (HALF_GRID, HALF_GRID, HALF_METERS)
    return (HALF_GRID,) * 4 if task == MATCHING else (HALF_METERS,)


def by_geometry(row: Mapping[str, Any], scene: SceneTruth) -> list[float]:
    """The row's numbers, computed anew. Raises KeyError for an object or a frame that the scene does not have."""
    task = row["task"]
    frames = [item["frame"] for item in row["frames"]]
    if task == VIEW_CHANGE:
        return _view_change(scene, *frames)
    if task == CAMERA:
        return _in_image(scene, frames[0], scene.cameras[frames[1]].pose[:3, 3])
    instances = {item["role"]: item["instance"] for item in row["objects"]}
    if task == MATCHING:
        return _box(scene, frames[1], instances["red"])
    at = {role: scene.things[instance].center for role, instance in instances.items()}
    viewer = frames[0]
    if task == "depth_prediction_oo_mv":
        viewer = next(mark["frame"] for mark in row["marks"])
    pose = scene.cameras[viewer].pose
    local = {role: pose[:3, :3].T @ (center - pose[:3, 3]) for role, center in at.items()}
    if task.startswith("depth_prediction_oc"):
        return [float(local["blue"][2])]
    if task.startswith("depth_prediction_oo"):
        return [abs(float(local["green"][2] - local["blue"][2]))]
    if task.startswith("distance_prediction_oc"):
        return [_length(local["blue" if task.endswith("_mv") else "red"])]
    if task.startswith("distance_prediction_oo"):
        return [_length(at["red"] - at["blue"])]
    if task in DISTANCE_CHOICES:
        return [_length(at[role] - at["red"]) for role in ("green", "blue")]
    if task.startswith("spatial_imagination"):
        return _relation(task, _moved(at), {"first": "red", "second": "yellow"})
    seen = {role: np.array([x, -y, z]) for role, (x, y, z) in local.items()}
    return _relation(task, seen, {"first": "red", "second": "blue"})


def _moved(at: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Right, up and forward of each object for one who stands at green and looks at blue, the head level."""
    ahead = at["blue"] - at["green"]
    forward = np.array([ahead[0], ahead[1], 0.0]) / np.hypot(ahead[0], ahead[1])
    right = np.array([forward[1], -forward[0], 0.0])
    axes = np.array([right, [0.0, 0.0, 1.0], forward])
    return {role: axes @ (center - at["green"]) for role, center in at.items()}


def _relation(task: str, seen: Mapping[str, NDArray[np.float64]], roles: Mapping[str, str]) -> list[float]:
    """The numbers of the places, from right, up and forward of each object for the observer."""
    first = seen[roles["first"]]
    if SLOTS[task] is TO_VIEWER:
        return [float(number) for number in first]
    second = seen[roles["second"]]
    found = [*(first - second)[:2], _length(first) - _length(second)]
    if SLOTS[task] is BETWEEN_VIEWS:
        found += [first[2], second[2]]
    return [float(number) for number in found]


def _length(vector: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(vector))


def _in_image(scene: SceneTruth, frame: str, point: NDArray[np.float64]) -> list[float]:
    """Place on the grid and depth of a world point."""
    camera = scene.cameras[frame]
    local = camera.pose[:3, :3].T @ (point - camera.pose[:3, 3])
    x, y, z = camera.intrinsics @ local
    return [x / z / camera.width * GRID, y / z / camera.height * GRID, float(local[2])]


def _box(scene: SceneTruth, frame: str, instance: int) -> list[float]:
    """What a frame shows of an object, on the grid."""
    camera, box = scene.cameras[frame], scene.seen[frame][instance].box
    if box is None:
        raise KeyError(instance)
    return [edge / (camera.width, camera.height)[axis % 2] * GRID for axis, edge in enumerate(box)]


def _view_change(scene: SceneTruth, first: str, second: str) -> list[float]:
    """Right, up, forward in meters, then up and right in degrees."""
    one, two = scene.cameras[first].pose, scene.cameras[second].pose
    x, y, z = one[:3, :3].T @ (two[:3, 3] - one[:3, 3])
    ahead = one[:3, :3].T @ two[:3, 2]
    pitch = np.degrees(np.arcsin(np.clip(-ahead[1], -1.0, 1.0)))
    return [float(x), float(-y), float(z), float(pitch), float(np.degrees(np.arctan2(ahead[0], ahead[2])))]
