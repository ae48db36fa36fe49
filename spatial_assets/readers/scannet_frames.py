"""The frames of a ScanNet scene: exported by either of the toolkit's programs, or in the recording as downloaded.

    color/<i>.jpg  pose/<i>.txt  intrinsic/intrinsic_color.txt                      SensReader's Python
    [<folder>/]frame-%06d.color.jpg  frame-%06d.pose.txt  _info.txt                 SensReader's C++
    <id>.sens                                                                       neither (see `sens`)

The first of these that is there is read. A frame is named by its number, so that its questions keep their ids however
it came to be on the disk. Poses are camera-to-world with OpenCV axes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from spatial_assets.readers import cameras, consistency, files, source_images
from spatial_assets.readers.sens import Recording, read_recording
from spatial_assets.scene.model import Camera, Float, Frame, InputError
from spatial_assets.scene.refs import SceneRef, SourceFile

INFO = "_info.txt"
INFO_FRAME = re.compile(r"frame-(\d{1,9})\.(color|pose)", re.ASCII)
INFO_KEYS = ("m_colorWidth", "m_colorHeight", "m_calibrationColorIntrinsic")
RECORDING = ".sens"
METADATA_LINE = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(?:[=:]|\s)\s*(.*)")
"""A name and its value. The toolkit writes ` = ` between them; other exporters less, or tabs."""
ReadMetadata = Callable[[Path, str], Mapping[str, str]]
"""The reader of files of names and values, whose names come in lower case."""


@dataclass(frozen=True)
class Calibration:
    """Intrinsics as a file gives them, and the size of image that they are for, where it is told."""

    path: str
    intrinsics: Float
    """(3, 3); the middle of a pixel is a whole number."""
    size: tuple[float, float] | None
    size_path: str
    """Where the size is told."""


@dataclass(frozen=True)
class Shot:
    """One frame as it lies there."""

    name: str
    image: str
    size: tuple[int, int]
    pose: Float | None
    """(4, 4) as on disk; None for a lost one."""


class Frames(Protocol):
    """The frames of a scene, in one of the ways in which they may lie there."""

    poses: str
    """Which folder or file holds them, for messages."""

    def files(self) -> list[SourceFile]:
        """Raises InputError for one that is missing."""
        ...

    def calibration(self) -> Calibration: ...

    def shots(self, unit: float) -> Iterator[Shot]: ...


class Exported:
    """Frames as SensReader's Python exports them."""

    def __init__(self, root: Path, folder: str, metadata: str, read: ReadMetadata) -> None:
        self.root, self.metadata, self.read = root, metadata, read
        self.poses, self.colors = f"{folder}/pose", f"{folder}/color"
        self.intrinsics = f"{folder}/intrinsic/intrinsic_color.txt"

    @cached_property
    def by_name(self) -> dict[str, tuple[str, str]]:
        """Image and pose of each frame. Raises InputError for an image without a pose."""
        shown = files.by_stem(self.root, self.colors, source_images.COLOR_ENDINGS)
        if not shown:
            raise InputError(self.colors, "no frames: no jpg, jpeg or png in it", "no_frames")
        posed = files.by_stem(self.root, self.poses, files.TEXT_ENDINGS)
        for name in shown:
            if name not in posed:
                raise InputError(f"{self.poses}/{name}.txt", "missing", "missing_file")
        return {name: (image, posed[name]) for name, image in shown.items()}

    def files(self) -> list[SourceFile]:
        found = files.all_there(self.root, [SourceFile(self.intrinsics, "intrinsics")])
        for image, pose in self.by_name.values():
            found += [SourceFile(image, "image"), SourceFile(pose, "pose")]
        return found

    def calibration(self) -> Calibration:
        values = self.read(self.root, self.metadata)
        size = _size(self.metadata, values.get("colorwidth"), values.get("colorheight"))
        return Calibration(
            self.intrinsics, cameras.read_intrinsics(self.root, self.intrinsics), size, self.metadata
        )

    def shots(self, unit: float) -> Iterator[Shot]:
        for name, (image, path) in self.by_name.items():
            size = source_images.image_size(self.root, image)
            pose = cameras.parse_pose(path, files.read_text(self.root, path), "pose", unit)
            yield Shot(name, image, size, pose)


class InfoExported(Exported):
    """Frames as SensReader's C++ exports them, all in one folder."""

    def __init__(self, root: Path, folder: str, read: ReadMetadata) -> None:
        super().__init__(root, folder, f"{folder}/{INFO}", read)
        self.poses = self.colors = folder
        self.intrinsics = self.metadata

    def values(self) -> Mapping[str, str]:
        """What the file of sizes and intrinsics says, by names in lower case."""
        return self.read(self.root, self.metadata)

    def by_stem(self, endings: Collection[str]) -> dict[str, str]:
        """Where the files with these endings are, by their names without, in natural order."""
        return files.by_stem(self.root, self.poses, endings)

    def missing(self, name: str) -> InputError:
        return InputError(f"{self.poses}/{name}", "missing", "missing_file")

    @cached_property
    def by_name(self) -> dict[str, tuple[str, str]]:
        found: dict[str, dict[str, str]] = {"color": {}, "pose": {}}
        for endings in (source_images.COLOR_ENDINGS, files.TEXT_ENDINGS):
            for stem, path in self.by_stem(endings).items():
                named = INFO_FRAME.fullmatch(stem)
                if named is not None:
                    found[named[2]][str(int(named[1]))] = path
        if not found["color"]:
            raise InputError(
                self.poses, "no frames: no frame-000000.color.jpg or the like in it", "no_frames"
            )
        for name in found["color"]:
            if name not in found["pose"]:
                raise self.missing(f"frame-{name:0>6}.pose.txt")
        return {name: (image, found["pose"][name]) for name, image in found["color"].items()}

    def calibration(self) -> Calibration:
        values = self.values()
        told = [values.get(key.lower()) for key in INFO_KEYS]
        for key, value in zip(INFO_KEYS, told, strict=True):
            if value is None:
                raise InputError(self.metadata, f"no {key}", "malformed_file")
        matrix = cameras.check_matrix(
            self.metadata, cameras.parse_numbers(self.metadata, str(told[2]), (9, 16), INFO_KEYS[2])
        )
        return Calibration(self.metadata, matrix, _size(self.metadata, told[0], told[1]), self.metadata)


class Recorded:
    """Frames in the recording."""

    def __init__(self, root: Path, path: str) -> None:
        self.root, self.path, self.poses = root, path, path

    @cached_property
    def recording(self) -> Recording:
        return read_recording(self.root, self.path)

    def files(self) -> list[SourceFile]:
        return [SourceFile(self.path, "recording")]

    def calibration(self) -> Calibration:
        held = self.recording
        matrix = cameras.check_matrix(self.path, held.intrinsics.ravel())
        return Calibration(self.path, matrix, (held.width, held.height), self.path)

    def shots(self, unit: float) -> Iterator[Shot]:
        held = self.recording
        told = held.width, held.height
        for number, (image, pose) in enumerate(zip(held.images, held.poses, strict=True)):
            # The sizes of all are the header's word, which the first image bears out or not.
            size = source_images.image_size(self.root, str(image)) if number == 0 else told
            if size != told:
                raise InputError(
                    self.path,
                    f"frame 0 is {size[0]} x {size[1]} pixels, where the header says {told[0]} x {told[1]}",
                    "contradiction",
                )
            yield Shot(str(number), str(image), size, self._pose(number, pose, unit))

    def _pose(self, number: int, pose: Float, unit: float) -> Float | None:
        if cameras.is_lost(pose):
            return None
        return cameras.check_pose(self.path, pose, f"the pose of frame {number}", unit)


def frames_of(root: Path, ref: SceneRef, metadata: str, read: ReadMetadata) -> Frames:
    """Raises InputError where a scene has no frames in any of the ways."""
    folder = ref.path
    if files.is_folder(root, f"{folder}/color"):
        return Exported(root, folder, metadata, read)
    for own in (folder, *(f"{folder}/{entry.name}" for entry in files.entries(root, folder))):
        if files.is_file(root, f"{own}/{INFO}"):
            return InfoExported(root, own, read)
    recording = f"{folder}/{folder.rsplit('/', 1)[-1]}{RECORDING}"
    if files.is_file(root, recording):
        return Recorded(root, recording)
    raise InputError(
        f"{folder}/color",
        f"no frames: neither color, pose and intrinsic, nor {INFO} with its frames, nor {recording}",
        "no_frames",
    )


def read_metadata(root: Path, path: str) -> dict[str, str]:
    """Values by their names in lower case. A line that begins with no name goes on with the value before it."""
    return parse_metadata(path, files.read_text(root, path))


def parse_metadata(path: str, text: str) -> dict[str, str]:
    """The same of a text."""
    found: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        pair = METADATA_LINE.match(line)
        if pair is None:
            if last:
                found[last] += " " + line.strip()
            continue
        last, value = pair[1].lower(), pair[2].strip()
        if found.get(last, value) != value:
            raise InputError(path, f"two values for {pair[1]}", "contradiction")
        found[last] = value
    if not found:
        raise InputError(path, "no line of it is 'name = value'", "malformed_file")
    return found


def read_frames(found: Frames, unit: float) -> tuple[list[Frame], Float, dict[str, int], str]:
    """Frames with their poses as on disk, those poses (N, 4, 4), and what was dropped and scaled."""
    calibration = found.calibration()
    matrix = calibration.intrinsics.copy()
    matrix[:2, 2] += cameras.PIXEL_CENTER_SHIFT
    by_size: dict[tuple[int, int], Camera] = {}
    frames: list[Frame] = []
    lost = 0
    note = "as calibrated"
    for shot in found.shots(unit):
        if shot.pose is None:
            lost += 1
            continue
        if shot.size not in by_size:
            scaled, note = _scaled(calibration, matrix, shot.size)
            by_size[shot.size] = Camera(
                cameras.check_intrinsics(calibration.path, scaled, *shot.size), *shot.size
            )
        frames.append(Frame(shot.name, by_size[shot.size], shot.pose, None, shot.image))
    if not frames:
        raise InputError(found.poses, "no frame has a valid pose", "no_frames")
    raw = np.stack([frame.camera_to_world for frame in frames])
    consistency.check_not_all_same(found.poses, raw)
    return frames, raw, {"lost_pose": lost}, note


def _size(path: str, width: str | None, height: str | None) -> tuple[float, float] | None:
    """The size of image that a calibration is for; None where it is not told."""
    if width is None or height is None:
        return None
    numbers = cameras.parse_numbers(path, f"{width} {height}", 2, "colorWidth and colorHeight")
    return float(numbers[0]), float(numbers[1])


def _scaled(calibration: Calibration, matrix: Float, size: tuple[int, int]) -> tuple[Float, str]:
    """Intrinsics at the size of the images."""
    if calibration.size is None:
        return matrix, "not stated, taken from the images"
    if calibration.size == size:
        return matrix, "as calibrated"
    told = f"{calibration.size[0]:g} x {calibration.size[1]:g}"
    if not (min(calibration.size) >= 1 and max(calibration.size) <= source_images.LARGEST_SIDE):
        raise InputError(calibration.size_path, f"calibrated for an image of {told}", "contradiction")
    scaled = cameras.scale_to(calibration.size_path, matrix, calibration.size, size)
    return scaled, f"calibrated at {told}, scaled to {size[0]} x {size[1]}"
