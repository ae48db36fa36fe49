"""A real scene of Hypersim: its poses and distances through the published camera, and through ours."""

from __future__ import annotations

import numpy as np
import pytest
from hypersim_files import LENSES, PUBLISHED, RAYS_037_002, lens_row, write_lenses

from spatial_assets.geometry.cameras import project
from spatial_assets.readers import hdf5, hypersim, rendered
from spatial_assets.readers.hypersim_cameras import read_lens
from spatial_assets.scene.model import Frame, rigid_inverse
from spatial_assets.scene.refs import SceneRef

NAME = "ai_037_002"
REF = SceneRef(NAME, NAME)
SIZE = (1024, 768)
DEPTH = f"{NAME}/images/scene_cam_00_geometry_hdf5/frame.0000.depth_meters.hdf5"


@pytest.fixture(scope="module")
def root(fixtures):
    folder = fixtures / "scenes/hypersim"
    if not (folder / DEPTH).is_file():
        pytest.skip("no scene of Hypersim among the real data")
    return folder


@pytest.fixture(scope="module")
def lens(tmp_path_factory):
    """The camera from its published row, both matrices as they are printed there."""
    folder = tmp_path_factory.mktemp("lens")
    unit, projection = PUBLISHED[NAME]
    write_lenses(folder / LENSES, [lens_row(NAME, unit, projection, RAYS_037_002, SIZE)])
    return read_lens(folder, LENSES, NAME, unit)


def published_pixels(root, number, points):
    """World points in meters through the published matrices: pixels, with corners at integers."""
    unit, projection = PUBLISHED[NAME]
    folder = f"{NAME}/_detail/cam_00/camera_keyframe"
    rotation = hdf5.read_array(root, f"{folder}_orientations.hdf5", "dataset", (None, 3, 3))[number]
    position = hdf5.read_array(root, f"{folder}_positions.hdf5", "dataset", (None, 3))[number]
    x, y, w = np.array(projection) @ (rotation.T @ (points / unit - position).T)
    return np.stack([(x / w + 1) / 2 * SIZE[0], (1 - y / w) / 2 * SIZE[1]], axis=1)


def frame_of(root, lens, number):
    unit, _ = PUBLISHED[NAME]
    camera, turn = lens.camera(SIZE)
    pose = hypersim._Trajectory(root, REF, "cam_00", unit).pose(number).copy()
    pose[:3, :3] = pose[:3, :3] @ turn.T
    return Frame("0", camera, pose)


@pytest.mark.parametrize("number", range(0, 100, 7))
def test_points_are_seen_where_the_published_matrix_sees_them(root, lens, number):
    frame = frame_of(root, lens, number)
    local = np.random.default_rng(number).uniform([-2, -1.5, 3], [2, 1.5, 9], (1000, 3))
    points = local @ frame.camera_to_world[:3, :3].T + frame.camera_to_world[:3, 3]
    ours, z = project(points, frame.camera.intrinsics, rigid_inverse(frame.camera_to_world))
    np.testing.assert_allclose(ours, published_pixels(root, number, points), atol=1e-4)
    np.testing.assert_allclose(z, local[:, 2])


@pytest.fixture(scope="module")
def world(root, lens):
    """Points (H, W, 3) of frame 0 by our camera, from distances turned into depth along z."""
    frame = frame_of(root, lens, 0)
    distances = hdf5.read_array(root, DEPTH, "dataset", SIZE[::-1], hdf5.REALS).astype(np.float64)
    z = distances * rendered.along_ray(frame.camera)
    local = rendered.rays(frame.camera) * z[..., None]
    return local @ frame.camera_to_world[:3, :3].T + frame.camera_to_world[:3, 3]


def test_what_is_put_into_space_is_seen_at_its_own_pixel(root, world):
    columns, rows = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    pixels = published_pixels(root, 0, world.reshape(-1, 3))
    np.testing.assert_allclose(pixels, np.stack([columns.ravel(), rows.ravel()], axis=1), atol=1e-4)


def test_the_floor_is_flat_and_at_zero(world):
    """The commonest height of the image's lower half, and of each of its quarters across: nothing leans."""
    for part in (world[384:], *np.array_split(world[384:], 4, axis=1)):
        heights = part[..., 2][np.abs(part[..., 2]) < 0.3]
        assert len(heights) > 5000
        counts, edges = np.histogram(heights, bins=60, range=(-0.3, 0.3))
        assert abs(edges[counts.argmax()] + 0.005) <= 0.0101


def test_the_room_is_as_large_as_a_room(world):
    low, high = np.quantile(world.reshape(-1, 3), [0.001, 0.999], axis=0)
    assert (high - low < [9, 14, 4]).all() and (high - low > [4, 6, 2.5]).all()
