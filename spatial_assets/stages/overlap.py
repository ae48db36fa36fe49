"""How much two frames of a scene see of the same surface, for all pairs that see some."""

from __future__ import annotations

import numpy as np
import polars as pl

from spatial_assets.geometry.drawable import face_areas
from spatial_assets.geometry.overlap import overlap_matrices
from spatial_assets.scene import tables
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.outputs import SceneOutputs, Tally
from spatial_assets.scene.parameters import NoParameters
from spatial_assets.stages.stage import Stage
from spatial_assets.storage import meshes, visible_faces

NAME = "overlap"


def compare(inputs: SceneInputs, parameters: NoParameters) -> SceneOutputs:
    if not inputs.file(visible_faces.KIND).exists():
        return SceneOutputs(tallies=[Tally("pairs", 0, 0)])
    mesh, owners = meshes.from_ply(inputs.file(meshes.KIND))
    seen = visible_faces.read_faces(inputs.file(visible_faces.KIND))
    order = [name for name in inputs.table(tables.FRAMES).sort("position")["frame"] if name in seen]
    areas = face_areas(mesh.vertices, mesh.faces)
    everything, of_instances = overlap_matrices([seen[name] for name in order], areas, owners)
    first, second = np.nonzero(np.triu(everything > 0, k=1))
    names = pl.Series(order, dtype=pl.String)
    # Whole columns: hundreds of keyframes make tens of thousands of pairs.
    rows = pl.DataFrame(
        {
            "frame_a": names.gather(first),
            "frame_b": names.gather(second),
            "overlap": everything[first, second],
            "overlap_instances": of_instances[first, second],
        }
    ).with_columns(pl.lit(value).alias(name) for name, value in inputs.which.items())
    pairs = len(order) * (len(order) - 1) // 2
    return SceneOutputs({tables.OVERLAP.name: rows}, tallies=[Tally("pairs", pairs, pairs)])


STAGE = Stage(
    name=NAME,
    reads=(tables.FRAMES, meshes.KIND, visible_faces.KIND),
    writes=(tables.OVERLAP,),
    parameters=lambda dataset: NoParameters(),
    compute=compare,
    modules=lambda dataset: (__name__,),
)
