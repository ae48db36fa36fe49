"""A home's mesh annotated as ScanNet's and ScanNet++'s are: segments of vertices, and objects made of segments."""

from __future__ import annotations

from typing import Any

import numpy as np

from spatial_assets.studio.scene import StudioScene


def annotation(scene: StudioScene) -> tuple[list[int], list[dict[str, Any]]]:
    """The segment of every vertex, named after its first vertex as the segmentator does, and the objects."""
    _, first, inverse = np.unique(scene.mesh.patch, return_index=True, return_inverse=True)
    segments = first[inverse]
    groups = [
        {
            "id": k,
            "objectId": thing.instance,
            "segments": np.unique(segments[scene.mesh.owner == thing.body]).tolist(),
            "label": thing.category,
        }
        for k, thing in enumerate(scene.objects)
    ]
    return segments.tolist(), groups
