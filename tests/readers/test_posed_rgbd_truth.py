"""The mesh that is fused from a studio's depth images against the mesh that they are images of."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_assets.geometry.rasterize import prepare_mesh, rasterize
from spatial_assets.readers import posed_rgbd, scannet
from spatial_assets.scene.model import rigid_inverse
from spatial_assets.studio.write import write_scenes

SEED, FACES, FRAMES, SIZE = 9, 12_000, 40, (320, 240)
MEDIAN, NINETY_FIFTH = 0.002, 0.015
"""Meters from the mesh's points to the true surface."""
SEEN_MEDIAN, SEEN_NINETIETH = 0.002, 0.03
"""Meters between what a frame sees of the fused mesh and of the true one."""
SEEN = 0.97
"""Of the pixels where the true one is seen."""


@pytest.fixture(scope="module")
def fused(tmp_path_factory):
    root = tmp_path_factory.mktemp("studio")
    scenes = {}
    for layout, reader in (("posed_rgbd", posed_rgbd), ("scannet", scannet)):
        write_scenes(root / layout, layout, 1, SEED, FACES, FRAMES, SIZE)
        (ref,) = reader.find_scenes(root / layout)
        scenes[layout] = reader.read_scene(root / layout, ref, "studio", "terms", reader.Parameters())
    return scenes["posed_rgbd"], scenes["scannet"]


def test_points_lie_on_the_true_surface(fused):
    open3d = pytest.importorskip("open3d")
    found, true = fused
    for one, other in zip(found.frames, true.frames, strict=True):
        np.testing.assert_allclose(one.camera_to_world, other.camera_to_world, atol=1e-5)
    caster = open3d.t.geometry.RaycastingScene()
    tensor = open3d.core.Tensor
    caster.add_triangles(tensor(true.mesh.vertices), tensor(true.mesh.faces.astype(np.uint32)))
    far = caster.compute_distance(tensor(found.mesh.vertices)).numpy()
    print(f"median {np.median(far) * 1e3:.2f} mm, 95th percentile {np.percentile(far, 95) * 1e3:.2f} mm")
    assert np.median(far) <= MEDIAN
    assert np.percentile(far, 95) <= NINETY_FIFTH


def test_frames_see_of_it_what_they_see_of_the_true_mesh(fused):
    depths = []
    for scene in fused:
        prepared = prepare_mesh(scene.mesh.vertices, scene.mesh.faces)
        depths.append(
            np.stack(
                [
                    rasterize(prepared, frame.camera.intrinsics, rigid_inverse(frame.camera_to_world), *SIZE)[
                        1
                    ]
                    for frame in scene.frames
                ]
            )
        )
    found, true = depths
    seen = np.isfinite(true)
    hit = seen & np.isfinite(found)
    off = np.abs(found[hit] - true[hit])
    share = hit.sum() / seen.sum()
    print(
        f"{share:.1%} seen, median {np.median(off) * 1e3:.2f} mm, 90th percentile "
        f"{np.percentile(off, 90) * 1e3:.2f} mm, {len(fused[0].mesh.faces)} faces"
    )
    assert share >= SEEN
    assert np.median(off) <= SEEN_MEDIAN
    assert np.percentile(off, 90) <= SEEN_NINETIETH
