"""Visibility from an image of instance ids alone: the same numbers as from the mesh, and as by counting pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_visibility import largest_odd_square

from benchmarks.rooms import free_poses, intrinsics_for, make_room
from spatial_assets.geometry import prepare_mesh, rasterize
from spatial_assets.geometry.instances import prepare_instances
from spatial_assets.geometry.visibility import frame_visibility, image_visibility

ALIKE = (
    "instance",
    "visible_px",
    "box",
    "marker",
    "marker_radius",
    "instance_image",
    "depth_min",
    "depth_max",
)


def test_the_image_that_a_mesh_gives_tells_the_same():
    room = make_room(6000, seed=5, size=(4.0, 3.5, 2.5), boxes=8, spheres=5)
    mesh = prepare_mesh(room.vertices, room.faces)
    instances = prepare_instances(mesh, room.face_instance)
    size = (131, 77)
    k = intrinsics_for(*size)
    instances_seen = 0
    for pose in free_poses(room, 6):
        whole = frame_visibility(mesh, instances, k, pose, *size, amodal=False)
        found = image_visibility(whole.instance_image, rasterize(mesh, k, pose, *size)[1])
        instances_seen += len(found.instance)
        for name in ALIKE:
            # The table from the mesh keeps depths that the image rounds to 32 bits.
            expected = getattr(whole, name)
            expected = expected.astype(np.float32) if name.startswith("depth") else expected
            np.testing.assert_array_equal(getattr(found, name), expected, err_msg=name)
    assert instances_seen > 12


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(1, 1), (3, 40), (17, 16), (33, 9)]), st.integers(1, 6))
def test_every_number_by_counting(seed, shape, block):
    random = np.random.default_rng(seed)
    coarse = random.choice([-1, 0, 5, 70_000], (-(-shape[0] // block), -(-shape[1] // block)))
    image = np.kron(coarse, np.ones((block, block), int))[: shape[0], : shape[1]]
    depth = random.choice([0.0, -1.0, np.nan, np.inf, 0.5, 1.25, 3.0], shape).astype(np.float32)
    found = image_visibility(image, depth)
    assert found.instance.tolist() == [i for i in np.unique(image).tolist() if i >= 0]
    assert np.array_equal(found.instance_image, image)
    for row, instance in enumerate(found.instance.tolist()):
        mine = image == instance
        ys, xs = np.nonzero(mine)
        side, x, y = largest_odd_square(mine)
        assert found.visible_px[row] == mine.sum()
        assert found.box[row].tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        assert found.marker[row].tolist() == [x, y]
        assert found.marker_radius[row] == side / 2
        with np.errstate(invalid="ignore"):
            measured = depth[mine & (depth > 0) & (depth < np.inf)]
        bounds = [measured.min(), measured.max()] if len(measured) else [np.nan, np.nan]
        np.testing.assert_array_equal([found.depth_min[row], found.depth_max[row]], bounds)


def test_what_only_a_mesh_can_tell_is_missing():
    found = image_visibility(np.array([[3, 3], [-1, 3]], np.int16))
    assert found.amodal_px.tolist() == [-1]
    for name in ("truncation", "visible_vertex_fraction", "amodal_box", "depth_min", "depth_max"):
        assert np.isnan(getattr(found, name)).all()
    assert len(found.visible_faces) == 0
    assert len(image_visibility(np.full((2, 3), -1)).instance) == 0


@pytest.mark.parametrize(
    ("image", "depth", "error"),
    [
        (np.zeros(4, int), None, "shape"),
        (np.zeros((0, 4), int), None, "shape"),
        (np.zeros((2, 2)), None, "integers"),
        (np.full((2, 2), -2), None, "found -2"),
        (np.full((2, 2), 2**31), None, "found"),
        (np.zeros((2, 2), int), np.zeros((2, 3)), "same shape"),
    ],
)
def test_other_input_is_rejected(image, depth, error):
    with pytest.raises(ValueError, match=error):
        image_visibility(image, depth)
