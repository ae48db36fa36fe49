"""A room of 4 x 4 x 2.5 m whose painted walls a camera sees, ray by ray: files of it in other conventions and units."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from tiny import Cube, box_mesh, look_at

SIZE = (80, 60)
K = np.array([[60.0, 0, 39.5], [0, 60.0, 29.5], [0, 0, 1]])
LOW, HIGH = np.array([-2, -2, 0.0]), np.array([2, 2, 2.5])
Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""From our world to one whose y is up."""
GL = np.diag([1.0, -1, -1, 1])
CONVENTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "world_to_camera": np.linalg.inv,
    "opengl_camera_to_world": lambda poses: poses @ GL,
    "opengl_world_to_camera": lambda poses: np.linalg.inv(poses @ GL),
}
"""How poses are written under each."""


def walk(frames: int, seed: int = 0, roll: float = 0.0) -> np.ndarray:
    """Camera-to-world (N, 4, 4) of a walk through the room, held level but for a roll in degrees."""
    rng = np.random.default_rng(seed)
    poses = []
    turned = np.eye(4)
    angle = np.radians(roll)
    turned[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    start = rng.uniform(0, 2 * np.pi)
    for turn in start + np.linspace(0, 5.5, frames):
        eye = np.array([0.9 * np.cos(2 * turn), 0.7 * np.sin(turn), 1.4 + 0.2 * np.sin(3 * turn)])
        to = np.array([np.cos(turn), np.sin(turn), -0.35 + 0.2 * np.cos(2 * turn)])
        poses.append(look_at(eye, eye + to) @ turned)
    return np.stack(poses)


def paint(points: np.ndarray) -> np.ndarray:
    """Colors (..., 3) of places on the walls, darker below, with spots a meter wide."""
    x, y, z = np.moveaxis(points, -1, 0)
    spots = np.sin(2.1 * x + 0.3) * np.cos(1.7 * y - 0.8) + np.sin(2.9 * z + x)
    return np.clip(120 + 45 * spots[..., None] + np.array([10, 0, -10]) + 12 * z[..., None], 0, 255).astype(
        np.uint8
    )


def seen(pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Depth along z (H, W) and color (H, W, 3)."""
    u, v = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    rays = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones(u.shape)], -1) @ pose[:3, :3].T
    with np.errstate(divide="ignore"):
        walls = np.stack([(wall - pose[:3, 3]) / rays for wall in (LOW, HIGH)])
    depth = np.where(walls > 0, walls, np.inf).min(axis=(0, -1))
    return depth, paint(pose[:3, 3] + rays * depth[..., None])


def write_scannet(
    root: Path,
    poses: np.ndarray,
    written: np.ndarray,
    mesh_scale: float = 1.0,
    colors: bool = True,
    cuts: int = 24,
) -> Path:
    """A scene whose images are those of `poses` and whose pose files hold `written`."""
    folder = root / "scene0000_00"
    for part in ("color", "pose", "intrinsic"):
        (folder / part).mkdir(parents=True)
    vertices, faces = box_mesh(Cube("wall", tuple((LOW + HIGH) / 2), tuple(HIGH - LOW)), cuts)
    shades = paint(vertices) if colors else np.full((len(vertices), 3), 200)
    lines = ["ply", "format ascii 1.0", f"element vertex {len(vertices)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"property uchar {color}" for color in ("red", "green", "blue")]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    lines += [
        " ".join(f"{value:.6g}" for value in (*place, *shade))
        for place, shade in zip(vertices * mesh_scale, shades, strict=True)
    ]
    lines += [" ".join(map(str, (3, *face))) for face in faces]
    (folder / f"{folder.name}_vh_clean_2.ply").write_text("\n".join(lines) + "\n")
    segments = np.arange(len(vertices)) // (len(vertices) // 6)
    (folder / f"{folder.name}_vh_clean_2.0.010000.segs.json").write_text(
        json.dumps({"segIndices": segments.tolist()})
    )
    groups = [{"objectId": i, "label": "wall" if i else "floor", "segments": [i]} for i in range(6)]
    (folder / f"{folder.name}.aggregation.json").write_text(json.dumps({"segGroups": groups}))
    (folder / f"{folder.name}.txt").write_text(f"colorWidth = {SIZE[0]}\ncolorHeight = {SIZE[1]}\n")
    np.savetxt(folder / "intrinsic/intrinsic_color.txt", K)
    for number, (pose, matrix) in enumerate(zip(poses, written, strict=True)):
        np.savetxt(folder / f"pose/{number}.txt", matrix)
        Image.fromarray(seen(pose)[1]).save(folder / f"color/{number}.jpg", quality=90)
    return folder


def write_posed_rgbd(root: Path, poses: np.ndarray, written: np.ndarray, steps: float = 1000.0) -> Path:
    """A sequence of `poses`, of which `written` are said to be the poses; depth in steps a meter."""
    folder = root / "room"
    for part in ("images", "depth"):
        (folder / part).mkdir(parents=True)
    for number, pose in enumerate(poses):
        depth, color = seen(pose)
        Image.fromarray((depth * steps).round().astype(np.uint16)).save(folder / f"depth/{number}.png")
        Image.fromarray(color).save(folder / f"images/{number}.png")
    lines = [" ".join(f"{value:.9f}" for value in matrix.ravel()) for matrix in written]
    (folder / "poses.txt").write_text("\n".join(lines) + "\n")
    np.savetxt(folder / "K.txt", K)
    return folder


def scaled(poses: np.ndarray, factor: float) -> np.ndarray:
    """Poses in another unit."""
    out = poses.copy()
    out[:, :3, 3] *= factor
    return out
