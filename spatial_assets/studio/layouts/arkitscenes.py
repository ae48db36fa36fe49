"""ARKitScenes' 3dod set: ARKit's mesh, boxes of furniture, and a tablet's frames, as the sensor has them.

What the set is known for is in it: images on their sides, a trajectory that leads from the world to the camera and
turns about axes, files whose names differ by a millisecond, poses some milliseconds off, a world that is level and
turned at will, and boxes for some kinds of furniture alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial.transform import Rotation

from spatial_assets.scene.model import Float, rigid_inverse
from spatial_assets.studio.files import (
    PIXEL_CENTER,
    PNG_LEVEL,
    PROGRESS_EVERY,
    Progress,
    Scanner,
    depth_image,
    fresh_folder,
    renderer,
    write_color,
    write_json,
    write_mesh,
    write_text,
    write_truth,
)
from spatial_assets.studio.layouts.base import Written
from spatial_assets.studio.render import vertex_colors
from spatial_assets.studio.scan import noisy, noisy_depth, with_holes
from spatial_assets.studio.scene import StudioObject, StudioScene

IMAGES = True
SHARED = None
WORDS = {
    "kitchen cabinet": "cabinet", "file cabinet": "cabinet", "wardrobe": "cabinet", "bathroom vanity": "cabinet",
    "dresser": "cabinet", "tv stand": "cabinet", "refrigerator": "refrigerator", "shelf": "shelf",
    "bookshelf": "shelf", "stove": "stove", "bed": "bed", "sink": "sink", "washing machine": "washer",
    "toilet": "toilet", "bathtub": "bathtub", "dishwasher": "dishwasher", "stool": "stool", "ottoman": "stool",
    "chair": "chair", "office chair": "chair", "table": "table", "desk": "table", "coffee table": "table",
    "end table": "table", "tv": "tv_monitor", "monitor": "tv_monitor", "couch": "sofa", "armchair": "sofa",
}  # fmt: skip
"""Words of the studio to those of the annotators; of others there is no box."""
FIRST_VIDEO = 10_000_000
"""Below every number of the dataset's own."""
SKIES = (1, 3, 2, 0)
"""Quarter turns counterclockwise by which the images of one scene after another are stored."""
COUNTERCLOCKWISE = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""From the axes of an upright camera to those of one whose image is turned once."""
SENSOR = np.array([1920.0, 1440.0])
"""Width and height of the images that principal points are for before they are scaled, with whole pixel centers."""
STARTED, FRAME_SECONDS = 1000.0, 0.1
CLOCKS_APART = 0.004
"""Seconds by which poses are off, at most; files are by a millisecond."""


@dataclass(frozen=True)
class Stream:
    """A folder of images, and of their intrinsics, at a share of the scene's size."""

    name: str
    share: float = 1.0


def write_scene(out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress) -> Written:
    """One video below `3dod/Training`, with its frames in a folder of their own."""
    name = str(FIRST_VIDEO + index)
    target = out / "3dod" / "Training" / name
    return write_video(
        out, target, f"{name}_frames", index, scene, scanner, progress, (Stream("lowres_wide"),)
    )


def write_video(
    out: Path,
    target: Path,
    frames: str,
    index: int,
    scene: StudioScene,
    scanner: Scanner,
    progress: Progress,
    streams: Sequence[Stream],
) -> Written:
    """One video in a folder `target`, its frames in a folder `frames` of that; depth goes with the last stream."""
    name, turns = target.name, SKIES[index % len(SKIES)]
    rng = scanner.stream("alignment")
    yaw, shift = 2 * math.pi * rng.random(), (rng.random(3) - 0.5) * (6.0, 6.0, 1.0)
    world = np.eye(4)
    world[:3, :3] = Rotation.from_rotvec([0.0, 0.0, yaw]).as_matrix()
    world[:3, 3] = shift
    objects = _annotated(scene, world, yaw)
    moved = replace(scene, poses=np.einsum("ij,njk->nik", world, scene.poses))
    clock = Clock(scanner.stream("clock"), len(scene.poses))
    names = [f"{name}_{time:.3f}" for time in clock.frames]
    with fresh_folder(target) as folder:
        (folder / frames).mkdir(exist_ok=True)
        seen = noisy(scene.mesh.vertices, scene.mesh.faces, scanner.noise, scanner.stream("noise"))
        faces = with_holes(scene.mesh.vertices, scene.mesh.faces, scanner.holes, scanner.stream("holes"))
        vertices = np.einsum("ij,nj->ni", world[:3, :3], seen) + world[:3, 3]
        write_mesh(folder / f"{name}_3dod_mesh.ply", vertices, vertex_colors(scene.mesh, scene.light), faces)
        write_json(folder / f"{name}_3dod_annotation.json", _annotation(objects, name))
        write_text(folder / frames / "lowres_wide.traj", _trajectory(moved.poses, turns, clock.poses))
        _write_frames(folder / frames, name, scene, scanner, progress, streams, turns, clock)
    write_truth(out, name, moved, objects, names)
    return Written(name)


class Clock:
    """Times in seconds, (N,): of frames, of their poses, and those in the names of their other files."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self.frames = STARTED + FRAME_SECONDS * np.arange(count)
        self.poses = self.frames + CLOCKS_APART * (2 * rng.random(count) - 1)
        self.intrinsics, self.depths = (self.frames + 0.001 * rng.integers(-1, 2, count) for _ in range(2))


def _annotated(scene: StudioScene, world: Float, yaw: float) -> list[StudioObject]:
    """Objects that get a box, in a turned world, numbered by their places in the file."""
    found: list[StudioObject] = []
    for thing in scene.objects:
        if thing.category in WORDS:
            # The longer side points between -45 and 135 degrees.
            turned = (thing.yaw + yaw + math.pi / 4) % math.pi - math.pi / 4
            center = world[:3, :3] @ thing.center + world[:3, 3]
            found.append(
                replace(thing, instance=len(found), category=WORDS[thing.category], center=center, yaw=turned)
            )
    return found


def _annotation(objects: Sequence[StudioObject], name: str) -> dict[str, Any]:
    data = []
    for thing in objects:
        c, s = math.cos(thing.yaw), math.sin(thing.yaw)
        box = {
            "centroid": thing.center.tolist(),
            "axesLengths": thing.size.tolist(),
            "normalizedAxes": [c, s, 0.0, -s, c, 0.0, 0.0, 0.0, 1.0],
        }
        data.append(
            {
                "uid": f"{name}-{thing.instance:04d}", "label": thing.category, "objectId": thing.instance + 1,
                "children": [], "modelId": "", "segments": {"obb": box, "obbAligned": box, "segments": []},
            }
        )  # fmt: skip
    return {"skipped": False, "data": data, "stats": {"boxes": len(data)}}


def _trajectory(poses: Float, turns: int, times: Float) -> str:
    """A line each: the time, the rotation as an axis times its angle, and the translation, from world to camera."""
    turn = np.eye(4)
    turn[:3, :3] = np.linalg.matrix_power(COUNTERCLOCKWISE, turns)
    lines = []
    for time, pose in zip(times, poses, strict=True):
        leads = turn @ rigid_inverse(pose)
        numbers = [*Rotation.from_matrix(leads[:3, :3]).as_rotvec(), *leads[:3, 3]]
        lines.append(f"{time:.6f} " + " ".join(f"{number:.10f}" for number in numbers) + "\n")
    return "".join(lines)


def _pincam(scene: StudioScene, turns: int, size: tuple[int, int]) -> str:
    """Of a stored image of a size: width, height, focal lengths, principal point."""
    k, width, height = scene.intrinsics, scene.width, scene.height
    focal, center = np.array([k[0, 0], k[1, 1]]), np.array([k[0, 2], k[1, 2]])
    for _ in range(turns):
        focal, center = focal[::-1], np.array([center[1], width - center[0]])
        width, height = height, width
    share = np.array(size) / (width, height)
    # Whole numbers are the middles of the sensor's pixels, whatever its image is scaled to.
    center = center * share - PIXEL_CENTER * np.array(size) / SENSOR
    return " ".join([f"{size[0]} {size[1]}", *(f"{number:.10f}" for number in (*(focal * share), *center))])


def _write_frames(
    folder: Path,
    name: str,
    scene: StudioScene,
    scanner: Scanner,
    progress: Progress,
    streams: Sequence[Stream],
    turns: int,
    clock: Clock,
) -> None:
    parts = [part for stream in streams for part in (stream.name, f"{stream.name}_intrinsics")]
    for part in (*parts, "lowres_depth", "confidence"):
        (folder / part).mkdir()
    picture, noise = renderer(scene, scanner), scanner.stream("depth")
    for k, pose in enumerate(scene.poses):
        image, distance, _ = picture(pose)
        stored = np.ascontiguousarray(np.rot90(image, turns))
        size = stored.shape[1], stored.shape[0]
        for stream in streams:
            size = (
                round(stored.shape[1] * stream.share), round(stored.shape[0] * stream.share)
            )  # fmt: skip
            color = np.asarray(Image.fromarray(stored).resize(size, Image.Resampling.BOX))
            write_color(folder / stream.name / f"{name}_{clock.frames[k]:.3f}.png", color)
            pincam = folder / f"{stream.name}_intrinsics" / f"{name}_{clock.intrinsics[k]:.3f}.pincam"
            write_text(pincam, _pincam(scene, turns, size))
        depth = np.rot90(depth_image(noisy_depth(distance, scanner.noise, noise)), turns)
        _write_depth(folder, f"{name}_{clock.depths[k]:.3f}.png", depth, size)
        if (k + 1) % PROGRESS_EVERY == 0:
            progress(f"{name}: {k + 1} of {len(scene.poses)} frames")


def _write_depth(folder: Path, file: str, depth: NDArray[np.uint16], size: tuple[int, int]) -> None:
    """Depth at a size, one reading of several, and how sure the sensor is of each: 2 is most."""
    rows, columns = ((np.arange(n) * whole // n) for n, whole in zip(size[::-1], depth.shape, strict=True))
    small = np.ascontiguousarray(depth[np.ix_(rows, columns)])
    Image.fromarray(small).save(folder / "lowres_depth" / file, "PNG", compress_level=PNG_LEVEL)
    sure = np.where(small > 0, 2, 0).astype(np.uint8)
    Image.fromarray(sure).save(folder / "confidence" / file, "PNG", compress_level=PNG_LEVEL)
