"""The sets of frames of a scene that models are shown: spread evenly, or chosen for what they show.

All are taken from the frames of which the visibility table knows everything, the keyframes and those of the 32-frame
video, so that nothing is rendered again and what they show is known to the pixel. What is spread evenly takes, for
each even position, the nearest of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from spatial_assets.geometry.frame_sets import (
    Faces,
    Plan,
    coarse_share,
    evenly_among,
    faces_of,
    seen_faces,
)
from spatial_assets.geometry.space_aware import (
    Seen,
    choose,
    choose_as_released,
    grid_of,
    seen_voxels,
    seen_voxels_of,
)
from spatial_assets.scene import tables
from spatial_assets.scene.frame_set_tables import FRAME_SETS, FRAME_SETS_SHOWN
from spatial_assets.scene.frames import ALL, KEYFRAMES, SPACE_AWARE, UNIFORM, VIDEO, View, selections, views
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import Float, InputError
from spatial_assets.scene.outputs import Reject, SceneOutputs, Tally
from spatial_assets.stages import space_aware
from spatial_assets.stages.stage import Stage
from spatial_assets.storage import instance_images, meshes, visible_faces
from spatial_assets.tasks.core.draws import hash_name

NAME = "frame_sets"
OFFICIAL = "official"
SOME = 4
"""Of so many faces that a frame shows one is looked at to tell how large the place is."""


class Parameters(space_aware.Parameters):
    """Which frames are chosen, and what counts as shown."""

    max_coarse: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of the surface on faces longer than a voxel, above which frames are looked at by drawing "
        "the mesh: what a face's center says of it holds for small ones",
    )
    cell: float = Field(
        0.25, gt=0, description="meters, of the plan on which frames show surfaces; alpha shapes bridge 0.4"
    )


@dataclass(frozen=True)
class Chosen:
    """A set: places among the pool's frames, ascending, and what each added."""

    places: NDArray[np.int64]
    gains: Sequence[int | None]
    voxels: int | None = None


class Looks(NamedTuple):
    """What the frames of the pool see of the mesh."""

    faces: Faces
    of: Mapping[str, NDArray[np.int32]]
    """Faces that own a pixel, by frame."""


def choose_sets(inputs: SceneInputs, parameters: Parameters) -> SceneOutputs:
    frames = inputs.table(tables.FRAMES)
    sets = selections(inputs.table(tables.KEYFRAMES))
    pool = list(views(frames, {*sets.get(KEYFRAMES, ()), *sets.get(VIDEO, ())}).values())
    total = len(UNIFORM) + len(SPACE_AWARE) + 1
    if not pool:
        rejects = [Reject("no_frames", "the scene has no frames", total, "sets")]
        return SceneOutputs(rejects=rejects, tallies=[Tally("sets", total, 0)])
    positions = np.array([view.position for view in pool], np.int64)
    found: dict[str, Chosen] = {
        name: _unseen(evenly_among(positions, len(frames), count)) for name, count in UNIFORM.items()
    }
    found[ALL] = _unseen(np.arange(len(pool)))
    looks = _looks(inputs)
    rejects = []
    try:
        found |= _space_aware(inputs, parameters, pool, positions, len(frames), looks)
    except InputError as error:
        if error.reason != "no_geometry":
            raise
        rejects = [Reject(error.reason, error.what, len(SPACE_AWARE), "sets")]
    rows = [
        {**inputs.which, "name": name, "ordinal": ordinal, "frame": pool[place].frame, "gain": gain}
        for name, chosen in found.items()
        for ordinal, (place, gain) in enumerate(zip(chosen.places.tolist(), chosen.gains, strict=True))
    ]
    return SceneOutputs(
        {FRAME_SETS.name: rows, FRAME_SETS_SHOWN.name: _shown(inputs, parameters, pool, found, looks)},
        rejects=rejects,
        tallies=[Tally("sets", total, len(found))],
    )


def _unseen(places: NDArray[np.int64]) -> Chosen:
    return Chosen(places, [None] * len(places))


def _looks(inputs: SceneInputs) -> Looks | None:
    """None for a scene without a mesh that was rendered."""
    if not inputs.file(meshes.KIND).exists() or not inputs.file(visible_faces.KIND).exists():
        return None
    mesh, _ = meshes.from_ply(inputs.file(meshes.KIND))
    return Looks(
        faces_of(mesh.vertices, mesh.faces), visible_faces.read_faces(inputs.file(visible_faces.KIND))
    )


def _space_aware(
    inputs: SceneInputs,
    parameters: Parameters,
    pool: Sequence[View],
    positions: NDArray[np.int64],
    count: int,
    looks: Looks | None,
) -> dict[str, Chosen]:
    """Raises InputError where nothing says what the frames see."""
    places = evenly_among(positions, count, parameters.candidates)
    candidates = [pool[place] for place in places.tolist()]
    if parameters.rule == OFFICIAL:
        points, _ = space_aware.own_points(inputs, parameters, candidates)
        return {
            name: _unseen(places[choose_as_released(points, wanted)]) for name, wanted in SPACE_AWARE.items()
        }
    seen = _seen(inputs, parameters, candidates, looks)
    names = inputs.which.values()
    identities = np.array([hash_name(*names, view.frame) for view in candidates], np.uint64)
    # Each is taken after those before it, whatever the number: the smaller sets begin the largest.
    taken = choose(seen, identities, min(max(SPACE_AWARE.values()), len(candidates)))
    found: dict[str, Chosen] = {}
    for name, wanted in SPACE_AWARE.items():
        frames, gains = taken.frames[:wanted], taken.gains[:wanted]
        order = np.argsort(frames)
        found[name] = Chosen(places[frames[order]], gains[order].tolist(), int(gains.sum()))
    return found


def _seen(
    inputs: SceneInputs, parameters: Parameters, candidates: Sequence[View], looks: Looks | None
) -> Seen:
    """The voxels that candidates see: those of the centers of the faces that they show. Of a mesh of large faces, or
    depth images, those of points, as `space_aware.sample` has them."""
    if looks is not None:
        own = [looks.of.get(view.frame, np.zeros(0, np.int32)) for view in candidates]
        # Neighbors look alike: where most faces lie, some of each frame's tell.
        grid = _grid([looks.faces.centers[faces[::SOME]] for faces in own], parameters)
        if grid is None or coarse_share(looks.faces, own, grid.size) <= parameters.max_coarse:
            return seen_voxels_of(looks.faces.centers, own, grid, parameters.least_points)
    points, _ = space_aware.own_points(inputs, parameters, candidates)
    return seen_voxels(points, _grid(points, parameters), parameters.least_points)


def _grid(points: Sequence[Float], parameters: Parameters) -> Any:
    return grid_of(points, parameters.parts, parameters.outside, parameters.most_parts, parameters.step)


def _shown(
    inputs: SceneInputs,
    parameters: Parameters,
    pool: Sequence[View],
    found: Mapping[str, Chosen],
    looks: Looks | None,
) -> list[dict[str, Any]]:
    plan = None if looks is None else Plan(looks.faces.centers, parameters.cell)
    rows = []
    for name, chosen in found.items():
        cells = None
        if looks is not None and plan is not None:
            frames = [pool[place].frame for place in chosen.places.tolist()]
            own = [looks.of[frame] for frame in frames if frame in looks.of]
            cells = plan.cells(seen_faces(own, len(looks.faces.areas)))
        rows.append(
            {
                **inputs.which,
                "name": name,
                "frames": len(chosen.places),
                "voxels": chosen.voxels,
                "cells": cells,
            }
        )
    return rows


STAGE = Stage(
    name=NAME,
    reads=(
        tables.FRAMES,
        tables.KEYFRAMES,
        meshes.KIND,
        visible_faces.KIND,
        instance_images.SHIPPED_DEPTH_KIND,
    ),
    writes=(FRAME_SETS, FRAME_SETS_SHOWN),
    parameters=lambda dataset: Parameters(),
    compute=choose_sets,
    modules=lambda dataset: (__name__,),
)
