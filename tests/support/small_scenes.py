"""A small whole scene in every layout that is read, for tests that read it many hundred times.

A reader of which nothing is said here is given what the studio writes for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tiny import CUBES, write_scannet

from spatial_assets.readers.registry import READERS
from spatial_assets.studio.write import write_scenes

FRAMES, SIZE, FACES = 6, (48, 36), 3000


def scannet(root: Path) -> None:
    write_scannet(root, frames=FRAMES)


def vsibench(root: Path) -> None:
    boxes: dict[str, list[dict[str, Any]]] = {}
    for cube in CUBES:
        box = {
            "centroid": cube.center,
            "axesLengths": cube.size,
            "normalizedAxes": np.eye(3).ravel().tolist(),
        }
        boxes.setdefault(cube.label, []).append(box)
    counts = {label: len(group) for label, group in boxes.items()}
    scene = {"room_size": 20.5, "object_counts": counts, "object_bbox": boxes}
    (root / "small_meta_info_val.json").write_text(json.dumps({"scene0000_00": scene}))


WRITERS: dict[str, Callable[[Path], None]] = {"scannet": scannet, "vsibench": vsibench}
PARAMETERS: dict[str, dict[str, Any]] = {
    "posed_rgbd": {"voxel": 0.1},
    "structured3d": {"depth_step": 1},
    "hypersim": {"depth_step": 1},
}
"""What makes reading quick."""
READ_AS = {"scannet_sens": "scannet", "scannetpp_fisheye": "scannetpp", "arkitscenes_raw": "arkitscenes"}
"""Layouts in which a dataset comes beside the one that has its reader's name."""
LAYOUTS = (*READERS, *READ_AS)


def write_small(root: Path, layout: str) -> None:
    """One scene."""
    root.mkdir(parents=True, exist_ok=True)
    if layout in WRITERS:
        WRITERS[layout](root)
    else:
        write_scenes(root, layout, 1, 9, FACES, FRAMES, SIZE)
