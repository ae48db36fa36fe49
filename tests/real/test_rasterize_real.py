"""The rasterizer on a real apartment: against Open3D's ray caster, and against the depth camera itself."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmarks.ray_reference import compare, ray_caster
from spatial_assets.geometry import prepare_mesh, rasterize
from spatial_assets.geometry.instances import prepare_instances
from spatial_assets.geometry.visibility import frame_visibility
from spatial_assets.scene.model import rigid_inverse

pytestmark = pytest.mark.slow

VOXEL = 0.02
FARTHEST = 4.0
"""Meters: the sensor's depth is noise beyond."""
HELD_OUT = 10
"""Every tenth frame is kept out of the fusion, to compare with."""


@pytest.fixture(scope="module")
def apartment(fixtures):
    """Intrinsics (pixel centers at integers, as Open3D's fusion has them), poses and depths (meters, 0 = none)."""
    folder = fixtures / "scenes" / "posed_rgbd" / "hololens_000"
    poses = np.loadtxt(folder / "poses.txt").reshape(-1, 4, 4)
    # Written with six digits: without the nearest true rotation the two sides would invert them differently.
    u, _, vt = np.linalg.svd(poses[:, :3, :3])
    poses[:, :3, :3] = u @ vt
    names = sorted((folder / "depth").glob("*.png"))
    depths = [np.asarray(Image.open(name)).astype(np.float32) / 1000 for name in names]
    assert len(poses) == len(depths)
    return np.loadtxt(folder / "K.txt"), poses, depths


@pytest.fixture(scope="module")
def fused(apartment):
    """The mesh fused from all frames but the held-out ones."""
    import open3d as o3d

    k, poses, depths = apartment
    grid = o3d.t.geometry.VoxelBlockGrid(
        ("tsdf", "weight"), (o3d.core.float32, o3d.core.float32), ((1), (1)), VOXEL, 16, 20000
    )
    intrinsics = o3d.core.Tensor(k)
    for i, (pose, depth) in enumerate(zip(poses, depths, strict=True)):
        if i % HELD_OUT == 0:
            continue
        extrinsics = o3d.core.Tensor(rigid_inverse(pose))
        image = o3d.t.geometry.Image(o3d.core.Tensor(depth))
        blocks = grid.compute_unique_block_coordinates(image, intrinsics, extrinsics, 1.0, FARTHEST)
        grid.integrate(blocks, image, intrinsics, extrinsics, 1.0, FARTHEST)
    mesh = grid.extract_triangle_mesh(weight_threshold=1.0)
    return mesh.vertex.positions.numpy().astype(np.float64), mesh.triangle.indices.numpy().astype(np.int32)


def view(apartment, i):
    """Intrinsics with pixel centers at integer + 0.5, world-to-camera pose and image size of a frame."""
    k, poses, depths = apartment
    centered = k + np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    height, width = depths[i].shape
    return centered, rigid_inverse(poses[i]), width, height


@pytest.mark.prove
def test_the_same_faces_as_the_ray_caster(apartment, fused):
    vertices, faces = fused
    assert len(faces) > 50_000
    mesh, caster = prepare_mesh(vertices, faces), ray_caster(vertices, faces)
    # Rays start at the eye, so nothing may be cut off by the near plane.
    frames = []
    for i in range(0, 120, 12):
        k, pose, width, height = view(apartment, i)
        frames.append((pose, rasterize(mesh, k, pose, width, height, near=0.001)))
    agreement = compare(caster, vertices, faces, k, frames)
    print(f"{len(faces)} faces: {agreement}")
    assert agreement.same >= 0.9999
    assert agreement.unexplained == 0


@pytest.mark.prove
def test_the_depth_camera_agrees_on_frames_that_were_not_fused(apartment, fused):
    mesh = prepare_mesh(*fused)
    errors, measured = [], 0
    for i in range(0, 120, HELD_OUT):
        _, depth = rasterize(mesh, *view(apartment, i))
        sensor = apartment[2][i]
        usable = (sensor > 0) & (sensor < FARTHEST)
        both = np.isfinite(depth) & usable
        measured += int(usable.sum())
        errors.append(np.abs(depth[both] - sensor[both]))
    compared = np.concatenate(errors)
    median = float(np.median(compared))
    print(
        f"median depth error {median * 100:.2f} cm over {len(compared) / measured:.0%} of the measured pixels"
    )
    assert len(compared) > 0.5 * measured
    assert median < VOXEL / 2


@pytest.mark.prove
def test_lone_instances_cover_their_amodal_pixels(apartment, fused):
    vertices, faces = fused
    # Slices of the apartment one meter thick stand in for labels, which this sequence has not.
    owner = np.floor(vertices[faces].mean(axis=1)[:, 0]).astype(np.int32)
    owner -= owner.min()
    mesh = prepare_mesh(vertices, faces)
    instances = prepare_instances(mesh, owner)
    for i in (5, 60):
        k, pose, width, height = view(apartment, i)
        seen = frame_visibility(mesh, instances, k, pose, width, height)
        assert len(seen.instance) > 1
        for instance, amodal in zip(seen.instance, seen.amodal_px, strict=True):
            alone = rasterize(prepare_mesh(vertices, faces[owner == instance]), k, pose, width, height)[0]
            assert (alone >= 0).sum() == amodal
