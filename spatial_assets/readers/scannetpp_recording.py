"""An iPhone's recording in ScanNet++ as it is downloaded: frames of a video, and depth that goes with them.

    iphone/rgb.mkv          frame k is `frame_%06d` of pose_intrinsic_imu.json
    iphone/depth.bin        the same of depth (see `depth_bin`); or, extracted, depth/frame_%06d.png in millimeters

No frame is decoded but those that somebody looks at. That both reach as far as the poses is checked, and that what the
depth shows is on the mesh. A frame that the video does not reach is dropped like one whose image is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spatial_assets.media import videos
from spatial_assets.media.image_files import ImageFile
from spatial_assets.readers import cameras, depth_bin, depth_consistency, files, labels, source_images
from spatial_assets.scene.model import Camera, Float, Frame, InputError, Mesh

NAME = re.compile(r"frame_(\d{6,8})", re.ASCII)
DEPTH, DEPTH_FOLDER = "depth.bin", "depth"
LACKING = 3
"""Frames by which video or depth may end before the last pose: all three are not closed at one moment."""
LEAST_POSED = 0.5
"""Share of a recording that lies before its last pose. Not every frame has one, also at the end; where most of it has
none, it is another recording."""
MILLIMETER = 0.001
TRUSTED = 4.0
"""Meters up to which a phone measures depth to a few centimeters."""


def _numbers(path: str, names: Sequence[str]) -> dict[str, int]:
    """Frames' numbers by their names. Raises InputError for a name that has none."""
    found = {}
    for name in names:
        match = NAME.fullmatch(name)
        if match is None:
            told = f"{labels.shown(name)} is no name of a video's frame, as frame_000000 is"
            raise InputError(path, told, "malformed_file")
        found[name] = int(match[1])
    if not found:
        raise InputError(path, "names no frame", "no_frames")
    if len(set(found.values())) < len(found):
        raise InputError(path, "two names are of one frame", "contradiction")
    return found


def _check_count(path: str, count: int, poses: str, numbers: Mapping[str, int]) -> None:
    last = max(numbers.values())
    if not last + 1 - LACKING <= count <= _most(numbers):
        told = f"{poses.rsplit('/', 1)[-1]} has poses up to frame {last}"
        raise InputError(path, f"holds {count} frames, where {told}", "contradiction")


def _most(numbers: Mapping[str, int]) -> int:
    """Frames that a recording with such poses can have."""
    return int((max(numbers.values()) + 1) / LEAST_POSED)


def shown(
    root: Path, path: str, poses: str, names: Sequence[str]
) -> tuple[dict[str, str], Callable[[str], tuple[int, int]]]:
    """Images by name, and what tells the size of one.

    Raises InputError for a video that is damaged, cut off or of something else.
    """
    numbers = _numbers(poses, names)
    try:
        with files.reading(path):
            video = videos.opened(root / path)
    except InputError as error:
        raise InputError(path, error.what, error.reason) from None
    _check_count(path, video.count, poses, numbers)
    found = {
        name: str(ImageFile(path, frame=number)) for name, number in numbers.items() if number < video.count
    }
    if not found:
        raise InputError(path, f"none of its {video.count} frames has a pose", "no_frames")
    # The size of all is the header's word, which the first frame bears out or not.
    first = min(found, key=lambda name: numbers[name])
    size = source_images.image_size(root, found[first])
    return found, lambda image: size


def depth_files(root: Path, folder: str, is_recorded: bool) -> list[str]:
    """Files of an iPhone's depth: extracted ones, or that of the recording, where that is read."""
    extracted = files.by_stem(root, f"{folder}/{DEPTH_FOLDER}", source_images.DEPTH_ENDINGS)
    path = f"{folder}/{DEPTH}"
    return list(extracted.values()) or ([path] if is_recorded and files.is_file(root, path) else [])


def check_depth(
    root: Path,
    folder: str,
    is_recorded: bool,
    poses: str,
    frames: Sequence[Frame],
    matrices: Float,
    mesh: Mesh,
) -> str | None:
    """What depth says of poses and mesh, in words; None where there is no depth.

    Raises InputError for depth that is damaged or of something else.

    Parameters
    ----------
    poses : the file. matrices : each frame's, camera-to-world in the mesh's world, (N, 4, 4).
    """
    found = depth_files(root, folder, is_recorded)
    if not found:
        return None
    if found == [f"{folder}/{DEPTH}"]:
        numbers = _numbers(poses, [frame.name for frame in frames])
        held = depth_bin.open_depths(root, found[0], _most(numbers))
        _check_count(found[0], held.count, poses, numbers)
        places = [place for place, frame in enumerate(frames) if numbers[frame.name] < held.count]
        size = depth_bin.SIZE

        def read(frame: Frame) -> NDArray[np.float32]:
            return _trusted(held.meters(numbers[frame.name]))

    else:
        by_name = files.by_stem(root, f"{folder}/{DEPTH_FOLDER}", source_images.DEPTH_ENDINGS)
        places = [place for place, frame in enumerate(frames) if frame.name in by_name]
        if not places:
            return None
        size = source_images.image_size(root, by_name[frames[places[0]].name])

        def read(frame: Frame) -> NDArray[np.float32]:
            return _trusted(source_images.read_depth(root, by_name[frame.name], size, MILLIMETER))

    measured = [
        replace(frames[place], camera=_resized(poses, frames[place].camera, size)) for place in places
    ]
    return depth_consistency.check_on_mesh(poses, measured, matrices[places], read, mesh)


def _resized(path: str, camera: Camera, size: tuple[int, int]) -> Camera:
    """The camera of the depth images, which are the color images at another size."""
    matrix = cameras.scale_to(path, camera.intrinsics, (camera.width, camera.height), size)
    return Camera(matrix, *size)


def _trusted(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(depth <= TRUSTED, depth, 0).astype(np.float32)
