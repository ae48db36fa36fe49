"""Small writers that all layouts share. The same input gives the same bytes."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from spatial_assets.scene.model import Float
from spatial_assets.studio.photo import photograph, studio
from spatial_assets.studio.picture_quality import DRAFT, FULL
from spatial_assets.studio.render import render, shader
from spatial_assets.studio.scan import noisy_depth
from spatial_assets.studio.scene import StudioObject, StudioScene

JPEG_QUALITY = 88
PNG_LEVEL = 1
"""zlib's fastest: depth images shrink little further, and writing them must not dominate."""
MILLIMETERS = 1000.0
DEPTH_LIMIT = 65.0
"""Meters; what lies further does not fit 16 bits and becomes 0, like what was not hit."""
PROGRAM = "spatial_assets studio"
"""What color images say they were made by, where their format has room for it: nobody should take them for photos."""
PROGRESS_EVERY = 50
"""Frames between two progress messages."""
PIXEL_CENTER = 0.5
"""What is subtracted from our principal point for files that count pixel centers at integers."""

Progress = Callable[[str], None]
Renderer = Callable[[Float], tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int32]]]
"""A camera-to-world pose to color (H, W, 3), depth (H, W) in meters and face (H, W)."""


@dataclass(frozen=True)
class Scanner:
    """How a scene is scanned; the defaults of `write_scenes` are a perfect scanner."""

    noise: float
    """Standard deviation of a surface point, meters; of depth, at one meter."""
    holes: float
    """Share of the mesh's area that was missed."""
    stream: Callable[[str], np.random.Generator]
    """The scene's random numbers for a purpose."""
    quality: str = DRAFT
    """One of `picture_quality.QUALITIES`."""


@contextmanager
def fresh_folder(target: Path) -> Iterator[Path]:
    """A folder that becomes `target` only when everything in it was written; what stood there before is
    replaced."""
    draft = target.with_name(f".{target.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    yield draft
    shutil.rmtree(target, ignore_errors=True)
    draft.replace(target)


def studio_name(index: int) -> str:
    """Name of a scene in layouts whose datasets have no names of their own."""
    return f"studio_{index:04d}"


def integer_centers(intrinsics: Float) -> Float:
    """Intrinsics (3, 3) for files that count pixel centers at integers."""
    out = intrinsics.copy()
    out[:2, 2] -= PIXEL_CENTER
    return out


def write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, data: Any) -> None:
    write_text(path, json.dumps(data) + "\n")


def write_shared(path: Path, content: Any) -> None:
    """What all scenes share: a text as it is, else as JSON, or, in a CSV file, the values of a mapping as rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        write_text(path, content)
        return
    if path.suffix != ".csv":
        write_json(path, content)
        return
    rows = list(content.values())
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]) if rows else [], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def write_matrix(path: Path, matrix: Float) -> None:
    """A matrix (M, N) as rows of numbers; ten decimals keep a pose to a ten-millionth of a millimeter."""
    write_text(path, "".join(" ".join(f"{x:.10f}" for x in row) + "\n" for row in matrix))


def depth_image(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Depth (H, W) in meters (inf = none) to 16-bit millimeters (0 = none)."""
    kept = np.where(depth < DEPTH_LIMIT, depth, 0.0)
    return np.round(kept * MILLIMETERS).astype(np.uint16)


def renderer(scene: StudioScene, scanner: Scanner) -> Renderer:
    """What makes a scene's pictures in the scanner's quality, to be called in the order of the frames."""
    size = scene.width, scene.height
    if scanner.quality == FULL:
        sensor = scanner.stream("sensor")
        ready = studio(scene, sensor)
        return lambda pose: photograph(ready, scene.intrinsics, pose, *size, sensor)
    prepared = shader(scene.mesh, scene.light)
    return lambda pose: render(prepared, scene.intrinsics, pose, *size)


def write_color(target: Path, image: NDArray[np.uint8]) -> None:
    """A color image (H, W, 3) in the format of its suffix."""
    if target.suffix == ".jpg":
        Image.fromarray(image).save(
            target, "JPEG", quality=JPEG_QUALITY, subsampling=2, comment=PROGRAM.encode()
        )
        return
    said = PngInfo()
    said.add_text("Software", PROGRAM)
    Image.fromarray(image).save(target, "PNG", compress_level=PNG_LEVEL, pnginfo=said)


def write_frames(
    scene: StudioScene,
    color: Callable[[int], Path],
    depth: Callable[[int], Path],
    progress: Progress,
    name: str,
    scanner: Scanner,
) -> None:
    """Renders every frame; the color image's format follows its file's suffix."""
    picture = renderer(scene, scanner)
    rng = scanner.stream("depth")
    for k, pose in enumerate(scene.poses):
        image, distance, _ = picture(pose)
        write_color(color(k), image)
        distance = noisy_depth(distance, scanner.noise, rng)
        Image.fromarray(depth_image(distance)).save(depth(k), "PNG", compress_level=PNG_LEVEL)
        if (k + 1) % PROGRESS_EVERY == 0:
            progress(f"{name}: {k + 1} of {len(scene.poses)} frames")


def write_mesh(path: Path, vertices: Float, colors: NDArray[np.uint8], faces: NDArray[np.int32]) -> None:
    """A binary little-endian PLY with ScanNet's properties: x y z red green blue alpha, and faces of three; of
    vertices (V, 3) in meters, colors (V, 3) and faces (F, 3).
    """
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(vertices)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        "property uchar red\nproperty uchar green\nproperty uchar blue\nproperty uchar alpha\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    vertex = np.zeros(len(vertices), [("xyz", "<f4", 3), ("rgba", "u1", 4)])
    vertex["xyz"] = vertices
    vertex["rgba"][:, :3] = colors
    vertex["rgba"][:, 3] = 255
    face = np.zeros(len(faces), [("count", "u1"), ("corners", "<i4", 3)])
    face["count"] = 3
    face["corners"] = faces
    path.write_bytes(header.encode("ascii") + vertex.tobytes() + face.tobytes())


def write_truth(
    out: Path, name: str, scene: StudioScene, objects: list[StudioObject], frame_names: list[str]
) -> None:
    """`_truth/<scene>.json`, in the package's conventions; `frame_names` is empty where the layout has no
    images."""
    counts: dict[str, int] = {}
    for thing in objects:
        counts[thing.category] = counts.get(thing.category, 0) + 1
    data = {
        "scene": name,
        "objects": [
            {
                "instance": o.instance,
                "category": o.category,
                "center": o.center.tolist(),
                "size": o.size.tolist(),
                "yaw": o.yaw,
            }
            for o in objects
        ],
        "frames": [
            {
                "frame": frame,
                "camera_to_world": scene.poses[k].tolist(),
                "intrinsics": scene.intrinsics.tolist(),
                "width": scene.width,
                "height": scene.height,
            }
            for k, frame in enumerate(frame_names)
        ],
        "rooms": [room.kind for room in scene.plan.rooms],
        "room_area": scene.plan.area,
        "counts": dict(sorted(counts.items())),
    }
    folder = out / "_truth"
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}.json", data)
