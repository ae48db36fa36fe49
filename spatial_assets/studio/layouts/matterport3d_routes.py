"""The simulator's graph of a studio scene, and routes through it in words as R2R has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra
from shapely import LineString

from spatial_assets.scene.model import Float
from spatial_assets.studio.camera import look
from spatial_assets.studio.layouts.matterport3d_house import Panorama, room_at
from spatial_assets.studio.scene import STRUCTURE, StudioScene

REACH = 5.0
"""Meters: viewpoints further apart are joined by no edge, unless the walk leads from one to the next."""
ROUTES = 6
"""Pairs of viewpoints that are tried for a route."""
MOST_STEPS = 6
STRAIGHT, SLIGHT, TURN = math.radians(25), math.radians(60), math.radians(135)
"""Angles up to which a turn is none, a slight one, and one; beyond, one turns around."""
DOWN = 1.0
"""Meters below the last viewpoint that an excluded one stands, as where a tripod was put under a table."""


def edges_of(scene: StudioScene, panoramas: list[Panorama]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Between which viewpoints one can walk, and which see each other, (N, N) each, symmetric: nothing but walls is
    in the way.
    """
    floor = scene.plan.floor
    count = len(panoramas)
    sight = np.zeros((count, count), np.bool_)
    near = sight.copy()
    for i in range(count):
        for j in range(i):
            ends = [panoramas[k].position[:2] for k in (i, j)]
            sight[i, j] = sight[j, i] = floor.covers(LineString(ends))
            near[i, j] = near[j, i] = math.dist(*ends) <= REACH
    steps = sight & near
    for i in range(count - 1):
        steps[i, i + 1] = steps[i + 1, i] = True
    return steps, sight


def tripod_pose(number: int, panorama: Panorama) -> Float:
    """Camera-to-world (4, 4) that the graph gives a panorama: level, and turned as it happened to stand."""
    return look(panorama.position, 0.7 * number, 0.0, 0.0)


def connectivity(scene: StudioScene, panoramas: list[Panorama], excluded: str) -> list[dict[str, Any]]:
    """Of all viewpoints, and of one more that is not part of the graph."""
    steps, sight = edges_of(scene, panoramas)
    last = Panorama(excluded, panoramas[-1].position - (0, 0, DOWN))
    found = []
    for k, panorama in enumerate([*panoramas, last]):
        is_in = k < len(panoramas)
        pose = tripod_pose(k, panorama)
        found.append(
            {
                "image_id": panorama.name,
                "pose": [round(value, 10) for value in pose.ravel().tolist()],
                "included": is_in,
                "visible": [*(sight[k].tolist() if is_in else [True] * (len(panoramas))), False],
                "unobstructed": [*(steps[k].tolist() if is_in else [False] * len(panoramas)), False],
                "height": float(panorama.position[2]),
            }
        )
    return found


def routes(
    name: str, number: int, scene: StudioScene, panoramas: list[Panorama], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Shortest ways between some viewpoints, each with three texts."""
    positions = np.array([panorama.position for panorama in panoramas])
    steps, _ = edges_of(scene, panoramas)
    lengths = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    _, before = dijkstra(np.where(steps, lengths, 0.0), return_predecessors=True)
    found: list[dict[str, Any]] = []
    for _ in range(ROUTES):
        start, end = (int(k) for k in rng.choice(len(panoramas), 2, replace=False))
        path = [end]
        while path[-1] != start:
            path.append(int(before[start, path[-1]]))
        path.reverse()
        heading = float(rng.random()) * 2 * math.pi
        if len(path) - 1 > MOST_STEPS or any(
            entry["path"] == [panoramas[k].name for k in path] for entry in found
        ):
            continue
        way = positions[path]
        found.append(
            {
                "distance": round(float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum()), 2),
                "scan": name,
                "path_id": 100 * number + len(found),
                "path": [panoramas[k].name for k in path],
                "heading": round(heading, 3),
                "instructions": _texts(scene, way, round(heading, 3)),
            }
        )
    return found


def _texts(scene: StudioScene, way: Float, heading: float) -> list[str]:
    """What to do, from the directions of the steps, the rooms on the way and the thing nearest to its end."""
    turns = []
    facing = heading
    for step in np.diff(way, axis=0):
        aim = math.atan2(float(step[0]), float(step[1]))
        turns.append(_turn((aim - facing + math.pi) % (2 * math.pi) - math.pi))
        facing = aim
    rooms = [scene.plan.rooms[room_at(scene.plan, float(x), float(y))].kind for x, y, _ in way]
    things = [thing for thing in scene.objects if thing.category not in STRUCTURE]
    goal = min(things, key=lambda thing: float(np.linalg.norm(thing.center[:2] - way[-1, :2]))).category
    into = "" if rooms[0] == rooms[-1] else f" into the {rooms[-1]}"
    walked = ", then ".join(f"{turn} and walk on" for turn in turns)
    return [
        f"{walked[0].upper()}{walked[1:]}{into}. Stop near the {goal}.",
        f"You are in the {rooms[0]}. {turns[0].capitalize()}, go{into or ' on'}, and wait by the {goal}.",
        f"Go{into or ' through the ' + rooms[0]} and stop where the {goal} is nearest.",
    ]


def _turn(angle: float) -> str:
    side = "right" if angle > 0 else "left"
    if abs(angle) <= STRAIGHT:
        return "go straight"
    if abs(angle) <= SLIGHT:
        return f"turn slightly {side}"
    return f"turn {side}" if abs(angle) <= TURN else "turn around"
