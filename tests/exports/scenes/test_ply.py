"""Scenes as PLY: other readers open them, vertices belong to the objects around them, each damage is told."""

from __future__ import annotations

import json
import shutil

import numpy as np
import open3d
import polars as pl
import pytest
import release_rows
from chat_cases import MadeSource, cases
from digests import digest
from plyfile import PlyData

from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.exports.scenes import ply
from spatial_assets.scene.model import InputError
from spatial_assets.scene.tables import OBJECTS
from spatial_assets.storage import meshes
from spatial_assets.storage.lake import Lake


def written(home, out, **narrowed):
    export("ply", ReleaseRows(home, "v1", **narrowed), out, Options(ImageMode.NONE))
    return sorted(out.rglob("*.ply"))


def lake_meshes(home):
    lake = Lake(home)
    return {
        scene: lake.file_path(meshes.KIND, shard, scene)
        for shard in lake.shards(OBJECTS)
        for scene in lake.read(OBJECTS, shard)["scene"].unique()
    }


def test_other_readers_open_them(released, tmp_path):
    found = written(released.home, tmp_path / "out")
    held = lake_meshes(released.home)
    labels = json.loads((tmp_path / "out/labels.json").read_text(encoding="utf-8"))
    categories = {
        row["scene"]: {} for shard in Lake(released.home).shards(OBJECTS)
        for row in Lake(released.home).read(OBJECTS, shard).iter_rows(named=True)
    }  # fmt: skip
    for shard in Lake(released.home).shards(OBJECTS):
        for row in Lake(released.home).read(OBJECTS, shard).iter_rows(named=True):
            categories[row["scene"]][row["instance"]] = row["category"]
    assert {file.stem for file in found} == set(held)
    for file in found:
        mesh, owners = meshes.from_ply(held[file.stem])
        data = PlyData.read(str(file))
        vertices = data["vertex"]
        assert np.array_equal(np.stack([vertices[axis] for axis in "xyz"], 1), mesh.vertices)
        assert np.array_equal(np.vstack(data["face"]["vertex_indices"]), mesh.faces)
        drawn = open3d.io.read_triangle_mesh(str(file))
        assert (len(drawn.vertices), len(drawn.triangles)) == (len(mesh.vertices), len(mesh.faces))
        shades = np.round(np.asarray(drawn.vertex_colors) * 255).astype(np.uint8)
        assert np.array_equal(shades, ply.colors(np.asarray(vertices["instance"])))
        own = set(zip(vertices["instance"].tolist(), vertices["label"].tolist(), strict=True))
        for instance, label in own:
            assert (label == 0) if instance == -1 else labels[str(label)] == categories[file.stem][instance]
        assert {instance for instance, _ in own} - {-1} <= set(owners.tolist())
        assert len(own) > 5


def test_a_vertex_belongs_to_most_faces_around_it(released):
    """Against counting for one vertex at a time."""
    mesh, owners = meshes.from_ply(next(iter(lake_meshes(released.home).values())))
    found = ply.vertex_instances(len(mesh.vertices), mesh.faces, owners)
    for vertex in np.linspace(0, len(found) - 1, 300).astype(int).tolist():
        around = owners[(mesh.faces == vertex).any(axis=1)].tolist()
        best = max(((around.count(own), own) for own in around), default=(0, -1))
        assert found[vertex] == best[1]
    faces, owners = np.array([[0, 1, 2], [0, 1, 3]], np.int32), np.array([7, 2], np.int32)
    assert ply.vertex_instances(5, faces, owners).tolist() == [7, 7, 7, 2, -1]
    assert ply.vertex_instances(2, np.zeros((0, 3), np.int32), np.zeros(0, np.int32)).tolist() == [-1, -1]


def test_it_comes_back_and_equal_releases_give_equal_bytes(released, tmp_path):
    made = export("ply", ReleaseRows(released.home, "v1"), tmp_path / "a", Options())
    written(released.home, tmp_path / "b")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    back = list(ply.read_back(tmp_path / "a"))
    assert len(back) == made.rows == 3 and ply.validate(tmp_path / "a") == []
    assert {
        tuple(row[name] for name in ("split", "dataset", "release", "scene", "license")) for row in back
    } == release_rows.scenes(ReleaseRows(released.home, "v1"))
    assert all(row["vertices"] > 100 and row["faces"] > 100 and len(row["instances"]) > 5 for row in back)


def test_each_damage_is_told(released, tmp_path):
    found = written(released.home, tmp_path / "whole")
    name = found[0].relative_to(tmp_path / "whole")
    vertices, faces = ply.from_ply(found[0])
    start = len(found[0].read_bytes()) - vertices.nbytes - faces.nbytes

    def with_parts(change):
        own, corners = vertices.copy(), faces.copy()
        change(own, corners)
        return found[0].read_bytes()[:start] + own.tobytes() + corners.tobytes()

    def two_labels(own, corners):
        instance = own["instance"].max()
        own["label"][np.flatnonzero(own["instance"] == instance)[0]] += 1

    damages = {
        "cut": (found[0].read_bytes()[:-20], "bytes where its header asks for"),
        "no ply": (b"none", "no binary little-endian PLY"),
        "properties": (found[0].read_bytes().replace(b"int label", b"int thing"), "not this format's properties"),
        "corner": (with_parts(lambda own, corners: corners["indices"].__setitem__((0, 0), 10**8)), "no vertex"),
        "nowhere": (with_parts(lambda own, corners: own["xyz"].__setitem__((0, 0), np.nan)), "is nowhere"),
        "unknown label": (with_parts(lambda own, corners: own["label"].fill(999)), "label 999 is not in"),
        "two labels": (with_parts(two_labels), "has 2 labels"),
        "swapped": (found[1].read_bytes(), "not the bytes that ids.parquet has"),
    }  # fmt: skip
    for damage, (data, said) in damages.items():
        out = tmp_path / damage
        shutil.copytree(tmp_path / "whole", out)
        (out / name).write_bytes(data)
        errors = ply.validate(out)
        assert any(said in error and error.startswith(name.as_posix()) for error in errors), (damage, errors)
    with pytest.raises(InputError):
        list(ply.read_back(tmp_path / "cut"))
    found[0].unlink()
    assert ply.validate(tmp_path / "whole") == [f"{name.as_posix()}: not there"]
    assert len(pl.read_parquet(tmp_path / "whole/ids.parquet")) == len(found)


def test_questions_without_their_scenes_are_not_enough(tmp_path):
    with pytest.raises(TypeError, match="scenes of a release"):
        ply.write(MadeSource(tmp_path / "source", train=cases()), tmp_path, Options(ImageMode.NONE))
