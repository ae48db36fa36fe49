"""Sets of frames of made scenes: how many, which, what they show beside what drawing the mesh would choose."""

from __future__ import annotations

from pathlib import Path

import lakes
import numpy as np
import polars as pl
import pytest

from spatial_assets.assets import partitions
from spatial_assets.geometry.drawable import face_areas
from spatial_assets.geometry.keyframes import uniform_indices
from spatial_assets.geometry.space_aware import choose, grid_of, seen_voxels
from spatial_assets.scene import tables
from spatial_assets.scene.frames import FRAME_SET_NAMES, SPACE_AWARE, UNIFORM, views
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.stages.frame_sets import Parameters, choose_sets
from spatial_assets.stages.space_aware import own_points
from spatial_assets.storage import meshes, visible_faces
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.core.draws import hash_name

STAGES = ("sources", "scenes", "keyframes", "visibility", "frame_sets")


def built(folder: Path, layout: str, faces: int, frames: int) -> SceneInputs:
    source, home = folder / "source", folder / "home"
    write_scenes(source, layout, 1, seed=5, faces=faces, frames=frames, size=(160, 120))
    lakes.register(home, layout, source)
    lakes.build(home, stages=STAGES)
    (shard,) = partitions.registry(home).shards()
    return SceneInputs(Lake(home), shard, shard.scenes[0])


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> SceneInputs:
    return built(tmp_path_factory.mktemp("sets"), "scannet", 60_000, 150)


def members(rows: list[dict[str, object]] | pl.DataFrame) -> dict[str, list[str]]:
    held = pl.DataFrame(rows) if isinstance(rows, list) else rows
    return {str(name): own.sort("ordinal")["frame"].to_list() for (name,), own in held.group_by("name")}


def test_sets_have_as_many_frames_as_they_say_in_the_order_of_the_video(inputs: SceneInputs) -> None:
    found = members(_sets(inputs))
    assert set(found) == set(FRAME_SET_NAMES)
    position = {name: view.position for name, view in views(inputs.table(tables.FRAMES)).items()}
    for name, count in {**UNIFORM, **SPACE_AWARE}.items():
        places = [position[frame] for frame in found[name]]
        assert len(set(places)) == count and places == sorted(places)
    assert set(found["space_aware_8"]) < set(found["space_aware_16"]) < set(found["space_aware_32"])
    video = (
        inputs.table(tables.KEYFRAMES).filter(pl.col("set") == "video32").sort("position")["frame"].to_list()
    )
    assert found["uniform_32"] == video
    for name, count in UNIFORM.items():
        wanted = uniform_indices(len(position), count)
        assert np.abs(np.array([position[frame] for frame in found[name]]) - wanted).max() <= 3


def _sets(inputs: SceneInputs, parameters: Parameters | None = None) -> pl.DataFrame:
    found = choose_sets(inputs, parameters or Parameters()).tables["frame_sets"]
    return pl.DataFrame(found, infer_schema_length=None)


def surface(inputs: SceneInputs, frames: list[str]) -> float:
    mesh, _ = meshes.from_ply(inputs.file(meshes.KIND))
    areas, faces = (
        face_areas(mesh.vertices, mesh.faces),
        visible_faces.read_faces(inputs.file(visible_faces.KIND)),
    )
    return float(areas[np.unique(np.concatenate([faces[name] for name in frames]))].sum())


def test_frames_show_as_much_as_those_that_drawing_the_mesh_would_choose(inputs: SceneInputs) -> None:
    """By the faces that frames are known to show, and by drawing the mesh for each on 64 pixels."""
    own = Parameters(max_coarse=1.0)
    found = members(_sets(inputs, own))
    pool = [view for view in views(inputs.table(tables.FRAMES)).values() if view.frame in set(found["all"])]
    points, _ = own_points(inputs, own, pool)
    grid = grid_of(points, own.parts, own.outside, own.most_parts, own.step)
    names = np.array([hash_name(*inputs.which.values(), view.frame) for view in pool], np.uint64)
    for name, count in SPACE_AWARE.items():
        drawn = choose(seen_voxels(points, grid, own.least_points), names, count).frames
        present = surface(inputs, [pool[place].frame for place in drawn.tolist()])
        assert surface(inputs, found[name]) >= 0.97 * present
        assert (
            surface(inputs, found[name]) > surface(inputs, found[f"uniform_{max(count, 16)}"]) or count == 8
        )


def test_large_faces_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = built(tmp_path, "scannet", 60_000, 60)
    drawn: list[int] = []

    def look(*given: object) -> object:
        drawn.append(1)
        return own_points(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("spatial_assets.stages.space_aware.own_points", look)
    choose_sets(inputs, Parameters(max_coarse=1.0))
    assert not drawn
    choose_sets(inputs, Parameters(max_coarse=0.0))
    assert drawn


def test_the_released_rule_may_give_fewer(inputs: SceneInputs) -> None:
    found = choose_sets(inputs, Parameters(rule="official", candidates=16, width=16))
    rows = members([row for row in found.tables["frame_sets"] if row["name"] in SPACE_AWARE])  # type: ignore[union-attr]
    assert all(1 <= len(frames) <= SPACE_AWARE[name] for name, frames in rows.items())


def test_without_geometry_there_are_uniform_sets_alone(inputs: SceneInputs, tmp_path: Path) -> None:
    class NoFiles(SceneInputs):
        def file(self, kind: str) -> Path:
            return tmp_path / "none" / kind

    found = choose_sets(NoFiles(inputs.lake, inputs.shard, inputs.ref), Parameters())
    assert {row["name"] for row in found.tables["frame_sets"]} == {*UNIFORM, "all"}  # type: ignore[union-attr,index]
    assert [(reject.reason, reject.count) for reject in found.rejects] == [("no_geometry", 3)]
    (tally,) = found.tallies
    assert tally.candidates == tally.kept + 3
