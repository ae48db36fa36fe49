"""Frames of a ScanNet++ scene: an iPhone's, or a DSLR's, undistorted or as its fisheye lens has taken them.

    iphone/pose_intrinsic_imu.json                  rgb/frame_%06d.jpg
    iphone/pose_intrinsic_imu.json                  rgb.mkv, or rgb.mp4 (see `scannetpp_recording`)
    dslr/nerfstudio/transforms_undistorted.json     dslr/resized_undistorted_images
    dslr/nerfstudio/transforms.json                 dslr/resized_images, of an OPENCV_FISHEYE camera
    dslr/colmap/images.txt  cameras.txt             the same, where there is no transforms.json

The first that is there of a device is read. A fisheye image is shown as a pinhole camera's, whose intrinsics are then
the frame's. COLMAP's poses lead from the world to the camera, its pixel centers stand at integer + 0.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from spatial_assets.media.image_files import ImageFile
from spatial_assets.media.lenses import Fisheye
from spatial_assets.readers import cameras, files, labels, scannetpp_recording, source_images
from spatial_assets.scene.model import Camera, Float, Frame, InputError, rigid_inverse

IPHONE, DSLR, AUTO = "iphone", "dslr", "auto"
IPHONE_SIZE = (1920.0, 1440.0)
"""Of the images that an iPhone's intrinsics are for."""
VIDEOS = ("rgb.mkv", "rgb.mp4")
"""What an iPhone's images come in."""
RECORDED = "recording"
"""The kind of a source whose images are a video's frames."""
FARTHEST_PIXEL = 1e5
"""Greatest number of a camera's calibration, in pixels, that is believed."""
STRONGEST_BEND = 100.0
"""Greatest k1 to k4 of a lens that is believed; those of the dataset's are below 1."""
OWN_AXES = np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1]])
"""From nerfstudio's world to the mesh's: x and y change places, z points the other way; it is its own inverse."""
BENDS = ("k1", "k2", "k3", "k4")
FISHEYE = "OPENCV_FISHEYE"
COLMAP_MODELS = {FISHEYE: 8, "PINHOLE": 4}
"""Numbers of the camera models that are read."""
IMAGE_FIELDS = 10
"""Of a line of COLMAP's images: its id, four numbers of a quaternion, three of a place, the camera's id, the name."""


@dataclass(frozen=True)
class Source:
    """Where the frames of a device may come from."""

    device: str
    poses: str
    """The file."""
    folder: str
    """Of the images, or the file that holds all of them."""
    kind: str
    """What is read, in words."""
    more: tuple[str, ...] = ()
    """Other files that are needed with the poses'."""

    def files(self, root: Path) -> dict[str, str]:
        """Files of the images, by their names or, where one file holds all, by its own."""
        if self.kind == RECORDED:
            is_there = files.is_file(root, self.folder)
            return {Path(self.folder).stem: self.folder} if is_there else {}
        return files.by_stem(root, self.folder, source_images.COLOR_ENDINGS)

    def is_there(self, root: Path) -> bool:
        return files.is_file(root, self.poses) and bool(self.files(root))


def sources(folder: str, device: str) -> list[Source]:
    """Of a device in a scene's folder, the one to be taken first."""
    dslr = f"{folder}/dslr"
    if device == IPHONE:
        own = f"{folder}/iphone"
        kinds = {"rgb": "video"} | dict.fromkeys(VIDEOS, RECORDED)
        return [
            Source(device, f"{own}/pose_intrinsic_imu.json", f"{own}/{name}", kind)
            for name, kind in kinds.items()
        ]
    return [
        Source(
            device,
            f"{dslr}/nerfstudio/transforms_undistorted.json",
            f"{dslr}/resized_undistorted_images",
            "undistorted",
        ),
        Source(device, f"{dslr}/nerfstudio/transforms.json", f"{dslr}/resized_images", "fisheye"),
        Source(
            device, f"{dslr}/colmap/images.txt", f"{dslr}/resized_images", "colmap",
            (f"{dslr}/colmap/cameras.txt",),
        ),
    ]  # fmt: skip


def source(root: Path, folder: str, wanted: str) -> Source:
    """Raises InputError where there are no frames of it, saying what is there instead."""
    names = (IPHONE, DSLR) if wanted == AUTO else (wanted,)
    every = [item for name in names for item in sources(folder, name)]
    for item in every:
        if item.is_there(root):
            return item
    told = " and no ".join(
        f"{item.poses.removeprefix(folder)[1:]} with {item.folder.removeprefix(folder)[1:]}" for item in every
    )
    raise InputError(folder, f"no frames: no {told}", "no_frames")


@dataclass(frozen=True)
class Calibration:
    """What is said of a camera."""

    intrinsics: Float
    """(3, 3), pixel corners at integers."""
    size: tuple[float, float]
    """Of the images that it is for."""
    bends: tuple[float, ...] | None = None
    """k1 to k4 of a fisheye's; None for a pinhole camera."""


@dataclass(frozen=True)
class Listed:
    """What is said of a frame."""

    name: str
    calibration: Calibration
    pose: Float | None
    """(4, 4), None for a lost one."""
    is_bad: bool = False
    """Whether the dataset itself says that it is not to be used."""


def read_frames(root: Path, held: Source) -> tuple[list[Frame], dict[str, int]]:
    """Frames with their poses as documented, and how many were left out for what."""
    listed = list(_listed(root, held))
    shown, sizes = _images(root, held, [item.name for item in listed])
    frames: list[Frame] = []
    dropped = {"lost_pose": 0, "no_image": 0, "marked_bad": 0}
    named: set[str] = set()
    lenses: dict[tuple[Any, ...], Fisheye] = {}
    for item in listed:
        if item.name in named:
            raise InputError(held.poses, f"two frames are named {labels.shown(item.name)}", "contradiction")
        named.add(item.name)
        pose = None if item.pose is None or cameras.is_lost(item.pose) else item.pose
        if item.is_bad:
            dropped["marked_bad"] += 1
        elif item.name not in shown:
            dropped["no_image"] += 1
        elif pose is None:
            dropped["lost_pose"] += 1
        else:
            rigid = cameras.check_pose(held.poses, pose, f"the pose of {item.name}")
            image = shown[item.name]
            size = sizes(image)
            camera, image = _camera(held.poses, item.calibration, image, size, lenses)
            frames.append(Frame(item.name, camera, rigid, None, image))
    if not frames:
        raise InputError(held.poses, f"no frame has a pose and an image in {held.folder}", "no_frames")
    dropped = {what: count for what, count in dropped.items() if count or what != "marked_bad"}
    return sorted(frames, key=lambda frame: files.natural_key(frame.name)), dropped


def _images(
    root: Path, held: Source, names: Sequence[str]
) -> tuple[dict[str, str], Callable[[str], tuple[int, int]]]:
    """Images by name, and what tells the size of one."""
    if held.kind == RECORDED:
        return scannetpp_recording.shown(root, held.folder, held.poses, names)
    return held.files(root), partial(source_images.image_size, root)


def _listed(root: Path, held: Source) -> Iterator[Listed]:
    if held.kind == "colmap":
        return _colmap(root, held)
    content = labels.entry(held.poses, files.read_json(root, held.poses), "the file")
    return _iphone(held.poses, content) if held.device == IPHONE else _dslr(held, content)


def _camera(
    path: str, said: Calibration, image: str, size: tuple[int, int], lenses: dict[tuple[Any, ...], Fisheye]
) -> tuple[Camera, str]:
    """A pinhole camera of an image as it is shown, and how it is shown."""
    scaled = (
        said.intrinsics if size == said.size else cameras.scale_to(path, said.intrinsics, said.size, size)
    )
    scaled = cameras.check_intrinsics(path, scaled, *size)
    if said.bends is None:
        return Camera(scaled, *size), image
    key = (size, *scaled.ravel().tolist(), *said.bends)
    if key not in lenses:
        fx, fy, cx, cy = (float(scaled[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2)))
        k1, k2, k3, k4 = said.bends
        try:
            lenses[key] = Fisheye.fitted(size, (fx, fy), (cx, cy), (k1, k2, k3, k4))
        except ValueError as error:
            raise InputError(
                path, f"no fisheye lens has k1 to k4 of {said.bends}: {error}", "distorted"
            ) from None
    lens = lenses[key]
    intrinsics = cameras.check_intrinsics(path, lens.intrinsics, *size)
    return Camera(intrinsics, *size), str(replace(ImageFile.of(image), lens=lens))


def _iphone(path: str, content: dict[str, Any]) -> Iterator[Listed]:
    for name, value in content.items():
        where = labels.shown(name)
        held = labels.entry(path, value, where)
        if "intrinsic" not in held:
            raise InputError(path, f"{where} lacks its intrinsic", "malformed_file")
        numbers = labels.numbers(path, held["intrinsic"], 9, f"intrinsic of {where}", FARTHEST_PIXEL)
        matrix = cameras.check_matrix(path, numbers)
        matrix[:2, 2] += cameras.PIXEL_CENTER_SHIFT
        pose = _pose(path, held.get("aligned_pose"), f"aligned_pose of {where}")
        yield Listed(name, Calibration(matrix, IPHONE_SIZE), pose)


def _dslr(source: Source, content: dict[str, Any]) -> Iterator[Listed]:
    path = source.poses
    calibration = _nerfstudio_camera(source, content)
    for key in ("frames", "test_frames"):
        entries = content.get(key, [])
        if not isinstance(entries, list):
            raise InputError(path, f"{key} is {labels.shown(entries)}, not a list", "malformed_file")
        for number, value in enumerate(entries):
            where = f"{key}[{number}]"
            held = labels.entry(path, value, where)
            file, bad = held.get("file_path"), held.get("is_bad", False)
            if not isinstance(file, str):
                raise InputError(path, f"{where} lacks its file_path", "malformed_file")
            if not isinstance(bad, bool):
                raise InputError(
                    path, f"is_bad of {where} is {labels.shown(bad)}, not true or false", "malformed_file"
                )
            pose = None if bad else _pose(path, held.get("transform_matrix"), f"transform_matrix of {where}")
            yield Listed(Path(file).stem, calibration, None if pose is None else _from_nerfstudio(pose), bad)


def _nerfstudio_camera(source: Source, content: dict[str, Any]) -> Calibration:
    path = source.poses
    values = [
        labels.number(path, content.get(key), key, FARTHEST_PIXEL)
        for key in ("fl_x", "fl_y", "cx", "cy", "w", "h")
    ]
    fx, fy, cx, cy, width, height = values
    if min(width, height) < 1:
        raise InputError(path, f"calibrated for images of {width:g} x {height:g}", "contradiction")
    matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    model = content.get("camera_model", "PINHOLE")
    if model == FISHEYE and source.kind == "fisheye":
        bends = tuple(labels.number(path, content.get(key), key, STRONGEST_BEND) for key in BENDS)
        return Calibration(matrix, (width, height), bends)
    if model not in ("PINHOLE", "OPENCV") or any(content.get(key) for key in (*BENDS, "p1", "p2")):
        wanted = "an undistorted or a fisheye camera" if source.kind == "fisheye" else "undistorted images"
        raise InputError(path, f"{labels.shown(model)} with distortion, not {wanted}", "distorted")
    return Calibration(matrix, (width, height))


def _colmap(root: Path, source: Source) -> Iterator[Listed]:
    """From lines of two for an image, the second of which is of points seen in it, and may be empty."""
    path = source.poses
    known = _colmap_cameras(root, source.more[0])
    lines = [line for line in files.read_text(root, path).splitlines() if not line.lstrip().startswith("#")]
    while lines and not lines[-1].strip():
        lines.pop()
    for number in range(0, len(lines), 2):
        words = lines[number].split(maxsplit=IMAGE_FIELDS - 1)
        what = f"image {number // 2 + 1}"
        if len(words) != IMAGE_FIELDS or (number + 1 < len(lines) and len(lines[number + 1].split()) % 3):
            raise InputError(
                path, f"{what} is not a line of {IMAGE_FIELDS} fields and one of points", "malformed_file"
            )
        if words[8] not in known:
            raise InputError(path, f"{what} is of a camera that {source.more[0]} lacks", "contradiction")
        numbers = cameras.parse_numbers(path, " ".join(words[1:8]), 7, f"the pose of {what}")
        yield Listed(Path(words[9].strip()).stem, known[words[8]], _from_colmap(path, numbers, what))


def _colmap_cameras(root: Path, path: str) -> dict[str, Calibration]:
    """By id."""
    found: dict[str, Calibration] = {}
    for number, line in enumerate(files.read_text(root, path).splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 4:
            raise InputError(path, f"line {number} has no id, model, width and height", "malformed_file")
        if words[1] not in COLMAP_MODELS:
            told = " or ".join(COLMAP_MODELS)
            raise InputError(path, f"a camera is {labels.shown(words[1])}, not {told}", "distorted")
        if words[0] in found:
            raise InputError(path, f"two cameras are number {labels.shown(words[0])}", "contradiction")
        count = 2 + COLMAP_MODELS[words[1]]
        numbers = cameras.parse_numbers(path, " ".join(words[2:]), count, f"line {number}").tolist()
        width, height, fx, fy, cx, cy, *bends = numbers
        if not all(abs(value) <= FARTHEST_PIXEL for value in (width, height, fx, fy, cx, cy)):
            raise InputError(path, f"line {number} has a number beyond {FARTHEST_PIXEL:g}", "malformed_file")
        if not min(width, height) >= 1 or not all(abs(value) <= STRONGEST_BEND for value in bends):
            raise InputError(path, f"line {number} is of no camera", "malformed_file")
        matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
        found[words[0]] = Calibration(matrix, (width, height), tuple(bends) or None)
    return found


def _from_colmap(path: str, numbers: Float, what: str) -> Float | None:
    """Camera-to-world of a quaternion, its real part first, and a translation; None for a lost one."""
    w, x, y, z = numbers[:4].tolist()
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
    ]
    matrix[:3, 3] = numbers[4:]
    if cameras.is_lost(matrix):
        return None
    return rigid_inverse(cameras.check_pose(path, matrix, f"the pose of {what}"))


def _pose(path: str, value: Any, what: str) -> Float | None:
    """A matrix (4, 4); None for one that is not given, or lost."""
    if value is None:
        return None
    flat = np.asarray(value, dtype=object).ravel().tolist() if isinstance(value, list) else value
    if isinstance(flat, list) and any(isinstance(item, float) and not np.isfinite(item) for item in flat):
        return None
    return labels.numbers(path, value, 16, what, cameras.FARTHEST).reshape(4, 4)


def _from_nerfstudio(matrix: Float) -> Float:
    """Camera-to-world with OpenCV axes in the mesh's frame, from OpenGL axes in the frame that the toolkit turns to."""
    pose: Float = OWN_AXES @ matrix
    pose[:3, 1:3] *= -1
    return pose
