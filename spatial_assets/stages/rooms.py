"""The room of each scene that has a mesh: how large it is, how much of it the video shows, where one can walk."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import Field

from spatial_assets.geometry.footprint import TooLarge, face_points, gather_faces, vsibench_room_area
from spatial_assets.geometry.rooms import floor_level, free_floor, measure_footprint, walled_share
from spatial_assets.scene import parameters as base
from spatial_assets.scene import tables
from spatial_assets.scene.categories import is_structure
from spatial_assets.scene.frames import VIDEO, selections
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import Box, InputError, Mesh
from spatial_assets.scene.outputs import SceneOutputs, Tally
from spatial_assets.scene.rooms import write_free
from spatial_assets.scene.tables import ROOMS
from spatial_assets.stages.stage import Stage
from spatial_assets.storage import meshes, visible_faces

NAME = "rooms"
FLOOR = "floor"
DOOR = "door"
"""Doors stand open or shut: what their surfaces leave free is free, their box is not what one bumps into."""


class Parameters(base.Parameters):
    """How a room is measured."""

    cell: float = Field(0.05, gt=0, description="meters, edge of a cell of the free floor")
    spacing: float = Field(0.1, gt=0, description="meters between points of large faces, for the footprint")
    step_height: float = Field(0.1, description="meters above the floor; what is lower is walked over")
    head_height: float = Field(1.8, description="meters above the floor; what is higher is walked under")
    wall_height: float = Field(1.0, description="meters above the floor that a wall is higher than")
    wall_reach: float = Field(0.3, description="meters from the outline within which a wall stands")


def measure(inputs: SceneInputs, parameters: Parameters) -> SceneOutputs:
    if not inputs.file(meshes.KIND).exists():
        return SceneOutputs(tallies=[Tally("rooms", 0, 0)])
    mesh, owners = meshes.from_ply(inputs.file(meshes.KIND))
    if len(mesh.faces) == 0:
        return SceneOutputs(tallies=[Tally("rooms", 0, 0)])
    try:
        row = _measured(inputs, parameters, mesh, owners)
    except TooLarge as error:
        raise InputError(f"the mesh of {inputs.ref.name}", str(error), "scene_size") from None
    return SceneOutputs({ROOMS.name: [row]}, tallies=[Tally("rooms", 1, 1)])


def _measured(
    inputs: SceneInputs, parameters: Parameters, mesh: Mesh, owners: NDArray[np.int32]
) -> dict[str, Any]:
    objects = inputs.table(tables.OBJECTS)
    floors = [row["instance"] for row in objects.iter_rows(named=True) if row["category"] == FLOOR]
    faces = gather_faces(mesh.vertices, mesh.faces)
    points = face_points(faces, parameters.cell)
    level = floor_level(mesh.vertices, mesh.faces, np.isin(owners, floors))
    outline, area, area_low, area_high = measure_footprint(face_points(faces, parameters.spacing))
    boxes = [
        Box(np.array(row["center"]), np.array(row["size"]), np.array(row["rotation"]).reshape(3, 3))
        for row in objects.iter_rows(named=True)
        if not is_structure(row["category"]) and row["category"] != DOOR
    ]
    origin, free = free_floor(
        outline,
        points,
        boxes,
        level + parameters.step_height,
        level + parameters.head_height,
        parameters.cell,
    )
    bounds = np.zeros(4) if shapely.is_empty(outline) else np.array(shapely.bounds(outline))
    seen = faces.part(_seen_faces(inputs, len(mesh.faces)))
    seen_area = vsibench_room_area(face_points(seen, parameters.spacing))
    return {
        **inputs.which,
        "floor": level,
        "area": area,
        "area_low": area_low,
        "area_high": area_high,
        "seen_area": seen_area,
        "walled": walled_share(outline, points, level + parameters.wall_height, parameters.wall_reach),
        "low": bounds[:2].tolist(),
        "high": bounds[2:].tolist(),
        "cell": parameters.cell,
        "origin": origin.tolist(),
        "free": write_free(free),
    }


def _seen_faces(inputs: SceneInputs, count: int) -> NDArray[np.bool_]:
    """Which of the mesh's faces (count,) some frame of the video shows."""
    shown = np.zeros(count, np.bool_)
    if inputs.file(visible_faces.KIND).exists():
        faces_of = visible_faces.read_faces(inputs.file(visible_faces.KIND))
        for name in selections(inputs.table(tables.KEYFRAMES)).get(VIDEO, []):
            if name in faces_of:
                shown[faces_of[name]] = True
    return shown


STAGE = Stage(
    name=NAME,
    reads=(tables.OBJECTS, tables.KEYFRAMES, meshes.KIND, visible_faces.KIND),
    writes=(ROOMS,),
    parameters=lambda dataset: Parameters(),
    compute=measure,
    modules=lambda dataset: (__name__,),
    heavy=lambda dataset: True,
)
