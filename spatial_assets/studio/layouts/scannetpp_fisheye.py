"""ScanNet++ scenes of which the scan and the DSLR's fisheye images were downloaded, with the list of their split.

Register them as `scannetpp`. The pictures are rendered through a pinhole and bent afterwards; the lens is as wide as
lets every pixel of its images come from the picture.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spatial_assets.scene.model import Float
from spatial_assets.studio.files import Progress, Scanner, write_color, write_json
from spatial_assets.studio.layouts import scannetpp
from spatial_assets.studio.layouts.base import Written
from spatial_assets.studio.scene import StudioScene

IMAGES = True
SHARED = "splits/nvs_sem_train.txt"
BENDS = (0.06, -0.02, 0.004, -0.0005)
"""k1 to k4: of the size that the dataset's own have."""
NARROWER = 1.04
"""Focal length by that whose corners are the picture's: its middle is not that of the image."""
BAD_EVERY = 5
"""Photographs to one that is marked as not to be used."""
ANGLES = np.linspace(0, 1.4, 20_001)
"""Radians that the lens is tabled at."""


def shared_content(entries: Mapping[str, object]) -> str:
    """All scenes are to be trained on."""
    return "".join(f"{name}\n" for name in entries)


def write_scene(out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress) -> Written:
    """A ScanNet++ scene without its video and undistorted images."""
    return scannetpp.write_scan(out, index, scene, scanner, progress, _bend)


def _bend(folder: Path, scene: StudioScene, depths: Path) -> None:
    """Puts the video's frames into fisheye images, with nerfstudio's matrices, and removes them."""
    dslr = folder / "dslr"
    focal, places = _lens(scene)
    entries = []
    (dslr / "resized_images").mkdir()
    for k, path in enumerate(sorted((folder / "iphone" / "rgb").iterdir())):
        picture = np.asarray(Image.open(path))
        file = f"DSC{k:05d}.JPG"
        target = dslr / "resized_images" / file
        write_color(target.with_suffix(".jpg"), _sampled(picture, places))
        target.with_suffix(".jpg").rename(target)
        matrix = scannetpp.to_nerfstudio(scene.poses[k]).tolist()
        is_bad = k % BAD_EVERY == BAD_EVERY - 1
        entries.append({"file_path": file, "transform_matrix": matrix, "is_bad": is_bad})
    write_json(
        dslr / "nerfstudio" / "transforms.json",
        {
            "fl_x": focal, "fl_y": focal, "cx": scene.width / 2, "cy": scene.height / 2,
            "w": scene.width, "h": scene.height,
            **{f"k{place}": value for place, value in enumerate(BENDS, 1)},
            "camera_model": "OPENCV_FISHEYE",
            "frames": entries,
            "test_frames": [],
        },
    )  # fmt: skip
    shutil.rmtree(folder / "iphone")
    shutil.rmtree(dslr / "resized_undistorted_images")
    (dslr / "nerfstudio" / "transforms_undistorted.json").unlink()


def _lens(scene: StudioScene) -> tuple[float, tuple[Float, Float]]:
    """The focal length, and where in the picture each pixel of the fisheye image lies, columns and rows (H, W)."""
    k = scene.intrinsics
    half = np.hypot(scene.width, scene.height) / 2
    bent = ANGLES * (1 + sum(value * ANGLES ** (2 * place) for place, value in enumerate(BENDS, 1)))
    corner = np.arctan(half / min(k[0, 0], k[1, 1]))
    focal = float(NARROWER * half / np.interp(corner, ANGLES, bent))
    v, u = np.mgrid[: scene.height, : scene.width] + 0.5
    x, y = (u - scene.width / 2) / focal, (v - scene.height / 2) / focal
    distance = np.hypot(x, y)
    ratio = np.tan(np.interp(distance, bent, ANGLES)) / np.maximum(distance, 1e-12)
    return focal, (x * ratio * k[0, 0] + k[0, 2] - 0.5, y * ratio * k[1, 1] + k[1, 2] - 0.5)


def _sampled(picture: NDArray[np.uint8], places: tuple[Float, Float]) -> NDArray[np.uint8]:
    """Between the four pixels around each place."""
    height, width = picture.shape[:2]
    x, y = np.clip(places[0], 0, width - 1.001), np.clip(places[1], 0, height - 1.001)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right, down = (x - left)[..., None], (y - top)[..., None]
    above = picture[top, left] * (1 - right) + picture[top, left + 1] * right
    below = picture[top + 1, left] * (1 - right) + picture[top + 1, left + 1] * right
    return np.rint(above * (1 - down) + below * down).astype(np.uint8)
