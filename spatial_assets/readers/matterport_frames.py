"""Matterport3D's undistorted images with the cameras of `undistorted_camera_parameters/<scan>.conf`.

    n_images <n>
    intrinsics_matrix <fx> 0 <cx> 0 <fy> <cy> 0 0 1                 of the images that follow
    scan <depth image> <color image> <16 numbers, by rows>

A matrix is camera-to-world for a camera that looks along -z with +y up. The origin of an image is its lower left
corner, and the middle of a pixel lies half a pixel from its edges: the principal point counts from below. All images
of a scan have one size, for which its intrinsics are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spatial_assets.readers import cameras, consistency, files, labels, source_images
from spatial_assets.scene.model import Camera, Float, Frame, InputError

FOLDER, CAMERAS = "undistorted_color_images", "undistorted_camera_parameters"
DOCUMENTED: cameras.Convention = "opengl_camera_to_world"
FILE = re.compile(r"[0-9A-Za-z_.-]{1,100}", re.ASCII)
SHOT = re.compile(r"(?P<panorama>.+)_i\d+_\d+", re.ASCII)
"""Name of an image: its panorama, one of three cameras, one of six directions."""
SCAN_WORDS = 19
UNREAD = frozenset({"dataset", "depth_directory", "color_directory"})
"""Commands that say what the folders' names say."""


@dataclass(frozen=True)
class Shots:
    """Frames with their poses as on disk."""

    path: str
    frames: list[Frame]
    raw: Float
    """(N, 4, 4)."""
    dropped: dict[str, int]


def panorama_of(frame: str) -> str | None:
    """The panorama that an image is of; None for a name of another form."""
    found = SHOT.fullmatch(frame)
    return found["panorama"] if found else None


def read_shots(root: Path, path: str, folder: str) -> Shots:
    """Raises InputError for a camera file that is cut off or malformed, and where no image has a camera."""
    shown = files.by_stem(root, folder, source_images.COLOR_ENDINGS)
    frames: list[Frame] = []
    raw: list[Float] = []
    dropped = {"lost_pose": 0, "no_image": 0}
    named: set[str] = set()
    stated: int | None = None
    count = 0
    intrinsics: Float | None = None
    for number, line in enumerate(files.read_text(root, path).splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        where = f"line {number}"
        if words[0] == "n_images":
            stated = _count(path, words, where)
        elif words[0] == "intrinsics_matrix":
            numbers = cameras.parse_numbers(path, " ".join(words[1:]), 9, f"{where}, intrinsics_matrix")
            intrinsics = cameras.check_matrix(path, numbers)
        elif words[0] == "scan":
            count += 1
            name, pose = _scan(path, words, where)
            if intrinsics is None:
                raise InputError(path, f"{where}: an image before any intrinsics_matrix", "malformed_file")
            if name in named:
                raise InputError(path, f"{where}: a second camera of {name}", "contradiction")
            named.add(name)
            if cameras.is_lost(pose):
                dropped["lost_pose"] += 1
            elif name not in shown:
                dropped["no_image"] += 1
            else:
                size = source_images.image_size(root, shown[name])
                matrix = intrinsics.copy()
                matrix[1, 2] = size[1] - matrix[1, 2]
                camera = Camera(cameras.check_intrinsics(path, matrix, *size), *size)
                raw.append(cameras.check_pose(path, pose, f"{where}, the matrix"))
                frames.append(Frame(name, camera, raw[-1], None, shown[name]))
        elif words[0] not in UNREAD:
            raise InputError(path, f"{where}: no command {labels.shown(words[0])}", "malformed_file")
    if stated != count:
        told = "does not say how many images there are" if stated is None else f"says n_images {stated}"
        raise InputError(path, f"{told}, and has {count}", "contradiction")
    if not frames:
        raise InputError(path, f"no image in {folder} has a camera", "no_frames")
    sizes = [(frame.camera.width, frame.camera.height) for frame in frames]
    usual = max(sorted(set(sizes)), key=sizes.count)
    order = sorted(
        (i for i in range(len(frames)) if sizes[i] == usual), key=lambda i: files.natural_key(frames[i].name)
    )
    dropped |= consistency.dropped(other_size=len(frames) - len(order))
    return Shots(path, [frames[i] for i in order], np.stack([raw[i] for i in order]), dropped)


def _count(path: str, words: list[str], where: str) -> int:
    if len(words) != 2 or not words[1].isdecimal() or len(words[1]) > 9:
        raise InputError(path, f"{where}: n_images is {labels.shown(words[1:])}", "malformed_file")
    return int(words[1])


def _scan(path: str, words: list[str], where: str) -> tuple[str, Float]:
    """The name of the color image without its ending, and the matrix."""
    if len(words) != SCAN_WORDS:
        raise InputError(path, f"{where}: {len(words)} words, not {SCAN_WORDS}", "malformed_file")
    if not FILE.fullmatch(words[2]):
        raise InputError(path, f"{where}: {labels.shown(words[2])} is no name of an image", "malformed_file")
    numbers = cameras.parse_numbers(path, " ".join(words[3:]), 16, f"{where}, the matrix")
    return words[2].rpartition(".")[0] or words[2], numbers.reshape(4, 4)
