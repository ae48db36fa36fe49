"""The rasterizer's rules: small scenes worked out by hand, and its slow twin on many random ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raster_twin import rasterize_twin

from benchmarks.rooms import free_poses, intrinsics_for, make_room
from spatial_assets.geometry import prepare_mesh, rasterize
from spatial_assets.geometry.drawable import face_areas

WIDTH, HEIGHT = 24, 18
K = np.array([[16.0, 0, 12], [0, 16, 9], [0, 0, 1]])
HERE = np.eye(4)


def draw(vertices, faces, k=K, pose=HERE, width=WIDTH, height=HEIGHT, near=0.05):
    return rasterize(prepare_mesh(vertices, faces), k, pose, width, height, near)


def rectangle(x0, y0, x1, y1, z=1.0):
    """Two faces that fill x0..x1, y0..y1 in pixels at depth z."""
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float)
    points = np.column_stack([(corners - K[:2, 2]) / 16 * z, np.full(4, z)])
    return points, np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def test_a_rectangle_covers_the_pixels_whose_centers_it_holds():
    face_id, depth = draw(*rectangle(3, 2, 7, 5, z=2.0))
    assert (face_id[2:5, 3:7] >= 0).all()
    assert (face_id >= 0).sum() == 12
    assert (depth[2:5, 3:7] == 2).all()
    assert np.isinf(depth[face_id < 0]).all()


def test_edges_on_pixel_centers_belong_to_the_left_and_the_top():
    face_id, _ = draw(*rectangle(3.5, 2.5, 7.5, 5.5))
    assert (face_id[2:5, 3:7] >= 0).all()
    assert (face_id >= 0).sum() == 12


def test_winding_and_the_order_of_corners_change_nothing():
    points, faces = rectangle(3.5, 2.5, 7.5, 5.5)
    expected = draw(points, faces)
    for turned in (faces[:, ::-1], np.roll(faces, 1, axis=1), np.roll(faces[:, ::-1], 1, axis=1)):
        for got, want in zip(draw(points, turned), expected, strict=True):
            assert np.array_equal(got, want)


def test_equal_depths_go_to_the_lower_index_in_any_order():
    points, faces = rectangle(3, 2, 9, 8, z=3.0)
    tilted = points @ np.array([[1, 0, 0.3], [0, 1, -0.2], [0, 0, 1]])
    for p in (points, tilted):
        twice = np.concatenate([faces, faces[:, ::-1], np.roll(faces, 1, axis=1)])
        assert draw(p, twice)[0].max() == 1
        # The same points under other numbers, in another order.
        doubled = np.concatenate([p, p[::-1]])
        assert draw(doubled, np.concatenate([7 - faces, faces]))[0].max() == 1


def test_depth_is_perspective_correct():
    # The plane z = 3 + x, seen from the origin: z = 3 / (1 - x') with x' the ray's slope.
    points = np.array([[-2, -9, 1], [9, -9, 12], [9, 9, 12], [-2, 9, 1]], float)
    face_id, depth = draw(points, [[0, 1, 2], [0, 2, 3]])
    slope = (np.arange(WIDTH) + 0.5 - 12) / 16
    expected = np.broadcast_to(3 / (1 - slope), depth.shape)
    assert (face_id >= 0).all()
    np.testing.assert_allclose(depth, expected, rtol=2e-7)


def test_a_floor_that_passes_under_the_camera_fills_the_picture_below_the_horizon():
    floor = np.array([[-50, 1, -50], [50, 1, -50], [50, 1, 50], [-50, 1, 50]], float)
    face_id, depth = draw(floor, [[0, 1, 2], [0, 2, 3]])
    rows = np.arange(HEIGHT) + 0.5 - 9
    expected = np.where(rows > 16 / 50, 16 / np.where(rows > 0, rows, 1), np.inf)
    assert ((face_id >= 0) == np.isfinite(expected)[:, None]).all()
    np.testing.assert_allclose(depth, np.broadcast_to(expected[:, None], depth.shape), rtol=1e-6)


def test_nothing_nearer_than_the_near_plane_is_drawn():
    # A ramp from behind the camera to far before it: y = 0.5 everywhere, so z = 8 / (row - 9).
    ramp = np.array([[-9, 0.5, -1], [9, 0.5, -1], [0, 0.5, 40]], float)
    for near in (0.05, 1.0, 1.5):
        _, depth = draw(ramp, [[0, 1, 2]], near=near)
        shown = depth[np.isfinite(depth)]
        assert shown.size and shown.min() >= near
        rows = np.flatnonzero(np.isfinite(depth[:, 12]))
        assert rows.max() == min(HEIGHT - 1, int(np.floor(9 + 8 / near - 0.5)))
    wall = rectangle(0, 0, 24, 18, z=0.5)
    assert (draw(*wall, near=0.5)[0] >= 0).all()
    assert (draw(*wall, near=0.5000001)[0] < 0).all()


def test_faces_that_cannot_be_drawn():
    good, faces = rectangle(0, 0, 24, 18, z=2.0)
    bad = np.array([[np.nan, 0, 1], [np.inf, 0, 1], [3e30, 0, 1], [0, 0, 1], [0.5, 0.5, 1]])
    points = np.concatenate([good, bad])
    extra = [[4, 0, 1], [5, 0, 1], [6, 0, 1], [7, 7, 8], [7, 8, 7], [0, 0, 0]]
    face_id, _ = draw(points, np.concatenate([extra, faces]))
    assert set(np.unique(face_id)) <= {6, 7}
    assert (face_areas(points, extra) == 0).all()
    edge_on = np.array([[0, 0, 1], [0, 0, 2], [1, 1, 3.0], [-1, -1, 3.0]])
    assert (draw(edge_on, [[0, 2, 3], [0, 1, 2]])[0] < 0).all()


def test_huge_coordinates_are_drawn_where_they_are():
    for reach in (1e4, 1e7, 1e9):
        wall = np.array([[-reach, -reach, 2], [reach, -reach, 2], [reach, reach, 2], [-reach, reach, 2.0]])
        face_id, depth = draw(wall, [[0, 1, 2], [0, 2, 3]])
        assert (face_id >= 0).all()
        np.testing.assert_allclose(depth, 2.0, rtol=1e-6)


@pytest.mark.parametrize("faces", [np.zeros((0, 3), np.int32), []])
def test_an_empty_mesh_gives_an_empty_picture(faces):
    for vertices in (np.zeros((0, 3)), np.ones((5, 3))):
        face_id, depth = draw(vertices, faces)
        assert (face_id == -1).all() and np.isinf(depth).all()
        assert face_id.dtype == np.int32 and depth.dtype == np.float32


@pytest.mark.parametrize("faces", [[[0, 1, 4]], [[0, -1, 2]], [[0.0, 1, 2]], [[0, 1]]])
def test_bad_faces_are_rejected(faces):
    with pytest.raises(ValueError, match=r"faces|face indices"):
        prepare_mesh(np.zeros((4, 3)), faces)


def test_bad_views_are_rejected():
    mesh = prepare_mesh(*rectangle(0, 0, 4, 4))
    for i, value in ((0, 0.0), (1, np.nan), (0, -3.0)):
        k = K.copy()
        k[i, i] = value
        with pytest.raises(ValueError, match=r"intrinsics|focal"):
            rasterize(mesh, k, HERE, 4, 4)
    for args in ((K, HERE * np.nan, 4, 4), (K, HERE[:3], 4, 4), (K, HERE, 0, 4)):
        with pytest.raises(ValueError):
            rasterize(mesh, *args)
    for near in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="near"):
            rasterize(mesh, K, HERE, 4, 4, near)


def rotation(values):
    """A rotation from three numbers (Cayley's form)."""
    a, b, c = values
    s = np.array([[0, -c, b], [c, 0, -a], [-b, a, 0]])
    return np.linalg.solve(np.eye(3) + s, np.eye(3) - s)


@st.composite
def scenes(draw_from):
    """Small meshes around the camera: any size, shared vertices, some behind it, some coordinates on a grid."""
    seed = draw_from(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    count = draw_from(st.integers(3, 14))
    spread = draw_from(st.sampled_from([0.3, 1.0, 4.0, 40.0]))
    forward = np.array([0, 0, draw_from(st.sampled_from([0.0, 1.0, 3.0]))])
    vertices = random.normal(0, spread, (count, 3)) + forward
    grid = draw_from(st.sampled_from([0.0, 0.25, 0.0625]))
    if grid:
        vertices = np.round(vertices / grid) * grid
    faces = random.integers(0, count, (draw_from(st.integers(1, 12)), 3))
    pose = np.eye(4)
    if not grid:
        pose[:3, :3] = rotation(random.normal(0, 0.5, 3))
        pose[:3, 3] = random.normal(0, 0.3, 3)
    k = K.copy()
    k[0, 1] = draw_from(st.sampled_from([0.0, 0.5]))
    width, height = draw_from(st.sampled_from([(24, 18), (33, 7), (1, 1), (64, 40)]))
    return vertices, faces, k, pose, width, height, draw_from(st.sampled_from([0.05, 0.5, 2.0]))


def assert_like_the_twin(scene):
    vertices, faces, k, pose, width, height, near = scene
    face_id, depth = draw(vertices, faces, k, pose, width, height, near)
    expected_id, expected_depth = rasterize_twin(vertices, faces, k, pose, width, height, near)
    assert np.array_equal(face_id, expected_id)
    assert np.array_equal(depth, expected_depth)


@settings(max_examples=400, deadline=None)
@given(scenes())
def test_every_pixel_is_the_twins(scene):
    assert_like_the_twin(scene)


@pytest.mark.prove
@settings(max_examples=10000, deadline=None)
@given(scenes())
def test_every_pixel_is_the_twins_ten_thousand_times(scene):
    assert_like_the_twin(scene)


def exact_face(points, x, y):
    """Exact coverage of the pixel center (x, y) by a triangle of rational u, v, w, and its 1/w there."""

    def cross(a, b):
        return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])

    edges = [cross(points[i], points[(i + 1) % 3]) for i in range(3)]
    volume = sum(e * p for e, p in zip(edges[0], points[2], strict=True))
    if volume == 0:
        return None
    sign = 1 if volume > 0 else -1
    total = Fraction(0)
    for a, b, c in edges:
        value = sign * (a * x + b * y + c)
        left_or_top = sign * a > 0 or (a == 0 and sign * b > 0)
        if value < 0 or (value == 0 and not left_or_top):
            return None
        total += value
    return total / abs(volume)


@pytest.mark.prove
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 4]))
def test_on_a_grid_every_pixel_is_right_in_exact_arithmetic(seed, parts):
    """Vertices, camera and pixel centers on a grid of powers of two: ties everywhere, and no rounding to hide in."""
    random = np.random.default_rng(seed)
    width, height, near = 10, 8, 0.5
    k = np.array([[8.0, 0, 5], [0, 8, 4], [0, 0, 1]])
    depths = random.choice([0.5, 1.0, 2.0, 4.0], 7)
    pixels = random.integers(-4 * parts, 14 * parts, (7, 2)) / parts + 0.5
    points = np.column_stack([(pixels - k[:2, 2]) / 8 * depths[:, None], depths])
    faces = random.integers(0, 7, (8, 3))
    face_id, depth = draw(points, faces, k, HERE, width, height, near)
    exact = [[Fraction(float(v)) for v in row] for row in np.column_stack([pixels * depths[:, None], depths])]
    for y in range(height):
        for x in range(width):
            center = Fraction(2 * x + 1, 2), Fraction(2 * y + 1, 2)
            found = [exact_face([exact[v] for v in corners], *center) for corners in faces]
            values = [v for v in found if v is not None]
            if not values:
                assert face_id[y, x] == -1
                continue
            nearest = max(values)
            # Depths that agree to 26 bits count as equal; the lowest index among them wins.
            tied = [
                f for f, v in enumerate(found) if v is not None and v >= nearest * (1 - Fraction(1, 2**27))
            ]
            assert face_id[y, x] in tied
            if all(found[f] == nearest for f in tied):
                assert face_id[y, x] == tied[0]
            assert abs(float(1 / nearest) - depth[y, x]) < 1e-6 * depth[y, x]


def claims(points, faces, **view):
    """(H, W): how many faces, each drawn alone, claim each pixel."""
    return sum((draw(points, faces[f : f + 1], **view)[0] >= 0).astype(int) for f in range(len(faces)))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 0.25, 0.0]))
def test_no_pixel_of_a_tessellated_rectangle_is_missed_or_claimed_twice(seed, grid):
    random = np.random.default_rng(seed)
    columns, rows = np.meshgrid(np.linspace(2.5, 20.5, 7), np.linspace(1.5, 15.5, 6))
    inside = np.zeros(columns.shape, bool)
    inside[1:-1, 1:-1] = True
    for axis in (columns, rows):
        shift = random.uniform(-0.7, 0.7, axis.shape)
        axis += np.where(inside, np.round(shift / grid) * grid if grid else shift, 0)
    depth = 2.0
    pixels = np.column_stack([columns.ravel(), rows.ravel()])
    points = np.column_stack([(pixels - K[:2, 2]) / 16 * depth, np.full(len(pixels), depth)])
    faces = []
    for i in range(5):
        for j in range(6):
            a, b, c, d = i * 7 + j, i * 7 + j + 1, (i + 1) * 7 + j + 1, (i + 1) * 7 + j
            faces += [[a, b, c], [a, c, d]] if random.random() < 0.5 else [[a, b, d], [b, c, d]]
    expected = np.zeros((HEIGHT, WIDTH), int)
    expected[1:15, 2:20] = 1
    assert np.array_equal(claims(points, np.array(faces)), expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_pixel_of_a_floor_through_the_camera_plane_is_missed_or_claimed_twice(seed):
    random = np.random.default_rng(seed)
    n = 6
    xs, zs = np.meshgrid(np.linspace(-6, 6, n), np.linspace(-6, 6, n))
    shift = random.uniform(-0.5, 0.5, (2, n, n))
    shift[:, [0, -1], :] = shift[:, :, [0, -1]] = 0
    points = np.column_stack([(xs + shift[0]).ravel(), np.ones(n * n), (zs + shift[1]).ravel()])
    faces = []
    for i in range(n - 1):
        for j in range(n - 1):
            a, b, c, d = i * n + j, i * n + j + 1, (i + 1) * n + j + 1, (i + 1) * n + j
            faces += [[a, b, c], [a, c, d]]
    pose = np.eye(4)
    pose[:3, :3] = rotation(random.normal(0, 0.3, 3))
    got = claims(points, np.array(faces), pose=pose)
    whole = draw([[-6, 1, -6], [6, 1, -6], [6, 1, 6], [-6, 1, 6]], [[0, 1, 2], [0, 2, 3]], pose=pose)[0] >= 0
    assert np.array_equal(got, whole.astype(int))


@pytest.fixture(scope="module")
def room():
    return make_room(6000, seed=3, size=(5.0, 4.0, 2.6), boxes=12, spheres=6)


def test_the_order_of_the_faces_changes_nothing(room):
    random = np.random.default_rng(0)
    k = intrinsics_for(160, 120)
    order = random.permutation(len(room.faces))
    straight = prepare_mesh(room.vertices, room.faces)
    shuffled = prepare_mesh(room.vertices, room.faces[order])
    for pose in free_poses(room, 6):
        face_id, depth = rasterize(straight, k, pose, 160, 120)
        other_id, other_depth = rasterize(shuffled, k, pose, 160, 120)
        assert np.array_equal(np.where(other_id < 0, -1, order[other_id]), face_id)
        assert np.array_equal(other_depth, depth)


def test_clusters_and_their_culling_change_nothing(room):
    k = intrinsics_for(64, 48)
    mesh = prepare_mesh(room.vertices, room.faces)
    for pose in free_poses(room, 2, seed=1):
        face_id, depth = rasterize(mesh, k, pose, 64, 48)
        expected_id, expected_depth = rasterize_twin(room.vertices, room.faces, k, pose, 64, 48)
        assert np.array_equal(face_id, expected_id)
        assert np.array_equal(depth, expected_depth)


def test_threads_side_by_side_give_what_one_gives(room):
    mesh = prepare_mesh(room.vertices, room.faces)
    views = [(pose, size) for pose in free_poses(room, 8) for size in ((160, 120), (96, 128))]

    def frame(view):
        pose, (width, height) = view
        return rasterize(mesh, intrinsics_for(width, height), pose, width, height)

    alone = [frame(view) for view in views]
    with ThreadPoolExecutor(4) as pool:
        for got, want in zip(pool.map(frame, views), alone, strict=True):
            assert np.array_equal(got[0], want[0]) and np.array_equal(got[1], want[1])


def test_stray_vertices_do_not_disturb_the_others(room):
    k = intrinsics_for(160, 120)
    pose = free_poses(room, 1)[0]
    expected = rasterize(prepare_mesh(room.vertices, room.faces), k, pose, 160, 120)
    points = np.concatenate([room.vertices, [[1e12, 0, 0], [np.nan, 0, 0], [0, -1e12, 5]]])
    n = len(room.vertices)
    faces = np.concatenate([room.faces, [[n, n, n + 2], [n + 1, 0, 1]]])
    got = rasterize(prepare_mesh(points, faces), k, pose, 160, 120)
    assert np.array_equal(got[0], expected[0]) and np.array_equal(got[1], expected[1])
