"""The objects of one scene as arrays, in the order of their identities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from spatial_assets.geometry.boxes import CORNER_SIGNS, box_distance_matrix, box_overlap_matrix
from spatial_assets.scene.categories import canonical, is_structure, meanings
from spatial_assets.scene.model import Box, Float
from spatial_assets.tasks.core.arrays import Bools, Indices, floats_of
from spatial_assets.tasks.core.draws import Hashes, hash_name, mix_columns


@dataclass(frozen=True)
class Objects:
    """All objects with a box, the building's own parts included."""

    instances: NDArray[np.int32]
    """(O,), the source's own ids."""
    categories: tuple[str, ...]
    labels: tuple[str, ...]
    centers: Float
    """(O, 3), meters, world."""
    sizes: Float
    """(O, 3), full edge lengths, meters."""
    rotations: Float
    """(O, 3, 3), columns are the box's axes."""
    identities: Hashes
    """(O,), of the source's own names, ascending."""
    by_label: bool = False
    """Whether questions call them by their labels."""

    def __len__(self) -> int:
        return len(self.instances)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """(O,), what each is called in a question."""
        if not self.by_label:
            return self.categories
        return tuple(
            " ".join(label.split()) or word for label, word in zip(self.labels, self.categories, strict=True)
        )

    def find(self, instances: NDArray[np.integer]) -> Indices:
        """(N,), the places of the objects with these ids, (N,); -1 where there is none."""
        if len(self) == 0:
            return np.full(len(instances), -1)
        ascending = np.argsort(self.instances)
        found = np.searchsorted(self.instances, instances, sorter=ascending)
        places = ascending[np.minimum(found, len(self) - 1)]
        return np.where(self.instances[places] == instances, places, -1)

    def places(self, instances: NDArray[np.integer]) -> Indices:
        """(N,), the places of the objects with these ids, (N,); ValueError if the scene has not all of them."""
        places = self.find(instances)
        unknown = np.unique(instances[places < 0])
        if len(unknown):
            raise ValueError(
                f"the scene's objects have no instance {', '.join(map(str, unknown[:5].tolist()))}"
            )
        return places

    def named(self, roles: Sequence[tuple[str, int]]) -> dict[str, str]:
        """What each object is called, by its role."""
        return {role: self.words[place] for role, place in roles}

    @cached_property
    def structure(self) -> Bools:
        """(O,), which are part of the building and so never asked about."""
        return np.array([is_structure(word) for word in self.categories], np.bool_)

    @cached_property
    def boxes(self) -> list[Box]:
        return [Box(*parts) for parts in zip(self.centers, self.sizes, self.rotations, strict=True)]

    @cached_property
    def corners(self) -> Float:
        """(O, 8, 3), meters."""
        reach = CORNER_SIGNS[None] * self.sizes[:, None] / 2
        corners: Float = self.centers[:, None] + np.einsum("oij,ocj->oci", self.rotations, reach)
        return corners

    @cached_property
    def may_mean(self) -> Bools:
        """(O, O): whether what the first is called may be taken for the second; true of each object itself."""
        found = _may_mean(self.categories)
        if self.by_label:
            # A label is as narrow or as wide as its source has it, and its category says what else it is a word for.
            found = found | _may_mean(tuple(map(canonical, self.words)))
        return found

    @cached_property
    def overlap(self) -> Bools:
        """(O, O), whether two boxes touch or overlap in space."""
        return box_overlap_matrix(self.boxes)

    @cached_property
    def distances(self) -> Float:
        """(O, O), meters between the nearest points of two solid boxes."""
        return box_distance_matrix(self.boxes)

    @cached_property
    def center_distances(self) -> Float:
        """(O, O), meters between the boxes' centers."""
        distances: Float = np.linalg.norm(self.centers[:, None] - self.centers[None], axis=2)
        return distances


def _may_mean(words: Sequence[str]) -> Bools:
    """(O, O): whether the first's word may be taken for the second's."""
    wider = {word: meanings(word) for word in set(words)}
    found = [[word in wider[other] for other in words] for word in words]
    return np.array(found, np.bool_).reshape(len(words), len(words))


def objects_of(rows: pl.DataFrame) -> Objects:
    """Of a scene's rows of the object table."""
    # By their ids first: of equal ones without a name that is all that parts them.
    rows = rows.sort("instance")
    identities = _identities(rows["name"].to_list(), rows["category"].to_list(), _placed(rows))
    order = np.argsort(identities, kind="stable")
    rows = rows[order]
    centers, sizes, rotations = map(np.ascontiguousarray, np.split(_placed(rows), [3, 6], axis=1))
    return Objects(
        rows["instance"].to_numpy(),
        tuple(rows["category"].to_list()),
        tuple(rows["label"].to_list()),
        centers,
        sizes,
        rotations.reshape(-1, 3, 3),
        identities[order],
    )


def _placed(objects: pl.DataFrame) -> Float:
    """(O, 15), of each row center, size and the rotation's nine numbers."""
    lists = (("center", 3), ("size", 3), ("rotation", 9))
    return np.concatenate([floats_of(objects[name], len(objects), width) for name, width in lists], axis=1)


def _identities(names: Sequence[str | None], categories: Sequence[str], boxes: Float) -> Hashes:
    """Of each object a hash of the source's own name or, where it gives none, of category and box.

    Objects that are equal in both share their hash; their order among each other parts them, which is all that tells
    them apart.
    """
    # A negative zero is a zero.
    bytes_of = np.ascontiguousarray(boxes + 0.0).view(np.uint64)
    words = np.array([hash_name("category", word) for word in categories], np.uint64)
    shared = mix_columns(words, bytes_of) if len(words) else words
    seen: Counter[int] = Counter()
    found = []
    for name, box in zip(names, shared.tolist(), strict=True):
        if name is not None:
            found.append(hash_name("object", name))
        else:
            found.append(hash_name("unnamed", str(box), str(seen[box])))
            seen[box] += 1
    return np.array(found, np.uint64)
