"""Objects as ARKitScenes annotates them: oriented boxes, held against the mesh; and the faces that lie in them.

The annotation is `{"skipped", "data": [{"uid", "label", "segments": {"obbAligned": {...}}}]}`; a box has `centroid`,
`axesLengths`, which are full, and `normalizedAxes`, whose rows are its axes. Some programs write the axes in columns,
or half lengths, and boxes so read stand askew or are too large: which it is shows in how the mesh fills them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spatial_assets.readers import consistency, files, labels
from spatial_assets.readers.cameras import AS_DOCUMENTED, FARTHEST
from spatial_assets.scene.categories import canonical
from spatial_assets.scene.model import NO_INSTANCE, Box, Float, InputError, Instance, Mesh

AXES_TOLERANCE = 0.01
"""How far a box's axes may be from orthonormal."""
MOST_OBJECTS = 2000
"""Of a video, each of which is held against the whole mesh; homes have a hundred or two."""
LARGEST_BOX = 100.0
"""Meters; nothing in a room is longer."""
FLOOR = 0.05
"""Meters above a box's bottom within which the mesh is the floor rather than the object."""
AROUND = 0.15
"""Meters around a box's sides that are looked at beside what is inside."""
SHELL = 0.06
"""Meters inside a box's side within which the mesh reaches that side."""
MESH_PLACES = 50_000
"""Places spread over the mesh: a hundred on a chair in a home."""
FEWEST_POINTS = 30
"""In a box and around it, for it to say something of how boxes are meant."""
FEWEST_BOXES = 2
LOOSE = 0.02
"""Meters by which a box that was drawn by hand, or a scan, may miss a surface where fits are measured."""
FIT, CLEARLY = 0.65, 0.12
"""Where boxes fit the mesh as they stand by as much, nothing else is tried; what another meaning must gain. True ones
have 0.66 to 0.8, with rows for columns 0.34 to 0.58, twice too large 0.53 to 0.59, and half their size 0.03 to 0.33."""
SLACK = 0.01
"""Meters outside a box where the mesh is still the object's; with two centimeters it has the papers on a table."""
SIDE = 0.03
"""Meters from a side of a box within which a face that looks into it is of what the object stands on or against."""
LOOKS_IN = 0.7
"""Least cosine of such a face's direction: 45 degrees."""
Axes = Literal["as_documented", "rows", "columns"]
Lengths = Literal["as_documented", "full", "half"]


@dataclass(frozen=True)
class BoxReading:
    """How the numbers of a box are taken."""

    axes: Axes = AS_DOCUMENTED
    lengths: Lengths = AS_DOCUMENTED

    def apply(self, center: Float, lengths: Float, axes: Float) -> Box:
        """The box with a center (3,), lengths (3,) and axes (3, 3) as they stand there."""
        rotation = axes.copy() if self.axes == "columns" else axes.T.copy()
        if np.linalg.det(rotation) < 0:
            # A box is the same with one of its axes the other way round.
            rotation[:, 2] *= -1
        return Box(center, 2 * lengths if self.lengths == "half" else lengths, rotation)

    def others(self) -> dict[str, BoxReading]:
        """Other meanings of what was not chosen, by how a user would ask for them."""
        found = {}
        if self.axes == AS_DOCUMENTED:
            found["box_axes columns"] = replace(self, axes="columns")
        if self.lengths == AS_DOCUMENTED:
            found["box_lengths half"] = replace(self, lengths="half")
        if len(found) == 2:
            found["box_axes columns and box_lengths half"] = BoxReading("columns", "half")
        return found


@dataclass(frozen=True)
class Annotated:
    """One object as the file has it."""

    uid: str | None
    label: str
    center: Float
    lengths: Float
    axes: Float


def read_annotation(root: Path, path: str) -> list[Annotated]:
    """The objects in the file's order; none is a room without objects of the kinds that are annotated."""
    content = labels.entry(path, files.read_json(root, path), "the file")
    if content.get("skipped") not in (None, False):
        raise InputError(
            path, f"skipped is {labels.shown(content['skipped'])}: nobody annotated it", "no_objects"
        )
    data = content.get("data")
    if not isinstance(data, list):
        raise InputError(path, f"data is {labels.shown(data)}, not a list of objects", "malformed_file")
    if len(data) > MOST_OBJECTS:
        raise InputError(
            path, f"{len(data)} objects, more than the {MOST_OBJECTS} of a home", "malformed_file"
        )
    found = [_object(path, value, f"data[{number}]") for number, value in enumerate(data)]
    uids: set[str] = set()
    for number, item in enumerate(found):
        if item.uid is not None and item.uid in uids:
            raise InputError(
                path,
                f"two objects share a uid: {labels.shown(item.uid)}, in data[{number}] too",
                "contradiction",
            )
        uids |= {item.uid} if item.uid is not None else set()
    return found


def _object(path: str, value: Any, where: str) -> Annotated:
    held = labels.entry(path, value, where)
    for key in ("label", "segments"):
        if key not in held:
            raise InputError(path, f"{where} lacks its {key}", "malformed_file")
    segments = labels.entry(path, held["segments"], f"segments of {where}")
    box = labels.entry(path, segments.get("obbAligned"), f"obbAligned of {where}")
    center, lengths, axes = (
        labels.numbers(path, box.get(key), count, f"{key} of {where}", FARTHEST)
        for key, count in (("centroid", 3), ("axesLengths", 3), ("normalizedAxes", 9))
    )
    if lengths.min() < 0 or lengths.max() > LARGEST_BOX:
        raise InputError(
            path, f"axesLengths of {where} are {labels.shown(lengths.tolist())}, not meters from 0 to {LARGEST_BOX:g}",
            "bad_box",
        )  # fmt: skip
    axes = axes.reshape(3, 3)
    if np.abs(axes @ axes.T - np.eye(3)).max() > AXES_TOLERANCE:
        raise InputError(path, f"normalizedAxes of {where} are not orthonormal", "bad_box")
    uid = held.get("uid")
    return Annotated(
        uid if isinstance(uid, str) and uid.strip() and uid.isprintable() else None,
        labels.word(held["label"]), center, lengths, axes,
    )  # fmt: skip


def instances(annotated: Sequence[Annotated], reading: BoxReading) -> list[Instance]:
    """Numbered by their places in the file."""
    return [
        Instance(
            number,
            item.label,
            canonical(item.label),
            reading.apply(item.center, item.lengths, item.axes),
            item.uid,
        )
        for number, item in enumerate(annotated)
    ]


def check_boxes(path: str, annotated: Sequence[Annotated], reading: BoxReading, mesh: Mesh) -> str:
    """What was found, in words. Raises InputError where boxes fit the mesh clearly better with another meaning."""
    points = consistency.places_on(mesh, MESH_PLACES)

    def fit(how: BoxReading) -> tuple[float, int]:
        found = [_fit(how.apply(item.center, item.lengths, item.axes), points) for item in annotated]
        told = [value for value in found if value is not None]
        return (float(np.mean(told)) if told else 0.0), len(told)

    own, count = fit(reading)
    if own < FIT:
        others = {name: fit(other) for name, other in reading.others().items()}
        best = max(others, key=lambda name: others[name][0], default="")
        if best and others[best][1] >= FEWEST_BOXES and others[best][0] >= max(FIT, own + CLEARLY):
            raise InputError(
                path, f"boxes fit the mesh by {own:.2f} as they stand, and by {others[best][0]:.2f} with {best}",
                "contradiction",
            )  # fmt: skip
    if count < FEWEST_BOXES:
        return f"the mesh shows too little of {len(annotated)} boxes to compare them"
    return f"{count} boxes fit the mesh by {own:.2f}"


def _fit(box: Box, points: Float) -> float | None:
    """How well a box (1 at best) is the one around what stands there; None where there is too little.

    It is the share of the points in it and around it that are in it, times the share of its sides, but for the
    bottom, that they reach: a box askew cuts off corners, one too small does so too, one too large is not filled.
    """
    local = (points - box.center) @ box.rotation
    half = box.size / 2
    up = int(np.abs(box.rotation[2]).argmax())
    above = local[:, up] * np.sign(box.rotation[2, up]) > FLOOR - half[up]
    near = local[above & (np.abs(local) <= half + AROUND).all(axis=1)]
    if len(near) < FEWEST_POINTS:
        return None
    inside = near[(np.abs(near) <= half + LOOSE).all(axis=1)]
    reached = [
        bool((side * inside[:, axis] >= half[axis] - SHELL).any())
        for axis in range(3)
        for side in (-1.0, 1.0)
        if axis != up or side == np.sign(box.rotation[2, up])
    ]
    return len(inside) / len(near) * float(np.mean(reached))


def face_owners(mesh: Mesh, found: Sequence[Instance], cameras: Float) -> NDArray[np.int32]:
    """The object (F,) whose box at least two corners of a face lie in, the smallest of several, or NO_INSTANCE.

    A face close to a side of the box that looks into the box is the floor, a wall or a ceiling, and nobody's. In
    furnished rooms whose owners are known, 98 of 100 pixels so given to an object are its own, the others of what lies
    in or on it, and 95 of 100 that are its own are given to it.

    Parameters
    ----------
    cameras : (N, 3), where the mesh was seen from, which tells its faces' front from their back.
    """
    vertices, faces = mesh.vertices.astype(np.float64), mesh.faces
    corners = [vertices[faces[:, i]] for i in range(3)]
    middles: Float = (corners[0] + corners[1] + corners[2]) / 3
    normals = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    # Most of what a room has looks at those who are in it.
    if len(cameras) and ((cameras.mean(axis=0) - middles) * normals).sum() < 0:
        normals = -normals
    with np.errstate(all="ignore"):
        normals = np.nan_to_num(normals / np.linalg.norm(normals, axis=1, keepdims=True))
    owner = np.full(len(faces), NO_INSTANCE, np.int32)
    # The last to be written wins; of equals, the first in the file.
    for item in sorted(found, key=lambda it: (-float(np.prod(it.box.size)), -it.id)):
        owner[_lie_in(item.box, vertices, faces, middles, normals)] = item.id
    return owner


def _lie_in(
    box: Box, vertices: Float, faces: NDArray[np.int32], middles: Float, normals: Float
) -> NDArray[np.int64]:
    half = box.size / 2
    inside = np.all(np.abs((vertices - box.center) @ box.rotation) <= half + SLACK, axis=1)
    chosen = np.flatnonzero(inside[faces].sum(axis=1) >= 2)
    local, looks = (middles[chosen] - box.center) @ box.rotation, normals[chosen] @ box.rotation
    at_side = half - np.abs(local) <= SIDE
    is_around = np.any(at_side & (-np.sign(local) * looks >= LOOKS_IN), axis=1)
    return chosen[~is_around]
