"""The frames of an ARKitScenes video: images, intrinsics, depth and trajectory, matched by their times.

    <stream>/[<video>_]<seconds>.png  <stream>_intrinsics/....pincam  lowres_depth/....png  lowres_wide.traj

Every stream is of the one wide camera: `wide` in full size, ten a second and with gaps; `vga_wide`; and `lowres_wide`,
which depth is registered to. A `.pincam` holds width, height, focal lengths and principal point, a line of the
trajectory a time, a rotation in radians as an axis of that length, and a translation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from spatial_assets.readers import cameras, consistency, files, source_images
from spatial_assets.scene.model import Camera, Float, Frame, InputError
from spatial_assets.scene.refs import SceneRef, SourceFile

STREAMS = ("wide", "vga_wide", "lowres_wide")
"""The best images first."""
AUTO = "auto"
DEPTH = "lowres_depth"
TRAJECTORY = "lowres_wide.traj"
PINCAM_ENDINGS = frozenset({".pincam"})
TIMED = re.compile(r"(?:(?P<video>\d{8})_)?(?P<seconds>\d{1,9}(?:\.\d{1,9})?)", re.ASCII)
FULL_WIDTH, FULL_HEIGHT = 1920.0, 1440.0
"""Of images in which principal points count pixel centers at integers; those of smaller ones are shares of these."""
FULL_TURN = 2 * np.pi * 1.001
"""Radians; no rotation is written as more, and in degrees most are."""
CLOCK_SLACK = 1e-6
"""Seconds that a difference of two times may be off by rounding."""
Times = NDArray[np.float64]


@dataclass(frozen=True)
class Timed:
    """Files that are named by their times, in their order."""

    names: tuple[str, ...]
    paths: tuple[str, ...]
    times: Times
    """(N,), seconds."""


@dataclass(frozen=True)
class Trajectory:
    """World to camera, by time."""

    times: Times
    """(M,), seconds, ascending."""
    matrices: Float
    """(M, 4, 4); the identity for a lost one."""
    lost: NDArray[np.bool_]
    """(M,)."""


@dataclass(frozen=True)
class Matched:
    """The frames of a video that have an image, intrinsics and a pose."""

    frames: list[Frame]
    """As they are stored, with their matrices as on disk."""
    depths: dict[str, str]
    """Paths of depth images, by the frame's name, where there are such."""
    dropped: dict[str, int]
    furthest: float
    """Seconds between an image and its pose, at most."""


class Video:
    """The files of one video, in the layout of the 3dod set or of the raw one."""

    def __init__(self, root: Path, ref: SceneRef) -> None:
        self.root, self.path, self.name = root, ref.path, ref.name
        own = f"{ref.path}/{ref.name}_frames"
        self.folder = own if files.is_folder(root, own) else ref.path
        self.trajectory = f"{self.folder}/{TRAJECTORY}"

    @cached_property
    def images(self) -> dict[str, Timed]:
        """By stream, those that there are."""
        found = {name: self._timed(name, source_images.COLOR_ENDINGS) for name in STREAMS}
        return {name: timed for name, timed in found.items() if timed.paths}

    @cached_property
    def depths(self) -> Timed:
        return self._timed(DEPTH, source_images.DEPTH_ENDINGS)

    def intrinsics(self, stream: str) -> Timed:
        return self._timed(f"{stream}_intrinsics", PINCAM_ENDINGS)

    def stream(self, wanted: str) -> str:
        """The one that is wanted, or with `AUTO` the best that there is. Raises InputError where it is not there."""
        asked = STREAMS if wanted == AUTO else (wanted,)
        found = next((name for name in asked if name in self.images), None)
        if found is not None:
            return found
        hint = "".join(f"; {name} is there" for name in self.images)
        for name in asked:
            if files.is_file(self.root, f"{self.folder}/{name}.zip"):
                hint = f"; {name}.zip is there, unpack it"
        raise InputError(self.folder, f"no frames: no images in {' or '.join(asked)}{hint}", "no_frames")

    def files(self) -> list[SourceFile]:
        """All that may be read of the frames; a setting decides which stream is."""
        self.stream(AUTO)
        found = [SourceFile(self.trajectory, "trajectory")]
        for name, timed in self.images.items():
            found += [SourceFile(path, "image") for path in timed.paths]
            found += [SourceFile(path, "intrinsics") for path in self.intrinsics(name).paths]
        return found + [SourceFile(path, "depth") for path in self.depths.paths]

    def _timed(self, part: str, endings: frozenset[str]) -> Timed:
        """Raises InputError for a name without a time, for that of another video, and for two of one time."""
        found: list[tuple[float, str, str]] = []
        for stem, path in files.by_stem(self.root, f"{self.folder}/{part}", endings).items():
            named = TIMED.fullmatch(stem)
            if named is None:
                raise InputError(
                    path, "the file's name does not end with a time in seconds", "malformed_file"
                )
            if named["video"] not in (None, self.name):
                raise InputError(path, f"a file of video {named['video']}, not {self.name}", "contradiction")
            found.append((float(named["seconds"]), stem, path))
        found.sort()
        for (time, _, path), (other, _, twin) in pairwise(found):
            if time == other:
                raise InputError(twin, f"of the same time as {path}", "contradiction")
        times = np.array([time for time, _, _ in found])
        return Timed(tuple(stem for _, stem, _ in found), tuple(path for _, _, path in found), times)


def read_frames(
    video: Video, wanted: str, pose_tolerance: float, file_tolerance: float, unit: float
) -> Matched:
    """Frames of a stream with what belongs to each, and how many were left out for what.

    Tolerances are in seconds, `unit` is that of translations, in meters.
    """
    stream = video.stream(wanted)
    shown, pincams = video.images[stream], video.intrinsics(stream)
    if not pincams.paths:
        raise InputError(
            f"{video.folder}/{stream}_intrinsics", "missing, or without .pincam files", "missing_file"
        )
    trajectory = read_trajectory(video.root, video.trajectory, unit)
    of_pose = mutually_nearest(shown.times, trajectory.times, pose_tolerance)
    of_pincam = nearest(shown.times, pincams.times, file_tolerance)
    of_depth = nearest(shown.times, video.depths.times, file_tolerance)
    frames: list[Frame] = []
    depths: dict[str, str] = {}
    lost = 0
    by_text: dict[tuple[str, int, int], Camera] = {}
    for place, (name, image) in enumerate(zip(shown.names, shown.paths, strict=True)):
        pose, pincam, depth = of_pose[place], of_pincam[place], of_depth[place]
        if pose < 0 or pincam < 0:
            continue
        if trajectory.lost[pose]:
            lost += 1
            continue
        size = source_images.image_size(video.root, image)
        path = pincams.paths[pincam]
        key = files.read_text(video.root, path), *size
        if key not in by_text:
            by_text[key] = _camera(path, *key)
        time = float(shown.times[place])
        frames.append(Frame(name, by_text[key], trajectory.matrices[pose], time, image))
        if depth >= 0:
            depths[name] = video.depths.paths[depth]
    dropped = {"lost_pose": lost} | consistency.dropped(
        no_pose=int((of_pose < 0).sum()), no_intrinsics=int(((of_pose >= 0) & (of_pincam < 0)).sum())
    )
    if not frames:
        told = ", ".join(f"{reason} {count}" for reason, count in dropped.items() if count)
        raise InputError(
            video.trajectory, f"no frame of {stream} has a pose and intrinsics: {told}", "no_frames"
        )
    has_pose = of_pose >= 0
    apart = np.abs(shown.times[has_pose] - trajectory.times[of_pose[has_pose]]).max()
    return Matched(frames, depths, dropped, float(apart))


def read_trajectory(root: Path, path: str, unit: float = 1.0) -> Trajectory:
    """Raises InputError for what is no trajectory. A pose that cannot be is lost, unless many are."""
    lines = [
        (number, line)
        for number, line in enumerate(files.read_text(root, path).splitlines(), 1)
        if line.strip()
    ]
    if not lines:
        raise InputError(path, "no poses in it", "no_frames")
    values = np.stack([cameras.parse_numbers(path, line, 7, f"line {number}") for number, line in lines])
    times, turns, places = values[:, 0], values[:, 1:4], values[:, 4:]
    if not np.isfinite(times).all():
        number = lines[int(np.flatnonzero(~np.isfinite(times))[0])][0]
        raise InputError(path, f"the time in line {number} is not a number", "malformed_file")
    given = np.isfinite(values).all(axis=1)
    with np.errstate(all="ignore"):
        size, far = np.linalg.norm(turns, axis=1), np.abs(places).max(axis=1) * unit
    wild = given & ~((size <= FULL_TURN) & (far <= cameras.FARTHEST))
    if wild.sum() > consistency.MOST_STRAYS * len(values):
        worst = int(np.flatnonzero(wild)[0])
        raise InputError(
            path,
            f"{int(wild.sum())} of {len(values)} poses cannot be: that in line {lines[worst][0]} is turned by "
            f"{size[worst]:g} radians and {far[worst]:g} m away",
            "bad_pose",
        )
    lost = ~given | wild
    matrices = np.tile(np.eye(4), (len(values), 1, 1))
    if not lost.all():
        matrices[~lost, :3, :3] = Rotation.from_rotvec(turns[~lost]).as_matrix()
    matrices[~lost, :3, 3] = places[~lost]
    order = np.argsort(times, kind="stable")
    times, matrices, lost = times[order], matrices[order], lost[order]
    twice = np.flatnonzero(np.diff(times) == 0)
    for first in twice.tolist():
        if not np.array_equal(matrices[first], matrices[first + 1]):
            raise InputError(path, f"two poses at {times[first]:.3f} s", "contradiction")
    return Trajectory(times, matrices, lost)


def nearest(times: Times, others: Times, tolerance: float) -> NDArray[np.int64]:
    """For each time (N,) the place of the nearest of others (M,), ascending, or -1 where none is within a tolerance."""
    if not len(others):
        return np.full(len(times), -1, np.int64)
    after = np.searchsorted(others, times).clip(1, max(1, len(others) - 1))
    before = after - 1
    after = after.clip(0, len(others) - 1)
    found = np.where(np.abs(others[before] - times) <= np.abs(others[after] - times), before, after)
    return np.where(np.abs(others[found] - times) <= tolerance + CLOCK_SLACK, found, -1)


def mutually_nearest(times: Times, others: Times, tolerance: float) -> NDArray[np.int64]:
    """As `nearest`, but no other is given twice: it goes to the time that it is nearest to."""
    found = nearest(times, others, tolerance)
    back = nearest(others, times, tolerance)
    has = found >= 0
    has[has] = back[found[has]] == np.flatnonzero(has)
    return np.where(has, found, -1)


def _camera(path: str, text: str, width: int, height: int) -> Camera:
    """Of images of a size, from the text of a .pincam."""
    numbers = cameras.parse_numbers(path, text, 6, "the file")
    if not np.isfinite(numbers).all():
        raise InputError(path, "intrinsics have a value that is not a number", "bad_intrinsics")
    across, down, fx, fy, cx, cy = numbers.tolist()
    if not (min(across, down) >= 1 and max(across, down) <= source_images.LARGEST_SIDE):
        raise InputError(path, f"calibrated for images of {across:g} x {down:g}", "contradiction")
    shift = cameras.PIXEL_CENTER_SHIFT
    matrix = np.array(
        [[fx, 0, cx + shift * across / FULL_WIDTH], [0, fy, cy + shift * down / FULL_HEIGHT], [0, 0, 1]]
    )
    if (across, down) != (width, height):
        matrix = cameras.scale_to(path, matrix, (across, down), (width, height))
    return Camera(cameras.check_intrinsics(path, matrix, width, height), width, height)
