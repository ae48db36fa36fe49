"""Triangle meshes in PLY files, whatever program wrote them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.readers import ascii_ply, files
from spatial_assets.readers.consistency import check_extent
from spatial_assets.scene.model import Float, InputError, Mesh

LONGEST_HEADER = 1 << 20
"""Bytes; comments can hold a program's whole history."""
CORNER_LISTS = ("vertex_indices", "vertex_index", "vertex_indexes")
"""Names that programs give to the corners of a face."""
COLORS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
GREATEST_COLOR = 255
MOST_VERTICES = 1 << 31
"""As many as the mesh's own numbers can name."""


def read_ply(root: Path, path: str, unit: float = 1.0) -> Mesh:
    """A triangle mesh from a PLY file, with vertex colors where it has them; faces of more corners are cut up.

    `unit` is the file's, in meters. Raises InputError also for a mesh that no scene's can be.
    """
    return read_labeled_ply(root, path, (), unit)[0]


def read_labeled_ply(
    root: Path, path: str, wanted: tuple[str, ...], unit: float = 1.0
) -> tuple[Mesh, NDArray[np.int64] | None]:
    """The same, with the first of these whole numbers that its faces have, one for each triangle (F,)."""
    with files.reading(path):
        header, body = _header(root, path)
        _check_counts(path, header, (root / path).stat().st_size - body)
        corners = _corner_list(path, header)
        ply = _parsed(root, path, header, body, corners)
        vertex = ply["vertex"]
        names = {prop.name for prop in vertex.properties}
        missing = sorted(set("xyz") - names)
        if missing:
            raise InputError(path, f"the vertices have no property {missing[0]}", "malformed_mesh")
        vertices = np.column_stack([np.asarray(vertex[axis], np.float64) for axis in "xyz"])
        faces, sources = _triangles(path, ply["face"][corners])
        labels = _of_faces(path, ply["face"], wanted)
        of_color = next((group for group in COLORS if names.issuperset(group)), None)
        colors = None if of_color is None else _colors(path, [np.asarray(vertex[name]) for name in of_color])
    mesh = check_mesh(path, vertices if unit == 1 else vertices * unit, faces, colors)
    return mesh, labels if labels is None or sources is None else labels[sources]


def _of_faces(path: str, face: Any, wanted: tuple[str, ...]) -> NDArray[np.int64] | None:
    """The first of these properties that faces have."""
    there = {prop.name for prop in face.properties}
    name = next((name for name in wanted if name in there), None)
    if name is None:
        return None
    values = np.asarray(face[name])
    if values.dtype.kind not in "iu":
        raise InputError(path, f"{name} of the faces is no whole number", "malformed_mesh")
    return values.astype(np.int64)


def _header(root: Path, path: str) -> tuple[list[str], int]:
    """Lines of the header without comments, which may hold any bytes, and where the body begins."""
    with (root / path).open("rb") as stream:
        start = stream.read(LONGEST_HEADER)
    if not start.startswith(b"ply"):
        raise InputError(path, "not a triangle mesh in PLY: it does not begin with 'ply'", "malformed_mesh")
    end = start.find(b"end_header")
    body = start.find(b"\n", end) + 1
    if end < 0 or body == 0:
        raise InputError(path, "not a triangle mesh in PLY: its header has no end", "malformed_mesh")
    lines = [line.strip() for line in start[:body].replace(b"\r", b"\n").split(b"\n")]
    told = [line for line in lines if line and not line.startswith((b"comment", b"obj_info"))]
    return [line.decode("ascii", "backslashreplace") for line in told], body


def _check_counts(path: str, header: list[str], size: int) -> None:
    """Raises InputError where the header counts more than the file can hold, before memory is taken for it."""
    for line in header:
        words = line.split()
        if words[0] == "element" and (len(words) != 3 or not words[2].isdecimal()):
            raise InputError(
                path, f"not a triangle mesh in PLY: {line[:60]!r} in its header", "malformed_mesh"
            )
        if words[0] == "element" and int(words[2]) > min(size, MOST_VERTICES):
            raise InputError(
                path, f"cut off: the header counts {words[2][:20]} of {words[1][:20]}, in {size} bytes",
                "malformed_mesh",
            )  # fmt: skip


def _corner_list(path: str, header: list[str]) -> str:
    """The name of the list of a face's corners."""
    element, lists = "", []
    for line in header:
        words = line.split()
        if words[0] == "element":
            element = words[1]
            lists.append(element)
        elif words[:2] == ["property", "list"] and element == "face" and words[-1] in CORNER_LISTS:
            return words[-1]
    if "face" not in lists:
        there = ", ".join(lists)[:60]
        raise InputError(path, f"not a triangle mesh: no faces in it, but {there}", "malformed_mesh")
    raise InputError(path, f"the faces have no list called {' or '.join(CORNER_LISTS[:2])}", "malformed_mesh")


def _parsed(root: Path, path: str, header: list[str], body: int, corners: str) -> Any:
    from plyfile import PlyData, PlyElement, PlyElementParseError, PlyHeaderParseError, PlyParseError

    file = root / path
    try:
        with file.open("rb") as stream:
            is_plain = stream.read(body).isascii()
        arrays = ascii_ply.parse(header, file, body) if ascii_ply.is_ascii(header) else None
        if arrays is not None:
            return PlyData([PlyElement.describe(rows, name) for name, rows in arrays.items()])
        source: Any = str(file)
        if not is_plain:
            clean = "\n".join([*header, ""]).encode("ascii", "replace")
            source = io.BytesIO(clean + file.read_bytes()[body:])
        try:
            # Mapped, and with the length of its lists known, plyfile reads whole arrays, twenty times faster.
            return PlyData.read(
                source, mmap="r" if is_plain else False, known_list_len={"face": {corners: 3}}
            )
        except PlyElementParseError as error:
            if "list length" not in str(error):
                raise
            if not is_plain:
                source.seek(0)
            return PlyData.read(source, mmap=False)
    except PlyElementParseError as error:
        raise InputError(path, f"cut off or malformed: {error}", "malformed_mesh") from None
    except (PlyHeaderParseError, PlyParseError) as error:
        raise InputError(path, f"not a triangle mesh in PLY: {error}", "malformed_mesh") from None


def _triangles(path: str, indices: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """(F, 3), from lists of corners of any length; faces keep their order, each cut up from its first corner.

    With them (F,), the face that each was cut from; None where all faces are triangles.
    """
    if indices.dtype != object:
        found = np.array(indices)
        if found.dtype.kind not in "iu" and found.size:
            raise InputError(path, "the corners of faces are no whole numbers", "malformed_mesh")
        return found.reshape(-1, 3).astype(np.int64), None
    if not len(indices):
        return np.zeros((0, 3), np.int64), None
    lengths = np.array([len(face) for face in indices])
    few = np.flatnonzero(lengths < 3)
    if len(few):
        raise InputError(
            path, f"face {few[0]} has {lengths[few[0]]} corners, not 3 or more", "malformed_mesh"
        )
    flat = np.concatenate(list(indices))
    if flat.dtype.kind not in "iu":
        raise InputError(path, "the corners of faces are no whole numbers", "malformed_mesh")
    starts = np.cumsum(lengths) - lengths
    owner = np.repeat(np.arange(len(lengths)), lengths - 2)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(lengths - 2) - (lengths - 2), lengths - 2)
    first = starts[owner]
    corners = np.column_stack([first, first + step + 1, first + step + 2])
    return flat.astype(np.int64)[corners], owner


def _colors(path: str, channels: list[NDArray[Any]]) -> NDArray[np.uint8]:
    """(V, 3): bytes as they are, words by their upper byte, fractions of 1 as shares of the greatest byte."""
    values = np.column_stack(channels)
    if values.dtype == np.uint8 or not len(values):
        return np.ascontiguousarray(values.astype(np.uint8))
    if not np.isfinite(values).all():
        raise InputError(path, "a vertex color is not a number", "malformed_mesh")
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > np.iinfo(np.uint16).max:
        raise InputError(
            path, f"vertex colors run from {low:g} to {high:g}, not to 1 or 255", "malformed_mesh"
        )
    if values.dtype.kind == "f" and high <= 1:
        values = values * GREATEST_COLOR
    elif high > GREATEST_COLOR:
        if values.dtype.kind == "f":
            raise InputError(path, f"vertex colors reach {high:g}, not 1 or 255", "malformed_mesh")
        values = values >> 8
    return np.ascontiguousarray(np.rint(values).astype(np.uint8))


def check_mesh(path: str, vertices: Float, faces: NDArray[Any], colors: NDArray[np.uint8] | None) -> Mesh:
    """The mesh of vertices (V, 3), meters, faces (F, 3) of their places, and colors (V, 3). Raises InputError."""
    if len(vertices) == 0 or len(faces) == 0:
        raise InputError(path, "the mesh has no faces", "malformed_mesh")
    if not np.isfinite(vertices).all():
        wrong = np.flatnonzero(~np.isfinite(vertices).all(axis=1))
        raise InputError(path, f"vertex {wrong[0]} has a coordinate that is not a number", "malformed_mesh")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise InputError(path, "a face names a vertex that is not there", "malformed_mesh")
    check_extent(path, vertices)
    return Mesh(vertices.astype(np.float32), faces.astype(np.int32), colors)


def read_vertex_numbers(root: Path, path: str, name: str) -> NDArray[np.int64]:
    """A property of the vertices of a triangle mesh in PLY that holds whole numbers (V,)."""
    with files.reading(path):
        header, body = _header(root, path)
        _check_counts(path, header, (root / path).stat().st_size - body)
        vertex = _parsed(root, path, header, body, _corner_list(path, header))["vertex"]
        if name not in {prop.name for prop in vertex.properties}:
            raise InputError(path, f"the vertices have no property {name}", "malformed_mesh")
        found = np.array(vertex[name])
    if found.dtype.kind not in "iu":
        raise InputError(path, f"the vertices' {name} are no whole numbers", "malformed_mesh")
    return found.astype(np.int64)
