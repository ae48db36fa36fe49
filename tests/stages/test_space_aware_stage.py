"""Space-aware frames of made scenes: what they show of the truth, predicted points in files, files that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lakes
import numpy as np
import pytest
from click.testing import CliRunner

from spatial_assets.cli import main
from spatial_assets.geometry.cameras import unproject
from spatial_assets.geometry.drawable import face_areas
from spatial_assets.geometry.keyframes import uniform_indices
from spatial_assets.geometry.rasterize import prepare_mesh, rasterize
from spatial_assets.lineage.registrations import find_scenes
from spatial_assets.scene import tables
from spatial_assets.scene.frames import View, views
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import InputError
from spatial_assets.stages.space_aware import DEPTH, MESH, PREDICTED, Parameters, Sampled, sample
from spatial_assets.storage import meshes
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.write import write_scenes

FRAMES, SIZE, FACES = 60, (64, 48), 4000


def made(folder: Path, layout: str, frames: int = FRAMES) -> Path:
    """A home with a scene of which there are its tables and no more."""
    home, root = folder / "home", folder / "root"
    root.mkdir()
    write_scenes(root, layout, 1, 5, FACES, frames, SIZE)
    lakes.register(home, layout, root)
    lakes.build(home, stages=["sources", "scenes"])
    return home


def inputs_of(home: Path) -> SceneInputs:
    (path,) = (home / "lake" / "scenes").glob("shard=*/data.parquet")
    (name,) = Lake(home).read(tables.SCENES, path.parent.name.removeprefix("shard="))["scene"]
    (shard,) = find_scenes(home, name)
    return SceneInputs(Lake(home), shard, shard.scenes[0])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("meshed"), "scannet")


@pytest.fixture(scope="module")
def inputs(home: Path) -> SceneInputs:
    return inputs_of(home)


def shown(inputs: SceneInputs, frames: list[View]) -> float:
    """Square meters of the mesh that frames show, at their full size."""
    mesh, _ = meshes.from_ply(inputs.file(meshes.KIND))
    prepared, areas = prepare_mesh(mesh.vertices, mesh.faces), face_areas(mesh.vertices, mesh.faces)
    seen: set[int] = set()
    for view in frames:
        faces, _ = rasterize(prepared, view.intrinsics, view.world_to_camera, view.width, view.height)
        seen |= set(np.unique(faces[faces >= 0]).tolist())
    return float(areas[sorted(seen)].sum())


@pytest.mark.parametrize("wanted", [4, 8, 16])
def test_frames_show_more_of_the_mesh_than_uniform_ones(inputs: SceneInputs, wanted: int) -> None:
    found = sample(inputs, Parameters(), wanted)
    assert found.source == MESH and found.candidates == FRAMES
    positions = [view.position for view in found.frames]
    assert len(set(positions)) == wanted and positions == sorted(positions)
    every = list(views(inputs.table(tables.FRAMES)).values())
    uniform = [every[place] for place in uniform_indices(len(every), wanted)]
    assert shown(inputs, found.frames) > shown(inputs, uniform)


def test_more_frames_are_asked_for_than_there_are(inputs: SceneInputs) -> None:
    found = sample(inputs, Parameters(candidates=5), 12)
    assert found.candidates == 5 and len(found.frames) == 12
    counts = [sum(view.frame == own.frame for view in found.frames) for own in found.frames]
    assert max(counts) - min(counts) <= 1


def predicted(inputs: SceneInputs, parameters: Parameters) -> dict[str, Any]:
    """What a model would predict that makes no errors, on images as small as the mesh is looked at."""
    mesh, _ = meshes.from_ply(inputs.file(meshes.KIND))
    prepared = prepare_mesh(mesh.vertices, mesh.faces)
    every = list(views(inputs.table(tables.FRAMES)).values())
    points, names = [], []
    for place in uniform_indices(len(every), parameters.candidates):
        view = every[place]
        faces, depth = rasterize(prepared, view.intrinsics, view.world_to_camera, view.width, view.height)
        image = np.full((*faces.shape, 3), np.nan)
        image[np.isfinite(depth)] = unproject(depth, view.intrinsics, view.camera_to_world)
        points.append(image)
        names.append(view.frame)
    stacked = np.stack(points)
    return {
        "world_points": stacked,
        "world_points_conf": np.ones(stacked.shape[:3]),
        "frames": np.array(names),
    }


PARAMETERS = Parameters(width=SIZE[0], candidates=20)


@pytest.fixture(scope="module")
def arrays(inputs: SceneInputs) -> dict[str, Any]:
    return predicted(inputs, PARAMETERS)


def named(sampled: Sampled) -> list[str]:
    return [view.frame for view in sampled.frames]


def written(path: Path, arrays: dict[str, Any]) -> Path:
    np.savez(path, **arrays)
    return path


def test_points_predicted_without_error_choose_what_the_mesh_does(
    inputs: SceneInputs, arrays: dict[str, Any], tmp_path: Path
) -> None:
    own = sample(inputs, PARAMETERS, 8)
    found = sample(inputs, PARAMETERS, 8, written(tmp_path / "p.npz", arrays))
    assert found.source == PREDICTED
    assert named(found) == named(own)
    assert found.gains == own.gains and found.voxels == own.voxels


def test_a_batch_of_one_and_another_order_are_read_alike(
    inputs: SceneInputs, arrays: dict[str, Any], tmp_path: Path
) -> None:
    expected = sample(inputs, PARAMETERS, 8, written(tmp_path / "p.npz", arrays))
    order = np.random.default_rng(0).permutation(20)
    turned = {name: values[order] for name, values in arrays.items()}
    batch = {name: values[None] for name, values in arrays.items() if name != "frames"}
    for number, held in enumerate((turned, batch)):
        found = sample(inputs, PARAMETERS, 8, written(tmp_path / f"{number}.npz", held))
        assert named(found) == named(expected) and found.gains == expected.gains


def test_what_is_not_trusted_is_not_seen(inputs: SceneInputs, arrays: dict[str, Any], tmp_path: Path) -> None:
    """Points of no confidence lie somewhere else entirely; nothing that is chosen depends on them."""
    expected = sample(inputs, PARAMETERS, 8, written(tmp_path / "p.npz", arrays))
    points = np.concatenate([arrays["world_points"], arrays["world_points"] + 40.0], axis=1)
    sure = np.concatenate(
        [arrays["world_points_conf"], np.full_like(arrays["world_points_conf"], 0.05)], axis=1
    )
    held = {"world_points": points, "world_points_conf": sure}
    assert named(sample(inputs, PARAMETERS, 8, written(tmp_path / "q.npz", held))) == named(expected)


BROKEN: dict[str, tuple[Any, str]] = {
    "no confidence": (lambda a: {"world_points": a["world_points"]}, "it has no world_points_conf"),
    "other shapes": (
        lambda a: {**a, "world_points_conf": a["world_points_conf"][:, 1:]},
        "are not (T, H, W, 3)",
    ),
    "flat": (lambda a: {**a, "world_points": a["world_points"][..., :2]}, "are not (T, H, W, 3)"),
    "whole numbers": (
        lambda a: {**a, "world_points": np.zeros_like(a["world_points"], int)},
        "floating-point",
    ),
    "other frames": (
        lambda a: {**a, "frames": np.array([f"x{n}" for n in range(20)])},
        "no points of 20 candidates",
    ),
    "too few names": (lambda a: {**a, "frames": a["frames"][:3]}, "it names 3 frames and is about 20"),
    "other count": (
        lambda a: {"world_points": a["world_points"][:7], "world_points_conf": a["world_points_conf"][:7]},
        "it is about 7 frames and the candidates are 20",
    ),
    "objects": (lambda a: {**a, "world_points": np.array([None, {}], object)}, "it is no .npz file"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_of_another_kind_is_named(
    inputs: SceneInputs, arrays: dict[str, Any], tmp_path: Path, kind: str
) -> None:
    change, said = BROKEN[kind]
    path = written(tmp_path / "bad.npz", change(arrays))
    with pytest.raises(InputError) as error:
        sample(inputs, PARAMETERS, 8, path)
    assert str(error.value).startswith(str(path)) and said in str(error.value)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and no more", b"\x93NUMPY", b"text"])
def test_a_damaged_file_is_named(inputs: SceneInputs, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"bad\.npz: it is no \.npz file"):
        sample(inputs, PARAMETERS, 8, path)


def test_one_array_is_not_enough(inputs: SceneInputs, tmp_path: Path) -> None:
    path = tmp_path / "one.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(InputError, match="one array"):
        sample(inputs, PARAMETERS, 8, path)


def test_a_truncated_file_is_named(inputs: SceneInputs, arrays: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path / "cut.npz", arrays)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(InputError, match=r"cut\.npz"):
        sample(inputs, PARAMETERS, 8, path)


def test_scenes_without_a_mesh_are_seen_by_their_depth_images(tmp_path: Path) -> None:
    found = sample(inputs_of(made(tmp_path, "structured3d", frames=12)), Parameters(), 4)
    assert found.source == DEPTH and len({view.frame for view in found.frames}) == 4
    assert found.gains[0] is not None and sum(gain or 0 for gain in found.gains) > 0


def run(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["frames", "sample", *map(str, arguments)], catch_exceptions=False)


def test_the_command_prints_and_writes_the_list(home: Path, inputs: SceneInputs, tmp_path: Path) -> None:
    scene, out = inputs.ref.name, tmp_path / "frames.json"
    told = run(scene, "--home", home, "--k", 6, "--out", out)
    assert told.exit_code == 0, told.output
    held = json.loads(out.read_text())
    expected = sample(inputs, Parameters(), 6)
    assert [one["frame"] for one in held["frames"]] == [view.frame for view in expected.frames]
    assert held["scene"] == scene and held["rule"] == "exact" and held["geometry"] == MESH
    lines = told.output.splitlines()
    assert len(lines) == 8 and all(
        view.frame in line for view, line in zip(expected.frames, lines[1:], strict=False)
    )
    assert f"of the {expected.voxels:,} voxels" in lines[-1]
    assert json.loads(run(scene, "--home", home, "--k", 6, "--json").output) == held


def test_the_official_rule_may_stop_early(home: Path, inputs: SceneInputs) -> None:
    told = run(inputs.ref.name, "--home", home, "--k", 60, "--official")
    assert told.exit_code == 0 and "the official rule stopped at" in told.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "no scene 'nowhere' is registered"),
        (["nowhere", "--points", "none.npz"], "does not exist"),
    ],
)
def test_errors_are_one_line(home: Path, arguments: list[str], said: str) -> None:
    told = run(*arguments, "--home", home)
    assert told.exit_code != 0 and said in told.output and "Traceback" not in told.output
