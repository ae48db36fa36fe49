"""Hypersim: scenes worked out on paper, published cameras, damage as one line."""

from __future__ import annotations

import builtins
import json
import re
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypersim_files import (
    LENSES,
    NAME,
    PUBLISHED,
    REF,
    archive,
    lens_row,
    published_row,
    read,
    write_array,
    write_lenses,
)
from PIL import Image

from spatial_assets.geometry.cameras import project
from spatial_assets.readers import hypersim
from spatial_assets.readers.hypersim_cameras import read_lens
from spatial_assets.scene.model import NO_INSTANCE, InputError, rigid_inverse
from spatial_assets.scene.refs import SceneRef

SIZE = (64, 48)
LEVEL = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
"""A level camera that looks along +y, as columns: its x is the world's, its y points up, its z back along -y."""
PLAIN = [[1.5, 0, 0], [0, 2, 0], [0, 0, -1]], [[2 / 3, 0, 0], [0, 0.5, 0], [0, 0, -1]]
"""Focal lengths of 1.5 half widths and 2 half heights, 48 pixels both, and the rays of such a camera."""
TILTED = [[1.5, 0, 0], [0, 1.6, -1.2], [0, -0.6, -0.8]], [[2 / 3, 0, 0], [0, 0.4, -0.6], [0, -0.3, -0.8]]
"""The same lens tilted down, by 3 down in 4 forward. Its axis in the published camera, y down, z forward, is
(0, 0.6, 0.8), and down is (0, 0.8, -0.6): x is 1.5 right, y is -2 down, w is the axis. Rays are the transpose."""
TABLE = 2


def boxes(root: Path, part: str) -> Path:
    stem = "metadata_semantic_instance_bounding_box_object_aligned_2d"
    return root / NAME / "_detail/mesh" / f"{stem}_{part}.hdf5"


def geometry(root: Path, number: int, part: str, camera: str = "cam_00") -> Path:
    return root / NAME / f"images/scene_{camera}_geometry_hdf5/frame.{number:04d}.{part}.hdf5"


def poses(root: Path, part: str, camera: str = "cam_00") -> Path:
    return root / NAME / f"_detail/{camera}/camera_keyframe_{part}.hdf5"


def write_frame(root: Path, number: int, camera: str = "cam_00") -> None:
    """A table's front, 2 m wide and 1 m high, 2.5 m before the camera: 38.4 x 19.2 pixels about the middle."""
    color = root / NAME / f"images/scene_{camera}_final_preview/frame.{number:04d}.tonemap.jpg"
    color.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE).save(color)
    Image.new("RGB", SIZE).save(color.with_name(f"frame.{number:04d}.color.jpg"))
    instances = np.full(SIZE[::-1], -1, np.int16)
    instances[15:33, 13:51] = TABLE
    x, y = np.meshgrid((np.arange(64) - 31.5) / 48, (np.arange(48) - 23.5) / 48)
    distances = 2.5 * np.sqrt(1 + x**2 + y**2)
    distances[0, 0], distances[0, 1] = np.nan, np.inf
    write_array(geometry(root, number, "semantic_instance", camera), instances)
    write_array(
        geometry(root, number, "semantic", camera), np.where(instances == TABLE, 7, -1).astype(np.int16)
    )
    write_array(
        geometry(root, number, "depth_meters", camera), distances.astype(np.float16), compression="gzip"
    )


def write_camera(root: Path, camera: str, count: int = 3) -> None:
    """Steps of 10 cm to the right from (1, 2, 1.5) m."""
    write_array(poses(root, "orientations", camera), np.array([LEVEL] * count, np.float64))
    write_array(poses(root, "positions", camera), [[100.0 + 10 * k, 200, 150] for k in range(count)])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A table of 2 x 1 x 1 m at (1, 5, 1.5), a thing without volume, in centimeters; three frames."""
    write_camera(tmp_path, "cam_00")
    (tmp_path / NAME / "_detail/metadata_scene.csv").write_text(
        "parameter_name,parameter_value\nmeters_per_asset_unit,0.01\n"
    )
    nothing = [np.inf] * 3
    write_array(boxes(tmp_path, "positions"), [nothing, [0, 0, 0], [100, 500, 150]])
    write_array(boxes(tmp_path, "orientations"), [np.full((3, 3), np.inf), np.eye(3), np.eye(3)])
    write_array(boxes(tmp_path, "extents"), [nothing, [1, 1, 0], [200, 100, 100]])
    for number in range(3):
        write_frame(tmp_path, number)
    write_lenses(tmp_path / LENSES, [published_row("ai_001_001"), lens_row(NAME, 0.01, *PLAIN, SIZE)])
    return tmp_path


def edit(path: Path, change: Any) -> None:
    with h5py.File(path, "r") as file:
        values = file["dataset"][...]
    found = change(values)
    write_array(path, values if found is None else found)


def times(factor: float, row: Any = slice(None)) -> Any:
    """A change of an array in place."""

    def change(rows: Any) -> None:
        rows[row] *= factor

    return change


def test_the_numbers_on_paper(root: Path) -> None:
    scene = read(root)
    assert [frame.name for frame in scene.frames] == ["cam_00_0000", "cam_00_0001", "cam_00_0002"]
    assert scene.frames[1].image == f"{NAME}/images/scene_cam_00_final_preview/frame.0001.tonemap.jpg"
    first, second, _ = (frame.camera_to_world for frame in scene.frames)
    np.testing.assert_allclose(first, [[1, 0, 0, 1], [0, 0, 1, 2], [0, -1, 0, 1.5], [0, 0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(second[:3, 3], [1.1, 2, 1.5])
    np.testing.assert_allclose(scene.frames[0].camera.intrinsics, [[48, 0, 32], [0, 48, 24], [0, 0, 1]])
    (table,) = scene.instances
    assert (table.id, table.label, table.name) == (TABLE, "table", "2")
    np.testing.assert_allclose([table.box.center, table.box.size], [[1, 5, 1.5], [2, 1, 1]])
    assert scene.conventions["boxes_without_volume"] == "1"
    assert scene.dropped_frames == {} and scene.mesh is None


def test_distances_become_depth_along_z(root: Path) -> None:
    """The table's front is 2.5 m away along z, everywhere; half precision has 2 mm there."""
    scene = read(root)
    depth = archive(root, scene.depth_images).depth("cam_00_0000")
    assert depth[0, :2].tolist() == [0, 0]
    assert np.abs(depth[1:] - 2.5).max() <= 0.002
    ids = archive(root, scene.instance_images).instances("cam_00_0000")
    assert (ids[15:33, 13:51] == TABLE).all() and (ids != NO_INSTANCE).sum() == 18 * 38
    assert scene.conventions["depth"].startswith("along the ray: ")


def test_a_tilted_lens_on_paper(root: Path) -> None:
    """The camera's own axis is that of the lens: forward is (0, 0.8, -0.6) in the world, down (0, -0.6, -0.8)."""
    write_lenses(root / LENSES, [lens_row(NAME, 0.01, *TILTED, SIZE)])
    # What the lens looks at now: 2.5 m along its axis is (1, 4, 0).
    edit(boxes(root, "positions"), lambda rows: rows[TABLE].__setitem__(slice(None), [100, 440, -30]))
    frame = read(root).frames[0]
    np.testing.assert_allclose(frame.camera.intrinsics, [[48, 0, 32], [0, 48, 24], [0, 0, 1]], atol=1e-12)
    own = [[1, 0, 0, 1], [0, -0.6, 0.8, 2], [0, -0.8, -0.6, 1.5], [0, 0, 0, 1]]
    np.testing.assert_allclose(frame.camera_to_world, own, atol=1e-12)
    pixel, z = project(np.array([[1, 4, 0.0]]), frame.camera.intrinsics, rigid_inverse(frame.camera_to_world))
    np.testing.assert_allclose(pixel, [[32, 24]], atol=1e-9)
    np.testing.assert_allclose(z, [2.5])


@pytest.mark.parametrize("scene", PUBLISHED)
def test_published_cameras_see_what_their_matrix_says(tmp_path: Path, scene: str) -> None:
    """Points in the published camera, by its projection and by ours."""
    write_lenses(tmp_path / LENSES, [published_row(name) for name in PUBLISHED])
    unit, projection = PUBLISHED[scene]
    camera, turn = read_lens(tmp_path, LENSES, scene, unit).camera((1024, 768))
    points = np.random.default_rng(3).uniform([-3, -2, -9], [3, 2, -4], (500, 3))
    x, y, w = np.array(projection) @ points.T
    pixels = np.stack([(x / w + 1) / 2 * 1024, (1 - y / w) / 2 * 768], axis=1)
    pose = np.eye(4)
    pose[:3, :3] = turn
    ours, z = project(points * [1, -1, -1], camera.intrinsics, pose)
    np.testing.assert_allclose(ours, pixels, atol=1e-8)
    assert z.min() > 0
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)


def test_a_lens_whose_axis_leaves_the_image_is_rejected(tmp_path: Path) -> None:
    projection = [
        [1.538168558684937, 0, 0],
        [0, 2.299728314376658, 0],
        [0, -0.4505402608243714, -0.8880620604572615],
    ]
    row = lens_row("ai_038_002", 0.01, projection, np.linalg.inv(projection).tolist(), (1024, 768))
    write_lenses(tmp_path / LENSES, [row])
    with pytest.raises(InputError, match=r"axis, at 512, 785\.2\d*, is not in the image"):
        read_lens(tmp_path, LENSES, "ai_038_002", 0.01).camera((1024, 768))


def test_what_is_not_there_costs_its_frame(root: Path) -> None:
    geometry(root, 1, "semantic").unlink()
    write_frame(root, 7)
    edit(poses(root, "positions"), lambda rows: rows[2].fill(np.nan))
    scene = read(root)
    assert [frame.name for frame in scene.frames] == ["cam_00_0000"]
    assert scene.dropped_frames == {"incomplete_view": 1, "lost_pose": 1, "no_pose": 1}


def test_one_pose_of_many_that_is_no_rotation_costs_its_frame(root: Path) -> None:
    write_camera(root, "cam_00", 20)
    edit(poses(root, "orientations"), times(1.1, 1))
    scene = read(root)
    assert [frame.name for frame in scene.frames] == ["cam_00_0000", "cam_00_0002"]
    assert scene.dropped_frames == {"bad_pose": 1}


def test_a_view_elsewhere_costs_its_frame(root: Path) -> None:
    edit(poses(root, "positions"), lambda rows: rows[1].__setitem__(0, 5000))
    assert read(root).dropped_frames == {"outside_its_boxes": 1}


def test_depth_along_z_is_left_out(root: Path) -> None:
    """Of a table that fills the image, no sixth of the pixels is deep enough for both."""
    edit(boxes(root, "extents"), lambda rows: rows[TABLE].__setitem__(slice(None), [800, 4, 400]))
    edit(boxes(root, "positions"), lambda rows: rows[TABLE].__setitem__(1, 452))
    for number in range(3):
        edit(geometry(root, number, "semantic_instance"), lambda image: image.fill(TABLE))
        edit(geometry(root, number, "semantic"), lambda image: image.fill(7))
    assert read(root).conventions["depth"].startswith("along the ray: ")
    for number in range(3):
        edit(geometry(root, number, "depth_meters"), lambda image: image.fill(2.5))
    scene = read(root)
    assert scene.depth_images == {} and scene.conventions["depth"].startswith("left out: ")
    assert len(scene.instance_images) == 3


def known_as(monkeypatch: pytest.MonkeyPatch, camera: str | None) -> None:
    monkeypatch.setattr(hypersim, "_broken", lambda: {NAME: {camera: "nothing to see (somebody)"}})


def test_a_scene_that_is_known_as_broken(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known_as(monkeypatch, None)
    for call in (hypersim.source_files, lambda root, ref: read(root)):
        with pytest.raises(InputError, match=f"^{NAME}: known as broken: nothing to see"):
            call(root, REF)


def test_a_camera_that_is_known_as_broken(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_camera(root, "cam_01", 2)
    write_frame(root, 0, "cam_01")
    known_as(monkeypatch, "cam_00")
    scene = read(root)
    assert [frame.name for frame in scene.frames] == ["cam_01_0000"]
    assert scene.dropped_frames == {"broken_camera": 3}
    assert not [file for file in hypersim.source_files(root, REF) if "cam_00" in file.path]
    shutil.rmtree(root / NAME / "images/scene_cam_01_final_preview")
    with pytest.raises(
        InputError, match="none of a camera that is not known as broken; cam_00: nothing to see"
    ):
        hypersim.source_files(root, REF)


def test_the_list_of_what_is_broken_names_its_sources() -> None:
    held = json.loads(hypersim.BROKEN.read_text())
    assert {entry["source"] for entry in held["broken"]} == set(held["sources"])
    assert all(hypersim.SCENE_NAME.match(entry["scene"]) and entry["reason"] for entry in held["broken"])
    assert all(
        entry["camera"] is None or hypersim.CAMERA_NAME.match(entry["camera"]) for entry in held["broken"]
    )
    assert "textures are missing" in hypersim._broken()["ai_038_007"][None]
    assert list(hypersim._broken()["ai_004_009"]) == ["cam_01"]


def test_without_h5py_it_says_what_to_install(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "h5py":
            raise ModuleNotFoundError("No module named 'h5py'")
        return true(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert hypersim.find_scenes(root) and hypersim.source_files(root, REF)
    with pytest.raises(InputError, match=re.escape("run: pip install 'spatial-assets[hypersim]'")):
        read(root)


@pytest.mark.parametrize("folder", ["metadata", "contrib/mikeroberts3000"])
def test_cameras_and_scenes_in_the_toolkit_s_places(root: Path, folder: str) -> None:
    (root / folder).mkdir(parents=True)
    (root / LENSES).rename(root / folder / LENSES)
    scenes = root / "evermotion_dataset/scenes"
    scenes.mkdir(parents=True)
    (root / NAME).rename(scenes / NAME)
    scene = read(root, SceneRef(NAME, f"evermotion_dataset/scenes/{NAME}"))
    assert len(scene.frames) == 3


def test_images_of_another_size_have_the_same_camera(root: Path) -> None:
    for number in range(3):
        path = root / NAME / f"images/scene_cam_00_final_preview/frame.{number:04d}.tonemap.jpg"
        Image.new("RGB", (32, 24)).save(path)
        for part in ("semantic_instance", "semantic", "depth_meters"):
            edit(geometry(root, number, part), lambda image: image[::2, ::2])
    intrinsics = read(root).frames[0].camera.intrinsics
    np.testing.assert_allclose(intrinsics, [[24, 0, 16], [0, 24, 12], [0, 0, 1]])


def link(path: Path, target: str) -> None:
    path.unlink()
    with h5py.File(path, "w") as file:
        file["dataset"] = h5py.ExternalLink(target, "dataset")


def elsewhere(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("dataset", (3, 3), "f8", external=[("/etc/hostname", 0, 72)])


def claim(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("dataset", (10**9, 3), "f8", chunks=(10, 3))


def grouped(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("dataset")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lens(**change: Any) -> Any:
    return lambda root: write_lenses(root / LENSES, [lens_row(NAME, 0.01, *PLAIN, SIZE) | change])


def text(name: str, content: str) -> Any:
    return lambda root: (root / name).write_text(content)


def frame_file(part: str, change: Any) -> Any:
    return lambda root: edit(geometry(root, 1, part), change)


UNIT = f"{NAME}/_detail/metadata_scene.csv"
DAMAGES = [
    (lambda root: (root / LENSES).unlink(), f"{LENSES}: missing; it is in contrib/mikeroberts3000"),
    (lambda root: (root / UNIT).unlink(), f"{UNIT}: missing"),
    (text(UNIT, "parameter_name,parameter_value\n"), f"{UNIT}: 0 rows of meters_per_asset_unit"),
    (text(UNIT, "parameter_name\nx\n"), "0 columns named parameter_value"),
    (text(UNIT, "parameter_name,parameter_value\nmeters_per_asset_unit,nan\n"), "is nan, not a number"),
    (text(UNIT, "parameter_name,parameter_value\nmeters_per_asset_unit,-1\n"), "is -1, less than"),
    (text(UNIT, "parameter_name,parameter_value\nmeters_per_asset_unit,0.0254\n"), "is 0.01 m, 0.0254 in its own"),
    (text(UNIT, 'a,"b\n'), "not CSV: unexpected end of data"),
    (text(UNIT, "parameter_name,parameter_value\na\n"), "row 1 has 1 fields, the header 2"),
    (lens(scene_name="ai_900_001"), f"{LENSES}: 0 rows of {NAME}"),
    (lens(M_proj_00=3), "are not each other's inverse"),
    (lens(M_proj_00="x"), f"M_proj_00 of {NAME} has 'x'"),
    (lens(M_proj_03=1), "moves the camera off its position"),
    (lens(M_proj_00=-1.5, M_cam_from_uv_00=-2 / 3), "mirrors the image"),
    (lens(settings_output_img_width=48), "another shape than 64 x 48"),
    (lens(settings_output_img_width=0), "images of ai_900_000 have 0 x 48 pixels"),
    (lens(M_proj_01=0.3, M_cam_from_uv_01=-0.1), "askew by"),
    (lambda root: boxes(root, "extents").unlink(), "extents.hdf5: missing"),
    (lambda root: cut(boxes(root, "positions")), "positions.hdf5: cannot be read: "),
    (lambda root: boxes(root, "positions").write_text("no"), "positions.hdf5: cannot be read: "),
    (lambda root: write_array(boxes(root, "extents"), np.ones((4, 3))), "extents.hdf5: holds 4 x 3, not 3 x 3 numbers"),
    (lambda root: write_array(boxes(root, "extents"), 1.0), "holds a single number, not 3 x 3 numbers"),
    (lambda root: write_array(boxes(root, "extents"), np.array([b"a"])), "extents.hdf5: holds .S1, not numbers"),
    (lambda root: edit(boxes(root, "extents"), times(-1)), "box 1 is "),
    (lambda root: edit(boxes(root, "extents"), times(1e6)), "box 1 is "),
    (lambda root: edit(boxes(root, "positions"), lambda rows: rows[TABLE].__setitem__(0, np.nan)), "s.hdf5: box 2"),
    (lambda root: edit(boxes(root, "positions"), lambda rows: rows.fill(np.nan)), "positions.hdf5: box 1"),
    (lambda root: edit(boxes(root, "orientations"), times(2, TABLE)), "box 2 is not a rigid motion"),
    (lambda root: edit(boxes(root, "positions"), times(0.01)), "contradict each other"),
    (lambda root: link(boxes(root, "positions"), "/etc/hostname"), "no array 'dataset' in it"),
    (lambda root: elsewhere(boxes(root, "positions")), "its numbers are in another file"),
    (lambda root: claim(boxes(root, "positions")), "claims more than"),
    (lambda root: grouped(boxes(root, "positions")), "'dataset' is no array"),
    (lambda root: poses(root, "positions").unlink(), "camera_keyframe_positions.hdf5: missing"),
    (lambda root: write_array(poses(root, "orientations"), np.ones((2, 3, 3))), "holds 2 x 3 x 3, not 3 x 3 x 3"),
    (lambda root: write_camera(root, "cam_00", 10_001), "10001 poses, where frames are numbered to 9999"),
    (lambda root: edit(poses(root, "orientations"), times(2)), "the pose of frame 0 is not a rigid"),
    (lambda root: edit(poses(root, "positions"), lambda rows: rows.fill(3)), "all 3 poses are the same"),
    (lambda root: edit(poses(root, "positions"), lambda rows: rows.fill(np.nan)), "no frame has a valid pose"),
    (lambda root: shutil.rmtree(root / NAME / "images/scene_cam_00_geometry_hdf5"), "0000.semantic_instance.hdf5"),
    (lambda root: shutil.rmtree(root / NAME / "images"), "images: no scene_cam_XX_final_preview"),
    (frame_file("semantic_instance", lambda image: image[:, :32]), "holds 48 x 32, not 48 x 64 numbers"),
    (frame_file("semantic_instance", lambda image: image.astype(np.float32)), "holds float32, not whole numbers"),
    (frame_file("semantic_instance", lambda image: image.fill(-7)), "holds -7 to 0, not -1 to"),
    (frame_file("semantic_instance", lambda image: image.astype(np.int64) + 70_000), "70002, not -1 to 65534"),
    (frame_file("depth_meters", lambda image: np.ones(image.shape, np.int32)), "int32, not numbers with fractions"),
    (lambda root: cut(geometry(root, 2, "depth_meters")), r"frame.0002.depth_meters.hdf5: cannot be read"),
    (lambda root: cut(root / NAME / "images/scene_cam_00_final_preview/frame.0001.tonemap.jpg"), "frame.0001.tonemap"),
]  # fmt: skip


@pytest.mark.every(3)
@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_damage_is_one_line_that_names_the_file(root: Path, damage: Any, said: str) -> None:
    damage(root)
    with pytest.raises(InputError, match=said) as found:
        read(root)
    assert str(found.value).isprintable() and str(root) not in str(found.value)


def test_without_labels_or_pixels_there_are_no_objects(root: Path) -> None:
    for number in range(3):
        edit(geometry(root, number, "semantic"), lambda image: image.fill(-1))
    with pytest.raises(InputError, match="no frame labels its objects"):
        read(root)
    for number in range(3):
        edit(geometry(root, number, "semantic_instance"), lambda image: image.fill(-1))
    with pytest.raises(InputError, match="no frame shows one of its objects"):
        read(root)


def test_high_dynamic_range_alone_is_named(root: Path) -> None:
    shutil.rmtree(root / NAME / "images/scene_cam_00_final_preview")
    (root / NAME / "images/scene_cam_00_final_hdf5").mkdir()
    with pytest.raises(InputError, match="scene_cam_XX_final_hdf5 is there, but"):
        read(root)
