"""Hypersim's files written by hand and read again, and some of its published cameras."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spatial_assets.readers import hypersim
from spatial_assets.scene.model import Scene
from spatial_assets.scene.refs import SceneRef
from spatial_assets.storage.instance_images import ImageArchive, pack

NAME = "ai_900_000"
REF = SceneRef(NAME, NAME)
LENSES = "metadata_camera_parameters.csv"
WIDE = [[1.7320507492870254, 0, 0], [0, 2.309400999049367, 0], [0, 0, -1]]
PUBLISHED: dict[str, tuple[float, list[list[float]]]] = {
    "ai_001_001": (0.02539999969303608, WIDE),
    "ai_018_006": (
        0.0010000000474974513,
        [
            [1.7243524236207985, 0, 0],
            [0, 2.309385791016131, 0],
            [0, -0.09410810733971398, -0.9955553704339546],
        ],
    ),
    "ai_019_007": (
        0.009999999776482582,
        [
            [1.719298426576977, 0, 0],
            [0, 2.2116640025388175, 0],
            [0.27307100697109077, -0.06799809309103695, -0.9675971546989806],
        ],
    ),
    "ai_021_002": (
        0.009999999776482582,
        [
            [1.6888752825391975, 0.004093252636162593, -0.057090042380612493],
            [0, 2.203037491520368, 0.761200839191837],
            [0, 0.068220878794232, -0.9515007276112399],
        ],
    ),
    "ai_037_002": (
        0.009999999776482582,
        [
            [1.7253062268275619, 0.001113868662274642, -0.11942983282195321],
            [0, 2.2985281393428907, 0.21231970279458348],
            [0, 0.009282239059762895, -0.9952486290951505],
        ],
    ),
    "ai_038_009": (
        0.009999999776482582,
        [
            [1.6423744827087494, -0.02965703238187774, -0.07268729302732303],
            [0, 2.266234394693633, -0.2422909496796161],
            [0, -0.3707129130595511, -0.9085911831501335],
        ],
    ),
    "ai_042_003": (
        0.009999999776482582,
        [
            [1.72002532214632, 0, 0],
            [-0.005992544206425192, 2.2442377933264748, -0.0260545395552921],
            [-0.2247204127638374, 0.07816361866587632, -0.9770452551621172],
        ],
    ),
}
"""Of some scenes, meters of an asset unit and the rows of M_proj that make x, y and w: without a tilt, tilted up,
sideways, shifted, and all together."""
RAYS_037_002 = [
    [0.579607251426182, 0, -0.06955286861651404],
    [0, 0.4346865334657201, 0.09273312506660672],
    [0, 0.004054126980668954, -1.003909173803896],
]
"""The published M_cam_from_uv of that scene."""


def lens_row(
    scene: str, unit: float, projection: Any, rays: Any, size: tuple[float, float]
) -> dict[str, Any]:
    """A row of the table of cameras."""
    row = {
        "scene_name": scene,
        "settings_output_img_height": float(size[1]),
        "settings_output_img_width": float(size[0]),
        "settings_units_info_meters_scale": unit,
        "camera_physical_white_balance": "Color(0.84, 0.92, 1)",
    }
    row |= {f"M_cam_from_uv_{i}{j}": rays[i][j] for i in range(3) for j in range(3)}
    depth = [0, 0, -1.002002002002002, -2.002002002002002]
    rows = [[*projection[0], 0], [*projection[1], 0], depth, [*projection[2], 0]]
    return row | {f"M_proj_{i}{j}": rows[i][j] for i in range(4) for j in range(4)}


def write_lenses(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def published_row(scene: str) -> dict[str, Any]:
    unit, projection = PUBLISHED[scene]
    return lens_row(scene, unit, projection, np.linalg.inv(projection).tolist(), (1024, 768))


def write_array(path: Path, values: Any, **more: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.create_dataset("dataset", data=np.asarray(values), **more)


def read(root: Path, ref: SceneRef = REF, **parameters: Any) -> Scene:
    assert ref in hypersim.find_scenes(root)
    assert all((root / file.path).is_file() for file in hypersim.source_files(root, ref))
    return hypersim.read_scene(
        root, ref, "v1", "terms", hypersim.Parameters(**{"depth_step": 1} | parameters)
    )


def archive(folder: Path, images: Any) -> ImageArchive:
    path = folder / f"{len(list(folder.iterdir()))}.zip"
    path.write_bytes(pack(images))
    return ImageArchive(path)
