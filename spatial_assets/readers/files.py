"""Small readers shared by the formats: text matrices, JSON, image headers, PLY meshes; each error names its file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float, InputError, Mesh
from spatial_assets.scene.refs import SceneRef, SourceFile

ROTATION_TOLERANCE = 0.01
"""How far a pose's rotation may be from orthonormal; text files with five decimals stay below 1e-4."""
PIXEL_CENTER_SHIFT = 0.5
"""Added to a principal point given for pixel centers at integers (319.5 in the middle of 640 pixels)."""
IMAGE_TAIL = 4096
"""Bytes at a file's end searched for an image's end marker; cameras may write a trailer behind it."""
END_MARKERS = {b"\xff\xd8": b"\xff\xd9", b"\x89P": b"IEND"}
"""First two bytes of a JPEG or PNG, and what stands near the end of a whole one."""


def scene_folders(root: Path, parents: Iterable[str], name: re.Pattern[str]) -> list[SceneRef]:
    """The folders below a root's `parents` whose names match, by name. Raises InputError for a name found twice."""
    found = [
        SceneRef(path.name, path.relative_to(root).as_posix())
        for parent in parents
        if (root / parent).is_dir()
        for path in (root / parent).iterdir()
        if path.is_dir() and name.match(path.name)
    ]
    found.sort(key=lambda ref: (ref.name, ref.path))
    for one, other in pairwise(found):
        if one.name == other.name:
            raise InputError(other.path, f"the scene also stands in {one.path}", "contradiction")
    return found


def all_there(root: Path, listing: list[SourceFile]) -> list[SourceFile]:
    """The listing itself. Raises InputError for the first file that is missing."""
    for file in listing:
        if not (root / file.path).is_file():
            raise InputError(file.path, "missing", "missing_file")
    return listing


def read_text(root: Path, path: str) -> str:
    try:
        return (root / path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(path, "missing", "missing_file") from None
    except UnicodeDecodeError:
        raise InputError(path, "not a text file", "unreadable_file") from None
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}", "unreadable_file") from None


def read_json(root: Path, path: str) -> Any:
    try:
        return json.loads(read_text(root, path))
    except json.JSONDecodeError as error:
        raise InputError(path, f"not JSON: {error.msg} at line {error.lineno}", "unreadable_file") from None
    except (ValueError, RecursionError):
        # A number of thousands of digits, or brackets without end.
        raise InputError(path, "JSON beyond all bounds", "unreadable_file") from None


def parse_numbers(path: str, text: str, count: int, what: str) -> Float:
    """Exactly `count` finite or infinite numbers, separated by white space."""
    words = text.split()
    if len(words) != count:
        raise InputError(path, f"{what} holds {len(words)} numbers, not {count}", "malformed_file")
    try:
        return np.array([float(word) for word in words])
    except ValueError as error:
        raise InputError(path, f"{what}: {error}", "malformed_file") from None


def read_matrix(root: Path, path: str, what: str, sizes: tuple[int, ...] = (4, 3)) -> Float:
    """A square matrix of one of the given sizes."""
    text = read_text(root, path)
    size = next((size for size in sizes if len(text.split()) == size * size), sizes[0])
    return parse_numbers(path, text, size * size, what).reshape(size, size)


def check_pose(path: str, pose: Float, what: str = "pose") -> Float:
    """A rigid (4, 4) with its rotation made exactly orthonormal. NaN or a skewed rotation raises InputError."""
    if not np.isfinite(pose).all():
        raise InputError(path, f"{what} has a value that is not a number", "bad_pose")
    left, spread, right = np.linalg.svd(pose[:3, :3])
    if np.abs(spread - 1).max() > ROTATION_TOLERANCE or np.linalg.det(left @ right) < 0:
        raise InputError(path, f"{what} is not a rigid motion", "bad_pose")
    rigid = np.eye(4)
    rigid[:3, :3] = left @ right
    rigid[:3, 3] = pose[:3, 3]
    return rigid


def check_intrinsics(path: str, intrinsics: Float, width: int, height: int) -> Float:
    """Raises InputError for what no pinhole camera of that image size has."""
    fx, fy, cx, cy = intrinsics[0, 0], intrinsics[1, 1], intrinsics[0, 2], intrinsics[1, 2]
    if not np.isfinite(intrinsics).all():
        raise InputError(path, "intrinsics have a value that is not a number", "bad_intrinsics")
    if fx <= 0 or fy <= 0:
        raise InputError(path, f"focal length {fx:g}, {fy:g} is not positive", "bad_intrinsics")
    if not (0 <= cx <= width and 0 <= cy <= height):
        raise InputError(
            path,
            f"principal point {cx:g}, {cy:g} lies outside the {width} x {height} image",
            "bad_intrinsics",
        )
    return intrinsics


def image_size(root: Path, path: str) -> tuple[int, int]:
    """Width and height of a JPEG or PNG that is there to its end; pixels are not decoded."""
    from PIL import Image, UnidentifiedImageError

    file = root / path
    try:
        with Image.open(file) as image:
            size = image.size
        with file.open("rb") as stream:
            marker = END_MARKERS.get(stream.read(2))
            stream.seek(max(0, file.stat().st_size - IMAGE_TAIL))
            whole = marker is None or marker in stream.read()
    except FileNotFoundError:
        raise InputError(path, "missing", "missing_file") from None
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        IndexError,
        Image.DecompressionBombError,
    ):
        raise InputError(path, "not a readable image", "unreadable_image") from None
    if not whole:
        raise InputError(path, "the image is cut off", "unreadable_image")
    return size


def program_of(root: Path, path: str) -> str | None:
    """The program that an image says it was made by, in a PNG's `Software` or a JPEG's comment; None of others."""
    from PIL import Image

    try:
        with Image.open(root / path) as image:
            said = image.info.get("Software", image.info.get("comment"))
    except (OSError, SyntaxError, ValueError, IndexError, Image.DecompressionBombError):
        return None
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return text.strip() if isinstance(text, str) else None


def read_image(root: Path, path: str, mode: str | None = None) -> NDArray[Any]:
    """A decoded image as an array, in PIL's `mode` where one is given."""
    from PIL import Image

    try:
        with Image.open(root / path) as image:
            return np.asarray(image if mode is None else image.convert(mode))
    except FileNotFoundError:
        raise InputError(path, "missing", "missing_file") from None
    except (OSError, SyntaxError, ValueError, IndexError, Image.DecompressionBombError):
        raise InputError(path, "not a readable image", "unreadable_image") from None


def read_ply(root: Path, path: str) -> Mesh:
    """A triangle mesh from a PLY file, with vertex colors where it has them."""
    from plyfile import PlyData, PlyElementParseError, PlyHeaderParseError, PlyParseError

    file = root / path
    try:
        # Mapped, and with the length of its lists known, plyfile reads whole arrays, twenty times faster.
        ply = PlyData.read(str(file), mmap="r", known_list_len={"face": {"vertex_indices": 3}})
        vertex, face = ply["vertex"], ply["face"]
        vertices = np.column_stack([np.asarray(vertex[axis], np.float64) for axis in "xyz"])
        indices = face["vertex_indices"]
        faces = np.vstack(list(indices)) if indices.dtype == object else np.array(indices)
        names = {prop.name for prop in vertex.properties}
        colors = None
        if {"red", "green", "blue"} <= names:
            colors = np.column_stack([np.asarray(vertex[c], np.uint8) for c in ("red", "green", "blue")])
    except FileNotFoundError:
        raise InputError(path, "missing", "missing_file") from None
    except PlyElementParseError as error:
        raise InputError(path, f"cut off or malformed: {error}", "malformed_mesh") from None
    except (PlyHeaderParseError, PlyParseError, KeyError, ValueError, OSError) as error:
        raise InputError(path, f"not a triangle mesh in PLY: {error}", "malformed_mesh") from None
    return check_mesh(path, vertices, faces.reshape(-1, 3), colors)


def check_mesh(path: str, vertices: Float, faces: NDArray[Any], colors: NDArray[np.uint8] | None) -> Mesh:
    if len(vertices) == 0 or len(faces) == 0:
        raise InputError(path, "the mesh has no faces", "malformed_mesh")
    if not np.isfinite(vertices).all():
        raise InputError(path, "a vertex is not a number", "malformed_mesh")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise InputError(path, "a face names a vertex that is not there", "malformed_mesh")
    return Mesh(vertices.astype(np.float32), faces.astype(np.int32), colors)


def transform_points(transform: Float, points: NDArray[Any]) -> Float:
    return np.asarray(points, np.float64) @ transform[:3, :3].T + transform[:3, 3]


def natural_key(name: str) -> tuple[int, int | str]:
    """Sorts numbered names by number, the rest by text behind them."""
    return (0, int(name)) if name.isdecimal() else (1, name)


def is_invalid_pose(pose: Float) -> bool:
    """Whether a sensor marked the pose as lost, by filling it with minus infinity."""
    return bool(np.isinf(pose).all()) and not math.isnan(pose[0, 0])
