"""How posed RGB-D sequences lie on disks: the shapes that are known, told by the names of their files.

    images/%05d.png  depth/%05d.png  poses.txt  K.txt                             depth in millimeters
    frame-%06d.{color,depth,pose}.*  camera-intrinsics.txt, here or one folder up   7-Scenes, 3DMatch; millimeters
    rgb.txt  depth.txt  groundtruth.txt                                           TUM; steps of 1/5000 m
    associations.txt  *.gt.freiburg                                               ICL-NUIM; steps of 1/5000 m
    *.log  image/ or color/ or rgb/  depth/  camera_intrinsic.json or the like    Open3D, Redwood; millimeters

All poses are camera-to-world with OpenCV axes. TUM's and ICL-NUIM's say no intrinsics; the published ones are taken by
the folder's name, and others can be given. Pixel centers stand at whole numbers in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import numpy as np
from scipy.spatial.transform import Rotation

from spatial_assets.readers import cameras, files, labels, source_images
from spatial_assets.scene.model import Float, InputError
from spatial_assets.scene.refs import SourceFile

MILLIMETERS, FIVE_THOUSANDTHS = 0.001, 0.0002
"""Meters to a step of the depth images."""
POSES, K, GROUND_TRUTH, INTRINSICS = "poses.txt", "K.txt", "groundtruth.txt", "camera-intrinsics.txt"
FRAME = re.compile(r"frame-(\d{1,9})\.(color|depth|pose)", re.ASCII)
FREIBURG = MappingProxyType(
    {
        "freiburg1": (517.3, 516.5, 318.6, 255.3),
        "freiburg2": (520.9, 521.0, 325.1, 249.7),
        "freiburg3": (535.4, 539.2, 320.1, 247.6),
    }
)
"""Intrinsics published with TUM's sequences, by what their folders' names hold."""
ICL = (481.2, 480.0, 319.5, 239.5)
"""ICL-NUIM's. The published second number is negative: its renderer's y points up, in the camera and in the world."""
MIRROR = np.diag([1.0, -1, 1, 1])
"""Turns both of these ys down, after which poses are those of OpenCV's cameras in a world that is not mirrored."""
IDENTITY = np.eye(4)
PRIMESENSE = (525.0, 525.0, 319.5, 239.5)
"""What Open3D assumes of trajectories without a camera file, at 640 x 480."""
NEAREST_TIME = 0.02
"""Seconds by which color, depth and pose of one moment may differ; TUM's own tools take the same."""
FARTHEST_PIXEL = 1e5
"""Greatest number of a camera's calibration, in pixels, that is believed."""


@dataclass(frozen=True)
class Shot:
    """One frame as it lies there."""

    name: str
    image: str
    depth: str
    pose: Callable[[float], Float | None]
    """(4, 4) as on disk, checked for a unit in meters; None for a lost one."""


@dataclass(frozen=True)
class Listing:
    """A sequence as it lies there."""

    poses: str
    """Which file or folder holds them, for messages."""
    intrinsics_path: str
    """Where they stand, or what they are taken for."""
    intrinsics: Callable[[], Float]
    """(3, 3)."""
    depth_unit: float
    fixed: tuple[str, ...]
    """Files of poses and intrinsics."""
    shots: tuple[Shot, ...]
    unmatched: int = 0
    """Images without a depth image or a pose of their moment."""

    def source_files(self) -> list[SourceFile]:
        found = [
            SourceFile(path, "intrinsics" if path == self.intrinsics_path else "pose") for path in self.fixed
        ]
        for shot in self.shots:
            found += [SourceFile(shot.image, "image"), SourceFile(shot.depth, "depth")]
        return found


def shape_of(names: set[str]) -> Callable[[Path, str, str], Listing] | None:
    """What lists a folder of files and folders of these names as a sequence; None where nothing marks it as one."""
    if POSES in names:
        return _numbered
    if any((found := FRAME.match(name)) and found[2] == "pose" for name in names):
        return _seven_scenes
    if {"rgb.txt", "depth.txt", GROUND_TRUTH} <= names:
        return _tum
    if "associations.txt" in names and any(name.endswith(".gt.freiburg") for name in names):
        return _icl
    if "depth" in names and any(name.endswith(".log") for name in names):
        return _log
    return None


def _numbered(root: Path, folder: str, given: str) -> Listing:
    path = f"{folder}/{POSES}"
    shown = _by_name(root, f"{folder}/images")
    depths = _by_name(root, f"{folder}/depth", source_images.DEPTH_ENDINGS)
    for name in shown:
        if name not in depths:
            raise InputError(f"{folder}/depth/{name}.png", "missing", "missing_file")
    files.all_there(root, [SourceFile(path, "pose")])
    text = files.read_text(root, path)
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) != len(shown):
        raise InputError(path, f"{len(lines)} poses for {len(shown)} images", "contradiction")
    shots = [
        Shot(name, image, depths[name], _line(path, line, f"the pose in line {number}"))
        for number, ((name, image), line) in enumerate(zip(shown.items(), lines, strict=True), start=1)
    ]
    own, read = _from_file(root, f"{folder}/{K}", given)
    return Listing(path, own, read, MILLIMETERS, _fixed(path, own), tuple(shots))


def _seven_scenes(root: Path, folder: str, given: str) -> Listing:
    found: dict[str, dict[str, str]] = {"color": {}, "depth": {}, "pose": {}}
    for endings in (source_images.COLOR_ENDINGS, files.TEXT_ENDINGS):
        for stem, path in files.by_stem(root, folder, endings).items():
            named = FRAME.fullmatch(stem)
            if named is not None:
                found[named[2]][named[1]] = path
    if not found["color"]:
        raise InputError(folder, "no frames: no frame-000000.color.jpg or the like in it", "no_frames")
    shots = []
    for name, image in found["color"].items():
        for kind, ending in (("depth", "png"), ("pose", "txt")):
            if name not in found[kind]:
                raise InputError(f"{folder}/frame-{name}.{kind}.{ending}", "missing", "missing_file")
        shots.append(Shot(name, image, found["depth"][name], _file(root, found["pose"][name])))
    above = str(PurePosixPath(folder).parent)
    path = next(
        (path for path in (f"{folder}/{INTRINSICS}", f"{above}/{INTRINSICS}") if files.is_file(root, path)),
        f"{folder}/{INTRINSICS}",
    )
    own, read = _from_file(root, path, given)
    poses = tuple(found["pose"][name] for name in found["color"])
    return Listing(folder, own, read, MILLIMETERS, _fixed(*poses, own), tuple(shots))


def _tum(root: Path, folder: str, given: str) -> Listing:
    colors = _timed(root, f"{folder}/rgb.txt", 1)
    depths = _timed(root, f"{folder}/depth.txt", 1)
    path = f"{folder}/{GROUND_TRUTH}"
    published = next(
        (values for name, values in FREIBURG.items() if name in str((root / folder).resolve())), None
    )
    lists = (f"{folder}/rgb.txt", f"{folder}/depth.txt", path)
    pairs = [(time, words[0], _nearest(depths, time)) for time, words in colors]
    matched = [(time, image, words[0]) for time, image, words in pairs if words is not None]
    return _by_time(root, folder, path, matched, len(pairs) - len(matched), published, given, lists)


def _icl(root: Path, folder: str, given: str) -> Listing:
    """Each line pairs a depth image with a color image; poses are those of its number."""
    path = next(
        f"{folder}/{entry.name}"
        for entry in files.entries(root, folder)
        if entry.name.endswith(".gt.freiburg")
    )
    listed = f"{folder}/associations.txt"
    matched = [(time, words[2], words[0]) for time, words in _timed(root, listed, 3)]
    return _by_time(root, folder, path, matched, 0, ICL, given, (listed, path), MIRROR)


def _by_time(
    root: Path,
    folder: str,
    path: str,
    matched: list[tuple[float, str, str]],
    unmatched: int,
    published: tuple[float, ...] | None,
    given: str,
    fixed: tuple[str, ...],
    mirror: Float = IDENTITY,
) -> Listing:
    """Frames of (moment, image, depth) with the poses of those moments."""
    poses = _timed(root, path, 7)
    shots = []
    for time, image, depth in matched:
        words = _nearest(poses, time)
        if words is None:
            unmatched += 1
            continue
        for name in (image, depth):
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise InputError(path, f"{labels.shown(name)} leads out of its folder", "malformed_file")
        name = PurePosixPath(image).stem
        shots.append(
            Shot(
                name,
                f"{folder}/{image}",
                f"{folder}/{depth}",
                _moved(path, words, f"the pose of {name}", mirror),
            )
        )
    if not shots:
        raise InputError(path, "no image has a depth image and a pose of its moment", "no_frames")
    read = _given(given, published, path)
    ordered = sorted(shots, key=lambda shot: files.natural_key(shot.name))
    for one, other in pairwise(ordered):
        if one.name == other.name:
            raise InputError(path, f"two images are named {one.name}", "contradiction")
    return Listing(path, path, read, FIVE_THOUSANDTHS, tuple(dict.fromkeys(fixed)), tuple(ordered), unmatched)


def _log(root: Path, folder: str, given: str) -> Listing:
    """Blocks of five lines: three numbers, of which the first counts frames from 0, and a matrix."""
    names = [entry.name for entry in files.entries(root, folder)]
    logs = [name for name in names if name.endswith(".log")]
    if len(logs) > 1:
        raise InputError(
            f"{folder}/{logs[1]}", f"there is {logs[0]} too: which holds the poses?", "contradiction"
        )
    path = f"{folder}/{logs[0]}"
    of_color = next((name for name in ("image", "color", "rgb") if name in names), "image")
    shown = list(_by_name(root, f"{folder}/{of_color}").items())
    depths = list(_by_name(root, f"{folder}/depth", source_images.DEPTH_ENDINGS).values())
    lines = [line for line in files.read_text(root, path).splitlines() if line.strip()]
    if len(lines) % 5 or not lines:
        raise InputError(path, f"{len(lines)} lines, not blocks of five", "malformed_file")
    if len(shown) != len(depths):
        raise InputError(
            f"{folder}/depth", f"{len(depths)} depth images for {len(shown)} images", "contradiction"
        )
    shots = []
    for block in range(len(lines) // 5):
        if block >= len(shown):
            raise InputError(path, f"{len(lines) // 5} poses for {len(shown)} images", "contradiction")
        if lines[5 * block].split()[0] != str(block):
            told = (
                f"line {5 * block + 1} begins with {labels.shown(lines[5 * block].split()[0])}, not {block}"
            )
            raise InputError(
                path, f"{told}: which image each pose belongs to is not told by its place", "contradiction"
            )
        name, image = shown[block]
        text = " ".join(lines[5 * block + 1 : 5 * block + 5])
        shots.append(Shot(name, image, depths[block], _line(path, text, f"the pose in line {5 * block + 2}")))
    camera = next((name for name in names if "intrinsic" in name and name.endswith(".json")), None)
    if given or camera is None:
        read = _given(given, PRIMESENSE, path)
        return Listing(path, path, read, MILLIMETERS, (path,), tuple(shots), len(shown) - len(shots))
    own = f"{folder}/{camera}"
    return Listing(
        path,
        own,
        lambda: _from_json(root, own),
        MILLIMETERS,
        (path, own),
        tuple(shots),
        len(shown) - len(shots),
    )


def _by_name(
    root: Path, folder: str, endings: frozenset[str] = source_images.COLOR_ENDINGS
) -> dict[str, str]:
    found = files.by_stem(root, folder, endings)
    if not found and endings is source_images.COLOR_ENDINGS:
        raise InputError(folder, "no frames: no png, jpg or jpeg in it", "no_frames")
    return found


def _fixed(*paths: str) -> tuple[str, ...]:
    return tuple(path for path in paths if path)


def _line(path: str, text: str, what: str) -> Callable[[float], Float | None]:
    return lambda unit: cameras.parse_pose(path, text, what, unit)


def _file(root: Path, path: str) -> Callable[[float], Float | None]:
    return lambda unit: cameras.parse_pose(path, files.read_text(root, path), "pose", unit)


def _moved(path: str, words: tuple[str, ...], what: str, mirror: Float) -> Callable[[float], Float | None]:
    """A pose of `tx ty tz qx qy qz qw`."""

    def pose(unit: float) -> Float | None:
        numbers = cameras.parse_numbers(path, " ".join(words), 7, what)
        size = float(np.linalg.norm(numbers[3:]))
        if not np.isfinite(numbers).all() or size == 0:
            return None
        if abs(size - 1) > cameras.ROTATION_TOLERANCE:
            raise InputError(path, f"{what} has a quaternion of length {size:g}, not 1", "bad_pose")
        matrix = np.eye(4)
        matrix[:3, :3] = Rotation.from_quat(numbers[3:]).as_matrix()
        matrix[:3, 3] = numbers[:3]
        return cameras.check_pose(path, mirror @ matrix @ mirror, what, unit)

    return pose


Timed = list[tuple[float, tuple[str, ...]]]


def _timed(root: Path, path: str, words: int) -> Timed:
    """Lines of a moment and so many words, by moment; comments begin with #."""
    found = []
    for number, line in enumerate(files.read_text(root, path).splitlines(), start=1):
        parts = line.split()
        if not parts or parts[0].startswith("#"):
            continue
        if len(parts) < words + 1:
            raise InputError(path, f"line {number} has {len(parts)} words, not {words + 1}", "malformed_file")
        (time,) = cameras.parse_numbers(path, parts[0], 1, f"the moment in line {number}")
        if not np.isfinite(time):
            raise InputError(path, f"the moment in line {number} is {parts[0]}", "malformed_file")
        found.append((float(time), tuple(parts[1 : words + 1])))
    if not found:
        raise InputError(path, "nothing but comments", "malformed_file")
    return sorted(found)


def _nearest(timed: Timed, time: float) -> tuple[str, ...] | None:
    """The words of the nearest moment; None where it is too far off."""
    times = np.array([moment for moment, _ in timed])
    place = int(np.abs(times - time).argmin())
    return timed[place][1] if abs(timed[place][0] - time) <= NEAREST_TIME else None


def _from_file(root: Path, path: str, given: str) -> tuple[str, Callable[[], Float]]:
    """Where intrinsics stand, and what reads them; where they are given, no file is needed."""
    if given or not files.is_file(root, path):
        return "", _given(given, None, path)
    return path, lambda: cameras.read_intrinsics(root, path)


def _given(given: str, published: tuple[float, ...] | None, path: str) -> Callable[[], Float]:
    def read() -> Float:
        values = cameras.parse_numbers("intrinsics", given, 4, "the setting") if given else published
        if values is None:
            told = "missing, and intrinsics is not set to the fx fy cx cy of the camera"
            raise InputError(path, told, "missing_file")
        fx, fy, cx, cy = (float(value) for value in values)
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])

    return read


def _from_json(root: Path, path: str) -> Float:
    """Open3D's: nine numbers by columns."""
    held: Mapping[str, object] = labels.entry(path, files.read_json(root, path), "the file")
    numbers = labels.numbers(path, held.get("intrinsic_matrix"), 9, "intrinsic_matrix", FARTHEST_PIXEL)
    return cameras.check_matrix(path, numbers.reshape(3, 3).T.ravel())
