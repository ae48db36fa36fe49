"""Objects made of segments: their vertices are those that a comparison with every vertex finds, and cost no more."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np

from spatial_assets.readers.segments import read_annotated
from spatial_assets.scene.model import NO_INSTANCE

VERTICES, SEGMENTS, OBJECTS = 20_000, 500, 1_500


def write(root: Path, indices: list[int], groups: list[list[int]]) -> None:
    (root / "segments.json").write_text(json.dumps({"segIndices": indices}))
    listed = [{"objectId": 3 * i, "label": "chair", "segments": own} for i, own in enumerate(groups)]
    (root / "objects.json").write_text(json.dumps({"segGroups": listed}))


def test_objects_that_share_segments_and_name_some_twice(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    indices = rng.integers(-3, 40, 300)
    groups = [rng.integers(-5, 45, rng.integers(0, 12)).tolist() for _ in range(30)]
    write(tmp_path, indices.tolist(), groups)
    found = read_annotated(tmp_path, "segments.json", "objects.json", 300)
    owners = np.full(300, NO_INSTANCE)
    members = {3 * i: np.isin(indices, own) for i, own in enumerate(groups)}
    for instance in sorted(members, key=lambda it: (-members[it].sum(), -it)):
        owners[members[instance]] = instance
    for instance, own in members.items():
        assert found.vertices(instance).tolist() == np.flatnonzero(own).tolist()
        assert found.count(instance) == own.sum()
    assert found.owners.tolist() == owners.tolist()


def test_many_objects_take_no_mask_of_the_mesh_each(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    indices = rng.integers(0, SEGMENTS, VERTICES).tolist()
    write(tmp_path, indices, [[i % SEGMENTS] for i in range(OBJECTS)])
    tracemalloc.start()
    try:
        found = read_annotated(tmp_path, "segments.json", "objects.json", VERTICES)
        assert (found.owners != NO_INSTANCE).all()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < OBJECTS * VERTICES / 2
