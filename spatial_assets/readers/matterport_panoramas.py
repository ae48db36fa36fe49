"""Matterport3D's panoramas: which viewpoints have one, and which way it looks.

    matterport_skybox_images/<viewpoint>_skybox<0-5>_sami.jpg       six square images, as `media.panoramas` has them

The camera of a viewpoint's pose in the simulator's graph looks along z with y down; the first face around, 1, is what
lies behind it, and 2 to 4 follow to the right. So the simulator itself takes them; where images of the same tripod are
there, both are compared on load, and the faces are taken as they show the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spatial_assets.media import panoramas
from spatial_assets.readers import files, matterport_frames, source_images
from spatial_assets.readers.consistency import ALIKE, CELLS, CLEARLY, FLAT, GOOD, LOOKS
from spatial_assets.scene.model import Float, Frame, InputError, Scene, Viewpoint

FOLDER = "matterport_skybox_images"
BACK = np.diag([-1.0, 1.0, -1.0])
"""The panorama's axes in those of the pose's camera."""
RIGHT = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
"""The axes of who turns to the right by a quarter, in one's own, as columns are: forward becomes what was right."""
WITHIN = 4
"""Places across a cell of the grid at which a panorama is looked at."""
BRIGHTNESS = np.array([0.299, 0.587, 0.114])
"""Shares of red, green and blue, as Pillow takes them."""


@dataclass(frozen=True)
class Found:
    """Panoramas that are whole, and how many are not."""

    by_viewpoint: dict[str, str]
    """The path of the first face."""
    broken: dict[str, str]
    """What is wrong with others, in words."""


def face_files(root: Path, folder: str | None) -> list[str]:
    """Every face that is there, in natural order."""
    if folder is None:
        return []
    listed = files.by_stem(root, folder, {".jpg"}).values()
    ends = tuple(panoramas.face_path(panoramas.FIRST, face) for face in range(panoramas.FACES))
    return [path for path in listed if path.endswith(ends)]


def find(root: Path, folder: str | None, viewpoints: Sequence[Viewpoint]) -> Found:
    """Of the viewpoints of a graph."""
    there = set(face_files(root, folder))
    by_viewpoint, broken = {}, {}
    for viewpoint in viewpoints:
        first = f"{folder}/{viewpoint.name}{panoramas.FIRST}"
        faces = [panoramas.face_path(first, face) for face in range(panoramas.FACES)]
        missing = [path for path in faces if path not in there]
        if len(missing) == panoramas.FACES:
            continue
        try:
            if missing:
                raise InputError(missing[0], "missing", "missing_file")
            sizes = {source_images.image_size(root, path) for path in faces}
            if len(sizes) > 1 or any(width != height for width, height in sizes):
                told = ", ".join(f"{width} x {height}" for width, height in sorted(sizes))
                raise InputError(first, f"its six images are of {told} pixels, no cube", "contradiction")
        except InputError as error:
            broken[viewpoint.name] = str(error)
            continue
        by_viewpoint[viewpoint.name] = first
    return Found(by_viewpoint, broken)


def with_panoramas(
    root: Path, scene: Scene, folder: str | None, orientations: Sequence[Float], told: dict[str, str]
) -> Scene:
    """The scene with its viewpoints' panoramas, of which `told` says how many there are and what speaks for them.

    Parameters
    ----------
    orientations : of each viewpoint, in their order, the axes (3, 3) of its pose's camera in the world.
    """
    found = find(root, folder, scene.viewpoints)
    if not found.by_viewpoint and not found.broken:
        return scene
    axes = {
        viewpoint.name: turn @ BACK for viewpoint, turn in zip(scene.viewpoints, orientations, strict=True)
    }
    quarter, note = _checked(root, scene.frames, found, axes)
    count = f"{len(found.by_viewpoint)} of {len(scene.viewpoints)} viewpoints have one"
    if found.broken:
        count += f", {len(found.broken)} are broken ({next(iter(found.broken.values()))})"
    told["panoramas"] = f"{count}; {note}"
    if quarter is None:
        return scene
    turned = np.linalg.matrix_power(RIGHT, quarter)
    return replace(
        scene,
        viewpoints=tuple(
            replace(
                viewpoint,
                panorama=found.by_viewpoint[viewpoint.name],
                panorama_axes=axes[viewpoint.name] @ turned,
            )
            if viewpoint.name in found.by_viewpoint
            else viewpoint
            for viewpoint in scene.viewpoints
        ),
    )


def _checked(
    root: Path, frames: Sequence[Frame], found: Found, axes: dict[str, Float]
) -> tuple[int | None, str]:
    """By how many quarter turns to the right faces are turned from what is documented, and what says so, in words.

    None where they show something else than images of the same place do. What cannot be looked at becomes a broken one.
    """
    shared = [frame for frame in frames if matterport_frames.panorama_of(frame.name) in found.by_viewpoint]
    if not shared:
        return 0, "no image of the same place to compare them with"
    chosen = np.unique(np.linspace(0, len(shared) - 1, LOOKS).astype(int)).tolist()
    likenesses = np.array([_likenesses(root, shared[i], found, axes) for i in chosen])
    compared = likenesses[~np.isnan(likenesses).any(axis=1)]
    if not len(compared):
        return 0, "images of the same places show nothing to compare"
    means = compared.mean(axis=0)
    own, best = float(means[0]), int(means.argmax())
    if own >= ALIKE and not means[best] >= max(GOOD, own + CLEARLY):
        return 0, f"they correlate {own:.2f} with images of the same places"
    if means[best] >= max(GOOD, own + CLEARLY):
        return (
            best,
            f"turned {90 * best} degrees, they correlate {means[best]:.2f} with images of the same places",
        )
    return None, f"left out: they correlate {own:.2f} with images of the same places"


def _likenesses(root: Path, frame: Frame, panorama: Found, axes: dict[str, Float]) -> list[float]:
    """Correlations of an image with the panorama as documented, and turned by one, two and three quarters.

    NaN where either shows nothing, or cannot be looked at.
    """
    name = matterport_frames.panorama_of(frame.name)
    assert name is not None and frame.image is not None
    first = panorama.by_viewpoint.get(name)
    if first is None:
        return [float("nan")] * 4
    camera = frame.camera
    columns, rows = CELLS, max(1, round(CELLS * camera.height / camera.width))
    seen = source_images.read_gray(root, frame.image, (columns, rows))
    y, x = np.mgrid[: rows * WITHIN, : columns * WITHIN] + 0.5
    pixels = np.stack(
        [x / (columns * WITHIN) * camera.width, y / (rows * WITHIN) * camera.height, np.ones_like(x)], axis=-1
    )
    rays = pixels @ np.linalg.inv(camera.intrinsics).T @ frame.camera_to_world[:3, :3].T
    found = []
    for quarter in range(4):
        turned = axes[name] @ np.linalg.matrix_power(RIGHT, quarter)
        try:
            light = panoramas.sampled(root / first, rays @ turned) @ BRIGHTNESS
        except OSError as error:
            panorama.broken[name] = f"{panorama.by_viewpoint.pop(name)}: {error}"
            return [float("nan")] * 4
        cells = light.reshape(rows, WITHIN, columns, WITHIN).mean(axis=(1, 3))
        shows = min(seen.std(), cells.std()) >= FLAT
        found.append(float(np.corrcoef(seen.ravel(), cells.ravel())[0, 1]) if shows else float("nan"))
    return found
