from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from tiny import SIZE, box_mesh, write_scannet

from spatial_assets.geometry.box_fit import gravity_aligned_box
from spatial_assets.readers import scannet, segments
from spatial_assets.scene.model import NO_INSTANCE, Fact, InputError
from spatial_assets.scene.refs import SceneRef


def read(scene):
    ref = SceneRef(scene.name, scene.name)
    root = scene.folder.parent
    scannet.source_files(root, ref)
    return scannet.read_scene(root, ref, "v2", "terms", scannet.Parameters())


@pytest.fixture
def scene(tmp_path):
    return write_scannet(tmp_path)


def test_reads_what_was_written(scene):
    found = read(scene)
    assert found.facts >= {Fact.IMAGES, Fact.POSES, Fact.MESH, Fact.OBJECTS, Fact.SURFACES}
    assert [frame.name for frame in found.frames] == [str(i) for i in range(24)]
    for frame in found.frames:
        np.testing.assert_allclose(frame.camera_to_world, scene.poses[frame.name], atol=1e-8)
        assert (frame.camera.width, frame.camera.height) == SIZE
        np.testing.assert_allclose(frame.camera.intrinsics[:2, 2], np.array(SIZE) / 2)
    by_label = {item.label: item for item in found.instances}
    for cube in scene.cubes:
        np.testing.assert_allclose(by_label[cube.label].box.center, cube.center, atol=1e-5)
        np.testing.assert_allclose(np.sort(by_label[cube.label].box.size), np.sort(cube.size), atol=1e-5)
    assert by_label["trash can"].category == "trash bin"


def test_faces_belong_to_the_object_they_are_part_of(scene):
    found = read(scene)
    counts = np.bincount(found.face_instance[found.face_instance >= 0])
    per_cube = len(box_mesh(scene.cubes[0])[1])
    assert counts[1:].tolist() == [per_cube] * len(scene.cubes)


def test_face_labels_need_two_vertices():
    faces = np.array([[0, 1, 2], [0, 1, 3], [3, 4, 5], [0, 3, 6], [6, 6, 0]])
    owners = np.array([1, 1, 1, 2, 3, 3, NO_INSTANCE], np.int32)
    assert segments.face_labels(faces, owners).tolist() == [1, 1, 3, NO_INSTANCE, NO_INSTANCE]


def test_a_vertex_of_two_objects_goes_to_the_smaller(scene):
    file = scene.file(".aggregation.json")
    content = json.loads(file.read_text())
    content["segGroups"].append({"id": 9, "objectId": 9, "segments": [101, 102], "label": "furniture"})
    file.write_text(json.dumps(content))
    labels = {item.label for item in read(scene).instances}
    assert {"table", "chair"} <= labels
    assert "furniture" not in labels


def test_lost_frames_are_dropped_and_counted(scene):
    (scene.folder / "pose/3.txt").write_text("-inf " * 16)
    found = read(scene)
    assert len(found.frames) == 23
    assert found.dropped_frames == {"lost_pose": 1}


def test_missing_alignment_is_identity(scene):
    scene.file(".txt").write_text(f"colorWidth = {SIZE[0]}\ncolorHeight = {SIZE[1]}\n")
    found = read(scene)
    assert found.conventions["alignment"].startswith("none")
    expected = np.linalg.inv(scene.alignment) @ scene.poses["0"]
    np.testing.assert_allclose(found.frames[0].camera_to_world, expected, atol=1e-8)


def test_images_exported_smaller_than_calibrated_scale_the_intrinsics(scene):
    before = read(scene).frames[0].camera
    for path in (scene.folder / "color").glob("*.jpg"):
        with Image.open(path) as image:
            image.resize((SIZE[0] // 2, SIZE[1] // 2)).save(path)
    after = read(scene).frames[0].camera
    np.testing.assert_allclose(after.intrinsics[:2], before.intrinsics[:2] / 2)
    assert (after.width, after.height) == (SIZE[0] // 2, SIZE[1] // 2)


def test_finds_scenes_wherever_a_root_keeps_them(tmp_path):
    write_scannet(tmp_path / "scans", "scene0002_01", frames=2)
    write_scannet(tmp_path, "scene0001_00", frames=2)
    (tmp_path / "notes").mkdir()
    (tmp_path / "scene0003").mkdir()
    found = scannet.find_scenes(tmp_path)
    assert [(ref.name, ref.path) for ref in found] == [
        ("scene0001_00", "scene0001_00"),
        ("scene0002_01", "scans/scene0002_01"),
    ]


def truncate(path, keep=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])


def damage_missing_mesh(scene):
    scene.file("_vh_clean_2.ply").unlink()
    return "_vh_clean_2.ply: missing"


def damage_cut_mesh(scene):
    truncate(scene.file("_vh_clean_2.ply"))
    return "_vh_clean_2.ply: cut off"


def damage_no_ply(scene):
    scene.file("_vh_clean_2.ply").write_bytes(b"\x00\x01garbage")
    return "_vh_clean_2.ply: not a triangle mesh"


def damage_skewed_pose(scene):
    np.savetxt(scene.folder / "pose/5.txt", np.diag([2.0, 1, 1, 1]))
    return "pose/5.txt: pose is not a rigid motion"


def damage_short_pose(scene):
    (scene.folder / "pose/5.txt").write_text("1 0 0\n")
    return "pose/5.txt: pose holds 3 numbers, not 16"


def damage_missing_pose(scene):
    (scene.folder / "pose/5.txt").unlink()
    return "pose/5.txt: missing"


def damage_all_lost(scene):
    for path in (scene.folder / "pose").iterdir():
        path.write_text("-inf " * 16)
    return "pose: no frame has a valid pose"


def damage_zero_focal(scene):
    path = scene.folder / "intrinsic/intrinsic_color.txt"
    matrix = np.loadtxt(path)
    matrix[0, 0] = 0
    np.savetxt(path, matrix)
    return "intrinsic_color.txt: focal length 0"


def damage_far_principal_point(scene):
    path = scene.folder / "intrinsic/intrinsic_color.txt"
    matrix = np.loadtxt(path)
    matrix[0, 2] = 4000
    np.savetxt(path, matrix)
    return "intrinsic_color.txt: principal point"


def damage_empty_aggregation(scene):
    scene.file(".aggregation.json").write_text('{"segGroups": []}')
    return ".aggregation.json: no objects are annotated"


def damage_broken_json(scene):
    truncate(scene.file(".aggregation.json"))
    return ".aggregation.json: not JSON"


def damage_double_object(scene):
    file = scene.file(".aggregation.json")
    content = json.loads(file.read_text())
    content["segGroups"].append(content["segGroups"][0])
    file.write_text(json.dumps(content))
    return ".aggregation.json: two objects share an objectId"


def damage_short_segments(scene):
    scene.file("_vh_clean_2.0.010000.segs.json").write_text('{"segIndices": [1, 2, 3]}')
    return "segs.json: 3 segIndices for a mesh of"


def damage_unreadable_image(scene):
    (scene.folder / "color/7.jpg").write_bytes(b"no image at all")
    return "color/7.jpg: not a readable image"


def damage_empty_image(scene):
    (scene.folder / "color/7.jpg").write_bytes(b"")
    return "color/7.jpg: not a readable image"


def damage_cut_image(scene):
    truncate(scene.folder / "color/7.jpg", 0.8)
    return "color/7.jpg: the image is cut off"


def damage_no_frames(scene):
    for path in (scene.folder / "color").iterdir():
        path.unlink()
    return "color: no frames"


DAMAGES = [value for name, value in sorted(globals().items()) if name.startswith("damage_")]


@pytest.mark.every(3)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.removeprefix("damage_"))
def test_bad_input_is_one_line_that_names_the_file(scene, damage):
    expected = damage(scene)
    with pytest.raises(InputError) as caught:
        read(scene)
    message = str(caught.value)
    assert expected in message
    assert message.startswith(scene.name)
    assert "\n" not in message
    assert str(scene.folder.parent) not in message


def test_box_is_that_of_the_objects_own_vertices(scene):
    found = read(scene)
    for item in found.instances:
        own = np.unique(found.mesh.faces[found.face_instance == item.id])
        box = gravity_aligned_box(found.mesh.vertices[own])
        np.testing.assert_array_equal(box.center, item.box.center)
