"""The visibility table's numbers against slow, plain counterparts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.rooms import free_poses, intrinsics_for, make_room
from spatial_assets.geometry import prepare_mesh, rasterize
from spatial_assets.geometry.instances import prepare_instances
from spatial_assets.geometry.visibility import frame_visibility

K = np.array([[16.0, 0, 12], [0, 16, 9], [0, 0, 1]])
HERE = np.eye(4)


def rectangle(x0, y0, x1, y1, z):
    """Two faces that fill x0..x1, y0..y1 in pixels at depth z."""
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float)
    return np.column_stack([(corners - K[:2, 2]) / 16 * z, np.full(4, z)]), np.array([[0, 1, 2], [0, 2, 3]])


def several(*parts):
    """Meshes as one, and which part each face came from."""
    offsets = np.cumsum([0, *(len(p) for p, _ in parts)])
    faces = np.concatenate([f + o for (_, f), o in zip(parts, offsets, strict=False)])
    part = np.repeat(np.arange(len(parts)), [len(f) for _, f in parts])
    return np.concatenate([p for p, _ in parts]), faces, part.astype(np.int32)


def look(vertices, faces, owner, k=K, pose=HERE, width=24, height=18, **rest):
    mesh = prepare_mesh(vertices, faces)
    return frame_visibility(mesh, prepare_instances(mesh, owner), k, pose, width, height, **rest)


def test_a_rectangle_half_behind_another_and_a_third_outside():
    vertices, faces, part = several(
        rectangle(2, 2, 10, 8, 3.0), rectangle(6, 0, 14, 18, 2.0), rectangle(-6, 10, 3, 12, 1.0)
    )
    seen = look(vertices, faces, np.array([70, 7, 30], np.int32)[part])
    assert seen.instance.tolist() == [7, 30, 70]
    assert seen.visible_px.tolist() == [8 * 18, 3 * 2, 4 * 6]
    assert seen.amodal_px.tolist() == [8 * 18, 3 * 2, 8 * 6]
    np.testing.assert_allclose(seen.truncation, [0, 6 / 9, 0], atol=1e-15)
    assert seen.truncation[2] == 0
    assert seen.box.tolist() == [[6, 0, 14, 18], [0, 10, 3, 12], [2, 2, 6, 8]]
    assert seen.amodal_box.tolist() == [[6, 0, 14, 18], [0, 10, 3, 12], [2, 2, 10, 8]]
    assert seen.depth_min.tolist() == pytest.approx([2, 1, 3], rel=1e-7)
    assert seen.depth_max.tolist() == pytest.approx([2, 1, 3], rel=1e-7)
    assert seen.marker.tolist() == [[9, 3], [0, 10], [3, 3]]
    assert seen.marker_radius.tolist() == [3.5, 0.5, 1.5]
    assert seen.instance_image.shape == (18, 24)
    assert np.unique(seen.instance_image).tolist() == [-1, 7, 30, 70]


def test_hidden_and_unseen_instances():
    hidden = rectangle(8, 8, 10, 10, 3.0)
    wall = rectangle(0, 0, 24, 18, 2.0)
    behind = rectangle(8, 8, 10, 10, -3.0)
    vertices, faces, part = several(hidden, wall, behind)
    owner = np.array([5, -1, 6], np.int32)[part]
    seen = look(vertices, faces, owner)
    assert seen.instance.tolist() == [5]
    assert seen.visible_px.tolist() == [0] and seen.amodal_px.tolist() == [4]
    assert seen.marker.tolist() == [[-1, -1]]
    for value in (seen.box, seen.depth_min, seen.depth_max, seen.marker_radius):
        assert np.isnan(value).all()
    assert seen.visible_faces.tolist() == [2, 3]
    assert (seen.instance_image == -1).all()
    assert look(vertices, faces, owner, amodal=False).instance.tolist() == []


def test_without_the_amodal_side():
    vertices, faces, part = several(rectangle(2, 2, 10, 8, 3.0), rectangle(6, 0, 14, 18, 2.0))
    full, lean = look(vertices, faces, part), look(vertices, faces, part, amodal=False)
    assert lean.amodal_px.tolist() == [-1, -1]
    assert np.isnan(lean.truncation).all() and np.isnan(lean.amodal_box).all()
    for name in (
        "instance",
        "visible_px",
        "box",
        "marker",
        "marker_radius",
        "visible_faces",
        "instance_image",
    ):
        assert np.array_equal(getattr(full, name), getattr(lean, name))


def test_truncation_by_each_side_and_by_the_near_plane():
    for square in ((-4, 4, 4, 12), (20, 4, 28, 12), (8, -4, 16, 4), (8, 14, 16, 22)):
        seen = look(*rectangle(*square, 2.0), np.zeros(2, np.int32))
        assert seen.truncation[0] == pytest.approx(0.5, abs=1e-15)
    corner = look(*rectangle(-4, -4, 4, 4, 2.0), np.zeros(2, np.int32))
    assert corner.truncation[0] == pytest.approx(0.75, abs=1e-15)
    # A strip down the middle of the view, from z = -3 to z = 5; near 1 leaves half of it.
    strip = np.array([[-0.1, 0, -3], [0.1, 0, -3], [0.1, 0.2, 5], [-0.1, 0.2, 5]])
    seen = look(strip, [[0, 1, 2], [0, 2, 3]], np.zeros(2, np.int32), near=1.0)
    assert seen.truncation[0] == pytest.approx(0.5, abs=1e-12)


def test_bad_instances_are_rejected():
    mesh = prepare_mesh(*rectangle(0, 0, 4, 4, 1.0))
    for owner in ([0], [0, -2], [0.0, 1.0], [0, 2**40]):
        with pytest.raises(ValueError, match="instance"):
            prepare_instances(mesh, np.array(owner))


def test_no_instances_and_no_faces():
    mesh = prepare_mesh(*rectangle(0, 0, 4, 4, 1.0))
    seen = frame_visibility(mesh, prepare_instances(mesh, np.array([-1, -1])), K, HERE, 24, 18)
    assert len(seen.instance) == 0 and seen.visible_faces.tolist() == [0, 1]
    empty = prepare_mesh(np.zeros((0, 3)), [])
    seen = frame_visibility(empty, prepare_instances(empty, np.zeros(0, np.int32)), K, HERE, 24, 18)
    assert len(seen.instance) == 0 and len(seen.visible_faces) == 0
    broken = prepare_mesh(np.full((3, 3), np.nan), [[0, 1, 2]])
    seen = frame_visibility(broken, prepare_instances(broken, np.array([4])), K, HERE, 24, 18)
    assert len(seen.instance) == 0


def largest_odd_square(mine):
    """(side, x, y) of the largest odd square of True, the first by (y, x) of its center; by trying them all."""
    height, width = mine.shape
    for half in range(min(height, width) // 2, -1, -1):
        for y in range(half, height - half):
            for x in range(half, width - half):
                if mine[y - half : y + half + 1, x - half : x + half + 1].all():
                    return 2 * half + 1, x, y
    return 0, -1, -1


def sampled_truncation(corners, p, width, height, near, steps=40):
    """Share of a set of triangles (T, 3, 3) outside the view, by dense sampling."""
    i, j = np.meshgrid(np.arange(steps), np.arange(steps), indexing="ij")
    keep = i + j < steps
    a, b = (i[keep] + 1 / 3) / steps, (j[keep] + 1 / 3) / steps
    weights = np.stack([1 - a - b, a, b], 1)
    areas = 0.5 * np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    points = np.einsum("sk,tkc->tsc", weights, corners)
    u, v, w = np.moveaxis(points @ p[:, :3].T + p[:, 3], -1, 0)
    inside = (w >= near) & (u >= 0) & (v >= 0) & (u <= width * w) & (v <= height * w)
    return 1 - (inside.mean(axis=1) * areas).sum() / areas.sum()


def assert_table(vertices, faces, owner, k, pose, width, height, near):
    mesh = prepare_mesh(vertices, faces)
    seen = frame_visibility(mesh, prepare_instances(mesh, owner), k, pose, width, height, near)
    face_id, depth = rasterize(mesh, k, pose, width, height, near)
    image = np.where(face_id >= 0, owner[face_id], -1)
    assert np.array_equal(seen.instance_image, image)
    assert np.array_equal(seen.visible_faces, np.unique(face_id[face_id >= 0]))
    row = 0
    for instance in np.unique(owner[owner >= 0]):
        own = np.flatnonzero(owner == instance)
        # Through faces and vertices of its own, so that clusters and vertex numbers differ.
        used, renumbered = np.unique(faces[own], return_inverse=True)
        alone = (
            rasterize(prepare_mesh(vertices[used], renumbered.reshape(-1, 3)), k, pose, width, height, near)[
                0
            ]
            >= 0
        )
        visible = image == instance
        if not alone.any():
            assert instance not in seen.instance
            continue
        assert seen.instance[row] == instance
        assert seen.amodal_px[row] == alone.sum()
        assert seen.visible_px[row] == visible.sum()
        ys, xs = np.nonzero(alone)
        assert seen.amodal_box[row].tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        shown = set(faces[np.intersect1d(seen.visible_faces, own)].ravel().tolist())
        assert seen.visible_vertex_fraction[row] == len(shown) / len(used)
        p = k @ pose[:3]
        outside = sampled_truncation(vertices[faces[own]], p, width, height, near)
        assert seen.truncation[row] == pytest.approx(outside, abs=0.04)
        side, x, y = largest_odd_square(visible)
        assert seen.marker[row].tolist() == [x, y]
        if visible.any():
            ys, xs = np.nonzero(visible)
            assert seen.box[row].tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
            assert image[y, x] == instance
            assert seen.marker_radius[row] == side / 2
            assert np.float32(seen.depth_min[row]) == depth[visible].min()
            assert np.float32(seen.depth_max[row]) == depth[visible].max()
        row += 1
    assert row == len(seen.instance)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.5, 2.0, 10.0]),
    st.sampled_from([(24, 18), (70, 9), (40, 40), (1, 1)]),
    st.sampled_from([0.05, 0.6]),
)
def test_every_number_of_random_tables(seed, spread, size, near):
    random = np.random.default_rng(seed)
    vertices = random.normal(0, spread, (12, 3)) + np.array([0, 0, 2])
    faces = np.array([random.permutation(12)[:3] for _ in range(10)])
    owner = random.choice([-1, 2, 3, 900], 10).astype(np.int32)
    assert_table(vertices, faces, owner, K, HERE, *size, near)


@pytest.mark.prove
def test_every_number_of_a_furnished_room():
    room = make_room(5000, seed=5, size=(4.0, 3.5, 2.5), boxes=8, spheres=5)
    k = intrinsics_for(100, 75)
    for pose in free_poses(room, 3):
        assert_table(room.vertices, room.faces, room.face_instance, k, pose, 100, 75, 0.05)
