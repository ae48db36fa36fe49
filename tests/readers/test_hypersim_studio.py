"""Hypersim as the studio writes it, against its truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypersim_files import NAME, archive, read

from spatial_assets.geometry.boxes import box_corners
from spatial_assets.readers import hypersim
from spatial_assets.studio.write import write_scenes


def test_the_studio_s_against_its_truth(tmp_path: Path) -> None:
    names = write_scenes(tmp_path, "hypersim", 2, 9, 6000, 6, (96, 72))
    assert names == [NAME, "ai_900_001"]
    for ref in hypersim.find_scenes(tmp_path):
        truth = json.loads((tmp_path / "_truth" / f"{ref.name}.json").read_text())
        scene = read(tmp_path, ref)
        assert [frame.name for frame in scene.frames] == [item["frame"] for item in truth["frames"]]
        for frame, item in zip(scene.frames, truth["frames"], strict=True):
            np.testing.assert_allclose(frame.camera_to_world, item["camera_to_world"], atol=1e-9)
            np.testing.assert_allclose(frame.camera.intrinsics, item["intrinsics"], atol=1e-9)
        known = {item["instance"]: item for item in truth["objects"]}
        assert len(scene.instances) + int(scene.conventions["objects_without_pixels"]) == len(known)
        assert len(scene.instances) > 10
        for instance in scene.instances:
            item = known[instance.id]
            np.testing.assert_allclose(instance.box.center, item["center"], atol=1e-3)
            np.testing.assert_allclose(instance.box.size, item["size"], atol=1e-3)
            c, s = np.cos(item["yaw"]), np.sin(item["yaw"])
            np.testing.assert_allclose(instance.box.rotation, [[c, -s, 0], [s, c, 0], [0, 0, 1]], atol=1e-9)


def test_the_studio_s_pixels_lie_in_their_boxes(tmp_path: Path) -> None:
    write_scenes(tmp_path, "hypersim", 1, 9, 6000, 6, (96, 72))
    scene = read(tmp_path)
    ids, depths = (archive(tmp_path, images) for images in (scene.instance_images, scene.depth_images))
    checked = 0
    for frame in scene.frames:
        shown, z = ids.instances(frame.name), depths.depth(frame.name).astype(np.float64)
        rows, columns = np.nonzero((shown >= 0) & (z > 0))
        pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))])
        local = (np.linalg.inv(frame.camera.intrinsics) @ pixels) * z[rows, columns]
        world = frame.camera_to_world[:3, :3] @ local + frame.camera_to_world[:3, 3:]
        for instance in scene.instances:
            own = world[:, shown[rows, columns] == instance.id].T
            corners = box_corners(instance.box)
            if len(own):
                low, high = corners.min(axis=0) - 0.01, corners.max(axis=0) + 0.01
                assert ((own >= low) & (own <= high)).all()
                checked += len(own)
    assert checked > 3000
