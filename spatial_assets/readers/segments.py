"""Objects as ScanNet and ScanNet++ annotate a mesh: segments of its vertices, and objects made of segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.box_fit import gravity_aligned_box
from spatial_assets.readers import files, label_map, labels
from spatial_assets.scene.categories import canonical
from spatial_assets.scene.model import NO_INSTANCE, InputError, Instance, Mesh


@dataclass(frozen=True)
class Annotated:
    """What is annotated on a mesh of V vertices."""

    path: str
    """Where the objects stand."""
    labels: dict[int, str]
    """Of every object, by its id."""
    segments: dict[int, NDArray[np.int64]]
    """Of every object, by its id, the segments that it is made of. Objects may share some."""
    indices: NDArray[np.int64]
    """(V,), the segment of every vertex."""

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Vertices by their segments, and these."""
        order = np.argsort(self.indices, kind="stable")
        return order, self.indices[order]

    def _stretches(self, instance: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the vertices of an object's segments begin and end among the sorted ones."""
        own = np.unique(self.segments[instance])
        held = self._sorted[1]
        return np.searchsorted(held, own), np.searchsorted(held, own, side="right")

    def count(self, instance: int) -> int:
        """Vertices of an object."""
        first, end = self._stretches(instance)
        return int((end - first).sum())

    def vertices(self, instance: int) -> NDArray[np.int64]:
        """An object's vertices (N,), ascending; found anew each time, since those of all may be many times the mesh."""
        first, end = self._stretches(instance)
        sizes = end - first
        steps = np.repeat(first - np.cumsum(sizes) + sizes, sizes)
        return np.sort(self._sorted[0][np.arange(len(steps)) + steps])

    @cached_property
    def owners(self) -> NDArray[np.int32]:
        """(V,), the object of every vertex: of several that claim it, the one with the fewest vertices."""
        owner = np.full(len(self.indices), NO_INSTANCE, np.int32)
        # The last to be written wins; of equals, the one with the smallest id.
        for instance in sorted(self.segments, key=lambda it: (-self.count(it), -it)):
            owner[self.vertices(instance)] = instance
        return owner

    def instances(
        self, mesh: Mesh, whole: bool, classes: Mapping[str, str | None] | None = None
    ) -> list[Instance]:
        """Objects that have vertices, with boxes of them; of all their vertices, or of those that they own.

        `classes` are those of a map of labels, by word.
        Raises InputError where there is none.
        """
        # The vertices that each owns, in the mesh's order, by one sort in place of a comparison for each.
        order = np.argsort(self.owners, kind="stable")
        owners = self.owners[order]
        found = []
        for instance, label in sorted(self.labels.items()):
            first, end = np.searchsorted(owners, [instance, instance + 1])
            own = mesh.vertices[self.vertices(instance) if whole else order[first:end]]
            if len(own):
                box = gravity_aligned_box(own)
                kind = label_map.class_of(classes or {}, label)
                found.append(Instance(instance, label, canonical(label), box, str(instance), kind))
        if not found:
            raise InputError(self.path, "no object has a vertex", "no_objects")
        return found


def read_annotated(root: Path, segments: str, aggregation: str, vertex_count: int) -> Annotated:
    """From the file of segments and that of objects. Raises InputError for what does not fit the mesh."""
    content = files.read_json(root, segments)
    if not isinstance(content, dict) or "segIndices" not in content:
        raise InputError(segments, "no list of segIndices", "malformed_file")
    indices = labels.integers(segments, content["segIndices"], "segIndices")
    if len(indices) != vertex_count:
        raise InputError(
            segments, f"{len(indices)} segIndices for a mesh of {vertex_count} vertices", "contradiction"
        )
    groups = read_groups(root, aggregation)
    return Annotated(
        aggregation,
        {instance: label for instance, label, _ in groups},
        {instance: own for instance, _, own in groups},
        indices,
    )


def read_groups(root: Path, path: str) -> list[tuple[int, str, NDArray[np.int64]]]:
    """Id, label and segments (N,) of every object."""
    content = files.read_json(root, path)
    if not isinstance(content, dict) or not isinstance(content.get("segGroups"), list):
        raise InputError(path, "no list of segGroups", "malformed_file")
    found: dict[int, tuple[int, str, NDArray[np.int64]]] = {}
    for number, group in enumerate(content["segGroups"]):
        where = f"segGroups[{number}]"
        missing = [
            key for key in ("objectId", "label", "segments") if key not in labels.entry(path, group, where)
        ]
        if missing:
            raise InputError(path, f"{where} lacks its {missing[0]}", "malformed_file")
        instance = labels.instance_id(path, group["objectId"], f"objectId of {where}")
        if instance in found:
            raise InputError(
                path, f"two objects share an objectId: {instance}, in {where} too", "contradiction"
            )
        segments = labels.integers(path, group["segments"], f"segments of {where}")
        found[instance] = instance, labels.word(group["label"]), segments
    if not found:
        raise InputError(path, "no objects are annotated", "no_objects")
    return list(found.values())


def face_labels(faces: NDArray[np.int32], vertex_instance: NDArray[np.int32]) -> NDArray[np.int32]:
    """The label that at least two vertices of a face carry, else NO_INSTANCE. Shapes (F, 3), (V,) -> (F,)."""
    a, b, c = vertex_instance[faces].T
    return np.where(a == b, a, np.where((a == c) | (b == c), c, NO_INSTANCE)).astype(np.int32)
