from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from tiny import look_at

from spatial_assets.geometry.cameras import turn_to_z
from spatial_assets.readers import depth_consistency, posed_rgbd, vsibench
from spatial_assets.scene.model import InputError, rigid_inverse
from spatial_assets.scene.refs import SceneRef

SIZE = (80, 60)
K = np.array([[70.0, 0, 39.5], [0, 70.0, 29.5], [0, 0, 1]])
PAINT = (200, 90, 30)
Y_UP = rigid_inverse(turn_to_z(np.array([0.0, 1.0, 0.0])))
"""From our world to the one on disk."""


@pytest.fixture
def sequence(tmp_path):
    """A camera that turns in a 4 x 4 x 2.5 m room, its depth computed from the planes, stored with y up."""
    folder = tmp_path / "room"
    (folder / "images").mkdir(parents=True)
    (folder / "depth").mkdir()
    lines, poses = [], []
    for number in range(24):
        turn = 2 * np.pi * number / 24
        eye = np.array([0.3 * np.cos(turn), 0.3 * np.sin(turn), 1.2])
        pose = look_at(eye, eye + np.array([np.cos(turn), np.sin(turn), -0.3]))
        poses.append(pose)
        depth = room_depth(pose)
        Image.fromarray((depth * 1000).round().astype(np.uint16)).save(folder / f"depth/{number:05d}.png")
        paint = np.full((SIZE[1], SIZE[0], 3), PAINT, np.uint8)
        Image.fromarray(paint).save(folder / f"images/{number:05d}.png")
        lines.append(" ".join(f"{value:.8f}" for value in (Y_UP @ pose).ravel()))
    (folder / "poses.txt").write_text("\n".join(lines) + "\n")
    np.savetxt(folder / "K.txt", K)
    return folder, poses


def room_depth(pose):
    """z of the nearest wall, floor or ceiling of the box [-2, 2] x [-2, 2] x [0, 2.5], (H, W)."""
    u, v = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    rays = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones_like(u, float)], -1)
    world = rays @ pose[:3, :3].T
    nearest = np.full(u.shape, np.inf)
    for axis, (low, high) in enumerate([(-2, 2), (-2, 2), (0, 2.5)]):
        for wall in (low, high):
            with np.errstate(divide="ignore", invalid="ignore"):
                t = (wall - pose[axis, 3]) / world[..., axis]
            nearest = np.where((t > 0) & (t < nearest), t, nearest)
    return nearest


def read(folder):
    ref = SceneRef("room", "room")
    posed_rgbd.source_files(folder.parent, ref)
    return posed_rgbd.read_scene(folder.parent, ref, "v1", "MIT", posed_rgbd.Parameters())


def test_world_is_turned_and_the_room_fused_where_it_is(sequence):
    folder, poses = sequence
    scene = read(folder)
    assert scene.conventions["up"].startswith("+y")
    for frame, pose in zip(scene.frames, poses, strict=True):
        np.testing.assert_allclose(frame.camera_to_world, pose, atol=1e-7)
        np.testing.assert_allclose(frame.camera.intrinsics[:2, 2], (40, 30))
    vertices = scene.mesh.vertices
    walls = np.abs(np.abs(vertices[:, :2]) - 2).min(axis=1)
    level = np.minimum(np.abs(vertices[:, 2]), np.abs(vertices[:, 2] - 2.5))
    assert np.median(np.minimum(walls, level)) < 0.005
    assert np.percentile(np.minimum(walls, level), 95) < 0.02


def test_the_mesh_has_the_images_colors(sequence):
    colors = read(sequence[0]).mesh.colors
    assert np.abs(colors.astype(int) - PAINT).max() <= 1


def test_fusing_twice_gives_the_same_bytes(sequence):
    folder, _ = sequence
    one, two = read(folder).mesh, read(folder).mesh
    assert one.vertices.tobytes() == two.vertices.tobytes()
    assert one.faces.tobytes() == two.faces.tobytes()
    assert one.colors.tobytes() == two.colors.tobytes()


def test_frames_that_are_nearly_where_another_was_are_not_fused(sequence, monkeypatch):
    folder, _ = sequence
    lines = pose_lines(folder)
    near = [line if number % 2 == 0 else lines[number - 1] for number, line in enumerate(lines)]
    (folder / "poses.txt").write_text("\n".join(near))
    for number in range(1, 24, 2):
        for kind in ("images", "depth"):
            path = folder / kind / f"{number:05d}.png"
            path.write_bytes((folder / kind / f"{number - 1:05d}.png").read_bytes())
    monkeypatch.setattr(depth_consistency, "check_depths", lambda *_: "not looked at")
    read_depths = []
    own = posed_rgbd.read_depth
    monkeypatch.setattr(posed_rgbd, "read_depth", lambda *a: read_depths.append(a[1]) or own(*a))
    scene = read(folder)
    assert read_depths == [f"room/depth/{number:05d}.png" for number in range(0, 24, 2)]
    assert scene.conventions["mesh"] == "fused from 12 of 24 depth images at 0.03 m"
    # What is not fused is looked at all the same.
    path = folder / "depth/00003.png"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"room/depth/00003.png: the image is cut off"):
        read(folder)


def test_each_depth_image_is_decoded_once(sequence, monkeypatch):
    folder, _ = sequence
    counts = Counter()
    own = posed_rgbd.read_depth
    monkeypatch.setattr(posed_rgbd, "read_depth", lambda *a: counts.update([a[1]]) or own(*a))
    read(folder)
    assert len(counts) == 24
    assert set(counts.values()) == {1}


def pose_lines(folder):
    return (folder / "poses.txt").read_text().splitlines()


def damage_count(folder):
    (folder / "poses.txt").write_text("\n".join(pose_lines(folder)[:-1]))
    return "room/poses.txt: 23 poses for 24 images"


def damage_words(folder):
    lines = pose_lines(folder)
    lines[4] = "one " * 16
    (folder / "poses.txt").write_text("\n".join(lines))
    return "room/poses.txt: the pose in line 5 has 'one' where a number"


def damage_depth_missing(folder):
    (folder / "depth/00003.png").unlink()
    return "room/depth/00003.png: missing"


def damage_depth_cut(folder):
    path = folder / "depth/00003.png"
    path.write_bytes(path.read_bytes()[:200])
    return "room/depth/00003.png: not a readable image"


def damage_depth_size(folder):
    Image.fromarray(np.ones((10, 10), np.uint16)).save(folder / "depth/00003.png")
    return "room/depth/00003.png: 10 x 10 depth for a 80 x 60 image"


def damage_depth_blank(folder):
    for path in (folder / "depth").iterdir():
        Image.fromarray(np.zeros(SIZE[::-1], np.uint16)).save(path)
    return "room/depth: no surface"


def damage_focal(folder):
    np.savetxt(folder / "K.txt", np.diag([0.0, 70, 1]))
    return "room/K.txt: focal length 0"


def damage_no_images(folder):
    for path in (folder / "images").iterdir():
        path.unlink()
    return "room/images: no frames"


DAMAGES = [value for name, value in sorted(globals().items()) if name.startswith("damage_")]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.removeprefix("damage_"))
def test_bad_input_is_one_line_that_names_the_file(sequence, damage):
    folder, _ = sequence
    expected = damage(folder)
    with pytest.raises(InputError) as caught:
        read(folder)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_finds_a_sequence_in_the_root_and_below_it(sequence):
    folder, _ = sequence
    assert posed_rgbd.find_scenes(folder.parent) == [SceneRef("room", "room")]
    assert posed_rgbd.find_scenes(folder) == [SceneRef("room", ".")]


BOX = {"centroid": [1, 2, 0.5], "axesLengths": [2, 1, 1], "normalizedAxes": [0, 1, 0, -1, 0, 0, 0, 0, 1]}


def meta(tmp_path, **changes):
    scene = {"room_size": 12.5, "object_counts": {"tv": 1}, "object_bbox": {"tv": [BOX]}, **changes}
    (tmp_path / "x_meta_info_val.json").write_text(json.dumps({"scene0001_00": scene}))
    ref = vsibench.find_scenes(tmp_path)[0]
    return vsibench.read_scene(tmp_path, ref, "v1", "terms", vsibench.Parameters())


def test_vsibench_rows_are_axes(tmp_path):
    scene = meta(tmp_path)
    (item,) = scene.instances
    assert (item.label, item.category, scene.room_size) == ("tv", "television", 12.5)
    np.testing.assert_allclose(item.box.rotation[:, 0], [0, 1, 0])
    assert scene.object_counts == {"tv": 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"room_size": None}, "room_size is None, not a number up to"),
        ({"room_size": -1}, "room size -1"),
        ({"object_bbox": {}}, "has no boxes"),
        ({"object_bbox": {"tv": [{**BOX, "axesLengths": [1, -1, 1]}]}}, "negative length"),
        ({"object_bbox": {"tv": [{**BOX, "centroid": [1, float("nan"), 0]}]}}, "not a number"),
        ({"object_bbox": {"tv": [{**BOX, "normalizedAxes": [1] * 9}]}}, "not orthonormal"),
        ({"object_bbox": {"tv": [{"centroid": [1, 2, 3]}]}}, "axesLengths is None, not a list of 3"),
    ],
)
def test_vsibench_bad_input_names_the_file(tmp_path, changes, message):
    with pytest.raises(InputError, match=message) as caught:
        meta(tmp_path, **changes)
    assert str(caught.value).startswith("x_meta_info_val.json: ")
