"""Rooms and cognitive maps of whole scenes, against the truth of the studio's and of tiny ones."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path

import lakes
import numpy as np
import polars as pl
import pytest
import question_truth
import tiny
import video_truth
from question_truth import TrueObject
from video_scenes import Studio, ask

from spatial_assets.geometry import grid_map as cogmap
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError, Mesh
from spatial_assets.scene.refs import SceneRef
from spatial_assets.stages import rooms
from spatial_assets.storage import meshes
from spatial_assets.studio.write import write_scenes

STAGES = ("rooms", "cognitive_maps")
UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap", *STAGES)
BUILDING = ("wall", "floor", "ceiling")


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    base = tmp_path_factory.mktemp("rooms_studio")
    names = write_scenes(base / "source", "scannet", 2, seed=5, faces=20_000, frames=12, size=(160, 120))
    lakes.register(base / "home", "scannet", base / "source")
    lakes.build(base / "home", stages=UPSTREAM)
    truths = {name: question_truth.studio_truth(base / "source", name) for name in names}
    return Studio(base / "home", truths)


def corners(thing: TrueObject) -> np.ndarray:
    signs = np.array(list(product((-0.5, 0.5), repeat=3)))
    return thing.center + (signs * thing.size) @ video_truth.axes(thing).T


@pytest.mark.prove
def test_cognitive_maps_of_whole_scenes(furnished: Studio) -> None:
    rows = lakes.rows(furnished.home, "cognitive_maps").to_dicts()
    rooms = {row["scene"]: row for row in lakes.rows(furnished.home, "rooms").to_dicts()}
    for scene, truth in furnished.truths.items():
        own = {row["instance"]: row for row in rows if row["scene"] == scene}
        named = {place: it for place, it in truth.objects.items() if it.category not in BUILDING}
        assert set(own) == set(named)
        low, high = np.array(rooms[scene]["low"]), np.array(rooms[scene]["high"])
        reach = np.vstack([corners(thing)[:, :2] for thing in truth.objects.values()])
        # The footprint's extent is that of everything in the room.
        assert np.abs(low - reach.min(axis=0)).max() < 0.06
        assert np.abs(high - reach.max(axis=0)).max() < 0.06
        for place, thing in named.items():
            row = own[place]
            x, y = 10 * (thing.center[:2] - low) / (high - low)
            assert (row["x"], row["y"]) == pytest.approx((x, y), abs=1e-3)
            assert row["category"] == thing.category and row["extent"] == "surfaces"
            if row["margin"] > 1e-3:
                assert (row["cell_x"], row["cell_y"]) == (math.floor(x), math.floor(y))
        drawn = json.loads(cogmap.as_json(list(own.values())[::-1]))
        assert list(drawn) == sorted(drawn)
        assert drawn == {
            word: [
                [own[place]["cell_x"], own[place]["cell_y"]]
                for place in sorted(video_truth.called(truth, word))
            ]
            for word in {thing.category for thing in named.values()}
        }


def test_stages_write_what_they_declare(furnished: Studio) -> None:
    for name in STAGES:
        quality = lakes.rows(furnished.home, f"quality/{name}").to_dicts()
        rejects = lakes.rows(furnished.home, f"rejects/{name}").to_dicts()
        for row in quality:
            rejected = sum(it["count"] for it in rejects if it["scene"] == row["scene"])
            assert row["candidates"] == row["kept"] + rejected
        assert len(quality) == len(furnished.truths)


def test_rooms_without_walls_are_measured_but_not_asked_about(tmp_path: Path) -> None:
    for seed in range(2):
        tiny.write_scannet(tmp_path / "source", f"scene000{seed}_00", seed=seed)
    lakes.register(tmp_path / "home", "scannet", tmp_path / "source")
    lakes.build(tmp_path / "home", stages=UPSTREAM)
    rooms = lakes.rows(tmp_path / "home", "rooms").to_dicts()
    assert len(rooms) == 2
    for row in rooms:
        assert row["area"] == pytest.approx(36.0, rel=0.02)
        assert row["walled"] < 0.2 and row["floor"] == pytest.approx(0.0, abs=0.05)
    for facts in Studio(tmp_path / "home", {}).facts():
        assert ask("room_size_estimation", facts) == []
        sizes = {row["answer"] for row in ask("object_size_estimation", facts) if row["format"] == "fill"}
        assert "120" in sizes


class OneMesh:
    """Just what the stage asks of a scene that is a mesh and nothing else."""

    which = {"dataset": "made", "release": "1", "scene": "far"}  # noqa: RUF012
    ref = SceneRef("far", "far")

    def __init__(self, folder: Path, vertices: list[list[float]]) -> None:
        self.folder = folder
        faces = np.array([[0, 1, 2], [1, 2, 3]], np.int32)
        mesh = Mesh(np.array(vertices, np.float32), faces, None)
        self.file(meshes.KIND).write_bytes(meshes.to_ply(mesh, np.zeros(2, np.int32)))

    def file(self, kind: str) -> Path:
        return self.folder / kind

    def table(self, table: tables.Table) -> pl.DataFrame:
        return table.empty()


def test_a_mesh_that_reaches_a_kilometer_is_rejected_before_memory_is_taken(tmp_path: Path) -> None:
    near = [[0, 0, 0], [3, 0, 0], [0, 3, 0], [3, 3, 0]]
    assert rooms.measure(OneMesh(tmp_path, near), rooms.Parameters()).tables["rooms"]
    far = [*near[:3], [2000, 900, 0]]
    with pytest.raises(
        InputError, match=r"^the mesh of far: faces of up to .* points 0.05 m apart, more than"
    ):
        rooms.measure(OneMesh(tmp_path, far), rooms.Parameters())
