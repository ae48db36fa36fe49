"""ScanNet++ scenes: a scan, an iPhone's video with its frames extracted, and undistorted images of a DSLR."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from spatial_assets.scene.model import Float
from spatial_assets.studio.annotation import annotation
from spatial_assets.studio.files import (
    Progress,
    Scanner,
    fresh_folder,
    integer_centers,
    write_frames,
    write_json,
    write_mesh,
    write_truth,
)
from spatial_assets.studio.layouts.base import Written
from spatial_assets.studio.render import vertex_colors
from spatial_assets.studio.scan import noisy, with_holes
from spatial_assets.studio.scene import StudioScene

IMAGES = True
SHARED = None
CALIBRATED = (1920, 1440)
"""The images that an iPhone's intrinsics are for, whatever size its frames were extracted at."""
DSLR_EVERY = 3
"""Frames of the video to one photograph."""
TESTED = 4
"""Photographs to one that is kept for testing."""


def write_scene(out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress) -> Written:
    """One scene folder below `data`."""
    return write_scan(out, index, scene, scanner, progress, lambda folder, scene, depths: None)


def write_scan(
    out: Path,
    index: int,
    scene: StudioScene,
    scanner: Scanner,
    progress: Progress,
    finish: Callable[[Path, StudioScene, Path], None],
) -> Written:
    """The same, after `finish` was called with its folder and the folder of depth images, which is then removed."""
    name = hashlib.blake2b(f"studio {index}".encode(), digest_size=5).hexdigest()
    mesh = scene.mesh
    names = [f"frame_{k:06d}" for k in range(len(scene.poses))]
    with fresh_folder(out / "data" / name) as folder:
        scans, iphone, dslr = (folder / part for part in ("scans", "iphone", "dslr"))
        for part in (scans, iphone / "rgb", dslr / "nerfstudio", dslr / "resized_undistorted_images"):
            part.mkdir(parents=True)
        vertices = noisy(mesh.vertices, mesh.faces, scanner.noise, scanner.stream("noise"))
        faces = with_holes(mesh.vertices, mesh.faces, scanner.holes, scanner.stream("holes"))
        write_mesh(scans / "mesh_aligned_0.05.ply", vertices, vertex_colors(mesh, scene.light), faces)
        segments, groups = annotation(scene)
        write_json(scans / "segments.json", {"sceneId": name, "segIndices": segments})
        write_json(scans / "segments_anno.json", {"sceneId": name, "segGroups": groups})
        with tempfile.TemporaryDirectory() as depths:
            write_frames(
                scene,
                lambda k: iphone / "rgb" / f"{names[k]}.jpg",
                lambda k: Path(depths) / f"{k}.png",
                progress,
                name,
                scanner,
            )
            _write_video(iphone / "pose_intrinsic_imu.json", scene, names)
            _write_photographs(dslr, iphone / "rgb", scene, names)
            finish(folder, scene, Path(depths))
    write_truth(out, name, scene, list(scene.objects), names)
    return Written(name)


def _write_video(path: Path, scene: StudioScene, names: list[str]) -> None:
    """Poses of the phone's own world beside those of the mesh's, and intrinsics for images of another size."""
    # Pixel centers stand at integers for this size, so it is scaled before they are moved.
    intrinsics = np.diag([CALIBRATED[0] / scene.width, CALIBRATED[1] / scene.height, 1.0]) @ scene.intrinsics
    phone = np.linalg.inv(scene.poses[0])
    write_json(
        path,
        {
            name: {
                "timestamp": k / 60,
                "pose": (phone @ pose).tolist(),
                "intrinsic": integer_centers(intrinsics).tolist(),
                "aligned_pose": pose.tolist(),
            }
            for k, (name, pose) in enumerate(zip(names, scene.poses, strict=True))
        },
    )


def _write_photographs(folder: Path, video: Path, scene: StudioScene, names: list[str]) -> None:
    """Some of the video's frames once more, as an undistorted camera's images with nerfstudio's matrices."""
    entries = []
    for k in range(0, len(names), DSLR_EVERY):
        file = f"DSC{k:05d}.JPG"
        shutil.copyfile(video / f"{names[k]}.jpg", folder / "resized_undistorted_images" / file)
        entries.append({"file_path": file, "transform_matrix": to_nerfstudio(scene.poses[k]).tolist()})
    camera = scene.intrinsics
    write_json(
        folder / "nerfstudio" / "transforms_undistorted.json",
        {
            "fl_x": camera[0, 0], "fl_y": camera[1, 1], "cx": camera[0, 2], "cy": camera[1, 2],
            "w": scene.width, "h": scene.height,
            "camera_model": "PINHOLE",
            "frames": [entry for place, entry in enumerate(entries) if place % TESTED != TESTED - 1],
            "test_frames": entries[TESTED - 1 :: TESTED],
        },
    )  # fmt: skip


def to_nerfstudio(pose: Float) -> Float:
    """A camera-to-world matrix (4, 4) as the toolkit writes it: axes of the camera, then of the world, turned one
    after the other.
    """
    turned = pose.copy()
    turned[:3, 1:3] *= -1
    turned = turned[[1, 0, 2, 3]]
    turned[2] *= -1
    return turned
