"""How long the view sets of a scene take, in a room with many keyframes, and how that grows with their number.

python -m benchmarks view_sets
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.bars import Bar
from benchmarks.rooms import free_poses, intrinsics_for, make_room
from spatial_assets.geometry.box_fit import gravity_aligned_box
from spatial_assets.geometry.drawable import face_areas
from spatial_assets.geometry.instances import prepare_instances
from spatial_assets.geometry.overlap import overlap_matrices
from spatial_assets.geometry.rasterize import prepare_mesh
from spatial_assets.geometry.visibility import frame_visibility
from spatial_assets.scene import tables
from spatial_assets.scene.frames import KEYFRAMES
from spatial_assets.scene.model import Mesh
from spatial_assets.scene.refs import SceneRef
from spatial_assets.stages import view_sets
from spatial_assets.storage import meshes, visible_faces
from spatial_assets.storage.lake import conform

FACES, SIZE = 150_000, (640, 480)
NUMBERS = (86, 172, 345)
"""Places to look from; a seventh of the views show no object, and 300 keyframes of the last are left."""
WANTED_SECONDS = 0.2
"""For the most keyframes, one core."""
ROUNDS = 3


@dataclass(frozen=True)
class Room:
    """A scene as the stage is given it, without a lake."""

    folder: Path
    rows: dict[str, pl.DataFrame]
    which = {"dataset": "made", "release": "1", "scene": "room"}  # noqa: RUF012
    ref = SceneRef("room", "room")

    def file(self, kind: str) -> Path:
        return self.folder / kind

    def table(self, table: tables.Table) -> pl.DataFrame:
        return self.rows[table.name]


def make(folder: Path, count: int) -> Room:
    """A furnished room seen from `count` places."""
    made = make_room(FACES)
    # The shell is no object, as where a dataset annotates furniture alone.
    owners = made.face_instance - 1
    mesh = prepare_mesh(made.vertices, made.faces)
    instances = prepare_instances(mesh, owners)
    which = [pl.lit(value).alias(name) for name, value in Room.which.items()]
    names = [f"frame_{number:04d}" for number in range(count)]
    camera = intrinsics_for(*SIZE)
    faces = visible_faces.FacesFile()
    frames, visibility, seen = [], [], []
    for position, pose in enumerate(free_poses(made, count)):
        found = frame_visibility(mesh, instances, camera, pose, *SIZE)
        faces.add(names[position], found.visible_faces)
        seen.append(found.visible_faces)
        frames.append(
            {
                "frame": names[position], "position": position, "timestamp": None, "image": None,
                "width": SIZE[0], "height": SIZE[1], "intrinsics": camera.ravel().tolist(),
                "camera_to_world": np.linalg.inv(pose).ravel().tolist(),
            }
        )  # fmt: skip
        with np.errstate(divide="ignore", invalid="ignore"):
            occlusion = np.where(found.amodal_px > 0, 1.0 - found.visible_px / found.amodal_px, np.nan)
        visibility.append(
            pl.DataFrame(
                {
                    "frame": [names[position]] * len(found.instance), "instance": found.instance,
                    "visible_px": found.visible_px, "occlusion": occlusion, "truncation": found.truncation,
                }
            ).filter(pl.col("instance") >= 0)
        )  # fmt: skip
    folder.joinpath(visible_faces.KIND).write_bytes(faces.close())
    plain = Mesh(made.vertices.astype(np.float32), made.faces, None)
    folder.joinpath(meshes.KIND).write_bytes(meshes.to_ply(plain, owners))
    everything, objects = overlap_matrices(seen, face_areas(made.vertices, made.faces), owners)
    first, second = np.nonzero(np.triu(everything > 0, k=1))
    order = pl.Series(names)
    boxes = [
        gravity_aligned_box(made.vertices[made.faces[owners == number]].reshape(-1, 3))
        for number in range(owners.max() + 1)
    ]
    rows = {
        tables.FRAMES: pl.DataFrame(frames),
        tables.KEYFRAMES: pl.DataFrame(
            {"set": [KEYFRAMES] * count, "position": np.arange(count), "frame": names}
        ),
        tables.OBJECTS: pl.DataFrame(
            {
                "instance": np.arange(len(boxes)), "name": None, "category": "chair", "label": "chair", "nyu40": None,
                "center": [box.center.tolist() for box in boxes], "size": [box.size.tolist() for box in boxes],
                "rotation": [box.rotation.ravel().tolist() for box in boxes],
            }
        ),
        tables.VISIBILITY: pl.concat(visibility),
        tables.OVERLAP: pl.DataFrame(
            {
                "frame_a": order.gather(first), "frame_b": order.gather(second),
                "overlap": everything[first, second], "overlap_instances": objects[first, second],
            }
        ),
    }  # fmt: skip
    return Room(folder, {table.name: frame.with_columns(which) for table, frame in rows.items()})


def measure(count: int) -> dict[str, float]:
    """Seconds of one core, best of ROUNDS, and how many sets there are and are kept."""
    with tempfile.TemporaryDirectory() as folder:
        room = make(Path(folder), count)
        parameters = view_sets.Parameters()
        times = []
        for _ in range(ROUNDS + 1):
            begun = time.thread_time()
            outputs = view_sets.find(room, parameters)
            times.append(time.thread_time() - begun)
    kept = [conform(table, outputs.tables[table.name]).num_rows for table in view_sets.STAGE.writes]
    fit = {tally.format: (tally.candidates, tally.kept) for tally in outputs.tallies}
    return {
        "frames": fit["frames"][1],
        "seconds": min(times[1:]),
        "share": fit["pairs"][1] / fit["pairs"][0],
        "exist": sum(found for form, (found, _) in fit.items() if form.endswith("views")),
        "sets": kept[0],
        "rows": kept[1],
    }


def bars() -> Iterator[Bar]:
    found = run()
    most = found[-1]
    yield Bar(
        f"view sets of a scene of {most['frames']} keyframes, {most['exist']:,} sets",
        f"<= {WANTED_SECONDS:g} s of one core",
        f"{most['seconds']:.2f} s",
        most["seconds"] <= WANTED_SECONDS,
    )


def run() -> list[dict[str, float]]:
    """Measures and prints; returns the same as plain data."""
    found = [measure(count) for count in NUMBERS]
    for row in found:
        print(
            f"{row['frames']:4} keyframes: {row['seconds']:.3f} s; {row['share']:.0%} of the pairs fit, "
            f"{row['exist']:,} sets exist, {row['sets']} are kept, with {row['rows']:,} rows of objects"
        )
    return found
