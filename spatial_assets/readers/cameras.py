"""Numbers of cameras as text files hold them: matrices, poses, intrinsics, each within what cameras can have."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from spatial_assets.readers import files
from spatial_assets.scene.model import Float, InputError, rigid_inverse

ROTATION_TOLERANCE = 0.01
"""How far a pose's rotation may be from orthonormal; text files with five decimals stay below 1e-4."""
LAST_ROW = [0.0, 0.0, 0.0, 1.0]
LAST_ROW_TOLERANCE = 1e-4
"""How far a matrix's last row may be from 0 0 0 1, which every tool writes exactly."""
FARTHEST = 8192.0
"""Meters from the origin: beyond it, single precision no longer tells millimeters apart."""
PIXEL_CENTER_SHIFT = 0.5
"""Added to a principal point given for pixel centers at integers (319.5 in the middle of 640 pixels)."""
OFF_CENTER = 0.2
"""Share of an image's side by which a principal point may miss its middle. Cameras miss it by some hundredths;
intrinsics of an image twice as large, or of the same one on its side, by more."""
TURNED, TURNED_LEAST = 2.0, 0.08
"""An image is turned where it misses its middle by this share, and by twice what it misses that of the turned one."""
FOCAL_LENGTHS = (0.08, 20.0)
"""Least and greatest in image widths: fields of view of 160 and of 3 degrees."""
PIXEL_SHAPE = 2.0
"""Ratio of the two focal lengths: 16:9 made square has 1.8."""
MOST_SKEWED = 0.05
"""Share of the focal length by which rows and columns of pixels may be askew: sensors' are not, images of lenses that
are tilted both ways have up to 0.02."""
ASPECT_TOLERANCE = 0.02
"""Share by which an image's shape may differ from the calibrated one: 1296 x 968 is exported as 640 x 480."""
NUMBER_BREAKS = re.compile(r"[\s,;\[\]]+")
OTHER_BREAKS = frozenset(",;[]")
LOST_NUMBER = re.compile(r"[+-]?(1\.#(IND|QNAN|SNAN|INF|J)\w*|nan\(\w*\))", re.IGNORECASE)
"""What the C library of Windows writes for values that are no numbers."""

Convention = Literal[
    "as_documented",
    "camera_to_world",
    "world_to_camera",
    "opengl_camera_to_world",
    "opengl_world_to_camera",
]
AS_DOCUMENTED: Literal["as_documented"] = "as_documented"
CAMERA_TO_WORLD: Literal["camera_to_world"] = "camera_to_world"
CONVENTION_HELP = (
    "what a pose's matrix means; as_documented is the format's own meaning, checked against the geometry, and "
    "another is taken at its word (opengl: y up, z backward)"
)
CONVENTIONS: tuple[Convention, ...] = (
    "camera_to_world",
    "world_to_camera",
    "opengl_camera_to_world",
    "opengl_world_to_camera",
)


@dataclass(frozen=True)
class PoseReading:
    """How the matrices of a pose file are taken."""

    convention: Convention = AS_DOCUMENTED
    unit: float = 1.0
    """Meters."""
    documented: Convention = CAMERA_TO_WORLD
    """What `as_documented` means in this format."""

    def apply(self, matrix: Float) -> Float:
        """Camera-to-world in meters with OpenCV axes, (..., 4, 4), of one or many matrices (..., 4, 4)."""
        convention = self.documented if self.convention == AS_DOCUMENTED else self.convention
        pose = matrix.copy()
        pose[..., :3, 3] *= self.unit
        if convention.endswith("world_to_camera"):
            pose = rigid_inverse(pose)
        if convention.startswith("opengl"):
            pose[..., :3, 1:3] *= -1
        return pose

    def others(self) -> dict[str, PoseReading]:
        """The meanings that the format does not have, in the same unit, by how a user would ask for them."""
        return {
            f"pose_convention {name}": replace(self, convention=name)
            for name in CONVENTIONS
            if name != self.documented
        }


def parse_numbers(path: str, text: str, counts: tuple[int, ...] | int, what: str) -> Float:
    """As many numbers as one of `counts`, (N,), between white space, commas or brackets.

    NaN and infinities are numbers here.
    """
    words = text.split()
    allowed = (counts,) if isinstance(counts, int) else counts
    if not OTHER_BREAKS.isdisjoint(text):
        words = [word for word in NUMBER_BREAKS.split(text) if word]
    if len(words) not in allowed:
        told = " or ".join(map(str, allowed))
        raise InputError(path, f"{what} holds {len(words)} numbers, not {told}", "malformed_file")
    if "_" not in text:  # which Python alone reads as part of a number
        with suppress(ValueError):
            return np.array([float(word) for word in words])
    return np.array([_number(path, word, what) for word in words])


def _number(path: str, word: str, what: str) -> float:
    if LOST_NUMBER.fullmatch(word):
        return float("nan")
    if "_" not in word:
        with suppress(ValueError):
            return float(word)
    raise InputError(path, f"{what} has {word[:20]!r} where a number was expected", "malformed_file")


def parse_pose(path: str, text: str, what: str, unit: float) -> Float | None:
    """A rigid (4, 4) in the file's own convention and unit, from its 16 numbers by rows or the first 12 of them.

    None for a lost one. `unit` is in meters.
    """
    numbers = parse_numbers(path, text, (16, 12), what)
    matrix = numbers.reshape(-1, 4)
    if len(matrix) == 3:
        matrix = np.vstack([matrix, LAST_ROW])
    if is_lost(matrix):
        return None
    return check_pose(path, matrix, what, unit)


def is_lost(pose: Float) -> bool:
    """Whether a tracker marked the pose (4, 4) as lost: with values that are no numbers, or without a rotation."""
    return not all(map(math.isfinite, pose.ravel().tolist())) or not any(pose[:3, :3].ravel().tolist())


def check_pose(path: str, pose: Float, what: str = "pose", unit: float = 1.0) -> Float:
    """A rigid (4, 4) with its rotation made exactly orthonormal. Raises InputError for what is none."""
    # Plain numbers: of so few, arrays take several times as long.
    rows = pose.tolist()
    if not all(map(math.isfinite, (*rows[0], *rows[1], *rows[2], *rows[3]))):
        raise InputError(path, f"{what} has a value that is not a number", "bad_pose")
    if rows[3] != LAST_ROW and np.abs(pose[3] - LAST_ROW).max() > LAST_ROW_TOLERANCE:
        row = " ".join(f"{value:g}" for value in rows[3])
        turned = np.abs(pose[:3, 3]).max() <= LAST_ROW_TOLERANCE and abs(rows[3][3] - 1) <= LAST_ROW_TOLERANCE
        hint = "; it is transposed, written by columns" if turned else ""
        raise InputError(path, f"the last row of {what} is {row}, not 0 0 0 1{hint}", "bad_pose")
    # Far outside, the decomposition itself may fail.
    is_rigid = all(abs(value) <= 1 + ROTATION_TOLERANCE for row in rows[:3] for value in row[:3])
    if is_rigid:
        left, spread, right = np.linalg.svd(pose[:3, :3])
        rotation = left @ right
        is_rigid = max([abs(value - 1) for value in spread.tolist()]) <= ROTATION_TOLERANCE
        is_rigid = is_rigid and _is_turn(rotation.tolist())
    if not is_rigid:
        raise InputError(path, f"{what} is not a rigid motion", "bad_pose")
    far = max(abs(row[3]) for row in rows[:3]) * unit
    if not far <= FARTHEST:
        raise InputError(path, f"{what} lies {far:g} m from the origin, more than {FARTHEST:g} m", "bad_pose")
    rigid = np.eye(4)
    rigid[:3, :3] = rotation
    rigid[:3, 3] = pose[:3, 3]
    return rigid


def _is_turn(rows: list[list[float]]) -> bool:
    """Whether an orthonormal (3, 3) turns space, and does not mirror it."""
    (a, b, c), (d, e, f), (g, h, i) = rows
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) > 0


def read_intrinsics(root: Path, path: str) -> Float:
    """A pinhole camera's (3, 3), from that or from a (4, 4), with 1 in its last corner."""
    return check_matrix(path, parse_numbers(path, files.read_text(root, path), (9, 16), "intrinsics"))


def check_matrix(path: str, numbers: Float) -> Float:
    """A pinhole camera's (3, 3) from the numbers of that or of a (4, 4), by rows."""
    size = math.isqrt(len(numbers))
    matrix = numbers.reshape(size, size)[:3, :3]
    if not np.isfinite(matrix).all():
        raise InputError(path, "intrinsics have a value that is not a number", "bad_intrinsics")
    corner = matrix[2, 2]
    with np.errstate(all="ignore"):
        scaled = matrix / corner
    if corner == 0 or not np.isfinite(scaled).all():
        raise InputError(path, f"the last corner of the intrinsics is {corner:g}, not 1", "bad_intrinsics")
    below = np.array([scaled[1, 0], scaled[2, 0], scaled[2, 1]])
    if np.abs(below).max() > LAST_ROW_TOLERANCE:
        hint = "; they are transposed" if not scaled[:2, 2].any() else ""
        raise InputError(
            path, f"intrinsics have {np.abs(below).max():g} below the diagonal, not 0{hint}", "bad_intrinsics"
        )
    return scaled


def check_intrinsics(path: str, intrinsics: Float, width: int, height: int, shifted: bool = False) -> Float:
    """The intrinsics (3, 3), pixels. Raises InputError for what no pinhole camera of that image size has.

    `shifted` is for one whose lens is said to be, so that its axis need only be in the image.
    """
    fx, fy, cx, cy = (float(intrinsics[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2)))
    if not np.isfinite(intrinsics).all():
        raise InputError(path, "intrinsics have a value that is not a number", "bad_intrinsics")
    if fx <= 0 or fy <= 0:
        raise InputError(path, f"focal length {fx:g}, {fy:g} is not positive", "bad_intrinsics")
    least, greatest = FOCAL_LENGTHS
    if not (least * width <= fx <= greatest * width and 1 / PIXEL_SHAPE <= fx / fy <= PIXEL_SHAPE):
        raise InputError(
            path,
            f"focal lengths {fx:g}, {fy:g} are those of no camera of {width} x {height} pixels",
            "bad_intrinsics",
        )
    if abs(intrinsics[0, 1]) > MOST_SKEWED * fx:
        raise InputError(
            path, f"rows and columns of pixels are askew by {intrinsics[0, 1]:g} at a focal length of {fx:g}: no "
            "pinhole camera's",
            "bad_intrinsics",
        )  # fmt: skip
    away = max(abs(cx / width - 0.5), abs(cy / height - 0.5))
    turned = max(abs(cx / height - 0.5), abs(cy / width - 0.5))
    if shifted:
        if away < 0.5:
            return intrinsics
        told = f"the lens is shifted so far that the camera's axis, at {cx:g}, {cy:g}, is not in the image"
        raise InputError(path, f"{told} of {width} x {height} pixels", "bad_intrinsics")
    if away > OFF_CENTER or away > TURNED * turned + TURNED_LEAST:
        raise InputError(
            path,
            f"principal point {cx:g}, {cy:g} is not near the middle of the {width} x {height} image: "
            "intrinsics and images are of different sizes, or one of them is turned",
            "bad_intrinsics",
        )
    return intrinsics


def scale_to(path: str, intrinsics: Float, calibrated: tuple[float, float], size: tuple[int, int]) -> Float:
    """Intrinsics (3, 3) for images of another size, in pixels. Raises InputError for one of another shape, which is
    cut or turned.
    """
    across, down = (size[i] / calibrated[i] for i in range(2))
    if not abs(across / down - 1) <= ASPECT_TOLERANCE:
        told = f"{calibrated[0]:g} x {calibrated[1]:g}"
        raise InputError(
            path, f"calibrated for images of {told}, which have another shape than {size[0]} x {size[1]}",
            "contradiction",
        )  # fmt: skip
    return np.diag([across, down, 1.0]) @ intrinsics
