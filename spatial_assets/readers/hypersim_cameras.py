"""Hypersim's published cameras: a projection matrix a scene, of lenses tilted and shifted, as pinhole cameras.

Whatever maps directions to pixels by a matrix is a pinhole camera, though its axis need not be the one that poses are
written for: the matrix is taken apart into intrinsics and a turn of the camera.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spatial_assets.readers import cameras, files, labels
from spatial_assets.scene.model import Camera, Float, InputError

UNIT = "meters_per_asset_unit"
UNITS = (1e-4, 1e3)
"""Meters that an asset unit may be: scenes are in millimeters, inches, centimeters or meters."""
SAME_UNIT = 1e-4
"""Share by which the two files that give it may differ; they have it with seven digits."""
ROWS = {"x": 0, "y": 1, "w": 3}
"""Of the projection matrix, those that make a pixel; the one of z is for a depth buffer."""
PROJECTION = tuple(f"M_proj_{row}{column}" for row in ROWS.values() for column in range(4))
DIRECTIONS = tuple(f"M_cam_from_uv_{row}{column}" for row in range(3) for column in range(3))
WIDTH, HEIGHT, SCALE = (
    "settings_output_img_width",
    "settings_output_img_height",
    "settings_units_info_meters_scale",
)
INVERSE = 1e-4
"""How far the projection and the matrix of directions may be from each other's inverse; published ones are to 1e-8."""
LARGEST = 1e3
"""Greatest entry of the matrices; fields of view of a few degrees have tens."""
MOST_TURNED = 45.0
"""Degrees between the axis of a tilted lens and the camera's; 27 are the most that were seen."""


@dataclass(frozen=True)
class Lens:
    """A scene's camera, for images of any size of its shape."""

    path: str
    size: tuple[float, float]
    """Width and height that it is published for."""
    projection: Float
    """(3, 3), of directions with x right, y up and z backward, to x and y from -1 to 1, y up, and their divisor."""

    def camera(self, size: tuple[int, int]) -> tuple[Camera, Float]:
        """The pinhole camera of images of that size, and the turn (3, 3) from the published camera's axes to its own,
        both x right, y down, z forward."""
        cameras.scale_to(self.path, np.eye(3), self.size, size)
        width, height = size
        pixels = np.array([[width / 2, 0, width / 2], [0, -height / 2, height / 2], [0, 0, 1.0]])
        matrix = pixels @ self.projection @ np.diag([1.0, -1.0, -1.0])
        if np.linalg.det(matrix) <= 0:
            raise InputError(self.path, "its projection mirrors the image or flattens it", "bad_intrinsics")
        # Rows made orthonormal from the last one up: what is taken off is the intrinsics.
        x, y, z = matrix / np.linalg.norm(matrix[2])
        cy = y @ z
        fy = np.linalg.norm(y - cy * z)
        down = (y - cy * z) / fy
        cx, skew = x @ z, x @ down
        fx = np.linalg.norm(x - cx * z - skew * down)
        right = (x - cx * z - skew * down) / fx
        intrinsics = np.array([[fx, skew, cx], [0, fy, cy], [0, 0, 1]])
        turn = np.stack([right, down, z])
        angle = float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))
        if angle > MOST_TURNED:
            raise InputError(
                self.path, f"its projection turns the camera by {angle:.0f} degrees", "bad_intrinsics"
            )
        return Camera(cameras.check_intrinsics(self.path, intrinsics, *size, shifted=True), *size), turn


def read_unit(root: Path, path: str) -> float:
    """Meters of an asset unit, from a scene's own metadata."""
    rows = _rows(root, path, ("parameter_name", "parameter_value"))
    found = [row["parameter_value"] for row in rows if row["parameter_name"] == UNIT]
    if len(found) != 1:
        raise InputError(path, f"{len(found)} rows of {UNIT}, not one", "malformed_file")
    unit = _number(path, found[0], UNIT, UNITS[1])
    if unit < UNITS[0]:
        raise InputError(path, f"{UNIT} is {unit:g}, less than {UNITS[0]:g}", "malformed_file")
    return unit


def read_lens(root: Path, path: str, scene: str, unit: float) -> Lens:
    """A scene's camera, from the file of all scenes'."""
    rows = _rows(root, path, ("scene_name", WIDTH, HEIGHT, SCALE, *PROJECTION, *DIRECTIONS))
    found = [row for row in rows if row["scene_name"] == scene]
    if len(found) != 1:
        raise InputError(path, f"{len(found)} rows of {scene}, not one", "missing_camera")
    row = found[0]
    told = _number(path, row[SCALE], f"{SCALE} of {scene}", UNITS[1])
    if not abs(told - unit) <= SAME_UNIT * unit:
        raise InputError(
            path, f"an asset unit of {scene} is {told:g} m, {unit:g} in its own files", "contradiction"
        )
    width, height = (_number(path, row[key], f"{key} of {scene}", 1e5) for key in (WIDTH, HEIGHT))
    if min(width, height) < 1:
        raise InputError(path, f"images of {scene} have {width:g} x {height:g} pixels", "malformed_file")
    projection = _matrix(path, row, PROJECTION, scene).reshape(3, 4)
    if projection[:, 3].any():
        raise InputError(
            path, f"the projection of {scene} moves the camera off its position", "bad_intrinsics"
        )
    directions = _matrix(path, row, DIRECTIONS, scene).reshape(3, 3)
    both = projection[:, :3] @ directions
    if not np.abs(both / (both[2, 2] or np.nan) - np.eye(3)).max() <= INVERSE:
        raise InputError(
            path, f"the M_proj and M_cam_from_uv of {scene} are not each other's inverse", "contradiction"
        )
    return Lens(path, (width, height), projection[:, :3])


def _matrix(path: str, row: dict[str, str], names: tuple[str, ...], scene: str) -> Float:
    return np.array([_number(path, row[name], f"{name} of {scene}", LARGEST) for name in names])


def _number(path: str, text: str, what: str, most: float) -> float:
    (value,) = cameras.parse_numbers(path, text, 1, what)
    return labels.number(path, float(value), what, most)


def _rows(root: Path, path: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a table with a header, as those columns."""
    reader = csv.reader(io.StringIO(files.read_text(root, path)), strict=True)
    try:
        header, *rows = [[word.strip() for word in row] for row in reader if row] or [[]]
    except csv.Error as error:
        raise InputError(path, f"not CSV: {error} in line {reader.line_num}", "malformed_file") from None
    for column in columns:
        if header.count(column) != 1:
            raise InputError(
                path, f"{header.count(column)} columns named {column}, not one", "malformed_file"
            )
    for number, row in enumerate(rows):
        if len(row) != len(header):
            told = f"row {number + 1} has {len(row)} fields, the header {len(header)}"
            raise InputError(path, told, "malformed_file")
    places = {column: header.index(column) for column in columns}
    return [{column: row[place] for column, place in places.items()} for row in rows]
