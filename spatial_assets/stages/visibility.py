"""Which pixels of which frame show which object, exactly, for every frame set of a scene in one pass.

Keyframes and the 32-frame video get every column; frames that only the dense video has get visible
pixels alone. Beside the table stands, per scene, which faces own a pixel in each frame of the first two.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import Field

from spatial_assets import meshes, tables
from spatial_assets import parameters as base
from spatial_assets.geometry import (
    FrameVisibility,
    PreparedInstances,
    PreparedMesh,
    frame_visibility,
    prepare_instances,
    prepare_mesh,
)
from spatial_assets.geometry.cameras import project
from spatial_assets.scene import Float
from spatial_assets.stage import SceneInputs, SceneOutputs, Stage, Tally
from spatial_assets.stages.framing import View, frame_sets, views
from spatial_assets.stages.keyframes import KEYFRAMES, VIDEO

NAME = "visibility"
FACES_KIND = "visible_faces.parquet"
"""Folder and suffix of the file of visible faces: frame, and the ids of the faces that own a pixel."""


class Parameters(base.Parameters):
    """How frames are rendered."""

    near: float = Field(0.05, gt=0, description="metres; nothing nearer to the camera is seen")


def see(inputs: SceneInputs, parameters: Parameters) -> SceneOutputs:
    if not inputs.file(meshes.KIND).exists():
        return SceneOutputs(tallies=[Tally("frames", 0, 0)])
    mesh, owners = meshes.from_ply(inputs.file(meshes.KIND))
    prepared = prepare_mesh(mesh.vertices, mesh.faces)
    instances = prepare_instances(prepared, owners)
    cameras = views(inputs.table(tables.FRAMES))
    sets = frame_sets(inputs.table(tables.KEYFRAMES))
    full = set(sets.get(KEYFRAMES, [])) | set(sets.get(VIDEO, []))
    wanted = [name for name in cameras if any(name in chosen for chosen in map(set, sets.values()))]
    centres = {
        row["instance"]: np.array(row["centre"]) for row in inputs.table(tables.OBJECTS).iter_rows(named=True)
    }

    def render(name: str) -> tuple[list[dict[str, Any]], NDArray[np.int32]]:
        seen = _look(prepared, instances, cameras[name], parameters.near, amodal=name in full)
        return _rows(inputs.which, cameras[name], centres, seen, name in full), seen.visible_faces

    rows: list[dict[str, Any]] = []
    faces: dict[str, NDArray[np.int32]] = {}
    with ThreadPoolExecutor(inputs.threads) as pool:
        for name, (seen_rows, seen_faces) in zip(wanted, pool.map(render, wanted), strict=True):
            rows += seen_rows
            if name in full:
                faces[name] = seen_faces
    return SceneOutputs(
        {tables.VISIBILITY.name: rows},
        files={FACES_KIND: faces_to_parquet(faces)},
        tallies=[Tally("frames", len(wanted), len(wanted))],
    )


def _look(
    prepared: PreparedMesh, instances: PreparedInstances, view: View, near: float, amodal: bool
) -> FrameVisibility:
    return frame_visibility(
        prepared, instances, view.intrinsics, view.world_to_camera, view.width, view.height, near, amodal
    )


def _rows(
    which: dict[str, str], view: View, centres: dict[int, Float], seen: FrameVisibility, full: bool
) -> list[dict[str, Any]]:
    rows = []
    for i, instance in enumerate(seen.instance.tolist()):
        if instance not in centres:
            continue
        row: dict[str, Any] = dict.fromkeys(tables.VISIBILITY.schema.names)
        visible = int(seen.visible_px[i])
        row.update(which, frame=view.frame, instance=instance, visible_px=visible)
        if full:
            row.update(_full_columns(view, centres[instance], seen, i, visible))
        if full or visible:
            rows.append(row)
    return rows


def _full_columns(view: View, centre: Float, seen: FrameVisibility, i: int, visible: int) -> dict[str, Any]:
    amodal = int(seen.amodal_px[i])
    pixels, depths = project(centre[None], view.intrinsics, view.world_to_camera)
    return {
        "amodal_px": amodal,
        "occlusion": 1.0 - visible / amodal if amodal else None,
        "truncation": float(seen.truncation[i]),
        "visible_vertex_fraction": float(seen.visible_vertex_fraction[i]),
        "box": seen.box[i].tolist() if visible else None,
        "amodal_box": seen.amodal_box[i].tolist() if amodal else None,
        "centre": pixels[0].tolist() if depths[0] > 0 else None,
        "centre_depth": float(depths[0]),
        "centre_distance": float(np.linalg.norm(centre - view.camera_to_world[:3, 3])),
        "depth_min": float(seen.depth_min[i]) if visible else None,
        "depth_max": float(seen.depth_max[i]) if visible else None,
        "marker": seen.marker[i].tolist() if visible else None,
        "marker_radius": float(seen.marker_radius[i]) if visible else None,
    }


FACES_SCHEMA = pa.schema([("frame", pa.string()), ("faces", pa.list_(pa.int32()))])


def faces_to_parquet(faces: dict[str, NDArray[np.int32]]) -> bytes:
    """Ascending face ids by frame, as the bytes of a Parquet file; delta encoding makes them small."""
    table = pa.table(_columns(faces), schema=FACES_SCHEMA)
    buffer = io.BytesIO()
    pq.write_table(
        table,
        buffer,
        compression="zstd",
        use_dictionary=False,
        write_statistics=False,
        column_encoding={"frame": "PLAIN", "faces.list.element": "DELTA_BINARY_PACKED"},
    )
    return buffer.getvalue()


def _columns(faces: dict[str, NDArray[np.int32]]) -> list[pa.Array]:
    lengths = [len(ids) for ids in faces.values()]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    flat = np.concatenate([np.zeros(0, np.int32), *faces.values()])
    return [pa.array(list(faces), pa.string()), pa.ListArray.from_arrays(offsets, pa.array(flat, pa.int32()))]


def faces_from_parquet(data: Any) -> dict[str, NDArray[np.int32]]:
    """What `faces_to_parquet` wrote, from a path or a file object."""
    table = pq.read_table(data, partitioning=None)
    lists = table.column("faces").combine_chunks()
    flat, offsets = lists.values.to_numpy(), lists.offsets.to_numpy()
    names = table.column("frame").to_pylist()
    return {name: flat[offsets[i] : offsets[i + 1]] for i, name in enumerate(names)}


STAGE = Stage(
    name=NAME,
    reads=(tables.FRAMES, tables.KEYFRAMES, tables.OBJECTS, meshes.KIND),
    writes=(tables.VISIBILITY,),
    files=(FACES_KIND,),
    parameters=lambda dataset: Parameters(),
    compute=see,
    modules=lambda dataset: (__name__,),
)
