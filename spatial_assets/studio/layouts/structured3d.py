"""Structured3D's perspective views: images of instances and labels in place of a mesh.

Of a view's files those are written that a reader of geometry needs: color, instances, labels, depth along z and
the camera; neither normals, albedo nor `layout.json`. Cameras look through the image's middle, since
`camera_pose.txt` has no principal point.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from shapely import Point

from spatial_assets.scene import nyu40
from spatial_assets.scene.model import Float
from spatial_assets.studio.files import (
    MILLIMETERS,
    PNG_LEVEL,
    PROGRESS_EVERY,
    Progress,
    Scanner,
    depth_image,
    fresh_folder,
    renderer,
    write_color,
    write_json,
    write_text,
    write_truth,
)
from spatial_assets.studio.layouts.base import Written
from spatial_assets.studio.rooms import FloorPlan
from spatial_assets.studio.scan import noisy_depth
from spatial_assets.studio.scene import STRUCTURE, StudioScene

IMAGES = True
SHARED = None
DATA = Path(__file__).with_suffix(".json")
BACKGROUND = 65535
NO_LABEL = 0


@cache
def _nyu40() -> dict[str, str]:
    found: dict[str, str] = json.loads(DATA.read_text(encoding="utf-8"))["nyu40"]
    return found


def label_of(word: str) -> int:
    """NYU40 number of one of the studio's words."""
    numbers = nyu40.numbers()
    return numbers.get(_nyu40().get(word, word), numbers["otherprop"])


def write_scene(out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress) -> Written:
    """One scene; its views are those of the walk, each in the room that it was taken in."""
    name = f"scene_{index:05d}"
    scene, shots = _by_room(_centered(scene))
    with fresh_folder(out / name) as folder:
        write_json(folder / "annotation_3d.json", _annotation(scene.plan))
        write_json(folder / "bbox_3d.json", _boxes(scene))
        _write_views(folder, name, scene, shots, scanner, progress)
    objects = [thing for thing in scene.objects if thing.category not in STRUCTURE]
    write_truth(out, name, scene, objects, [f"{room}_{position}" for room, position in shots])
    return Written(name)


def _centered(scene: StudioScene) -> StudioScene:
    intrinsics = scene.intrinsics.copy()
    intrinsics[:2, 2] = scene.width / 2, scene.height / 2
    return replace(scene, intrinsics=intrinsics)


def _by_room(scene: StudioScene) -> tuple[StudioScene, list[tuple[int, int]]]:
    """The scene with its poses sorted by room, and room and number in the walk of each."""
    outlines = [room.outline for room in scene.plan.rooms]
    places = [Point(float(pose[0, 3]), float(pose[1, 3])) for pose in scene.poses]
    shots = sorted(
        (min(range(len(outlines)), key=lambda room: outlines[room].distance(place)), number)
        for number, place in enumerate(places)
    )
    order = [number for _, number in shots]
    return replace(scene, poses=scene.poses[order]), shots


def _write_views(
    folder: Path,
    name: str,
    scene: StudioScene,
    shots: list[tuple[int, int]],
    scanner: Scanner,
    progress: Progress,
) -> None:
    instance, label = _face_images(scene)
    picture, noise = renderer(scene, scanner), scanner.stream("depth")
    for k, ((room, position), pose) in enumerate(zip(shots, scene.poses, strict=True)):
        view = folder / "2D_rendering" / str(room) / "perspective" / "full" / str(position)
        view.mkdir(parents=True)
        color, depth, faces = picture(pose)
        write_color(view / "rgb_rawlight.png", color)
        images: dict[str, NDArray[Any]] = {
            "depth": depth_image(noisy_depth(depth, scanner.noise, noise)),
            # Index -1, where no face is, is the last entry.
            "instance": instance[faces],
            "semantic": label[faces],
        }
        for stem, image in images.items():
            Image.fromarray(image).save(view / f"{stem}.png", "PNG", compress_level=PNG_LEVEL)
        write_text(view / "camera_pose.txt", _camera(scene, pose))
        if (k + 1) % PROGRESS_EVERY == 0:
            progress(f"{name}: {k + 1} of {len(shots)} views")


def _face_images(scene: StudioScene) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """What the pixels of each face hold, (F + 1,) each; the last entries are for pixels without one."""
    owner = scene.mesh.owner[scene.mesh.faces[:, 0]]
    bodies = int(owner.max()) + 1
    instance_of = np.full(bodies, BACKGROUND, np.uint16)
    label_of_body = np.full(bodies, label_of("otherstructure"), np.uint8)
    for thing in scene.objects:
        label_of_body[thing.body] = label_of(thing.category)
        if thing.category not in STRUCTURE:
            instance_of[thing.body] = thing.instance
    return np.append(instance_of[owner], np.uint16(BACKGROUND)), np.append(
        label_of_body[owner], np.uint8(NO_LABEL)
    )


def _camera(scene: StudioScene, pose: Float) -> str:
    """Eye, view direction, up, half the fields of view in radians, 1."""
    focal = scene.intrinsics[0, 0], scene.intrinsics[1, 1]
    fields = [math.atan(scene.intrinsics[i, 2] / focal[i]) for i in range(2)]
    numbers = [*(pose[:3, 3] * MILLIMETERS), *pose[:3, 2], *-pose[:3, 1], *fields]
    return " ".join(f"{number:.12f}" for number in numbers) + " 1\n"


def _boxes(scene: StudioScene) -> list[dict[str, Any]]:
    found = []
    for thing in scene.objects:
        if thing.category not in STRUCTURE:
            c, s = math.cos(thing.yaw), math.sin(thing.yaw)
            found.append(
                {
                    "ID": thing.instance,
                    "basis": [[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]],
                    "coeffs": (thing.size / 2 * MILLIMETERS).tolist(),
                    "centroid": (thing.center * MILLIMETERS).tolist(),
                }
            )
    return found


def _annotation(plan: FloorPlan) -> dict[str, Any]:
    """Junctions, lines and planes of every room; normals point into it, and normal . point + offset = 0."""
    junctions: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    planes: list[dict[str, Any]] = []
    semantics: list[dict[str, Any]] = []
    on_plane: list[tuple[int, int]] = []
    on_line: list[tuple[int, int]] = []
    top = plan.height * MILLIMETERS

    def add_line(start: int, end: int) -> int:
        a, b = (np.array(junctions[k]["coordinate"]) for k in (start, end))
        direction = (b - a) / np.linalg.norm(b - a)
        number = len(lines)
        lines.append({"ID": number, "point": a.tolist(), "direction": direction.tolist()})
        on_line.extend([(number, start), (number, end)])
        return number

    def add_plane(kind: str, normal: list[float], offset: float, edges: list[int]) -> int:
        number = len(planes)
        planes.append({"ID": number, "type": kind, "normal": normal, "offset": offset})
        on_plane.extend((number, edge) for edge in edges)
        return number

    for k, room in enumerate(plan.rooms):
        ring = [(x * MILLIMETERS, y * MILLIMETERS) for x, y in room.outline.normalize().exterior.coords]
        if not room.outline.normalize().exterior.is_ccw:
            ring = ring[::-1]
        first, n = len(junctions), len(ring) - 1
        corners = [[x, y, z] for z in (0.0, top) for x, y in ring[:-1]]
        junctions += [{"ID": first + i, "coordinate": corner} for i, corner in enumerate(corners)]
        below = [add_line(first + i, first + (i + 1) % n) for i in range(n)]
        above = [add_line(first + n + i, first + n + (i + 1) % n) for i in range(n)]
        upright = [add_line(first + i, first + n + i) for i in range(n)]
        own = [
            add_plane("floor", [0.0, 0.0, 1.0], 0.0, below),
            add_plane("ceiling", [0.0, 0.0, -1.0], top, above),
        ]
        for i, ((x0, y0), (x1, y1)) in enumerate(pairwise(ring)):
            length = math.hypot(x1 - x0, y1 - y0)
            nx, ny = -(y1 - y0) / length, (x1 - x0) / length
            edges = [below[i], above[i], upright[i], upright[(i + 1) % n]]
            own.append(add_plane("wall", [nx, ny, 0.0], -(nx * x0 + ny * y0), edges))
        semantics.append({"ID": k, "type": room.kind, "planeID": own})
    return {
        "junctions": junctions,
        "lines": lines,
        "planes": planes,
        "planeLineMatrix": _incidence(len(planes), len(lines), on_plane),
        "lineJunctionMatrix": _incidence(len(lines), len(junctions), on_line),
        "semantics": semantics,
        "cuboids": [],
        "manhattan": [{"ID": 0, "planeID": [plane["ID"] for plane in planes]}],
    }


def _incidence(rows: int, columns: int, pairs: list[tuple[int, int]]) -> list[list[int]]:
    matrix = np.zeros((rows, columns), np.int64)
    for row, column in pairs:
        matrix[row, column] = 1
    return matrix.tolist()
