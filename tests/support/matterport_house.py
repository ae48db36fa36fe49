"""A house in Matterport3D's layout whose every number can be worked out on paper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spatial_assets.readers import matterport3d
from spatial_assets.scene.model import Scene

SCAN = "Ab3dEfgHijK"
PANORAMAS = ("a" * 32, "b" * 32, "c" * 32)
OPENGL = "1 0 0 0.05 0 0 -1 0 0 1 0 1.5 0 0 0 1"
"""A camera at (0.05, 0, 1.5) that looks along +y, held level: its -z is the world's y, its y the world's z."""
LEVEL = [[1, 0, 0, 0.05], [0, 0, 1, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]
"""The same for a camera that looks along z with y down."""
POSITIONS = ((0.0, 0.0, 1.5), (0.0, 2.0, 1.5), (2.0, 2.0, 1.5))
"""Two meters ahead, then two to the right."""
HOUSE = f"""ASCII 1.1
H {SCAN} - 2 3 4 1 2 3 2 2 0 1 0 0 0 0 0 -3 -3 0 5 5 3 0 0 0 0 0
L 0 2 - 0 0 0 -3 -3 0 5 5 3 0 0 0 0 0
R 0 0 0 0 b 0 0 0 -3 -3 0 3 3 2.5 2.5 0 0 0 0
R 1 0 0 0 k 4 0 0 3 -3 0 5 3 2.5 2.5 0 0 0 0
S 0 0 0 - 0 0 0 0 0 1 -3 -3 0 3 3 0 0 0 0 0 0
V 0 0 - -3 -3 0 0 0 1 0 0 0
V 1 0 - 3 -3 0 0 0 1 0 0 0
V 2 0 - 3 3 0 0 0 1 0 0 0
V 3 0 - -3 3 0 0 0 1 0 0 0
P {PANORAMAS[0]} 0 0 0 0 0 1.5 0 0 0 0 0
P {PANORAMAS[1]} 1 0 0 0 2 1.5 0 0 0 0 0
P {PANORAMAS[2]} 2 -1 0 2 2 1.5 0 0 0 0 0
I 0 0 {PANORAMAS[0]} 1 0 1 0 0 0 0 0 1 -1.5 0 -1 0 0 0 0 0 1 50 0 31 0 51 20 0 0 1 64 48 0 0 1.5 0 0 0 0 0
I 1 0 {PANORAMAS[0]} 1 1 1 0 0 0 0 0 1 -1.5 0 -1 0 0 0 0 0 1 50 0 31 0 51 20 0 0 1 64 48 0 0 1.5 0 0 0 0 0
C 0 11 coffe#table 5 table 0 0 0 0 0
C 1 1658 remove 0 void 0 0 0 0 0
O 0 0 0 0 1 0.5 0 1 0 -1 0 0 1 0.5 0.5 0 0 0 0 0 0 0 0
O 1 0 1 2 2 1 1 0 0 0 1 0 0.1 0.2 0.3 0 0 0 0 0 0 0 0
O 2 -1 -1 0 0 0 1 0 0 0 1 0 -1 -1 -1 0 0 0 0 0 0 0 0
E 0 0 7 1 0 1 0.5 -1 0 0 1 2 1 0 0 0 0 0
E 1 1 9 1 2 2 1 1 1 1 3 3 2 0 0 0 0 0
"""
"""A bedroom with a table, 2 m long along +y, 1 m along x and 1 m high, and what was to be removed."""
MAPPING = (
    "index\traw_category\tcategory\tmpcat40index\tmpcat40\r\n11\tcoffe table\tcoffee table\t5\ttable\r\n"
)
CORNERS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (0.0, 2.0) for z in (0.0, 1.0)])
"""Of the table."""
SIDES = (
    (0, 1, 2), (1, 3, 2), (4, 6, 5), (5, 6, 7), (0, 4, 1), (1, 4, 5), (2, 3, 6), (3, 7, 6), (0, 2, 4), (2, 6, 4),
    (1, 5, 3), (3, 5, 7),
)  # fmt: skip


def mesh(segments: list[int], named: str | None = "material_id", floor: int = -1) -> bytes:
    """The table's twelve faces, two by two of a segment, and two of a floor that nobody annotated."""
    points = np.concatenate([CORNERS, [[-3, -3, 0], [3, -3, 0], [3, 3, 0], [-3, 3, 0]]])
    faces = [*SIDES, (8, 9, 10), (8, 10, 11)]
    ids = [*(segments * 12)[:12], floor, floor]
    lines = ["ply", "format ascii 1.0", f"element vertex {len(points)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    lines += [f"property int {named}"] if named else []
    lines.append("end_header")
    lines += [" ".join(map(str, point)) for point in points.tolist()]
    lines += [
        " ".join(map(str, (3, *face, *((own,) if named else ()))))
        for face, own in zip(faces, ids, strict=True)
    ]
    return ("\n".join(lines) + "\n").encode()


def graph() -> list[dict[str, Any]]:
    """Three viewpoints in a row, and a fourth that is no part of the graph."""
    joined = {(0, 1), (1, 2)}
    found = []
    for i, position in enumerate([*POSITIONS, (9.0, 9.0, 1.0)]):
        x, y, z = position
        found.append(
            {
                "image_id": (*PANORAMAS, "d" * 32)[i],
                "pose": [1, 0, 0, x, 0, 0, 1, y, 0, -1, 0, z, 0, 0, 0, 1],
                "included": i < 3,
                "visible": [i != j for j in range(4)],
                "unobstructed": [(min(i, j), max(i, j)) in joined for j in range(4)],
                "height": 1.5,
            }
        )
    return found


def r2r(**changes: Any) -> dict[str, Any]:
    """From the first viewpoint to the last, 4 m."""
    return {
        "scan": SCAN,
        "path_id": 12,
        "path": list(PANORAMAS),
        "heading": 3.142,
        "distance": 4.0,
        "instructions": ["Turn around and walk to the table. ", "Go to the\ncorner."],
        **changes,
    }


def write_json(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


def write_house(root: Path) -> Path:
    """Everything of it; the scan's folder."""
    folder = root / "v1/scans" / SCAN
    for part in ("house_segmentations", "undistorted_camera_parameters", "undistorted_color_images"):
        (folder / part).mkdir(parents=True)
    (folder / f"house_segmentations/{SCAN}.house").write_text(HOUSE)
    (folder / f"house_segmentations/{SCAN}.ply").write_bytes(mesh([7]))
    write_json(folder / f"house_segmentations/{SCAN}.fsegs.json", {"segIndices": [7] * 12 + [-1, -1]})
    shots = [f"{PANORAMAS[0]}_{{}}1_{yaw}" for yaw in range(4)]
    matrices = [OPENGL, OPENGL.replace("1.5", "1.6"), " ".join(["nan"] * 16), OPENGL]
    (folder / f"undistorted_camera_parameters/{SCAN}.conf").write_text(
        "dataset matterport\nn_images 4\ndepth_directory undistorted_depth_images\n"
        "color_directory undistorted_color_images\n\nintrinsics_matrix 50 0 31  0 51 20  0 0 1\n"
        + "".join(
            f"scan {shot.format('d')}.png {shot.format('i')}.jpg {matrix}\n"
            for shot, matrix in zip(shots, matrices, strict=True)
        )
    )
    for yaw in range(3):
        Image.new("RGB", (64, 48)).save(folder / f"undistorted_color_images/{PANORAMAS[0]}_i1_{yaw}.jpg")
    (root / "category_mapping.tsv").write_bytes(MAPPING.encode())
    write_json(root / f"connectivity/{SCAN}_connectivity.json", graph())
    write_json(root / "R2R_val_seen.json", [r2r()])
    return folder


def read(root: Path, **parameters: Any) -> Scene:
    """The one scene below a folder."""
    (ref,) = matterport3d.find_scenes(root)
    assert all((root / file.path).is_file() for file in matterport3d.source_files(root, ref))
    return matterport3d.read_scene(root, ref, "v1", "terms", matterport3d.Parameters(**parameters))
