"""The text of a studio scene's Matterport3D house file: regions, panoramas, images, categories, objects, segments."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely import Point

from spatial_assets.scene.model import Float
from spatial_assets.studio.rooms import FloorPlan
from spatial_assets.studio.scene import StudioScene

DATA = Path(__file__).with_name("matterport3d.json")
LETTERS = {"bathroom": "a", "bedroom": "b", "kitchen": "k", "living room": "l", "office": "o"}
REGION_STEP = 1_000_000
"""What the segments of one region's mesh are moved by, for the numbers of the house."""


@dataclass(frozen=True)
class Shot:
    """One of a panorama's images."""

    panorama: int
    camera: int
    yaw: int


@dataclass(frozen=True)
class Panorama:
    name: str
    position: Float


@dataclass(frozen=True)
class Faces:
    """What a mesh's faces are of, (F,) each."""

    segment: NDArray[np.int64]
    instance: NDArray[np.int64]
    """-1 for none."""


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


def room_at(plan: FloorPlan, x: float, y: float) -> int:
    """The room that a place is in, or the nearest."""
    outlines = [room.outline for room in plan.rooms]
    return min(range(len(outlines)), key=lambda room: outlines[room].distance(Point(x, y)))


def faces_of(scene: StudioScene) -> Faces:
    """Every patch is a segment, in the numbers of the region that its object is in."""
    first = scene.mesh.faces[:, 0]
    owner, patch = scene.mesh.owner[first], scene.mesh.patch[first]
    bodies = int(scene.mesh.owner.max()) + 1
    instance, region = np.full(bodies, -1, np.int64), np.zeros(bodies, np.int64)
    for thing in scene.objects:
        instance[thing.body] = thing.instance
        region[thing.body] = room_at(scene.plan, float(thing.center[0]), float(thing.center[1]))
    return Faces(region[owner] * REGION_STEP + patch, instance[owner])


def categories_of(scene: StudioScene) -> list[str]:
    return sorted({thing.category for thing in scene.objects})


def house_text(
    name: str,
    scene: StudioScene,
    panoramas: list[Panorama],
    shots: list[Shot],
    intrinsics: Float,
    faces: Faces,
) -> str:
    """`intrinsics` (3, 3), pixels, are those of the camera file."""
    plan = scene.plan
    low, high = _bounds(scene.mesh.vertices)
    names, corners = categories_of(scene), [_corners(room.outline) for room in plan.rooms]
    segments = _segments(scene, faces)
    counts = [
        len(shots), len(panoramas), sum(map(len, corners)), len(corners), len(segments), len(scene.objects),
        len(names), len(corners), 0, 1,
    ]  # fmt: skip
    middle = (low + high) / 2
    lines = [f"H {name} - {_row(counts)} 0 0 0 0 0 {_row(low, high)} 0 0 0 0 0"]
    lines.append(f"L 0 {len(corners)} - {_row(middle, low, high)} 0 0 0 0 0")
    for k, ring in enumerate(corners):
        room_low = np.array([*ring.min(axis=0), 0.0])
        room_high = np.array([*ring.max(axis=0), plan.height])
        letter = LETTERS.get(plan.rooms[k].kind, "z")
        center = (room_low + room_high) / 2
        lines.append(f"R {k} 0 0 0 {letter} {_row(center, room_low, room_high, [plan.height])} 0 0 0 0")
    number = 0
    vertices = []
    for k, ring in enumerate(corners):
        ring_low, ring_high = [*ring.min(axis=0), 0.0], [*ring.max(axis=0), 0.0]
        center = [*ring.mean(axis=0), 0.0]
        lines.append(f"S {k} {k} 0 - {_row(center, [0, 0, 1], ring_low, ring_high)} 0 0 0 0 0")
        for x, y in ring:
            vertices.append(f"V {number} {k} - {_row([x, y, 0.0, 0, 0, 1])} 0 0 0")
            number += 1
    lines += vertices
    for k, panorama in enumerate(panoramas):
        room = room_at(plan, float(panorama.position[0]), float(panorama.position[1]))
        lines.append(f"P {panorama.name} {k} {room} 0 {_row(panorama.position)} 0 0 0 0 0")
    for k, (shot, pose) in enumerate(zip(shots, scene.poses, strict=True)):
        extrinsics = np.linalg.inv(opengl(pose))
        lines.append(
            f"I {k} {shot.panorama} {panoramas[shot.panorama].name} {shot.camera} {shot.yaw} "
            f"{_row(extrinsics.ravel(), intrinsics.ravel())} {scene.width} {scene.height} {_row(pose[:3, 3])} 0 0 0 0 0"
        )
    for k, label in enumerate(names):
        coarse = _data()["mpcat40"].get(label, "objects")
        index = _data()["numbers"].index(coarse)
        lines.append(f"C {k} {k + 1} {label.replace(' ', '#')} {index} {coarse} 0 0 0 0 0")
    for thing in scene.objects:
        c, s = math.cos(thing.yaw), math.sin(thing.yaw)
        room = room_at(plan, float(thing.center[0]), float(thing.center[1]))
        axes = [c, s, 0.0, -s, c, 0.0]
        lines.append(
            f"O {thing.instance} {room} {names.index(thing.category)} {_row(thing.center, axes, thing.size / 2)} "
            "0 0 0 0 0 0 0 0"
        )
    lines += segments
    return "".join(line + "\n" for line in ("ASCII 1.1", *lines))


def opengl(pose: Float) -> Float:
    """A camera-to-world matrix (4, 4) for a camera that looks along -z, from one (4, 4) that looks along z."""
    turned = pose.copy()
    turned[:3, 1:3] *= -1
    return turned


def _segments(scene: StudioScene, faces: Faces) -> list[str]:
    corners = scene.mesh.vertices[scene.mesh.faces]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    order = np.argsort(faces.segment, kind="stable")
    ids, first = np.unique(faces.segment[order], return_index=True)
    lines = []
    for k, members in enumerate(np.split(order, first[1:])):
        low, high = _bounds(corners[members].reshape(-1, 3))
        place = _row((low + high) / 2, low, high)
        area = f"{areas[members].sum():.6f}"
        lines.append(f"E {k} {faces.instance[members[0]]} {ids[k]} {area} {place} 0 0 0 0 0")
    return lines


def _bounds(points: Float) -> tuple[Float, Float]:
    return points.min(axis=0), points.max(axis=0)


def _corners(outline: Any) -> Float:
    """(N, 2), counter-clockwise."""
    ring = np.array(outline.exterior.coords)[:-1]
    return ring if outline.exterior.is_ccw else ring[::-1]


def _row(*parts: Any) -> str:
    """Numbers with as many digits as they have; whole ones as such."""
    values = [float(value) for part in parts for value in np.asarray(part, np.float64).ravel()]
    return " ".join(f"{value:.0f}" if value == int(value) else f"{value:.10f}" for value in values)
