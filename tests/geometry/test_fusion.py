from __future__ import annotations

import numpy as np
import pytest

from spatial_assets.geometry import fusion
from spatial_assets.geometry.fusion import View, fuse, places_of
from spatial_assets.geometry.rasterize import prepare_mesh, rasterize
from spatial_assets.scene.model import rigid_inverse

SIZE = (96, 72)
K = np.array([[80.0, 0, 48], [0, 80.0, 36], [0, 0, 1]])
RADIUS = 0.8
PAINT = (10, 120, 250)
VOXEL, BAND = 0.03, 3.0


def looking_at_the_middle(eye):
    forward = -np.asarray(eye) / np.linalg.norm(eye)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = eye
    return pose


def ball_depth(pose):
    """z of a ball at the origin, 0 beside it."""
    u, v = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    rays = np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(K).T @ pose[:3, :3].T
    eye = pose[:3, 3]
    a, b, c = (rays**2).sum(-1), rays @ eye, eye @ eye - RADIUS**2
    root = b * b - a * c
    with np.errstate(invalid="ignore"):
        return np.where(root > 0, (-b - np.sqrt(root)) / a, 0).astype(np.float32)


def around(count=24, distance=2.2):
    turns = 2 * np.pi * np.arange(count) / count
    eyes = [distance * np.array([np.cos(t), np.sin(t), 0.45 * (-1) ** k]) for k, t in enumerate(turns)]
    return [looking_at_the_middle(eye) for eye in eyes]


def view(pose, depth=None, color=None):
    shown = np.full((SIZE[1], SIZE[0], 3), PAINT, np.uint8)
    return View(ball_depth(pose) if depth is None else depth, color or (lambda: shown), K, pose)


def ball(poses=None, min_weight=0.0):
    return fuse([view(pose) for pose in poses or around()], VOXEL, 10.0, BAND, min_weight)


def test_the_surface_lies_where_the_depth_says():
    mesh = ball()
    off = np.abs(np.linalg.norm(mesh.vertices.astype(float), axis=1) - RADIUS)
    print(f"median {np.median(off) * 1e3:.2f} mm, 95th percentile {np.percentile(off, 95) * 1e3:.2f} mm")
    assert np.median(off) < 0.002
    assert np.percentile(off, 95) < 0.006


def test_faces_are_seen_counter_clockwise_from_outside():
    mesh = ball()
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(float) for i in range(3))
    assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), a) > 0).mean() > 0.999


def test_no_hole_is_left_in_what_is_seen():
    poses = around()
    mesh = ball(poses)
    prepared = prepare_mesh(mesh.vertices, mesh.faces)
    seen = hit = 0
    for pose in poses:
        face, _ = rasterize(prepared, K, rigid_inverse(pose), *SIZE)
        inner = ball_depth(pose) > 0
        # The outline is a voxel wide.
        inner &= np.roll(inner, 2, 0) & np.roll(inner, -2, 0) & np.roll(inner, 2, 1) & np.roll(inner, -2, 1)
        seen, hit = seen + int(inner.sum()), hit + int((inner & (face >= 0)).sum())
    assert hit / seen > 0.9995


def test_no_face_lacks_area_and_no_edge_has_three_faces_on_a_ball():
    mesh = ball()
    assert len(np.unique(mesh.faces, axis=0)) == len(mesh.faces)
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    assert ((a != b).any(1) & (b != c).any(1) & (a != c).any(1)).all()
    edges = np.sort(
        np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]]), axis=1
    )
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert (counts <= 2).mean() > 0.999


@pytest.mark.parametrize("room", [1, 7, 5000])
def test_the_room_that_is_reserved_changes_nothing(monkeypatch, room):
    expected = ball()
    for name in ("FIRST_ROOM", "POINTS_A_BLOCK", "FACES_A_POINT"):
        monkeypatch.setattr(fusion, name, room if name == "FIRST_ROOM" else min(room, 1))
    found = ball()
    for name in ("vertices", "faces", "colors"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes()


def test_a_scene_elsewhere_is_the_same_but_for_its_place():
    """Blocks on both sides of the origin have neighbors as others do."""
    shift = np.array([-40.0, 25, 3]) * 8 * VOXEL
    moved = []
    for pose in around():
        other = pose.copy()
        other[:3, 3] += shift
        moved.append(View(ball_depth(pose), view(pose).color, K, other))
    expected, found = ball(), fuse(moved, VOXEL, 10.0, BAND, 0.0)
    assert abs(len(found.faces) - len(expected.faces)) < 0.01 * len(expected.faces)
    off = np.abs(np.linalg.norm(found.vertices.astype(float) - shift, axis=1) - RADIUS)
    assert np.percentile(off, 95) < 0.006


def test_a_voxel_needs_more_observations_than_the_least():
    one = around()[:1]
    assert len(ball(one).faces) > 500
    assert len(ball(one, min_weight=1.0).faces) == 0
    assert len(ball(one * 2, min_weight=1.0).faces) == len(ball(one).faces)


@pytest.mark.parametrize("depth", [0.0, 11.0, np.nan, np.inf, -1.0])
def test_views_that_show_nothing_make_no_mesh(depth):
    blank = np.full(SIZE[::-1], depth, np.float32)
    mesh = fuse([view(around()[0], blank)] * 3, VOXEL, 10.0, BAND, 0.0)
    assert mesh.vertices.shape == mesh.faces.shape == (0, 3)
    assert len(fuse([], VOXEL, 10.0, BAND, 0.0).faces) == 0


def test_what_lies_beyond_all_blocks_is_left_out():
    pose = around()[0]
    far = pose.copy()
    far[:3, 3] = 1e9
    expected = ball([pose])
    found = fuse([view(pose), view(far, ball_depth(pose))], VOXEL, 10.0, BAND, 0.0)
    np.testing.assert_array_equal(found.vertices, expected.vertices)


def test_few_color_images_are_read_and_points_without_one_take_the_nearest():
    asked = []

    def color_of(number):
        def read():
            asked.append(number)
            return np.full((SIZE[1], SIZE[0], 3), PAINT, np.uint8)

        return read

    views = [view(pose, color=color_of(number)) for number, pose in enumerate(around())]
    mesh = fuse(views, VOXEL, 10.0, BAND, 0.0)
    assert 0 < len(asked) <= 12
    assert len(set(asked)) == len(asked)
    np.testing.assert_array_equal(mesh.colors, np.tile(PAINT, (len(mesh.vertices), 1)))


def test_a_color_is_taken_where_it_is_seen_and_not_through_the_ball():
    front, back = looking_at_the_middle([2.2, 0, 0.1]), looking_at_the_middle([-2.2, 0, 0.1])
    paints = [np.full((SIZE[1], SIZE[0], 3), paint, np.uint8) for paint in ((200, 0, 0), (0, 0, 200))]
    views = [
        view(pose, color=lambda paint=paint: paint) for pose, paint in zip((front, back), paints, strict=True)
    ]
    mesh = fuse(views, VOXEL, 10.0, BAND, 0.0)
    x = mesh.vertices[:, 0]
    np.testing.assert_array_equal(mesh.colors[x > 0.4], np.tile((200, 0, 0), ((x > 0.4).sum(), 1)))
    np.testing.assert_array_equal(mesh.colors[x < -0.4], np.tile((0, 0, 200), ((x < -0.4).sum(), 1)))


def test_keys_are_places():
    places = np.array([[0, 0, 0], [-3, 5, 1], [(1 << 20) - 2, -(1 << 20) + 1, 0]])
    shifted = places + fusion.KEY_MIDDLE
    keys = (shifted[:, 0] << 2 * fusion.KEY_BITS) | (shifted[:, 1] << fusion.KEY_BITS) | shifted[:, 2]
    np.testing.assert_array_equal(places_of(keys), places)
