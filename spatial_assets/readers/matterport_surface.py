"""Matterport3D's annotated meshes: one of a house or one of each region, their segments, and whose boxes they fill.

A mesh's faces name their segment, `material_id` in the file itself and `segIndices` beside it (`.fsegs.json`); the
house file says which object a segment is of. A region's mesh numbers its own segments from 0: those of region N are N
million higher in the house file. Which file's numbers are meant is found by how many of them the house file knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spatial_assets.readers import files, labels
from spatial_assets.readers.consistency import bounds, check_extent
from spatial_assets.readers.matterport_house import House
from spatial_assets.readers.ply import read_labeled_ply
from spatial_assets.scene.model import NO_INSTANCE, Box, Float, InputError, Mesh

SEGMENT_PROPERTIES = ("material_id", "face_material")
REGION_STEP = 1_000_000
FEWEST_KNOWN = 0.5
"""Least share of the faces with a segment whose segment the house file must know, for the two to belong together."""
SAME = 0.99
"""Share of the faces on which two files that number segments must agree."""
CHECKED_FACES = 20
"""Of an object, that its extent says something."""
CHECKED_OBJECTS = 3
HALF, FULL = (0.75, 1.33), (0.4, 0.62)
"""Half of the middle object's extent, as a share of its box's radius: about 1 where radii are half lengths, as they
are documented, and about 0.5 where they are whole ones. Objects that were partly scanned fill a little less."""
ELSEWHERE = 1.0
"""Of a box's radius that the middle object may lie away from its box's center."""


@dataclass(frozen=True)
class MeshFile:
    path: str
    segments: str | None
    region: int | None
    """Of a region's mesh."""


@dataclass(frozen=True)
class Surface:
    mesh: Mesh
    numbered: tuple[tuple[str, NDArray[np.int64]], ...]
    """Segment of each face (F,), by the file that says it; negative for none."""


def read_surface(root: Path, meshes: Sequence[MeshFile]) -> Surface:
    """A house's mesh, or those of its regions as one. Raises InputError for what does not fit together."""
    parts = [_read(root, file) for file in meshes]
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(len(part.mesh.vertices) for part in parts)])
    vertices = np.concatenate([part.mesh.vertices for part in parts])
    check_extent(meshes[0].path, vertices.astype(np.float64))
    colors = [part.mesh.colors for part in parts if part.mesh.colors is not None]
    mesh = Mesh(
        vertices,
        np.concatenate(
            [part.mesh.faces + np.int32(start) for part, start in zip(parts, starts[:-1], strict=True)]
        ).astype(np.int32),
        np.concatenate(colors) if len(colors) == len(parts) else None,
    )
    numbered = []
    # What all of the regions' files say in the same way.
    for kind in range(min(len(part.numbered) for part in parts)):
        ids = [part.numbered[kind][1] for part in parts]
        numbered.append((parts[0].numbered[kind][0], np.concatenate(ids)))
    return Surface(mesh, tuple(numbered))


def _read(root: Path, file: MeshFile) -> Surface:
    mesh, ids = read_labeled_ply(root, file.path, SEGMENT_PROPERTIES)
    numbered = [] if ids is None else [(file.path, ids)]
    if file.segments is not None:
        content = labels.entry(file.segments, files.read_json(root, file.segments), "the file")
        listed = labels.integers(file.segments, content.get("segIndices"), "segIndices")
        if len(listed) != len(mesh.faces):
            raise InputError(
                file.segments,
                f"{len(listed)} segIndices for a mesh of {len(mesh.faces)} triangles",
                "contradiction",
            )
        numbered.append((file.segments, listed))
    return Surface(mesh, tuple((path, _moved(ids, file.region)) for path, ids in numbered))


def _moved(ids: NDArray[np.int64], region: int | None) -> NDArray[np.int64]:
    if region is None or not len(ids) or ids.max() >= REGION_STEP:
        return ids
    return np.where(ids < 0, ids, ids + region * REGION_STEP)


def face_objects(surface: Surface, house: House) -> NDArray[np.int32]:
    """The object (F,) of each face. Raises InputError where segments and house do not belong together."""
    found: list[tuple[str, float, NDArray[np.int32]]] = []
    for path, ids in surface.numbered:
        owner, is_known = _owners(ids, house.segments)
        there = ids >= 0
        found.append((path, float(is_known[there].mean()) if there.any() else 0.0, owner))
    if not found:
        raise InputError(
            house.path, "its mesh says of no face which segment it is of: neither material_id nor .fsegs.json",
            "contradiction",
        )  # fmt: skip
    good = [item for item in found if item[1] >= FEWEST_KNOWN]
    if not good:
        path, known, _ = max(found, key=lambda item: item[1])
        raise InputError(
            path, f"{known:.0%} of its faces are of segments that {house.path} knows: of different houses, or "
            "numbered in another way", "contradiction",
        )  # fmt: skip
    for path, _, owner in good[1:]:
        alike = float((owner == good[0][2]).mean())
        if alike < SAME:
            raise InputError(
                path,
                f"gives {1 - alike:.0%} of the faces to other objects than {good[0][0]}",
                "contradiction",
            )
    return good[0][2]


def _owners(
    ids: NDArray[np.int64], segments: Mapping[int, int]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """The object of each face (F,), and whether its segment is known at all."""
    if not segments:
        return np.full(len(ids), NO_INSTANCE, np.int32), np.zeros(len(ids), np.bool_)
    known = np.array(sorted(segments), np.int64)
    owner = np.array([segments[int(segment)] for segment in known], np.int32)
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    is_known = known[place] == ids
    return np.where(is_known, owner[place], NO_INSTANCE).astype(np.int32), is_known


def check_boxes(path: str, boxes: Mapping[int, Box], mesh: Mesh, owners: NDArray[np.int32]) -> str:
    """What was found of boxes and the faces of their objects, in words; `owners` (F,) are the faces' objects. Raises
    InputError where they contradict.
    """
    shares, offsets = [], []
    for box, points in _objects(boxes, mesh, owners):
        local = (points - box.center) @ box.rotation
        low, high = bounds(local)
        radius = float(np.linalg.norm(box.size)) / 2
        shares.append(float(np.linalg.norm(high - low)) / 2 / radius)
        offsets.append(float(np.linalg.norm(high + low)) / 2 / radius)
    if len(shares) < CHECKED_OBJECTS:
        return "too few objects have faces to compare boxes with"
    share, offset = float(np.median(shares)), float(np.median(offsets))
    told = f"the middle object's faces reach {share:.2f} of its box's radii"
    if offset > ELSEWHERE:
        raise InputError(
            path, f"the middle object's faces lie {offset:.2f} of its box's radius away from it: boxes and mesh are "
            "of different houses", "contradiction",
        )  # fmt: skip
    if FULL[0] <= share <= FULL[1]:
        raise InputError(
            path,
            f"{told}: they are whole lengths, not half ones as documented; say so (box_radii)",
            "contradiction",
        )
    if not HALF[0] <= share <= HALF[1]:
        raise InputError(path, f"{told}: boxes and mesh contradict each other", "contradiction")
    return told


def _objects(boxes: Mapping[int, Box], mesh: Mesh, owners: NDArray[np.int32]) -> Iterator[tuple[Box, Float]]:
    """Boxes with the corners of their objects' faces (N, 3), of objects that have some."""
    order = np.argsort(owners, kind="stable")
    ids = sorted(boxes)
    # In the type of the owners, or all of these are converted.
    starts = np.searchsorted(owners[order], np.array(ids, owners.dtype))
    ends = np.searchsorted(owners[order], np.array(ids, owners.dtype), side="right")
    for instance, first, end in zip(ids, starts.tolist(), ends.tolist(), strict=True):
        if end - first >= CHECKED_FACES and boxes[instance].size.any():
            corners = np.unique(mesh.faces[order[first:end]])
            yield boxes[instance], mesh.vertices[corners].astype(np.float64)
